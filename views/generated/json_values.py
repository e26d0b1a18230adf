"""Values as the API's JSON writes them, read into what operations accept: spelling is checked here, rules are not."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from flask_babel import lazy_gettext as _l
from marshmallow import ValidationError
from marshmallow import fields as ma

from backoffice.errors import UNKNOWN_REFERENCE, Text
from models.catalogue import Field, Kind
from models.reading import LARGEST_INTEGER

DECIMAL = r"^-?[0-9]{1,15}(\.[0-9]{1,6})?$"
DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
TIME = r"^[0-9]{2}:[0-9]{2}(:[0-9]{2})?$"


class Written(ma.Field[Any]):
    """A value as a request writes it; it leaves as text or as a typed value, None for no value."""

    default_error_messages: dict[str, Any] = {"null": _l("A value is needed.")}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        field: Field = self.metadata["field"]
        return _READERS.get(field.kind, _read_text)(field, value)


def _refuse(text: Text, **values: Any) -> ValidationError:
    return ValidationError(str(text) % values if values else str(text))


def _read_text(field: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise _refuse(_l("Text is expected."))
    return value


def _read_matching(pattern: str, example: str) -> Callable[[Field, Any], str]:
    def read(field: Field, value: Any) -> str:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise _refuse(_l("Write it as text of this form: %(example)s."), example=example)
        return value

    return read


def _read_decimal(field: Field, value: Any) -> Decimal:
    # As text people may write "1.234" for a thousand; here it is always a point before decimals.
    number = isinstance(value, int | float) and not isinstance(value, bool)
    text = str(value) if number or isinstance(value, str) else ""
    if not re.fullmatch(DECIMAL, text):
        raise _refuse(_l("Write it as text of this form: %(example)s."), example="1234.56")
    return Decimal(text)


def _read_integer(field: Field, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _refuse(_l("A whole number is expected."))
    return value


def _read_boolean(field: Field, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _refuse(_l("true or false is expected."))
    return value


def _read_instant(field: Field, value: Any) -> datetime:
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None or not 1900 < instant.year < 2200:
        raise _refuse(_l("Write it as text of this form: %(example)s."), example="2026-12-31T15:25:00Z")
    return instant.astimezone(UTC).replace(microsecond=0)


def _read_choice(field: Field, value: Any) -> str:
    assert field.choices is not None
    if not isinstance(value, str) or value not in {member.value for member in field.choices}:
        raise _refuse(_l("Not one of the possible values."))
    return value


def _read_key(field: Field, value: Any) -> int:
    if isinstance(value, dict) and set(value) <= {"id", "label"}:
        value = value.get("id")
    if not isinstance(value, int) or isinstance(value, bool):
        raise _refuse(_l("The id of a record is expected."))
    if not 0 < value <= LARGEST_INTEGER:
        raise _refuse(UNKNOWN_REFERENCE)
    return value


def _read_keys(field: Field, value: Any) -> list[int]:
    if not isinstance(value, list):
        raise _refuse(_l("A list of ids is expected."))
    return [_read_key(field, item) for item in value]


_READERS: dict[Kind, Callable[[Field, Any], Any]] = {
    Kind.integer: _read_integer,
    Kind.minutes: _read_integer,
    Kind.decimal: _read_decimal,
    Kind.money: _read_decimal,
    Kind.boolean: _read_boolean,
    Kind.date: _read_matching(DATE, "2026-12-31"),
    Kind.time: _read_matching(TIME, "15:25"),
    Kind.datetime: _read_instant,
    Kind.choice: _read_choice,
    Kind.relation: _read_key,
    Kind.relations: _read_keys,
}
