"""Contracts between a client and a company of the group."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy import CheckConstraint, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from models.base import Admin, Category, CompanyOwned, Deletion, Flow, Record, Rule, Scope, Section, Worklist
from models.business_unit import BusinessUnit
from models.codes import Cig, Cup
from models.columns import Choice, choice, field, money, reference
from models.company import Company
from models.group_company import GroupCompany
from models.support_team import SupportTeam

if TYPE_CHECKING:
    from models.contract_line import ContractLine


class ContractState(Choice):
    draft = "draft", _l("Draft"), "neutral", "pencil"
    signed = "signed", _l("Signed"), "info", "vector-pen"
    active = "active", _l("Active"), "active", "play-circle"
    expiring = "expiring", _l("Expiring"), "wait", "clock"
    suspended = "suspended", _l("Suspended"), "wait", "pause-circle"
    withdrawal_notified = "withdrawal_notified", _l("Withdrawal notified"), "wait", "box-arrow-right"
    withdrawn = "withdrawn", _l("Withdrawn"), "bad", "box-arrow-right"
    expired = "expired", _l("Expired"), "neutral", "hourglass-bottom"
    restarted = "restarted", _l("Restarted"), "good", "arrow-repeat"
    cancelled = "cancelled", _l("Cancelled"), "neutral", "x-circle"


#: States in which the client may use what it bought.
IN_FORCE = (ContractState.active, ContractState.expiring, ContractState.withdrawal_notified)


class Contract(CompanyOwned, Record):
    """What a client has bought, from which company of the group, and until when (CT-03)."""

    __tablename__ = "contract"
    __table_args__ = (
        UniqueConstraint("group_id", "number"),
        CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name="ends_after_start"),
        CheckConstraint("notice_days >= 0", name="notice_not_negative"),
        CheckConstraint(
            "state NOT IN ('withdrawal_notified', 'withdrawn') OR withdrawal_on IS NOT NULL", name="withdrawal_when"
        ),
        CheckConstraint("state IN ('draft', 'cancelled') OR signed_on IS NOT NULL", name="signed_when"),
        CheckConstraint("previous_contract_id IS NULL OR previous_contract_id <> id", name="continues_another"),
        CheckConstraint("charge_step_minutes BETWEEN 1 AND 480", name="charge_step"),
        CheckConstraint("data_entry_hours > 0", name="data_entry_hours_positive"),
        CheckConstraint("data_entry_price >= 0", name="data_entry_price_not_negative"),
        CheckConstraint(
            "data_entry_on IS NOT NULL OR (data_entry_hours IS NULL AND data_entry_price IS NULL)",
            name="data_entry_when",
        ),
        # Which companies a team works for: the row scope of operators.
        Index("ix_contract_support_team_id_company_id", "support_team_id", "company_id"),
    )
    __admin__ = Admin(
        label=_l("Contract"),
        plural=_l("Contracts"),
        category=Category.sales,
        icon="file-earmark-text",
        area="contracts",
        scope=Scope(group="company.group_id", company="company_id", unit="business_unit_id"),
        title=("number",),
        subtitle=("subject", "company"),
        tabs=(
            "ticket.contract",
            "call.contract",
            "customer_order.contract",
            "support_package.contract",
            "attachment.contract",
            "asset.contract",
            "entitlement.contract",
            "contract.previous_contract",
            "contract_milestone.contract",
            "contract_handover.contract",
        ),
        worklists=(
            Worklist(
                _l("Contracts that end within 60 days"), ("ends_on:next:60", "state:in:active,expiring,suspended")
            ),
        ),
        flows=(Flow(_lp("contracts", "Begun"), "starts_on"), Flow(_lp("contracts", "Ended"), "ends_on")),
        rank=1,
        list_columns=("number", "company", "subject", "state", "starts_on", "ends_on"),
        search_columns=("number", "subject", "cig", "cup"),
        filters=(
            "state",
            "company",
            "number",
            "starts_on",
            "ends_on",
            "group_company",
            "business_unit",
            "support_team",
            "created_at",
        ),
        order="-created_at",
        fast=(
            ("state", "created_at"),
            ("company", "created_at"),
            ("state", "ends_on"),
            ("number",),
            ("ends_on",),
            ("starts_on",),
        ),
        inline=("lines",),
        facts=("company", "group_company", "signed_on", "starts_on", "ends_on", "support_team", "cig", "cup"),
        natural_keys=(("number",),),
        deletion=Deletion((ContractState.draft,)),
        changeable_in={
            "company": (ContractState.draft, ContractState.signed),
            "group_company": (ContractState.draft, ContractState.signed),
            "starts_on": (ContractState.draft, ContractState.signed),
        },
        sections=(
            Section(_l("The parties"), ("company", "group_company", "number", "subject", "business_unit")),
            Section(
                _l("Duration"),
                ("signed_on", "starts_on", "ends_on", "notice_days", "renews_itself"),
                _l("The dates decide from when assistance is due and when it ends."),
            ),
            Section(
                _l("Data entry"),
                ("data_entry_on", "data_entry_hours", "data_entry_price"),
                _l("What was agreed for entering earlier training, and that of other providers."),
            ),
            Section(
                _l("Assistance and tenders"),
                ("support_team", "charge_step_minutes", "cig", "cup", "previous_contract", "notes"),
            ),
        ),
        client_columns=("number", "subject", "state", "starts_on", "ends_on"),
        rules={
            "uq_contract_group_id_number": Rule(_l("There is already a contract with this number."), "number"),
            "ck_contract_ends_after_start": Rule(_l("The end comes before the start."), "ends_on"),
            "ck_contract_notice_not_negative": Rule(_l("The notice cannot be negative."), "notice_days"),
            "ck_contract_withdrawal_when": Rule(_l("A withdrawal has a day."), "withdrawal_on"),
            "ck_contract_signed_when": Rule(_l("A signed contract has the day of its signature."), "signed_on"),
            "ck_contract_charge_step": Rule(_l("Between 1 and 480 minutes."), "charge_step_minutes"),
            "ck_contract_continues_another": Rule(_l("A contract cannot continue itself."), "previous_contract"),
            "ck_contract_data_entry_hours_positive": Rule(_l("At least one hour."), "data_entry_hours"),
            "ck_contract_data_entry_price_not_negative": Rule(_l("The price cannot be negative."), "data_entry_price"),
            "ck_contract_data_entry_when": Rule(
                _l("Say when the data entry was agreed: without a day there is no agreement."), "data_entry_on"
            ),
        },
    )

    company: Mapped[Company] = relationship()
    #: Who of the group signed it.
    group_company_id: Mapped[int] = reference(
        "group_company", _l("Group company"), help=_l("The company of the group that signs.")
    )
    group_company: Mapped[GroupCompany] = relationship()
    #: Printed on the signed copy; unique in the group.
    number: Mapped[str] = field(_l("Number"), String(60), help=_l("As printed on the signed copy."))
    #: What it is about, in a few words.
    subject: Mapped[str | None] = field(_l("Subject"), String(200), help=_l("In a few words; clients read it."))
    #: Where it stands; changed by verbs only.
    state: Mapped[ContractState] = choice(ContractState, _l("State"), default=ContractState.draft, verb_only=True)
    #: When both parties had signed.
    signed_on: Mapped[date | None] = field(
        _l("Signed on"), today=True, help=_l("The day the last of the parties signed.")
    )
    #: First day in force.
    starts_on: Mapped[date] = field(_l("Starts on"), help=_l("First day in force."))
    #: Last day in force; empty where it has no end.
    ends_on: Mapped[date | None] = field(_l("Ends on"), help=_l("Last day in force; empty where it has no end."))
    #: Days of notice for a withdrawal.
    notice_days: Mapped[int] = field(
        _lp("contract", "Notice"),
        Integer,
        default=60,
        server_default="60",
        unit=_l("days"),
        help=_l("How long before the end a withdrawal must be notified."),
    )
    #: Whether it goes on from year to year unless somebody withdraws.
    renews_itself: Mapped[bool] = field(
        _l("Renews itself"),
        default=False,
        server_default="0",
        help=_l("It goes on from year to year unless somebody withdraws."),
    )
    #: The day a notified withdrawal takes effect (CT-04).
    withdrawal_on: Mapped[date | None] = field(
        _l("Withdrawal on"), verb_only=True, help=_l("The day it takes effect; until then the contract is in force.")
    )
    #: Whose unit performs it.
    business_unit_id: Mapped[int | None] = reference(
        "business_unit", _l("Business unit"), help=_l("The unit that performs it.")
    )
    business_unit: Mapped[BusinessUnit | None] = relationship()
    #: The team that assists under it: its operators see the client.
    support_team_id: Mapped[int | None] = reference(
        "support_team", _l("Support team"), index=False, help=_l("Its operators see the client and its contacts.")
    )
    support_team: Mapped[SupportTeam | None] = relationship()
    #: Tender code.
    cig: Mapped[str | None] = field(_l("CIG"), Cig(10), help=_l("Tender code: 10 letters or digits."))
    #: Project code.
    cup: Mapped[str | None] = field(_l("CUP"), Cup(15), help=_l("Project code: 15 letters or digits."))
    #: Working time is charged in steps of so many minutes, rounded up; empty for real minutes.
    charge_step_minutes: Mapped[int | None] = field(
        _l("Time charged in steps of"),
        Integer,
        unit=_l("minutes"),
        help=_l("Rounded up for each entry; empty for real minutes."),
    )
    #: The contract this one restarts (CT-05).
    previous_contract_id: Mapped[int | None] = reference(
        "contract",
        _l("Previous contract"),
        related=_l("Following contracts"),
        help=_l("The contract that this one restarts."),
    )
    previous_contract: Mapped[Contract | None] = relationship(remote_side="Contract.id")
    #: When it was agreed that earlier training, and that of other providers, is entered (ED-08).
    data_entry_on: Mapped[date | None] = field(
        _l("Data entry agreed on"), help=_l("Without it no earlier training of the client is entered.")
    )
    #: How many hours of it were agreed.
    data_entry_hours: Mapped[int | None] = field(
        _l("Hours of data entry"), Integer, help=_l("As agreed; empty where none are counted.")
    )
    #: What the client pays for it, in euro without VAT.
    data_entry_price: Mapped[Decimal | None] = money(
        _l("Price of data entry"), help=_l("Without VAT; empty where the contract includes it.")
    )
    #: What colleagues should know.
    notes: Mapped[str | None] = field(_l("Internal notes"), Text, help=_l("Clients never see them."))

    lines: Mapped[list[ContractLine]] = relationship(
        back_populates="contract",
        passive_deletes="all",
        cascade="save-update, merge",
        order_by="ContractLine.position",
        info={"label": _l("Contract lines"), "help": _l("One service a line; a withdrawal may concern one line only.")},
    )

    def __str__(self) -> str:
        return self.number
