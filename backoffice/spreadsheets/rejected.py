"""Rows of text as a file that people can correct and import again."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import IO

import xlsxwriter

from backoffice.spreadsheets.text import protect_text

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


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


def write_xlsx(file: IO[bytes], rows: Iterable[list[str]], title: str) -> None:
    """Write a workbook of text cells, headings frozen; text that looks like a formula, number or link stays text."""
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    workbook = xlsxwriter.Workbook(file, options)
    sheet = workbook.add_worksheet(title[:31])
    sheet.freeze_panes(1, 0)
    bold = workbook.add_format({"bold": True})
    for number, row in enumerate(rows):
        for place, cell in enumerate(row):
            sheet.write_string(number, place, cell[:32_767], bold if number == 0 else None)
    workbook.close()
