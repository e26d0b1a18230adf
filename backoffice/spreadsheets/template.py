"""An empty sheet to fill in: headings with an example row, and beside it what each column takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO

from backoffice.spreadsheets.writing import new_workbook, sheet_name, write_rows

#: Rows of the sheet whose cells offer the allowed values.
_PREPARED_ROWS = 1000
#: Characters that a list offered in a cell may have, all values together.
_OFFERED = 250


@dataclass(frozen=True)
class Column:
    """A column of a template, all in words of the reader's language."""

    heading: str
    #: What it holds: text, date, choice ...
    kind: str
    required: str
    #: How a value is written.
    form: str
    #: The values it takes, where they are a closed list.
    allowed: tuple[str, ...]
    example: str
    #: Digits at its front count, so that its cells must be text.
    is_text: bool

    @property
    def described(self) -> list[str]:
        return [self.heading, self.kind, self.required, self.form, ", ".join(self.allowed)]


def write_template(
    file: IO[bytes], columns: Sequence[Column], *, title: str, notes_title: str, notes_headings: list[str]
) -> None:
    """Write the workbook: the sheet to fill in, which imports read, and the notes behind it."""
    workbook = new_workbook(file)
    sheet = workbook.add_worksheet(sheet_name(title))
    sheet.freeze_panes(1, 0)
    bold, as_text = workbook.add_format({"bold": True}), workbook.add_format({"num_format": "@"})
    for place, column in enumerate(columns):
        sheet.set_column(place, place, max(12, min(40, len(column.heading) + 4)), as_text if column.is_text else None)
        if column.allowed and len(",".join(column.allowed)) <= _OFFERED:
            choice = {"validate": "list", "source": list(column.allowed), "error_type": "warning"}
            sheet.data_validation(1, place, _PREPARED_ROWS, place, choice)
    for place, column in enumerate(columns):
        sheet.write_string(0, place, column.heading, bold)
    for place, column in enumerate(columns):
        sheet.write_string(1, place, column.example)
    notes = write_rows(workbook, notes_title, [notes_headings, *(column.described for column in columns)])
    notes.set_column(0, 2, 18)
    notes.set_column(3, 4, 60)
    workbook.close()
