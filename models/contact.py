"""People at client companies."""

from __future__ import annotations

from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import Index, String, text
from sqlalchemy.orm import Mapped, relationship

from models.base import Admin, Category, CompanyOwned, Duplicates, Record, Rule, Scope, Section, SoftDeleted, Worklist
from models.columns import Choice, choice, field, folded
from models.company import Company
from models.outbox_mail import MailLanguage
from models.values import Email, Phone, UtcInstant


class OrganisationLevel(Choice):
    decision = "decision", _l("Decision")
    operating = "operating", _l("Operating")


class Contact(SoftDeleted, CompanyOwned, Record):
    """A person the group deals with at a client (CT-02)."""

    __tablename__ = "contact"
    __table_args__ = (
        # Few: what the sender asks after each mail.
        Index(
            "ix_contact_unreachable_since",
            "unreachable_since",
            postgresql_where=text("unreachable_since IS NOT NULL"),
            sqlite_where=text("unreachable_since IS NOT NULL"),
        ),
        Index(
            "uq_contact_email",
            "company_id",
            "email",
            unique=True,
            postgresql_where=text("deleted_at IS NULL"),
            sqlite_where=text("deleted_at IS NULL"),
        ),
        # Who is calling: asked while the telephone rings.
        Index("ix_contact_group_id_phone", "group_id", "phone"),
        Index("ix_contact_group_id_mobile", "group_id", "mobile"),
        Index(
            "uq_contact_main_referent",
            "company_id",
            unique=True,
            postgresql_where=text("is_main_referent AND deleted_at IS NULL"),
            sqlite_where=text("is_main_referent AND deleted_at IS NULL"),
        ),
    )
    __admin__ = Admin(
        label=_l("Contact"),
        plural=_l("Contacts"),
        category=Category.clients,
        icon="people",
        area="contacts",
        scope=Scope(group="company.group_id", company="company_id"),
        title=("first_name", "last_name"),
        subtitle=("job_title", "company"),
        rank=2,
        list_columns=("last_name", "first_name", "company", "email", "phone", "is_main_referent"),
        search_columns=("first_name", "last_name", "email"),
        filters=(
            "company",
            "is_main_referent",
            "organisation_level",
            "last_name",
            "email",
            "unreachable_since",
            "created_at",
        ),
        order="last_name",
        fast=(("company", "last_name"), ("created_at",)),
        worklists=(Worklist(_l("Contacts whose address refuses mail"), ("unreachable_since:filled:",), "wait"),),
        facts=("company", "email", "unreachable_since", "phone", "mobile"),
        natural_keys=(("company_id", "email"),),
        duplicates=Duplicates(same=(("email",), ("mobile",)), alike=("first_name", "last_name"), within="company"),
        sections=(
            Section(
                _l("Person"),
                ("company", "first_name", "last_name", "job_title", "organisation_level", "is_main_referent"),
                own_row=("company",),
            ),
            Section(_l("How to reach them"), ("email", "phone", "mobile", "language")),
        ),
        client_columns=("first_name", "last_name", "email", "phone"),
        rules={
            "uq_contact_email": Rule(_l("This company already has a contact with this e-mail address."), "email"),
            "uq_contact_main_referent": Rule(_l("This company already has a main referent."), "is_main_referent"),
        },
    )

    company: Mapped[Company] = relationship()
    #: Given name.
    first_name: Mapped[str] = field(_l("First name"), String(80), personal=True)
    #: Family name.
    last_name: Mapped[str] = field(_l("Last name"), String(80), personal=True)
    #: Family and given name folded, for sorting.
    last_name_key: Mapped[str] = folded("last_name", "first_name")
    #: What the person does there.
    job_title: Mapped[str | None] = field(_l("Job title"), String(120))
    #: Whether the person decides or operates.
    organisation_level: Mapped[OrganisationLevel | None] = choice(
        OrganisationLevel, _l("Level"), help=_l("Whether the person decides or operates.")
    )
    #: The one person the group turns to first.
    is_main_referent: Mapped[bool] = field(
        _l("Main referent"),
        default=False,
        server_default="0",
        help=_l("The one person to turn to first; a company has at most one."),
    )
    #: Personal work address; one contact per address and company.
    email: Mapped[str | None] = field(
        _l("E-mail"),
        Email(),
        personal=True,
        help=_l("Each address only once in a company; imports recognise the person by it."),
    )
    #: Since when mail servers refuse the address for good; empty while they do not.
    unreachable_since: Mapped[datetime | None] = field(
        _l("Address refuses mail since"),
        UtcInstant(),
        verb_only=True,
        help=_l("The mail server said that there is no such address: ask for another one."),
    )
    #: When the address was proven to be theirs; empty until then.
    email_verified_at: Mapped[datetime | None] = field(_l("E-mail verified"), UtcInstant(), verb_only=True)
    #: Direct line.
    phone: Mapped[str | None] = field(_l("Phone"), Phone(), personal=True, help=_l("The direct line."))
    #: Mobile telephone.
    mobile: Mapped[str | None] = field(_l("Mobile"), Phone(), personal=True)

    #: The language mails to them are written in; empty for Italian.
    language: Mapped[MailLanguage | None] = choice(
        MailLanguage, _l("Language"), name="contact_language", help=_l("Of mails to them; empty: Italian.")
    )

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}"
