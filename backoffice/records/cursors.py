"""Places in a list, as its addresses carry them: opaque, checked, and good for one list in one order only."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _

from backoffice.errors import BadRequest
from backoffice.history import encode
from models.catalogue import Field, Kind
from models.reading import LARGEST_INTEGER, UNSTORABLE

if TYPE_CHECKING:
    from backoffice.records.pages import Query


@dataclass(frozen=True)
class Cursor:
    """A place between two rows: after (or before) the row with this sort value and id."""

    backward: bool = False
    is_null: bool = False
    value: Any = None
    id: int | None = None
    start: int | None = None
    #: Before everything: the way to the last page.
    edge: bool = False


def last_cursor(query: Query) -> str:
    """Return the cursor of the last page."""
    return _encode_cursor([query.digest, "end"])


def write_cursor(query: Query, row: Any, *, backward: bool, start: int | None) -> str:
    """Return the cursor of the page after ``row``, or before it."""
    value = encode(getattr(row, query.sort_field.sort_column or query.sort_field.name))
    return _encode_cursor([query.digest, "back" if backward else "on", value, row.id, start])


def _encode_cursor(parts: list[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts, ensure_ascii=False).encode()).decode().rstrip("=")


def read_cursor(query: Query) -> Cursor:
    """Return the place that the query's cursor names, its beginning without one.

    :raises BadRequest: the cursor is not one of this list in this order.
    """
    if not query.cursor:
        return Cursor()
    stale = BadRequest(reason=_("the page belongs to another list or order: start again from the first."))
    try:
        parts = json.loads(base64.urlsafe_b64decode(query.cursor + "=" * (-len(query.cursor) % 4)))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise stale from error
    if not isinstance(parts, list) or not parts or parts[0] != query.digest:
        raise stale
    if parts[1:] == ["end"]:
        return Cursor(backward=True, edge=True)
    if len(parts) != 5 or parts[1] not in ("on", "back") or not _is_key(parts[3]):
        raise stale
    if parts[4] is not None and not _is_key(parts[4]):
        raise stale
    try:
        value = _decode(query.sort_field, parts[2])
    except (ValueError, ArithmeticError, LookupError, TypeError) as error:
        raise stale from error
    return Cursor(parts[1] == "back", value is None, value, parts[3], parts[4])


def _is_key(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= LARGEST_INTEGER


def _decode(sort: Field, value: Any) -> Any:
    """Return the sort value of a cursor in the column's own type."""
    if value is None:
        return None
    if sort.kind is Kind.datetime:
        instant = datetime.fromisoformat(value)
        if instant.tzinfo is None:
            raise ValueError
        return instant.astimezone(UTC)
    if sort.kind is Kind.time:
        return time.fromisoformat(value)
    if sort.kind is Kind.date:
        return date.fromisoformat(value)
    if sort.kind in (Kind.money, Kind.decimal):
        return Decimal(value)
    if sort.kind is Kind.choice:
        assert sort.choices is not None
        return sort.choices._value2member_map_[value]
    wanted: type = int if sort.kind in (Kind.integer, Kind.minutes) else bool if sort.kind is Kind.boolean else str
    if type(value) is not wanted or (isinstance(value, int) and abs(value) > LARGEST_INTEGER):
        raise ValueError
    if isinstance(value, str) and (UNSTORABLE.search(value) or len(value) > 1_000):
        raise ValueError
    return value
