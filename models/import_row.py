"""The rows of uploaded spreadsheets, and the keys met in them while they are tried."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Model
from models.columns import choice_type
from models.import_batch import ImportOutcome


class ImportRow(Model):
    """One row of an uploaded file. Reached only through its batch, which is where its scope lies."""

    __tablename__ = "import_row"
    __table_args__ = (
        Index("ix_import_row_outcome", "batch_id", "outcome", "number"),
        Index(
            "ix_import_row_noted",
            "batch_id",
            "number",
            postgresql_where=text("noted"),
            sqlite_where=text("noted"),
        ),
    )

    #: The file it belongs to.
    batch_id: Mapped[int] = mapped_column(
        ForeignKey("import_batch.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    #: Its number as spreadsheet programs show it.
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    #: Its cells as text, as they were in the file.
    cells: Mapped[list[str]] = mapped_column(JSON(none_as_null=True))
    #: What was found about it; empty until tried.
    outcome: Mapped[ImportOutcome | None] = mapped_column(choice_type(ImportOutcome))
    #: Whether there is a remark although it is not refused.
    noted: Mapped[bool] = mapped_column(default=False, server_default="0")
    #: Reasons and remarks: ``[heading, value in the file, sentence]`` each.
    findings: Mapped[list[Any]] = mapped_column(JSON(none_as_null=True), default=list)
    #: The record it became or matched.
    record_id: Mapped[int | None] = mapped_column(Integer)
    #: The version of that record when the row was tried: one that changed since is not written over.
    record_version: Mapped[int | None] = mapped_column(Integer)
    #: The version of that record once the row was written: the import can be undone while it still has it.
    written_version: Mapped[int | None] = mapped_column(Integer)
    #: Whether it has been applied.
    applied: Mapped[bool] = mapped_column(default=False, server_default="0")


class ImportKey(Model):
    """A key value met while a file is tried, so that a second row with the same one is recognised at any size."""

    __tablename__ = "import_key"

    #: The file.
    batch_id: Mapped[int] = mapped_column(
        ForeignKey("import_batch.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    #: Which key: field names joined by ``+``, or ``external_code``.
    name: Mapped[str] = mapped_column(String(160), primary_key=True)
    #: Its value in stored form.
    value: Mapped[str] = mapped_column(String(500), primary_key=True)
    #: The first row that has it.
    number: Mapped[int] = mapped_column(Integer)
