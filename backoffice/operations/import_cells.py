"""What a spreadsheet has made of a value, put back to what people write: zeros in front, days as numbers, hours."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from flask_babel import gettext as _

from models.catalogue import Field, Kind
from models.reading import BadValue, fold

#: Days as spreadsheet programs count them, from 1954 to 2119; with a part of a day behind the comma.
_SERIAL = re.compile(r"[2-7]\d{4}([.,]\d+)?")
_EPOCH = datetime.fromisoformat("1899-12-30")
_NUMBER = re.compile(r"-?\d{1,6}([.,]\d{1,4})?")
_HOURS = re.compile(r"\b(ore|ora|hours?|h|hh)\b")


def read_cell(field: Field, raw: str, heading: str) -> tuple[str, str | None]:
    """Return the text of a cell as people would write it for ``field``, and a remark where a spreadsheet had not.

    :raises BadValue: hours and minutes cannot be told apart.
    """
    if field.kind in (Kind.date, Kind.datetime) and _SERIAL.fullmatch(raw):
        moment = _EPOCH + timedelta(days=float(raw.replace(",", ".")))
        shown = f"{moment:%d/%m/%Y}" if field.kind is Kind.date else f"{moment:%d/%m/%Y %H:%M}"
        return shown, _("The day was a number: it is read as %(value)s.", value=shown)
    if field.kind is Kind.minutes and _NUMBER.fullmatch(raw):
        return _read_hours(raw, fold(heading))
    whole = field.value_type.with_zeros(raw) if field.value_type is not None else raw
    return whole, zeros_restored(whole) if whole != raw else None


def _read_hours(raw: str, heading: str) -> tuple[str, str | None]:
    """A number alone is a length of time only where the heading says in what."""
    number = float(raw.replace(",", "."))
    if "minut" in heading:
        return f"{round(number)} min", None
    if not _HOURS.search(heading):
        raise BadValue(_("The number alone does not say whether these are hours or minutes: write 2:30."))
    minutes = round(abs(number) * 60)
    shown = f"{'-' if number < 0 else ''}{minutes // 60}:{minutes % 60:02d}"
    return shown, _("The heading says hours: it is read as %(value)s.", value=shown)


def zeros_restored(whole: str) -> str:
    """Return the remark about a code whose zeros in front a spreadsheet had taken off."""
    return _("The zeros in front were missing: it is read as %(value)s.", value=whole)
