"""What a merge would do, found before anything is done: what moves, what is there on both sides, what cannot be.

Two rows that a unique key would not let stand side by side are one and the same: a contact with the same address in
both companies. One of them stays, and what refers to the other moves to it in its turn.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.access import INTERNAL
from backoffice.operations.merge_steps import Reference, references_to
from models.base import ENTITIES, Recorded, SoftDeleted
from models.catalogue import Kind, fields, parent_key

#: States that are the ones to keep when one of two rows goes.
_LIVE = ("good", "active")


@dataclass(frozen=True)
class Fold:
    """Two rows of a table that are one: ``goes`` becomes ``stays``."""

    table: sa.Table
    stays: int
    goes: int


@dataclass(frozen=True)
class Mark:
    """Rows that lose a mark, such as main referent, because one row at most may have it."""

    table: sa.Table
    column: str
    keys: tuple[int, ...]


@dataclass
class Plan:
    """What is to be done beforehand, in order: whatever refers to a row that goes comes before it."""

    folds: list[Fold] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    #: Tables of which both records have a row where one is allowed, and nothing says which.
    blocked: list[sa.Table] = field(default_factory=list)


@dataclass(frozen=True)
class _Key:
    """A unique key that a moved row might break."""

    columns: tuple[sa.Column[Any], ...]
    #: Those of them that change.
    moved: frozenset[str]
    where: Any


def make_plan(session: Session, table: sa.Table, old: int, new: int) -> Plan:
    """Return what stands in the way of whatever refers to the row ``old`` of ``table`` referring to ``new``."""
    plan = Plan()
    _plan(session, table, old, new, plan, set())
    going = {(fold.table.name, fold.goes) for fold in plan.folds}
    plan.marks = [mark for mark in plan.marks if (mark.table.name, mark.keys[0]) not in going]
    return plan


def _plan(session: Session, table: sa.Table, old: int, new: int, plan: Plan, seen: set[tuple[str, int]]) -> None:
    by_table: dict[sa.Table, list[Reference]] = defaultdict(list)
    for reference in references_to(table):
        if reference.named_by is None:
            by_table[reference.table].append(reference)
    for other, references in by_table.items():
        for key in _unique_keys(other, {reference.column.name for reference in references}):
            for stays, goes in _clashes(session, key, old, new):
                if (other.name, goes["id"]) in seen:
                    continue
                if {column.name for column in key.columns} - key.moved - {"group_id"}:
                    seen.add((other.name, goes["id"]))
                    stays, goes = _best(other, stays, goes)
                    _fold(session, other, stays["id"], goes["id"], plan, seen)
                else:
                    _unmark(other, key, goes["id"], plan)


def _fold(session: Session, table: sa.Table, stays: int, goes: int, plan: Plan, seen: set[tuple[str, int]]) -> None:
    entity = ENTITIES.get(table.name)
    if entity is None or entity.__admin__.append_only:
        plan.blocked.append(table)
        return
    _plan(session, table, goes, stays, plan, seen)
    plan.folds.append(Fold(table, stays, goes))


def _unmark(table: sa.Table, key: _Key, goes: int, plan: Plan) -> None:
    """Have the row lose the mark that makes it the only one; without such a mark there is nothing to do."""
    said = set(re.findall(r"\w+", str(key.where))) if key.where is not None else set()
    marks = [column for column in table.c if isinstance(column.type, sa.Boolean) and column.name in said]
    if not marks or table.name not in ENTITIES:
        plan.blocked.append(table)
    for column in marks:
        plan.marks.append(Mark(table, column.name, (goes,)))


def _unique_keys(table: sa.Table, moved: set[str]) -> Iterator[_Key]:
    """Yield the unique keys of ``table``, constraints and indexes, with a column among ``moved``."""
    found: list[tuple[Iterable[Any], Any]] = [
        (tuple(item.columns), None) for item in table.constraints if isinstance(item, sa.UniqueConstraint)
    ]
    for index in table.indexes:
        if index.unique:
            found.append((tuple(index.columns), index.dialect_options["postgresql"]["where"]))
    for columns, where in sorted(found, key=lambda item: [column.name for column in item[0]]):
        names = frozenset(column.name for column in columns) & moved
        if names:
            yield _Key(tuple(columns), names, where)


def _clashes(session: Session, key: _Key, old: int, new: int) -> Iterator[tuple[Any, Any]]:
    """Yield each two rows that would have the same key: the one of ``new``, then the one of ``old``."""
    table: Any = key.columns[0].table
    statement = sa.select(table).where(sa.or_(*(table.c[name].in_((old, new)) for name in key.moved)))
    if key.where is not None:
        statement = statement.where(key.where)
    held: dict[tuple[Any, ...], Any] = {}
    rows = session.execute(statement.order_by(table.c.id), execution_options=INTERNAL).mappings().all()
    # First those that are there already.
    for row in sorted(rows, key=lambda row: any(row[name] == old for name in key.moved)):
        value = tuple(new if c.name in key.moved and row[c.name] == old else row[c.name] for c in key.columns)
        if None in value:
            continue
        if value in held:
            yield held[value], row
        else:
            held[value] = row


def _best(table: sa.Table, stays: Any, goes: Any) -> tuple[Any, Any]:
    """Return the two rows the other way round where only the one to go is still in force."""
    state = fields(ENTITIES[table.name]).get("state") if table.name in ENTITIES else None
    if state is None or state.kind is not Kind.choice:
        return stays, goes
    is_live = [getattr(row["state"], "tone", "") in _LIVE for row in (stays, goes)]
    return (goes, stays) if is_live == [False, True] else (stays, goes)


def count_moved(session: Session, entity: type[Recorded], key: int, plan: Plan) -> dict[type[Recorded], int]:
    """Return by entity how many rows will move from the record to the other: those people would count as its own.

    Without what is deleted, lines of other records, and what is there on both sides.
    """
    going = {(fold.table.name, fold.goes) for fold in plan.folds}
    found: dict[type[Recorded], int] = {}
    for reference in references_to(entity.__table__):
        other = ENTITIES.get(reference.table.name)
        if other is None or reference.is_copy or not reference.counts or parent_key(other):
            continue
        statement = sa.select(reference.table.c.id).where(reference.to(key))
        if issubclass(other, SoftDeleted):
            statement = statement.where(reference.table.c.deleted_at.is_(None))
        keys = set(session.scalars(statement, execution_options=INTERNAL))
        keys -= {goes for table, goes in going if table == reference.table.name}
        if keys:
            found[other] = found.get(other, 0) + len(keys)
    return found
