"""The ways in and out of the desk: the sign-in page, and tokens for the API. Both count attempts alike."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, session, url_for
from flask_appbuilder import AppBuilder, BaseView, expose
from flask_appbuilder.security.api import SecurityApi
from flask_appbuilder.security.decorators import no_cache
from flask_babel import gettext as _
from flask_jwt_extended import create_access_token, create_refresh_token
from flask_login import current_user, login_user, logout_user
from flask_wtf import FlaskForm
from wtforms import PasswordField, StringField

from backoffice.actors import SYSTEM, Actor, Context, Door
from backoffice.database import RecordSession, begin_writing, open_session
from backoffice.errors import BadRequest, DomainError
from backoffice.identity import Identity, find_identity
from backoffice.operations.attempt_counters import TooManyAttempts
from backoffice.operations.sign_in import (
    DESK,
    Attempt,
    WrongCredentials,
    record_sign_out,
)
from views import interrupted
from views.addresses import local_path
from views.attempts import try_to_enter, with_wait
from views.door import engine
from views.problems import answer_with_problems, problem_of
from views.signed_in import SignedIn

#: What a person chose before signing in and keeps afterwards.
_KEPT = ("language",)


def check_credentials(name: str, password: str, door: Door, *, entering: bool = True) -> Identity:
    """Return who of the staff may come in; see ``try_to_enter``."""

    def let_in(records: RecordSession, attempt: Attempt) -> Identity | None:
        identity = find_identity(records, attempt.staff_id) if attempt.staff_id else None
        return identity if identity is not None and identity.active else None

    return try_to_enter(DESK, name, password, door, let_in, entering=entering)


class SignInForm(FlaskForm):
    """User name or e-mail, and password."""

    username = StringField()
    password = PasswordField()


class SignInView(BaseView):
    """Signing in and out at the desk."""

    route_base = ""
    default_view = "login"

    @expose("/login/", methods=["GET", "POST"])
    @no_cache
    def login(self) -> Any:
        """Show the form, or let the person in and lead them to where they wanted to go."""
        wanted = request.values.get("next", "")
        if current_user.is_authenticated:
            return redirect(local_path(wanted) or self.appbuilder.get_url_for_index)
        form = SignInForm()
        if request.method != "POST":
            return self._page(form, wanted)
        try:
            identity = check_credentials(form.username.data or "", form.password.data or "", Door.desk)
        except (WrongCredentials, TooManyAttempts) as error:
            return self._page(form, wanted, error)
        start_session(identity)
        way_back = redirect(local_path(wanted) or self.appbuilder.get_url_for_index, 303)
        return interrupted.resume(request.form.get(interrupted.KEPT, "")) or way_back

    @expose("/logout/", methods=["POST"])
    def logout(self) -> Any:
        """Let the person out. A link could be followed by another site's page, so it takes a form."""
        if current_user.is_authenticated:
            _record_sign_out(current_user.actor, current_user.username)
        logout_user()
        _clear_session()
        return redirect(url_for(f"{self.endpoint}.login"), 303)

    def _page(self, form: SignInForm, wanted: str, error: DomainError | None = None) -> Response:
        kept = request.form.get(interrupted.KEPT)
        page = {"error": str(error) if error else None, "next": local_path(wanted), "kept": kept}
        response = make_response(render_template("login.html", page=page, form=form), error.status if error else 200)
        return with_wait(response, error)


class TokenApi(SecurityApi):
    """Tokens for programs: the same user names, passwords and limits as at the desk."""

    def create_blueprint(
        self, appbuilder: AppBuilder, endpoint: str | None = None, static_folder: str | None = None
    ) -> Blueprint:
        blueprint: Blueprint = super().create_blueprint(appbuilder, endpoint, static_folder)
        answer_with_problems(blueprint)
        return blueprint

    @expose("/login", methods=["POST"])
    def login(self) -> Response:
        """Exchange user name and password for a token.
        ---
        post:
          description: Returns an access token, with "refresh" true also one that renews it.
          requestBody:
            required: true
            content:
              application/json:
                schema:
                  type: object
                  required: [username, password]
                  properties:
                    username: {type: string, description: User name or e-mail}
                    password: {type: string}
                    refresh: {type: boolean}
          responses:
            200:
              description: Signed in
              content:
                application/json:
                  schema:
                    type: object
                    properties:
                      access_token: {type: string}
                      refresh_token: {type: string}
            400:
              $ref: '#/components/responses/400'
            401:
              $ref: '#/components/responses/401'
            429:
              description: Too many attempts; Retry-After says how many seconds to wait
        """
        sent = request.get_json(silent=True)
        body: dict[str, Any] = sent if isinstance(sent, dict) else {}
        username, password = body.get("username"), body.get("password")
        if not isinstance(username, str) or not isinstance(password, str):
            raise BadRequest(reason=_("it must hold “username” and “password”."))
        try:
            identity = check_credentials(username, password, Door.api)
        except (WrongCredentials, TooManyAttempts) as error:
            return with_wait(problem_of(error), error)
        name = f"{identity.actor.id}:{identity.session_epoch}"
        tokens = {"access_token": create_access_token(identity=name, fresh=True)}
        if body.get("refresh") is True:
            tokens["refresh_token"] = create_refresh_token(identity=name)
        return self.response(200, **tokens)  # type: ignore[no-any-return]


def start_session(identity: Identity) -> None:
    """Begin a session of its own for the person: whatever the browser brought before is gone."""
    _clear_session()
    session.permanent = True
    login_user(SignedIn(identity))


def _record_sign_out(actor: Actor, username: str) -> None:
    with begin_writing(), open_session(engine(), Context(SYSTEM, Door.desk)) as records, records.begin():
        record_sign_out(records, actor, username, request.remote_addr or "?", door=Door.desk)


def _clear_session() -> None:
    kept = {name: session[name] for name in _KEPT if name in session}
    session.clear()
    session.update(kept)
    g.pop("csrf_token", None)  # made for the session that has just ended


__all__ = ["SignInView", "TokenApi", "check_credentials", "start_session"]
