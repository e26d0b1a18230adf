"""Links sent to clients and to those who want to become some."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Model
from models.columns import Choice, choice_type
from models.values import UtcInstant


class LinkPurpose(Choice):
    """What a link lets whoever has it do."""

    password = "password", "choose the password of an account"  # a word, not a secret
    confirm = "confirm", "confirm the address of a registration"
    address = "address", "take another address for an account"
    request = "request", "follow an activation request and answer it"


class ClientLink(Model):
    """One link that has left in a mail. Its token is nowhere: whoever reads this table cannot use it (AC-16)."""

    __tablename__ = "client_link"
    __table_args__ = (
        CheckConstraint("(account_id IS NULL) = (purpose = 'request')", name="account_or_request"),
        CheckConstraint("(request_id IS NULL) = (purpose <> 'request')", name="request_where_request"),
    )

    #: SHA-256 of the token.
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    #: What it lets whoever has it do.
    purpose: Mapped[LinkPurpose] = mapped_column(choice_type(LinkPurpose))
    #: Whose password it may set, or whose address it confirms.
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    #: Which request it shows.
    request_id: Mapped[int | None] = mapped_column(ForeignKey("activation_request.id", ondelete="CASCADE"), index=True)
    #: When it was made.
    made_at: Mapped[datetime] = mapped_column(UtcInstant())
    #: Until when it may be used; older rows are cleared away.
    expires_at: Mapped[datetime] = mapped_column(UtcInstant(), index=True)
    #: When it was used, or overtaken by a new password.
    used_at: Mapped[datetime | None] = mapped_column(UtcInstant())
