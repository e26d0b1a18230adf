"""Bring the roles, rights and masks in the database to what the product ships, without undoing anybody's changes."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules

import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import (
    Permission,
    PermissionView,
    Role,
    ViewMenu,
    assoc_permissionview_role,
)
from sqlalchemy.orm import Session

from backoffice import operations
from backoffice.actors import Action, Grant
from backoffice.identity import load_grants
from backoffice.lifecycles import MACHINES
from backoffice.permissions import ROLES, SHIPPED_RIGHTS, shipped_masks
from models.base import ENTITIES, Recorded
from models.role_right import RightScope, RoleDefault, RoleMask, RoleRight

#: Any number will do, as long as nothing else locks it.
_LOCK = 7_402_113
#: Flask-AppBuilder's names for what a right allows; verbs come beside, one name each.
PERMISSION_NAMES: dict[Action, tuple[str, ...]] = {
    Action.read: ("can_list", "can_show"),
    Action.create: ("can_add", "can_import"),
    Action.update: ("can_edit", "can_import"),
    Action.delete: ("can_delete",),
    Action.transition: ("can_transition",),
    Action.export: ("can_export",),
}


def synchronise_roles(session: Session) -> list[str]:
    """Make the stored roles what the product ships and return what was changed, one line each (M9, RO-02).

    A right or mask that an administrator changed, added or removed stays as it is. Flask-AppBuilder's
    permissions are then derived from the rights in use. Several processes may run it at once: one does the
    work, the others find nothing to do. Flushes, never commits.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    changes = list(_create_missing_roles(session))
    for role in session.scalars(sa.select(Role).where(Role.name.in_(ROLES))):
        changes.extend(_synchronise_role(session, role))
    session.flush()
    changes.extend(_derive_permissions(session))
    return changes


def _create_missing_roles(session: Session) -> Iterator[str]:
    known = set(session.scalars(sa.select(Role.name)))
    for code in ROLES:
        if code not in known:
            session.add(Role(name=code))
            yield f"role {code} created"
    session.flush()


def _synchronise_role(session: Session, role: Role) -> Iterator[str]:
    """Merge three sides key by key: what is shipped now, what was shipped last, what is in use."""
    shipped = _shipped(role.name)
    last = {row.key: row for row in session.scalars(sa.select(RoleDefault).where(RoleDefault.role_id == role.id))}
    in_use = _in_use(session, role)
    for key in sorted(shipped.keys() | last.keys()):
        new, old = shipped.get(key), last[key].value if key in last else None
        if new == old:
            continue
        row = in_use.get(key)
        # Untouched means: as last shipped, whether that was a value or nothing at all.
        if (None if row is None else _value(row)) == old:
            _put(session, role, key, new, row)
            yield f"{role.name}: {key} {old or '-'} -> {new or '-'}"
        _remember(session, role, key, new, last.get(key))


def _shipped(code: str) -> dict[str, str]:
    rights = {f"right:{area}": f"{letters}:{scope}" for area, (letters, scope) in SHIPPED_RIGHTS[code].items()}
    return rights | {f"mask:{name}": "" for name in shipped_masks(code)}


def _in_use(session: Session, role: Role) -> dict[str, RoleRight | RoleMask]:
    rights = session.scalars(sa.select(RoleRight).where(RoleRight.role_id == role.id))
    masks = session.scalars(sa.select(RoleMask).where(RoleMask.role_id == role.id))
    return {f"right:{row.area}": row for row in rights} | {f"mask:{row.entity}.{row.field}": row for row in masks}


def _value(row: RoleRight | RoleMask) -> str:
    return f"{row.actions}:{row.scope}" if isinstance(row, RoleRight) else ""


def _put(session: Session, role: Role, key: str, value: str | None, row: RoleRight | RoleMask | None) -> None:
    """Make the right or mask ``key`` have ``value``; None removes it."""
    if value is None:
        if row is not None:
            session.delete(row)
        return
    kind, _, name = key.partition(":")
    if kind == "mask":
        entity, _, field = name.partition(".")
        session.add(RoleMask(role=role, entity=entity, field=field))
        return
    letters, _, scope = value.partition(":")
    if row is None:
        row = RoleRight(role=role, area=name)
        session.add(row)
    assert isinstance(row, RoleRight)
    row.actions, row.scope = letters, RightScope[scope]


