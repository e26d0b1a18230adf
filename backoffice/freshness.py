"""How many records of a client an online service has, and how fresh they are: kept by every save (SV-06, AR-14)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import INTERNAL, context_of
from models.base import ENTITIES, Model, Recorded


def keep_fresh(session: Session, written: Iterable[Recorded]) -> None:
    """Bring counts and dates of the clients' online services up to date with rows just written or gone.

    What the product does by itself, such as letting deadlines pass by, makes no data fresher.
    """
    touched = {(row.__admin__.freeze.service, _company_of(row)) for row in written if row.__admin__.freeze}
    if not touched:
        return
    grant, online = (Model.metadata.tables[name] for name in ("company_service", "online_service"))
    dated = {} if context_of(session).actor.is_system else {"last_data_at": clock.now()}
    # In one order, so that two at once wait for each other instead of both failing.
    for service, company_id in sorted(touched):
        of_service = grant.c.online_service_id.in_(sa.select(online.c.id).where(online.c.code == service))
        statement = sa.update(grant).where(grant.c.company_id == company_id, of_service)
        count = sum((rows for rows, _newest in _looks(service, company_id)), start=sa.literal(0))
        session.execute(statement.values(records_count=count, **dated), execution_options=INTERNAL)


def stock(session: Session, service: str, company_id: int) -> tuple[int, datetime | None]:
    """Return how many records a company has in an online service, and when one of them was changed last: what there
    is on the day the service is activated, from when on ``keep_fresh`` goes on.
    """
    found = [
        session.execute(sa.select(*look), execution_options=INTERNAL).one() for look in _looks(service, company_id)
    ]
    return sum(rows for rows, _newest in found), max(
        (newest for _rows, newest in found if newest is not None), default=None
    )


def _looks(service: str, company_id: int) -> Iterator[tuple[sa.ScalarSelect[int], sa.ScalarSelect[datetime | None]]]:
    """Yield, for each entity whose data the online service shows, how many rows of the company there are and how new
    the newest is.
    """
    for entity in ENTITIES.values():
        freeze, table = entity.__admin__.freeze, entity.__table__
        if freeze is not None and freeze.service == service:
            there = [table.c.company_id == company_id]
            if "deleted_at" in table.c:
                there.append(table.c.deleted_at.is_(None))
            rows, newest = (
                sa.select(of).select_from(table).where(*there)
                for of in (sa.func.count(), sa.func.max(table.c.updated_at))
            )
            yield rows.scalar_subquery(), newest.scalar_subquery()


def _company_of(row: Recorded) -> int:
    return row.company_id  # type: ignore[attr-defined, no-any-return]  # whatever can be frozen has a company
