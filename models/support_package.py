"""The assistance hours a client has bought."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from flask_babel import lazy_gettext as _l
from sqlalchemy import CheckConstraint, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from models.base import Admin, Category, CompanyOwned, Record, Rule, Scope, Section
from models.columns import Choice, choice, field, minutes, money, reference
from models.company import Company
from models.contract import Contract
from models.support_package_type import SupportPackageType


class PackageState(Choice):
    requested = "requested", _l("Requested"), "info", "cart"
    quoted = "quoted", _l("Quoted"), "info", "receipt"
    active = "active", _l("Active"), "good", "play-circle"
    suspended = "suspended", _l("Suspended"), "wait", "pause-circle"
    exhausted = "exhausted", _l("Used up"), "bad", "battery"
    expired = "expired", _l("Expired"), "neutral", "hourglass-bottom"
    cancelled = "cancelled", _l("Cancelled"), "neutral", "x-circle"


class SupportPackage(CompanyOwned, Record):
    """Hours of assistance of one client, used up movement by movement (PK-01)."""

    __tablename__ = "support_package"
    __table_args__ = (
        UniqueConstraint("group_id", "number"),
        CheckConstraint("purchased_minutes > 0", name="purchased_positive"),
        CheckConstraint("price >= 0", name="price_not_negative"),
        CheckConstraint("valid_to >= valid_from", name="valid_to_after_from"),
        CheckConstraint("state NOT IN ('active', 'suspended') OR valid_from IS NOT NULL", name="active_from_when"),
    )
    __admin__ = Admin(
        label=_l("Support package"),
        plural=_l("Support packages"),
        category=Category.sales,
        icon="hourglass-split",
        area="packages",
        scope=Scope(group="company.group_id", company="company_id"),
        title=("number",),
        subtitle=("type", "company"),
        rank=4,
        list_columns=("number", "company", "type", "state", "purchased_minutes", "residual_minutes", "valid_to"),
        search_columns=("number",),
        filters=("state", "company", "type", "residual_minutes", "valid_from", "valid_to", "contract", "created_at"),
        order="-created_at",
        fast=(
            ("state", "created_at"),
            ("company", "created_at"),
            ("state", "valid_to"),
            ("company", "valid_to"),
            ("number",),
            ("valid_to",),
        ),
        facts=("company", "type", "purchased_minutes", "residual_minutes", "valid_from", "valid_to", "price"),
        natural_keys=(("number",),),
        changeable_in={
            "company": (PackageState.requested, PackageState.quoted),
            "purchased_minutes": (PackageState.requested, PackageState.quoted),
        },
        sections=(
            Section(_l("Package"), ("company", "number", "type", "purchased_minutes", "price")),
            Section(
                _l("Validity"),
                ("valid_from", "valid_to", "contract", "notes"),
                _l("Only an active package within its dates covers requests."),
            ),
        ),
        client_columns=("number", "state", "purchased_minutes", "residual_minutes", "valid_from", "valid_to"),
        rules={
            "uq_support_package_group_id_number": Rule(_l("There is already a package with this number."), "number"),
            "ck_support_package_purchased_positive": Rule(
                _l("A package has at least one minute."), "purchased_minutes"
            ),
            "ck_support_package_price_not_negative": Rule(_l("The price cannot be negative."), "price"),
            "ck_support_package_valid_to_after_from": Rule(_l("The end comes before the start."), "valid_to"),
            "ck_support_package_active_from_when": Rule(_l("An active package has a first day."), "valid_from"),
        },
    )

    company: Mapped[Company] = relationship()
    #: As on the offer or invoice; unique in the group.
    number: Mapped[str] = field(_l("Number"), String(60), help=_l("As on the offer or the invoice."))
    #: The kind on offer it was sold as; empty for one made to measure.
    type_id: Mapped[int | None] = reference(
        "support_package_type", _l("Type"), help=_l("Empty for one made to measure.")
    )
    type: Mapped[SupportPackageType | None] = relationship()
    #: Time bought.
    purchased_minutes: Mapped[int] = minutes(
        _l("Time bought"),
        help=_l("Such as 25:00; a number alone is minutes. Put on the account at activation; charges take it away."),
    )
    #: Time left: always the sum of the movements (PK-12).
    residual_minutes: Mapped[int] = minutes(
        _l("Time left"), default=0, server_default="0", verb_only=True, help=_l("The sum of the movements.")
    )
    #: What was paid, in euro without VAT.
    price: Mapped[Decimal | None] = money(_l("Price"), help=_l("Without VAT."))
    #: First day it may be used; set at activation where empty.
    valid_from: Mapped[date | None] = field(_l("Valid from"), help=_l("The day of activation where empty."))
    #: Last day it may be used; empty without limit.
    valid_to: Mapped[date | None] = field(
        _l("Valid to"), help=_l("Last day; empty without limit, or as its type says.")
    )
    #: Where it stands; changed by verbs only.
    state: Mapped[PackageState] = choice(PackageState, _l("State"), default=PackageState.requested, verb_only=True)
    #: The contract it belongs to, where there is one.
    contract_id: Mapped[int | None] = reference(
        "contract", _l("Contract"), help=_l("Empty where it was bought without a contract.")
    )
    contract: Mapped[Contract | None] = relationship()
    #: When the client was told that it is about to end; empty until then.
    end_told_on: Mapped[date | None] = field(
        _l("Told of its end"), verb_only=True, help=_l("The day of the mail that says so.")
    )
    #: What colleagues should know.
    notes: Mapped[str | None] = field(_l("Internal notes"), Text, help=_l("Clients never see them."))

    def __str__(self) -> str:
        return self.number
