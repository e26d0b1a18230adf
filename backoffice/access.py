"""Which rows an actor may see and change: enforced in the session, below every view.

Every ORM statement of a ``RecordSession`` passes ``restrict_statement``, which adds the actor's row scope
as loader criteria; ``prove_scope`` checks after each flush that the rows, as written, are still in it.
Facts beyond the scope (numbering, uniqueness) are read by the named functions at the end, as values only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import ORMExecuteState, Session, joinedload, with_loader_criteria
from sqlalchemy.orm.exc import StaleDataError

from backoffice.actors import SYSTEM, Action, Actor, Context
from backoffice.conditions import conditions
from backoffice.errors import Forbidden, NotFound
from models.base import Model, Recorded

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


def within(session: Session, statement: sa.Select[Any]) -> sa.Select[Any]:
    """Return a SELECT as the session would run it, kept within the actor's scope, for the connection to run it.

    Only for reading values by the million, where a session's own way of reading costs more than the database does.
    """
    return statement.options(*_criteria(session, context_of(session).actor, Action.read, include_deleted=False))


def _criteria(session: Session, actor: Actor, action: Action, include_deleted: bool) -> tuple[Any, ...]:
    """Return the loader criteria of ``action``, built once per session."""
    kept: dict[tuple[Actor, Action, bool], tuple[Any, ...]] = session.info.setdefault("criteria", {})
    key = (actor, action, include_deleted)
    if key not in kept:
        found = conditions(actor, action, include_deleted=include_deleted)
        kept[key] = tuple(_option(condition.entity, condition.criterion) for condition in found)
    return kept[key]


def _option(entity: Any, criterion: Callable[[Any], Any]) -> Any:
    return with_loader_criteria(entity, criterion, include_aliases=True, propagate_to_loaders=False)


def joined(session: Session, *relations: Any) -> tuple[Any, ...]:
    """Return options that load relations along in the statement itself, as far as the session's actor sees them.

    ``joinedload`` alone takes no notice of the criteria that statements get, and would bring along what is hidden.
    """
    found = list(conditions(context_of(session).actor, Action.read))
    options = []
    for relation in relations:
        target = relation.property.mapper.class_
        criteria = [condition.criterion(target) for condition in found if issubclass(target, condition.entity)]
        options.append(joinedload(relation.and_(*criteria) if criteria else relation))
    return tuple(options)


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
        if ids - within_scope(session, entity, ids, chosen, include_deleted=True):
            raise NotFound


def within_scope(
    session: Session, entity: type[Recorded], ids: Iterable[int], action: Action, *, include_deleted: bool = False
) -> set[int]:
    """Return those of the keys whose rows lie within the scope of ``action`` for the session's actor."""
    options = {"scope_action": action, "include_deleted": include_deleted}
    return set(session.scalars(sa.select(entity.id).where(entity.id.in_(ids)), execution_options=options))


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
def as_product(session: Session) -> Iterator[None]:
    """Let the product itself do what follows from an actor's deed, in the same transaction, whatever their rights.

    The history names the actor as the one on whose behalf it was done. What the actor did before is flushed first, and
    proven to be within their scope.
    """
    session.flush()
    before = context_of(session)
    name = before.on_behalf_of or (before.actor.name if before.actor.staff_id is not None else None)
    account_id = before.account_id or before.actor.account_id
    staff_id = before.staff_id or before.actor.staff_id
    session.info["context"] = replace(before, actor=SYSTEM, on_behalf_of=name, account_id=account_id, staff_id=staff_id)
    try:
        yield
        session.flush()
    finally:
        session.info["context"] = before


@contextmanager
def reading_as(session: Session, actor: Actor) -> Iterator[None]:
    """Let what is read inside be what ``actor`` would see; what was written before is flushed first, by whom it was."""
    session.flush()
    before = context_of(session)
    session.info["context"] = replace(before, actor=actor)
    try:
        yield
    finally:
        session.info["context"] = before


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


def reach_number(session: Session, table: str, row_id: int, number: int, column: str = "last_number") -> None:
    """Let a counter kept on a row go on from ``number``, unless it is beyond that already."""
    counter = Model.metadata.tables[table]
    statement = sa.update(counter).where(counter.c.id == row_id, counter.c[column] < number).values({column: number})
    session.execute(statement, execution_options=INTERNAL)


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
    "as_product",
    "context_of",
    "hold",
    "holders_of",
    "joined",
    "leaving",
    "next_number",
    "prove_scope",
    "reading_as",
    "restrict_statement",
    "within",
    "within_scope",
]
