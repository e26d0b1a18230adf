"""The links with which staff choose their passwords: sending one, and the page it leads to."""

from __future__ import annotations

from typing import Any

from flask import current_app, flash, redirect, render_template, request, session, url_for
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _
from flask_login import current_user

from backoffice.actors import SYSTEM, Action, Actor, Context, Door
from backoffice.database import RecordSession, open_session
from backoffice.errors import DomainError, Forbidden
from backoffice.operations.links import LinkExpired, LinkUsed, NoSuchLink
from backoffice.operations.password_links import choose_password, find_by_link, link_hours, send_password_link
from backoffice.outbox import Queued
from backoffice.records.lookup import get_record
from models.outbox_mail import MailLanguage
from models.staff import Staff
from views import addresses
from views.door import commit, current_actor, current_session, engine
from views.generated.guarding import require_same_group
from views.generated.pages import add_link
from views.interrupted import sign_in_first
from views.new_passwords import password_rules, typed_twice

#: Where the token waits while the page is open: in the address it would end up in histories and logs.
_TOKEN = "password_link"  # noqa: S105  # a name, not a secret


class SendLinkView(BaseView):
    """Sending somebody a link by which they choose their password."""

    route_base = "/security/password"
    default_view = "send"

    @expose("/<pk>/link", methods=["GET", "POST"])
    def send(self, pk: str) -> Any:
        """Ask, and queue the mail."""
        if not current_user.is_authenticated:
            return sign_in_first()
        actor = current_actor()
        actor.require(Action.update, Staff)
        require_same_group()
        staff = get_record(current_session(), Staff, pk)
        if request.method != "POST":
            return render_template("confirm.html", page=_question(staff))
        try:
            queued = _queue(staff, actor)
        except Forbidden:
            raise
        except DomainError as error:
            return render_template("confirm.html", page=_question(staff, error)), error.status
        flash(*told(queued))
        return redirect(addresses.record_url(staff), 303)


class PasswordLinkView(BaseView):
    """The page a link leads to; whoever has the link need not be signed in."""

    route_base = "/security/link"
    default_view = "choose"

    @expose("/<token>")
    def open(self, token: str) -> Any:
        """Put the token aside, so that it stands in no further address, and go on to the form."""
        session[_TOKEN] = token[:100]
        return redirect(url_for(f"{self.endpoint}.choose"))

    @expose("/", methods=["GET", "POST"])
    def choose(self) -> Any:
        """Show the form, or set the password and lead to the sign-in page."""
        token = str(session.get(_TOKEN, ""))
        try:
            with _as_product() as records:
                name = find_by_link(records, token).first_name
        except (NoSuchLink, LinkUsed, LinkExpired) as error:
            return _no_good(error)
        if request.method != "POST":
            return _form(name)
        try:
            _choose(token, typed_twice())
        except (NoSuchLink, LinkUsed, LinkExpired) as error:
            return _no_good(error)
        except DomainError as error:
            return _form(name, error), error.status
        session.pop(_TOKEN, None)
        flash(_("The password is set: sign in with it."), "good")
        return redirect(url_for("SignInView.login"), 303)


def _queue(staff: Staff, actor: Actor) -> Queued:
    language = MailLanguage[current_app.config["BABEL_DEFAULT_LOCALE"]]
    queued = send_password_link(current_session(), staff, language=language, actor=actor)
    commit()
    return queued


def _choose(token: str, password: str) -> None:
    with _as_product() as records, records.begin():
        records.info["context"] = Context(SYSTEM, Door.desk, on_behalf_of=str(find_by_link(records, token)))
        choose_password(records, token, password)


def _as_product() -> RecordSession:
    """Open a session in which the product acts: the person is known by the link alone."""
    return open_session(engine(), Context(SYSTEM, Door.desk))


def _question(staff: Staff, problem: DomainError | None = None) -> dict[str, Any]:
    return {
        "heading": _("Send %(name)s a link to choose the password", name=staff),
        "text": _(
            "A mail to %(address)s brings a link that is good once, for %(hours)s hours. The present password, if "
            "there is one, stays until another is chosen.",
            address=staff.email,
            hours=link_hours(current_session(), staff),
        ),
        "problem": str(problem) if problem else None,
        "blocked": problem is not None,
        "action": request.script_root + request.path,
        "submit_label": _("Send the link"),
        "cancel_url": addresses.record_url(staff),
    }


def told(queued: Queued) -> tuple[str, str]:
    """Return what to say of a mail that was queued, and in which tone."""
    if queued.is_held:
        return _("The mail is held back, because demonstration data is loaded: it waits in the outbox."), "wait"
    if not current_app.config["HAS_MAIL_SERVER"]:
        return _("The mail waits in the outbox, because no mail server is set."), "wait"
    return _("The mail is on its way."), "good"


def _form(name: str, error: DomainError | None = None) -> str:
    problems = {"again" if error.field == "again" else "new": str(error)} if error else {}
    return render_template("choose_password.html", page={"name": name, "rules": password_rules(), "problems": problems})


def _no_good(error: DomainError) -> Any:
    return render_template("choose_password.html", page={"error": str(error)}), error.status


def _link(staff: Staff, actor: Actor) -> dict[str, Any] | None:
    """Offer administrators to let a user choose the password."""
    if not actor.may(Action.update, Staff) or not staff.active:
        return None
    return {
        "label": _("Send a link to set the password"),
        "icon": "envelope",
        "url": url_for(f"{SendLinkView.__name__}.send", pk=staff.id),
        "first": _("No password is set yet: without one this person cannot sign in."),
    }


add_link(Staff, _link)
