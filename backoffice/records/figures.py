"""How many rows of a list there are by one of its columns, or by month, and what their numbers add up to.

Within the list's own filters, the row scope and the masks: whoever sees a mask cannot count by what it hides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from flask_babel import format_date
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from backoffice.actors import Actor
from backoffice.records.filters import alike, offered
from backoffice.records.months import month_of_day, month_of_instant
from backoffice.records.pages import Query, conditions, in_sight
from backoffice.records.show import label
from backoffice.working_time import add_months
from models.base import Recorded
from models.catalogue import TEXTUAL, Field, Kind

#: Bars that a picture has room for; what is left over is added up.
MOST_BARS = 20
#: Months that are shown one by one; of a longer time, the years are.
MOST_MONTHS = 36
#: Columns that say of what kind a row is. Numbers are nearly all different, and so are texts, but for declared ones.
_KINDS = (Kind.choice, Kind.boolean, Kind.relation, Kind.date, Kind.datetime)
_AMOUNTS = (Kind.integer, Kind.decimal, Kind.money, Kind.minutes)


@dataclass(frozen=True)
class Figure:
    """One bar: what it stands for, how long it is, and the filter that finds its rows (empty where none does)."""

    label: str
    value: Decimal
    condition: str = ""


@dataclass(frozen=True)
class Figures:
    """All bars, the largest first or in the order of time, and what the rest adds up to."""

    bars: Sequence[Figure]
    total: Decimal
    rest: Decimal = Decimal(0)
    #: How many further values the rest stands for.
    rest_count: int = 0
    is_time: bool = False


def countable(entity: type[Recorded], actor: Actor) -> list[Field]:
    """Return the fields by which rows may be counted: the declared filters first, and never whose work they are."""
    found = (field for field in offered(entity, actor) if not points_at_people(field))
    return [field for field in found if field.kind in _KINDS or field.name in entity.__admin__.repeating]


def points_at_people(field: Field) -> bool:
    """Say whether counting by the field would measure people at work (art. 4 L. 300/1970)."""
    admin = getattr(field.target, "__admin__", None)
    return field.kind is Kind.relation and admin is not None and not admin.counted_by


def summable(entity: type[Recorded], actor: Actor) -> list[Field]:
    """Return the fields whose numbers may be added up."""
    return [field for field in offered(entity, actor) if field.kind in _AMOUNTS and field.adds_up]


def find_figures(session: Session, query: Query, by: Field, of: Field | None, actor: Actor) -> Figures:
    """Return how many rows the query finds by the values of ``by``; with ``of``, the sums of that field instead."""
    query = in_sight(session, query)
    column = getattr(query.entity, by.column or by.name)
    months = {Kind.date: month_of_day, Kind.datetime: month_of_instant}
    key: Any = months[by.kind](column) if by.kind in months else column
    name: Any = key
    if by.kind in TEXTUAL:
        # Values that are taken for the same are called by one of them; a copy for sorting is never empty, the text is.
        key, name = alike(query.entity, by), sa.func.min(column)
    amount = sa.func.count() if of is None else sa.func.sum(getattr(query.entity, of.column or of.name))
    statement = sa.select(name, amount).select_from(query.entity).where(*conditions(query)).group_by(key)
    found = {row[0]: Decimal(row[1] or 0) for row in session.execute(statement)}
    if by.kind in months:
        return _by_time(by, found)
    return _by_kind(session, by, found, actor)


def _by_kind(session: Session, by: Field, found: dict[Any, Any], actor: Actor) -> Figures:
    order = sorted(found, key=lambda value: (-found[value], str(value)))
    shown, rest = order[:MOST_BARS], order[MOST_BARS:]
    names = _names(session, by, shown, actor)
    bars = [Figure(names[value], found[value], _condition(by, value)) for value in shown]
    total, left = sum(found.values(), Decimal(0)), sum((found[value] for value in rest), Decimal(0))
    return Figures(bars, total, left, len(rest))


def _names(session: Session, by: Field, values: Sequence[Any], actor: Actor) -> dict[Any, str]:
    names = {value: by.show(value) if by.kind is not Kind.relation else _("(not available)") for value in values}
    if by.kind is Kind.relation and by.target is not None:
        keys = [value for value in values if value is not None]
        rows: Any = session.scalars(sa.select(by.target).where(by.target.id.in_(keys)))
        names |= {row.id: label(row, actor) if isinstance(row, Recorded) else str(row) for row in rows}
    if None in names:
        names[None] = _("(empty)")
    return names


def _condition(by: Field, value: Any) -> str:
    if value is None:
        return f"{by.name}:empty:"
    if by.kind in TEXTUAL:
        return f"{by.name}:is:{value}"
    if by.kind is Kind.boolean:
        return f"{by.name}:{'yes' if value else 'no'}:"
    return f"{by.name}:in:{value.value if by.kind is Kind.choice else value}"


def _by_time(by: Field, found: dict[str | None, Any]) -> Figures:
    """Return a bar for each month from the first to the last, or for each year where they are too many."""
    without, months = found.pop(None, Decimal(0)), sorted(key for key in found if key is not None)
    if not months:
        bars = []
    else:
        first, last = (date(int(text[:4]), int(text[5:7]), 1) for text in (months[0], months[-1]))
        count = (last.year - first.year) * 12 + last.month - first.month + 1
        bars = _months(by, found, first, count) if count <= MOST_MONTHS else _years(by, found, first.year, last.year)
    if without:
        bars.append(Figure(_("(empty)"), without, f"{by.name}:empty:"))
    return Figures(bars, sum(found.values(), without), is_time=True)


def _months(by: Field, found: dict[Any, Any], first: date, count: int) -> list[Figure]:
    bars = []
    for day in (add_months(first, number) for number in range(count)):
        value = found.get(f"{day:%Y-%m}", Decimal(0))
        bars.append(Figure(str(format_date(day, "MMM yyyy")), value, _between(by, day, add_months(day, 1))))
    return bars


def _years(by: Field, found: dict[Any, Any], first: int, last: int) -> list[Figure]:
    years = range(first, last + 1)
    sums = {year: sum((n for key, n in found.items() if int(key[:4]) == year), Decimal(0)) for year in years}
    # Two thousand years after a slip of the keyboard are no picture: the last ones are.
    return [
        Figure(str(year), sums[year], _between(by, date(year, 1, 1), date(year + 1, 1, 1)))
        for year in list(years)[-MOST_MONTHS:]
    ]


def _between(by: Field, start: date, end: date) -> str:
    last = date.fromordinal(end.toordinal() - 1)
    return f"{by.name}:between:{start:%d/%m/%Y}..{last:%d/%m/%Y}"


__all__ = ["Figure", "Figures", "countable", "find_figures", "points_at_people", "summable"]
