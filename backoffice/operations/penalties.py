"""Penalties: proposed where a contract's clause on lateness applies, decided by people (SL-17 to SL-19, J-11)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import sqlalchemy as sa
from flask_babel import force_locale, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice.actors import Action, Actor
from backoffice.clock import ROME
from backoffice.errors import Forbidden
from backoffice.lifecycles import Machine, Transition, register
from backoffice.mail.rendering import Audience, register_template
from backoffice.operations.notices import colleague, tell
from models.contract import IN_FORCE, Contract, ContractState
from models.contract_milestone import ContractMilestone, MilestoneKind
from models.outbox_mail import OutboxMail
from models.penalty import Penalty, PenaltyState
from models.penalty_rule import PenaltyBase, PenaltyRule, PenaltyTrigger
from models.ticket import Ticket
from models.ticket_clock import TicketClock
from models.values import Money

S = PenaltyState
_BINDING = (ContractState.signed, *IN_FORCE)

PENALTIES = register(
    Machine(
        Penalty,
        "state",
        (
            Transition(
                name="confirm",
                label=_l("Confirm the penalty"),
                sources=(S.proposed, S.waived),
                target=S.confirmed,
                icon="check-circle",
                tone="primary",
                confirm=_l("It counts from now on as agreed."),
                right=Action.update,
            ),
            Transition(
                name="waive",
                label=_l("Waive the penalty"),
                sources=(S.proposed, S.confirmed),
                target=S.waived,
                icon="x-circle",
                inputs=("reason",),
                confirm=_l("Say why; it stays in the register."),
                right=Action.update,
            ),
        ),
    )
)


def propose_penalties(session: Session, today: date, *, actor: Actor) -> int:
    """Propose what is due by the clauses of contracts in force, and bring undecided proposals up to date.

    Returns how many are new. What people have decided on stays as it is.

    :raises Forbidden: ``actor`` is not the product itself.
    """
    if not actor.is_system:
        raise Forbidden
    active = sa.select(PenaltyRule).join(Contract, Contract.id == PenaltyRule.contract_id)
    rules = session.scalars(active.where(PenaltyRule.active, Contract.state.in_(_BINDING)).order_by(PenaltyRule.id))
    new = sum(_propose_of(session, rule, today) for rule in rules.all())
    session.flush()
    return new


def _propose_of(session: Session, rule: PenaltyRule, today: date) -> int:
    if rule.trigger is PenaltyTrigger.contact_centre:
        due, happened = contact_centre_due(session, rule), _milestone(session, rule, MilestoneKind.contact_centre)
        if due is None or (happened or today) <= due:
            return 0
        return _put(session, rule, None, due, happened, today)
    late = (
        sa.select(TicketClock)
        .join(Ticket, Ticket.id == TicketClock.ticket_id)
        .where(Ticket.contract_id == rule.contract_id, TicketClock.kind == rule.promise)
        .where(TicketClock.breached_at.is_not(None))
    )
    new = 0
    for clock in session.scalars(late.order_by(TicketClock.id)).all():
        assert clock.breached_at is not None
        met = clock.met_at.astimezone(ROME).date() if clock.met_at is not None else None
        new += _put(session, rule, clock.ticket, clock.breached_at.astimezone(ROME).date(), met, today)
    return new


def contact_centre_due(session: Session, rule: PenaltyRule) -> date | None:
    """Return until which day the contact centre must be operational; None while the day it is counted from is open."""
    contract = rule.contract
    if rule.base is PenaltyBase.signature:
        base = contract.signed_on
    elif rule.base is PenaltyBase.contract_start:
        base = contract.starts_on
    else:
        base = _milestone(session, rule, MilestoneKind[rule.base.value]) if rule.base is not None else None
    return base + timedelta(days=rule.days) if base is not None else None


def _milestone(session: Session, rule: PenaltyRule, kind: MilestoneKind) -> date | None:
    table = ContractMilestone
    wanted = sa.select(table.reached_on).where(table.contract_id == rule.contract_id, table.kind == kind)
    return session.scalar(wanted)


def _put(
    session: Session, rule: PenaltyRule, ticket: Ticket | None, due: date, happened: date | None, today: date
) -> int:
    """Propose a penalty, or work an undecided one out again; return one where it is new."""
    same = Penalty.ticket_id.is_(None) if ticket is None else Penalty.ticket_id == ticket.id
    known = session.scalars(sa.select(Penalty).where(Penalty.rule_id == rule.id, same)).one_or_none()
    if known is not None and known.state is not S.proposed:
        return 0
    # A promise is late from the moment it is due: the day it is broken on is a day begun.
    days = ((happened or today) - due).days + (1 if ticket is not None else 0)
    penalty = known or Penalty(rule=rule, ticket=ticket, is_demo=rule.is_demo)
    penalty.due_on, penalty.happened_on, penalty.days_late = due, happened, max(days, 0)
    penalty.amount = amount_of(rule, penalty.days_late)
    with force_locale("it"):  # what a letter quotes is in one language, whoever looks
        penalty.computation = _computation(rule, penalty)[:300]
    if known is not None:
        return 0
    session.add(penalty)
    session.flush()
    _tell(session, penalty)
    return 1


def amount_of(rule: PenaltyRule, days: int) -> Decimal | None:
    """Return what so many days cost; None where the clause names no amount: a proposal without a sum is not zero."""
    if rule.amount is None:
        return None
    return rule.amount * days if rule.per_day else rule.amount


def _computation(rule: PenaltyRule, penalty: Penalty) -> str:
    """Say how it was worked out, in a sentence that a letter can quote."""
    values = {"reference": rule.reference, "due": f"{penalty.due_on:%d/%m/%Y}"}
    if penalty.happened_on is None:
        promised = _("%(reference)s: due by %(due)s, not there yet", **values)
    else:
        promised = _("%(reference)s: due by %(due)s, there on %(day)s", day=f"{penalty.happened_on:%d/%m/%Y}", **values)
    late = ngettext("%(num)s day late", "%(num)s days late", penalty.days_late)
    days = f"{promised}; {late}"
    if rule.amount is None or penalty.amount is None:
        return days
    price = Money().show(rule.amount)
    if rule.per_day:
        price = f"{penalty.days_late} × {price} = {Money().show(penalty.amount)}"
    return f"{days}; {price}"


def _tell(session: Session, penalty: Penalty) -> None:
    """Tell who looks after the client (N-44)."""
    values = {
        "company": str(penalty.rule.company),
        "reference": penalty.rule.reference,
        "days": penalty.days_late,
        "due": f"{penalty.due_on:%d/%m/%Y}",
    }
    manager = colleague(session, penalty.rule.company.account_manager_id)
    tell(session, "penalty_proposed", manager, values, about=penalty)


def _to_penalty(_session: Session, mail: OutboxMail) -> str:
    return f"/penalty/{mail.cause_id}"


register_template(
    "penalty_proposed",
    _l("Penalty proposed"),
    {"name": "Davide", "company": "Comune di Valverde", "reference": "par. 21 n. 3", "days": 2, "due": "04/06/2026"},
    mint=_to_penalty,
    bell=Audience.staff,
)
