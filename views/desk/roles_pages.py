"""The desk's pages about roles: what they allow, and for administrators changing, copying and deleting them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.sqla.models import Role
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from flask_login import current_user
from wtforms import Form, StringField

from backoffice.actors import Action
from backoffice.errors import Conflict, DomainError, Forbidden, InvalidRecord, NotFound, Text
from backoffice.operations import role_changes
from backoffice.operations.role_rows import Values, shipped_values, stored_values
from backoffice.permissions import ROLES, role_label
from backoffice.records.lookup import parse_key
from models.role_right import RoleRight
from views.desk.role_forms import describe_changes, make_form, matrix_page, values_from
from views.desk.role_matrix import role_matrix, role_page
from views.door import commit, current_actor, current_session, fresh_session
from views.frame import OwnPage, add_page, reads, set_place
from views.interrupted import sign_in_first


def needing(action: Action) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let only staff who may do ``action`` to the rights of roles come in; others sign in or get a 403."""

    def wrap(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def inner(*args: Any, **kwargs: Any) -> Any:
            if not current_user.is_authenticated:
                return sign_in_first()
            current_actor().require(action, RoleRight)
            return view(*args, **kwargs)

        return inner

    return wrap


class RolesView(BaseView):
    """What each role may do, and what administrators do about it."""

    route_base = "/roles"
    default_view = "list"

    @expose("/")
    @needing(Action.read)
    def list(self) -> Any:
        """Show the matrix of rights as it is in use."""
        return render_template("roles.html", page=role_matrix(current_session()))

    @expose("/<pk>")
    @needing(Action.read)
    def show(self, pk: str) -> Any:
        """Show one role: what it allows, what was changed here, and what a new version ships otherwise."""
        page = role_page(current_session(), _role(pk), current_actor())
        return render_template("rights.html", page=page)

    @expose("/<pk>/edit", methods=["GET", "POST"])
    @needing(Action.update)
    def edit(self, pk: str) -> Any:
        """Show the form; then what it would change and for how many users; then change it."""
        role = _role(pk, _("Change the rights"))
        present = stored_values(current_session(), role)
        if request.method != "POST":
            return _form_page(role, present, make_form(present))
        form = make_form(present, request.form)
        if not form.validate():
            return _form_page(role, present, form, {"": _("Some choices are not among those offered.")}), 422
        try:
            return self._ask_or_change(role, present, values_from(form))
        except InvalidRecord as error:
            role = _role_again(pk)
            return _form_page(role, stored_values(current_session(), role), form, error.problems), error.status

    def _ask_or_change(self, role: Role, present: Values, wanted: dict[str, str]) -> Any:
        actor, session = current_actor(), current_session()
        keys = role_changes.require_possible(role, present, wanted, actor=actor)
        if not keys:
            flash(_("Nothing changes."), "info")
            return redirect(role_url(role), 303)
        if "confirmed" not in request.form:
            return _question_page(role, present, wanted, keys)
        try:
            role_changes.change_role(session, role, wanted, actor=actor, mark=request.form.get("mark", ""))
            commit()
        except Conflict as error:
            return _changed_meanwhile(role, wanted, error)
        return _done(role)

    @expose("/<pk>/shipped", methods=["GET", "POST"])
    @needing(Action.update)
    def shipped(self, pk: str) -> Any:
        """Give a role back what the product ships, once asked."""
        role = _role(pk, _("Back to the shipped rights"))
        if role.name not in ROLES:
            raise NotFound
        present, wanted = stored_values(current_session(), role), shipped_values(role.name)
        keys = role_changes.changed_keys(present, wanted)
        if request.method != "POST":
            return _question_page(role, present, wanted, keys, sent=())
        try:
            mark = request.form.get("mark", "")
            role_changes.restore_shipped(current_session(), role, actor=current_actor(), mark=mark)
            commit()
        except Conflict as error:
            return _changed_meanwhile(role, wanted, error, sent=())
        except InvalidRecord as error:
            role = _role_again(pk)
            problem = " ".join(dict.fromkeys(str(text) for text in error.problems.values()))
            return _question_page(role, present, wanted, keys, sent=(), problem=problem), error.status
        return _done(role)

    @expose("/<pk>/news", methods=["POST"])
    @needing(Action.update)
    def news(self, pk: str) -> Any:
        """Take over what a new version ships for a right that was changed here, or keep what is here."""
        role = _role(pk)
        take = "take" in request.form
        key = request.form.get("take" if take else "keep", "")
        try:
            count = role_changes.settle(current_session(), role, [key], take=take, actor=current_actor())
            commit()
        except InvalidRecord as error:
            fresh_session()
            flash(" ".join(dict.fromkeys(str(text) for text in error.problems.values())), "bad")
            return redirect(url_for("RolesView.show", pk=pk), 303)
        if count:
            flash(_("Taken over from the new version.") if take else _("Kept as it is here."), "good")
        return redirect(url_for("RolesView.show", pk=pk), 303)

    @expose("/<pk>/copy", methods=["GET", "POST"])
    @needing(Action.create)
    def copy(self, pk: str) -> Any:
        """Make a role of one's own that begins with the rights of this one."""
        role = _role(pk, _("Copy"))
        form = _NameForm(request.form if request.method == "POST" else None)
        form.name.label.text = _("Name of the new role")
        if request.method != "POST":
            return _copy_page(role, form)
        try:
            copy = role_changes.copy_role(current_session(), role, form.name.data or "", actor=current_actor())
            commit()
        except InvalidRecord as error:
            role = _role_again(pk)
            form.name.errors = [str(text) for text in error.problems.values()]
            return _copy_page(role, form), error.status
        flash(_("“%(name)s” is saved.", name=copy.name), "good")
        return redirect(role_url(copy, "edit"), 303)

    @expose("/<pk>/delete", methods=["GET", "POST"])
    @needing(Action.delete)
    def delete(self, pk: str) -> Any:
        """Delete a role of one's own that nobody has."""
        role = _role(pk, _("Delete"))
        if request.method != "POST":
            return _deletion_page(role)
        try:
            role_changes.delete_role(current_session(), role, actor=current_actor())
            commit()
        except Forbidden:
            raise
        except DomainError as error:
            role = _role_again(pk)
            return _deletion_page(role, error), error.status
        flash(_("“%(name)s” is deleted.", name=role_label(role.name)), "good")
        return redirect(url_for("RolesView.list"), 303)


class _NameForm(Form):
    name = StringField()


def role_url(role: Role, page: str = "show") -> str:
    """Return the address of a page about a role."""
    return url_for(f"RolesView.{page}", pk=role.id)


def _role(pk: str, step: Text = "") -> Role:
    key = parse_key(pk)
    if key is None:
        raise NotFound
    role = role_changes.get_role(current_session(), key)
    set_place(str(role_label(role.name)), role_url(role), step)
    return role


def _role_again(pk: str) -> Role:
    fresh_session()
    return _role(pk)


def _done(role: Role) -> Any:
    flash(_("The rights are changed: its users have them from their next page on."), "good")
    return redirect(role_url(role), 303)


def _form_page(role: Role, present: Values, form: Form, problems: Mapping[str, Text] | None = None) -> str:
    page = {
        "title": _("Rights of the role “%(role)s”", role=role_label(role.name)),
        "action": role_url(role, "edit"),
        "cancel_url": role_url(role),
    }
    changed = role_changes.shipped_difference(current_session(), role)
    return render_template("role_form.html", page=page | matrix_page(form, problems or {}, changed))


def _changed_meanwhile(role: Role, wanted: Values, error: Conflict, sent: Any = None) -> Any:
    """Ask again, with what would change now: somebody else has changed the role since the question was asked."""
    key = role.id
    role = _role_again(str(key))
    present = stored_values(current_session(), role)
    keys = role_changes.changed_keys(present, wanted)
    return _question_page(role, present, wanted, keys, sent=sent, problem=str(error)), error.status


def _question_page(
    role: Role, present: Values, wanted: Values, keys: Any, *, sent: Any = None, problem: str | None = None
) -> str:
    users = role_changes.count_users(current_session(), role)
    fields = [(k, v) for k, v in request.form.items(multi=True) if v and (k == "mask" or k.startswith("right-"))]
    page = {
        "title": _("Change the rights of the role “%(role)s”?", role=role_label(role.name)),
        "text": ngettext(
            "It concerns %(num)s user, from their next page on.",
            "It concerns %(num)s users, from their next page on.",
            users,
        ),
        "changes": describe_changes(keys, present, wanted),
        "problem": problem,
        "sent": [*(fields if sent is None else sent), ("confirmed", "1"), ("mark", role_changes.mark_of(present))],
        "action": request.script_root + request.path,
        "back_url": role_url(role),
    }
    return render_template("role_question.html", page=page)


def _copy_page(role: Role, form: _NameForm) -> str:
    page = {
        "heading": _("Copy the role “%(role)s”", role=role_label(role.name)),
        "text": _("The new role begins with the same rights and masks; nobody has it yet."),
        "fields": [form.name],
        "action": role_url(role, "copy"),
        "submit_label": _("Copy"),
        "cancel_url": role_url(role),
    }
    return render_template("confirm.html", page=page)


def _deletion_page(role: Role, problem: DomainError | None = None) -> str:
    page = {
        "heading": _("Delete the role “%(role)s”?", role=role_label(role.name)),
        "text": _("Its rights are deleted with it; the history keeps what they were."),
        "problem": str(problem) if problem else None,
        "blocked": problem is not None,
        "action": role_url(role, "delete"),
        "submit_label": _("Delete"),
        "tone": "danger",
        "cancel_url": role_url(role),
    }
    return render_template("confirm.html", page=page)


add_page(OwnPage("roles", _l("Roles"), "shield-lock", "RolesView.list", reads(RoleRight), rank=1))
