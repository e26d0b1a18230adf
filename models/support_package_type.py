"""The packages of assistance hours on offer."""

from __future__ import annotations

from decimal import Decimal

from flask_babel import lazy_gettext as _l
from sqlalchemy import CheckConstraint, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import Admin, Category, GroupOwned, Record, Rule, Scope, Section
from models.codes import ShortCode
from models.columns import field, folded, minutes, money


class SupportPackageType(GroupOwned, Record):
    """A size of package on offer; each sold package may differ from it (PK-04)."""

    __tablename__ = "support_package_type"
    __table_args__ = (
        UniqueConstraint("group_id", "code"),
        CheckConstraint("included_minutes > 0", name="minutes_positive"),
        CheckConstraint("price >= 0", name="price_not_negative"),
        CheckConstraint("validity_months > 0", name="validity_positive"),
    )
    __admin__ = Admin(
        label=_l("Package type"),
        plural=_l("Package types"),
        category=Category.catalogue,
        icon="box",
        area="package_types",
        scope=Scope(group="group_id"),
        title=("name",),
        rank=3,
        list_columns=("code", "name", "included_minutes", "price", "validity_months", "active"),
        search_columns=("code", "name"),
        filters=("active",),
        order="code",
        fast=(("name",),),
        natural_keys=(("code",),),
        sections=(
            Section(_l("Package type"), ("code", "name", "included_minutes", "price", "validity_months", "active")),
        ),
        client_columns=("name", "included_minutes", "price", "validity_months"),
        client_section=False,
        rules={
            "uq_support_package_type_group_id_code": Rule(
                _l("There is already a package type with this code."), "code"
            ),
            "ck_support_package_type_minutes_positive": Rule(
                _l("A package has at least one minute."), "included_minutes"
            ),
            "ck_support_package_type_price_not_negative": Rule(_l("The price cannot be negative."), "price"),
            "ck_support_package_type_validity_positive": Rule(_l("At least one month."), "validity_months"),
        },
    )

    #: Short code, such as ORE10; unique in the group.
    code: Mapped[str] = field(_l("Code"), ShortCode(40), help=_l("Short, such as ORE10."))
    #: Name as clients read it.
    name: Mapped[str] = field(_l("Name"), String(120), help=_l("As clients read it."))
    #: The name folded, for sorting.
    name_key: Mapped[str] = folded("name")
    #: Assistance time it contains.
    included_minutes: Mapped[int] = minutes(
        _l("Time included"), help=_l("Such as 25:00; a number alone is minutes. A package sold may differ.")
    )
    #: Price in euro without VAT; empty where each client gets a quote.
    price: Mapped[Decimal | None] = money(_l("Price"), help=_l("Without VAT; empty where each client gets a quote."))
    #: How long after its activation it may be used; empty without limit.
    validity_months: Mapped[int | None] = field(
        _l("Validity"), Integer, unit=_l("months"), help=_l("From its activation; empty without limit.")
    )
    #: Whether it is still sold.
    active: Mapped[bool] = field(
        _l("On offer"),
        default=True,
        server_default="1",
        help=_l("Untick it when it is no longer sold; packages already sold go on."),
    )

    def __str__(self) -> str:
        return self.name
