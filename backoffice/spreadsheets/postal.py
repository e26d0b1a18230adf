"""Italian addresses written in one piece, taken apart into street, CAP, municipality and province."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l

from backoffice.errors import Text


@dataclass(frozen=True)
class Postal:
    """The four columns of an address. ``note`` explains what somebody should look at; None: nothing."""

    street: str
    postal_code: str | None = None
    city: str | None = None
    province: str | None = None
    note: Text | None = None


NO_CAP: Text = _l("The address could not be taken apart: it has no CAP of 5 digits. It stands as it was in the street.")
NO_CITY: Text = _l(
    "The address could not be taken apart: no municipality follows the CAP. It stands as it was in the street."
)
NO_PROVINCE: Text = _l("The address could not be taken apart: no province ends it. It stands as it was in the street.")
NO_STREET: Text = _l("The address has no street: only CAP, municipality and province were taken from it.")
NO_NAME: Text = _l("The street is written without a single letter: it should be looked at.")
TURNED: Text = _l("Street and municipality stood in each other's place and were exchanged.")

_COUNTRY = re.compile(r"[\s,;-]*\b(?:italy|italia|it)\.?$", re.IGNORECASE)
_PROVINCE = re.compile(r"[\s,;-]*(?:\(\s*([A-Za-z]{2})\s*\)|(?<=[\s,;-])([A-Z]{2}))$")
#: Words that begin a street and hardly ever a municipality.
_WAY = re.compile(
    r"(?:via|viale|v|piazza|p\.?zza|piazzale|corso|largo|vicolo|strada|localita|loc|frazione|fraz|contrada)\b",
    re.IGNORECASE,
)
_FIVE_DIGITS = re.compile(r"(?<!\d)(?!00000)\d{5}(?!\d)")
#: ``I-38100`` and ``CAP 38100``.
_CAP_MARK = re.compile(r"(?:\b(?:I|IT)-|\bCAP[\s.:]*)$", re.IGNORECASE)
_BETWEEN = " ,;-–"


def split_address(raw: str) -> Postal:
    """Return the parts of an address such as ``Via Roma 12 - 38100 Trento (TN) Italy``.

    Never fails: what cannot be taken apart comes back whole as the street, with a note that says why.
    """
    whole = _tidy(raw)
    rest = _COUNTRY.sub("", whole)
    found = _PROVINCE.search(rest)
    if found is None:
        return Postal(whole, note=NO_PROVINCE if _FIVE_DIGITS.search(whole) else NO_CAP)
    province = (found[1] or found[2]).upper()
    parts = _last_cap(rest[: found.start()])
    if parts is None:
        return Postal(whole, note=NO_CAP)
    street, postal_code, city = parts
    city = _without_province(city, province)
    if not city:
        return Postal(whole, note=NO_CITY)
    note: Text | None = None
    if _is_street(city) and not _is_street(street):
        if not street:
            return Postal(whole, note=NO_CITY)
        street, city, note = city, street, TURNED
    street = _without_repetition(street, postal_code, city, province)
    if note is None and not re.search(r"[^\W\d]", street):
        note = NO_NAME if street else NO_STREET
    return Postal(street, postal_code, city, province, note)


def _tidy(raw: str) -> str:
    """Drop doubled spaces and the backslashes that exports leave before apostrophes."""
    return " ".join(raw.replace("\\", "").split()).strip(_BETWEEN)


def _is_street(text: str) -> bool:
    return bool(_WAY.match(text) or re.search(r"\d", text))


def _last_cap(text: str) -> tuple[str, str, str] | None:
    """Return what stands before the last five digits, the digits, and what stands behind them."""
    places = list(_FIVE_DIGITS.finditer(text))
    if not places:
        return None
    last = places[-1]
    before = _CAP_MARK.sub("", text[: last.start()])
    return before.strip(_BETWEEN), last[0], text[last.end() :].strip(_BETWEEN)


def _without_province(city: str, province: str) -> str:
    """Drop the province where it is written twice: ``Oratino (cb) (CB)``."""
    return re.sub(rf"\s*\({province}\)$", "", city, flags=re.IGNORECASE).strip()


def _without_repetition(street: str, postal_code: str, city: str, province: str) -> str:
    """Drop CAP, municipality and province where the street repeats them at its end.

    A bare municipality counts only behind a dash: ``Piazza Udine`` is a street, ``Via Roma 6 - Udine`` repeats.
    """
    if city.casefold() not in street.casefold():
        return street
    words = r"\s*".join(re.escape(word) for word in city.split())
    mark = rf"\(?{province}\)?"
    for pattern in (
        rf"[\s.,;-]+{postal_code}\s*-?\s*{words}(?:\s*{mark})?$",
        rf"[\s.,;-]+{words}\s*\({province}\)$",
        rf"\s-\s+{words}$",
    ):
        shorter = re.sub(pattern, "", street, flags=re.IGNORECASE).strip(_BETWEEN)
        if shorter and shorter != street:
            return shorter
    return street
