"""Texts that have broken programs before, in files: in by import, out by export, and the export in again."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterable
from xml.parsers import expat

import pytest
import sqlalchemy as sa
from python_calamine import CalamineWorkbook
from stdnum import luhn

from backoffice.database import RecordSession
from backoffice.operations import import_results
from backoffice.spreadsheets.tables import FileRefused
from backoffice.spreadsheets.writing import write_csv, write_xlsx
from models.company import Company
from models.import_batch import ImportBatch, ImportOutcome
from tests.clients import DeskClient
from tests.hostile import EMPTY, KEPT, LINES, TIDIED, UNSTORABLE, tidied

Take = Callable[[bytes], ImportBatch]
HEADINGS = ["Partita IVA", "Ragione sociale", "Note interne"]
NAMES = ("vat_number", "legal_name", "notes")
MAPPING = dict(zip(HEADINGS, NAMES, strict=True))
#: The VAT numbers of the companies begin so.
OURS = "98"
SENT = [*KEPT, *TIDIED, *LINES]


def as_csv(rows: list[list[str]]) -> bytes:
    return "".join(write_csv(rows)).encode()


def as_xlsx(rows: list[list[str]]) -> bytes:
    file = io.BytesIO()
    write_xlsx(file, rows, "Aziende")
    return file.getvalue()


Make = Callable[[list[list[str]]], bytes]
FORMS = pytest.mark.parametrize("make", [as_csv, as_xlsx])


def vat_number(number: int) -> str:
    digits = f"{OURS}{number:05}001"
    return digits + luhn.calc_check_digit(digits)


def table_of(texts: Iterable[str]) -> list[list[str]]:
    """Return a table of companies, each with one of ``texts`` as its name and as what is noted about it."""
    return [HEADINGS, *([vat_number(number), text, text] for number, text in enumerate(texts))]


@pytest.fixture
def take(upload: Callable[..., ImportBatch]) -> Callable[[bytes], ImportBatch]:
    """A function that imports a file of these columns, and finds companies by their VAT numbers."""
    return lambda content: upload(Company, content, mapping=MAPPING, matched_by="vat_number")


def stored(session: RecordSession) -> list[tuple[str, str | None]]:
    """Return what the imported companies are called and what is noted about them, in the order of the file."""
    statement = sa.select(Company).where(Company.vat_number.startswith(OURS)).order_by(Company.vat_number)
    return [(company.legal_name, company.notes) for company in session.scalars(statement)]


@FORMS
def test_what_a_file_holds_is_stored(records: RecordSession, take: Take, make: Make) -> None:
    batch = take(make(table_of(SENT)))
    assert (batch.new_count, batch.refused_count) == (len(SENT), 0)
    assert stored(records) == [(tidied(text), tidied(text, lines=True)) for text in SENT]


@FORMS
def test_what_cannot_be_stored_is_refused_with_a_sentence(records: RecordSession, take: Take, make: Make) -> None:
    # The last two characters have no place in a workbook at all.
    for text in (*(UNSTORABLE if make is as_csv else UNSTORABLE[:-2]), "x" * 251):
        told = refusal(records, take, make(table_of([text])))
        assert all(len(sentence.split()) > 3 for sentence in told), text
    assert not stored(records)


def refusal(session: RecordSession, take: Take, content: bytes) -> list[str]:
    """Return why the only row of a file was refused, or the whole file, because it is no text."""
    try:
        batch = take(content)
    except FileRefused as error:
        return [str(error)]
    (row,) = import_results.find_rows(session, batch, ImportOutcome.refused)
    return [sentence for _column, _value, sentence in row.findings]


@FORMS
def test_only_spaces_are_nothing(records: RecordSession, take: Take, make: Make) -> None:
    rows = [[vat_number(number), f"Nome {number}", text] for number, text in enumerate(EMPTY)]
    batch = take(make([HEADINGS, *rows]))
    assert (batch.new_count, batch.refused_count) == (len(EMPTY), 0)
    assert {notes for _name, notes in stored(records)} == {None}


def test_an_exported_file_holds_it_and_changes_nothing(
    records: RecordSession, take: Take, desk_client: Callable[..., DeskClient]
) -> None:
    take(as_xlsx(table_of(SENT)))
    before, client = stored(records), desk_client("administrator")
    assert before
    records.rollback()
    path = f"?q={OURS}00&c={','.join(NAMES)}"
    written = client.get(f"/company/export.csv{path}").get_data()
    lines = list(csv.reader(io.StringIO(written.decode("utf-8-sig"), newline=""), delimiter=";"))
    assert not [cell for line in lines for cell in line if re.match(r"[=+\-@\t\r]", cell)]
    with client.get(f"/company/export.xlsx{path}") as file:
        workbook = file.get_data()
    assert_only_text(workbook)
    cells = CalamineWorkbook.from_filelike(io.BytesIO(workbook)).get_sheet_by_index(0).to_python()
    assert [(name, notes) for _vat, name, notes in sorted(cells[1:])] == before
    for content in (written, workbook):
        again = take(content)
        assert (again.same_count, again.changed_count, again.refused_count) == (len(SENT), 0, 0)


def assert_only_text(workbook: bytes) -> None:
    """Excel can read every part of the workbook, and none has a formula or a link."""
    with zipfile.ZipFile(io.BytesIO(workbook)) as archive:
        for name in archive.namelist():
            expat.ParserCreate().Parse(archive.read(name), True)
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
        assert not re.search("<f[ >]|<hyperlink", sheet)
        assert not [name for name in archive.namelist() if "externalLink" in name]
