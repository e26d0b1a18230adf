"""The services an order consists of, one a line."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy import CheckConstraint, Integer, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Admin, Category, CompanyOwned, Deletion, Record, Rule, Scope, Section
from models.columns import field, money, reference
from models.customer_order import CustomerOrder, OrderState
from models.service import Service


class OrderLine(CompanyOwned, Record):
    """One ordered service, with the expiry its licences will have (OB-12)."""

    __tablename__ = "order_line"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity_positive"),
        CheckConstraint("generated BETWEEN 0 AND quantity", name="generated_within_quantity"),
        CheckConstraint("license_expires_on IS NULL OR license_months IS NULL", name="one_expiry"),
        CheckConstraint("license_months > 0", name="months_positive"),
        CheckConstraint("unit_price >= 0", name="price_not_negative"),
    )
    __admin__ = Admin(
        label=_l("Order line"),
        plural=_l("Order lines"),
        category=Category.sales,
        icon="list-ol",
        area="orders",
        scope=Scope(group="order.group_id", company="order.company_id"),
        title=("order", "service"),
        list_columns=("order", "service", "quantity", "generated", "license_expires_on", "license_months"),
        search_columns=("description",),
        filters=("order", "service", "license_expires_on"),
        fast=(("service", "created_at"), ("order", "created_at")),
        sections=(
            Section(
                _l("Line"),
                ("order", "service", "description", "quantity", "unit_price", "license_expires_on", "license_months"),
            ),
        ),
        deletion=Deletion((OrderState.draft,), of="order"),
        menu=False,
        rules={
            "ck_order_line_quantity_positive": Rule(_l("The quantity must be at least 1."), "quantity"),
            "ck_order_line_generated_within_quantity": Rule(
                _l("No more licenses than ordered: that many have been generated already."), "quantity"
            ),
            "ck_order_line_one_expiry": Rule(_l("Either a date or a number of months, not both."), "license_months"),
            "ck_order_line_months_positive": Rule(_l("At least one month."), "license_months"),
            "ck_order_line_price_not_negative": Rule(_l("The price cannot be negative."), "unit_price"),
        },
    )

    #: The order it is part of.
    order_id: Mapped[int] = reference("customer_order", _l("Order"), help="")
    order: Mapped[CustomerOrder] = relationship(back_populates="lines")
    #: Place among the lines, from 0.
    position: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    #: What is ordered.
    service_id: Mapped[int] = reference(
        "service", _l("Service"), help=_l("Licenses are generated where clients use it with codes.")
    )
    service: Mapped[Service] = relationship()
    #: What exactly, in the words of the order.
    description: Mapped[str | None] = field(_l("Description"), String(200), help=_l("In the words of the order."))
    #: How many, and so how many licences at most.
    quantity: Mapped[int] = field(
        _l("Quantity"), Integer, default=1, server_default="1", help=_l("No more licenses than this are generated.")
    )
    #: Licences generated so far; counted up in the statement that claims them.
    generated: Mapped[int] = field(
        _lp("licenses", "Generated"),
        Integer,
        default=0,
        server_default="0",
        verb_only=True,
        help=_l("Licenses generated so far."),
    )
    #: Price of one, in euro without VAT.
    unit_price: Mapped[Decimal | None] = money(_l("Unit price"), help=_l("Without VAT."))
    #: The last day its licences are good for.
    license_expires_on: Mapped[date | None] = field(
        _l("Licenses expire on"), help=_l("The last day the licenses are good for; or give a number of months.")
    )
    #: For how many months from their generation its licences are good.
    license_months: Mapped[int | None] = field(
        _l("Months of validity"), Integer, help=_l("From the day the licenses are generated.")
    )

    def __str__(self) -> str:
        return f"{self.order} · {self.service}"
