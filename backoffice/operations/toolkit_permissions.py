"""Flask-AppBuilder's permissions, derived from the rights in use: by whole names, and at once when a right changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
from backoffice.access import INTERNAL
from backoffice.actors import Action, Grant
from backoffice.identity import load_grants
from backoffice.lifecycles import MACHINES
from models.base import ENTITIES, Recorded

#: Flask-AppBuilder's names for what a right allows; verbs come beside, one name each.
PERMISSION_NAMES: dict[Action, tuple[str, ...]] = {
    Action.read: ("can_list", "can_show"),
    Action.create: ("can_add", "can_import"),
    Action.update: ("can_edit", "can_import"),
    Action.delete: ("can_delete",),
    Action.transition: ("can_transition",),
    Action.export: ("can_export",),
}


def derive_permissions(session: Session) -> list[str]:
    """Make Flask-AppBuilder's permission tables say what the rights in use say: names whole, stale ones gone (M9).

    Returns what was changed, one line each.
    """
    return list(_derive(session))


def _derive(session: Session) -> Iterator[str]:
    import_lifecycles()
    wanted = {
        (role.id, *pair)
        for role in session.scalars(sa.select(Role))
        for pair in permission_pairs(load_grants(session, {role.id: role.name}))
    }
    views = _ensure_names(session, ViewMenu, {view for _, _, view in wanted})
    names = _ensure_names(session, Permission, {name for _, name, _ in wanted})
    pairs = _ensure_pairs(session, {(names[name], views[view]) for _, name, view in wanted})
    linked = {(role_id, pairs[names[name], views[view]]) for role_id, name, view in wanted}
    table = assoc_permissionview_role
    present = {
        (row.role_id, row.permission_view_id): row.id
        for row in session.execute(sa.select(table), execution_options=INTERNAL)
    }
    stale = [present[key] for key in present.keys() - linked]
    missing = [{"role_id": role, "permission_view_id": pair} for role, pair in sorted(linked - present.keys())]
    if stale:
        session.execute(sa.delete(table).where(table.c.id.in_(stale)), execution_options=INTERNAL)
        yield f"{len(stale)} permissions withdrawn"
    if missing:
        session.execute(sa.insert(table), missing, execution_options=INTERNAL)
        yield f"{len(missing)} permissions granted"
    yield from _remove_unused(session, pairs.values(), views.values(), names.values())


def permission_pairs(grants: Mapping[str, tuple[Grant, ...]]) -> Iterator[tuple[str, str]]:
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
    known = {row.name: row.id for row in session.execute(sa.select(model.id, model.name), execution_options=INTERNAL)}
    added = [model(name=name) for name in sorted(wanted - known.keys())]
    session.add_all(added)
    session.flush()
    return {name: key for name, key in known.items() if name in wanted} | {row.name: row.id for row in added}


def _ensure_pairs(session: Session, wanted: set[tuple[int, int]]) -> dict[tuple[int, int], int]:
    pair = PermissionView
    rows = session.execute(sa.select(pair.permission_id, pair.view_menu_id, pair.id), execution_options=INTERNAL)
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
        unused = sa.delete(model).where(model.id.not_in(list(kept)))  # type: ignore[call-overload]
        gone = session.execute(unused, execution_options=INTERNAL).rowcount  # type: ignore[attr-defined]
        if gone:
            yield f"{gone} unused permission {word} removed"


__all__ = ["PERMISSION_NAMES", "derive_permissions", "import_lifecycles", "permission_pairs"]
