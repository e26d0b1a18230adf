"""The services a contract consists of, one a line."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy import CheckConstraint, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Admin, Category, CompanyOwned, Deletion, Record, Rule, Scope, Section
from models.columns import Choice, choice, field, money, reference
from models.contract import Contract, ContractState
from models.service import Service


class RemunerationMode(Choice):
    fee = "fee", _l("Yearly fee")
    measured = "measured", _l("As measured")
    included = "included", _l("Included in another service")
    free = "free", _l("Free of charge")


class WithdrawalMode(Choice):
    suspend = "suspend", _l("Suspend access")
    remove = "remove", _l("Remove access")
    keep = "keep", _l("Keep readable")


class LineState(Choice):
    in_force = "in_force", _l("In force"), "good", "check-circle"
    withdrawal_notified = "withdrawal_notified", _l("Withdrawal notified"), "wait", "box-arrow-right"
    withdrawn = "withdrawn", _l("Withdrawn"), "bad", "box-arrow-right"


class Component(Choice):
    """What a part of a service for continuous support consists in (SV-15)."""

    functional_management = "functional_management", _l("Functional management")
    help_desk_l2 = "help_desk_l2", _l("Second-level help desk")
    release = "release", _l("Release at the end of the period")


class ContractLine(CompanyOwned, Record):
    """One contracted service with its remuneration; withdrawal is per line (CT-04, SV-16)."""

    __tablename__ = "contract_line"
    __table_args__ = (
        UniqueConstraint("contract_id", "service_id"),
        CheckConstraint("quantity > 0", name="quantity_positive"),
        CheckConstraint("state = 'in_force' OR withdrawal_on IS NOT NULL", name="withdrawal_when"),
        CheckConstraint("yearly_fee IS NULL OR yearly_fee >= 0", name="yearly_fee_not_negative"),
        CheckConstraint("unit_price IS NULL OR unit_price >= 0", name="unit_price_not_negative"),
        CheckConstraint("yearly_fee IS NULL OR remuneration_mode = 'fee'", name="fee_where_paid_so"),
        CheckConstraint(
            "remuneration_mode = 'measured' OR (unit IS NULL AND unit_price IS NULL)", name="unit_where_measured"
        ),
        CheckConstraint("(remuneration_mode = 'included') = (included_in_id IS NOT NULL)", name="included_in_another"),
        CheckConstraint("part_of_id IS NULL OR part_of_id <> id", name="part_of_another"),
        CheckConstraint("included_in_id IS NULL OR included_in_id <> service_id", name="included_elsewhere"),
    )
    __admin__ = Admin(
        label=_l("Contract line"),
        plural=_l("Contract lines"),
        category=Category.sales,
        icon="list-ol",
        area="contracts",
        scope=Scope(group="contract.group_id", company="contract.company_id"),
        title=("contract", "service"),
        totals=("yearly_fee",),
        list_columns=(
            "contract",
            "service",
            "starts_on",
            "quantity",
            "yearly_fee",
            "remuneration_mode",
            "state",
            "withdrawal_on",
        ),
        filters=("state", "service", "contract", "remuneration_mode", "component", "part_of", "withdrawal_on"),
        fast=(("service", "created_at"), ("state", "withdrawal_on")),
        natural_keys=(("contract_id", "service_id"),),
        deletion=Deletion((ContractState.draft,), of="contract"),
        sections=(
            Section(_l("Line"), ("contract", "service", "starts_on", "quantity", "part_of", "component")),
            Section(_l("How it is paid for"), ("remuneration_mode", "yearly_fee", "unit", "unit_price", "included_in")),
        ),
        menu=False,
        rules={
            "uq_contract_line_contract_id_service_id": Rule(
                _l("The contract already has a line for this service."), "service"
            ),
            "ck_contract_line_quantity_positive": Rule(_l("The quantity must be at least 1."), "quantity"),
            "ck_contract_line_withdrawal_when": Rule(_l("A withdrawal has a day."), "withdrawal_on"),
            "ck_contract_line_yearly_fee_not_negative": Rule(_l("The fee cannot be negative."), "yearly_fee"),
            "ck_contract_line_unit_price_not_negative": Rule(_l("The price cannot be negative."), "unit_price"),
            "ck_contract_line_fee_where_paid_so": Rule(
                _l("Only a line paid by yearly fee has one: measured, included and free lines have none."), "yearly_fee"
            ),
            "ck_contract_line_unit_where_measured": Rule(
                _l("Only what is paid as measured has a unit and its price."), "unit_price"
            ),
            "ck_contract_line_part_of_another": Rule(_l("A line is no part of itself."), "part_of"),
            "ck_contract_line_included_in_another": Rule(
                _l("A service included in another says in which one, and no other line does."), "included_in"
            ),
            "ck_contract_line_included_elsewhere": Rule(_l("A service is not included in itself."), "included_in"),
        },
    )

    #: The contract it is part of.
    contract_id: Mapped[int] = reference("contract", _l("Contract"), help="")
    contract: Mapped[Contract] = relationship(back_populates="lines")
    #: Place among the lines, from 0.
    position: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    #: What is contracted.
    service_id: Mapped[int] = reference("service", _l("Service"), help=_l("A contract has one line for each service."))
    service: Mapped[Service] = relationship(foreign_keys=[service_id])
    #: From when, where it differs from the contract's start.
    starts_on: Mapped[date | None] = field(
        _lp("contract line", "From"), help=_l("Only where it differs from the start of the contract.")
    )
    #: How many.
    quantity: Mapped[int] = field(_l("Quantity"), Integer, default=1, server_default="1", help="")
    #: The line of the same contract whose service this one is a part of (SV-15).
    part_of_id: Mapped[int | None] = reference(
        "contract_line",
        _l("Part of"),
        related=_l("Consists of"),
        help=_l("The line of the same contract whose service this is a part of."),
    )
    part_of: Mapped[ContractLine | None] = relationship(remote_side="ContractLine.id")
    #: What kind of part.
    component: Mapped[Component | None] = choice(
        Component, _l("Component"), help=_l("Of services for continuous support, each counted by itself.")
    )
    #: Fee a year, in euro without VAT; empty where it is measured, included or free.
    yearly_fee: Mapped[Decimal | None] = money(
        _l("Yearly fee"), help=_l("Without VAT; empty where it is measured, included or free.")
    )
    #: How the line is paid for.
    remuneration_mode: Mapped[RemunerationMode] = choice(
        RemunerationMode,
        _l("Remuneration"),
        default=RemunerationMode.fee,
        help=_l("As measured is paid by what was handled; included is paid with another service."),
    )
    #: What is counted where it is paid as measured: a call, an hour.
    unit: Mapped[str | None] = field(
        _l("Unit"), String(40), help=_l("What is counted where it is paid as measured: a call, an hour.")
    )
    #: Price of one unit, in euro without VAT.
    unit_price: Mapped[Decimal | None] = money(_l("Unit price"), help=_l("Of one unit, without VAT."))
    #: The service whose fee includes this one: no amount of its own can be invoiced (SV-16).
    included_in_id: Mapped[int | None] = reference(
        "service", _l("Included in"), help=_l("The service whose fee includes this one.")
    )
    included_in: Mapped[Service | None] = relationship(foreign_keys=[included_in_id])
    #: Whether it goes on or has been withdrawn from; whether it is in force at all, the contract says.
    state: Mapped[LineState] = choice(LineState, _l("State"), default=LineState.in_force, verb_only=True)
    #: The day a withdrawal from this line takes effect.
    withdrawal_on: Mapped[date | None] = field(
        _l("Withdrawal on"), verb_only=True, help=_l("The day it takes effect; the other lines go on.")
    )
    #: What happens to access when it does.
    withdrawal_mode: Mapped[WithdrawalMode | None] = choice(
        WithdrawalMode,
        _l("After withdrawal"),
        verb_only=True,
        help=_l("What becomes of the client’s access to the service on that day."),
    )

    def __str__(self) -> str:
        return f"{self.contract} · {self.service}"
