"""The units of the group's companies that answer for services and clients."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from models.base import Admin, Category, GroupOwned, Record, Rule, Scope, Section
from models.columns import field, reference
from models.group_company import GroupCompany


class BusinessUnit(GroupOwned, Record):
    """A part of a group company with its own evaluator and its own clients (CT-16, RO-05)."""

    __tablename__ = "business_unit"
    __table_args__ = (UniqueConstraint("group_id", "name"),)
    __admin__ = Admin(
        label=_l("Business unit"),
        plural=_l("Business units"),
        category=Category.system,
        icon="diagram-2",
        area="organisation",
        scope=Scope(group="group_company.group_id", unit="id"),
        title=("name",),
        rank=7,
        list_columns=("name", "group_company"),
        search_columns=("name",),
        filters=("group_company",),
        order="name",
        natural_keys=(("name",),),
        sections=(Section(_l("Unit"), ("name", "group_company")),),
        rules={"uq_business_unit_group_id_name": Rule(_l("There is already a unit of this name."), "name")},
    )

    #: What the unit is called; unique in the group.
    name: Mapped[str] = field(_l("Name"), String(120))
    #: The company of the group it is part of.
    group_company_id: Mapped[int] = reference("group_company", _l("Group company"), help="")
    group_company: Mapped[GroupCompany] = relationship()

    def __str__(self) -> str:
        return self.name
