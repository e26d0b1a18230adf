"""The sessions in which clients use the client area."""

from __future__ import annotations

from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from backoffice.clock import ROME
from models.account import Account
from models.base import Admin, Category, CompanyOwned, Deletion, Record, Rule, Scope, Section
from models.columns import field, reference
from models.company import Company
from models.values import UtcInstant


class AccountSession(CompanyOwned, Record):
    """One browser signed in with an account, from its beginning to its end; several at once are lawful (AC-10)."""

    __tablename__ = "account_session"
    __table_args__ = (UniqueConstraint("digest"),)
    __admin__ = Admin(
        label=_l("Session of an account"),
        plural=_l("Sessions of accounts"),
        category=Category.system,
        icon="person-workspace",
        area="accounts",
        scope=Scope(group="account.group_id", company="account.company_id", account="account_id"),
        title=("account", "created_at"),
        list_columns=("account", "created_at", "seen_at", "address", "browser", "ended_at"),
        filters=("account", "company", "created_at", "ended_at"),
        order="-created_at",
        fast=(("account", "created_at"),),
        sections=(
            Section(_l("Session"), ("account", "created_at", "seen_at", "ended_at")),
            Section(_l("From where"), ("address", "browser")),
        ),
        rules={"uq_account_session_digest": Rule(_l("This session is there already."))},
        client_columns=("created_at", "seen_at", "address", "browser", "ended_at"),
        client_section=False,
        deletion=Deletion(),
        menu=False,
        written_by_verbs=True,
    )

    company: Mapped[Company] = relationship()
    #: Who is signed in.
    account_id: Mapped[int] = reference("account", _l("Account"), help="")
    account: Mapped[Account] = relationship()
    #: SHA-256 of what the browser shows to be known again.
    digest: Mapped[str] = field(_l("Digest"), String(64), secret=True, verb_only=True)
    #: When it was last used, to some minutes.
    seen_at: Mapped[datetime] = field(_l("Last used"), UtcInstant(), help=_l("To some minutes."))
    #: Where it was begun from.
    address: Mapped[str] = field(_l("Network address"), String(64), personal=True, help=_l("Where it was begun from."))
    #: What the browser calls itself.
    browser: Mapped[str | None] = field(_l("Browser"), String(200), help=_l("As it calls itself."))
    #: When it ended: by signing out, by the person from elsewhere, or by a new password.
    ended_at: Mapped[datetime | None] = field(
        _l("Ended"), UtcInstant(), help=_l("By signing out, from another browser, or by a new password.")
    )

    def __str__(self) -> str:
        return f"{self.account} · {self.created_at.astimezone(ROME):%d/%m/%Y %H:%M}"
