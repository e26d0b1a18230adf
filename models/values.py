"""Value types: what a stored value is, how people write it, how it is checked and shown.

A type's ``parse`` turns what a person typed into the stored, normalised value or raises ``ValueError``
with a translatable sentence; ``show`` is its inverse.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cache
from typing import Any, ClassVar
from urllib.parse import urlsplit

import phonenumbers
import sqlalchemy as sa
from babel import Locale
from babel.numbers import format_currency, format_decimal
from email_validator import EmailNotValidError, validate_email
from flask_babel import format_date, format_datetime, format_time, get_locale
from flask_babel import lazy_gettext as _l
from sqlalchemy.types import TypeDecorator
from stdnum import iban as stdnum_iban
from stdnum.eu import vat as eu_vat
from stdnum.exceptions import ValidationError
from stdnum.it import codicefiscale, iva

from backoffice.clock import ROME
from backoffice.errors import Text
from models.reading import BadValue, clean_text, fold, parse_date, parse_decimal, parse_time

#: How numbers are written whatever the language of the page, so that what is shown can be typed again.
ITALIAN = "it"


class ValueType(TypeDecorator[Any]):
    """A column type that knows its people's side. ``kind`` chooses widget, filters, alignment and file cell."""

    impl: Any = sa.String
    cache_ok = True
    kind: ClassVar[str] = "text"
    #: An example people can imitate, for templates and help.
    example: ClassVar[str] = ""
    #: People read a word where something else is stored, and look for that word.
    worded: ClassVar[bool] = False

    def __init_subclass__(cls, **options: Any) -> None:
        # SQLAlchemy asks every class for itself, not its bases; all of these are safe to cache by.
        cls.cache_ok = True
        super().__init_subclass__(**options)

    def parse(self, raw: str) -> Any:
        """Return the stored value of what was typed, or raise ``BadValue``."""
        raise NotImplementedError

    def show(self, value: Any) -> str:
        """Return the value as people read it in the current language."""
        return str(value)

    def edit(self, value: Any) -> str:
        """Return the value as it stands in a field, readable by ``parse``."""
        return self.show(value)


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


class Cap(Code):
    """Italian postal code: five digits, zeros in front kept."""

    pattern = r"\d{5}"
    problem = _l("The CAP has 5 digits.")
    example = "09100"


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


class Iban(Code):
    example = "IT60X0542811101000000123456"

    def parse(self, raw: str) -> str:
        try:
            return str(stdnum_iban.validate(clean_text(raw)))
        except ValidationError as error:
            raise BadValue(_l("This is not a valid IBAN.")) from error

    def show(self, value: Any) -> str:
        return " ".join(value[i : i + 4] for i in range(0, len(value), 4))


class Email(ValueType):
    """An e-mail address, lower case in the domain, checked for form only (no look-up)."""

    kind = "email"
    example = "ufficio@azienda.example"

    def __init__(self) -> None:
        super().__init__(254)

    def parse(self, raw: str) -> str:
        try:
            found = validate_email(clean_text(raw), check_deliverability=False, test_environment=True)
        except EmailNotValidError as error:
            raise BadValue(_l("This is not an e-mail address.")) from error
        if found.ascii_email is None:
            raise BadValue(_l("Accented letters before the @ cannot be delivered."))
        return found.normalized.lower()


class Phone(ValueType):
    """A telephone number, stored in international form; Italian unless it says otherwise."""

    kind = "phone"
    example = "0461 123456"

    def __init__(self) -> None:
        super().__init__(20)

    def parse(self, raw: str) -> str:
        text = clean_text(raw)
        try:
            number = phonenumbers.parse(text, "IT")
        except phonenumbers.NumberParseException as error:
            raise BadValue(_l("This is not a telephone number.")) from error
        if not phonenumbers.is_possible_number(number) or re.search(r"[A-Za-z]", text):
            raise BadValue(_l("This is not a telephone number."))
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)

    def show(self, value: Any) -> str:
        try:
            number = phonenumbers.parse(value, "IT")
        except phonenumbers.NumberParseException:
            return str(value)
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


class Url(ValueType):
    """A web address; ``http://`` is put in front where a bare host was typed."""

    kind = "url"
    example = "https://www.azienda.example"

    def __init__(self) -> None:
        super().__init__(500)

    def parse(self, raw: str) -> str:
        text = clean_text(raw)
        if "://" not in text:
            text = f"http://{text}"
        try:
            parts = urlsplit(text)
            host = parts.hostname or ""
        except ValueError as error:
            raise BadValue(_l("This is not a web address.")) from error
        if "@" in parts.netloc:
            raise BadValue(_l("This is an e-mail address, not a web address."))
        if parts.scheme not in ("http", "https") or "." not in host or " " in text:
            raise BadValue(_l("The web address must begin with http:// or https:// and name a site."))
        return text


