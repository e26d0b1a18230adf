"""Who may open a generated page: staff whose roles allow it, and only from a form of their present group."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import request
from flask_appbuilder import BaseView
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from backoffice.actors import Action
from backoffice.errors import DomainError, Forbidden
from views import interrupted
from views.door import current_actor

#: What Flask-AppBuilder calls our actions.
PERMISSIONS = {
    Action.read: "list",
    Action.create: "add",
    Action.update: "edit",
    Action.delete: "delete",
    Action.transition: "transition",
    Action.export: "export",
}


class OtherGroup(DomainError):
    """A form made while working for one corporate group was sent while working for another."""

    template = _l("You have changed corporate group since this form was opened: go back to the other one to send it.")
    status = 409


def require_same_group() -> None:
    """Raise ``OtherGroup`` where the sent form was made for another corporate group than the present one."""
    if request.method == "POST" and request.form.get("group", "") not in ("", str(current_actor().group_id)):
        raise OtherGroup


def guarded(action: Action) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let only staff whose roles allow ``action`` on the view's entity come in; others sign in or get a 403."""

    def wrap(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def inner(self: BaseView, *args: Any, **kwargs: Any) -> Any:
            if not current_user.is_authenticated:
                return interrupted.sign_in_first()
            if not self.appbuilder.sm.has_access(f"can_{PERMISSIONS[action]}", self.class_permission_name):
                raise Forbidden
            # What all groups share has rights beyond the toolkit's names.
            current_actor().require(action, self.entity)
            require_same_group()
            return view(self, *args, **kwargs)

        inner._permission_name = PERMISSIONS[action]  # type: ignore[attr-defined]  # where FAB looks for it
        return inner

    return wrap
