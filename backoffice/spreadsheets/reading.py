"""A file somebody uploaded, whatever it is, into a table or a clear refusal."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from backoffice.errors import TooLarge
from backoffice.spreadsheets.headings import Knows
from backoffice.spreadsheets.tables import LIMITS, EmptyFile, Limits, NotASpreadsheet, OldWorkbook, Table
from backoffice.spreadsheets.text import read_text
from backoffice.spreadsheets.workbook import read_workbook

_ARCHIVE = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OTHERS = (
    b"%PDF",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"Rar!",
    b"7z\xbc\xaf",
    b"\x1f\x8b",
    b"MZ",
    b"\x7fELF",
    b"{\\rtf",
)
_MARKUP = (b"<!doctype", b"<html", b"<?xml")


def read_table(content: bytes, limits: Limits = LIMITS, *, knows: Knows | None = None) -> Table:
    """Return the table in a CSV or XLSX file, told apart by their content and never by their name.

    ``knows`` recognises the names of columns where titles stand above them.

    Raises ``FileRefused`` for what is empty, damaged or another kind of file, ``TooLarge`` beyond the limits.
    """
    if len(content) > limits.file_bytes:
        raise TooLarge(limit=_l("%(count)s MB", count=limits.file_bytes // (1024 * 1024)))
    if not content.strip():
        raise EmptyFile
    if content.startswith(_ARCHIVE):
        return read_workbook(content, limits, knows=knows)
    if content.startswith(_OLE):
        raise OldWorkbook
    if content.startswith(_OTHERS) or content[:200].lstrip().lower().startswith(_MARKUP):
        raise NotASpreadsheet
    return read_text(content, limits, knows=knows)
