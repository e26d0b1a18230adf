"""What the rights of a role may be: what makes sense, what somebody may give, and what must never be lost."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from flask_appbuilder.security.sqla.models import Role
from flask_babel import lazy_gettext as _l

from backoffice.actors import Action, Actor, ScopeKind
from backoffice.conditions import reaches
from backoffice.errors import Text
from backoffice.lifecycles import MACHINES
from backoffice.operations.role_rows import Values, actions_of, grants_from
from backoffice.operations.toolkit_permissions import import_lifecycles
from backoffice.permissions import ADMINISTRATOR, AREAS, SHIPPED_RIGHTS, entities_in
from models.base import ENTITIES, Recorded
from models.catalogue import Field, Kind, fields
from models.role_right import RoleRight
from models.staff import Staff

#: What makes an administrator: looking after roles and after users.
ADMINISTRATION = ((Action.read, RoleRight), (Action.update, RoleRight), (Action.read, Staff), (Action.update, Staff))
BEYOND: Text = _l("Only administrators can give rights that they do not have themselves.")
_ADMINISTERS: Text = _l("Somebody must be able to look after roles and users: this role keeps these rights.")
_OWN: Text = _l("Nobody can take from themselves the right to look after roles and users: ask another administrator.")


def offered_actions(area: str) -> list[Action]:
    """Return the actions that mean something in an area."""
    import_lifecycles()
    found = {Action.read, Action.export}
    for entity in entities_in(area):
        if not entity.__admin__.append_only:
            found |= {Action.create, Action.update, Action.delete}
        if entity in MACHINES:
            found.add(Action.transition)
    for rights in SHIPPED_RIGHTS.values():
        found |= actions_of(f"{rights[area][0]}:{ScopeKind.group}").keys()
    return [action for action in Action if action in found]


def offered_scopes(area: str) -> list[ScopeKind]:
    """Return the row scopes that reach some row of an area."""
    return [kind for kind in ScopeKind if any(reaches(entity, kind) for entity in entities_in(area))]


def maskable(entity: type[Recorded]) -> list[Field]:
    """Return the fields of an entity that can be shown as a mask."""
    left_out = ("id", "version", "is_demo", "created_at", "updated_at", "created_by", "updated_by")
    return [f for f in fields(entity).values() if f.name not in left_out and f.kind is not Kind.children]


def beyond(actor: Actor, values: Values) -> list[str]:
    """Return the keys of rights that the actor could not give to others, having no such right; administrators may."""
    if actor.is_system or ADMINISTRATOR in actor.roles:
        return []
    return [key for key, value in values.items() if key.startswith("right:") and not _has(actor, key, value)]


def _has(actor: Actor, key: str, value: str) -> bool:
    own = actor.grants.get(key.removeprefix("right:"), ())
    return all(
        any(action in grant.actions and grant.scope in (scope, ScopeKind.group) for grant in own)
        for action, scope in actions_of(value).items()
    )


def problems_of(wanted: Values, keys: list[str], actor: Actor) -> Iterator[tuple[str, Text]]:
    """Yield what is wrong with the changed keys, each by its key."""
    for key in keys:
        kind, _, name = key.partition(":")
        if kind == "right" and key in wanted:
            problem = _bad_right(name, wanted[key])
            if problem:
                yield key, problem
        elif kind == "mask" and key in wanted and not _is_maskable(name):
            yield key, _l("There is no such field.")
    for key in beyond(actor, {key: wanted[key] for key in keys if key in wanted}):
        yield key, BEYOND
    if ADMINISTRATOR not in actor.roles and not actor.is_system:
        yield from ((key, BEYOND) for key in keys if key.startswith("mask:") and key not in wanted)


def _bad_right(area: str, value: str) -> Text | None:
    if area not in AREAS:
        return _l("There is no such area.")
    actions = actions_of(value)
    if not actions.keys() <= set(offered_actions(area)) or not set(actions.values()) <= set(offered_scopes(area)):
        return _l("This right means nothing here.")
    reading = actions.get(Action.read)
    if any(reading not in (scope, ScopeKind.group) for scope in actions.values()):
        return _l("Reading must cover whatever else may be done: the same rows, or the whole group.")
    return None


def _is_maskable(name: str) -> bool:
    table, _, field = name.partition(".")
    return table in ENTITIES and field in {found.name for found in maskable(ENTITIES[table])}


def lost_administration(role: Role, wanted: Values, actor: Actor) -> dict[str, Text]:
    """Return why ``wanted`` would leave nobody, or the actor no more, to look after roles and users."""
    grants = grants_from(wanted, role.name)
    if role.name == ADMINISTRATOR:
        anybody = Actor(actor.kind, grants=grants, may_switch_group=True)
        lost = [entity for action, entity in ADMINISTRATION if ScopeKind.group not in anybody.scopes(action, entity)]
        if lost:
            return {f"right:{entity.__admin__.area}": _ADMINISTERS for entity in lost}
    if role.name not in actor.roles:
        return {}
    kept = {area: [g for g in found if g.role != role.name] for area, found in actor.grants.items()}
    areas = {*kept, *grants}
    after = dataclasses.replace(actor, grants={a: (*kept.get(a, ()), *grants.get(a, ())) for a in areas})
    return {
        f"right:{entity.__admin__.area}": _OWN
        for action, entity in ADMINISTRATION
        if actor.may(action, entity) and not after.may(action, entity)
    }


__all__ = [
    "BEYOND",
    "beyond",
    "lost_administration",
    "maskable",
    "offered_actions",
    "offered_scopes",
    "problems_of",
]
