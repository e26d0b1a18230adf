"""What a client must do by a certain day."""

from __future__ import annotations

from datetime import date

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy import CheckConstraint, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Admin, Category, CompanyOwned, Freeze, Record, Rule, Scope, Section, Worklist
from models.columns import Choice, choice, field, reference
from models.company import Company
from models.course import Course
from models.site import Site
from models.training_record import TrainingRecord
from models.worker import Worker


class DeadlineKind(Choice):
    obligation = "obligation", _l("Obligation"), "neutral", "clipboard-check"
    training_update = "training_update", _l("Training update"), "neutral", "arrow-repeat"


class DeadlineState(Choice):
    open = "open", _lp("deadline", "Open"), "info", "circle"
    due_soon = "due_soon", _lp("deadline", "Due soon"), "wait", "clock"
    overdue = "overdue", _lp("deadline", "Overdue"), "bad", "exclamation-triangle"
    fulfilled = "fulfilled", _lp("deadline", "Fulfilled"), "good", "check-circle"
    cancelled = "cancelled", _lp("deadline", "Cancelled"), "neutral", "x-circle"


S = DeadlineState
#: States in which somebody still has to do something.
TO_DO = (S.open, S.due_soon, S.overdue)
_TO_DO = "state:in:open,due_soon,overdue"


class Deadline(CompanyOwned, Record):
    """One date of a client's schedule: an obligation, or training that must be brought up to date (ED-06)."""

    __tablename__ = "deadline"
    __table_args__ = (
        Index("uq_deadline_training_record_id", "training_record_id", unique=True),
        CheckConstraint("kind = 'obligation' OR worker_id IS NOT NULL", name="whose_update"),
        CheckConstraint("(state = 'fulfilled') = (fulfilled_on IS NOT NULL)", name="fulfilled_when"),
        CheckConstraint("state <> 'cancelled' OR cancelled_because IS NOT NULL", name="cancelled_why"),
    )
    __admin__ = Admin(
        label=_l("Deadline"),
        plural=_l("Deadlines"),
        category=Category.client_data,
        icon="calendar-event",
        area="deadlines",
        scope=Scope(group="company.group_id", company="company_id", site="site_id"),
        title=("title", "due_on"),
        subtitle=("kind", "company", "worker"),
        worklists=(
            Worklist(_l("Client deadlines within 30 days"), ("due_on:next:30", _TO_DO)),
            Worklist(_l("Overdue client deadlines"), ("due_on:past:", _TO_DO), "bad"),
        ),
        rank=3,
        list_columns=("due_on", "title", "company", "kind", "worker", "site", "state"),
        search_columns=("title", "worker"),
        filters=(
            "state", "kind", "company", "worker", "course", "site", "due_on", "fulfilled_on", "training_record",
            "created_at",
        ),
        order="due_on",
        fast=(("company", "due_on"), ("state", "due_on"), ("kind", "due_on"), ("worker", "due_on")),
        facts=("company", "worker", "course", "site", "training_record", "fulfilled_on", "cancelled_because"),
        freeze=Freeze("EDUPLAN", "due_on"),
        changeable_in=dict.fromkeys(("company", "kind", "title", "due_on", "worker", "course", "site", "notes"), TO_DO),
        sections=(
            Section(_l("What is due"), ("company", "kind", "title", "due_on", "notes")),
            Section(_l("Whom it concerns"), ("site", "worker", "course")),
        ),
        client_columns=("due_on", "title", "kind", "worker", "course", "site", "state", "fulfilled_on"),
        rules={
            "uq_deadline_training_record_id": Rule(
                _l("This training record already has its deadline."), "training_record"
            ),
            "ck_deadline_whose_update": Rule(_l("Say whose training is to be updated."), "worker"),
            "ck_deadline_fulfilled_when": Rule(_l("What is fulfilled has its day."), "fulfilled_on"),
            "ck_deadline_cancelled_why": Rule(_l("Say why."), "cancelled_because"),
        },
    )  # fmt: skip

    company: Mapped[Company] = relationship()
    #: An obligation of the client, or a training update of a person.
    kind: Mapped[DeadlineKind] = choice(
        DeadlineKind,
        _l("Kind"),
        default=DeadlineKind.obligation,
        badge=False,
        help=_l("Updates follow from training records by themselves."),
    )
    #: What must be done.
    title: Mapped[str] = field(_l("What is due"), String(160), help=_l("Clients read it."))
    #: The last day for it.
    due_on: Mapped[date] = field(_l("Due on"), due_while=TO_DO, days_left=30)
    #: Where it stands; the calendar and verbs change it.
    state: Mapped[DeadlineState] = choice(DeadlineState, _l("State"), default=S.open, verb_only=True)
    #: The person whose training it is, or whom the obligation concerns.
    worker_id: Mapped[int | None] = reference("worker", _l("Person"), help=_l("Whose training is to be updated."))
    worker: Mapped[Worker | None] = relationship()
    #: The course to attend.
    course_id: Mapped[int | None] = reference("course", _l("Course"), help=_l("Which training is to be updated."))
    course: Mapped[Course | None] = relationship()
    #: The place it concerns; empty for the whole company.
    site_id: Mapped[int | None] = reference("site", _l("Site"), help=_l("Empty: the whole company."))
    site: Mapped[Site | None] = relationship()
    #: The training whose update it is; goes with it.
    training_record_id: Mapped[int | None] = reference(
        "training_record", _l("Follows from"), related=_l("To be updated"), ondelete="CASCADE", index=False,
        verb_only=True,
    )  # fmt: skip
    training_record: Mapped[TrainingRecord | None] = relationship()
    #: For which of the days before it people were reminded last; empty before the first time.
    reminded_days: Mapped[int | None] = mapped_column(Integer)
    #: What else is to be known.
    notes: Mapped[str | None] = field(_lp("deadline", "Notes"), String(250))
    #: The day it was done.
    fulfilled_on: Mapped[date | None] = field(_l("Fulfilled on"), verb_only=True, today=True)
    #: Why nothing has to be done any more.
    cancelled_because: Mapped[str | None] = field(_l("Cancelled because"), String(200), verb_only=True)

    def __str__(self) -> str:
        return f"{self.title} · {self.due_on:%d/%m/%Y}"
