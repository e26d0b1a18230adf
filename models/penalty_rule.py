"""What a contract says about lateness, and what it costs."""

from __future__ import annotations

from decimal import Decimal

from flask_babel import lazy_gettext as _l
from sqlalchemy import CheckConstraint, Integer, String
from sqlalchemy.orm import Mapped, relationship

from models.base import Admin, Category, CompanyOwned, Record, Rule, Scope, Section
from models.columns import Choice, choice, field, money, reference
from models.company import Company
from models.contract import Contract
from models.sla_policy import SlaKind


class PenaltyTrigger(Choice):
    """What brings a penalty about (SL-17 to SL-19)."""

    contact_centre = "contact_centre", _l("The contact centre is not operational in time"), "neutral", "telephone"
    promise = "promise", _l("A service level is not kept"), "neutral", "stopwatch"


class PenaltyBase(Choice):
    """The day from which it is counted (SL-18)."""

    signature = "signature", _l("Signature of the contract")
    contract_start = "contract_start", _l("Start of the contract")
    service_start = "service_start", _l("Start of the service")
    start_minutes = "start_minutes", _l("Start minutes")
    handover = "handover", _l("Hand-over minutes")


class PenaltyRule(CompanyOwned, Record):
    """A clause on lateness: what starts it, until when there is time, and what it costs (SL-19)."""

    __tablename__ = "penalty_rule"
    __table_args__ = (
        CheckConstraint("amount > 0", name="amount_positive"),
        CheckConstraint("days BETWEEN 0 AND 3650", name="days_possible"),
        CheckConstraint("trigger <> 'contact_centre' OR base IS NOT NULL", name="counted_from"),
        CheckConstraint("trigger <> 'promise' OR promise IS NOT NULL", name="which_promise"),
    )
    __admin__ = Admin(
        label=_l("Penalty clause"),
        plural=_l("Penalty clauses"),
        category=Category.support,
        icon="exclamation-diamond",
        area="service_levels",
        scope=Scope(group="contract.group_id", company="contract.company_id"),
        title=("contract", "reference"),
        subtitle=("trigger",),
        rank=9,
        list_columns=("contract", "reference", "trigger", "base", "days", "promise", "amount", "per_day", "active"),
        search_columns=("reference",),
        filters=("trigger", "contract", "company", "active"),
        order="-created_at",
        fast=(("contract", "created_at"), ("created_at",), ("company", "created_at")),
        sections=(
            Section(_l("Clause"), ("contract", "reference", "trigger", "active")),
            Section(
                _l("When"),
                ("base", "days", "promise"),
                _l("Of the contact centre: so many days from that day. Of a service level: which of them."),
            ),
            Section(_l("What it costs"), ("amount", "per_day")),
        ),
        rules={
            "ck_penalty_rule_amount_positive": Rule(
                _l("More than zero; empty where the amount is not known yet."), "amount"
            ),
            "ck_penalty_rule_days_possible": Rule(_l("Between 0 and 3650."), "days"),
            "ck_penalty_rule_counted_from": Rule(_l("Say from which day it is counted."), "base"),
            "ck_penalty_rule_which_promise": Rule(_l("Say which service level it is about."), "promise"),
        },
    )

    company: Mapped[Company] = relationship()
    #: The contract it stands in.
    contract_id: Mapped[int] = reference("contract", _l("Contract"), help=_l("The contract it stands in."))
    contract: Mapped[Contract] = relationship()
    #: Where it stands there.
    reference: Mapped[str] = field(_l("Reference"), String(80), help=_l("Such as “par. 21 n. 3”."))
    #: What brings it about.
    trigger: Mapped[PenaltyTrigger] = choice(PenaltyTrigger, _l("What for"), badge=False, help="")
    #: The day from which the time to make the contact centre operational is counted.
    base: Mapped[PenaltyBase | None] = choice(
        PenaltyBase,
        _l("Counted from"),
        badge=False,
        help=_l("Of the contact centre; 0 days: on that very day."),
        example="signature",
    )
    #: How many days after that day there is time.
    days: Mapped[int] = field(
        _l("Days"), Integer, default=0, server_default="0", help=_l("Days of the calendar, such as 15.")
    )
    #: The service level it is about.
    promise: Mapped[SlaKind | None] = choice(
        SlaKind, _l("Service level"), name="penalty_promise", badge=False, help=_l("Of tickets under this contract.")
    )
    #: What it costs, in euro; empty where the contract leaves that open: then a proposal has no sum, never zero.
    amount: Mapped[Decimal | None] = money(
        _l("Amount"), help=_l("Empty where it is not known: a proposal then has no sum, never zero.")
    )
    #: Whether it is due for each day begun, or once.
    per_day: Mapped[bool] = field(
        _l("For each day"), default=True, server_default="1", help=_l("Unticked, it is due once.")
    )
    #: Whether it counts.
    active: Mapped[bool] = field(
        _l("In use"), default=True, server_default="1", help=_l("Unticked, it does not count.")
    )

    def __str__(self) -> str:
        return f"{self.contract} · {self.reference}"
