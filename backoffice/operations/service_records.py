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
    return [found for entity in kinds_of(service) if (found := _count(session, entity, company_id)) is not None]


def kinds_of(service: str) -> list[type[Recorded]]:
    """Return the entities whose rows are data of an online service, by its code."""
    return [e for e in ENTITIES.values() if e.__admin__.freeze is not None and e.__admin__.freeze.service == service]


def _count(session: Session, entity: type[Recorded], company_id: int) -> RecordCount | None:
    freeze, table = entity.__admin__.freeze, entity.__table__
    assert freeze is not None
    day, theirs = table.c[freeze.day], table.c.company_id == company_id
    newest = sa.select(table.c.id, day).where(theirs).order_by(day.desc().nulls_last(), table.c.id.desc()).limit(1)
    row = session.execute(newest, execution_options=INTERNAL).one_or_none()
    if row is None:
        return None
    count = session.scalar(sa.select(sa.func.count()).where(theirs).select_from(table), execution_options=INTERNAL)
    on = row[1].astimezone(clock.ROME).date() if isinstance(row[1], datetime) else row[1]
    return RecordCount(entity, count or 0, row.id, on)


__all__ = ["RecordCount", "count_records", "kinds_of"]
