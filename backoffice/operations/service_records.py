"""How much there is of a client here, in the tables of an online service (AR-14)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import INTERNAL
from models.base import ENTITIES, Recorded


@dataclass(frozen=True)
class RecordCount:
    """How many records of one kind a client has, and the newest of them."""

    entity: type[Recorded]
    count: int
    newest_id: int
    newest_on: date | None


def count_records(session: Session, company_id: int | None, service: str) -> list[RecordCount]:
    """Return what there is, kind by kind, whether the actor may see it or not; kinds without a record are left out."""
    if company_id is None:
        return []
    kinds = kinds_of(service)
    if not kinds:
        return []
    newest = [_newest(entity, company_id) for entity in kinds]
    # Each kind is one row or none: beside each other they are one statement, whatever the number of kinds.
    beside: sa.FromClause = sa.select(sa.literal(1).label("one")).subquery()
    for one in newest:
        beside = beside.outerjoin(one, sa.true())
    columns = [column for one in newest for column in (one.c.id, one.c.day, one.c.total)]
    row = session.execute(sa.select(*columns).select_from(beside), execution_options=INTERNAL).one()
    found = zip(kinds, row[0::3], row[1::3], row[2::3], strict=True)
    return [RecordCount(kind, total, key, _day(day)) for kind, key, day, total in found if key is not None]


def kinds_of(service: str) -> list[type[Recorded]]:
    """Return the entities whose rows are data of an online service, by its code."""
    return [e for e in ENTITIES.values() if e.__admin__.freeze is not None and e.__admin__.freeze.service == service]


def _newest(entity: type[Recorded], company_id: int) -> sa.Subquery:
    """Build the query of the newest record of a kind, and of how many there are."""
    freeze, table = entity.__admin__.freeze, entity.__table__
    assert freeze is not None
    day = table.c[freeze.day]
    wanted = sa.select(table.c.id, day.label("day"), sa.func.count().over().label("total"))
    theirs = wanted.where(table.c.company_id == company_id)
    return theirs.order_by(day.desc().nulls_last(), table.c.id.desc()).limit(1).subquery()


def _day(on: date | None) -> date | None:
    return on.astimezone(clock.ROME).date() if isinstance(on, datetime) else on


__all__ = ["RecordCount", "count_records", "kinds_of"]
