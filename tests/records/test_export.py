"""Files hold what the page shows, cell by cell, whoever asks, though they are read and written another way."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.parsers import expat

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_babel import format_datetime
from python_calamine import CalamineWorkbook

from backoffice.actors import Action, Actor, Context, Door
from backoffice.clock import ROME
from backoffice.database import RecordSession, open_session
from backoffice.identity import load_actor
from backoffice.records import export, show
from backoffice.records.pages import ordering, read_query
from backoffice.spreadsheets import sheets
from backoffice.spreadsheets.sheets import SheetColumn, write_sheets
from backoffice.spreadsheets.text import protect_text
from models.base import ENTITIES, Recorded
from models.catalogue import Field, Kind
from models.staff import Staff
from models.values import Money, UtcInstant
from tests.access.person import make_rows_of_every_kind

WORDS = (Kind.relation, Kind.relations, Kind.boolean, Kind.choice)


def in_csv(record: Recorded, field: Field, actor: Actor) -> str:
    """Return what a CSV has to say of a value: what ``show`` does, or what an import reads back."""
    cell = show.cell(record, field, actor)
    if cell.masked or cell.unavailable or cell.told or field.kind in WORDS:
        return protect_text(cell.text)
    if cell.empty:
        return ""
    text = field.edit(getattr(record, field.name))
    return text if field.kind in export._OWN_TEXT else protect_text(text)


def in_workbook(record: Recorded, field: Field, actor: Actor) -> Any:
    """Return what a workbook has to say of a value, as it is read: numbers and days where the field has them."""
    cell = show.cell(record, field, actor)
    if cell.empty:
        return ""
    value = getattr(record, field.name)
    if cell.masked or cell.unavailable or cell.told or field.kind in WORDS:
        return cell.text
    if isinstance(value, datetime):
        return value.astimezone(ROME).replace(tzinfo=None)
    if isinstance(value, date):
        return value
    if field.kind is Kind.minutes:
        return timedelta(minutes=value)
    if isinstance(value, int | Decimal | time):
        return float(value) if not isinstance(value, time) else value
    return field.edit(value) if field.kind in (Kind.code, Kind.phone) else cell.text


def alike(found: Any, wanted: Any) -> bool:
    """Say whether two cells are the same, instants as exactly as Excel counts them."""
    if isinstance(wanted, datetime) and isinstance(found, date) and not isinstance(found, datetime):
        found = datetime.combine(found, time())  # read so where the hour is 00:00
    if isinstance(found, datetime) and isinstance(wanted, datetime):
        return abs(found - wanted) < timedelta(milliseconds=10)
    return bool(found == wanted)


#: They see more, and so they take longer.
_MORE = ("administrator", "management")


@pytest.mark.parametrize(
    "username", ["demo.operator1", *(pytest.param(f"demo.{role}", marks=pytest.mark.long) for role in _MORE)]
)
def test_files_say_what_the_pages_do(
    desk: Flask,
    engine: sa.Engine,
    session: RecordSession,
    staff: Callable[[str], Staff],
    tmp_path: Path,
    username: str,
) -> None:
    make_rows_of_every_kind(engine)
    actor = load_actor(session, staff(username).id)
    compared = masked = 0
    for entity in ENTITIES.values():
        if not (actor.may(Action.read, entity) and actor.may(Action.export, entity)):
            continue
        with desk.test_request_context(), open_session(engine, Context(actor, Door.desk)) as scoped:
            fields = show.all_columns(entity)
            query = read_query(entity, actor)
            records = scoped.scalars(sa.select(entity).order_by(*ordering(query))).all()
            columns = export.columns_for(scoped, fields, actor)
            text = "".join(export.write_csv(export.find_rows(scoped, query, columns), columns, export.Tally()))
            lines = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=";"))
            assert lines[1:] == [[in_csv(record, field, actor) for field in fields] for record in records], entity
            tally = export.Tally()
            export.write_xlsx(tmp_path / "list.xlsx", export.find_rows(scoped, query, columns), columns, tally, "List")
            assert (tally.rows, tally.complete) == (len(records), True)
            found = CalamineWorkbook.from_path(tmp_path / "list.xlsx").get_sheet_by_index(0).to_python()
            for record, row in zip(records, found[1:], strict=True):
                for field, cell in zip(fields, row, strict=True):
                    wanted = in_workbook(record, field, actor)
                    assert alike(cell, wanted), (field, record.id, cell, wanted)
            compared += len(records) * len(fields)
            masked += text.count(show.MASK)
    assert compared > 1_000
    assert (masked > 0) == (username == "demo.management")


def test_masked_columns_are_not_even_read(
    desk: Flask, engine: sa.Engine, session: RecordSession, staff: Callable[[str], Staff]
) -> None:
    actor = load_actor(session, staff("demo.management").id)
    contact = ENTITIES["contact"]
    hidden = actor.masked(contact)
    assert hidden
    with desk.test_request_context(), open_session(engine, Context(actor, Door.desk)) as scoped:
        fields = [field for field in show.all_columns(contact) if field.name in hidden]
        for column in export.columns_for(scoped, fields, actor):
            assert isinstance(column.reads, sa.sql.elements.Null), column.field


AWKWARD = [
    "&<>\"'",
    " a space before",
    "and one behind ",
    "two\nlines",
    "_x0041_ is no number",
    "=1+1",
    "a\x01b",
    "città 🏢",
    "https://example.org",
    "0012",
    "x" * 40_000,
]


def test_any_text_stands_in_a_sheet_as_it_is(tmp_path: Path) -> None:
    column = SheetColumn("Text & more", 20, "", str, is_text=True)
    write_sheets(tmp_path / "t.xlsx", "Sheet", [column], [[AWKWARD[:3]], [AWKWARD[3:]]])
    found = CalamineWorkbook.from_path(tmp_path / "t.xlsx").get_sheet_by_index(0).to_python(skip_empty_area=False)
    texts = [row[0] for row in found]
    assert texts == ["Text & more", *AWKWARD[:-1], f"{'x' * 32_766}…"]


def test_what_no_xml_can_hold_breaks_no_workbook(tmp_path: Path) -> None:
    texts = ["a\uffffb", "\ufffe"]
    write_sheets(tmp_path / "t.xlsx", "Sheet", [SheetColumn("Text", 20, "", str, is_text=True)], [[texts]])
    with zipfile.ZipFile(tmp_path / "t.xlsx") as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml")
    expat.ParserCreate().Parse(sheet, True)
    assert b"a_xFFFF_b" in sheet


def test_a_list_too_long_for_a_sheet_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "SHEET_ROWS", 3)
    numbers = SheetColumn("Number", 20, "", str, is_text=False)
    write_sheets(tmp_path / "t.xlsx", "Sheet", [numbers], [[[1, 2]], [[3, 4, 5, 6, 7]], [[8]]])
    book = CalamineWorkbook.from_path(tmp_path / "t.xlsx")
    assert book.sheet_names == ["Sheet", "Sheet 2", "Sheet 3"]
    rows = [book.get_sheet_by_name(name).to_python() for name in book.sheet_names]
    assert rows == [[["Number"], [1], [2], [3]], [["Number"], [4], [5], [6]], [["Number"], [7], [8]]]


def test_an_empty_list_has_its_heading(tmp_path: Path) -> None:
    write_sheets(tmp_path / "t.xlsx", "Sheet", [SheetColumn("Number", 20, "", str, is_text=False)], [])
    assert CalamineWorkbook.from_path(tmp_path / "t.xlsx").get_sheet_by_index(0).to_python() == [["Number"]]


def test_money_stays_exact(tmp_path: Path) -> None:
    amounts = [Decimal("0.01"), Decimal("-1234567890.12"), Decimal("9999999999.99"), Decimal("1E+2"), Decimal("0.10")]
    column = SheetColumn("Amount", 20, '"€" #,##0.00', str, is_text=False)
    write_sheets(tmp_path / "t.xlsx", "Sheet", [column], [[amounts]])
    found = CalamineWorkbook.from_path(tmp_path / "t.xlsx").get_sheet_by_index(0).to_python()
    assert [round(Decimal(row[0]), 2) for row in found[1:]] == amounts


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (date(1900, 1, 1), "1"),
        (date(1900, 2, 28), "59"),
        (date(1900, 3, 1), "61"),
        (date(2026, 12, 31), "46387"),
        (datetime(2026, 12, 31, 18, 0), "46387.75"),  # noqa: DTZ001  # Excel knows no zones
        (time(6, 0), "0.25"),
    ],
)
def test_days_and_times_are_counted_as_excel_does(value: date | time, number: str) -> None:
    assert sheets.serial(value) == number


@pytest.mark.parametrize(
    "value",
    [
        datetime(2026, 1, 5, 7, 9, tzinfo=UTC),
        datetime(2026, 7, 31, 22, 30, 15, tzinfo=UTC),
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
    ],
)
def test_instants_are_written_as_the_formats_of_the_locale_say(desk: Flask, value: datetime) -> None:
    again = value.astimezone(ROME).fold == 1
    form = f"dd/MM/yyyy HH:mm{':ss' if value.second else ''}{' xxx' if again else ''}"
    with desk.test_request_context():
        assert UtcInstant().edit(value) == format_datetime(value, form)
        assert UtcInstant().show(value) == format_datetime(value, "dd/MM/yyyy HH:mm")
    assert UtcInstant().parse(UtcInstant().edit(value)) == value


def test_money_in_a_csv_is_read_back() -> None:
    assert Money().parse(Money().edit(Decimal("1234.50"))) == Decimal("1234.50")
