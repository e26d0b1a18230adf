"""The online services of the client area: EDUPLAN, ANALISI, WINSMART."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy import CheckConstraint, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from models.base import Admin, Category, GroupOwned, Record, Rule, Scope, Section
from models.business_unit import BusinessUnit
from models.codes import ShortCode
from models.columns import Choice, choice, field, folded, reference
from models.group_company import GroupCompany
from models.platform import Platform
from models.values import Url


class AccessClass(Choice):
    standard = "standard", _l("Standard access"), "good", "unlock"
    limited = "limited", _l("Limited access"), "wait", "lock"


class Charge(Choice):
    free = "free", _l("Free of charge")
    paid = "paid", _l("Yearly fee")
    undecided = "undecided", _l("Decided case by case")


class OnlineService(GroupOwned, Record):
    """A part of the client area that is activated client by client (SV-01)."""

    __tablename__ = "online_service"
    __table_args__ = (
        UniqueConstraint("group_id", "code"),
        CheckConstraint("answer_days >= 0", name="answer_days_not_negative"),
        CheckConstraint("charge_allowed OR default_charge <> 'paid'", name="paid_only_where_allowed"),
    )
    __admin__ = Admin(
        label=_l("Online service"),
        plural=_l("Online services"),
        category=Category.catalogue,
        icon="window-stack",
        area="services",
        scope=Scope(group="group_company.group_id", unit="business_unit_id"),
        title=("code",),
        tabs=("company_service.online_service", "activation_request_item.online_service", "service.online_service"),
        rank=2,
        list_columns=("code", "name", "group_company", "platform", "access_class", "default_charge", "business_unit"),
        search_columns=("code", "name"),
        filters=("access_class", "default_charge", "group_company", "business_unit", "platform"),
        order="code",
        fast=(("name",),),
        natural_keys=(("code",),),
        sections=(
            Section(_l("Online service"), ("code", "name", "name_en", "group_company", "platform", "url")),
            Section(_l("What clients read"), ("public_description", "public_description_en")),
            Section(
                _l("Who gets it"),
                (
                    "access_class",
                    "business_unit",
                    "eligible_group_company",
                    "large_clients_only",
                    "habitual_clients_only",
                    "requires_records",
                    "records_overridable",
                    "answer_days",
                ),
            ),
            Section(_l("What it costs"), ("default_charge", "charge_allowed")),
        ),
        client_columns=("name", "public_description", "access_class", "default_charge"),
        client_section=False,
        rules={
            "uq_online_service_group_id_code": Rule(_l("There is already an online service with this code."), "code"),
            "ck_online_service_answer_days_not_negative": Rule(_l("The days cannot be negative."), "answer_days"),
            "ck_online_service_paid_only_where_allowed": Rule(
                _l("A fee cannot be the rule where no charge is allowed."), "default_charge"
            ),
        },
    )

    #: Short code people say, such as EDUPLAN; unique in the group.
    code: Mapped[str] = field(_l("Code"), ShortCode(40), help=_l("What people call it, such as EDUPLAN."))
    #: Name as clients read it.
    name: Mapped[str] = field(_l("Name"), String(160), help=_l("As clients read it."))
    #: The same in English, for clients who read that; empty where the name is good in both.
    name_en: Mapped[str | None] = field(_l("Name in English"), String(160), help=_l("Empty: the name above."))
    #: The name folded, for sorting.
    name_key: Mapped[str] = folded("name")
    #: Who answers for it (SV-02).
    group_company_id: Mapped[int] = reference(
        "group_company", _l("Group company"), help=_l("The company of the group that answers for it.")
    )
    group_company: Mapped[GroupCompany] = relationship(foreign_keys=[group_company_id])
    #: What it is, for whom and on which conditions, as shown to clients (SV-18).
    public_description: Mapped[str | None] = field(
        _l("Description"), Text, help=_l("What it is, for whom and on which conditions; clients read it.")
    )
    #: The same in English.
    public_description_en: Mapped[str | None] = field(
        _l("Description in English"), Text, help=_l("Empty: the description above.")
    )
    #: What it runs on (AC-22).
    platform_id: Mapped[int | None] = reference(
        "platform", _l("Platform"), help=_l("What it runs on, with the agreement that clients’ access depends on.")
    )
    platform: Mapped[Platform | None] = relationship()
    #: Where it is reached; empty where that is the platform's address, or a section of the client area.
    url: Mapped[str | None] = field(
        _l("Web address"), Url(), help=_l("Where it is not that of the platform, or a section of the client area.")
    )
    #: Whether any client may ask, or only some (SV-08).
    access_class: Mapped[AccessClass] = choice(
        AccessClass,
        _l("Access"),
        default=AccessClass.standard,
        help=_l("Limited: not every client may ask, and each request is decided case by case."),
    )
    #: Whose evaluator decides on requests (RO-05); empty where the sales side decides.
    business_unit_id: Mapped[int | None] = reference(
        "business_unit", _l("Evaluating unit"), help=_l("Its evaluator decides on requests; empty where sales decides.")
    )
    business_unit: Mapped[BusinessUnit | None] = relationship()
    #: Only clients of this company of the group may have it (SV-07); empty for all.
    eligible_group_company_id: Mapped[int | None] = reference(
        "group_company",
        _l("Reserved to clients of"),
        related=_l("Online services for its clients only"),
        help=_l("Only clients of this company may have it; empty for all."),
    )
    eligible_group_company: Mapped[GroupCompany | None] = relationship(foreign_keys=[eligible_group_company_id])
    #: Meant for large clients: others are evaluated case by case.
    large_clients_only: Mapped[bool] = field(
        _l("For large clients"),
        default=False,
        server_default="0",
        help=_l("Smaller clients are evaluated case by case."),
    )
    #: Meant for clients who habitually commission analyses (AR-18): others are evaluated case by case.
    habitual_clients_only: Mapped[bool] = field(
        _l("For habitual laboratory clients"),
        default=False,
        server_default="0",
        help=_l("Other clients are evaluated case by case."),
    )
    #: A client without data in the platform is refused.
    requires_records: Mapped[bool] = field(
        _l("Needs existing data"),
        default=False,
        server_default="0",
        help=_l("A client without data in the platform is refused."),
    )
    #: Whether an administrator may activate it without data, for a reason that is recorded (A-10).
    records_overridable: Mapped[bool] = field(
        _l("May begin without data"),
        default=False,
        server_default="0",
        help=_l("An administrator may activate it for a client without data, and says why: good for new clients."),
    )
    #: Within how many working days a request for it is answered (AR-23).
    answer_days: Mapped[int] = field(
        _l("Answer within"),
        Integer,
        default=5,
        server_default="5",
        unit=_l("working days"),
        help=_l("How soon requests for it should be answered, Saturdays and Sundays not counted."),
    )
    #: What a client pays unless agreed otherwise.
    default_charge: Mapped[Charge] = choice(
        Charge, _lp("price", "Charge"), default=Charge.undecided, help=_l("What a client pays unless agreed otherwise.")
    )
    #: Whether it may be charged at all.
    charge_allowed: Mapped[bool] = field(
        _l("Charge allowed"), default=True, server_default="1", help=_l("Unticked, it is free for everybody.")
    )

    def __str__(self) -> str:
        return self.code
