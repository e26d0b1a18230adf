"""Which rows an actor may see and change: enforced in the session, below every view.

Every ORM statement of a ``RecordSession`` passes ``restrict_statement``, which adds the actor's row scope
as loader criteria; ``prove_scope`` checks after each flush that the rows, as written, are still in it.
Facts beyond the scope (numbering, uniqueness) are read by the named functions at the end, as values only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import ORMExecuteState, Session, aliased, with_loader_criteria
from sqlalchemy.orm.exc import StaleDataError

from backoffice.actors import Action, Actor, Context, ScopeKind
from backoffice.errors import Forbidden, NotFound
from models.base import ENTITIES, GroupOwned, Model, Recorded, SoftDeleted

#: Execution option of statements that the product itself adds to a scoped session (history, numbering).
INTERNAL = {"internal": True}


class NoContext(RuntimeError):
    """A session was used without saying for whom: a mistake in the program, never in what a person did."""


def context_of(session: Session) -> Context:
    """Return the context of ``session``; raise ``NoContext`` where there is none."""
    context = session.info.get("context")
    if context is None:
        raise NoContext("This session has no context: nobody may read or write through it")
    return context  # type: ignore[no-any-return]


def restrict_statement(state: ORMExecuteState) -> None:
    """Add the actor's row scope to the statement about to run; refuse statements it cannot be added to."""
    if state.execution_options.get("internal"):
        return
    actor = context_of(state.session).actor
    if state.is_column_load:
        return
    if not (state.is_select or state.is_update or state.is_delete) or not state.is_orm_statement:
        if actor.is_system:
            return
        raise NoContext("Only statements on entities can be kept within an actor's scope")
    action = state.execution_options.get("scope_action") or (
        Action.update if state.is_update else Action.delete if state.is_delete else Action.read
    )
    include_deleted = bool(state.execution_options.get("include_deleted"))
    # The statements of eager loading come with the options of the one they complete.
    carried = {id(option) for option in state.statement._with_options}
    wanted = [o for o in _criteria(state.session, actor, action, include_deleted) if id(o) not in carried]
    state.statement = state.statement.options(*wanted)


def _criteria(session: Session, actor: Actor, action: Action, include_deleted: bool) -> tuple[Any, ...]:
    """Return the loader criteria of ``action``, built once per session."""
    kept: dict[tuple[Actor, Action, bool], tuple[Any, ...]] = session.info.setdefault("criteria", {})
    key = (actor, action, include_deleted)
    if key not in kept:
        found = [] if include_deleted else [_option(SoftDeleted, lambda c: c.deleted_at.is_(None))]
        if not actor.is_system:
            found += _scope_criteria(actor, action)
        kept[key] = tuple(found)
    return kept[key]


def _option(entity: Any, criterion: Callable[[Any], Any]) -> Any:
    return with_loader_criteria(entity, criterion, include_aliases=True, propagate_to_loaders=False)


def _scope_criteria(actor: Actor, action: Action) -> list[Any]:
    group_id = actor.group_id
    found = [_option(GroupOwned, lambda c: c.group_id == group_id)]
    for entity in ENTITIES.values():
        scope = entity.__admin__.scope
        if scope.groupless and actor.may_switch_group:
            found.append(_option(entity, lambda c: sa.or_(c.group_id == group_id, c.group_id.is_(None))))
        elif not scope.shared and not issubclass(entity, GroupOwned):
            found.append(_option(entity, lambda c: c.group_id == group_id))
        criterion = _narrower(actor, actor.scopes(action, entity))
        if criterion is not None:
            found.append(_option(entity, criterion))
        if scope.parents:
            found.append(_option(entity, lambda c: of_parents(c)))
    return found


# Every criterion below is one literal lambda whose closure holds plain values: SQLAlchemy caches a lambda by
# its code and binds the closure's values anew, so a branch inside would be frozen for the next actor.
def _narrower(actor: Actor, scopes: frozenset[ScopeKind]) -> Callable[[Any], Any] | None:
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


def _table(name: str) -> Any:
    return Model.metadata.tables[name].alias()


def of_units(entity: Any, units: Any) -> Any:
    """Rows that one of the business units answers for, itself or through their company."""
    scope = entity.__admin__.scope
    if scope.unit:
        return entity.unit_scope().in_(units)
    company = _table("company")
    return _company_of(entity).in_(sa.select(company.c.id).where(company.c.business_unit_id.in_(units)))


def of_teams(entity: Any, teams: Any) -> Any:
    """Rows of companies with a ticket in, or a contract served by, one of the teams."""
    ticket, contract = _table("ticket"), _table("contract")
    return _company_of(entity).in_(
        sa.union_all(
            sa.select(ticket.c.company_id).where(ticket.c.team_id.in_(teams), ticket.c.company_id.is_not(None)),
            sa.select(contract.c.company_id).where(contract.c.support_team_id.in_(teams)),
        )
    )


