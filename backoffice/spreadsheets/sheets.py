"""Long workbooks: rows written as the XML of a sheet, several times as fast as a library writes cell after cell.

xlsxwriter makes the frame (headings, widths, formats, all other parts of the file); only the rows are ours. They go
straight into the archive, so memory does not grow; texts stand in their cells and are never formulas.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from html import escape
from pathlib import Path
from typing import Any

from xlsxwriter.utility import xl_col_to_name

from backoffice.spreadsheets.writing import new_workbook, sheet_name

#: Rows a sheet can hold, its heading not counted.
SHEET_ROWS = 1_048_575
#: Characters a cell can hold.
CELL_TEXT = 32_767
#: What XML cannot hold is written by its number, and so is what only looks as if it were.
_UNWRITABLE = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]|_x[0-9a-fA-F]{4}_")
#: Fast enough that packing does not take longer than writing, and hardly larger.
_PACKING = 3
#: Texts that stand in XML as they are: no space at the ends, nothing to escape.
_PLAIN = re.compile(
    r"[^\s&<>_\x00-\x1f\ufffe\uffff](?:[^&<>_\x00-\x1f\ufffe\uffff]*[^\s&<>_\x00-\x1f\ufffe\uffff])?"
).fullmatch
#: The values of some rows, column by column, and what writes those of one column.
Batch = Sequence[Sequence[Any]]
Cells = Callable[[Sequence[Any], range], list[str]]
_END = b"</sheetData>"
_FIRST_DAY = date(1899, 12, 31)


@dataclass(frozen=True)
class SheetColumn:
    """One column: its heading, its width in characters, how Excel shows its numbers (empty: as they are), and what
    a value stands there as: text, or a number written out. None and the empty text leave the cell empty.
    """

    heading: str
    width: float
    number_format: str
    written: Callable[[Any], str]
    is_text: bool


def write_sheets(path: Path, title: str, columns: Sequence[SheetColumn], batches: Iterable[Batch]) -> None:
    """Write a workbook with a frozen heading; a list too long for one sheet goes on on further ones.

    Each of ``batches`` is the values of some rows, column by column.
    """
    first, further = _frame(title, columns, 2)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=_PACKING) as archive:
        cells, source, count = _cells(columns, first), Lines(batches), 0
        while source.left or not count:
            count += 1
            with archive.open(_part(count), "w", force_zip64=True) as sheet:
                head, tail = (first if count == 1 else further).split(_END)
                sheet.write(head)
                _write_rows(sheet, cells, source)
                sheet.write(_END + tail)
        with zipfile.ZipFile(_workbook(title, columns, count)) as frame:
            for name in frame.namelist():
                if not name.startswith("xl/worksheets/sheet"):
                    archive.writestr(name, frame.read(name))


def serial(value: date | time) -> str:
    """Return a day, a time or an instant without a zone as the number that Excel counts it by."""
    if isinstance(value, time):
        return _number(_part_of_day(value))
    days = (value.toordinal() - _FIRST_DAY.toordinal()) + (_part_of_day(value) if isinstance(value, datetime) else 0)
    return _number(days + 1 if days > 59 else days)  # for Excel, 1900 had a 29 February


def _part_of_day(value: datetime | time) -> float:
    return (value.hour * 3600 + value.minute * 60 + value.second + value.microsecond / 1e6) / 86_400


def _number(value: float) -> str:
    return f"{value:.16G}"


def minutes_serial(value: int) -> str:
    """Return minutes as the part of a day that Excel shows as hours and minutes."""
    return _number(value / 1440)


def _write_rows(sheet: Any, cells: Sequence[Cells], source: Lines) -> None:
    """Write the rows of one sheet, from its second line on, as long as there are any and it has room."""
    number = 2
    while number < SHEET_ROWS + 2 and (batch := source.take(SHEET_ROWS + 2 - number)):
        numbers = range(number, number + len(batch[0]))
        lines = zip(*(write(values, numbers) for write, values in zip(cells, batch, strict=True)), strict=True)
        rows = [f'<row r="{place}">{"".join(line)}</row>' for place, line in zip(numbers, lines, strict=True)]
        sheet.write("".join(rows).encode())
        number = numbers.stop


class Lines:
    """Batches that a sheet takes from as far as it has room."""

    def __init__(self, batches: Iterable[Batch]) -> None:
        self._batches = iter(batches)
        self._waiting: Batch | None = next(self._batches, None)

    @property
    def left(self) -> bool:
        return self._waiting is not None

    def take(self, most: int) -> Batch:
        """Return the next batch, or the part of it that there is room for; empty at the end."""
        batch = self._waiting
        if batch is None:
            return ()
        if len(batch[0]) > most:
            self._waiting = [values[most:] for values in batch]
            return [values[:most] for values in batch]
        self._waiting = next(self._batches, None)
        return batch


def _cells(columns: Sequence[SheetColumn], sheet: bytes) -> list[Cells]:
    """Return by column what writes its cells; the formats' numbers stand in the frame's columns."""
    # Neighbours that are alike are one entry there.
    ranges = re.findall(r'<col min="(\d+)" max="(\d+)"[^>]*? style="(\d+)"', sheet.decode())
    styles = {place: style for low, high, style in ranges for place in range(int(low), int(high) + 1)}
    found = []
    for place, column in enumerate(columns):
        style = styles.get(place + 1, "")
        make = _text_cells if column.is_text else _number_cells
        found.append(make(xl_col_to_name(place), f' s="{style}"' if style else "", column.written))
    return found


def _text_cells(letter: str, style: str, written: Callable[[Any], str]) -> Cells:
    head, middle, tail = f'<c r="{letter}', f'"{style} t="inlineStr"><is><t', "</t></is></c>"

    def write(values: Sequence[Any], numbers: range) -> list[str]:
        texts = ["" if value is None else _escaped(written(value)) for value in values]
        return [f"{head}{n}{middle}{text}{tail}" if text else "" for text, n in zip(texts, numbers, strict=True)]

    return write


def _escaped(text: str) -> str:
    """Return a text as it stands in the XML of a cell, with the end of the tag before it; empty for the empty text."""
    if not text:
        return ""
    if len(text) > CELL_TEXT:
        text = f"{text[: CELL_TEXT - 1]}…"
    if not _PLAIN(text):
        text = escape(_UNWRITABLE.sub(_by_number, text), quote=False)
        if text[0].isspace() or text[-1].isspace():
            return f' xml:space="preserve">{text}'
    return f">{text}"


def _number_cells(letter: str, style: str, written: Callable[[Any], str]) -> Cells:
    head, middle, tail = f'<c r="{letter}', f'"{style}><v>', "</v></c>"

    def write(values: Sequence[Any], numbers: range) -> list[str]:
        return [
            "" if value is None else f"{head}{n}{middle}{written(value)}{tail}"
            for value, n in zip(values, numbers, strict=True)
        ]

    return write


def _by_number(found: re.Match[str]) -> str:
    text = found[0]
    return f"_x005F{text}" if len(text) > 1 else f"_x{ord(text):04X}_"


def _part(number: int) -> str:
    return f"xl/worksheets/sheet{number}.xml"


def _frame(title: str, columns: Sequence[SheetColumn], count: int) -> list[bytes]:
    """Return the first sheets of a workbook without rows; how far they go is for the rows to show."""
    with zipfile.ZipFile(_workbook(title, columns, count)) as frame:
        return [re.sub(b"<dimension[^>]*/>", b"", frame.read(_part(number + 1))) for number in range(count)]


def _workbook(title: str, columns: Sequence[SheetColumn], count: int) -> io.BytesIO:
    file = io.BytesIO()
    workbook = new_workbook(file)
    bold = workbook.add_format({"bold": True})
    kinds = {column.number_format for column in columns} - {""}
    formats = {kind: workbook.add_format({"num_format": kind}) for kind in sorted(kinds)}
    for number in range(count):
        sheet = workbook.add_worksheet(sheet_name(title, number))
        sheet.freeze_panes(1, 0)
        for place, column in enumerate(columns):
            sheet.set_column(place, place, column.width, formats.get(column.number_format))
            sheet.write_string(0, place, column.heading, bold)
    workbook.close()
    file.seek(0)
    return file
