"""The desk's pages about passwords and roles."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from flask_wtf import FlaskForm
from wtforms import PasswordField

from backoffice.actors import SYSTEM, Action, Context
from backoffice.database import open_session
from backoffice.errors import DomainError, Forbidden
from backoffice.identity import find_identity
from backoffice.operations.staff import change_own_password, set_password
from backoffice.passwords import MIN_LENGTH
from backoffice.records.lookup import get_record
from models.role_right import RoleRight
from models.staff import Staff
from views import addresses
from views.desk.role_matrix import role_matrix
from views.door import commit, current_actor, current_session, door, engine, fresh_session
from views.sign_in import start_session

_RULES = _l(
    "At least %(limit)s characters. A few words that have nothing to do with each other are easy to remember and "
    "hard to guess; names, months, teams and rows of keys are tried first."
)


class PasswordForm(FlaskForm):
    """A new password, typed twice, for oneself with the present one."""

    old_password = PasswordField(_l("Present password"))
    password = PasswordField(_l("New password"))
    repeat = PasswordField(_l("New password once more"))

    def __init__(self, *, for_oneself: bool) -> None:
        super().__init__()
        if not for_oneself:
            del self.old_password
        for field in self.fields():
            field.kind, field.required, field.span = "text", True, "6"
            field.autocomplete = "current-password" if field.name == "old_password" else "new-password"
        self.password.help = str(_RULES) % {"limit": MIN_LENGTH}

    def fields(self) -> list[Any]:
        return [field for field in self if field.name != "csrf_token"]

    def problems(self) -> list[dict[str, str]]:
        return [{"text": str(text), "anchor": field.id} for field in self.fields() for text in field.errors]

    def refuse(self, name: str, text: str) -> None:
        field = self[name] if name in self else self.password
        field.errors = [*field.errors, text]


class PasswordView(BaseView):
    """Changing one's own password, and giving somebody else a new one."""

    route_base = "/security"
    default_view = "own"

    @expose("/password/", methods=["GET", "POST"])
    def own(self) -> Any:
        """Change one's own password; this browser stays signed in, others do not."""
        if not current_user.is_authenticated:
            return redirect(self.appbuilder.get_url_for_login_with(request.full_path))
        form = PasswordForm(for_oneself=True)
        actor = current_actor()
        if request.method == "GET" or not _is_typed_twice(form):
            return self._page(form, _("Change my password"), self.appbuilder.get_url_for_index)
        staff = get_record(current_session(), Staff, actor.staff_id)
        try:
            change_own_password(
                current_session(), staff, form.old_password.data or "", form.password.data or "", actor=actor
            )
            commit()
        except DomainError as error:
            return self._refused(form, error, _("Change my password"), self.appbuilder.get_url_for_index)
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
        title, back = _("New password for %(name)s", name=staff), addresses.record_url(staff)
        form = PasswordForm(for_oneself=False)
        if request.method == "GET" or not _is_typed_twice(form):
            return self._page(form, title, back)
        try:
            set_password(current_session(), staff, form.password.data or "", actor=actor)
            commit()
        except Forbidden:
            raise
        except DomainError as error:
            return self._refused(form, error, title, back)
        flash(_("The password is set; it must be changed at the next sign-in."), "good")
        return redirect(back, 303)

    def _refused(self, form: PasswordForm, error: DomainError, title: str, back: str) -> Any:
        fresh_session()
        form.refuse(error.field or "password", str(error))
        return self._page(form, title, back)

    def _page(self, form: PasswordForm, title: str, back: str) -> Any:
        problems = form.problems()
        page = {
            "title": title,
            "heading": title,
            "action": request.path if not request.script_root else request.script_root + request.path,
            "version": None,
            "cancel_url": back,
            "submit_label": _("Save the password"),
            "sections": [{"id": "password-section", "title": _("Password"), "help": None, "fields": form.fields()}],
            "inlines": (),
            "problems": problems,
            "conflict": None,
        }
        return render_template("form.html", page=page, form=form), 422 if problems else 200


class RolesView(BaseView):
    """What each role may do, on one page, to read."""

    route_base = "/roles"
    default_view = "list"

    @expose("/")
    def list(self) -> Any:
        """Show the matrix of rights as it is in use."""
        if not current_user.is_authenticated:
            return redirect(self.appbuilder.get_url_for_login_with(request.full_path))
        current_actor().require(Action.read, RoleRight)
        return render_template("roles.html", page=role_matrix(current_session()))


def _is_typed_twice(form: PasswordForm) -> bool:
    if form.password.data == form.repeat.data:
        return True
    form.refuse("repeat", _("The two are not the same."))
    return False


def _stay_signed_in(staff_id: int) -> None:
    with open_session(engine(), Context(SYSTEM, door())) as session:
        identity = find_identity(session, staff_id)
    if identity is not None:
        start_session(identity)
