"""Several lists counted at once by what their rows point at, sums of their numbers, and the spread of a number.

Each figure is one of a list that ``read_query`` describes, so filters, row scope and masks are those of the list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.actors import Actor
from backoffice.records.pages import Query, conditions
from backoffice.records.show import label
from models.base import Recorded
from models.catalogue import Field, Kind, fields


@dataclass(frozen=True)
class Spread:
    """How a number is spread over rows: how many, the middle one, and the one that nine in ten do not exceed."""

    count: int
    median: int
    ninetieth: int


@dataclass(frozen=True)
class Sum:
    """How many rows there are, and what a number of theirs adds up to."""

    count: int
    #: None where no row says the number.
    total: Decimal | None


def count_by(
    session: Session, base: Query, by: str, parts: Sequence[Query], *, halves: Sequence[Any] = (sa.true(),)
) -> dict[Any, list[int]]:
    """Return by the values of a field how many rows of ``base`` lie in each of ``parts``, which are parts of it too.

    One statement for each of ``halves``, whatever the number of values: conditions that divide all rows of ``base``
    between them, each written so that the database finds its rows by an index.
    """
    # An expression and no column: else an index in the order of the groups may be walked through all that ever was.
    key = sa.func.coalesce(_column(base.entity, by), sa.null())
    inside = [sa.func.sum(sa.case((sa.and_(sa.true(), *conditions(part)), 1), else_=0)) for part in parts]
    wanted = sa.select(key, *inside).select_from(base.entity).where(*conditions(base)).group_by(key)
    found: dict[Any, list[int]] = {}
    for half in halves:
        for value, *numbers in session.execute(wanted.where(half)):
            before = found.get(value, [0] * len(parts))
            found[value] = [have + int(more or 0) for have, more in zip(before, numbers, strict=True)]
    return found


def find_sums(session: Session, wanted: Sequence[tuple[Query, str]]) -> list[Sum]:
    """Return how many rows each query finds and what a number of theirs adds up to, all in one statement."""
    if not wanted:
        return []
    asked = []
    for query, of in wanted:
        for value in (sa.func.count(), sa.func.sum(_column(query.entity, of))):
            asked.append(sa.select(value).select_from(query.entity).where(*conditions(query)).scalar_subquery())
    row = session.execute(sa.select(*asked)).one()
    return [Sum(row[place], row[place + 1]) for place in range(0, len(asked), 2)]


def spread_by(session: Session, query: Query, by: str, of: str) -> dict[Any, Spread]:
    """Return by the values of a field how the number ``of`` is spread over the rows that a query finds.

    Median and 90th percentile are numbers of rows there are: the smallest that half, or nine in ten, do not exceed.
    Ranked by window functions, which both databases have alike; rows without the number do not count.
    """
    key, number = _column(query.entity, by), _column(query.entity, of)
    place = sa.func.row_number().over(partition_by=key, order_by=number).label("place")
    many = sa.func.count().over(partition_by=key).label("many")
    found = sa.select(key.label("key"), number.label("number"), place, many).select_from(query.entity)
    ranked = found.where(*conditions(query), number.is_not(None)).subquery()
    row = ranked.c
    shares = [sa.func.min(sa.case((row.place * 100 >= row.many * percent, row.number))) for percent in (50, 90)]
    wanted = sa.select(row.key, sa.func.count(), *shares).group_by(row.key)
    return {key: Spread(*numbers) for key, *numbers in session.execute(wanted)}


def names_of(session: Session, field: Field, keys: Sequence[Any], actor: Actor) -> dict[Any, str]:
    """Return what values of a field are called; rows that the actor does not see are not among them. One statement."""
    known = [key for key in keys if key is not None]
    if field.kind is not Kind.relation:
        return {key: str(field.show(key)) for key in known}
    assert field.target is not None
    rows: Any = session.scalars(sa.select(field.target).where(field.target.id.in_(known)))
    return {row.id: label(row, actor) for row in rows}


def _column(entity: type[Recorded], name: str) -> Any:
    field = fields(entity)[name]
    return getattr(entity, field.column or field.name)


__all__ = ["Spread", "Sum", "count_by", "find_sums", "names_of", "spread_by"]
