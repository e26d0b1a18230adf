"""The catalogue of what the group sells or gives its clients."""

from __future__ import annotations

from decimal import Decimal

from flask_babel import lazy_gettext as _l
from sqlalchemy import CheckConstraint, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from models.base import Admin, Category, GroupOwned, Record, Rule, Scope, Section
from models.business_unit import BusinessUnit
from models.codes import ShortCode
from models.columns import Choice, choice, field, folded, money, reference
from models.group_company import GroupCompany
from models.online_service import OnlineService
from models.platform import Platform
from models.support_queue import SupportQueue


class ServiceState(Choice):
    proposed = "proposed", _l("In preparation"), "info", "pencil"
    offered = "offered", _l("Offered"), "good", "check-circle"
    retired = "retired", _l("No longer offered"), "neutral", "archive"


class Service(GroupOwned, Record):
    """Something a client may contract: a course programme, laboratory analyses, a software, assistance (SV-13)."""

    __tablename__ = "service"
    __table_args__ = (
        UniqueConstraint("group_id", "code"),
        CheckConstraint("list_price IS NULL OR list_price >= 0", name="list_price_not_negative"),
    )
    __admin__ = Admin(
        label=_l("Service"),
        plural=_l("Services"),
        category=Category.catalogue,
        icon="grid",
        area="services",
        scope=Scope(group="group_company.group_id", unit="business_unit_id"),
        title=("name",),
        subtitle=("code", "group_company"),
        rank=1,
        list_columns=("code", "name", "group_company", "state", "is_licensed", "is_third_party", "list_price"),
        search_columns=("code", "name"),
        filters=("state", "group_company", "business_unit", "online_service", "is_licensed", "is_third_party"),
        order="code",
        fast=(("state", "code"), ("name",)),
        natural_keys=(("code",),),
        sections=(
            Section(
                _l("Service"),
                (
                    "code",
                    "name",
                    "group_company",
                    "business_unit",
                    "description",
                    "online_service",
                    "platform",
                    "queue",
                ),
            ),
            Section(_l("Terms"), ("list_price", "is_licensed", "is_third_party", "liability_note")),
        ),
        rules={
            "uq_service_group_id_code": Rule(_l("There is already a service with this code."), "code"),
            "ck_service_list_price_not_negative": Rule(_l("The price cannot be negative."), "list_price"),
        },
    )

    #: Short code people say, such as GOPRIVACY; unique in the group.
    code: Mapped[str] = field(_l("Code"), ShortCode(40), help=_l("What people call it, such as GOPRIVACY."))
    #: Name as clients read it.
    name: Mapped[str] = field(_l("Name"), String(160), help=_l("As clients read it."))
    #: The name folded, for sorting.
    name_key: Mapped[str] = folded("name")
    #: Whether it is in preparation, offered or retired; changed by verbs.
    state: Mapped[ServiceState] = choice(ServiceState, _l("State"), default=ServiceState.proposed, verb_only=True)
    #: Who provides it and signs for it (SV-02).
    group_company_id: Mapped[int] = reference(
        "group_company", _l("Group company"), help=_l("The company of the group that provides it.")
    )
    group_company: Mapped[GroupCompany] = relationship()
    #: Whose evaluator decides on requests for it (RO-05); empty where the sales side decides.
    business_unit_id: Mapped[int | None] = reference(
        "business_unit", _l("Business unit"), help=_l("The unit whose evaluator decides on requests for it.")
    )
    business_unit: Mapped[BusinessUnit | None] = relationship()
    #: What it is and whom it is for, as shown to clients (SV-18).
    description: Mapped[str | None] = field(
        _l("Description"), Text, help=_l("What it is and whom it is for, written for clients.")
    )
    #: The online service that a contract line for it opens (SV-12).
    online_service_id: Mapped[int | None] = reference(
        "online_service", _l("Online service"), help=_l("What a client who contracts this may have activated.")
    )
    online_service: Mapped[OnlineService | None] = relationship()
    #: What it is delivered on, where no online service says so (SV-13).
    platform_id: Mapped[int | None] = reference(
        "platform", _l("Platform"), help=_l("What it is delivered on, where that is not its online service’s.")
    )
    platform: Mapped[Platform | None] = relationship()
    #: The queue that requests about it go to; empty where the request type or the person decides (SV-13).
    queue_id: Mapped[int | None] = reference(
        "support_queue", _l("Queue"), help=_l("Where requests about it go, with that queue's calendar.")
    )
    queue: Mapped[SupportQueue | None] = relationship()
    #: Yearly list price; empty where it is quoted case by case.
    list_price: Mapped[Decimal | None] = money(
        _l("List price"), help=_l("A year, without VAT; empty where each client gets a quote.")
    )
    #: Clients use it with codes, generated up to the ordered quantity (LI-01).
    is_licensed: Mapped[bool] = field(
        _l("With licenses"),
        default=False,
        server_default="0",
        help=_l("Clients use it with codes, as many as ordered."),
    )
    #: Run by others: faults on it are not ours (SV-17).
    is_third_party: Mapped[bool] = field(
        _l("Third party"),
        default=False,
        server_default="0",
        help=_l("Others run it: its faults are not chargeable to us."),
    )
    #: What we answer for and what not.
    liability_note: Mapped[str | None] = field(_l("Liability note"), Text, help=_l("What we answer for and what not."))

    def __str__(self) -> str:
        return self.name
