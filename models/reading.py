"""How text that people typed is read, cleaned and compared."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, time
from decimal import Decimal, InvalidOperation
from typing import Any

from flask_babel import lazy_gettext as _l

from backoffice.errors import Text

#: The largest whole number a column holds, keys included.
LARGEST_INTEGER = 2_147_483_647


class BadValue(ValueError):
    """A value cannot be read; ``text`` says why, for people."""

    def __init__(self, text: Text, **values: Any) -> None:
        super().__init__()
        self.text = text
        self.values = values

    def __str__(self) -> str:
        return str(self.text) % self.values if self.values else str(self.text)


#: Apostrophes people type for each other, and the accent written as one (``comunita'``).
_APOSTROPHES = re.compile("['’‘`´]")


_NOT_TEXT = re.compile(r"[^\w\s@.+/&-]+")


def fold(text: str) -> str:
    """Return ``text`` as searching and sorting compare it: no case, accents, apostrophes or double spaces."""
    plain = unicodedata.normalize("NFKD", _APOSTROPHES.sub("", text))
    plain = "".join(c for c in plain if not unicodedata.combining(c)).casefold()
    return " ".join(_NOT_TEXT.sub(" ", plain).split())


#: Characters that no database text may hold, or that break what is printed; the last two no XML, so no workbook.
UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def clean_text(raw: str, *, lines: bool = False) -> str:
    """Return ``raw`` trimmed and in NFC, or raise ``BadValue`` for control characters and lone surrogates."""
    if UNSTORABLE.search(raw):
        raise BadValue(_l("It contains characters that cannot be stored."))
    text = unicodedata.normalize("NFC", raw.replace("\r\n", "\n").replace("\r", "\n"))
    return text.strip() if lines else " ".join(text.split())


def parse_decimal(raw: str, *, places: int, digits: int) -> Decimal:
    """Read ``1.234,56`` or ``1234.56``; raise ``BadValue`` for anything else or for too many digits."""
    text = re.sub(r"[\s'’]", "", clean_text(raw)).replace("−", "-")
    if "," in text:
        text = text.replace(".", "").replace(",", ".") if re.fullmatch(r"-?[\d.]+,\d+", text) else "?"
    elif re.fullmatch(r"-?\d{1,3}(\.\d{3})+", text):
        text = text.replace(".", "")
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        raise BadValue(_l("This is not a number: write it as 1.234,56.")) from error
    # abs() would fail where the number is beyond what arithmetic holds.
    if not value.is_finite() or value.copy_abs() >= 10**digits:
        raise BadValue(_l("This number is too large."))
    if value != round(value, places):
        raise BadValue(_l("At most %(places)s decimals."), places=places)
    return round(value, places)


def parse_integer(raw: str) -> int:
    """Read a whole number, thousands points allowed; raise ``BadValue`` otherwise or beyond 32 bits."""
    text = clean_text(raw).replace("−", "-")
    if re.fullmatch(r"-?\d{1,3}(\.\d{3})+", text):
        text = text.replace(".", "")
    if not re.fullmatch(r"-?\d{1,12}", text):
        raise BadValue(_l("This is not a whole number."))
    if abs(int(text)) > LARGEST_INTEGER:
        raise BadValue(_l("This number is too large."))
    return int(text)


def parse_date(raw: str) -> date:
    """Read ``31/12/2026``, ``31.12.2026``, ``31-12-26``, ``31 dic 2026`` or ``2026-12-31``; else raise ``BadValue``."""
    # Midnight is what other programs write behind a day without a time.
    text = re.sub(r"[ T]00?[:.]00([:.]00)?$", "", clean_text(raw))
    found = re.fullmatch(r"(\d{1,2})[/.\- ](\d{1,2}|[^\W\d]{3,12})[/.\- ] ?(\d{4}|\d{2})", text)
    try:
        if found:
            year = int(found[3]) + (2000 if len(found[3]) == 2 else 0)
            month = int(found[2]) if found[2].isdigit() else _month(found[2])
            day = date(year, month, int(found[1]))
        elif re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            day = date.fromisoformat(text)
        else:
            raise ValueError
    except ValueError as error:
        raise BadValue(_l("This is not a date: write it as 31/12/2026.")) from error
    if not 1900 <= day.year <= 2200:
        raise BadValue(_l("The year must lie between 1900 and 2200."))
    return day


_MONTHS = (
    ("gennaio", "january"), ("febbraio", "february"), ("marzo", "march"), ("aprile", "april"), ("maggio", "may"),
    ("giugno", "june"), ("luglio", "july"), ("agosto", "august"), ("settembre", "september"),
    ("ottobre", "october"), ("novembre", "november"), ("dicembre", "december"),
)  # fmt: skip


def _month(word: str) -> int:
    """Return the month that an Italian or English word begins; raise ``ValueError`` where none does."""
    begins = [any(name.startswith(fold(word)) for name in names) for names in _MONTHS]
    return begins.index(True) + 1


def parse_time(raw: str) -> time:
    """Read ``8:30``, ``08.30`` or ``08:30:00``; raise ``BadValue`` otherwise."""
    found = re.fullmatch(r"(\d{1,2})[:.](\d{2})(?::(\d{2}))?", clean_text(raw))
    if not found or int(found[1]) > 23 or int(found[2]) > 59 or int(found[3] or 0) > 59:
        raise BadValue(_l("This is not a time: write it as 15:25."))
    return time(int(found[1]), int(found[2]), int(found[3] or 0))


_YES = {"1", "si", "sì", "s", "yes", "y", "true", "vero", "on", "x"}


_NO = {"0", "no", "n", "false", "falso", "off", ""}


def parse_boolean(raw: str) -> bool:
    """Read sì and no as Italians and spreadsheets write them."""
    text = clean_text(raw).lower()
    if text in _YES:
        return True
    if text in _NO:
        return False
    raise BadValue(_l("Write yes or no."))
