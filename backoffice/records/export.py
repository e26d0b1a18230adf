"""Lists as spreadsheets: the same rows, order, names and masks as on the page, in memory that does not grow.

What leaves is read as values, not as records: one SELECT of the columns, compiled by the session within its scope, in
which a masked column does not occur. Records are read for the few columns that only a record can tell.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from dataclasses import field as made
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Session, selectinload

from backoffice.access import within
from backoffice.actors import Actor
from backoffice.clock import ROME
from backoffice.records import show
from backoffice.records.pages import Query, conditions, in_sight, names_of, ordering
from backoffice.spreadsheets.sheets import SheetColumn, minutes_serial, serial, write_sheets
from backoffice.spreadsheets.text import protect_text, protect_texts
from models.catalogue import FREE_TEXT, Field, Kind

#: Rows fetched at once: notes of 40 kB in each of them are 20 MB.
BATCH = 500
#: Rows of a CSV written at once, and how many characters are handed over together.
_AT_ONCE, _PIECE = 50, 64_000
#: Names of related rows that are remembered, so that each is looked up once and not with every row.
_REMEMBERED = 200_000
#: Kinds whose text is made by us and may begin with a sign.
_OWN_TEXT = frozenset(
    {Kind.integer, Kind.decimal, Kind.money, Kind.minutes, Kind.phone, Kind.date, Kind.datetime, Kind.time}
)
#: The values of some rows, column by column: what is done to each is then done to all at once.
Batch = Sequence[Sequence[Any]]


@dataclass
class Tally:
    """How far an export has come; read when it ends, however it ends."""

    rows: int = 0
    complete: bool = False


@dataclass
class Column:
    """One column of a file: what is read of a row, and what becomes of it.

    ``finish`` turns what was read into the value, for a batch at a time; None where it is the value already.
    """

    field: Field
    reads: Any
    #: The value is text as people read it, whatever the kind of the field.
    told: bool = False
    #: What is read is the record.
    of_record: bool = False
    finish: Callable[[Sequence[Any]], list[Any]] | None = None
    #: What the record must bring along, where it is read as a whole.
    options: list[Any] = made(default_factory=list)


def columns_for(session: Session, fields: Sequence[Field], actor: Actor) -> list[Column]:
    """Return how the columns of a file are read for an actor: a mask stands where nothing is read at all."""
    return [_column(session, one, actor) for one in fields]


def _column(session: Session, field: Field, actor: Actor) -> Column:
    entity: Any = field.entity
    if field.name in actor.masked(entity):
        return Column(field, sa.null(), told=True, finish=lambda read: [show.MASK] * len(read))
    if field.kind is Kind.relation:
        return Column(field, getattr(entity, field.column or ""), told=True, finish=_Names(session, field, actor).of)
    if field.kind is Kind.relations or show.is_told(field):
        options = [selectinload(getattr(entity, field.name))] if field.kind is Kind.relations else []
        return Column(
            field,
            entity,
            told=True,
            of_record=True,
            finish=lambda read: [show.cell(record, field, actor).text for record in read],
            options=options,
        )
    if field.known_once:
        return Column(field, sa.case((getattr(entity, field.known_once).is_not(None), getattr(entity, field.name))))
    if field.choices is not None:
        # As it is stored: which choice that is need not be looked up for each row. Under a name of its own, because
        # a record that is read beside it has the same column.
        stored = sa.type_coerce(getattr(entity, field.name), sa.String()).label(f"{field.name}_as_stored")
        return Column(field, stored, finish=partial(_each, _Made(field.choices)))
    return Column(field, getattr(entity, field.name))


def _each(known: dict[Any, Any], read: Sequence[Any]) -> list[Any]:
    return [None if value is None else known[value] for value in read]


class _Names:
    """What the rows of a relation are called, by key: as the actor may name them, each looked up once."""

    def __init__(self, session: Session, field: Field, actor: Actor) -> None:
        self._session, self._actor, self._target = session, actor, field.target
        self._columns = show.naming_columns(field.target, actor)
        self._known: dict[Any, str] = {}

    def of(self, keys: Sequence[Any]) -> list[str]:
        """Return the names of a batch of keys; there is one, but not for this actor: said so, never named."""
        known = self._known
        # Asked key by key: taking all that is known off the keys would go through all that is known.
        missing = {key for key in keys if key is not None and key not in known}
        if missing:
            if len(known) > _REMEMBERED:
                known.clear()
                missing = set(keys) - {None}
            self._look_up(missing)
        return ["" if key is None else known[key] for key in keys]

    def _look_up(self, keys: set[Any]) -> None:
        target: Any = self._target
        self._known |= dict.fromkeys(keys, _("(not available)"))
        if self._columns is not None:
            # Values are read several times as fast as records, and there may be as many as rows.
            named = sa.select(target.id, *self._columns).where(target.id.in_(keys))
            self._known |= {row.id: target.__str__(row) for row in self._session.execute(named)}
            return
        statement = sa.select(target).where(target.id.in_(keys)).options(*names_of(target, only=True))
        self._known |= {row.id: show.label(row, self._actor) for row in self._session.scalars(statement)}


def find_rows(session: Session, query: Query, columns: Sequence[Column]) -> Iterator[Batch]:
    """Yield the values of every row of ``query`` in its order, a batch at a time, within the session's scope."""
    query = in_sight(session, query)
    # Also where every column is masked, it is rows of the entity that are read.
    read = [query.entity.id.label("key"), *(column.reads for column in columns)]
    statement = sa.select(*read).where(*conditions(query)).order_by(*ordering(query))
    with closing(_run(session, statement, columns)) as found:
        for rows in found.partitions():
            _keys, *values = zip(*rows, strict=True)
            yield [column.finish(part) if column.finish else part for column, part in zip(columns, values, strict=True)]


