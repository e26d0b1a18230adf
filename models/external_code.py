"""The names other programmes have for our records."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Model
from models.values import UtcInstant


class ExternalCode(Model):
    """The code of a record in one source system, by which its files are recognised when they come again.

    Reached only for a given corporate group, and its record only through the session's scope.
    """

    __tablename__ = "external_code"
    __table_args__ = (
        UniqueConstraint("group_id", "entity", "system", "code"),
        Index("ix_external_code_record", "entity", "record_id"),
    )

    #: Key; never used twice.
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    #: The corporate group in which the code means this record.
    group_id: Mapped[int] = mapped_column(ForeignKey("corporate_group.id", ondelete="RESTRICT"))
    #: The table of the record.
    entity: Mapped[str] = mapped_column(String(64))
    #: Whose code it is, such as "IndicePA".
    system: Mapped[str] = mapped_column(String(60))
    #: The code, as that system writes it.
    code: Mapped[str] = mapped_column(String(160))
    #: The key of the record; a plain number, because any table may be meant.
    record_id: Mapped[int] = mapped_column(Integer)
    #: When it was first met.
    created_at: Mapped[datetime] = mapped_column(UtcInstant())
