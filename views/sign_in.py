"""The ways in and out of the desk: the sign-in page, and tokens for the API. Both count attempts alike."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, session, url_for
from flask_appbuilder import AppBuilder, BaseView, expose
from flask_appbuilder.security.api import SecurityApi
from flask_appbuilder.security.decorators import no_cache
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_jwt_extended import create_access_token, create_refresh_token
from flask_login import current_user, login_user, logout_user
from flask_wtf import FlaskForm
from wtforms import PasswordField, StringField

from backoffice import clock
from backoffice.actors import SYSTEM, Actor, Context, Door
from backoffice.database import RecordSession, begin_writing, open_session
from backoffice.errors import BadRequest, DomainError
from backoffice.identity import Identity, find_identity
from backoffice.operations.attempt_counters import TooManyAttempts, count_within, forget_count
from backoffice.operations.second_factors import WrongCode, has_factor, is_required, use_code
from backoffice.operations.setting_up import has_begun, may_set_up
from backoffice.operations.sign_in import (
    DESK,
    Attempt,
    WrongCredentials,
    record_event,
    record_sign_out,
)
from models.history_entry import SignInEvent
from models.staff import Staff
from views import interrupted
from views.addresses import local_path
from views.attempts import try_to_enter, with_wait
from views.door import door, engine
from views.generated.openapi import RefusesWithProblems
from views.problems import answer_with_problems, problem_of
from views.signed_in import SignedIn

#: What a person chose before signing in and keeps afterwards.
_KEPT = ("language",)
#: In the session: whose password was right, and that a second factor must be set up before anything else.
_WAITING, FACTOR_DUE = "factor_waiting", "factor_due"
#: How long after the password the code may come, and how many codes may be tried in that time.
_CODE_TIME, _CODES = timedelta(minutes=5), 5


def check_credentials(name: str, password: str, door: Door, *, entering: bool = True) -> Identity:
    """Return who of the staff may come in; see ``try_to_enter``."""

    def let_in(records: RecordSession, attempt: Attempt) -> Identity | None:
        identity = find_identity(records, attempt.staff_id) if attempt.staff_id else None
        return identity if identity is not None and identity.active else None

    def waits(records: RecordSession, attempt: Attempt) -> bool:
        return attempt.staff_id is not None and has_factor(records, attempt.staff_id)

    return try_to_enter(DESK, name, password, door, let_in, entering=entering, waits=waits)


def count_code(username: str) -> None:
    """Count that a code of the second factor is tried, in a transaction of its own.

    :raises TooManyAttempts: somebody has tried so many that only guessing explains it.
    """
    with begin_writing(), _as_product(door()) as records:
        wait = count_within(records, *_codes_of(username), clock.now(), most=_CODES, window=_CODE_TIME)
        records.commit()
    if wait is not None:
        raise TooManyAttempts(wait)


def forget_codes(records: RecordSession, username: str) -> None:
    """Count codes anew: one was right."""
    forget_count(records, *_codes_of(username))


def _codes_of(username: str) -> tuple[str, str, str]:
    """Return by what tried codes are counted: from wherever they come."""
    return "factor", username[:128], "*"


def check_second_factor(identity: Identity, code: str, door_: Door) -> None:
    """Take the code of somebody whose password was right, and write down that they are in.

    :raises WrongCode: it does not fit, or was used.
    :raises TooManyAttempts: it was not even looked at.
    """
    count_code(identity.username)
    address = request.remote_addr or "?"
    with begin_writing(), _as_product(door_) as records:
        try:
            use_code(records, records.get_one(Staff, identity.actor.id), code)
        except WrongCode:
            records.rollback()
            record_event(records, SignInEvent.failed, identity.actor, identity.username, address, door=door_)
            records.commit()
            raise
        forget_codes(records, identity.username)
        record_event(records, SignInEvent.signed_in, identity.actor, identity.username, address, door=door_)
        records.commit()


def _as_product(door_: Door) -> RecordSession:
    return open_session(engine(), Context(SYSTEM, door_))


def _factor_of(identity: Identity) -> tuple[bool, bool]:
    """Return whether somebody has a second factor, and whether they must."""
    with begin_writing(False), _as_product(Door.desk) as records:
        return has_factor(records, identity.actor.id or 0), is_required(records, identity.actor.group_id)


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
        has_one, must = _factor_of(identity)
        kept = request.form.get(interrupted.KEPT, "")
        if has_one:
            _clear_session()
            session[_WAITING] = {"user": SignedIn(identity).get_id(), "at": clock.now().timestamp()}
            return self._code_page(wanted, kept)
        start_session(identity)
        if must:
            session[FACTOR_DUE] = True
        return self._way_in(identity, wanted, kept)

    @expose("/login/code", methods=["POST"])
    @no_cache
    def code(self) -> Any:
        """Take the code of the second factor from whoever gave the right password just now."""
        wanted, kept = request.form.get("next", ""), request.form.get(interrupted.KEPT, "")
        identity = _who_waits()
        if identity is None:
            session.pop(_WAITING, None)
            return redirect(url_for(f"{self.endpoint}.login", next=local_path(wanted) or None), 303)
        try:
            check_second_factor(identity, request.form.get("code", ""), Door.desk)
        except (WrongCode, TooManyAttempts) as error:
            return self._code_page(wanted, kept, error)
        start_session(identity)
        return self._way_in(identity, wanted, kept)

    def _way_in(self, identity: Identity, wanted: str, kept: str) -> Any:
        """Lead somebody to where they wanted to go; an administrator of a group nobody has set up, to that."""
        place = local_path(wanted)
        if not place and _is_to_be_set_up(identity):
            place = url_for("SettingUpView.index")
        return interrupted.resume(kept) or redirect(place or self.appbuilder.get_url_for_index, 303)

    def _code_page(self, wanted: str, kept: str, error: DomainError | None = None) -> Response:
        page = {"error": str(error) if error else None, "next": local_path(wanted), "kept": kept}
        response = make_response(render_template("login_code.html", page=page), error.status if error else 200)
        return with_wait(response, error)

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


class TokenApi(RefusesWithProblems, SecurityApi):
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
                    code: {type: string, description: "Of the second factor, for whoever has one"}
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
        """
        sent = request.get_json(silent=True)
        body: dict[str, Any] = sent if isinstance(sent, dict) else {}
        username, password = body.get("username"), body.get("password")
        if not isinstance(username, str) or not isinstance(password, str):
            raise BadRequest(reason=_("it must hold “username” and “password”."))
        try:
            identity = check_credentials(username, password, Door.api)
            has_one, must = _factor_of(identity)
            if has_one:
                check_second_factor(identity, str(body.get("code") or ""), Door.api)
            elif must:
                raise FactorMissing
        except (WrongCredentials, WrongCode, FactorMissing, TooManyAttempts) as error:
            return with_wait(problem_of(error), error)
        name = f"{identity.actor.id}:{identity.session_epoch}"
        tokens = {"access_token": create_access_token(identity=name, fresh=True)}
        if body.get("refresh") is True:
            tokens["refresh_token"] = create_refresh_token(identity=name)
        return self.response(200, **tokens)  # type: ignore[no-any-return]