def _run(session: Session, statement: sa.Select[Any], columns: Sequence[Column]) -> sa.Result[Any]:
    """Run the statement: on the connection itself, or by the session where it has to read records."""
    options = {"yield_per": BATCH}
    if any(column.of_record for column in columns):
        along = [option for column in columns for option in column.options]
        return session.execute(statement.options(*along), execution_options=options)
    return session.connection().execute(within(session, statement), execution_options=options)


def write_csv(
    batches: Iterable[Batch], columns: Sequence[Column], tally: Tally, *, separator: str = ";"
) -> Iterator[str]:
    """Yield a CSV as Italian Excel opens it right: byte order mark, semicolons, texts that are no formulas."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=separator, lineterminator="\r\n")
    buffer.write("\ufeff")
    writer.writerow([protect_text(str(column.field.label)) for column in columns])
    texts = [csv_texts(column) for column in columns]
    for batch in batches:
        rows = zip(*(text(values) for text, values in zip(texts, batch, strict=True)), strict=True)
        # Handed over while it is written: the log says of a download that broke off how far it came.
        while some := list(islice(rows, _AT_ONCE)):
            writer.writerows(some)
            tally.rows += len(some)
            if buffer.tell() > _PIECE:
                yield buffer.getvalue()
                buffer.seek(0)
                buffer.truncate()
    tally.complete = True
    yield buffer.getvalue()


def csv_texts(column: Column) -> Callable[[Sequence[Any]], list[str]]:
    """Return what turns values of the column into their texts in a CSV; import reads them back."""
    kind, edit = column.field.kind, column.field.edit
    if column.told:
        return protect_texts
    if kind in (Kind.choice, Kind.boolean):
        word = _remembered(lambda value: protect_text(column.field.show(value)))
        return lambda values: list(map(word, values))
    if kind in _OWN_TEXT:
        return lambda values: list(map(edit, values))
    if _is_as_stored(column.field):
        return lambda values: protect_texts([value or "" for value in values])
    return lambda values: protect_texts(list(map(edit, values)))


def write_xlsx(path: Path, batches: Iterable[Batch], columns: Sequence[Column], tally: Tally, title: str) -> None:
    """Write a workbook with typed cells and a frozen heading; long lists go on on further sheets."""
    write_sheets(path, title, [_sheet_column(column) for column in columns], _counted(batches, tally))
    tally.complete = True


def _counted(batches: Iterable[Batch], tally: Tally) -> Iterator[Batch]:
    for batch in batches:
        yield batch
        tally.rows += len(batch[0])


def _is_as_stored(field: Field) -> bool:
    """Say whether people read a text of the field as it is stored."""
    return field.kind in FREE_TEXT and field.value_type is None


_WIDTHS: dict[Kind, int] = {Kind.text: 30, Kind.long_text: 40, Kind.relation: 30, Kind.email: 30, Kind.boolean: 10}
#: How Excel shows the numbers that stand for values of a kind, and how each is written.
_NUMBERS: dict[Kind, tuple[str, Callable[[Any], str]]] = {
    Kind.date: ("dd/mm/yyyy", serial),
    Kind.datetime: ("dd/mm/yyyy hh:mm", lambda value: serial(value.astimezone(ROME).replace(tzinfo=None))),
    Kind.time: ("hh:mm", serial),
    Kind.money: ('"€" #,##0.00', str),
    Kind.minutes: ("[h]:mm", minutes_serial),
    Kind.integer: ("", str),
    Kind.decimal: ("", str),
}


def _sheet_column(column: Column) -> SheetColumn:
    kind, heading = column.field.kind, str(column.field.label)
    number_format, written = _NUMBERS.get(kind, ("", str))
    is_text = column.told or kind not in _NUMBERS
    if is_text:
        written = str if column.told or _is_as_stored(column.field) else _shown(column.field)
    return SheetColumn(heading, _WIDTHS.get(kind, 18), number_format, written, is_text)


def _shown(field: Field) -> Callable[[Any], str]:
    if field.kind in (Kind.choice, Kind.boolean):
        return _remembered(field.show)
    if field.kind in (Kind.code, Kind.phone):
        return field.edit
    return lambda value: f"{field.show(value)} {field.unit}" if field.unit and value != "" else field.show(value)


class _Made(dict[Any, Any]):
    """What is made of values of which there are few, of each once."""

    def __init__(self, make: Callable[[Any], Any]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, value: Any) -> Any:
        self[value] = made = self._make(value)
        return made


def _remembered(word: Callable[[Any], str]) -> Callable[[Any], str]:
    return _Made(word).__getitem__
