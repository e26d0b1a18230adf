"""Work that takes long: done beside the pages, in steps that last, by whichever process is free."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy import JSON, CheckConstraint, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Admin, Category, EntityName, GroupOwned, Record, Rule, Scope, Section
from models.columns import Choice, choice, field
from models.staff import Staff
from models.values import DeclaredName, UtcInstant


class JobName(DeclaredName):
    """What a job does; each kind of job adds its word."""


class JobState(Choice):
    waiting = "waiting", _lp("job", "Waiting"), "wait", "hourglass-split"
    running = "running", _lp("job", "Running"), "active", "gear-wide-connected"
    done = "done", _lp("job", "Done"), "good", "check-circle"
    failed = "failed", _lp("job", "Failed"), "bad", "x-circle"
    cancelled = "cancelled", _lp("job", "Cancelled"), "neutral", "slash-circle"


class Job(GroupOwned, Record):
    """Work that somebody asked for and that goes on without them (EX-04); what is done of it survives a restart."""

    __tablename__ = "job"
    __table_args__ = (
        CheckConstraint("state <> 'running' OR lease_token IS NOT NULL", name="running_by_somebody"),
        CheckConstraint("done_count >= 0 AND total_count >= 0", name="progress_not_negative"),
        CheckConstraint(
            "(file_name IS NULL) = (file_sha256 IS NULL) AND (file_name IS NULL) = (file_until IS NULL)",
            name="file_is_whole",
        ),
        # What workers look for, in every corporate group at once.
        Index("ix_job_due", "state", "lane", "id"),
        Index("ix_job_cause", "cause_entity", "cause_id", "id"),
        Index("ix_job_file", "file_sha256"),
    )
    __admin__ = Admin(
        label=_lp("job", "Job"),
        plural=_lp("job", "Jobs"),
        category=Category.system,
        icon="cpu",
        area="jobs",
        scope=Scope(group="group_id", owner="created_by_id"),
        title=("kind", "subject"),
        list_columns=("created_at", "kind", "subject", "state", "done_count", "total_count", "created_by", "ended_at"),
        search_columns=("subject",),
        filters=("state", "kind", "created_by", "created_at"),
        fast=(("created_by", "created_at"), ("state", "created_at")),
        facts=("created_by", "done_count", "total_count", "started_at", "ended_at"),
        sections=(
            Section(_lp("job", "Job"), ("kind", "subject", "state", "created_by", "cause_entity", "cause_id")),
            Section(
                _l("What came of it"),
                (
                    *("done_count", "total_count", "result", "problem", "file_name", "file_until"),
                    *("attempts", "worker", "started_at", "ended_at"),
                ),
            ),
        ),
        rules={
            "ck_job_running_by_somebody": Rule(_l("A job that is running names who runs it."), "state"),
            "ck_job_progress_not_negative": Rule(_l("Counts cannot be negative."), "done_count"),
            "ck_job_file_is_whole": Rule(_l("A file has a name, a content and an end."), "file_name"),
        },
        written_by_verbs=True,
        menu=False,
    )

    created_by: Mapped[Staff | None] = relationship(foreign_keys="Job.created_by_id")
    #: What is done.
    kind: Mapped[str] = field(_l("Kind of work"), JobName())
    #: What it is done to, in a word: the name of a file.
    subject: Mapped[str] = field(_lp("job", "Subject"), String(300))
    #: Which thread of a worker does it, so that one kind of work does not wait behind another.
    lane: Mapped[str] = mapped_column(String(32))
    #: What the kind of work is told.
    arguments: Mapped[dict[str, Any]] = mapped_column(JSON(none_as_null=True), default=dict)
    #: How far it has come.
    state: Mapped[JobState] = choice(JobState, _l("State"), default=JobState.waiting, verb_only=True)
    #: How much of it is done and kept.
    done_count: Mapped[int] = field(_lp("job", "Done so far"), Integer, default=0, server_default="0", help="")
    #: How much there is; 0 while nobody knows.
    total_count: Mapped[int] = field(
        _lp("job", "Of"), Integer, default=0, server_default="0", help=_l("How much there is; 0 while nobody knows.")
    )
    #: How often it was taken up since something of it was last kept.
    attempts: Mapped[int] = field(_l("Attempts"), Integer, default=0, server_default="0")
    #: Names the run that is going on; only it may say what came of it.
    lease_token: Mapped[str | None] = mapped_column(String(32))
    #: Until when that run keeps others away; afterwards it is taken for dead.
    lease_until: Mapped[datetime | None] = mapped_column(UtcInstant())
    #: The machine and the process that took it up last.
    worker: Mapped[str | None] = field(_l("Process"), String(120))
    #: What came of it, in a line.
    result: Mapped[str | None] = field(_l("Result"), String(500))
    #: Why it failed, in a sentence.
    problem: Mapped[str | None] = field(_lp("job", "Problem"), String(500))
    #: The file it made, as whoever asked for it may save it.
    file_name: Mapped[str | None] = field(_lp("job", "File"), String(200))
    #: The SHA-256 of that file, by which it lies in the file store.
    file_sha256: Mapped[str | None] = mapped_column(String(64))
    #: Until when that file is kept.
    file_until: Mapped[datetime | None] = field(
        _l("Kept until"), UtcInstant(), help=_l("Afterwards the file is deleted: it can be made anew.")
    )
    #: When it was first taken up.
    started_at: Mapped[datetime | None] = field(_l("Begun"), UtcInstant())
    #: When it came to an end.
    ended_at: Mapped[datetime | None] = field(_l("Ended"), UtcInstant())
    #: The table of the record it is about.
    cause_entity: Mapped[str | None] = field(_l("Kind of record"), EntityName())
    #: The key of that record.
    cause_id: Mapped[int | None] = field(_l("Record number"), Integer)

    def __str__(self) -> str:
        return f"{JobName().show(self.kind)}: {self.subject}"
