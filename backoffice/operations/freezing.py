"""Data of clients that have withdrawn from an online service: readable, completed, never continued (AC-19, AC-20)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import INTERNAL
from backoffice.errors import Text
from backoffice.operations.admission import Draft, Refusal, admits
from models.company_service import CompanyService
from models.online_service import OnlineService


@admits()
def _refuse_frozen(session: Session, drafts: Sequence[Draft]) -> Iterator[Refusal]:
    """Refuse records dated from the day on which the client's data in their online service stand still."""
    freeze = drafts[0].entity.__admin__.freeze
    if freeze is None:
        return
    since = frozen_since(session, freeze.service, {draft.company_id for draft in drafts})
    for draft in drafts if since else ():
        day, first = _day(draft.value(freeze.day)), since.get(draft.company_id)
        if first is not None and day is not None and day >= first:
            yield draft, freeze.day, _said(first, freeze.service)


def frozen_since(session: Session, service: str, company_ids: Iterable[int | None]) -> dict[int | None, date]:
    """Return by company from which day on its data in the online service stand still; others are left out."""
    grant, online = CompanyService.__table__, OnlineService.__table__
    statement = (
        sa.select(grant.c.company_id, grant.c.frozen_from)
        .join(online, online.c.id == grant.c.online_service_id)
        .where(
            online.c.code == service,
            grant.c.company_id.in_({key for key in company_ids if key is not None}),
            grant.c.frozen_from.is_not(None),
        )
    )
    return dict(session.execute(statement, execution_options=INTERNAL).all())


def _day(value: Any) -> date | None:
    """Return the day in Italy of a day or an instant."""
    return value.astimezone(clock.ROME).date() if isinstance(value, datetime) else value


def _said(first: date, service: str) -> Text:
    return _l(
        "The client has withdrawn: since %(day)s its data in %(service)s stand still; only earlier ones are completed.",
        day=f"{first:%d/%m/%Y}",
        service=service,
    )
