"""Signed certificates of the laboratory."""

from __future__ import annotations

from datetime import datetime

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy import CheckConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from models.analysis import Analysis
from models.base import Admin, Category, CompanyOwned, Deletion, Record, Rule, Scope, Section, Worklist
from models.business_unit import BusinessUnit
from models.columns import Choice, choice, field, reference
from models.company import Company
from models.values import UtcInstant


class CertificateState(Choice):
    draft = "draft", _lp("certificate", "To be issued"), "info", "pencil"
    issued = "issued", _lp("certificate", "Issued"), "good", "patch-check"
    replaced = "replaced", _lp("certificate", "Replaced"), "neutral", "arrow-left-right"


S = CertificateState


class Certificate(CompanyOwned, Record):
    """The certificate of an analysis: a signed file that nobody changes once it is issued (AN-07, AN-09)."""

    __tablename__ = "certificate"
    __table_args__ = (
        UniqueConstraint("group_id", "number"),
        Index("uq_certificate_replaces_id", "replaces_id", unique=True),
        CheckConstraint("(state = 'draft') = (issued_at IS NULL)", name="issued_when"),
        CheckConstraint("(state = 'draft') = (sha256 IS NULL)", name="issued_with_file"),
        CheckConstraint("replaces_id IS NULL OR replaces_id <> id", name="replaces_another"),
    )
    __admin__ = Admin(
        label=_l("Certificate"),
        plural=_l("Certificates"),
        category=Category.client_data,
        icon="patch-check",
        area="analyses",
        scope=Scope(
            group="analysis.group_id", company="analysis.company_id", unit="analysis.business_unit_id"
        , site="analysis.site_id"),
        title=("number",),
        subtitle=("analysis", "company"),
        tabs=("attachment.certificate", "certificate.replaces"),
        worklists=(Worklist(_l("Certificates to issue"), ("state:in:draft",)),),
        rank=6,
        list_columns=("number", "analysis", "company", "signer", "signed_at", "state"),
        search_columns=("number", "analysis"),
        filters=("state", "company", "analysis", "number", "signed_at", "issued_at", "replaces", "created_at"),
        order="-created_at",
        fast=(("company", "created_at"), ("state", "created_at"), ("analysis", "created_at"), ("number",)),
        facts=("company", "analysis", "signer", "signed_at", "issued_at", "replaces", "sha256"),
        natural_keys=(("number",),),
        files_in=(S.draft,),
        deletion=Deletion((S.draft,)),
        changeable_in=dict.fromkeys(("analysis", "number", "signer", "signed_at", "replaces"), (S.draft,)),
        sections=(Section(_l("Certificate"), ("analysis", "number", "signer", "signed_at", "replaces")),),
        client_columns=("number", "analysis", "signer", "signed_at", "state", "sha256"),
        client_only={"state": (S.issued, S.replaced)},
        rules={
            "uq_certificate_group_id_number": Rule(_l("There is already a certificate with this number."), "number"),
            "uq_certificate_replaces_id": Rule(_l("This certificate has been replaced already."), "replaces"),
            "ck_certificate_issued_when": Rule(_l("An issued certificate says since when."), "issued_at"),
            "ck_certificate_issued_with_file": Rule(_l("An issued certificate has its signed file."), "sha256"),
            "ck_certificate_replaces_another": Rule(_l("A certificate does not replace itself."), "replaces"),
        },
    )  # fmt: skip

    company: Mapped[Company] = relationship()
    #: The unit of the laboratory; copied from the analysis.
    business_unit_id: Mapped[int] = reference("business_unit", _l("Laboratory"))
    business_unit: Mapped[BusinessUnit] = relationship()
    #: What it certifies.
    analysis_id: Mapped[int] = reference("analysis", _l("Analysis"), help=_l("One that is validated, by then."))
    analysis: Mapped[Analysis] = relationship()
    #: Printed on it; unique in the group.
    number: Mapped[str] = field(_l("Number"), String(40), help=_l("As printed on it."))
    #: Who signed it.
    signer: Mapped[str] = field(_l("Signed by"), String(120), personal=True, help=_l("As in the signature."))
    #: When it was signed.
    signed_at: Mapped[datetime] = field(_lp("certificate", "Signed"), UtcInstant(), help=_l("As in the signature."))
    #: Where it stands; changed by verbs only.
    state: Mapped[CertificateState] = choice(CertificateState, _l("State"), default=S.draft, verb_only=True)
    #: When it was issued; nothing of it changes afterwards.
    issued_at: Mapped[datetime | None] = field(_lp("certificate", "Issued"), UtcInstant(), verb_only=True)
    #: The digest of the signed file as it was issued.
    sha256: Mapped[str | None] = field("SHA-256", String(64), verb_only=True)
    #: The certificate in whose place it comes.
    replaces_id: Mapped[int | None] = reference(
        "certificate",
        _l("Replaces"),
        related=_l("Replaced by"),
        index=False,
        help=_l("An issued certificate of the same analysis that was wrong."),
    )
    replaces: Mapped[Certificate | None] = relationship(remote_side="Certificate.id")

    def __str__(self) -> str:
        return self.number
