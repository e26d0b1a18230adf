"""Merges of records that were there twice, kept so that each can be undone."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Model
from models.values import UtcInstant


class RecordMerge(Model):
    """One record merged into another: what moved, by keys alone. What values were before is in the history.

    Reached only for a given corporate group, by those who may merge records of its kind.
    """

    __tablename__ = "record_merge"
    __table_args__ = (Index("ix_record_merge_kept", "group_id", "entity", "kept_id", "id"),)

    #: Key; never used twice.
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    #: The corporate group of both records.
    group_id: Mapped[int] = mapped_column(ForeignKey("corporate_group.id", ondelete="RESTRICT"))
    #: The table of both.
    entity: Mapped[str] = mapped_column(String(64))
    #: The key of the record that stays; a plain number, because any table may be meant.
    kept_id: Mapped[int] = mapped_column(Integer)
    #: The key of the record that went.
    dropped_id: Mapped[int] = mapped_column(Integer)
    #: The version the one that stays had afterwards: the merge can be undone while it still has it.
    kept_version: Mapped[int] = mapped_column(Integer)
    #: The version of the one that went, likewise.
    dropped_version: Mapped[int] = mapped_column(Integer)
    #: What was done, in order: see ``backoffice.operations.merge_steps``.
    steps: Mapped[list[dict[str, Any]]] = mapped_column(JSON(none_as_null=True))
    #: When.
    at: Mapped[datetime] = mapped_column(UtcInstant())
    #: The key of the member of staff who did it; a plain number, as in the history.
    actor_id: Mapped[int | None] = mapped_column(Integer)
    #: Their name at that moment.
    actor_name: Mapped[str] = mapped_column(String(160), default="", server_default="")
    #: When it was undone; empty while it stands.
    undone_at: Mapped[datetime | None] = mapped_column(UtcInstant())
