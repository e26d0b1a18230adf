"""Filters: what a list may be narrowed by, as people read it, as the address carries it, as SQL."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from backoffice import clock
from backoffice.actors import Actor
from backoffice.errors import BadRequest, Text
from backoffice.records.folding import folded
from backoffice.records.show import unsaid
from models.base import Recorded
from models.catalogue import ORDERED, TEXTUAL, Field, Kind, fields
from models.reading import BadValue, clean_text, fold, parse_date

#: More values, or longer ones, than a person types.
MAX_VALUES = 100
MAX_FILTERS = 20


@dataclass(frozen=True)
class Operator:
    """One way to compare. ``input`` tells the page what to ask for."""

    name: str
    label: Text
    input: str


CONTAINS = Operator("contains", _l("contains"), "text")
IS = Operator("is", _l("is"), "text")
STARTS = Operator("starts", _l("starts with"), "text")
IN = Operator("in", _l("is one of"), "choices")
NOT_IN = Operator("not_in", _l("is none of"), "choices")
RELATED = Operator("in", _l("is"), "relation")
YES = Operator("yes", _l("is yes"), "none")
NO = Operator("no", _l("is no"), "none")
BETWEEN = Operator("between", _l("is between"), "two_numbers")
AT_LEAST = Operator("min", _l("is at least"), "number")
AT_MOST = Operator("max", _l("is at most"), "number")
ON = Operator("is", _l("is"), "date")
FROM = Operator("min", _l("is from"), "date")
UNTIL = Operator("max", _l("is until"), "date")
DATES = Operator("between", _l("is between"), "two_dates")
LAST = Operator("last", _l("is in the last"), "days")
NEXT = Operator("next", _l("is in the next"), "days")
PAST = Operator("past", _l("is past"), "none")
EMPTY = Operator("empty", _l("is empty"), "none")
FILLED = Operator("filled", _l("is filled in"), "none")


def operators(field: Field) -> tuple[Operator, ...]:
    """Return the ways a field can be filtered, the most useful first."""
    optional = (EMPTY, FILLED) if field.nullable else ()
    if field.kind in (Kind.date, Kind.datetime):
        return (LAST, NEXT, DATES, ON, FROM, UNTIL, PAST, *optional)
    if field.kind is Kind.choice:
        return (IN, NOT_IN, *optional)
    if field.kind is Kind.relation:
        return (RELATED, *optional)
    if field.kind is Kind.boolean:
        return (YES, NO)
    if field.kind in ORDERED:
        return (BETWEEN, Operator("is", _l("is"), "number"), AT_LEAST, AT_MOST, *optional)
    return (CONTAINS, IS, STARTS, *optional)


@dataclass(frozen=True)
class Filter:
    """One condition on a list: its field, how it compares, and with what (already parsed)."""

    field: Field
    operator: Operator
    raw: str
    values: tuple[Any, ...] = ()

    def __str__(self) -> str:
        """Return the form the address carries; ``parse`` reads it back."""
        return f"{self.field.name}:{self.operator.name}:{self.raw}"

    @property
    def is_equality(self) -> bool:
        return self.operator.name == "in" and len(self.values) == 1


def filterable(entity: type[Recorded], actor: Actor) -> dict[str, Field]:
    """Return the fields a list of ``entity`` can be narrowed by: the declared ones first, then every other.

    What is masked for this actor is not among them: a filter would tell what the mask hides.
    """
    masked = actor.masked(entity) | unsaid(entity, actor)
    known = fields(entity)
    names = dict.fromkeys((*entity.__admin__.filters, *known))
    return {name: known[name] for name in names if name not in masked and _can_filter(known[name])}


def _can_filter(field: Field) -> bool:
    return not field.secret and field.kind not in (Kind.children, Kind.relations)


def offered(entity: type[Recorded], actor: Actor) -> list[Field]:
    """Return the fields that a page offers for filtering: without those that only programs ask by."""
    return [field for name, field in filterable(entity, actor).items() if name not in _FOR_PROGRAMS]


_FOR_PROGRAMS = frozenset({"id", "version", "is_demo"})


def parse(text: str, entity: type[Recorded], actor: Actor) -> Filter:
    """Read ``field:operator:value``; raise ``BadRequest`` naming what cannot be understood."""
    name, _colon, rest = text.partition(":")
    operator_name, _colon, raw = rest.partition(":")
    field = filterable(entity, actor).get(name)
    if field is None:
        raise BadRequest(reason=_("there is no filter “%(name)s”.", name=name[:50]))
    operator = next((o for o in operators(field) if o.name == operator_name), None)
    if operator is None:
        raise BadRequest(reason=_("“%(field)s” cannot be filtered in this way.", field=field.label))
    try:
        return Filter(field, operator, raw, tuple(_parse_values(field, operator, raw)))
    except BadValue as error:
        raise BadRequest(reason=f"{field.label}: {error}") from error


def _parse_values(field: Field, operator: Operator, raw: str) -> Iterable[Any]:
    if operator.input == "none":
        return []
    if not raw.strip() and operator.name != "between":
        raise BadValue(_l("a value is missing."))
    if operator.input == "days":
        return [_parse_days(raw)]
    if operator.name in ("in", "not_in"):
        parts = [part for part in raw.split(",") if part]
        if len(parts) > MAX_VALUES:
            raise BadValue(_l("too many values."))
        return [_parse_key(part) if field.kind is Kind.relation else field.parse(part) for part in parts]
    if operator.name == "between":
        low, dots, high = raw.partition("..")
        if not dots or not (low.strip() or high.strip()):
            raise BadValue(_l("two values are needed."))
        return [_parse_bound(field, part) if part.strip() else None for part in (low, high)]
    if field.kind in TEXTUAL:
        return [_parse_text(field, operator, raw)]
    return [_parse_bound(field, raw)]


def _parse_days(raw: str) -> int:
    if not re.fullmatch(r"\d{1,4}", raw.strip()):
        raise BadValue(_l("a number of days is needed."))
    return int(raw)


def _parse_key(raw: str) -> int:
    if not re.fullmatch(r"\d{1,9}", raw.strip()):
        raise BadValue(_l("this is not a key."))
    return int(raw)


def _parse_text(field: Field, operator: Operator, raw: str) -> str:
    if len(raw) > 200:
        raise BadValue(_l("the text is too long."))
    # What is stored normalised is looked for normalised; a part of it is taken as it was typed.
    if field.value_type is not None and (operator is IS or field.value_type.worded):
        try:
            return str(field.parse(raw))
        except BadValue:
            if operator is IS:
                raise
    return clean_text(raw)


def _parse_bound(field: Field, raw: str) -> Any:
    return parse_date(raw) if field.kind is Kind.datetime else field.parse(raw)


def condition(item: Filter) -> Any:
    """Return the SQL condition of a filter."""
    entity, field = item.field.entity, item.field
    column = getattr(entity, field.column or field.name)
    simple = _SIMPLE.get(item.operator.name)
    if item.operator is PAST:
        return column < (clock.now() if field.kind is Kind.datetime else clock.today())
    if simple is not None:
        return simple(column, item.values)
    if item.operator.name in ("last", "next"):
        return _days_condition(field, column, item.operator.name, item.values[0])
    if field.kind in TEXTUAL:
        return _text_condition(entity, field, item.operator.name, item.values[0])
    return _range_condition(field, column, item)


#: Texts that are the same only where each sign is.
_EXACT = (Kind.code, Kind.email, Kind.phone)
_SIMPLE: dict[str, Callable[[Any, tuple[Any, ...]], Any]] = {
    "empty": lambda column, values: column.is_(None),
    "filled": lambda column, values: column.is_not(None),
    "yes": lambda column, values: column.is_(sa.true()),
    "no": lambda column, values: column.is_(sa.false()),
    "in": lambda column, values: column == values[0] if len(values) == 1 else column.in_(values),
    "not_in": lambda column, values: sa.or_(column.not_in(values), column.is_(None)),
}


def alike(entity: type[Recorded], field: Field) -> Any:
    """Return the SQL by which two values of a text are the same, as the filter “is” takes them."""
    return getattr(entity, field.name) if field.kind in _EXACT else _folded(entity, field)


def _folded(entity: type[Recorded], field: Field) -> Any:
    has_copy = field.sort_column != field.name
    return getattr(entity, field.sort_column or "") if has_copy else folded(getattr(entity, field.name))


def _text_condition(entity: type[Recorded], field: Field, operator: str, value: str) -> Any:
    if operator == "is" and field.kind in _EXACT:
        return getattr(entity, field.name) == value
    column, wanted = _folded(entity, field), fold(value)
    if operator == "is":
        return column == wanted
    return (
        column.startswith(wanted, autoescape=True) if operator == "starts" else column.contains(wanted, autoescape=True)
    )


def _day_start(day: date) -> datetime:
    return datetime.combine(day, time(), clock.ROME)


def _bound(field: Field, day: Any, *, after: bool) -> Any:
    """Return a bound as the column compares it; ``after``: the first instant after the day."""
    if field.kind is not Kind.datetime:
        return day
    return _day_start(day + timedelta(days=1)) if after else _day_start(day)


def _range_condition(field: Field, column: Any, item: Filter) -> Any:
    if item.operator.name == "between":
        low, high = item.values
    elif item.operator.name == "is":
        low = high = item.values[0]
    else:
        low, high = (item.values[0], None) if item.operator.name == "min" else (None, item.values[0])
    parts = []
    if low is not None:
        parts.append(column >= _bound(field, low, after=False))
    if high is not None:
        instant = field.kind is Kind.datetime
        parts.append(column < _bound(field, high, after=True) if instant else column <= high)
    return sa.and_(*parts)


def _days_condition(field: Field, column: Any, operator: str, days: int) -> Any:
    today = clock.today()
    low, high = (today - timedelta(days=days), today) if operator == "last" else (today, today + timedelta(days=days))
    instant = field.kind is Kind.datetime
    upper = column < _bound(field, high, after=True) if instant else column <= high
    return sa.and_(column >= _bound(field, low, after=False), upper)
