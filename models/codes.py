"""Codes of fixed form: those of tax office, tenders, banks, and our own; stored as text, checked by their rules."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Any, ClassVar

from babel import Locale
from flask_babel import get_locale
from flask_babel import lazy_gettext as _l
from stdnum import iban as stdnum_iban
from stdnum.eu import vat as eu_vat
from stdnum.exceptions import ValidationError
from stdnum.it import codicefiscale, iva

from backoffice.errors import Text
from models.reading import BadValue, clean_text, fold
from models.values import ITALIAN, ValueType


def _code(raw: str, *, without: str = r"[\s.\-]") -> str:
    """Return a typed code in capitals, without what people put between its signs and full-width letters made plain."""
    return re.sub(without, "", unicodedata.normalize("NFKC", clean_text(raw))).upper()


class Code(ValueType):
    """A text of fixed form: upper case, no spaces, stored as text because zeros in front count."""

    kind = "code"
    pattern: ClassVar[str] = ""
    problem: ClassVar[Text] = ""

    def __init__(self, length: int = 64) -> None:
        super().__init__(length)

    def parse(self, raw: str) -> str:
        return self._matching(_code(raw, without=r"[\s.]"))

    def _matching(self, code: str) -> str:
        if not re.fullmatch(self.pattern, code, re.ASCII):
            raise BadValue(self.problem)
        return code


#: Countries whose VAT numbers we can check.
_EU_COUNTRIES = frozenset(state.upper() for state in eu_vat.MEMBER_STATES) | {"EL", "IT"}


_NO_VAT_NUMBER = _l(
    "This is not a valid VAT number: in Italy 11 digits, the last of which checks the others; abroad with the letters "
    "of the country in front."
)


class VatNumber(Code):
    """Partita IVA with its check digit; foreign VAT numbers keep their country letters."""

    example = "99000000226"
    digits = 11

    def parse(self, raw: str) -> str:
        code = _code(raw)
        code = code.removeprefix("IT")
        if code.isdigit():
            if len(code) == 11 and iva.is_valid(code):
                return code
            raise BadValue(_NO_VAT_NUMBER)
        if eu_vat.is_valid(code):
            return code
        if re.fullmatch(r"[A-Z]{2}[A-Z0-9]{4,18}", code) and code[:2] not in _EU_COUNTRIES:
            return code
        raise BadValue(_l("This is not a valid VAT number of its country."))


class TaxCode(Code):
    """Codice fiscale: 16 characters for people (omocodia included), 11 digits for bodies and companies."""

    example = "RSSMRA80A01H501U"
    digits = 11

    def parse(self, raw: str) -> str:
        code = _code(raw)
        if code.isdigit() and len(code) == 11 and iva.is_valid(code):
            return code
        if len(code) == 16 and codicefiscale.is_valid(code):
            return code
        raise BadValue(_l("This is not a valid codice fiscale: 16 characters, or 11 digits for companies and bodies."))


class SdiCode(Code):
    """Codice destinatario of the exchange system: 7 characters, or 6 for public offices."""

    pattern = r"[A-Z0-9]{6,7}"
    problem = _l("The codice destinatario has 7 letters or digits, 6 for public offices.")
    example = "M5UXCR1"
    digits = 7


class Cap(Code):
    """Italian postal code: five digits, zeros in front kept."""

    pattern = r"\d{5}"
    problem = _l("The CAP has 5 digits.")
    example = "09100"
    digits = 5


class Province(Code):
    pattern = r"[A-Z]{2}"
    problem = _l("The province is written with its 2 letters.")
    example = "TN"


class Country(Code):
    """A country, stored as its two letters, shown by its name in the reader's language."""

    pattern = r"[A-Z]{2}"
    problem = _l("Write the name of the country or its 2 letters.")
    worded = True
    example = "IT"

    def parse(self, raw: str) -> str:
        return _country_codes().get(fold(clean_text(raw))) or super().parse(raw)

    def show(self, value: Any) -> str:
        locale = get_locale() or Locale(ITALIAN)
        return str(locale.territories.get(value, value))

    def edit(self, value: Any) -> str:
        return str(value)


