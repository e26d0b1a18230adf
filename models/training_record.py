"""What people have been taught."""

from __future__ import annotations

from datetime import date

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy import CheckConstraint, String, UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from models.base import Admin, Category, CompanyOwned, Freeze, Record, Rule, Scope, Section
from models.columns import Choice, choice, field, minutes, reference
from models.company import Company
from models.contract import Contract
from models.course import Course
from models.worker import Worker


class TrainingKind(Choice):
    training = "training", _l("Training"), "neutral", "mortarboard"
    instruction = "instruction", _l("Instruction"), "neutral", "tools"
    update = "update", _lp("training", "Update"), "neutral", "arrow-repeat"


class TrainingSource(Choice):
    """Who taught (ED-07)."""

    own = "own", _l("Held by us"), "neutral", "house"
    prior = "prior", _l("Earlier training"), "neutral", "clock-history"
    other_provider = "other_provider", _l("Other provider"), "neutral", "box-arrow-in-right"


class DeliveryMode(Choice):
    """How a course is held (ED-04)."""

    residential = "residential", _l("Residential"), "neutral", "building"
    catalogue_presence = "catalogue_presence", _l("From the catalogue, in presence"), "neutral", "people"
    sync_online = "sync_online", _l("Online, live"), "neutral", "camera-video"
    elearning = "elearning", _l("E-learning"), "neutral", "laptop"


class TrainingOutcome(Choice):
    passed = "passed", _lp("training", "Passed"), "good", "check-circle"
    attended = "attended", _lp("training", "Attended only"), "neutral", "person-check"
    failed = "failed", _lp("training", "Not passed"), "bad", "x-circle"


class TrainingRecord(CompanyOwned, Record):
    """One course that one person has attended, whoever held it (ED-01, ED-03, ED-07, ED-10)."""

    __tablename__ = "training_record"
    __table_args__ = (
        UniqueConstraint("worker_id", "course_id", "completed_on"),
        CheckConstraint("source = 'own' OR provider_name IS NOT NULL", name="provider_named"),
        CheckConstraint("source <> 'own' OR delivery_mode IS NOT NULL", name="delivered_how"),
        CheckConstraint("attended_minutes > 0", name="attended_positive"),
    )
    __admin__ = Admin(
        label=_l("Training record"),
        plural=_l("Training records"),
        category=Category.client_data,
        icon="journal-check",
        area="training",
        scope=Scope(group="worker.group_id", company="worker.company_id", site="worker.site_id"),
        title=("worker", "course"),
        subtitle=("completed_on", "company"),
        tabs=("deadline.training_record",),
        rank=1,
        list_columns=("worker", "course", "company", "completed_on", "kind", "source", "outcome", "attended_minutes"),
        search_columns=("worker", "course", "provider_name"),
        filters=(
            "worker", "course", "company", "kind", "source", "outcome", "delivery_mode", "completed_on",
            "provider_name", "credits", "contract", "created_at",
        ),
        repeating=("provider_name",),
        order="-completed_on",
        fast=(
            ("worker", "completed_on"), ("course", "completed_on"), ("company", "completed_on"),
            ("source", "completed_on"), ("outcome", "completed_on"),
        ),
        facts=("company", "worker", "course", "completed_on", "outcome", "credits", "contract"),
        natural_keys=(("worker_id", "course_id", "completed_on"),),
        freeze=Freeze("EDUPLAN", "completed_on"),
        sections=(
            Section(_l("Who learned what"), ("worker", "course", "kind", "completed_on", "attended_minutes")),
            Section(_l("Who taught it, and how"), ("source", "provider_name", "delivery_mode", "contract")),
            Section(_l("What came of it"), ("outcome", "credits")),
        ),
        client_columns=(
            "worker", "course", "kind", "completed_on", "attended_minutes", "delivery_mode", "outcome", "source",
            "provider_name", "credits",
        ),
        rules={
            "uq_training_record_worker_id_course_id_completed_on": Rule(
                _l("The person’s completion of this course on that day is there already."), "completed_on"
            ),
            "ck_training_record_provider_named": Rule(_l("Say who held the training."), "provider_name"),
            "ck_training_record_delivered_how": Rule(_l("Say how the course was held."), "delivery_mode"),
            "ck_training_record_attended_positive": Rule(_l("At least one minute."), "attended_minutes"),
        },
    )  # fmt: skip

    company: Mapped[Company] = relationship()
    #: Who attended.
    worker_id: Mapped[int] = reference("worker", _l("Person"), index=False, help="")
    worker: Mapped[Worker] = relationship()
    #: What they attended.
    course_id: Mapped[int] = reference("course", _l("Course"), help="")
    course: Mapped[Course] = relationship()
    #: Whether training, instruction at work, or an update.
    kind: Mapped[TrainingKind] = choice(
        TrainingKind, _l("Kind"), default=TrainingKind.training, badge=False, help=_l("An update renews what expires.")
    )
    #: The last day of the course.
    completed_on: Mapped[date] = field(_l("Completed on"), help=_l("The last day of the course."), example="30/10/2026")
    #: How long they were there.
    attended_minutes: Mapped[int | None] = minutes(
        _l("Time attended"), help=_l("Hours and minutes, such as 8:00; a number alone is minutes.")
    )
    #: Whether we held it, or others did, or it was there before.
    source: Mapped[TrainingSource] = choice(
        TrainingSource,
        _l("Held by"),
        default=TrainingSource.own,
        badge=False,
        help=_l("What others held is entered only where the contract agrees on data entry."),
    )
    #: Who held it, where not we.
    provider_name: Mapped[str | None] = field(
        _l("Provider"), String(160), help=_l("Who held the training, where it was not us.")
    )
    #: How it was held.
    delivery_mode: Mapped[DeliveryMode | None] = choice(
        DeliveryMode,
        _l("How it was held"),
        badge=False,
        help=_l("Always said of what we hold."),
        example="residential",
    )
    #: The contract that covers it, or in which its data entry was agreed; found by the program.
    contract_id: Mapped[int | None] = reference(
        "contract",
        _l("Contract"),
        help=_l("Covers our training, or agrees on entering that of others; found by itself where empty."),
    )
    contract: Mapped[Contract | None] = relationship()
    #: What came of it.
    outcome: Mapped[TrainingOutcome] = choice(
        TrainingOutcome,
        _l("Outcome"),
        default=TrainingOutcome.passed,
        help=_l("Only what is passed earns credits and counts for updates."),
    )
    #: The credits earned; those of the course unless others are written.
    credits: Mapped[str | None] = field(
        _lp("training", "Credits"), String(200), help=_l("Those of the course, where empty and passed.")
    )

    def __str__(self) -> str:
        return f"{self.worker} · {self.course}"
