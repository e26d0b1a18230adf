"""The places where a client works."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from models.base import Admin, Category, CompanyOwned, Record, Rule, Scope, Section
from models.codes import Cap, Country, Province
from models.columns import field, folded
from models.company import Company
from models.values import Phone


class Site(CompanyOwned, Record):
    """A seat, plant or office of a client, where people work and interventions happen (CT-01)."""

    __tablename__ = "site"
    __table_args__ = (UniqueConstraint("company_id", "name"), Index("ix_site_group_id_phone", "group_id", "phone"))
    __admin__ = Admin(
        label=_l("Site"),
        plural=_l("Sites"),
        category=Category.clients,
        icon="geo-alt",
        area="companies",
        scope=Scope(group="company.group_id", company="company_id"),
        title=("name",),
        subtitle=("company", "city"),
        rank=7,
        list_columns=("name", "company", "street", "city", "province"),
        search_columns=("name", "street", "city"),
        filters=("company", "name", "city", "province", "created_at"),
        repeating=("city", "province"),
        order="name",
        fast=(("company", "name"), ("created_at",)),
        natural_keys=(("company_id", "name"),),
        sections=(
            Section(_l("Site"), ("company", "name", "phone")),
            Section(_l("Where it is"), ("street", "postal_code", "city", "province", "country")),
        ),
        client_columns=("name", "street", "postal_code", "city", "province"),
        rules={"uq_site_company_id_name": Rule(_l("This company already has a site of this name."), "name")},
    )

    company: Mapped[Company] = relationship()
    #: What the client calls the place, such as "Municipio" or "Stabilimento 2".
    name: Mapped[str] = field(_l("Name"), String(120), help=_l("What the client calls the place."))
    #: The name folded, for sorting.
    name_key: Mapped[str] = folded("name")
    #: Street and number; a home address where the client is a sole trader.
    street: Mapped[str | None] = field(_l("Street"), String(200), personal=True)
    #: Italian postal code.
    postal_code: Mapped[str | None] = field(
        _l("Postal code"), Cap(5), help=_l("Five digits with the zeros in front; empty abroad.")
    )
    #: Municipality.
    city: Mapped[str | None] = field(_l("City"), String(100))
    #: Province, two letters.
    province: Mapped[str | None] = field(_l("Province"), Province(2), help=_l("Two letters, such as TN."))
    #: Country, two letters; IT unless it says otherwise.
    country: Mapped[str] = field(
        _l("Country"), Country(2), default="IT", server_default="IT", help=_l("Two letters, such as IT.")
    )
    #: The number that rings there.
    phone: Mapped[str | None] = field(_l("Phone"), Phone())

    def __str__(self) -> str:
        return self.name
