"""Links with which members of staff choose a password of their own."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Model
from models.values import UtcInstant


class PasswordLink(Model):
    """One link that has left in a mail. Its token is nowhere: whoever reads this table cannot use it.

    It counts as long as nothing ended the person's sessions since, so any new password ends all links.
    """

    __tablename__ = "password_link"

    #: SHA-256 of the token.
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    #: Whose password it may set.
    staff_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"), index=True)
    #: The person's ``session_epoch`` when it was made.
    session_epoch: Mapped[int] = mapped_column(Integer)
    #: When it was made.
    made_at: Mapped[datetime] = mapped_column(UtcInstant())
    #: Until when it may be used; older rows are cleared away.
    expires_at: Mapped[datetime] = mapped_column(UtcInstant(), index=True)
    #: When it was used.
    used_at: Mapped[datetime | None] = mapped_column(UtcInstant())
