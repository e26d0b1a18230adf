"""People who work at clients and are sent to training."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from sqlalchemy import Index, String, text
from sqlalchemy.orm import Mapped, relationship

from models.base import Admin, Category, CompanyOwned, Record, Rule, Scope, Section, SoftDeleted
from models.codes import TaxCode
from models.columns import Choice, choice, field, folded, reference
from models.company import Company
from models.site import Site


class WorkerCategory(Choice):
    """Whom training is for (ED-02)."""

    worker = "worker", _l("Worker"), "neutral", "person"
    manager = "manager", _l("Manager"), "neutral", "person-badge"
    professional = "professional", _l("Professional"), "neutral", "person-workspace"


class Worker(SoftDeleted, CompanyOwned, Record):
    """A person whose training is traced, course by course (ED-01)."""

    __tablename__ = "worker"
    __table_args__ = (
        Index(
            "uq_worker_tax_code",
            "company_id",
            "tax_code",
            unique=True,
            postgresql_where=text("deleted_at IS NULL"),
            sqlite_where=text("deleted_at IS NULL"),
        ),
    )
    __admin__ = Admin(
        label=_l("Person in training"),
        plural=_l("People in training"),
        category=Category.client_data,
        icon="person-lines-fill",
        area="training",
        scope=Scope(group="company.group_id", company="company_id", site="site_id"),
        title=("first_name", "last_name"),
        subtitle=("category", "company"),
        tabs=("training_record.worker", "deadline.worker"),
        rank=2,
        list_columns=("last_name", "first_name", "company", "category", "site", "job_title", "is_employed"),
        search_columns=("first_name", "last_name", "tax_code"),
        filters=("company", "category", "site", "is_employed", "last_name", "created_at"),
        order="last_name",
        fast=(("company", "last_name"), ("category", "last_name"), ("created_at",)),
        facts=("company", "category", "site", "job_title"),
        natural_keys=(("company_id", "tax_code"),),
        sections=(
            Section(
                _l("Person"),
                ("company", "first_name", "last_name", "tax_code", "category", "site", "job_title", "is_employed"),
                own_row=("company",),
            ),
        ),
        client_columns=("last_name", "first_name", "category", "site", "job_title", "is_employed"),
        rules={
            "uq_worker_tax_code": Rule(_l("This company already has a person with this codice fiscale."), "tax_code")
        },
    )

    company: Mapped[Company] = relationship()
    #: Given name.
    first_name: Mapped[str] = field(_l("First name"), String(80), personal=True)
    #: Family name.
    last_name: Mapped[str] = field(_l("Last name"), String(80), personal=True)
    #: Family and given name folded, for sorting.
    last_name_key: Mapped[str] = folded("last_name", "first_name")
    #: Codice fiscale; imports recognise the person by it.
    tax_code: Mapped[str | None] = field(
        _l("Codice fiscale"), TaxCode(16), personal=True, help=_l("Imports recognise the person by it.")
    )
    #: Whether a worker, a manager or a professional.
    category: Mapped[WorkerCategory] = choice(
        WorkerCategory,
        _l("Category"),
        default=WorkerCategory.worker,
        badge=False,
        help=_l("Which training is meant for them."),
    )
    #: Where they work; an account may be narrowed to one site.
    site_id: Mapped[int | None] = reference("site", _l("Site"), help=_l("Where they work."))
    site: Mapped[Site | None] = relationship()
    #: What they do there.
    job_title: Mapped[str | None] = field(_l("Job title"), String(120))
    #: Whether they still work for the client.
    is_employed: Mapped[bool] = field(
        _l("Works there"),
        default=True,
        server_default="1",
        help=_l("Unticked, no new training updates fall due for them."),
    )

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}"
