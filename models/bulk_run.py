"""Something done to many records at once: which ones, in which version they were, and what became of each."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Model
from models.columns import Choice, choice_type
from models.values import UtcInstant


class BulkAction(Choice):
    """What is done to each record."""

    edit = "edit", _l("Edit"), "neutral", "pencil"
    verb = "verb", _lp("bulk", "Perform"), "neutral", "arrow-right"
    delete = "delete", _l("Delete"), "danger", "trash3"


class BulkOutcome(Choice):
    """What became of one record."""

    done = "done", _lp("bulk", "Done"), "good", "check-circle"
    refused = "refused", _lp("bulk", "Not possible"), "bad", "x-circle"
    changed = "changed", _lp("bulk", "Changed by somebody else"), "wait", "arrow-repeat"


class BulkRun(Model):
    """One action on many records of a kind. Reached only by whoever asked for it, in the group they asked for it in.

    Each record is written by the operation that writes it alone, with the rights its author has then.
    """

    __tablename__ = "bulk_run"
    __table_args__ = (
        CheckConstraint("(action = 'verb') = (verb IS NOT NULL)", name="verb_is_named"),
        Index("ix_bulk_run_at", "at"),
    )

    #: Key; never used twice.
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    #: The corporate group of the records.
    group_id: Mapped[int] = mapped_column(ForeignKey("corporate_group.id", ondelete="RESTRICT"))
    #: The key of the member of staff who asked for it; a plain number, as in the history.
    actor_id: Mapped[int] = mapped_column(Integer)
    #: The table of the records.
    entity: Mapped[str] = mapped_column(String(64))
    #: What is done to each.
    action: Mapped[BulkAction] = mapped_column(choice_type(BulkAction))
    #: Which verb, where it is one.
    verb: Mapped[str | None] = mapped_column(String(64))
    #: What was typed, by field; empty until it is confirmed.
    values: Mapped[dict[str, Any]] = mapped_column(JSON(none_as_null=True), default=dict)
    #: The parameters of the list it was asked for on: the way back.
    address: Mapped[str] = mapped_column(String(4_000), default="", server_default="")
    #: How many records there are.
    row_count: Mapped[int] = mapped_column(Integer)
    #: When they were counted: what changes afterwards is not written over.
    at: Mapped[datetime] = mapped_column(UtcInstant())
    #: When it was confirmed; until then nothing happens.
    started_at: Mapped[datetime | None] = mapped_column(UtcInstant())
    #: The job that does it beside the page, where it is long; a plain number, because jobs may go before it.
    job_id: Mapped[int | None] = mapped_column(Integer)


class BulkRow(Model):
    """One record of a run. Reached only through it."""

    __tablename__ = "bulk_row"
    __table_args__ = (Index("ix_bulk_row_outcome", "run_id", "outcome", "record_id"),)

    #: The run.
    run_id: Mapped[int] = mapped_column(
        ForeignKey("bulk_run.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    #: The key of the record; a plain number, because any table may be meant.
    record_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    #: The version it had when it was counted.
    version: Mapped[int] = mapped_column(Integer)
    #: What became of it; empty while it waits.
    outcome: Mapped[BulkOutcome | None] = mapped_column(choice_type(BulkOutcome))
    #: Why not, in a sentence.
    problem: Mapped[str | None] = mapped_column(String(500))
