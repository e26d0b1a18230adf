"""Value types: what a stored value is, how people write it, how it is checked and shown.

A type's ``parse`` turns what a person typed into the stored, normalised value or raises ``ValueError``
with a translatable sentence; ``show`` is its inverse.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import lru_cache
from typing import Any, ClassVar
from urllib.parse import urlsplit

import phonenumbers
import sqlalchemy as sa
from babel.numbers import format_currency, format_decimal
from email_validator import EmailNotValidError, validate_email
from flask_babel import lazy_gettext as _l
from sqlalchemy.types import TypeDecorator

from backoffice.clock import ROME
from backoffice.errors import Text
from models.reading import BadValue, clean_text, fold, parse_date, parse_decimal, parse_integer, parse_time

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
    #: Of a code that may consist of digits only: how many there are, zeros in front included.
    digits: ClassVar[int] = 0

    def __init_subclass__(cls, **options: Any) -> None:
        # SQLAlchemy asks every class for itself, not its bases; all of these are safe to cache by.
        cls.cache_ok = True
        super().__init_subclass__(**options)

    def parse(self, raw: str) -> Any:
        """Return the stored value of what was typed, or raise ``BadValue``."""
        raise NotImplementedError

    def with_zeros(self, raw: str) -> str:
        """Return ``raw`` with the zeros in front that a spreadsheet has taken off, where only so it is a value."""
        text = raw.strip()
        if not (text.isascii() and text.isdigit() and len(text) < self.digits) or self._is_value(text):
            return raw
        whole = text.zfill(self.digits)
        return whole if self._is_value(whole) else raw

    def _is_value(self, text: str) -> bool:
        try:
            self.parse(text)
        except BadValue:
            return False
        return True

    def show(self, value: Any) -> str:
        """Return the value as people read it in the current language."""
        return str(value)

    def edit(self, value: Any) -> str:
        """Return the value as it stands in a field, readable by ``parse``."""
        return self.show(value)


class DeclaredName(ValueType):
    """The program's own name for something, shown by its word; whoever declares one adds the word to ``words``."""

    worded = True
    words: ClassVar[dict[str, Text]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.words = {}

    def __init__(self, length: int = 64) -> None:
        super().__init__(length)

    def parse(self, raw: str) -> str:
        """Return the name that the word, or the name itself, means; any other text names none."""
        wanted = clean_text(raw)
        return {fold(str(word)): name for name, word in self.words.items()}.get(fold(wanted), wanted)

    def show(self, value: Any) -> str:
        return str(self.words.get(value, value))


class Email(ValueType):
    """An e-mail address, lower case in the domain, checked for form only (no look-up)."""

    kind = "email"
    example = "ufficio@azienda.example"

    def __init__(self) -> None:
        super().__init__(254)

    def parse(self, raw: str) -> str:
        return _address(clean_text(raw))


# An import reads the address of a row several times over: as its key, as its value, and in the trial and the writing.
@lru_cache(maxsize=2_000)
def _address(text: str) -> str:
    try:
        found = validate_email(text, check_deliverability=False, test_environment=True)
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


class FileSize(ValueType):
    """A number of bytes, shown in the largest unit that leaves a whole number of digits before the comma."""

    impl = sa.Integer
    kind = "integer"
    example = "1200000"

    def parse(self, raw: str) -> int:
        return parse_integer(raw)

    def show(self, value: Any) -> str:
        for unit, size in (("MB", 1_000_000), ("kB", 1000)):
            if value >= size:
                return f"{format_decimal(value / size, format='#,##0.#', locale=ITALIAN)} {unit}"
        return f"{value} B"

    def edit(self, value: Any) -> str:
        return str(value)


class Degrees(ValueType):
    """A latitude or longitude in degrees, exact to the ten centimetres of six decimals."""

    impl = sa.Numeric(9, 6)
    kind = "decimal"
    example = "46,067871"

    def __init__(self) -> None:
        super().__init__(9, 6)

    def parse(self, raw: str) -> Decimal:
        return parse_decimal(raw.replace("°", ""), places=6, digits=3)

    def show(self, value: Any) -> str:
        return format_decimal(value, format="0.000000", locale=ITALIAN)

    def edit(self, value: Any) -> str:
        return self.show(value)


class Year(ValueType):
    """A calendar year: a name, not an amount, so it has no thousands separator."""

    impl = sa.Integer
    kind = "integer"
    example = "2026"

    def __init__(self) -> None:
        super().__init__()

    def parse(self, raw: str) -> int:
        text = clean_text(raw)
        if not re.fullmatch(r"[1-9][0-9]{3}", text):
            raise BadValue(_l("A year has four digits."))
        return int(text)


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
        return f"{value.astimezone(ROME):%d/%m/%Y %H:%M}"

    def edit(self, value: Any) -> str:
        local = value.astimezone(ROME)
        # The hour that the clocks show twice in October needs to say which one is meant.
        again = f" {local.isoformat()[-6:]}" if local.fold else ""
        return f"{local:%d/%m/%Y %H:%M:%S}{again}" if local.second else f"{local:%d/%m/%Y %H:%M}{again}"


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
    # An instant is of the day that it is here.
    return f"{value.astimezone(ROME) if isinstance(value, datetime) else value:%d/%m/%Y}"


def show_time(value: time) -> str:
    return f"{value:%H:%M}"
