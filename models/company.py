"""Client companies and public bodies."""

from __future__ import annotations

from datetime import date

from flask_babel import lazy_gettext as _l
from sqlalchemy import CheckConstraint, Index, String, Text, text
from sqlalchemy.orm import Mapped, relationship

from models.base import Admin, Category, Duplicates, GroupOwned, Record, Rule, Scope, Section, SoftDeleted
from models.business_unit import BusinessUnit
from models.codes import Cap, Country, Iban, Province, SdiCode, TaxCode, VatNumber
from models.columns import Choice, choice, field, folded, reference
from models.staff import Staff
from models.values import Email, Phone, Url


class CompanyState(Choice):
    prospect = "prospect", _l("Prospect"), "info", "circle"
    client = "client", _l("Client"), "good", "check-circle"
    former = "former", _l("Former client"), "neutral", "archive"


class SizeClass(Choice):
    small = "small", _l("Small")
    medium = "medium", _l("Medium")
    large = "large", _l("Large")


class Company(SoftDeleted, GroupOwned, Record):
    """A client, former client or prospect: a company, a public body, an association or a sole trader (CT-01)."""

    __tablename__ = "company"
    __table_args__ = (
        Index(
            "uq_company_vat_number",
            "group_id",
            "vat_number",
            unique=True,
            postgresql_where=text("deleted_at IS NULL"),
            sqlite_where=text("deleted_at IS NULL"),
        ),
        Index(
            "uq_company_tax_code",
            "group_id",
            "tax_code",
            unique=True,
            postgresql_where=text("deleted_at IS NULL"),
            sqlite_where=text("deleted_at IS NULL"),
        ),
        # Who is calling: asked while the telephone rings.
        Index("ix_company_group_id_phone", "group_id", "phone"),
        # Whether any demonstration company is left is asked on every page, for the banner.
        Index(
            "ix_company_is_demo",
            "is_demo",
            postgresql_where=text("is_demo"),
            sqlite_where=text("is_demo = 1"),
        ),
        CheckConstraint("client_since IS NULL OR client_since >= '1900-01-01'", name="client_since_sensible"),
    )
    __admin__ = Admin(
        label=_l("Company"),
        plural=_l("Companies"),
        category=Category.clients,
        icon="building",
        area="companies",
        scope=Scope(group="group_id", company="id", unit="business_unit_id", owner="account_manager_id"),
        title=("legal_name",),
        subtitle=("vat_number", "tax_code", "city"),
        tabs=(
            "contact.company",
            "contract.company",
            "ticket.company",
            "call.company",
            "license.company",
            "account.company",
            "company_service.company",
            "attachment.company",
        ),
        rank=1,
        list_columns=("legal_name", "vat_number", "city", "province", "state", "account_manager"),
        search_columns=("legal_name", "vat_number", "tax_code", "city", "certified_email"),
        filters=(
            "state",
            "legal_name",
            "city",
            "province",
            "classification",
            "size_class",
            "account_manager",
            "business_unit",
            "created_at",
        ),
        repeating=("city", "province", "classification"),
        order="legal_name",
        fast=(
            ("state", "legal_name"),
            ("account_manager", "legal_name"),
            ("business_unit", "legal_name"),
            ("created_at",),
            ("updated_at",),
        ),
        facts=("vat_number", "tax_code", "sdi_code", "certified_email", "phone", "city", "size_class", "business_unit"),
        natural_keys=(("vat_number",), ("tax_code",)),
        duplicates=Duplicates(
            same=(("vat_number", "tax_code"), ("email", "certified_email")),
            alike=("legal_name",),
        ),
        sections=(
            Section(
                _l("Who it is"),
                ("legal_name", "vat_number", "tax_code", "classification", "size_class", "client_since"),
            ),
            Section(_l("Where it is"), ("street", "postal_code", "city", "province", "country")),
            Section(_l("How to reach it"), ("phone", "email", "certified_email", "sdi_code", "website")),
            Section(_l("Who follows it"), ("account_manager", "business_unit", "lab_habitual", "iban", "notes")),
        ),
        client_columns=("legal_name", "vat_number", "tax_code", "city"),
        client_section=False,
        rules={
            "uq_company_vat_number": Rule(_l("Another company already has this VAT number."), "vat_number"),
            "uq_company_tax_code": Rule(_l("Another company already has this tax code."), "tax_code"),
            "ck_company_client_since_sensible": Rule(_l("The date is too far in the past."), "client_since"),
        },
    )

    #: The exact legal name, as in the business register.
    legal_name: Mapped[str] = field(_l("Legal name"), String(250), help=_l("Exactly as in the business register."))
    #: The legal name folded, for sorting.
    legal_name_key: Mapped[str] = folded("legal_name")
    #: Partita IVA, or a foreign VAT number with its country letters; empty where the tax code identifies.
    vat_number: Mapped[str | None] = field(
        _l("VAT number"), VatNumber(20), help=_l("11 digits for Italy; abroad with the country letters in front.")
    )
    #: Codice fiscale; empty for foreign companies.
    tax_code: Mapped[str | None] = field(
        _l("Tax code"),
        TaxCode(16),
        personal=True,
        help=_l("16 characters for people, 11 digits for companies and bodies."),
    )
    #: Kind of body, in the words of its register, such as "Comuni".
    classification: Mapped[str | None] = field(
        _l("Class"), String(160), help=_l("The kind of body in the words of its register, such as “Municipalities”.")
    )
    #: How large the client is: large ones may ask for WINSMART.
    size_class: Mapped[SizeClass | None] = choice(
        SizeClass, _l("Size"), help=_l("Large clients may ask for services kept for them, such as WINSMART.")
    )
    #: Whether it is a client now, was one, or is not yet.
    state: Mapped[CompanyState] = choice(CompanyState, _l("State"), default=CompanyState.prospect, verb_only=True)
    #: When it first became a client; empty for prospects.
    client_since: Mapped[date | None] = field(
        _l("Client since"), help=_l("Filled in when it first becomes a client; empty for prospects.")
    )
    #: Street and number of the registered office.
    street: Mapped[str | None] = field(_l("Street"), String(200))
    #: Italian postal code.
    postal_code: Mapped[str | None] = field(
        _l("Postal code"), Cap(5), help=_l("Five digits with the zeros in front; empty abroad.")
    )
    #: Municipality of the registered office.
    city: Mapped[str | None] = field(_l("City"), String(100))
    #: Province, two letters.
    province: Mapped[str | None] = field(_l("Province"), Province(2), help=_l("Two letters, such as TN."))
    #: Country, two letters; IT unless it says otherwise.
    country: Mapped[str] = field(
        _l("Country"), Country(2), default="IT", server_default="IT", help=_l("Two letters, such as IT.")
    )
    #: Switchboard.
    phone: Mapped[str | None] = field(
        _l("Phone"), Phone(), help=_l("The switchboard; direct lines belong to the contacts.")
    )
    #: General address for ordinary mail.
    email: Mapped[str | None] = field(
        _l("E-mail"), Email(), help=_l("For ordinary mail; people’s own addresses belong to the contacts.")
    )
    #: PEC: certified mail, which counts as registered post.
    certified_email: Mapped[str | None] = field(
        _l("Certified e-mail"), Email(), help=_l("The PEC address, which counts as registered post.")
    )
    #: Codice destinatario for electronic invoices; 0000000 means by PEC.
    sdi_code: Mapped[str | None] = field(
        _l("SDI code"), SdiCode(7), help=_l("7 characters; 6 for public offices; 0000000 when invoices go by PEC.")
    )
    #: Web site.
    website: Mapped[str | None] = field(_l("Web site"), Url())
    #: Bank account invoices are paid from.
    iban: Mapped[str | None] = field(
        _l("IBAN"), Iban(34), personal=True, help=_l("The client’s account, from which it pays invoices.")
    )
    #: Whether it habitually commissions laboratory analyses.
    lab_habitual: Mapped[bool] = field(
        _l("Habitual laboratory client"),
        default=False,
        server_default="0",
        help=_l("It habitually commissions laboratory analyses: a condition for ANALISI."),
    )
    #: The commercial in charge (CT-15); history keeps the earlier ones.
    account_manager_id: Mapped[int | None] = reference(
        "ab_user", _l("Account manager"), help=_l("The commercial in charge of the client.")
    )
    account_manager: Mapped[Staff | None] = relationship(foreign_keys=[account_manager_id])
    #: The unit that answers for the client.
    business_unit_id: Mapped[int | None] = reference(
        "business_unit", _l("Business unit"), help=_l("The unit that answers for the client.")
    )
    business_unit: Mapped[BusinessUnit | None] = relationship()
    #: What colleagues should know; clients never see it.
    notes: Mapped[str | None] = field(_l("Internal notes"), Text, help=_l("Clients never see them."))

    def __str__(self) -> str:
        return self.legal_name
