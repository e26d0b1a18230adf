"""Penalties that lateness has brought about: proposed by the product, confirmed or waived by people."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy import CheckConstraint, Index, Integer, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, relationship

from models.base import Admin, Category, CompanyOwned, Deletion, Record, Rule, Scope, Section, Worklist
from models.columns import Choice, choice, field, money, reference
from models.company import Company
from models.penalty_rule import PenaltyRule
from models.ticket import Ticket


class PenaltyState(Choice):
    proposed = "proposed", _lp("penalty", "Proposed"), "wait", "hourglass-split"
    confirmed = "confirmed", _lp("penalty", "Confirmed"), "bad", "check-circle"
    waived = "waived", _lp("penalty", "Waived"), "neutral", "x-circle"


class Penalty(CompanyOwned, Record):
    """One case of lateness with what it costs and how that was worked out (SL-19)."""

    __tablename__ = "penalty"
    __table_args__ = (
        # A clause on service levels brings one about for each ticket, one on the contact centre only one.
        UniqueConstraint("rule_id", "ticket_id"),
        Index(
            "uq_penalty_rule_alone",
            "rule_id",
            unique=True,
            postgresql_where=text("ticket_id IS NULL"),
            sqlite_where=text("ticket_id IS NULL"),
        ),
        CheckConstraint("days_late >= 0", name="days_not_negative"),
        CheckConstraint("amount > 0", name="amount_positive"),
        CheckConstraint("state <> 'waived' OR reason IS NOT NULL", name="waived_why"),
    )
    __admin__ = Admin(
        label=_l("Penalty"),
        plural=_l("Penalties"),
        category=Category.support,
        icon="cash-coin",
        area="service_levels",
        scope=Scope(group="rule.group_id", company="rule.company_id"),
        title=("rule", "due_on"),
        subtitle=("company",),
        rank=9,
        list_columns=("due_on", "rule", "company", "ticket", "happened_on", "days_late", "amount", "state"),
        filters=("state", "rule", "company", "ticket", "due_on", "created_at"),
        order="-created_at",
        fast=(("state", "created_at"), ("company", "created_at"), ("rule", "created_at"), ("created_at",)),
        worklists=(Worklist(_l("Penalties to decide on"), ("state:in:proposed",), "wait"),),
        totals=("amount",),
        facts=("company", "rule", "ticket", "due_on", "happened_on", "days_late", "amount"),
        sections=(
            Section(_l("Penalty"), ("rule", "ticket", "due_on", "happened_on", "days_late", "amount")),
            Section(_l("How it came about"), ("computation", "reason")),
        ),
        rules={
            "uq_penalty_rule_id_ticket_id": Rule(_l("This penalty is there already.")),
            "uq_penalty_rule_alone": Rule(_l("This penalty is there already.")),
            "ck_penalty_days_not_negative": Rule(_l("This cannot be negative."), "days_late"),
            "ck_penalty_amount_positive": Rule(_l("More than zero, or empty."), "amount"),
            "ck_penalty_waived_why": Rule(_l("Say why it is waived."), "reason"),
        },
        deletion=Deletion(),
        written_by_verbs=True,
    )

    company: Mapped[Company] = relationship()
    #: The clause it rests on.
    rule_id: Mapped[int] = reference("penalty_rule", _l("Clause"), help="")
    rule: Mapped[PenaltyRule] = relationship()
    #: The ticket whose promise was not kept, where it is about one.
    ticket_id: Mapped[int | None] = reference("ticket", _l("Ticket"), help="")
    ticket: Mapped[Ticket | None] = relationship()
    #: Until when there was time.
    due_on: Mapped[date] = field(_l("Due on"), help=_l("Until when there was time."))
    #: When it happened; empty while it has not.
    happened_on: Mapped[date | None] = field(_l("Happened on"), help=_l("Empty while it has not."))
    #: How many days that is too late, each begun one counted.
    days_late: Mapped[int] = field(_l("Days late"), Integer, help=_l("Each day begun counts."))
    #: What it costs, in euro; empty where the clause names no amount.
    amount: Mapped[Decimal | None] = money(_l("Amount"), help=_l("Empty where the clause names none."))
    #: How days and amount were worked out.
    computation: Mapped[str] = field(_l("Computation"), String(300), help=_l("How days and amount were worked out."))
    #: Where it stands.
    state: Mapped[PenaltyState] = choice(PenaltyState, _l("State"), default=PenaltyState.proposed, verb_only=True)
    #: Why it was waived.
    reason: Mapped[str | None] = field(_l("Reason"), String(300), verb_only=True, help=_l("Why it is waived."))

    def __str__(self) -> str:
        return f"{self.rule} · {self.due_on:%d/%m/%Y}"
