"""Rows as text that is the same whichever database they come from: PostgreSQL's own format of COPY.

One row a line, fields between tabs, NULL as ``\\N``. Booleans are 1 and 0, instants UTC with six decimals.
"""

from __future__ import annotations

import enum
import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

NULL = "\\N"
_ESCAPES = {"\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}
_SPECIAL = re.compile("[\\\\\b\f\n\r\t\v]")
_ORIGINALS = {escaped: plain for plain, escaped in _ESCAPES.items()}
_ESCAPED = re.compile(r"\\.", re.DOTALL)


class Kind(enum.StrEnum):
    """What a column holds, as far as the two databases write it differently."""

    integer = enum.auto()
    number = enum.auto()
    boolean = enum.auto()
    text = enum.auto()
    instant = enum.auto()
    date = enum.auto()
    time = enum.auto()
    json = enum.auto()
    binary = enum.auto()


@dataclass(frozen=True)
class Column:
    """A column of a table; ``scale`` is the number of decimals of a ``number``."""

    name: str
    kind: Kind
    scale: int = 0


class Tally:
    """Counts rows and sums them up: two tables have the same sum when they hold the same values in the same order."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._documents = [place for place, column in enumerate(columns) if column.kind is Kind.json]
        self._sum = hashlib.sha256()
        self.rows = 0

    def add(self, line: bytes) -> None:
        # PostgreSQL keeps the meaning of JSON, not its text: so only the meaning counts.
        self._sum.update(_with_plain_json(line, self._documents) if self._documents else line)
        self.rows += 1

    @property
    def sum(self) -> str:
        return self._sum.hexdigest()


def escape(text: str) -> str:
    """Return text as a field of a line."""
    return _SPECIAL.sub(lambda found: _ESCAPES[found.group()], text)


def unescape(field: str) -> str | None:
    """Return the text of a field; None where it is NULL."""
    if field == NULL:
        return None
    return _ESCAPED.sub(lambda found: _ORIGINALS[found.group()], field) if "\\" in field else field


def writer_of(column: Column) -> Callable[[Any], str]:
    """Return what makes a field of a value as SQLite stores it (NULL apart)."""
    if column.kind is Kind.number:
        # Stored as a float where it has decimals: its shortest text is the exact amount.
        return lambda value: f"{Decimal(str(value)):.{column.scale}f}"
    if column.kind in (Kind.instant, Kind.time):
        return lambda value: value if "." in value else f"{value}.000000"
    if column.kind is Kind.binary:
        return lambda value: "\\\\x" + value.hex()
    return lambda value: escape(str(value))


def reader_of(column: Column) -> Callable[[str], Any]:
    """Return what makes a value for SQLite of a field: text, which the column's affinity turns into what it stores."""
    if column.kind is Kind.binary:
        return lambda field: None if field == NULL else bytes.fromhex(field.removeprefix("\\\\x"))
    return unescape


def _with_plain_json(line: bytes, places: list[int]) -> bytes:
    fields = line.rstrip(b"\n").split(b"\t")
    for place in places:
        text = unescape(fields[place].decode())
        if text is not None:
            document = json.loads(text, parse_int=_plain_number, parse_float=_plain_number)
            fields[place] = json.dumps(document, sort_keys=True).encode()
    return b"\t".join(fields)


def _plain_number(text: str) -> str:
    return f"number {Decimal(text).normalize():f}"
