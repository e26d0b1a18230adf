"""The desk's pages about passwords."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, session, url_for
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _
from flask_login import current_user

from backoffice.actors import SYSTEM, Action, Actor, Context, Door
from backoffice.database import open_session
from backoffice.errors import DomainError, Forbidden
from backoffice.identity import find_identity
from backoffice.operations.sign_in import WrongCredentials
from backoffice.operations.staff import WrongOldPassword, change_own_password, set_password
from backoffice.records.lookup import get_record
from models.staff import Staff
from views import addresses
from views.door import commit, current_actor, current_session, door, engine, fresh_session
from views.generated.pages import add_link
from views.new_passwords import password_rules, typed_twice
from views.sign_in import FACTOR_DUE, check_credentials, start_session


class PasswordView(BaseView):
    """Changing one's own password, and giving somebody else a new one."""

    route_base = "/security"
    default_view = "own"

    @expose("/password/", methods=["GET", "POST"])
    def own(self) -> Any:
        """Change one's own password; this browser stays signed in, others do not."""
        if not current_user.is_authenticated:
            return redirect(self.appbuilder.get_url_for_login_with(request.full_path))
        actor = current_actor()
        page = _page(_("Change my password"), None if actor.must_change_password else self.appbuilder.get_url_for_index)
        if actor.must_change_password:
            page["must"] = _("Somebody else has set your password: choose one that only you know.")
        if request.method != "POST":
            return render_template("password.html", page=page)
        try:
            new = typed_twice()
            check_present_password()
            staff = get_record(current_session(), Staff, actor.staff_id or 0)
            change_own_password(current_session(), staff, request.form.get("current", ""), new, actor=actor)
            commit()
        except DomainError as error:
            return _refused(page, error)
        _stay_signed_in(staff.id)
        flash(_("The password is changed. Other browsers must sign in again."), "good")
        return redirect(self.appbuilder.get_url_for_index, 303)

    @expose("/password/<pk>", methods=["GET", "POST"])
    def of_other(self, pk: str) -> Any:
        """Give a user a new password, to be changed at the next sign-in."""
        if not current_user.is_authenticated:
            return redirect(self.appbuilder.get_url_for_login_with(request.full_path))
        actor = current_actor()
        actor.require(Action.update, Staff)
        staff = get_record(current_session(), Staff, pk)
        if staff.id == actor.staff_id:
            return redirect(url_for(f"{self.endpoint}.own"), 303)
        page = _page(_("New password for %(name)s", name=staff), addresses.record_url(staff)) | {"of_other": True}
        if request.method != "POST":
            return render_template("password.html", page=page)
        try:
            set_password(current_session(), staff, typed_twice(), actor=actor)
            commit()
        except Forbidden:
            raise
        except DomainError as error:
            return _refused(page, error)
        flash(_("The password is set; it must be changed at the next sign-in."), "good")
        return redirect(page["cancel_url"], 303)


def check_present_password() -> None:
    """Raise unless the present password was given; guessing it is counted and slowed down as at the sign-in page."""
    try:
        check_credentials(current_user.username, request.form.get("current", ""), Door.desk, entering=False)
    except WrongCredentials as error:
        raise WrongOldPassword from error


def _page(title: str, back: str | None) -> dict[str, Any]:
    action = request.script_root + request.path
    return {"title": title, "action": action, "rules": password_rules(), "cancel_url": back}


def _refused(page: dict[str, Any], error: DomainError) -> Any:
    fresh_session()
    name = {"old_password": "current", "password": "new", "again": "again"}.get(error.field or "")
    page |= {"problems": {name: str(error)}} if name else {"error": str(error)}
    return render_template("password.html", page=page), error.status


def _stay_signed_in(staff_id: int) -> None:
    with open_session(engine(), Context(SYSTEM, door())) as records:
        identity = find_identity(records, staff_id)
    due = FACTOR_DUE in session
    if identity is not None:
        start_session(identity)
        if due:
            # A new password is no second factor: that stays due.
            session[FACTOR_DUE] = True


def _password_link(staff: Staff, actor: Actor) -> dict[str, Any] | None:
    """Offer administrators to give a user a new password."""
    if not actor.may(Action.update, Staff) or staff.id == actor.staff_id:
        return None
    return {
        "label": _("Set a password"),
        "icon": "key",
        "url": url_for(f"{PasswordView.__name__}.of_other", pk=staff.id),
    }


add_link(Staff, _password_link)
