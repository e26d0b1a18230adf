"""What an actor's roles come to together: by area what they allow, for which rows, and which role gives it."""

from __future__ import annotations

from dataclasses import dataclass

from backoffice.actors import Action, Actor, ScopeKind
from backoffice.permissions import entities_in
from models.base import ENTITIES, Recorded
from models.catalogue import Field, fields


@dataclass(frozen=True)
class Effect:
    """An action that is allowed in an area for the rows of one scope."""

    action: Action
    scope: ScopeKind
    #: The names of the roles that give it.
    roles: tuple[str, ...]
    #: Whether it is without effect, because only administrators of the whole installation do it.
    withheld: bool


def effects_in(area: str, actor: Actor) -> list[Effect]:
    """Return what the actor may do in an area, as the session applies it (RO-06)."""
    found = []
    for action in Action:
        withheld = all(actor.is_withheld(action, entity) for entity in entities_in(area))
        given = [grant for grant in actor.grants.get(area, ()) if action in grant.actions]
        # Reading is written into every part of a right; what the whole group covers says all.
        widest = [grant for grant in given if grant.scope is ScopeKind.group] or given
        for scope in ScopeKind:
            roles = tuple(dict.fromkeys(grant.role for grant in widest if grant.scope is scope))
            if roles:
                found.append(Effect(action, scope, roles, withheld))
    return found


def masked_fields(entity: type[Recorded], actor: Actor) -> list[tuple[Field, tuple[str, ...]]]:
    """Return the fields of an entity that the actor sees as a mask, each with the roles that mask it (RO-08)."""
    known, table = fields(entity), entity.__table__.name
    readers = actor.grants_for(Action.read, entity)
    return [
        (known[name], tuple(dict.fromkeys(grant.role for grant in readers if f"{table}.{name}" in grant.masked)))
        for name in sorted(actor.masked(entity))
        if name in known
    ]


def all_masked(actor: Actor) -> dict[type[Recorded], list[tuple[Field, tuple[str, ...]]]]:
    """Return the masked fields of every entity that has some for the actor."""
    found = {entity: masked_fields(entity, actor) for entity in ENTITIES.values()}
    return {entity: masked for entity, masked in found.items() if masked}
