"""The codes with which clients use a licensed service."""

from __future__ import annotations

from datetime import date, datetime

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy import CheckConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from models.base import Admin, Category, CompanyOwned, Record, Rule, Scope, Section, Worklist
from models.columns import Choice, choice, field, reference
from models.company import Company
from models.contact import Contact
from models.order_line import OrderLine
from models.values import Email, UtcInstant


class LicenseState(Choice):
    generated = "generated", _l("Generated"), "info", "key"
    sent = "sent", _l("Sent"), "wait", "send"
    used = "used", _l("In use"), "good", "check-circle"
    expired = "expired", _lp("license", "Expired"), "neutral", "hourglass-bottom"
    revoked = "revoked", _l("Revoked"), "bad", "slash-circle"


class License(CompanyOwned, Record):
    """One code of the ordered quantity, from its generation to its expiry (LI-01)."""

    __tablename__ = "license"
    __table_args__ = (
        UniqueConstraint("group_id", "code"),
        Index("uq_license_renewed_from_id", "renewed_from_id", unique=True),
        Index("uq_license_replaces_id", "replaces_id", unique=True),
        CheckConstraint("state <> 'sent' OR sent_at IS NOT NULL", name="sent_when"),
        CheckConstraint("state <> 'used' OR first_used_at IS NOT NULL", name="used_when"),
        CheckConstraint("state <> 'revoked' OR revocation_reason IS NOT NULL", name="revoked_why"),
        CheckConstraint("renewed_from_id IS NULL OR renewed_from_id <> id", name="renews_another"),
        CheckConstraint("replaces_id IS NULL OR replaces_id <> id", name="replaces_another"),
    )
    __admin__ = Admin(
        label=_l("License"),
        plural=_l("Licenses"),
        category=Category.sales,
        icon="key",
        area="licenses",
        scope=Scope(group="order_line.group_id", company="order_line.company_id"),
        title=("code",),
        subtitle=("company", "order_line.service"),
        worklists=(Worklist(_l("Licenses that expire within 30 days"), ("expires_on:next:30", "state:in:sent,used")),),
        rank=3,
        list_columns=("code", "company", "order_line", "contact", "state", "expires_on", "first_used_at"),
        search_columns=("code", "sent_to", "used_by_email"),
        filters=("state", "company", "order_line", "expires_on", "sent_at", "first_used_at", "code", "created_at"),
        order="-created_at",
        fast=(("state", "created_at"), ("company", "created_at"), ("state", "expires_on"), ("code",), ("expires_on",)),
        facts=(
            "company",
            "order_line",
            "contact",
            "expires_on",
            "sent_at",
            "first_used_at",
            "renewed_from",
            "replaces",
        ),
        natural_keys=(("code",),),
        changeable_in={"order_line": ()},
        sections=(Section(_l("License"), ("order_line", "contact", "expires_on")),),
        client_columns=("code", "state", "expires_on", "first_used_at"),
        rules={
            "uq_license_group_id_code": Rule(_l("There is already a license with this code."), "code"),
            "uq_license_renewed_from_id": Rule(_l("This license has been renewed already."), "renewed_from"),
            "uq_license_replaces_id": Rule(_l("This license has been replaced already."), "replaces"),
            "ck_license_sent_when": Rule(_l("A license that was sent has the time it was sent."), "sent_at"),
            "ck_license_used_when": Rule(_l("A license in use has the time of its first use."), "first_used_at"),
            "ck_license_revoked_why": Rule(_l("A revoked license has a reason."), "revocation_reason"),
            "ck_license_renews_another": Rule(_l("A license cannot renew itself."), "renewed_from"),
            "ck_license_replaces_another": Rule(_l("A license cannot replace itself."), "replaces"),
        },
    )

    company: Mapped[Company] = relationship()
    #: What the client types: random, so that nobody guesses another's; made by the program.
    code: Mapped[str] = field(
        _l("Code"), String(40), verb_only=True, help=_l("Made by the program when it is generated.")
    )
    #: What it was ordered with: says for whom, for which service and how many there may be.
    order_line_id: Mapped[int] = reference(
        "order_line", _l("Order line"), help=_l("Says for whom and which service, and how many there may be.")
    )
    order_line: Mapped[OrderLine] = relationship()
    #: The referent who receives it; the order's unless another is named.
    contact_id: Mapped[int | None] = reference(
        "contact", _l("Contact"), help=_l("Receives the code; the referent of the order where empty.")
    )
    contact: Mapped[Contact | None] = relationship()
    #: Where it stands; changed by verbs only.
    state: Mapped[LicenseState] = choice(LicenseState, _l("State"), default=LicenseState.generated, verb_only=True)
    #: The last day it is good for; from the order line.
    expires_on: Mapped[date | None] = field(
        _l("Expires on"), help=_l("The last day it is good for; from the order where empty.")
    )
    #: When it was sent to the referent.
    sent_at: Mapped[datetime | None] = field(_l("Sent"), UtcInstant(), verb_only=True)
    #: The address it went to.
    sent_to: Mapped[str | None] = field(_l("Sent to"), Email(), personal=True, verb_only=True)
    #: When the code was first redeemed.
    first_used_at: Mapped[datetime | None] = field(_l("First used"), UtcInstant(), verb_only=True)
    #: Who redeemed it.
    used_by_email: Mapped[str | None] = field(
        _l("Used by"),
        Email(),
        personal=True,
        verb_only=True,
        help=_l("The address of the person who redeemed the code."),
    )
    #: When it was revoked.
    revoked_at: Mapped[datetime | None] = field(_l("Revoked"), UtcInstant(), verb_only=True)
    #: Why it was revoked.
    revocation_reason: Mapped[str | None] = field(_l("Reason of revocation"), String(250), verb_only=True)
    #: The expired licence this one continues.
    renewed_from_id: Mapped[int | None] = reference(
        "license",
        _l("Renewal of"),
        related=_l("Renewed by"),
        index=False,
        verb_only=True,
        help=_l("The expired license that this one continues."),
    )
    renewed_from: Mapped[License | None] = relationship(remote_side="License.id", foreign_keys=[renewed_from_id])
    #: The revoked licence this one stands in for.
    replaces_id: Mapped[int | None] = reference(
        "license",
        _l("Replaces"),
        related=_l("Replaced by"),
        index=False,
        verb_only=True,
        help=_l("The revoked license that this one stands in for."),
    )
    replaces: Mapped[License | None] = relationship(remote_side="License.id", foreign_keys=[replaces_id])

    def __str__(self) -> str:
        return self.code
