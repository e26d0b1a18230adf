"""Annual contributions: due, invoiced, paid or waived, over with their year, proposed for the next (SV-03 to SV-05)."""

from __future__ import annotations

from datetime import date
from typing import cast

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session, aliased

from backoffice.actors import Actor
from backoffice.errors import Forbidden
from backoffice.lifecycles import Machine, Transition, register
from backoffice.operations.verbs import perform
from models.annual_fee import AnnualFee
from models.annual_fee import FeeState as S
from models.company_service import CompanyService, GrantState

FEES = register(
    Machine(
        AnnualFee,
        "state",
        (
            Transition(
                name="invoice",
                label=_l("Record the invoice"),
                sources=(S.due,),
                target=S.invoiced,
                icon="receipt",
                tone="primary",
                inputs=("invoiced_on",),
            ),
            Transition(
                name="pay",
                label=_l("Record the payment"),
                sources=(S.invoiced,),
                target=S.paid,
                icon="check-circle",
                tone="primary",
                inputs=("paid_on",),
            ),
            Transition(
                name="waive",
                label=_l("Waive the contribution"),
                sources=(S.due, S.invoiced),
                target=S.waived,
                icon="gift",
                inputs=("agreement", "override_reason"),
                optional=("agreement", "override_reason"),
                confirm=_l("The client pays nothing for this year: name the agreement, or say why."),
            ),
            Transition(name="lapse", label=_l("Lapse"), sources=(S.paid, S.waived), target=S.lapsed, automatic=True),
        ),
    )
)


def lapse_fees(session: Session, today: date, *, actor: Actor, limit: int = 500) -> int:
    """Let settled contributions lapse whose year is over; what is still owed stays (J-07). Return how many.

    :raises Forbidden: ``actor`` is not the product itself.
    """
    over = sa.and_(AnnualFee.state.in_((S.paid, S.waived)), AnnualFee.valid_to < today)
    rows = session.scalars(sa.select(AnnualFee).where(over).order_by(AnnualFee.id).limit(limit)).all()
    for fee in rows:
        perform(session, fee, "lapse", actor=actor)
    return len(rows)


def roll_over_fees(session: Session, today: date, *, actor: Actor, limit: int = 500) -> int:
    """Propose this year's contribution where last year had one and the service is still kept up to date (A-15, J-07).

    Amount and agreement are last year's; sales confirms by invoicing or waives. Return how many were added.

    :raises Forbidden: ``actor`` is not the product itself.
    """
    if not actor.is_system:
        raise Forbidden
    this = aliased(AnnualFee)
    renewed = sa.exists().where(this.company_service_id == AnnualFee.company_service_id, this.year == today.year)
    statement = (
        sa.select(AnnualFee)
        .join(AnnualFee.company_service)
        .where(
            AnnualFee.year == today.year - 1,
            CompanyService.state == GrantState.active,
            CompanyService.frozen_from.is_(None),
            ~renewed,
        )
    )
    last_years = session.scalars(statement.order_by(AnnualFee.id).limit(limit)).all()
    session.add_all(cast("list[object]", [_next(fee, today.year) for fee in last_years]))
    session.flush()
    return len(last_years)


def _next(fee: AnnualFee, year: int) -> AnnualFee:
    return AnnualFee(
        company_service=fee.company_service,
        year=year,
        amount=fee.amount,
        agreement=fee.agreement,
        is_demo=fee.is_demo,
    )