class Money(ValueType):
    """Euro, exact to the cent."""

    impl = sa.Numeric(12, 2)
    kind = "money"
    example = "1.234,56"

    def __init__(self) -> None:
        super().__init__(12, 2)

    def parse(self, raw: str) -> Decimal:
        return parse_decimal(raw.replace("€", ""), places=2, digits=10)

    def show(self, value: Any) -> str:
        return format_currency(value, "EUR", format="¤ #,##0.00", locale=ITALIAN)

    def edit(self, value: Any) -> str:
        return format_decimal(value, format="#,##0.00", locale=ITALIAN)


class Minutes(ValueType):
    """A length of time in whole minutes, written ``2:30``, ``2 h 30 min`` or ``150 min``."""

    impl = sa.Integer
    kind = "minutes"
    example = "2:30"

    def parse(self, raw: str) -> int:
        text = clean_text(raw).lower()
        found = re.fullmatch(r"(-?)(?:(\d{1,6})\s*(?:h|ore|ora|:))?\s*(?:(\d{1,7})\s*(?:m|min|minuti)?)?", text)
        if not found or not text.strip("-") or (found[2] is None and found[3] is None):
            raise BadValue(_l("Write hours and minutes as 2:30."))
        total = int(found[2] or 0) * 60 + int(found[3] or 0)
        if total > 10_000_000:
            raise BadValue(_l("This is too long."))
        return -total if found[1] else total

    def show(self, value: Any) -> str:
        hours, rest = divmod(abs(value), 60)
        words = " ".join([*([f"{hours} h"] if hours or not rest else []), *([f"{rest} min"] if rest else [])])
        return f"−{words}" if value < 0 else words

    def edit(self, value: Any) -> str:
        return f"{'-' if value < 0 else ''}{abs(value) // 60}:{abs(value) % 60:02d}"


class UtcInstant(ValueType):
    """An instant: aware UTC in the program, shown and typed in Italian time."""

    impl = sa.DateTime
    kind = "datetime"
    example = "31/12/2026 15:25"

    def __init__(self) -> None:
        super().__init__(timezone=True)

    def process_bind_param(self, value: Any, dialect: Any) -> Any:
        if value is not None and value.tzinfo is None:
            raise ValueError("An instant without a time zone was about to be stored")
        if value is not None and dialect.name == "sqlite":
            return value.astimezone(UTC).replace(tzinfo=None)
        return value

    def process_result_value(self, value: Any, dialect: Any) -> Any:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)

    def parse(self, raw: str) -> datetime:
        text = clean_text(raw)
        try:
            exact = datetime.fromisoformat(text)
        except ValueError:
            exact = _read_wall_clock(text)
        if not 1900 < exact.year < 2200:
            raise BadValue(_l("The year must lie between 1900 and 2200."))
        return (exact if exact.tzinfo else exact.replace(tzinfo=ROME)).astimezone(UTC).replace(microsecond=0)

    def show(self, value: Any) -> str:
        return str(format_datetime(value, "dd/MM/yyyy HH:mm"))

    def edit(self, value: Any) -> str:
        # The hour that the clocks show twice in October needs to say which one is meant.
        again = value.astimezone(ROME).fold == 1
        form = f"dd/MM/yyyy HH:mm{':ss' if value.second else ''}{' xxx' if again else ''}"
        return str(format_datetime(value, form))


def _read_wall_clock(text: str) -> datetime:
    """Read ``31/12/2026 15:25``, with an offset from UTC where the clocks show that hour twice (``+01:00``)."""
    day, _, rest = text.partition(" ")
    hour, _, offset = rest.partition(" ")
    exact = datetime.combine(parse_date(day), parse_time(hour) if hour else time())
    try:
        return exact.replace(tzinfo=datetime.strptime(offset, "%z").tzinfo) if offset else exact
    except ValueError as error:
        raise BadValue(_l("This is not a time: write it as 15:25.")) from error


class FoldedText(TypeDecorator[str]):
    """Folded text, compared byte by byte on both databases so that pages by key agree with the index."""

    impl = sa.String
    cache_ok = True

    def __init__(self, length: int = 255) -> None:
        super().__init__(length)
        self.length = length

    def load_dialect_impl(self, dialect: sa.Dialect) -> Any:
        length = self.length
        if dialect.name == "postgresql":
            return dialect.type_descriptor(sa.String(length, collation="C"))
        return dialect.type_descriptor(sa.String(length))


class SearchText(TypeDecorator[str]):
    """Folded text of all searched columns of a row."""

    impl = sa.Text
    cache_ok = True


def show_number(value: int | Decimal) -> str:
    """Write a number as Italians do."""
    return format_decimal(value, format="#,##0.####", locale=ITALIAN)


def show_date(value: date) -> str:
    return str(format_date(value, "dd/MM/yyyy"))


def show_time(value: time) -> str:
    return str(format_time(datetime.combine(date(2000, 1, 1), value), "HH:mm", rebase=False))
