"""What a member of staff shows besides the password: a code that an app makes, or one kept for losing the phone."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Model
from models.values import UtcInstant


class SecondFactor(Model):
    """The secret that the product and somebody's app have in common (RFC 6238). Never shown again, never exported."""

    __tablename__ = "second_factor"

    #: Whose it is.
    staff_id: Mapped[int] = mapped_column(
        ForeignKey("ab_user.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    #: In Base32, as apps take it.
    secret: Mapped[str] = mapped_column(String(64))
    #: When it was proposed.
    made_at: Mapped[datetime] = mapped_column(UtcInstant())
    #: When the person proved that their app has it; until then it does not count.
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcInstant())
    #: The half minute of the last code that was taken: none is taken twice.
    last_step: Mapped[int] = mapped_column(Integer, default=0, server_default="0")


class RecoveryCode(Model):
    """A code that works once, for whoever has lost the phone."""

    __tablename__ = "recovery_code"

    #: SHA-256 of the code.
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    #: Whose it is.
    staff_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"), index=True)
    #: When it was used.
    used_at: Mapped[datetime | None] = mapped_column(UtcInstant())
