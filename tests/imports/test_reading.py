"""Files people upload: every encoding and separator of theirs is read, and everything else clearly refused."""

from __future__ import annotations

import io
import struct
import zipfile
from datetime import date, datetime, time
from typing import Any

import pytest
import xlsxwriter

from backoffice.errors import DomainError, TooLarge
from backoffice.spreadsheets import tables, writing
from backoffice.spreadsheets.reading import read_table
from backoffice.spreadsheets.tables import Limits
from backoffice.spreadsheets.text import protect_text, restore_text

TEXT = "Nome;Città;Nota\r\nForlì;Cantù;€ 5\r\nSan Donà;Nardò;\r\n"
ROWS = [(2, ["Forlì", "Cantù", "€ 5"]), (3, ["San Donà", "Nardò", ""])]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_every_encoding_and_separator_of_italian_excel_is_recognised(encoding: str, separator: str) -> None:
    table = read_table(TEXT.replace(";", separator).encode(encoding))
    assert table.headings == ["Nome", "Città", "Nota"]
    assert table.rows == ROWS


def test_utf16_with_a_mark_of_either_order() -> None:
    assert read_table(b"\xfe\xff" + TEXT.encode("utf-16-be")).rows == ROWS
    assert read_table(b"\xff\xfe" + TEXT.encode("utf-16-le")).rows == ROWS


def test_the_first_line_may_name_the_separator() -> None:
    assert read_table(b"sep=;\r\na;b,c\r\n1;2\r\n").headings == ["a", "b,c"]


def test_quoted_separators_quotes_and_line_breaks_belong_to_the_cell() -> None:
    table = read_table(b'a,b\r\n"x, ""y""\nz",2\r\n3,4\r\n')
    assert table.rows == [(2, ['x, "y"\nz', "2"]), (3, ["3", "4"])]


def test_commas_inside_do_not_beat_the_semicolon_between() -> None:
    table = read_table(b"nome;importo;via\nA;1,5;Via Po, 1\nB;2,5;Via Po, 2\n")
    assert table.headings == ["nome", "importo", "via"]


def test_rows_keep_the_number_they_have_in_a_spreadsheet() -> None:
    assert read_table(b"\n\na,b\n\n1,2\n,\n3\n").rows == [(5, ["1", "2"]), (7, ["3", ""])]


def test_headings_are_named_and_told_apart() -> None:
    assert read_table(b"a,,a,b\x01\n1,2,3,4\n1,2,3,4\n".replace(b"\x01", b" ")).headings == ["a", "#2", "a (2)", "b"]


def test_zeros_in_front_stay() -> None:
    assert read_table(b"cap,piva\n00100,01234567897\n").rows == [(2, ["00100", "01234567897"])]


@pytest.mark.parametrize(
    "text", ["=1+1", "+39 0461", "-5", "@x", "\tx", "\rx", "'=x", "''-x", "'x", "plain", "", "5-3"]
)
def test_protection_against_formulas_is_taken_off_exactly(text: str) -> None:
    assert restore_text(protect_text(text)) == text


def test_only_our_own_apostrophe_is_taken_off() -> None:
    assert read_table(b"a,b\n'=1+1,'ndrangheta\n").rows == [(2, ["=1+1", "'ndrangheta"])]


def workbook(*rows: list[Any], hidden_first: bool = False) -> bytes:
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True, "strings_to_formulas": False})
    if hidden_first:
        hidden = book.add_worksheet("Nascosto")
        hidden.write_row(0, 0, ["no", "no"])
    sheet = book.add_worksheet("Foglio1")
    if hidden_first:
        sheet.activate()
        sheet.set_first_sheet()
        hidden.hide()
    formats = {datetime: "dd/mm/yyyy hh:mm", date: "dd/mm/yyyy", time: "hh:mm"}
    for number, row in enumerate(rows):
        for place, value in enumerate(row):
            form = book.add_format({"num_format": formats[type(value)]}) if type(value) in formats else None
            sheet.write(number, place, value, form)
    book.close()
    return file.getvalue()


def test_typed_cells_become_text_as_people_write_it() -> None:
    moment = datetime.fromisoformat("2026-12-31 08:30")
    row = ["00123", 12.0, 1234.5, 1.234, date(2026, 12, 31), moment, time(8, 30), True, "=1+1"]
    table = read_table(workbook(list("abcdefghi"), row))
    written = ["00123", "12", "1234,5", "1,234", "2026-12-31", "2026-12-31 08:30:00", "08:30", "true", "=1+1"]
    assert table.rows == [(2, written)]
    assert table.form == "XLSX, Foglio1"


def test_the_first_visible_sheet_counts_and_blank_rows_before_it_are_counted() -> None:
    table = read_table(workbook([], [], ["a", "b"], [1, 2], hidden_first=True))
    assert (table.headings, table.rows) == (["a", "b"], [(4, ["1", "2"])])


