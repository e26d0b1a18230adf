"""What refers to a record, found in the schema itself, and moved to another step by step, so that it can go back.

A step is plain JSON of keys and versions, kept with the merge:

- ``move``: the rows of a table that referred to ``old`` by ``column`` refer to ``new``;
- ``clear``: a mark that one row at most may have was taken off the rows;
- ``remove``: a row that was there on both sides went.

Rows are ``[key, version afterwards]``; the version is None where it counts nothing, or nothing is left to have one.
They are written whoever may see them, as deleting counts them whoever may: each statement is one of the product's own,
on columns and never on objects, and leaves its entries in the history.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import clock, history
from backoffice.access import INTERNAL, context_of
from models.base import ENTITIES, Model
from models.catalogue import cache
from models.triggers import triggers_of

Step = dict[str, Any]

#: Columns that together name any record by table and key, without a foreign key.
_BY_NAME = (("entity", "record_id"), ("cause_entity", "cause_id"))
#: So many keys in one statement.
CHUNK = 500


@dataclass(frozen=True, eq=False)
class Reference:
    """A column that holds keys of a table's rows."""

    column: sa.Column[Any]
    #: Of a column that holds keys of any table: the one that says which, and what it says.
    named_by: sa.Column[Any] | None = None
    named: str = ""
    #: Kept in step with the row's parent, which refers to the record itself: it says nothing of its own.
    is_copy: bool = False

    @property
    def table(self) -> sa.Table:
        return self.column.table

    @property
    def counts(self) -> bool:
        """Say whether changing it is a change of its row: with a version and an entry in the history."""
        return self.named_by is None and "version" in self.table.c and self.table.name in ENTITIES

    def to(self, key: int) -> sa.ColumnElement[bool]:
        found = self.column == key
        return found if self.named_by is None else sa.and_(found, self.named_by == self.named)


@cache
def references_to(table: sa.Table) -> tuple[Reference, ...]:
    """Return every column of the schema that refers to rows of ``table``: foreign keys, and keys named by table.

    Ledgers that nobody changes keep speaking of the row they spoke of.
    """
    return tuple(_found(table))


def _found(table: sa.Table) -> Iterator[Reference]:
    for _name, other in sorted(Model.metadata.tables.items()):
        entity = ENTITIES.get(other.name)
        copied = {own for own, _path in entity.__admin__.scope.copies()} if entity is not None else set()
        for key in sorted(other.foreign_keys, key=lambda key: key.parent.name):
            if key.column.table is table and key.column.name == "id":
                yield Reference(key.parent, is_copy=key.parent.name in copied)
        for named_by, column in _BY_NAME:
            if {named_by, column} <= set(other.c.keys()) and not triggers_of(other.name):
                yield Reference(other.c[column], other.c[named_by], table.name)


def move(session: Session, reference: Reference, old: int, new: int) -> Step | None:
    """Have all rows that refer to ``old`` refer to ``new``; return the step, None where nothing did or for a copy."""
    table, column = reference.table, reference.column
    if reference.is_copy:
        statement = sa.update(table).where(reference.to(old)).values({column.name: new})
        session.execute(statement, execution_options=INTERNAL)
        return None
    rows = _rewrite(session, column, reference.to(old), old, new, counts=reference.counts)
    step = {"do": "move", "table": table.name, "column": column.name, "old": old, "new": new}
    return {**step, "counts": reference.counts, "rows": rows} if rows else None


def move_back(session: Session, step: Step) -> None:
    """Have the rows of a ``move`` refer to what they did before."""
    table = Model.metadata.tables[step["table"]]
    for keys in chunks([key for key, _version in step["rows"]]):
        where = _key_of(table).in_(keys)
        _rewrite(session, table.c[step["column"]], where, step["new"], step["old"], counts=step["counts"])


def _rewrite(
    session: Session, column: sa.Column[Any], where: sa.ColumnElement[bool], old: int, new: int, *, counts: bool
) -> list[list[Any]]:
    """Write ``new`` into the column of some rows; return their keys, and their versions where those count."""
    table: sa.Table = column.table
    values = {column.name: new} | (_stamps(session, table) if counts else {})
    statement = sa.update(table).where(where).values(values).returning(*table.c)
    rows = session.execute(statement, execution_options=INTERNAL).mappings().all()
    if counts:
        history.note_moved(session, ENTITIES[table.name], rows, column.name, old, new)
    return [[row[_key_of(table).name], row["version"] if counts else None] for row in rows]


def _stamps(session: Session, table: sa.Table) -> dict[str, Any]:
    """Return what any save sets: a form open since before must not pass for a fresh one."""
    staff_id = context_of(session).actor.staff_id
    return {"version": table.c.version + 1, "updated_at": clock.now(), "updated_by_id": staff_id}


def set_mark(session: Session, table: sa.Table, column: str, keys: Sequence[int], value: bool) -> Step:
    """Put a mark on rows, or take it off; return the step."""
    rows: list[Any] = []
    for some in chunks(keys):
        values = {column: value, **_stamps(session, table)}
        statement = sa.update(table).where(table.c.id.in_(some)).values(values).returning(*table.c)
        found = session.execute(statement, execution_options=INTERNAL).mappings().all()
        history.note_moved(session, ENTITIES[table.name], found, column, not value, value)
        rows += found
    return {"do": "clear", "table": table.name, "column": column, "rows": [[row["id"], row["version"]] for row in rows]}


def _key_of(table: sa.Table) -> sa.Column[Any]:
    """Return the key by which rows of ``table`` are noted down."""
    (key,) = table.primary_key.columns
    return key


def chunks(keys: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(keys), CHUNK):
        yield keys[start : start + CHUNK]


def latest_versions(steps: Iterable[Step]) -> dict[str, dict[int, int | None]]:
    """Return by table and key the version that each row had after the last of the steps."""
    found: dict[str, dict[int, int | None]] = {}
    for step in steps:
        for key, version in step["rows"]:
            known = found.setdefault(step["table"], {})
            known[key] = version if version is not None else known.get(key)
    return found
