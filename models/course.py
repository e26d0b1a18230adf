"""What people are taught."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy import CheckConstraint, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from models.base import Admin, Category, GroupOwned, Record, Rule, Scope, Section
from models.codes import ShortCode
from models.columns import Choice, choice, field, folded, minutes
from models.worker import WorkerCategory

if TYPE_CHECKING:
    from models.course_credit import CourseCredit


class TrainingType(Choice):
    mandatory = "mandatory", _l("Mandatory"), "neutral", "exclamation-diamond"
    continuing = "continuing", _l("Continuing training"), "neutral", "mortarboard"


class Course(GroupOwned, Record):
    """A course of the catalogue, with how long it is good for and the credits it earns (SV-10, ED-02)."""

    __tablename__ = "course"
    __table_args__ = (
        UniqueConstraint("group_id", "code"),
        CheckConstraint("update_period_months > 0", name="period_positive"),
        CheckConstraint("duration_minutes > 0", name="duration_positive"),
    )
    __admin__ = Admin(
        label=_l("Course"),
        plural=_l("Courses"),
        category=Category.client_data,
        icon="mortarboard",
        area="courses",
        scope=Scope(group="group_id"),
        title=("title",),
        subtitle=("code", "training_type"),
        tabs=("training_record.course",),
        rank=8,
        list_columns=("title", "code", "training_type", "audience", "duration_minutes", "update_period_months"),
        search_columns=("code", "title"),
        filters=("training_type", "audience", "update_period_months", "created_at"),
        order="title",
        fast=(("code",), ("training_type", "title")),
        facts=("code", "training_type", "audience", "duration_minutes", "update_period_months"),
        inline=("credits",),
        client_columns=("title", "training_type"),
        client_section=False,
        natural_keys=(("code",),),
        sections=(
            Section(_l("Course"), ("code", "title", "training_type", "audience", "duration_minutes")),
            Section(_l("What it obliges to"), ("update_period_months", "agreement_reference")),
        ),
        rules={
            "uq_course_group_id_code": Rule(_l("There is already a course with this code."), "code"),
            "ck_course_period_positive": Rule(_l("At least one month."), "update_period_months"),
            "ck_course_duration_positive": Rule(_l("At least one minute."), "duration_minutes"),
        },
    )

    #: Short code, unique in the group.
    code: Mapped[str] = field(_l("Code"), ShortCode(40), help=_l("Short, such as LAV-GEN."))
    #: What it is called; clients read it.
    title: Mapped[str] = field(_l("Title"), String(160), help=_l("Clients read it."))
    #: The title folded, for sorting.
    title_key: Mapped[str] = folded("title")
    #: Whether the law demands it.
    training_type: Mapped[TrainingType] = choice(
        TrainingType,
        _l("Type of training"),
        default=TrainingType.mandatory,
        badge=False,
        help=_l("Whether the law demands it."),
    )
    #: For whom it is; empty for all.
    audience: Mapped[WorkerCategory | None] = choice(
        WorkerCategory, _l("Meant for"), badge=False, help=_l("Empty: for everybody.")
    )
    #: How long it takes.
    duration_minutes: Mapped[int | None] = minutes(
        _l("Duration"), help=_l("Hours of teaching, such as 8:00; a number alone is minutes.")
    )
    #: After how many months it must be brought up to date; empty where never.
    update_period_months: Mapped[int | None] = field(
        _l("To be updated after"),
        Integer,
        unit=_lp("unit", "months"),
        adds_up=False,
        help=_l("Who has passed gets a deadline so long afterwards; empty where it holds for good."),
    )
    #: The State-Regions Agreement whose criteria it follows (SV-11).
    agreement_reference: Mapped[str | None] = field(
        _l("State-Regions Agreement"), String(120), help=_l("Needed where the course is held as e-learning.")
    )

    credits: Mapped[list[CourseCredit]] = relationship(
        back_populates="course",
        passive_deletes="all",
        cascade="save-update, merge",
        order_by="CourseCredit.position",
        info={"label": _l("Credits"), "help": _l("Whoever passes earns them.")},
    )

    def __str__(self) -> str:
        return self.title
