"""Bringing access back when contractual relations restart: the product proposes it, somebody confirms (AC-21)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.actors import Actor
from backoffice.errors import DomainError, Forbidden
from backoffice.mail.rendering import Audience, register_template
from backoffice.operations.notices import colleague, tell
from models.company_service import CompanyService
from models.company_service import GrantState as S
from models.contract import IN_FORCE, Contract
from models.contract_line import ContractLine, LineState
from models.outbox_mail import OutboxMail
from models.service import Service


class NothingProposed(DomainError):
    template = _l("Nothing is proposed here.")
    status = 409


def newest_cover() -> sa.ScalarSelect[int]:
    """Build the key of the newest contract line in force that covers the grant of the statement around it."""
    statement = (
        sa.select(sa.func.max(ContractLine.id))
        .join(Contract, Contract.id == ContractLine.contract_id)
        .join(Service, Service.id == ContractLine.service_id)
        .where(
            Contract.company_id == CompanyService.company_id,
            Contract.state.in_(IN_FORCE),
            ContractLine.state != LineState.withdrawn,
            Service.online_service_id == CompanyService.online_service_id,
        )
    )
    return statement.correlate(CompanyService).scalar_subquery()


def settle(session: Session, grant: CompanyService) -> None:
    """Take access as decided under the contracts of today: only a newer line proposes to bring it back."""
    session.flush()
    wanted = sa.select(newest_cover()).select_from(CompanyService).where(CompanyService.id == grant.id)
    grant.settled_line_id, grant.return_proposed_on = session.scalar(wanted), None


def close_gap(grant: CompanyService) -> None:
    """Remember between which days nothing was recorded; the data are updated from today on."""
    if grant.frozen_from is not None:
        grant.gap_from, grant.gap_to = grant.frozen_from, clock.today()
    grant.frozen_from = grant.return_proposed_on = None


def propose_returns(session: Session, *, actor: Actor, limit: int = 200) -> int:
    """Propose to bring back what ended and a newer contract covers; return how many were new, at most ``limit``.

    :raises Forbidden: ``actor`` is not the product itself.
    """
    if not actor.is_system:
        raise Forbidden
    ended = sa.or_(
        CompanyService.state.in_((S.suspended, S.removed)),
        sa.and_(CompanyService.state == S.active, CompanyService.frozen_from <= clock.today()),
    )
    newer = newest_cover() > sa.func.coalesce(CompanyService.settled_line_id, 0)
    wanted = sa.select(CompanyService).where(ended, CompanyService.return_proposed_on.is_(None), newer)
    grants = session.scalars(wanted.order_by(CompanyService.id).limit(limit)).all()
    for grant in grants:
        grant.return_proposed_on = clock.today()
        _tell_manager(session, grant)
    session.flush()
    return len(grants)


def is_proposed(_session: Session, grant: CompanyService, _values: Mapping[str, Any], _actor: Actor) -> None:
    """Raise unless a return is proposed."""
    if grant.return_proposed_on is None:
        raise NothingProposed


def _tell_manager(session: Session, grant: CompanyService) -> None:
    values = {
        "company": str(grant.company),
        "service": grant.online_service.name,
        "day": f"{grant.frozen_from:%d/%m/%Y}" if grant.frozen_from else "–",
    }
    tell(session, "return_proposed", colleague(session, grant.company.account_manager_id), values, about=grant)


def _to_grant(_session: Session, mail: OutboxMail) -> str:
    return f"/company_service/{mail.cause_id}"


register_template(
    "return_proposed",
    _l("Access to a service to bring back"),
    {
        "name": "Davide",
        "company": "Galvanica Orobica S.p.A.",
        "service": "Formazione, scadenze, documenti",
        "day": "30/06/2026",
    },
    mint=_to_grant,
    bell=Audience.staff,
)

__all__ = ["close_gap", "is_proposed", "newest_cover", "propose_returns", "settle"]
