"""What a spreadsheet file becomes once read, and the reasons for refusing one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from flask_babel import lazy_gettext as _l

from backoffice.errors import DomainError, Text, TooLarge
from backoffice.spreadsheets.headings import Knows, find_headings, name_columns

#: The number that a spreadsheet program shows beside a line, and its cells.
Line = tuple[int, list[str]]


@dataclass(frozen=True)
class Limits:
    """How large a file may be; each number keeps one upload from taking the whole machine."""

    file_bytes: int = 20 * 1024 * 1024
    rows: int = 200_000
    columns: int = 200
    #: As many as the longest text a field takes.
    cell_characters: int = 100_000
    #: Of a workbook, which is a packed archive: its size unpacked, and how many times larger that may be.
    unpacked_bytes: int = 250 * 1024 * 1024
    unpacked_ratio: int = 150
    #: Of the process that opens a workbook.
    memory_bytes: int = 2 * 1024**3
    seconds: int = 60


LIMITS = Limits()


@dataclass(frozen=True)
class Table:
    """A file as read: a row of headings, then numbered rows of text, each as wide as the headings or wider.

    Rows carry the number that a spreadsheet program shows beside them.
    """

    headings: list[str]
    rows: list[Line]
    #: What kind of file it was, in words people know: "CSV, UTF-8, semicolon" or "XLSX, Foglio1".
    form: str
    #: The lines down to the headings, as they were: titles, merged headings, and last the headings themselves.
    top: list[Line] = field(default_factory=list)


class FileRefused(DomainError):
    """A file cannot be imported as it is; nothing of it was kept."""

    template: ClassVar[Text] = _l("This file cannot be read.")


class EmptyFile(FileRefused):
    template = _l("The file is empty: it needs a row of headings.")


class NotASpreadsheet(FileRefused):
    template = _l(
        "This is not a CSV or XLSX file. Save it from your spreadsheet program as one of these and try again."
    )


class OldWorkbook(FileRefused):
    template = _l("This is a workbook of an older kind (XLS). Save it as XLSX or CSV and try again.")


class BrokenWorkbook(FileRefused):
    template = _l("This workbook is damaged or protected by a password: it cannot be opened.")


class BrokenText(FileRefused):
    template = _l("Row %(row)s cannot be read: a quotation mark is missing or in the wrong place.")


class UnreadableCharacters(FileRefused):
    template = _l("The file contains characters that are not text (row %(row)s). Save it again as CSV in UTF-8.")


class TooManyCells(TooLarge):
    template = _l(
        "The sheet reaches too far: some cell lies beyond what can be read. Delete the empty rows and columns."
    )


class UnpacksTooLarge(TooLarge):
    template = _l("This workbook unpacks to far more than it should: it was not opened.")


class CellTooLong(TooLarge):
    template = _l("Row %(row)s, column “%(column)s”: a cell holds at most %(limit)s characters.")


_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")


def make_table(records: list[list[str]], form: str, limits: Limits = LIMITS, *, knows: Knows | None = None) -> Table:
    """Return the table in ``records``: its headings are the line with most names that ``knows``, else the first.

    Raises ``EmptyFile``, ``TooLarge`` or ``CellTooLong``.
    """
    lines = [(number, cells) for number, cells in enumerate(records, start=1) if any(cell.strip() for cell in cells)]
    return cut_table(lines, find_headings([cells for _number, cells in lines], knows), form, limits)


def cut_table(lines: Sequence[Line], place: int, form: str, limits: Limits = LIMITS) -> Table:
    """Return the table whose headings are the line at ``place`` among ``lines``, of which none is blank.

    Missing cells are filled in, headings alone are a table without rows, and whatever exceeds the limits is refused.
    Raises ``EmptyFile``, ``TooLarge`` or ``CellTooLong``.
    """
    if not lines:
        raise EmptyFile
    top = [(number, list(cells)) for number, cells in lines[: place + 1]]
    number, found = top[-1]
    if not any(_CONTROL.sub("", cell).strip() for cell in found):
        raise UnreadableCharacters(row=number)
    above = _trimmed(top[-2][1], 0) if place else None
    headings = _named(_trimmed(name_columns(above, _trimmed(found, 0)), 0))
    _check_width(headings, limits)
    for number, cells in top[:-1]:
        _check_cells(number, cells, headings, limits)
    rows: list[Line] = []
    for number, record in lines[place + 1 :]:
        cells = _trimmed(record, len(headings))
        _check_cells(number, cells, headings, limits)
        rows.append((number, cells))
        if len(rows) > limits.rows:
            raise TooLarge(limit=_l("%(count)s rows", count=limits.rows))
    return Table(headings, rows, form, top)


def _trimmed(record: list[str], width: int) -> list[str]:
    """Return ``record`` at least ``width`` cells wide, without blank cells beyond."""
    cells = list(record)
    while len(cells) > width and not cells[-1].strip():
        cells.pop()
    return cells + [""] * (width - len(cells))


def _named(cells: list[str]) -> list[str]:
    """Return one different, printable name per column."""
    names: list[str] = []
    for position, cell in enumerate(cells, start=1):
        name = " ".join(_CONTROL.sub(" ", cell).split())[:100] or f"#{position}"
        wanted, again = name, 1
        while name in names:
            again += 1
            name = f"{wanted} ({again})"
        names.append(name)
    return names


def _check_width(cells: list[str], limits: Limits) -> None:
    if len(cells) > limits.columns:
        raise TooLarge(limit=_l("%(count)s columns", count=limits.columns))


def _check_cells(number: int, cells: list[str], headings: list[str], limits: Limits) -> None:
    _check_width(cells, limits)
    for position, cell in enumerate(cells):
        if len(cell) > limits.cell_characters:
            column = headings[position] if position < len(headings) else f"#{position + 1}"
            raise CellTooLong(row=number, column=column, limit=limits.cell_characters)
        if _CONTROL.search(cell):
            raise UnreadableCharacters(row=number)
