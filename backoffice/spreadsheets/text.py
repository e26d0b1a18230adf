"""CSV files as people send them: whatever encoding and separator their program chose."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Sequence

from flask_babel import lazy_gettext as _l

from backoffice.errors import Text
from backoffice.spreadsheets.headings import Knows
from backoffice.spreadsheets.tables import (
    LIMITS,
    BrokenText,
    CellTooLong,
    Limits,
    Table,
    UnreadableCharacters,
    make_table,
)

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
_SEPARATORS: dict[str, Text] = {",": _l("comma"), ";": _l("semicolon"), "\t": _l("tab")}
#: Text that a spreadsheet program would run as a formula gets an apostrophe in our files, and so does text that
#: already begins with one before such a character: then exactly one comes off when a file is read.
_DANGEROUS = re.compile(r"'*[=+\-@\t\r]")
_SUSPICIOUS = frozenset("'=+-@\t\r")
_PROTECTED = re.compile(r"'+[=+\-@\t\r]")


def read_text(content: bytes, limits: Limits = LIMITS, *, knows: Knows | None = None) -> Table:
    """Return the table in a CSV file; raise ``FileRefused`` or ``TooLarge`` with the reason."""
    text, encoding = decode(content)
    separator, text = _declared_separator(text)
    separator = separator or guess_separator(text)
    records = [[restore_text(cell) for cell in record] for record in _records(text, separator, limits)]
    return make_table(records, f"CSV, {encoding}, {_SEPARATORS[separator]}", limits, knows=knows)


def decode(content: bytes) -> tuple[str, str]:
    """Return the text and the name of its encoding: by its mark, else UTF-8, else Windows-1252.

    Raises ``UnreadableCharacters`` where none of them fits.
    """
    for mark, codec, name in _BOMS:
        if content.startswith(mark):
            return _decoded(content, codec), name
    if codec_without_mark := _utf16_without_mark(content[:2000]):
        return _decoded(content, codec_without_mark), "UTF-16"
    try:
        return content.decode("utf-8"), "UTF-8"
    except UnicodeDecodeError:
        return _decoded(content, "cp1252"), "Windows-1252"


def _decoded(content: bytes, codec: str) -> str:
    try:
        return content.decode(codec)
    except UnicodeDecodeError as error:
        raise UnreadableCharacters(row=content.count(b"\n", 0, error.start) + 1) from error


def _utf16_without_mark(sample: bytes) -> str | None:
    """Recognise UTF-16 by the zero byte beside nearly every Latin letter."""
    pairs = len(sample) // 2
    if pairs and sample[1::2].count(0) > 0.7 * pairs and not sample[0::2].count(0):
        return "utf-16-le"
    if pairs and sample[0::2].count(0) > 0.7 * pairs and not sample[1::2].count(0):
        return "utf-16-be"
    return None


def _declared_separator(text: str) -> tuple[str | None, str]:
    """Take off the first line ``sep=;`` that Excel understands."""
    found = re.match(r'"?sep=([,;\t])"?\r?\n', text, re.IGNORECASE)
    return (found[1], text[found.end() :]) if found else (None, text)


def guess_separator(text: str) -> str:
    """Return the separator that cuts the first rows into the most columns of the same number."""
    sample = text[:65536]
    if len(text) > len(sample):
        sample = sample[: sample.rfind("\n") + 1] or sample

    def agreement(separator: str) -> tuple[float, int]:
        try:
            records = list(csv.reader(io.StringIO(sample, newline=""), delimiter=separator))
        except csv.Error:
            return (0, 0)
        widths = [len(record) for record in records if record][:200]
        # Titles above the headings are narrower: what most rows agree on counts.
        usual = max(set(widths), key=lambda width: (widths.count(width), width), default=1)
        if usual == 1:
            return (0, 0)
        return (round(widths.count(usual) / len(widths), 1), usual)

    return max(_SEPARATORS, key=agreement)


def _records(text: str, separator: str, limits: Limits) -> list[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    records: list[list[str]] = []
    try:
        for record in reader:
            records.append(record)
            if len(records) > 2 * limits.rows:
                break
    except csv.Error as error:
        if "field limit" in str(error):
            raise CellTooLong(row=len(records) + 1, column="?", limit=limits.cell_characters) from error
        raise BrokenText(row=len(records) + 1) from error
    return records


def protect_text(cell: str) -> str:
    """Return ``cell`` so that no spreadsheet program takes it for a formula."""
    return f"'{cell}" if _DANGEROUS.match(cell) else cell


def protect_texts(cells: Sequence[str]) -> list[str]:
    """Return many cells as ``protect_text`` does; nearly all of them are harmless by their first character."""
    return [protect_text(cell) if cell[:1] in _SUSPICIOUS else cell for cell in cells]


def restore_text(cell: str) -> str:
    """Take off exactly the apostrophe that ``protect_text`` put there."""
    return cell[1:] if _PROTECTED.match(cell) else cell
