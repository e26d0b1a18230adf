"""What a role may do, as values by key: read, compared and written in one shape by synchronising and by administrators.

A key is ``right:<area>`` or ``mask:<entity>.<field>``. The value of a right is its letters and row scopes, such as
``CRUX:group`` or ``RX:group RU:unit``; that of a mask is empty, and a mask that is not there has no value at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Role
from sqlalchemy.orm import Session

from backoffice.access import INTERNAL
from backoffice.actors import Action, Grant, ScopeKind
from backoffice.permissions import SHIPPED_RIGHTS, letters_of, parse_right, shipped_masks
from models.role_right import RightScope, RoleMask, RoleRight

#: Any number will do, as long as nothing else locks it.
_LOCK = 7_402_113

Row = RoleRight | RoleMask
#: What a role may do, by key.
Values = Mapping[str, str]


def hold_roles(session: Session, *, patient: bool = False) -> None:
    """Have the rights of roles changed by one transaction at a time; SQLite has one writer anyway.

    ``patient``: wait minutes where another machine starts at the same moment, instead of the seconds a page may take.
    """
    if session.get_bind().dialect.name == "postgresql":
        if patient:
            for limit in ("lock_timeout", "statement_timeout"):
                session.execute(sa.text(f"SET LOCAL {limit} = '5min'"), execution_options=INTERNAL)
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)), execution_options=INTERNAL)


def actions_of(value: str | None) -> dict[Action, ScopeKind]:
    """Return the row scope of every action that the value of a right allows."""
    found: dict[Action, ScopeKind] = {}
    for part in (value or "").split():
        actions, scope = parse_right(part)
        for action in actions:
            if action not in found or scope is ScopeKind.group:
                found[action] = scope
    return found


def value_of(actions: Mapping[Action, ScopeKind]) -> str:
    """Return the value of a right that allows ``actions``; ``actions_of`` reads it back.

    Every part has R where reading covers its rows: whoever may do something must be able to read the row.
    Where reading does not cover them the value shows that, and is refused.
    """
    reading = actions.get(Action.read)
    parts = []
    for scope in ScopeKind:
        allowed = frozenset(action for action, kind in actions.items() if kind is scope)
        if allowed:
            covered = {Action.read} if reading in (scope, ScopeKind.group) else set()
            parts.append(f"{letters_of(allowed | covered)}:{scope}")
    return " ".join(parts) or f":{ScopeKind.group}"


def shipped_values(code: str) -> dict[str, str]:
    """Return what the product ships for a role; nothing for one that administrators made."""
    rights = {f"right:{area}": f"{letters}:{scope}" for area, (letters, scope) in SHIPPED_RIGHTS.get(code, {}).items()}
    return rights | {f"mask:{name}": "" for name in shipped_masks(code)}


def stored_rows(session: Session, role: Role) -> dict[str, list[Row]]:
    """Return the rows in use for a role, by key."""
    found: dict[str, list[Row]] = {}
    for right in session.scalars(sa.select(RoleRight).where(RoleRight.role_id == role.id)):
        found.setdefault(f"right:{right.area}", []).append(right)
    for mask in session.scalars(sa.select(RoleMask).where(RoleMask.role_id == role.id)):
        found[f"mask:{mask.entity}.{mask.field}"] = [mask]
    return found


def stored_values(session: Session, role: Role) -> dict[str, str]:
    """Return what a role may do at present."""
    return values_by_role(session, [role]).get(role.id, {})


def values_by_role(session: Session, roles: Iterable[Role]) -> dict[int, dict[str, str]]:
    """Return what roles may do at present, by the role's key; no row scope of whoever asks decides that."""
    right, mask, wanted = RoleRight.__table__, RoleMask.__table__, [role.id for role in roles]
    rights = sa.select(right.c.role_id, right.c.area, right.c.actions, right.c.scope).where(right.c.role_id.in_(wanted))
    masks = sa.select(mask.c.role_id, mask.c.entity, mask.c.field).where(mask.c.role_id.in_(wanted))
    parts: dict[tuple[int, str], list[tuple[str, str]]] = {}
    for role_id, area, letters, scope in session.execute(rights, execution_options=INTERNAL):
        parts.setdefault((role_id, f"right:{area}"), []).append((letters, scope.value))
    found: dict[int, dict[str, str]] = {}
    for (role_id, key), said in parts.items():
        found.setdefault(role_id, {})[key] = _joined(said)
    for role_id, entity, name in session.execute(masks, execution_options=INTERNAL):
        found.setdefault(role_id, {})[f"mask:{entity}.{name}"] = ""
    return found


def _joined(parts: Iterable[tuple[str, str]]) -> str:
    order = [kind.value for kind in ScopeKind]
    found = sorted(parts, key=lambda part: order.index(part[1]))
    # A row without letters, beside one that has some, says nothing.
    said = [part for part in found if part[0]] or found[:1]
    return " ".join(f"{letters}:{scope}" for letters, scope in said)


def put(session: Session, role: Role, key: str, value: str | None, rows: list[Row]) -> None:
    """Make the right or mask ``key``, stored in ``rows`` at present, have ``value``; None removes it."""
    kind, _, name = key.partition(":")
    if kind == "right" and value is not None:
        _put_right(session, role, name, value, rows)
    elif value is None:
        for row in rows:
            session.delete(row)
    elif not rows:
        entity, _, field = name.partition(".")
        session.add(RoleMask(role=role, entity=entity, field=field))


def _put_right(session: Session, role: Role, area: str, value: str, rows: list[Row]) -> None:
    wanted = {scope: letters for letters, _, scope in (part.partition(":") for part in value.split())}
    spare = [row for row in rows if isinstance(row, RoleRight)]
    for scope in list(wanted):
        for row in spare:
            if row.scope.value == scope:
                row.actions = wanted.pop(scope)
                spare.remove(row)
                break
    # A row whose scope is wanted no more takes on a new one: the history then tells from which to which.
    for scope, letters in wanted.items():
        row = spare.pop() if spare else RoleRight(role=role, area=area)
        row.actions, row.scope = letters, RightScope[scope]
        session.add(row)
    for row in spare:
        session.delete(row)


def grants_from(values: Values, role: str) -> dict[str, tuple[Grant, ...]]:
    """Return by area the grants that a role with these values gives."""
    masked = frozenset(key.removeprefix("mask:") for key in values if key.startswith("mask:"))
    found: dict[str, tuple[Grant, ...]] = {}
    for key, value in values.items():
        kind, _, area = key.partition(":")
        parts = [parse_right(part) for part in value.split()] if kind == "right" else []
        found[area] = tuple(Grant(actions, scope, masked, role) for actions, scope in parts if actions)
    return {area: grants for area, grants in found.items() if grants}


__all__ = [
    "Row",
    "Values",
    "actions_of",
    "grants_from",
    "hold_roles",
    "put",
    "shipped_values",
    "stored_rows",
    "stored_values",
    "value_of",
    "values_by_role",
]
