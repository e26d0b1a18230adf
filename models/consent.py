"""The consents of clients to the processing of their data."""

from __future__ import annotations

from datetime import datetime

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, relationship

from backoffice.clock import ROME
from models.account import Account
from models.base import Admin, Category, Deletion, GroupOwned, Record, Rule, Scope, Section
from models.columns import field, reference
from models.company import Company
from models.terms_version import TermsVersion
from models.values import UtcInstant


class Consent(GroupOwned, Record):
    """One consent from its giving to its withdrawal; given again, it is another one (PR-03, PR-11)."""

    __tablename__ = "consent"
    __table_args__ = (
        Index(
            "uq_consent_open",
            "account_id",
            unique=True,
            postgresql_where=text("revoked_at IS NULL"),
            sqlite_where=text("revoked_at IS NULL"),
        ),
        CheckConstraint("revoked_at IS NULL OR revoked_at >= granted_at", name="revoked_after"),
    )
    __admin__ = Admin(
        label=_l("Consent"),
        plural=_l("Consents"),
        category=Category.clients,
        icon="shield-check",
        area="consents",
        scope=Scope(group="account.group_id", company="account.company_id", account="account_id"),
        title=("account", "granted_at"),
        list_columns=("account", "company", "terms", "granted_at", "revoked_at"),
        search_columns=("account",),
        filters=("account", "company", "terms", "granted_at", "revoked_at"),
        order="-granted_at",
        fast=(("account", "granted_at"),),
        sections=(Section(_l("Consent"), ("account", "terms", "granted_at", "revoked_at")),),
        client_columns=("granted_at", "revoked_at"),
        client_section=False,
        deletion=Deletion(),
        written_by_verbs=True,
        rank=8,
        rules={
            "uq_consent_open": Rule(_l("This consent is given already."), "account"),
            "ck_consent_revoked_after": Rule(_l("A consent is withdrawn after it was given."), "revoked_at"),
        },
    )

    #: Who gave it.
    account_id: Mapped[int] = reference("account", _l("Account"), help="")
    account: Mapped[Account] = relationship()
    #: The client of the account; copied from it, and empty as long as its is.
    company_id: Mapped[int | None] = reference("company", _l("Company"))
    company: Mapped[Company | None] = relationship()
    #: The privacy notice the person read; empty where none was published.
    terms_id: Mapped[int | None] = reference("terms_version", _l("Privacy notice"), help=_l("What the person read."))
    terms: Mapped[TermsVersion | None] = relationship()
    #: When it was given.
    granted_at: Mapped[datetime] = field(_l("Given"), UtcInstant())
    #: When it was withdrawn; empty while it counts.
    revoked_at: Mapped[datetime | None] = field(
        _lp("consent", "Withdrawn"), UtcInstant(), help=_l("Without consent no assistance can be given.")
    )

    def __str__(self) -> str:
        return f"{self.account} · {self.granted_at.astimezone(ROME):%d/%m/%Y}"
