"""Workbooks and CSV files of ours: never a formula, opened right by Italian Excel, in memory that does not grow."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import IO, Any

import xlsxwriter

from backoffice.spreadsheets.text import protect_text

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

#: Rows go to disk as they are written; text that looks like a formula, number or link stays text.
_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


def new_workbook(target: str | IO[bytes]) -> Any:
    """Return a workbook to be written row after row, and closed."""
    return xlsxwriter.Workbook(target, _OPTIONS)


def sheet_name(title: str, number: int = 0) -> str:
    """Return ``title`` as a sheet may be called, in 31 characters; further sheets of one list have their number."""
    name = "".join(c for c in title if c not in "[]:*?/\\'")
    return f"{name[:25]} {number + 1}" if number else name[:31].rstrip()


def write_csv(rows: Iterable[list[str]]) -> Iterator[str]:
    """Yield a CSV that Italian Excel opens right: byte order mark, semicolons, texts that are no formulas."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=";", lineterminator="\r\n")
    buffer.write("\ufeff")
    for row in rows:
        writer.writerow([protect_text(cell) for cell in row])
        if buffer.tell() > 32_000:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def write_rows(workbook: Any, title: str, rows: Iterable[list[str]]) -> Any:
    """Add a sheet of text cells, headings frozen, and return it."""
    sheet = workbook.add_worksheet(sheet_name(title))
    sheet.freeze_panes(1, 0)
    bold = workbook.add_format({"bold": True})
    for number, row in enumerate(rows):
        for place, cell in enumerate(row):
            sheet.write_string(number, place, cell[:32_767], bold if number == 0 else None)
    return sheet


def write_xlsx(file: IO[bytes], rows: Iterable[list[str]], title: str) -> None:
    """Write a workbook of one sheet of text cells."""
    workbook = new_workbook(file)
    write_rows(workbook, title, rows)
    workbook.close()
