"""Lists kept under a name: who sees them, who may change them, and which one a role begins with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Role
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice.access import INTERNAL
from backoffice.actors import Action, Actor, ScopeKind
from backoffice.errors import UNKNOWN_REFERENCE, DomainError, Forbidden, InvalidRecord, NotFound
from backoffice.operations.cleaning import REQUIRED, clean_value
from backoffice.operations.plain import expect_version, flush
from backoffice.records.lookup import get_record
from models.base import Recorded
from models.catalogue import fields
from models.reading import BadValue
from models.saved_view import SavedView

#: Views that one person keeps of one list.
MOST = 30
_view: Any = cast("sa.Table", SavedView.__table__)
_role: Any = SavedView.metadata.tables["ab_role"]


class TooManyViews(DomainError):
    template = _l("You keep %(count)s views of this list already: delete one first.")


@dataclass(frozen=True)
class KeptView:
    """A view as the list offers it: plain values, so that those of others are no objects of the session."""

    id: int
    name: str
    address: str
    is_own: bool
    is_default: bool
    #: The role it is shared with; None for a private one.
    role: str | None


def find_views(session: Session, entity: type[Recorded], *, actor: Actor) -> list[KeptView]:
    """Return the actor's own views of a list, then those shared with one of their roles, in one statement.

    A view holds no rows: what it shows is found within the scope of whoever opens it.
    """
    own = _view.c.created_by_id == actor.staff_id
    statement = (
        sa.select(_view.c.id, _view.c.name, _view.c.address, own.label("own"), _view.c.is_default, _role.c.name)
        .select_from(_view.outerjoin(_role, _role.c.id == _view.c.role_id))
        .where(_view.c.group_id == actor.group_id, _view.c.entity == entity.__table__.name)
        .where(sa.or_(own, _role.c.name.in_(actor.roles)))
        .order_by(_view.c.role_id.is_not(None), _view.c.id)
    )
    rows = session.execute(statement, execution_options=INTERNAL)
    return [
        KeptView(key, name, address, bool(own), bool(is_default), role)
        for key, name, address, own, is_default, role in rows
    ]


def may_save(actor: Actor) -> bool:
    """Say whether the actor may keep views at all."""
    return actor.may(Action.create, SavedView)


def may_share(actor: Actor) -> bool:
    """Say whether the actor may share views with roles."""
    return actor.may(Action.transition, SavedView)


def may_choose_default(actor: Actor) -> bool:
    """Say whether the actor decides with which view a role begins."""
    return ScopeKind.group in actor.scopes(Action.transition, SavedView)


def may_change(view: KeptView, actor: Actor) -> bool:
    """Say whether the actor may change a view: their own, and a shared one if they look after all of them."""
    return view.is_own or (view.role is not None and may_choose_default(actor))


def get_view(session: Session, entity: type[Recorded], key: int, *, actor: Actor) -> SavedView:
    """Return a view that the actor may change.

    :raises NotFound: there is none, or it is not the actor's to see.
    :raises Forbidden: it is somebody else's.
    """
    view: SavedView = get_record(session, SavedView, key)
    if view.entity != entity.__table__.name:
        raise NotFound
    is_own = view.created_by_id == actor.staff_id
    if not is_own and (view.role_id is None or not may_choose_default(actor)):
        raise Forbidden
    return view


def save_view(session: Session, entity: type[Recorded], address: str, name: str, *, actor: Actor) -> SavedView:
    """Keep a list under a name, for the actor alone. Flushes; records ``created``.

    :raises InvalidRecord: the name is missing, or taken.
    :raises TooManyViews: the actor keeps as many of this list as anybody may.
    """
    actor.require(Action.create, SavedView)
    mine = (_view.c.created_by_id == actor.staff_id, _view.c.entity == entity.__table__.name)
    count = session.scalar(sa.select(sa.func.count()).where(*mine), execution_options=INTERNAL) or 0
    if count >= MOST:
        raise TooManyViews(count=count)
    view = SavedView(entity=entity.__table__.name, address=address, name=_named(session, name))
    session.add(view)
    flush(session, view)
    return view


def describe_view(
    session: Session,
    view: SavedView,
    *,
    name: str,
    role_id: int | None,
    is_default: bool,
    version: int,
    actor: Actor,
) -> None:
    """Rename a view, share it with a role, make it what the role begins with. Flushes; records ``updated``.

    :raises Forbidden: the actor may not share views, or not say what a role begins with.
    :raises InvalidRecord: a value is refused.
    """
    actor.require(Action.update, SavedView)
    expect_version(view, version)
    if role_id != view.role_id and not may_share(actor):
        raise Forbidden
    if (is_default or view.is_default) and not may_choose_default(actor):
        raise Forbidden
    if role_id is not None and session.get(Role, role_id) is None:
        raise InvalidRecord({"role": UNKNOWN_REFERENCE})
    if is_default and role_id is None:
        raise InvalidRecord({"role": _l("A list opens with a view for a role: share it with one.")})
    if is_default:
        _make_place(session, view, role_id)
    view.name, view.role_id, view.is_default = _named(session, name), role_id, is_default
    flush(session, view)


def keep_address(session: Session, view: SavedView, address: str, *, actor: Actor) -> None:
    """Have a view show what a list shows now. Flushes; records ``updated``."""
    actor.require(Action.update, SavedView)
    view.address = address
    flush(session, view)


def delete_view(session: Session, view: SavedView, *, actor: Actor) -> None:
    """Forget a view; what it showed stays. Flushes; records ``deleted``."""
    actor.require(Action.delete, SavedView)
    session.delete(view)
    flush(session, view)


def _named(session: Session, name: str) -> str:
    try:
        found = clean_value(session, fields(SavedView)["name"], name)
    except BadValue as error:
        raise InvalidRecord({"name": str(error)}) from error
    if not found:
        raise InvalidRecord({"name": REQUIRED})
    return str(found)


def _make_place(session: Session, view: SavedView, role_id: int | None) -> None:
    """Let no other view be what the role begins with."""
    others = sa.select(SavedView).where(SavedView.entity == view.entity, SavedView.id != view.id)
    for before in session.scalars(others.where(SavedView.role_id == role_id, SavedView.is_default)):
        before.is_default = False
    session.flush()


__all__ = [
    "MOST",
    "KeptView",
    "delete_view",
    "describe_view",
    "find_views",
    "get_view",
    "keep_address",
    "may_change",
    "may_choose_default",
    "may_save",
    "may_share",
    "save_view",
]