@cache
def _country_codes() -> dict[str, str]:
    """Return the two letters of each country by its name in our languages."""
    return {
        fold(name): code
        for language in ("en", ITALIAN)
        for code, name in Locale(language).territories.items()
        if re.fullmatch("[A-Z]{2}", code)
    }


class Cig(Code):
    """Codice identificativo di gara."""

    pattern = r"[A-Z0-9]{10}"
    problem = _l("The CIG has 10 letters or digits.")
    example = "7985640A1B"
    digits = 10


class Cup(Code):
    """Codice unico di progetto."""

    pattern = r"[A-Z][A-Z0-9]{14}"
    problem = _l("The CUP has 15 letters or digits and begins with a letter.")
    example = "B31B17000060006"


class ShortCode(Code):
    """A code people say and write, such as GP, CAL-01 or EDUPLAN."""

    pattern = r"[A-Z0-9][A-Z0-9_-]*"
    problem = _l("A code consists of letters, digits and hyphens.")
    example = "CAL-01"


class HostName(Code):
    """The name of a host as browsers send it, in small letters, without scheme, port and path."""

    pattern = r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*"
    problem = _l("A host name looks like www.ecoopera.coop, without https:// in front.")
    example = "areaclienti.example.com"

    def parse(self, raw: str) -> str:
        return self._matching(clean_text(raw).lower())


class Colour(Code):
    """A colour by red, green and blue, dark enough for white text on it (WCAG AA)."""

    pattern = r"#[0-9A-F]{6}"
    problem = _l("A colour is written like #0B5A5F: six digits or letters from A to F.")
    example = "#0B5A5F"

    def parse(self, raw: str) -> str:
        colour = self._matching(_code(raw))
        if 1.05 / (_luminance(colour) + 0.05) < 4.5:
            raise BadValue(_l("White text could not be read on this colour: choose a darker one."))
        return colour


def _luminance(colour: str) -> float:
    """Return how bright a colour is, from 0 to 1, as WCAG 2.2 reckons it."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


class Iban(Code):
    example = "IT60X0542811101000000123456"

    def parse(self, raw: str) -> str:
        try:
            return str(stdnum_iban.validate(clean_text(raw)))
        except ValidationError as error:
            raise BadValue(_l("This is not a valid IBAN.")) from error

    def show(self, value: Any) -> str:
        return " ".join(value[i : i + 4] for i in range(0, len(value), 4))


#: The European list of waste: which groups each of its chapters has.
_WASTE_GROUPS = {
    "01": "01 03 04 05", "02": "01 02 03 04 05 06 07", "03": "01 02 03", "04": "01 02", "05": "01 06 07",
    "06": "01 02 03 04 05 06 07 08 09 10 11 13", "07": "01 02 03 04 05 06 07", "08": "01 02 03 04 05", "09": "01",
    "10": "01 02 03 04 05 06 07 08 09 10 11 12 13 14", "11": "01 02 03 05", "12": "01 03", "13": "01 02 03 04 05 07 08",
    "14": "06", "15": "01 02", "16": "01 02 03 04 05 06 07 08 09 10 11", "17": "01 02 03 04 05 06 08 09",
    "18": "01 02", "19": "01 02 03 04 05 06 07 08 09 10 11 12 13", "20": "01 02 03",
}  # fmt: skip


class WasteCode(Code):
    """EER code of a waste: chapter, group and number of the European list, an asterisk after what is hazardous."""

    pattern = r"\d{6}\*?"
    problem = _l("An EER code has six digits of the European list of waste, and an asterisk where it is hazardous.")
    example = "15 01 06"
    digits = 6

    def parse(self, raw: str) -> str:
        code = super().parse(raw)
        if code[2:4] not in _WASTE_GROUPS.get(code[:2], "").split() or code[4:6] == "00":
            raise BadValue(_l("The European list of waste has no such chapter and group."))
        return code

    def show(self, value: Any) -> str:
        return f"{value[:2]} {value[2:4]} {value[4:]}"
