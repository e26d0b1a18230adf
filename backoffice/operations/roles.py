"""Bring the roles, rights and masks in the database to what the product ships, without undoing anybody's changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Role
from sqlalchemy.orm import Session

from backoffice.access import INTERNAL
from backoffice.operations.role_rows import (
    hold_roles,
    put,
    shipped_values,
    stored_rows,
    values_by_role,
)
from backoffice.operations.toolkit_permissions import derive_permissions
from backoffice.permissions import ROLES
from models.role_right import RoleDefault


@dataclass(frozen=True)
class Difference:
    """One right or mask of a role on three sides; None where a side has none."""

    role: str
    key: str
    #: As the product shipped it when the installation last took notice of it.
    before: str | None
    here: str | None
    #: As the product ships it now.
    now: str | None

    @property
    def is_new(self) -> bool:
        """The product ships it otherwise than before."""
        return self.before != self.now

    @property
    def is_changed_here(self) -> bool:
        """An administrator changed it, to something else than the product ships."""
        return self.here not in (self.before, self.now)

    @property
    def is_open(self) -> bool:
        """Both changed it: an administrator must take the product's over, or keep what is here."""
        return self.is_new and self.is_changed_here


def synchronise_roles(session: Session) -> list[str]:
    """Make the stored roles what the product ships and return what was changed, one line each (M9, RO-02).

    A right or mask that an administrator changed, added or removed stays as it is, and what the product has new
    for it stays open until an administrator decides. Flask-AppBuilder's permissions are then derived from the
    rights in use. Several processes may run it at once: one does the work, the others find nothing to do.
    Flushes, never commits.
    """
    hold_roles(session, patient=True)
    changes = list(_create_missing_roles(session))
    for role in session.scalars(sa.select(Role).where(Role.name.in_(ROLES))):
        changes.extend(_synchronise_role(session, role))
    session.flush()
    changes.extend(derive_permissions(session))
    return changes


def all_differences(session: Session) -> list[Difference]:
    """Return what differs on any side, shipped role after shipped role."""
    stored = {role.name: role for role in session.scalars(sa.select(Role).where(Role.name.in_(ROLES)))}
    return list(_compared(session, [stored[code] for code in ROLES if code in stored]))


def differences(session: Session, role: Role) -> list[Difference]:
    """Return the rights and masks of a shipped role that differ on any of the three sides."""
    return list(_compared(session, [role] if role.name in ROLES else []))


def _compared(session: Session, roles: list[Role]) -> Iterator[Difference]:
    all_before, all_here = _noticed(session, roles), values_by_role(session, roles)
    for role in roles:
        before, here = all_before.get(role.id, {}), all_here.get(role.id, {})
        now = shipped_values(role.name)
        for key in sorted(before.keys() | here.keys() | now.keys()):
            if not before.get(key) == here.get(key) == now.get(key):
                yield Difference(role.name, key, before.get(key), here.get(key), now.get(key))


def take_notice(session: Session, role: Role, keys: Iterable[str]) -> None:
    """Remember that the installation knows what the product ships for ``keys`` now, whether or not it uses it."""
    shipped, wanted = shipped_values(role.name), list(keys)
    stale = sa.delete(RoleDefault).where(RoleDefault.role_id == role.id, RoleDefault.key.in_(wanted))
    session.execute(stale, execution_options=INTERNAL)
    rows = [{"role_id": role.id, "key": key, "value": shipped[key]} for key in wanted if key in shipped]
    if rows:
        session.execute(sa.insert(RoleDefault), rows, execution_options=INTERNAL)


def _create_missing_roles(session: Session) -> Iterator[str]:
    known = set(session.scalars(sa.select(Role.name)))
    for code in ROLES:
        if code not in known:
            session.add(Role(name=code))
            yield f"role {code} created"
    session.flush()


def _synchronise_role(session: Session, role: Role) -> Iterator[str]:
    """Take over what is new where nobody touched it: where the right is as last shipped, a value or none at all."""
    rows = stored_rows(session, role)
    settled = [d for d in differences(session, role) if d.is_new and not d.is_changed_here]
    for difference in settled:
        key, new = difference.key, difference.now
        if difference.here != new:
            put(session, role, key, new, rows.get(key, []))
            yield f"{role.name}: {key} {difference.before or '-'} -> {new or '-'}"
    take_notice(session, role, [difference.key for difference in settled])


def _noticed(session: Session, roles: list[Role]) -> dict[int, dict[str, str]]:
    table = RoleDefault.__table__
    wanted = sa.select(table.c.role_id, table.c.key, table.c.value).where(table.c.role_id.in_([r.id for r in roles]))
    found: dict[int, dict[str, str]] = {}
    for role_id, key, value in session.execute(wanted, execution_options=INTERNAL):
        found.setdefault(role_id, {})[key] = value
    return found


__all__ = ["Difference", "all_differences", "differences", "synchronise_roles", "take_notice"]
