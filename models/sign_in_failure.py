"""Counters that slow down whoever guesses passwords: rows, so that all processes share them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Model
from models.values import UtcInstant


class SignInFailure(Model):
    """Attempts to sign in to one account from one address, since the last success.

    By account and address together: whoever guesses from elsewhere never locks the owner out.
    The empty account counts all attempts of an address within the current minute.
    """

    __tablename__ = "sign_in_failure"

    #: ``desk`` or ``client``: the two have accounts of their own.
    realm: Mapped[str] = mapped_column(String(16), primary_key=True)
    #: The folded account name, whether it exists or not; empty for all accounts together.
    account: Mapped[str] = mapped_column(String(128), primary_key=True)
    #: Where the attempts came from; the first half of an IPv6 address.
    address: Mapped[str] = mapped_column(String(64), primary_key=True)
    #: How many there were.
    attempts: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    #: When the last one was counted; old rows are forgotten.
    last_at: Mapped[datetime] = mapped_column(UtcInstant(), index=True)
    #: Until when no further attempt is looked at; empty while none is refused.
    locked_until: Mapped[datetime | None] = mapped_column(UtcInstant())
