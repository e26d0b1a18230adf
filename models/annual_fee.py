"""What clients contribute to an online service, year by year."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy import CheckConstraint, String, UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from models.base import Admin, Category, CompanyOwned, Deletion, Record, Rule, Scope, Section, Worklist
from models.columns import Choice, choice, field, money, reference
from models.company import Company
from models.company_service import CompanyService
from models.values import Year


class FeeState(Choice):
    due = "due", _lp("fee", "Due"), "wait", "hourglass-split"
    invoiced = "invoiced", _lp("fee", "Invoiced"), "info", "receipt"
    paid = "paid", _lp("fee", "Paid"), "good", "check-circle"
    waived = "waived", _lp("fee", "Waived"), "neutral", "gift"
    lapsed = "lapsed", _lp("fee", "Lapsed"), "neutral", "hourglass-bottom"


#: Still to be paid.
UNSETTLED = (FeeState.due, FeeState.invoiced)


def _first_day(context: Any) -> date:
    return date(context.get_current_parameters()["year"], 1, 1)


def _last_day(context: Any) -> date:
    return date(context.get_current_parameters()["year"], 12, 31)


class AnnualFee(CompanyOwned, Record):
    """The contribution of one client to one online service for one calendar year: no license (SV-03 to SV-05)."""

    __tablename__ = "annual_fee"
    __table_args__ = (
        UniqueConstraint("company_service_id", "year"),
        CheckConstraint("year BETWEEN 2000 AND 2199", name="year_sensible"),
        CheckConstraint("amount >= 0", name="amount_not_negative"),
        CheckConstraint("valid_to >= valid_from", name="ends_after_start"),
        # Dates as text begin with the year on both databases.
        CheckConstraint(
            "substr(CAST(valid_from AS VARCHAR(10)), 1, 4) = CAST(year AS VARCHAR(4)) AND "
            "substr(CAST(valid_to AS VARCHAR(10)), 1, 4) = CAST(year AS VARCHAR(4))",
            name="within_its_year",
        ),
        CheckConstraint(
            "override_reason IS NOT NULL OR (substr(CAST(valid_from AS VARCHAR(10)), 6, 5) = '01-01' AND "
            "substr(CAST(valid_to AS VARCHAR(10)), 6, 5) = '12-31')",
            name="whole_year",
        ),
        CheckConstraint("state <> 'waived' OR agreement IS NOT NULL OR override_reason IS NOT NULL", name="waived_why"),
    )
    __admin__ = Admin(
        label=_l("Annual contribution"),
        plural=_l("Annual contributions"),
        category=Category.sales,
        icon="calendar2-check",
        area="fees",
        scope=Scope(group="company_service.group_id", company="company_service.company_id"),
        title=("company_service", "year"),
        subtitle=("company",),
        worklists=(
            Worklist(_l("Contributions to invoice"), ("state:in:due",)),
            Worklist(
                _l("Contributions not paid at the end of their year"), ("valid_to:past:", "state:in:invoiced"), "bad"
            ),
        ),
        rank=5,
        list_columns=("company_service", "year", "amount", "state", "valid_from", "valid_to", "agreement"),
        search_columns=("company", "agreement"),
        filters=("state", "year", "company", "company_service", "valid_to", "agreement", "created_at"),
        order="-created_at",
        fast=(("state", "created_at"), ("company", "created_at"), ("year",), ("state", "valid_to")),
        facts=("company", "company_service", "year", "amount", "valid_from", "valid_to", "agreement"),
        natural_keys=(("company_service_id", "year"),),
        deletion=Deletion((FeeState.due,)),
        changeable_in={
            "company_service": (FeeState.due,),
            "year": (FeeState.due,),
            "amount": (FeeState.due,),
            "valid_from": (FeeState.due,),
            "valid_to": (FeeState.due,),
        },
        sections=(
            Section(
                _l("Contribution"),
                ("company_service", "year", "amount", "agreement"),
                _l("A contribution that keeps the client’s data up to date: it is no license."),
            ),
            Section(
                _l("Period"),
                ("valid_from", "valid_to", "override_reason"),
                _l("From 1 January to 31 December, unless agreed otherwise."),
            ),
        ),
        client_columns=("company_service", "year", "amount", "state", "valid_from", "valid_to"),
        rules={
            "uq_annual_fee_company_service_id_year": Rule(
                _l("The client already has a contribution to this service for that year."), "year"
            ),
            "ck_annual_fee_year_sensible": Rule(_l("The year has four digits."), "year"),
            "ck_annual_fee_amount_not_negative": Rule(_l("The amount cannot be negative."), "amount"),
            "ck_annual_fee_ends_after_start": Rule(_l("The end comes before the start."), "valid_to"),
            "ck_annual_fee_within_its_year": Rule(_l("The period lies within the year."), "valid_from"),
            "ck_annual_fee_whole_year": Rule(
                _l("It is valid from 1 January to 31 December; say why where it is not."), "override_reason"
            ),
            "ck_annual_fee_waived_why": Rule(
                _l("A contribution is waived by an agreement or for a reason: name it."), "agreement"
            ),
        },
    )

    company: Mapped[Company] = relationship()
    #: The client's online service.
    company_service_id: Mapped[int] = reference("company_service", _l("Client’s online service"), help="")
    company_service: Mapped[CompanyService] = relationship()
    #: The calendar year.
    year: Mapped[int] = field(_l("Year"), Year(), help="", adds_up=False)
    #: Euro without VAT.
    amount: Mapped[Decimal] = money(_lp("fee", "Amount"), help=_l("Without VAT, for the whole period."))
    #: First day it covers; 1 January unless overridden.
    valid_from: Mapped[date] = field(_l("Valid from"), default=_first_day, help=_l("Empty: 1 January of the year."))
    #: Last day it covers; 31 December unless overridden.
    valid_to: Mapped[date] = field(
        _l("Valid to"),
        default=_last_day,
        due_while=UNSETTLED,
        help=_l("Empty: 31 December of the year."),
    )
    #: Where it stands; changed by verbs only.
    state: Mapped[FeeState] = choice(FeeState, _l("State"), default=FeeState.due, verb_only=True)
    #: What was agreed with this client, and where that is written.
    agreement: Mapped[str | None] = field(
        _l("Agreement"), String(200), help=_l("Where it is written what was agreed with this client.")
    )
    #: Why the period or the amount differs from the rule.
    override_reason: Mapped[str | None] = field(
        _l("Why it differs"), String(250), help=_l("Why the period is another, or nothing is to be paid.")
    )
    #: When it was invoiced.
    invoiced_on: Mapped[date | None] = field(_l("Invoiced on"), verb_only=True, today=True)
    #: When it was paid.
    paid_on: Mapped[date | None] = field(_l("Paid on"), verb_only=True, today=True)

    def __str__(self) -> str:
        return f"{self.company_service} · {self.year}"