def _packed(parts: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


def _with_sheet(xml: bytes) -> bytes:
    source = zipfile.ZipFile(io.BytesIO(workbook(["a"], [1])))
    with source:
        parts = {name: source.read(name) for name in source.namelist()}
    return _packed(parts | {"xl/worksheets/sheet1.xml": xml})


def _far_apart() -> bytes:
    cells = b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    main = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return _with_sheet(b'<worksheet xmlns="' + main + b'"><sheetData>' + cells + b"</sheetData></worksheet>")


def _lying() -> bytes:
    """An archive whose directory claims far less than it unpacks to."""
    content = bytearray(_packed({"xl/workbook.xml": b"<x/>", "xl/bomb.xml": b"0" * 30_000_000}))
    for mark, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        start = content.rindex(mark)
        content[start + offset : start + offset + 4] = struct.pack("<I", 1000)
    return bytes(content)


GOOD_BOOK = workbook(["a", "b"], ["x" * 50, 2])

REFUSED: dict[str, tuple[bytes, type[DomainError], int]] = {
    "nothing at all": (b"", tables.EmptyFile, 422),
    "blank lines": (b" \r\n\r\n", tables.EmptyFile, 422),
    "an empty workbook": (workbook(), tables.EmptyFile, 422),
    "zero bytes in a CSV": (b"a,b\n1,\x00\n", tables.UnreadableCharacters, 422),
    "control characters": (b"a,b\n1,\x07\n", tables.UnreadableCharacters, 422),
    "a lone surrogate": (b"\xff\xfe" + "a,b\n1,".encode("utf-16-le") + b"\x00\xd8", tables.UnreadableCharacters, 422),
    "half a UTF-16 letter": (b"\xff\xfe" + "a,b\n1,2\n".encode("utf-16-le") + b"x", tables.UnreadableCharacters, 422),
    "no text in any encoding": (b"a,b\n\x81\x8d,\xff\n", tables.UnreadableCharacters, 422),
    "a quotation mark left open": (b'a,b\n1,"2\n3,4\n', tables.BrokenText, 422),
    "a quotation mark inside": (b'a,b\n1,"x"y\n', tables.BrokenText, 422),
    "a PDF": (b"%PDF-1.7 ...", tables.NotASpreadsheet, 422),
    "a web page": (b"  <!DOCTYPE html><html>", tables.NotASpreadsheet, 422),
    "a picture": (b"\x89PNG\r\n\x1a\n", tables.NotASpreadsheet, 422),
    "another archive": (_packed({"readme.txt": b"x"}), tables.NotASpreadsheet, 422),
    "an old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, tables.OldWorkbook, 422),
    "half a workbook": (GOOD_BOOK[: len(GOOD_BOOK) // 2], tables.BrokenWorkbook, 422),
    "a damaged workbook": (GOOD_BOOK.replace(b"sheet1.xml", b"sheet9.xml"), tables.BrokenWorkbook, 422),
    "a broken sheet": (_with_sheet(b"<worksheet><sheetData><row"), tables.BrokenWorkbook, 422),
    "letters after PK": (b"PK\x03\x04 no archive", tables.BrokenWorkbook, 422),
    "a zip bomb": (
        _packed({"xl/workbook.xml": b"<x/>", "xl/bomb.xml": b"0" * 60_000_000}),
        tables.UnpacksTooLarge,
        413,
    ),
    "a zip bomb that lies": (_lying(), tables.BrokenWorkbook, 422),
    "cells too far apart": (_far_apart(), tables.TooManyCells, 413),
    "10 MB in a cell": (b"a,b\n1," + b"x" * 10_000_000 + b"\n", tables.CellTooLong, 413),
    "a long cell": (b"a,b\n1," + b"x" * 100_001 + b"\n", tables.CellTooLong, 413),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_refused_in_a_sentence(name: str) -> None:
    content, error, status = REFUSED[name]
    with pytest.raises(error) as refusal:
        read_table(content)
    assert refusal.value.status == status
    assert str(refusal.value)


@pytest.mark.parametrize(
    ("limits", "content"),
    [
        (Limits(file_bytes=10), b"a,b\n1,2\n3,4\n"),
        (Limits(rows=2), b"a\n1\n2\n3\n"),
        (Limits(columns=2), b"a,b,c\n1,2,3\n"),
        (Limits(columns=2), b"a,b\n1,2,3\n"),
        (Limits(columns=2), workbook(["a", "b", "c"], [1, 2, 3])),
        (Limits(rows=1), workbook(["a"], [1], [2], [3])),
    ],
)
def test_each_limit_is_kept(limits: Limits, content: bytes) -> None:
    with pytest.raises(TooLarge) as refusal:
        read_table(content, limits)
    assert "%(" not in str(refusal.value)


def test_what_we_write_for_correction_is_read_back_the_same() -> None:
    rows = [["a", "b"], ["=1+1", "'-x"], ["00100", 'say "x";\ny'], ["+39", "è €"]]
    text = "".join(writing.write_csv(rows)).encode()
    file = io.BytesIO()
    writing.write_xlsx(file, rows, "Prova")
    for table in (read_table(text), read_table(file.getvalue())):
        assert [table.headings, *(cells for _number, cells in table.rows)] == rows
