"""What the bell shows: that something has happened which concerns somebody, and how they want to hear of it."""

from __future__ import annotations

from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Index, Integer, String, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Model
from models.columns import Choice, choice_type
from models.values import UtcInstant


class NoticeWay(Choice):
    """How a person wants to hear of one kind of event; the bell has it in any case."""

    mail = "mail", _l("By mail, at once")
    digest = "digest", _l("In the mail of the morning")
    bell = "bell", _l("Here only")


_SOMEBODY = "(staff_id IS NULL) <> (account_id IS NULL)"


class Notice(Model):
    """One thing that one person is told. It holds no words: what it says is looked up, with the reader's own eyes.

    So a notice shows nobody more than they may see, in the language they read, and there is nothing to erase in it.
    """

    __tablename__ = "notice"
    __table_args__ = (
        CheckConstraint(_SOMEBODY, name="of_somebody"),
        Index("ix_notice_staff_id", "staff_id", "read_at", "id"),
        Index("ix_notice_account_id", "account_id", "read_at", "id"),
        Index("ix_notice_in_digest", "in_digest", "id"),
    )

    #: Its number.
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    #: The member of staff who is told, if it is one.
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"))
    #: The client's account behind which the person is who is told, if it is one of those.
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    #: What has happened, as the mail template of it is called.
    event: Mapped[str] = mapped_column(String(64))
    #: The table of the record it happened to.
    cause_entity: Mapped[str] = mapped_column(String(64))
    #: The key of that record.
    cause_id: Mapped[int] = mapped_column(Integer)
    #: When.
    at: Mapped[datetime] = mapped_column(UtcInstant())
    #: When the person opened it or put it aside.
    read_at: Mapped[datetime | None] = mapped_column(UtcInstant())
    #: Whether the next mail of the morning still has to name it.
    in_digest: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())


class NoticeChoice(Model):
    """How one person wants to hear of one kind of event, where that is not as for everybody."""

    __tablename__ = "notice_choice"
    __table_args__ = (
        CheckConstraint(_SOMEBODY, name="of_somebody"),
        UniqueConstraint("staff_id", "event"),
        UniqueConstraint("account_id", "event"),
    )

    #: Its number.
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    #: The member of staff whose choice it is, if it is one's.
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"))
    #: The client's account whose choice it is, if it is one of those.
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    #: Of which kind of event, as its mail template is called.
    event: Mapped[str] = mapped_column(String(64))
    #: How they want to hear of it.
    way: Mapped[NoticeWay] = mapped_column(choice_type(NoticeWay))
