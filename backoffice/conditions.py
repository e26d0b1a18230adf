"""Which rows an actor reaches: the conditions of every row scope, each as SQL and in one place.

``access`` adds them to the session's statements, and ``records.reasons`` asks them of one row, to tell people why
somebody may or may not see it.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from backoffice.actors import Action, Actor, ScopeKind
from backoffice.permissions import ADMINISTRATOR
from models.base import ENTITIES, GroupOwned, Model, Recorded, SoftDeleted


class Asks(enum.Enum):
    """What a condition is about."""

    presence = enum.auto()
    group = enum.auto()
    rows = enum.auto()
    parents = enum.auto()
    restriction = enum.auto()


@dataclass(frozen=True)
class Condition:
    """What must hold of every row of ``entity``, a class or what several have in common, that an actor reaches."""

    asks: Asks
    entity: type[Any]
    criterion: Callable[[Any], Any]


def conditions(actor: Actor, action: Action, *, include_deleted: bool = False) -> Iterator[Condition]:
    """Yield all conditions of ``action``; a row must fulfil each one that concerns its entity."""
    if not include_deleted:
        yield Condition(Asks.presence, SoftDeleted, lambda c: c.deleted_at.is_(None))
    if actor.is_system:
        return
    group_id = actor.group_id
    yield Condition(Asks.group, GroupOwned, lambda c: c.group_id == group_id)
    for entity in ENTITIES.values():
        scope = entity.__admin__.scope
        if scope.groupless and actor.may_switch_group:
            yield Condition(Asks.group, entity, lambda c: sa.or_(c.group_id == group_id, c.group_id.is_(None)))
        elif not scope.shared and not issubclass(entity, GroupOwned):
            yield Condition(Asks.group, entity, lambda c: c.group_id == group_id)
        scopes = actor.scopes(action, entity)
        criterion = of_client(actor, entity, scopes) if actor.account_id else narrower(actor, scopes)
        if criterion is not None:
            yield Condition(Asks.rows, entity, criterion)
        if actor.account_id and scopes:
            yield from _shown_to_client(actor, entity)
        if scope.restricted and ADMINISTRATOR not in actor.roles:
            yield Condition(Asks.restriction, entity, lambda c: sa.not_(c.is_restricted()))
        if scope.parents:
            yield Condition(Asks.parents, entity, lambda c: of_parents(c))


# Every criterion here is one literal lambda whose closure holds plain values: SQLAlchemy caches a lambda by
# its code and binds the closure's values anew, so a branch inside would be frozen for the next actor.
def narrower(actor: Actor, scopes: frozenset[ScopeKind]) -> Callable[[Any], Any] | None:
    """Return what narrows the whole group down to ``scopes``; None where nothing does."""
    units, teams, staff_id = actor.unit_ids, actor.team_ids, actor.staff_id
    if ScopeKind.group in scopes:
        return None
    if not scopes:
        return lambda c: sa.false()
    if scopes == {ScopeKind.unit}:
        return lambda c: of_units(c, units)
    if scopes == {ScopeKind.teams}:
        return lambda c: of_teams(c, teams)
    if scopes == {ScopeKind.consultant}:
        return lambda c: of_consultant(c, staff_id)
    if scopes == {ScopeKind.own}:
        return lambda c: of_owner(c, staff_id)
    units = units if ScopeKind.unit in scopes else ()
    teams = teams if ScopeKind.teams in scopes else ()
    consultant = staff_id if ScopeKind.consultant in scopes else -1
    owner = staff_id if ScopeKind.own in scopes else -1
    return lambda c: sa.or_(of_units(c, units), of_teams(c, teams), of_consultant(c, consultant), of_owner(c, owner))


def of_client(actor: Actor, entity: type[Recorded], scopes: frozenset[ScopeKind]) -> Callable[[Any], Any] | None:
    """Return what narrows the whole group down to what an account of a client may see; None for what clients share.

    A referent sees what is the company's, anybody else of it what is their own (AC-27, AC-43).
    """
    company_id, account_id = actor.company_id, actor.account_id
    if not scopes:
        return lambda c: sa.false()
    is_personal = ScopeKind.own in scopes or not actor.is_referent
    if entity.__admin__.scope.account and is_personal:
        return lambda c: c.account_scope() == account_id
    if entity.__admin__.scope.company:
        return lambda c: c.company_scope() == company_id
    return None


def _shown_to_client(actor: Actor, entity: type[Recorded]) -> Iterator[Condition]:
    """Yield what else a row must fulfil for a client to see it: told to clients at all, of the account's site, and
    validated where the account sees nothing else.
    """
    yield Condition(Asks.rows, entity, lambda c: c.shown_to_clients())
    reach = actor.reach.get(entity.__admin__.area)
    if reach is None:
        return
    site_id = reach.site_id
    if site_id is not None and entity.__admin__.scope.site:
        yield Condition(Asks.rows, entity, lambda c: c.site_scope() == site_id)
    if not reach.preliminary and entity.__admin__.client_preliminary:
        yield Condition(Asks.rows, entity, lambda c: sa.not_(c.is_preliminary()))


def of_units(entity: Any, units: Any) -> Any:
    """Rows that one of the business units answers for, itself or through their company."""
    if entity.__admin__.scope.unit:
        return entity.unit_scope().in_(units)
    return _of_companies(entity, ScopeKind.unit, lambda unit: unit.in_(units))


def of_teams(entity: Any, teams: Any) -> Any:
    """Rows of companies with a ticket in, or a contract served by, one of the teams."""
    return _of_companies(entity, ScopeKind.teams, lambda team: team.in_(teams))


def of_consultant(entity: Any, staff_id: Any) -> Any:
    """Rows of companies entrusted to a consultant (RO-04)."""
    return _of_companies(entity, ScopeKind.consultant, lambda consultant: consultant == staff_id)


def of_owner(entity: Any, staff_id: Any) -> Any:
    """Rows entrusted to one member of staff."""
    return (entity.owner_scope() if entity.__admin__.scope.owner else sa.null()) == staff_id


def of_parents(entity: Any) -> Any:
    """Rows whose parent is there for the actor: the criteria of the statement hold inside it, for the parent too."""
    wanted = []
    for key, parent in entity.parent_scopes():
        other = aliased(parent)
        wanted.append(sa.or_(key.is_(None), sa.select(other.id).where(other.id == key).exists()))
    return sa.and_(*wanted)


def holders(entity: type[Recorded], kind: ScopeKind, key: int) -> sa.Select[Any] | sa.CompoundSelect[Any]:
    """Return the statement that finds by whom, in a kind of scope, one row is reached: units, teams or staff."""
    scope = entity.__admin__.scope
    own: Any = None
    if kind is ScopeKind.own:
        own = entity.owner_scope() if scope.owner else sa.null()
    elif kind is ScopeKind.unit and scope.unit:
        own = entity.unit_scope()
    if own is not None:
        return sa.select(own).where(entity.id == key)
    company = sa.select(_company_of(entity)).where(entity.id == key).scalar_subquery()
    return sa.union(*(sa.select(holder).where(linked == company) for linked, holder in _links(kind)))


def reaches(entity: type[Recorded], kind: ScopeKind) -> bool:
    """Say whether rows of the entity can be reached by a kind of scope at all."""
    scope = entity.__admin__.scope
    if kind is ScopeKind.group:
        return True
    if kind is ScopeKind.own:
        return bool(scope.owner)
    return bool(scope.company) or (kind is ScopeKind.unit and bool(scope.unit))


def _of_companies(entity: Any, kind: ScopeKind, is_theirs: Callable[[Any], Any]) -> Any:
    # Asked row by row, or of all at once, as the database finds cheaper: a page names a few companies of very many.
    if not entity.__admin__.scope.company:
        return sa.false()
    company = entity.company_scope()
    return sa.or_(
        *(
            sa.exists().where(linked == company, is_theirs(holder)).correlate_except(linked.table)
            for linked, holder in _links(kind)
        )
    )


def _links(kind: ScopeKind) -> list[tuple[Any, Any]]:
    """Return by which rows companies are reached in a kind of scope: column of the company, column of the holder."""
    if kind is ScopeKind.unit:
        company = _table("company")
        return [(company.c.id, company.c.business_unit_id)]
    if kind is ScopeKind.consultant:
        link = _table("company_consultant")
        return [(link.c.company_id, link.c.staff_id)]
    ticket, contract = _table("ticket"), _table("contract")
    return [(ticket.c.company_id, ticket.c.team_id), (contract.c.company_id, contract.c.support_team_id)]


def _table(name: str) -> Any:
    return Model.metadata.tables[name].alias()


def _company_of(entity: Any) -> Any:
    return entity.company_scope() if entity.__admin__.scope.company else sa.null()
