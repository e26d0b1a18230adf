"""Which clients are entrusted to which consultant."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from models.base import Admin, Category, CompanyOwned, Record, Rule, Scope, Section
from models.columns import reference
from models.company import Company
from models.staff import Staff


class CompanyConsultant(CompanyOwned, Record):
    """A consultant follows a client, and therefore sees it (LI-06, chapter 13 "assigned")."""

    __tablename__ = "company_consultant"
    __table_args__ = (UniqueConstraint("staff_id", "company_id"),)
    __admin__ = Admin(
        label=_l("Consultant of a company"),
        plural=_l("Consultants of companies"),
        category=Category.clients,
        icon="person-check",
        area="companies",
        scope=Scope(group="company.group_id", company="company_id", owner="staff_id"),
        title=("company", "staff"),
        list_columns=("company", "staff", "created_at"),
        filters=("company", "staff"),
        fast=(("staff", "created_at"),),
        natural_keys=(("staff_id", "company_id"),),
        sections=(Section(_l("Assignment"), ("company", "staff")),),
        menu=False,
        rules={
            "uq_company_consultant_staff_id_company_id": Rule(
                _l("This consultant already follows the company."), "staff"
            )
        },
    )

    #: The client that is followed.
    company_id: Mapped[int] = reference("company", _l("Company"), related=_l("Consultants"), help="")
    company: Mapped[Company] = relationship()
    #: The consultant, who sees the client and what belongs to it.
    staff_id: Mapped[int] = reference(
        "ab_user",
        _l("Consultant"),
        related=_l("Companies followed"),
        help=_l("Sees the client and what belongs to it."),
    )
    staff: Mapped[Staff] = relationship(foreign_keys=[staff_id])

    def __str__(self) -> str:
        return f"{self.company} · {self.staff}"
