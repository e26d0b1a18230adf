"""Sheets as people keep them: titles and groups above the headings, totals below, days and hours in every form."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
import xlsxwriter

from backoffice.actors import Actor
from backoffice.database import RecordSession
from backoffice.errors import NotFound
from backoffice.operations import imports
from backoffice.operations.import_mapping import known_headings
from backoffice.spreadsheets.headings import name_columns
from backoffice.spreadsheets.reading import read_table
from models.company import Company
from models.import_batch import ImportBatch, ImportMode, ImportOutcome
from models.reading import BadValue, parse_date
from models.support_package import SupportPackage
from tests.clients import DeskClient
from tests.imports.conftest import finish
from tests.imports.register import csv_bytes
from tests.imports.test_imports import counts, found, sentences
from tests.imports.test_pages import send

Upload = Callable[..., ImportBatch]

SHEET: list[list[str]] = [
    ["Elenco clienti aggiornato al 31/10/2026"],
    [],
    ["Azienda", "", "Sede", "", "", "Referente", ""],
    ["Ragione sociale", "P.IVA", "Via", "CAP", "Comune", "Telefono", "Telefono"],
    ["Prova Uno srl", "99000010019", "Via Roma 1", "38100", "Trento", "0461 1", "333 1234567"],
    [],
    ["Ragione sociale", "P.IVA", "Via", "CAP", "Comune", "Telefono", "Telefono"],
    ["Prova Due srl", "99000020018", "Via Roma 2", "38100", "Trento", "0461 2", ""],
    ["Totale", "2"],
]


def text(lines: list[list[str]], encoding: str = "cp1252") -> bytes:
    return "\r\n".join(";".join(line) for line in lines).encode(encoding)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_headings_are_found_below_titles_and_groups(actor: Actor, kind: str) -> None:
    content = text(SHEET) if kind == "csv" else workbook(SHEET)
    table = read_table(content, knows=known_headings(Company, actor))
    named = ["Ragione sociale", "P.IVA", "Via", "CAP", "Comune", "Telefono (Referente)", "Telefono (Referente) (2)"]
    assert table.headings == named
    assert [number for number, _cells in table.rows] == [5, 7, 8, 9]
    assert table.top[0] == (1, ["Elenco clienti aggiornato al 31/10/2026", *[""] * (0 if kind == "csv" else 6)])
    assert read_table(content).headings[0] == "Elenco clienti aggiornato al 31/10/2026"


def workbook(lines: list[list[Any]]) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet()
        for number, line in enumerate(lines):
            for place, cell in enumerate(line):
                if cell != "":
                    sheet.write(number, place, cell)
    return file.getvalue()


@pytest.mark.parametrize(
    ("above", "headings", "names"),
    [
        (None, ["a", "b"], ["a", "b"]),
        (["Titolo"], ["a", "a"], ["a", "a"]),
        (["Ditta", "Sede", "", "Note"], ["", "Via", "CAP"], ["Ditta", "Via", "CAP", "Note"]),
        (["", "Sede", "", "Casa", ""], ["n", "tel", "via", "tel", "via"],
         ["n", "tel (Sede)", "via (Sede)", "tel (Casa)", "via (Casa)"]),
    ],
)  # fmt: skip
def test_merged_headings_name_their_columns(above: list[str] | None, headings: list[str], names: list[str]) -> None:
    assert name_columns(above, headings) == names


def test_totals_and_repeated_headings_are_left_out_and_told(records: RecordSession, upload: Upload) -> None:
    mapping = {"Ragione sociale": "legal_name", "P.IVA": "vat_number"}
    batch = upload(Company, text(SHEET), mapping=mapping, matched_by="vat_number")
    assert counts(batch) == (2, 0, 0, 2, 0)
    assert [number for number, _findings in found(records, batch, ImportOutcome.skipped)] == [7, 9]
    again = upload(Company, text(SHEET), mapping=mapping, mode=ImportMode.create, matched_by="vat_number")
    assert counts(again) == (0, 0, 0, 4, 0)
    told = found(records, again, ImportOutcome.skipped)
    assert all(findings for _number, findings in told), told


def test_another_line_may_be_the_headings(records: RecordSession, actor: Actor) -> None:
    odd = [["x", "y"], ["uno", "due"], ["Prova Uno srl", "99000010019"], ["Prova Due srl", "99000020018"]]
    batch = imports.start_import(records, Company, "x.csv", text(odd), actor=actor)
    assert (batch.headings, batch.row_count) == (["x", "y"], 3)
    imports.choose_headings(records, batch, 2, actor=actor)
    assert (batch.headings, batch.row_count) == (["uno", "due"], 2)
    imports.choose_headings(records, batch, 1, actor=actor)
    assert (batch.headings, batch.row_count) == (["x", "y"], 3)
    imports.choose_headings(records, batch, 2, actor=actor)
    with pytest.raises(NotFound):
        imports.choose_headings(records, batch, 99, actor=actor)
    chosen = {"0": "legal_name", "1": "vat_number"}
    imports.map_columns(
        records, batch, chosen, mode=ImportMode.both, matched_by="vat_number", source_system=None, actor=actor
    )
    finish(records, imports.try_rows(records, batch, actor=actor))
    assert counts(batch) == (2, 0, 0, 0, 0)


def test_the_page_offers_the_first_lines(desk_client: Callable[..., DeskClient]) -> None:
    client = desk_client("administrator")
    columns = send(client, text(SHEET)).location.removeprefix("/backoffice")
    page = client.get(columns).text
    assert '<option value="4" selected>4: Ragione sociale · P.IVA' in page
    assert client.submit(columns.replace("columns", "headings"), {"row": "1"}).status_code == 303
    assert '<option value="1" selected>1: Elenco clienti' in client.get(columns).text
    assert client.submit(columns.replace("columns", "headings"), {"row": "x"}).status_code == 404


@pytest.mark.parametrize(
    "written",
    ["31/12/2025", "31.12.25", "31-12-25", "2025-12-31", "31 dic 2025", "31 dicembre 2025", "31-dic-25",
     "31 Dec 2025", "31/12/2025 00:00", "2025-12-31 00:00:00", "31 DIC. 2025"],
)  # fmt: skip
def test_days_are_read_in_every_form(written: str) -> None:
    assert parse_date(written) == date(2025, 12, 31)


@pytest.mark.parametrize("written", ["31 xyz 2025", "12/31/2025", "31/12", "46022", "31/12/2025 08:00", "gen 2025"])
def test_what_is_no_day_is_refused(written: str) -> None:
    with pytest.raises(BadValue):
        parse_date(written)


def test_days_as_numbers_and_hours_as_numbers_are_told(records: RecordSession, upload: Upload) -> None:
    company = records.scalars(sa.select(Company).where(Company.vat_number.is_not(None)).limit(1)).one()
    row = {
        "n": "",
        "ditta": company.legal_name,
        "Ore comprate": "40",
        "Ore residue": "12,5",
        "minuti": "",
        "dal": "45658",
    }
    mapping = {"n": "number", "ditta": "company", "Ore comprate": "purchased_minutes", "dal": "valid_from"}
    rest = {"Ore residue": "residual_minutes"}
    batch = upload(SupportPackage, csv_bytes(row | {"n": "P1"}), mapping=mapping | rest, matched_by="number")
    package = records.scalars(sa.select(SupportPackage).where(SupportPackage.number == "P1")).one()
    assert (package.purchased_minutes, package.residual_minutes) == (2400, 750)
    assert (package.valid_from, batch.noted_count) == (date(2025, 1, 1), 1)
    rest = {"minuti": "residual_minutes"}
    upload(SupportPackage, csv_bytes(row | {"n": "P2", "minuti": "90"}), mapping=mapping | rest, matched_by="number")
    assert records.scalar(sa.select(SupportPackage.residual_minutes).where(SupportPackage.number == "P2")) == 90
    mapping = {"n": "number", "ditta": "company", "tempo": "purchased_minutes"}
    bare = {"n": "P3", "ditta": company.legal_name, "tempo": "40"}
    batch = upload(SupportPackage, csv_bytes(bare), mapping=mapping, matched_by="number")
    assert sentences(records, batch)[2].startswith("tempo: The number alone")