def of_consultant(entity: Any, staff_id: Any) -> Any:
    """Rows of companies entrusted to a consultant (RO-04)."""
    link = _table("company_consultant")
    return _company_of(entity).in_(sa.select(link.c.company_id).where(link.c.staff_id == staff_id))


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


def _company_of(entity: Any) -> Any:
    return entity.company_scope() if entity.__admin__.scope.company else sa.null()


def prove_scope(session: Session, action: Action, rows: Iterable[Recorded]) -> None:
    """Raise unless the actor may ``action`` every one of ``rows`` as they now stand in the database.

    One query per touched entity; what ``leaving`` names is let go.

    :raises Forbidden: no role allows the action on the entity at all.
    :raises NotFound: a row lies outside the scope: not yours looks like not there.
    """
    actor = context_of(session).actor
    if actor.is_system:
        return
    wanted: dict[type[Recorded], set[int]] = {}
    for row in rows:
        wanted.setdefault(type(row), set()).add(row.id)
    acting_for: Action = session.info.get("acting") or action
    may_leave = session.info.get("may_leave") or ()
    for entity, ids in wanted.items():
        chosen = action if actor.may(action, entity) else acting_for
        actor.require(chosen, entity)
        if entity in may_leave:
            continue
        options = {"scope_action": chosen, "include_deleted": True}
        found = session.scalars(sa.select(entity.id).where(entity.id.in_(ids)), execution_options=options)
        if ids - set(found):
            raise NotFound


@contextmanager
def acting(session: Session, action: Action) -> Iterator[None]:
    """Let what is flushed inside, as a part of ``action``, need no more than the right to it."""
    with _told(session, "acting", action):
        yield


@contextmanager
def leaving(session: Session, *entities: type[Recorded]) -> Iterator[None]:
    """Let rows of ``entities`` lawfully leave the actor's scope by what is flushed inside."""
    with _told(session, "may_leave", entities):
        yield


@contextmanager
def _told(session: Session, key: str, value: Any) -> Iterator[None]:
    before = session.info.get(key)
    session.info[key] = value
    try:
        yield
    finally:
        session.info[key] = before


def hold(session: Session, record: Recorded) -> None:
    """Lock the record until the transaction ends, and see it as it is stored now.

    Others that write it, or begin to refer to it, wait meanwhile. On SQLite the transaction holds all of it already.

    :raises StaleDataError: it was changed since it was read, and has changes of its own.
    """
    table = record.__table__
    columns = (table.c.id, table.c.version) if "version" in table.c else (table.c.id, sa.null())
    locked = sa.select(*columns).where(table.c.id == record.id).with_for_update()
    stored = session.execute(locked, execution_options=INTERNAL).one_or_none()
    if stored is None:
        raise NotFound
    if stored[1] is not None and stored[1] != record.version:
        if record in session.dirty and session.is_modified(record):
            raise StaleDataError
        session.refresh(record)


def next_number(session: Session, table: str, row_id: int, column: str = "last_number") -> int:
    """Count up and return a counter kept on a row, in the session's own transaction.

    The row stays locked until the transaction ends, so two can never draw the same number.
    """
    counter = Model.metadata.tables[table]
    statement = (
        sa.update(counter)
        .where(counter.c.id == row_id)
        .values({column: counter.c[column] + 1})
        .returning(counter.c[column])
    )
    return session.execute(statement, execution_options=INTERNAL).scalar_one()  # type: ignore[no-any-return]


def holders_of(
    session: Session, entity: type[Recorded], columns: tuple[str, ...], values: Iterable[tuple[Any, ...]]
) -> dict[tuple[Any, ...], list[int]]:
    """Return by values of ``columns`` the keys of the rows in the actor's group that hold them, hidden ones too.

    For uniqueness, many values at a time: whether the actor may see a row is asked elsewhere.
    """
    wanted = set(values)
    if not wanted:
        return {}
    table = entity.__table__
    parts = [table.c[name] for name in columns]
    statement = sa.select(table.c.id, *parts).where(
        *(part.in_({value[place] for value in wanted}) for place, part in enumerate(parts))
    )
    if "group_id" in table.c and not entity.__admin__.scope.shared:
        statement = statement.where(table.c.group_id == context_of(session).actor.group_id)
    if "deleted_at" in table.c:
        statement = statement.where(table.c.deleted_at.is_(None))
    found: dict[tuple[Any, ...], list[int]] = {}
    for key, *held in session.execute(statement, execution_options=INTERNAL):
        if tuple(held) in wanted:
            found.setdefault(tuple(held), []).append(key)
    return found


__all__ = [
    "INTERNAL",
    "Forbidden",
    "NoContext",
    "acting",
    "context_of",
    "hold",
    "holders_of",
    "leaving",
    "next_number",
    "prove_scope",
    "restrict_statement",
]
