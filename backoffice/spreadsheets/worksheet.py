"""The first sheet of a workbook as rows of text: a program of its own.

``workbook.py`` runs it apart from the server, because a small file can claim cells so far apart that
reading it takes all memory there is: here that ends this process and nothing else. It therefore imports
nothing of the project. Standard input is the file, the arguments are the limits; standard output is one
JSON object, or nothing where the exit code says why.
"""

from __future__ import annotations

import datetime
import io
import json
import sys
from typing import Any

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

BROKEN, TOO_FAR, NO_SHEET = 3, 4, 5


def cell_text(value: Any) -> str:
    """Return a typed cell as a person would write it: whole numbers without decimals, dates as ISO 8601."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else f"{value:.15g}".replace(".", ",")
    if isinstance(value, datetime.datetime):
        return value.isoformat(" ", "seconds") if value.time() != datetime.time() else value.date().isoformat()
    if isinstance(value, datetime.time):
        return value.isoformat("minutes" if not value.second else "seconds")
    if isinstance(value, datetime.timedelta):
        minutes = round(value.total_seconds() / 60)
        return f"{minutes // 60}:{minutes % 60:02d}"
    return "" if value is None else str(value)


def first_sheet(workbook: CalamineWorkbook) -> CalamineSheet | None:
    """Return the first visible sheet with cells, else the first visible one."""
    found: CalamineSheet | None = None
    for position, about in enumerate(workbook.sheets_metadata):
        if about.visible != SheetVisibleEnum.Visible or about.typ != SheetTypeEnum.WorkSheet:
            continue
        sheet = workbook.get_sheet_by_index(position)
        if sheet.end is not None:
            return sheet
        found = found or sheet
    return found


def visible_sheets(workbook: CalamineWorkbook) -> list[CalamineSheet]:
    """Return all visible sheets in their order."""
    return [
        workbook.get_sheet_by_index(position)
        for position, about in enumerate(workbook.sheets_metadata)
        if about.visible == SheetVisibleEnum.Visible and about.typ == SheetTypeEnum.WorkSheet
    ]


def records_of(sheet: CalamineSheet) -> list[list[str]]:
    """Return the rows of a sheet, blank ones in front included."""
    records = [[cell_text(value) for value in row] for row in sheet.iter_rows()]
    blank_rows = sheet.start[0] if sheet.start and len(records) <= sheet.end[0] else 0  # type: ignore[index]
    return [[]] * blank_rows + records


def main(memory: int, seconds: int, rows: int, columns: int, every: int) -> int:
    """Write the workbook on standard input to standard output: its first sheet, or all of them with ``every``.

    Returns the exit code.
    """
    try:
        import resource  # only on Unix; elsewhere the caller's time limit has to do
    except ImportError:
        pass
    else:
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(sys.stdin.buffer.read()))
        first = None if every else first_sheet(workbook)
        sheets = visible_sheets(workbook) if every else [first] if first is not None else []
        if not sheets:
            return NO_SHEET
        if any(sheet.end is not None and (sheet.end[0] > rows or sheet.end[1] >= columns) for sheet in sheets):
            return TOO_FAR
        found = [{"name": sheet.name, "records": records_of(sheet)} for sheet in sheets]
    except CalamineError:
        return BROKEN
    json.dump(found, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main(*(int(argument) for argument in sys.argv[1:])))