def _remember(session: Session, role: Role, key: str, value: str | None, row: RoleDefault | None) -> None:
    if value is None:
        session.delete(row)
    elif row is None:
        session.add(RoleDefault(role_id=role.id, key=key, value=value))
    else:
        row.value = value


def _derive_permissions(session: Session) -> Iterator[str]:
    """Make Flask-AppBuilder's permission tables say what the rights in use say: names whole, stale ones gone (M9)."""
    import_lifecycles()
    wanted = {
        (role.id, *pair)
        for role in session.scalars(sa.select(Role))
        for pair in permission_pairs(load_grants(session, [role.id]))
    }
    views = _ensure_names(session, ViewMenu, {view for _, _, view in wanted})
    names = _ensure_names(session, Permission, {name for _, name, _ in wanted})
    pairs = _ensure_pairs(session, {(names[name], views[view]) for _, name, view in wanted})
    linked = {(role_id, pairs[names[name], views[view]]) for role_id, name, view in wanted}
    table = assoc_permissionview_role
    present = {(row.role_id, row.permission_view_id): row.id for row in session.execute(sa.select(table))}
    stale = [present[key] for key in present.keys() - linked]
    missing = [{"role_id": role, "permission_view_id": pair} for role, pair in sorted(linked - present.keys())]
    if stale:
        session.execute(sa.delete(table).where(table.c.id.in_(stale)))
        yield f"{len(stale)} permissions withdrawn"
    if missing:
        session.execute(sa.insert(table), missing)
        yield f"{len(missing)} permissions granted"
    yield from _remove_unused(session, pairs.values(), views.values(), names.values())


def permission_pairs(grants: dict[str, tuple[Grant, ...]]) -> Iterator[tuple[str, str]]:
    """Yield ``(permission, view)`` by Flask-AppBuilder's names for everything the grants allow."""
    for table, entity in ENTITIES.items():
        actions = {action for grant in grants.get(entity.__admin__.area, ()) for action in grant.actions}
        for name in sorted(_names(entity, actions)):
            yield name, table


def _names(entity: type[Recorded], actions: set[Action]) -> set[str]:
    admin = entity.__admin__
    readable = {Action.read, Action.export}
    if admin.append_only:
        actions = actions & readable
    if admin.written_by_verbs:
        actions = actions & (readable | {Action.transition})
    names = {name for action in actions for name in PERMISSION_NAMES.get(action, ())}
    machine = MACHINES.get(entity)
    if machine is not None:
        names |= {f"can_{verb.name}" for verb in machine.transitions if verb.right in actions and not verb.automatic}
    return names


def import_lifecycles() -> None:
    """Have every operations module declare its verbs: the command line knows them only then."""
    for module in iter_modules(operations.__path__):
        import_module(f"{operations.__name__}.{module.name}")


def _ensure_names(session: Session, model: type[ViewMenu] | type[Permission], wanted: set[str]) -> dict[str, int]:
    """Return the keys of the wanted names, adding those that are missing."""
    known = {row.name: row.id for row in session.execute(sa.select(model.id, model.name))}
    added = [model(name=name) for name in sorted(wanted - known.keys())]
    session.add_all(added)
    session.flush()
    return {name: key for name, key in known.items() if name in wanted} | {row.name: row.id for row in added}


def _ensure_pairs(session: Session, wanted: set[tuple[int, int]]) -> dict[tuple[int, int], int]:
    rows = session.execute(sa.select(PermissionView.permission_id, PermissionView.view_menu_id, PermissionView.id))
    known = {(permission_id, view_id): key for permission_id, view_id, key in rows}
    added = [PermissionView(permission_id=p, view_menu_id=v) for p, v in sorted(wanted - known.keys())]
    session.add_all(added)
    session.flush()
    found = {pair: key for pair, key in known.items() if pair in wanted}
    return found | {(row.permission_id, row.view_menu_id): row.id for row in added}


def _remove_unused(session: Session, pairs: object, views: object, names: object) -> Iterator[str]:
    """Remove what no role refers to any more, pairs before the names they refer to."""
    for model, kept, word in (
        (PermissionView, pairs, "pairs"),
        (ViewMenu, views, "views"),
        (Permission, names, "names"),
    ):
        gone = session.execute(sa.delete(model).where(model.id.not_in(list(kept)))).rowcount  # type: ignore[attr-defined, call-overload]
        if gone:
            yield f"{gone} unused permission {word} removed"


__all__ = ["PERMISSION_NAMES", "import_lifecycles", "permission_pairs", "synchronise_roles"]
