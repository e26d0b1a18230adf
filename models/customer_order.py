"""What clients order, before licences are generated for it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy import CheckConstraint, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from models.base import Admin, Category, CompanyOwned, Deletion, Flow, Record, Rule, Scope, Section, Worklist
from models.columns import Choice, choice, field, reference
from models.company import Company
from models.contact import Contact
from models.contract import Contract
from models.staff import Staff

if TYPE_CHECKING:
    from models.order_line import OrderLine


class OrderState(Choice):
    draft = "draft", _l("Draft"), "neutral", "pencil"
    confirmed = "confirmed", _l("Confirmed"), "active", "check2-circle"
    completed = "completed", _l("Completed"), "good", "check-circle"
    cancelled = "cancelled", _l("Cancelled"), "neutral", "x-circle"


class CustomerOrder(CompanyOwned, Record):
    """An order of a client as the account manager enters it, with the referent it names (CT-14, OB-01)."""

    __tablename__ = "customer_order"
    __table_args__ = (
        UniqueConstraint("group_id", "number"),
        CheckConstraint("referent_id IS NOT NULL OR state IN ('draft', 'cancelled')", name="referent_named"),
    )
    __admin__ = Admin(
        label=_l("Order"),
        plural=_l("Orders"),
        category=Category.sales,
        icon="cart-check",
        area="orders",
        scope=Scope(group="company.group_id", company="company_id", owner="account_manager_id"),
        title=("number",),
        subtitle=("company", "referent"),
        tabs=("onboarding.order",),
        worklists=(Worklist(_l("My orders to confirm"), ("account_manager:in:{me}", "state:in:draft")),),
        flows=(Flow(_lp("orders", "Ordered"), "ordered_on"),),
        rank=2,
        list_columns=("number", "company", "referent", "ordered_on", "state", "account_manager"),
        search_columns=("number",),
        filters=("state", "company", "number", "ordered_on", "account_manager", "contract", "created_at"),
        order="-created_at",
        fast=(
            ("state", "created_at"),
            ("company", "created_at"),
            ("account_manager", "created_at"),
            ("number",),
            ("ordered_on",),
        ),
        inline=("lines",),
        facts=("company", "referent", "ordered_on", "contract", "account_manager"),
        natural_keys=(("number",),),
        deletion=Deletion((OrderState.draft,)),
        changeable_in={"company": (OrderState.draft,)},
        sections=(
            Section(_l("Order"), ("company", "number", "ordered_on", "referent")),
            Section(_l("What belongs to it"), ("contract", "account_manager", "notes")),
        ),
        client_columns=("number", "ordered_on", "state"),
        rules={
            "uq_customer_order_group_id_number": Rule(_l("There is already an order with this number."), "number"),
            "ck_customer_order_referent_named": Rule(_l("An order without referent cannot be confirmed."), "referent"),
        },
    )

    company: Mapped[Company] = relationship()
    #: The number it was entered under; unique in the group.
    number: Mapped[str] = field(_l("Number"), String(60), help=_l("The number it was entered under."))
    #: The day the client ordered.
    ordered_on: Mapped[date] = field(_l("Ordered on"))
    #: Where it stands; changed by verbs only.
    state: Mapped[OrderState] = choice(OrderState, _l("State"), default=OrderState.draft, verb_only=True)
    #: The person at the client who receives the licences; must be known to confirm.
    referent_id: Mapped[int | None] = reference(
        "contact", _l("Referent"), help=_l("Receives the licenses; must be known before the order is confirmed.")
    )
    referent: Mapped[Contact | None] = relationship()
    #: The contract it falls under, where there is one.
    contract_id: Mapped[int | None] = reference(
        "contract", _l("Contract"), help=_l("Empty where it was ordered without a contract.")
    )
    contract: Mapped[Contract | None] = relationship()
    #: The commercial who entered it.
    account_manager_id: Mapped[int | None] = reference(
        "ab_user", _l("Account manager"), help=_l("That of the company where empty.")
    )
    account_manager: Mapped[Staff | None] = relationship(foreign_keys=[account_manager_id])
    #: What colleagues should know.
    notes: Mapped[str | None] = field(_l("Internal notes"), Text, help=_l("Clients never see them."))

    lines: Mapped[list[OrderLine]] = relationship(
        back_populates="order",
        passive_deletes="all",
        cascade="save-update, merge",
        order_by="OrderLine.position",
        info={"label": _l("Order lines"), "help": _l("One service a line; licenses are generated up to the quantity.")},
    )

    def __str__(self) -> str:
        return self.number
