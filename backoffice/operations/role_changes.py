"""What administrators do with roles in the product: change, copy and delete them, and settle what is newly shipped."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Role
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from backoffice.access import INTERNAL, acting
from backoffice.actors import Action, Actor, ScopeKind
from backoffice.errors import Conflict, DomainError, InvalidRecord, NotFound
from backoffice.identity import UserRole
from backoffice.operations.role_limits import BEYOND, beyond, lost_administration, problems_of
from backoffice.operations.role_rows import (
    Values,
    hold_roles,
    put,
    shipped_values,
    stored_rows,
    stored_values,
)
from backoffice.operations.roles import differences, take_notice
from backoffice.operations.toolkit_permissions import derive_permissions
from backoffice.permissions import AREAS, ROLES, role_label
from models.reading import BadValue, clean_text, fold
from models.role_right import RoleRight

_LONGEST_NAME = 64


class RoleInUse(DomainError):
    template = _l("It cannot be deleted: users have it (%(count)s).")
    status = 409


class RoleIsShipped(DomainError):
    template = _l("This role comes with the product and stays: take its rights away instead.")
    status = 409


def get_role(session: Session, key: int) -> Role:
    """Return the role with this key; raise ``NotFound`` where there is none."""
    role = session.get(Role, key)
    if role is None:
        raise NotFound
    return role


def count_users(session: Session, role: Role) -> int:
    """Return how many users, of all corporate groups, have the role."""
    statement = sa.select(sa.func.count()).select_from(UserRole).where(UserRole.c.role_id == role.id)
    return session.scalar(statement, execution_options=INTERNAL) or 0


def mark_of(values: Values) -> str:
    """Return a short text that changes with the values, by which a form tells what it was made from."""
    return hashlib.sha256(json.dumps(dict(values), sort_keys=True).encode()).hexdigest()[:16]


def changed_keys(old: Values, new: Values) -> list[str]:
    """Return the rights and masks that differ, in the order of the matrix, masks last."""
    order = [f"right:{area}" for area in AREAS]
    found = [key for key in sorted({*old, *new}) if _settled(old.get(key)) != _settled(new.get(key))]
    return sorted(found, key=lambda key: (order.index(key) if key in order else len(order), key))


def _settled(value: str | None) -> str | None:
    """Return a value as it compares: a right to nothing is no right."""
    return None if value == f":{ScopeKind.group}" else value


def change_role(session: Session, role: Role, wanted: Values, *, actor: Actor, mark: str | None = None) -> list[str]:
    """Make a role allow what ``wanted`` says and return the keys that changed (RO-01). Flushes, never commits.

    Its users have the new rights at their next request, Flask-AppBuilder's permissions follow in the same
    transaction, and the history tells who changed which right. ``mark`` is that of the values the change started from.

    :raises Forbidden: the actor may not change rights.
    :raises Conflict: the role was changed since.
    :raises InvalidRecord: by area, a right that makes no sense, that the actor cannot give, or without which
        nobody would be left to look after the rights.
    """
    actor.require(Action.update, RoleRight)
    hold_roles(session)
    present = stored_values(session, role)
    if mark is not None and mark != mark_of(present):
        raise Conflict
    keys = require_possible(role, present, wanted, actor=actor)
    rows = stored_rows(session, role)
    with acting(session, Action.update):
        for key in keys:
            put(session, role, key, wanted.get(key), rows.get(key, []))
        _flush(session)
    derive_permissions(session)
    return keys


def require_possible(role: Role, present: Values, wanted: Values, *, actor: Actor) -> list[str]:
    """Return the keys in which ``wanted`` differs; raise ``InvalidRecord`` as ``change_role`` would."""
    keys = changed_keys(present, wanted)
    problems = dict(problems_of(wanted, keys, actor)) | lost_administration(role, wanted, actor)
    if problems:
        raise InvalidRecord(problems)
    return keys


def copy_role(session: Session, role: Role, name: str, *, actor: Actor) -> Role:
    """Make a role of one's own that allows what ``role`` does.

    :raises InvalidRecord: the name is taken, empty or too long, or the role allows more than the actor may give.
    """
    actor.require(Action.create, RoleRight)
    hold_roles(session)
    copy = Role(name=_free_name(session, name))
    values = stored_values(session, role)
    if beyond(actor, values):
        raise InvalidRecord({"name": BEYOND})
    session.add(copy)
    with acting(session, Action.create):
        for key, value in values.items():
            put(session, copy, key, value, [])
        _flush(session)
    derive_permissions(session)
    return copy


def delete_role(session: Session, role: Role, *, actor: Actor) -> None:
    """Delete a role that administrators made.

    :raises RoleIsShipped: it came with the product.
    :raises RoleInUse: somebody has it.
    """
    actor.require(Action.delete, RoleRight)
    hold_roles(session)
    if role.name in ROLES:
        raise RoleIsShipped
    users = count_users(session, role)
    if users:
        raise RoleInUse(count=users)
    # One by one, so that the history tells of each right; the database would remove them without a word.
    with acting(session, Action.delete):
        for rows in stored_rows(session, role).values():
            for row in rows:
                session.delete(row)
        session.flush()
    session.delete(role)
    session.flush()
    derive_permissions(session)


def restore_shipped(session: Session, role: Role, *, actor: Actor, mark: str | None = None) -> list[str]:
    """Give a shipped role back the rights it is shipped with; nothing the product has new stays open then."""
    if role.name not in ROLES:
        raise NotFound
    keys = change_role(session, role, shipped_values(role.name), actor=actor, mark=mark)
    take_notice(session, role, [difference.key for difference in differences(session, role)])
    return keys


def settle(session: Session, role: Role, keys: list[str], *, take: bool, actor: Actor) -> int:
    """Take over what the product ships new for ``keys``, or keep what is here, and return how many that settles."""
    actor.require(Action.update, RoleRight)
    hold_roles(session)
    found = {d.key: d.now for d in differences(session, role) if d.is_open and d.key in keys}
    if take:
        wanted = {**stored_values(session, role), **found}
        change_role(session, role, {k: v for k, v in wanted.items() if v is not None}, actor=actor)
    take_notice(session, role, found)
    return len(found)


def _free_name(session: Session, raw: str) -> str:
    try:
        name = clean_text(raw)
    except BadValue as error:
        raise InvalidRecord({"name": str(error)}) from error
    if not 2 <= len(name) <= _LONGEST_NAME:
        raise InvalidRecord({"name": _l("A name has 2 to 64 characters.")})
    taken = {fold(word) for known in session.scalars(sa.select(Role.name)) for word in (known, str(role_label(known)))}
    if fold(name) in taken or not fold(name):
        raise InvalidRecord({"name": _l("There is already a role of this name.")})
    return name


def _flush(session: Session) -> None:
    try:
        session.flush()
    except StaleDataError as error:
        raise Conflict from error


def shipped_difference(session: Session, role: Role) -> Mapping[str, str | None]:
    """Return the keys in which a shipped role differs from what the product ships now, with what it ships."""
    if role.name not in ROLES:
        return {}
    shipped = shipped_values(role.name)
    return {key: shipped.get(key) for key in changed_keys(shipped, stored_values(session, role))}


__all__ = [
    "RoleInUse",
    "RoleIsShipped",
    "change_role",
    "changed_keys",
    "copy_role",
    "count_users",
    "delete_role",
    "get_role",
    "mark_of",
    "require_possible",
    "restore_shipped",
    "settle",
    "shipped_difference",
]
