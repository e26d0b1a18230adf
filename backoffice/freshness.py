"""How many records of a client an online service has, and how fresh they are: kept by every save (SV-06, AR-14)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

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
        count = sum(_counts(service, company_id), start=sa.literal(0))
        session.execute(statement.values(records_count=count, **dated), execution_options=INTERNAL)


def _counts(service: str, company_id: int) -> Iterator[sa.ScalarSelect[int]]:
    """Yield a statement that counts the company's rows of each entity whose data the online service shows."""
    for entity in ENTITIES.values():
        freeze, table = entity.__admin__.freeze, entity.__table__
        if freeze is not None and freeze.service == service:
            statement = sa.select(sa.func.count()).select_from(table).where(table.c.company_id == company_id)
            if "deleted_at" in table.c:
                statement = statement.where(table.c.deleted_at.is_(None))
            yield statement.scalar_subquery()


def _company_of(row: Recorded) -> int:
    return row.company_id  # type: ignore[attr-defined, no-any-return]  # whatever can be frozen has a company