class FactorMissing(DomainError):
    template = _l("Set up the second factor at the desk first.")
    status = 403


def _is_to_be_set_up(identity: Identity) -> bool:
    if not may_set_up(identity.actor):
        return False
    with begin_writing(False), _as_product(Door.desk) as records:
        return not has_begun(records, identity.actor)


def _who_waits() -> Identity | None:
    """Return whose password was right in this browser a short time ago, and still counts."""
    waiting = session.get(_WAITING) or {}
    if clock.now().timestamp() - float(waiting.get("at", 0)) > _CODE_TIME.total_seconds():
        return None
    staff_id, _colon, epoch = str(waiting.get("user", "")).partition(":")
    if not staff_id.isdigit():
        return None
    with begin_writing(False), _as_product(Door.desk) as records:
        identity = find_identity(records, int(staff_id))
    return identity if identity is not None and identity.active and str(identity.session_epoch) == epoch else None


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


def _page_with(address: str, kept: str) -> str:
    return render_template("login.html", page={"error": None, "next": address, "kept": kept}, form=None)


#: Forms of records, and those of the workspaces.
ENTRANCE = interrupted.Entrance(
    forms=("desk_", "ActivationView.", "CallDesk.", "TicketBulkView."),
    is_in=lambda: bool(current_user.is_authenticated),
    sign_in_url=lambda: url_for("SignInView.login", next=request.full_path),
    sign_in_page=_page_with,
    frame="plain.html",
)


__all__ = [
    "ENTRANCE",
    "FACTOR_DUE",
    "SignInView",
    "TokenApi",
    "check_credentials",
    "count_code",
    "forget_codes",
    "start_session",
]
