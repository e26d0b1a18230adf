"""Codes for invented companies and people: valid in form, and assigned to nobody.

A partita IVA counts seven digits up within each tax office and will not reach 9900001; no municipality has
the cadastral code M999; no bank has the ABI 99999; no Italian subscriber's number begins with 0 and no
mobile network has the prefix 399.
"""

from __future__ import annotations

from datetime import date

from stdnum import luhn
from stdnum.iso7064 import mod_97_10
from stdnum.it import codicefiscale

#: The last serial that a tax office may give out: invented ones come after it.
LAST_REAL_SERIAL = 9_900_000
#: A birthplace that does not exist.
NOWHERE = "M999"
_MONTHS = "ABCDEHLMPRST"
#: Letters that stand for digits where two people would have the same code (omocodia).
_OMOCODIA = "LMNPQRSTUV"
_CONSONANTS = "BCDFGHJKLMNPQRSTVWXYZ"


def vat_number(serial: int, office: str) -> str:
    """Return the partita IVA with the given serial above those in use, of the tax office ``office`` (three digits)."""
    body = f"{LAST_REAL_SERIAL + serial:07d}{office}"
    return body + luhn.calc_check_digit(body)


def personal_tax_code(first_name: str, last_name: str, born_on: date, *, woman: bool, doubled: bool = False) -> str:
    """Return a personal codice fiscale; ``doubled`` makes it one of those changed for omocodia."""
    day = born_on.day + (40 if woman else 0)
    body = _surname(last_name) + _name(first_name) + f"{born_on:%y}{_MONTHS[born_on.month - 1]}{day:02d}" + NOWHERE
    if doubled:
        body = body[:-1] + _OMOCODIA[int(body[-1])]
    return body + codicefiscale.calc_check_digit(body)


def _letters(text: str) -> tuple[str, str]:
    upper = [letter for letter in text.upper() if letter.isascii() and letter.isalpha()]
    consonants = "".join(letter for letter in upper if letter in _CONSONANTS)
    return consonants, "".join(letter for letter in upper if letter not in _CONSONANTS)


def _surname(text: str) -> str:
    consonants, vowels = _letters(text)
    return (consonants + vowels + "XXX")[:3]


def _name(text: str) -> str:
    consonants, vowels = _letters(text)
    if len(consonants) > 3:
        consonants = consonants[0] + consonants[2:4]
    return (consonants + vowels + "XXX")[:3]


def iban(account: int) -> str:
    """Return an Italian IBAN at a bank that does not exist."""
    body = f"9999901600{account:012d}"
    control = _control_letter(body)
    return f"IT{mod_97_10.calc_check_digits(f'{control}{body}IT')}{control}{body}"


def _control_letter(body: str) -> str:
    """Return the CIN: odd places count by a table of their own."""
    odd = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21)
    return chr(ord("A") + sum(int(c) if place % 2 else odd[int(c)] for place, c in enumerate(body)) % 26)


def landline(area: str, serial: int) -> str:
    """Return a telephone number of the area with a subscriber's part that begins with 0."""
    return f"+39{area}0{serial:05d}"


def mobile(serial: int) -> str:
    """Return a mobile number of a network that does not exist."""
    return f"+39399{serial:07d}"
