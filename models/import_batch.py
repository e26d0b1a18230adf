"""Spreadsheets on their way in: the file somebody uploaded, what its columns mean, and what became of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy import JSON, CheckConstraint, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Admin, Category, EntityName, GroupOwned, Record, Rule, Scope, Section
from models.columns import Choice, choice, field
from models.staff import Staff
from models.values import UtcInstant


class ImportMode(Choice):
    """What happens to a row whose record is there already, or is not."""

    create = "create", _l("Add only"), "neutral", "plus-circle"
    update = "update", _l("Change only"), "neutral", "pencil"
    both = "both", _l("Add and change"), "neutral", "arrow-down-up"


class ImportState(Choice):
    uploaded = "uploaded", _l("Uploaded"), "neutral", "upload"
    trying = "trying", _l("Being tried"), "wait", "hourglass-split"
    tried = "tried", _l("Tried"), "info", "clipboard-check"
    applying = "applying", _l("Being applied"), "wait", "hourglass-split"
    applied = "applied", _l("Applied"), "good", "check-circle"
    discarded = "discarded", _l("Discarded"), "neutral", "trash"
    undone = "undone", _l("Undone"), "neutral", "arrow-counterclockwise"


class ImportOutcome(Choice):
    """What the trial, and then the application, found about one row."""

    new = "new", _l("New"), "good", "plus-circle"
    changed = "changed", _l("To change"), "info", "pencil"
    same = "same", _l("Already the same"), "neutral", "check"
    skipped = "skipped", _l("Left out"), "neutral", "skip-forward"
    refused = "refused", _l("Refused"), "bad", "x-circle"


class ImportBatch(GroupOwned, Record):
    """One file being imported into one kind of record, from the upload to the last row written."""

    __tablename__ = "import_batch"
    __table_args__ = (
        CheckConstraint("done_row >= 0 AND row_count >= 0", name="progress_not_negative"),
        Index(
            "ix_import_batch_mapping",
            "group_id",
            "entity",
            "mapping_name",
            "id",
            postgresql_where=text("mapping_name IS NOT NULL"),
            sqlite_where=text("mapping_name IS NOT NULL"),
        ),
    )
    __admin__ = Admin(
        label=_lp("noun", "Import"),
        plural=_l("Imports"),
        category=Category.system,
        icon="file-earmark-arrow-up",
        rules={"ck_import_batch_progress_not_negative": Rule(_l("Counts cannot be negative."))},
        area="imports",
        scope=Scope(group="group_id", owner="created_by_id"),
        title=("file_name",),
        rank=3,
        list_columns=(
            "file_name",
            "entity",
            "state",
            "row_count",
            "new_count",
            "changed_count",
            "refused_count",
            "created_by",
            "created_at",
        ),
        search_columns=("file_name",),
        filters=("entity", "state", "created_by", "created_at"),
        fast=(("created_by", "created_at"), ("entity", "created_at")),
        sections=(
            Section(_l("The file"), ("entity", "file_name", "form", "row_count", "created_by")),
            Section(_l("How"), ("mapping_name", "mode", "matched_by", "source_system", "state")),
            Section(
                _l("What came of it"),
                (
                    "new_count",
                    "changed_count",
                    "same_count",
                    "skipped_count",
                    "refused_count",
                    "noted_count",
                    "tried_at",
                    "applied_at",
                    "undone_at",
                ),
            ),
        ),
        written_by_verbs=True,
    )

    created_by: Mapped[Staff | None] = relationship(foreign_keys="ImportBatch.created_by_id")
    #: The table of the records that the rows become.
    entity: Mapped[str] = field(_l("Kind of record"), EntityName())
    #: What the file was called where it came from.
    file_name: Mapped[str] = field(_l("File"), String(255))
    #: What kind of file it was, with encoding and separator, or the sheet.
    form: Mapped[str] = field(_l("Form"), String(160))
    #: Its size in bytes.
    file_bytes: Mapped[int] = mapped_column(Integer)
    #: The lines down to the headings, ``[number, cells]`` each: titles, merged headings, the headings themselves.
    top: Mapped[list[Any]] = mapped_column(JSON(none_as_null=True), default=list, server_default="[]")
    #: The headings of its columns, in order.
    headings: Mapped[list[str]] = mapped_column(JSON(none_as_null=True))
    #: Which column goes where: ``{position: target}``; columns left out are not imported.
    mapping: Mapped[dict[str, str]] = mapped_column(JSON(none_as_null=True), default=dict)
    #: The name under which the choices above and below are kept: its latest file says what they are.
    mapping_name: Mapped[str | None] = field(
        _l("Kept as"), String(80), help=_l("The name under which the choices for the columns are used again.")
    )
    #: Whether rows add records, change them, or both.
    mode: Mapped[ImportMode] = choice(ImportMode, _l("Mode"), default=ImportMode.both)
    #: The key that tells whether a record is there already: field names joined by ``+``, or ``external_code``.
    matched_by: Mapped[str | None] = field(
        _l("Matched by"),
        String(160),
        fields_of="entity",
        help=_l("The value by which existing records are recognised."),
    )
    #: Where external codes come from, such as the name of another programme.
    source_system: Mapped[str | None] = field(
        _l("Source system"), String(60), help=_l("Whose codes the external codes are.")
    )
    #: How far it has come.
    state: Mapped[ImportState] = choice(ImportState, _l("State"), default=ImportState.uploaded)
    #: Rows of values in the file.
    row_count: Mapped[int] = field(_l("Rows"), Integer)
    #: Rows that add a record.
    new_count: Mapped[int] = field(_l("New"), Integer, default=0, server_default="0", known_once="tried_at")
    #: Rows that change one.
    changed_count: Mapped[int] = field(_l("To change"), Integer, default=0, server_default="0", known_once="tried_at")
    #: Rows whose record already says the same.
    same_count: Mapped[int] = field(
        _l("Already the same"), Integer, default=0, server_default="0", known_once="tried_at"
    )
    #: Rows that the mode leaves out.
    skipped_count: Mapped[int] = field(
        _l("Left out"),
        Integer,
        default=0,
        server_default="0",
        known_once="tried_at",
        help=_l("Rows that the mode does not take."),
    )
    #: Rows that cannot be imported.
    refused_count: Mapped[int] = field(_l("Refused"), Integer, default=0, server_default="0", known_once="tried_at")
    #: Rows imported with a remark.
    noted_count: Mapped[int] = field(_l("With a remark"), Integer, default=0, server_default="0", known_once="tried_at")
    #: Whether it comes from a file with everything: then it also writes what otherwise only verbs do.
    restores: Mapped[bool] = mapped_column(default=False, server_default="0")
    #: The first part of the file with everything that it is a part of; its own key for that one.
    part_of_id: Mapped[int | None] = mapped_column(Integer, index=True)
    #: The resume point: the last row that the present step has finished with.
    done_row: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    #: How long the last trial took, in thousandths of a second.
    tried_milliseconds: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    #: When the last trial ended.
    tried_at: Mapped[datetime | None] = field(_l("Tried"), UtcInstant())
    #: When the last row was written.
    applied_at: Mapped[datetime | None] = field(_l("Applied"), UtcInstant())

    #: When all that it wrote was taken back.
    undone_at: Mapped[datetime | None] = field(_l("Undone"), UtcInstant())

    def __str__(self) -> str:
        return self.file_name
