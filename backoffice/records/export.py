"""Lists as spreadsheets: the same rows, order and masks as on the page, in memory that does not grow."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from backoffice import clock
from backoffice.actors import Actor
from backoffice.records import show
from backoffice.records.lookup import relations_of
from backoffice.records.pages import Query, conditions, in_sight, ordering
from backoffice.spreadsheets.text import protect_text
from backoffice.spreadsheets.writing import new_workbook, sheet_name
from models.base import Recorded
from models.catalogue import Field, Kind

#: Rows fetched at once.
BATCH = 500
#: Rows a sheet can hold, its heading not counted.
SHEET_ROWS = 1_048_575
#: Characters a cell can hold.
CELL_TEXT = 32_767
#: Kinds whose text is made by us and may begin with a sign.
_OWN_TEXT = frozenset(
    {Kind.integer, Kind.decimal, Kind.money, Kind.minutes, Kind.phone, Kind.date, Kind.datetime, Kind.time}
)


@dataclass
class Tally:
    """How far an export has come; read when it ends, however it ends."""

    rows: int = 0
    complete: bool = False


def find_rows(session: Session, query: Query, columns: Sequence[Field]) -> Iterator[Recorded]:
    """Yield every row of ``query`` in its order, a batch at a time, within the session's scope."""
    names = relations_of(query.entity, [field.name for field in columns])
    query = in_sight(session, query)
    statement = sa.select(query.entity).where(*conditions(query)).order_by(*ordering(query))
    statement = statement.options(*(selectinload(getattr(query.entity, name)) for name in names))
    # The session holds its rows weakly: what has been written is let go, a million rows do not pile up.
    with closing(session.scalars(statement.execution_options(yield_per=BATCH))) as rows:
        yield from rows


def write_csv(
    rows: Iterator[Recorded], columns: Sequence[Field], actor: Actor, tally: Tally, *, separator: str = ";"
) -> Iterator[str]:
    """Yield a CSV as Italian Excel opens it right: byte order mark, semicolons, texts that are no formulas."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=separator, lineterminator="\r\n")
    buffer.write("\ufeff")
    writer.writerow([protect_text(str(field.label)) for field in columns])
    for row in rows:
        writer.writerow([csv_text(row, field, actor) for field in columns])
        tally.rows += 1
        if buffer.tell() > 32_000:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    tally.complete = True
    yield buffer.getvalue()


def csv_text(row: Recorded, field: Field, actor: Actor) -> str:
    """Return a value as it stands in a CSV; import reads it back."""
    cell = show.cell(row, field, actor)
    if (
        cell.masked
        or cell.unavailable
        or cell.told
        or field.kind in (Kind.relation, Kind.relations, Kind.boolean, Kind.choice)
    ):
        return protect_text(cell.text)
    value = getattr(row, field.name)
    text = field.edit(value)
    return text if field.kind in _OWN_TEXT else protect_text(text)


def write_xlsx(
    path: Path, rows: Iterator[Recorded], columns: Sequence[Field], actor: Actor, tally: Tally, title: str
) -> None:
    """Write a workbook with typed cells and a frozen heading; long lists go on on further sheets."""
    workbook = new_workbook(str(path))
    formats = {
        Kind.date: workbook.add_format({"num_format": "dd/mm/yyyy"}),
        Kind.datetime: workbook.add_format({"num_format": "dd/mm/yyyy hh:mm"}),
        Kind.time: workbook.add_format({"num_format": "hh:mm"}),
        Kind.money: workbook.add_format({"num_format": '"€" #,##0.00'}),
        Kind.minutes: workbook.add_format({"num_format": "[h]:mm"}),
    }
    bold = workbook.add_format({"bold": True})
    sheet: Any = None
    for number, row in enumerate(rows):
        if number % SHEET_ROWS == 0:
            sheet = _new_sheet(workbook, title, number // SHEET_ROWS, columns, bold)
        place = number % SHEET_ROWS + 1
        for column, field in enumerate(columns):
            _write_cell(sheet, place, column, row, field, actor, formats)
        tally.rows += 1
    if sheet is None:
        _new_sheet(workbook, title, 0, columns, bold)
    workbook.close()
    tally.complete = True


def _new_sheet(workbook: Any, title: str, number: int, columns: Sequence[Field], bold: Any) -> Any:
    sheet = workbook.add_worksheet(sheet_name(title, number))
    sheet.freeze_panes(1, 0)
    for place, field in enumerate(columns):
        sheet.set_column(place, place, _WIDTHS.get(field.kind, 18))
        sheet.write_string(0, place, str(field.label), bold)
    return sheet


_WIDTHS: dict[Kind, int] = {Kind.text: 30, Kind.long_text: 40, Kind.relation: 30, Kind.email: 30, Kind.boolean: 10}


def _write_cell(
    sheet: Any, place: int, column: int, row: Recorded, field: Field, actor: Actor, formats: dict[Kind, Any]
) -> None:
    cell = show.cell(row, field, actor)
    if cell.empty:
        return
    value = (
        None if cell.masked or cell.told or field.kind in (Kind.relation, Kind.relations) else getattr(row, field.name)
    )
    form = formats.get(field.kind)
    if isinstance(value, datetime):
        sheet.write_datetime(place, column, value.astimezone(clock.ROME).replace(tzinfo=None), form)
    elif isinstance(value, date | time):
        sheet.write_datetime(place, column, value, form)
    elif field.kind is Kind.minutes and value is not None:
        sheet.write_number(place, column, value / 1440, form)
    elif isinstance(value, int | Decimal) and not isinstance(value, bool):
        sheet.write_number(place, column, value, form)
    else:
        text = field.edit(value) if field.kind in (Kind.code, Kind.phone) else cell.text
        sheet.write_string(place, column, text if len(text) <= CELL_TEXT else f"{text[: CELL_TEXT - 1]}…")
