"""When a service is attended: the hours that working time is counted in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l
from sqlalchemy import CheckConstraint, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from models.base import SHARED, Admin, Category, Record, Rule, Section
from models.codes import ShortCode
from models.columns import field, minutes, reference
from models.holiday_set import HolidaySet

if TYPE_CHECKING:
    from models.calendar_exception import CalendarException
    from models.calendar_interval import CalendarInterval


class ServiceCalendar(Record):
    """Opening hours of a service, with its holidays and its exceptions (requirements, chapter 7)."""

    __tablename__ = "service_calendar"
    __table_args__ = (
        UniqueConstraint("code"),
        CheckConstraint("min_daily_minutes BETWEEN 1 AND 1440", name="min_daily_possible"),
        CheckConstraint("NOT excludes_holidays OR holiday_set_id IS NOT NULL", name="holidays_named"),
    )
    __admin__ = Admin(
        label=_l("Calendar"),
        plural=_l("Calendars"),
        category=Category.system,
        icon="calendar-week",
        area="calendars",
        scope=SHARED,
        title=("code", "name"),
        rank=9,
        list_columns=("code", "name", "excludes_holidays", "holiday_set", "min_daily_minutes"),
        search_columns=("code", "name"),
        filters=("excludes_holidays", "holiday_set"),
        order="code",
        inline=("intervals", "exceptions"),
        natural_keys=(("code",),),
        sections=(
            Section(_l("Calendar"), ("code", "name", "notes")),
            Section(_l("Days off"), ("excludes_holidays", "holiday_set", "allows_closures", "min_daily_minutes")),
        ),
        rules={
            "uq_service_calendar_code": Rule(_l("There is already a calendar with this code."), "code"),
            "ck_service_calendar_min_daily_possible": Rule(
                _l("A day has between 1 minute and 24 hours."), "min_daily_minutes"
            ),
            "ck_service_calendar_holidays_named": Rule(_l("Say which list of holidays it follows."), "holiday_set"),
        },
    )

    #: Short code, such as CAL-01.
    code: Mapped[str] = field(_l("Code"), ShortCode(40), help=_l("Short, such as CAL-01."))
    #: What it is the calendar of.
    name: Mapped[str] = field(_l("Name"), String(160))
    #: Whether holidays are days off.
    excludes_holidays: Mapped[bool] = field(
        _l("Closed on holidays"), default=True, server_default="1", help=_l("Unticked, it is open on holidays too.")
    )
    #: Which holidays.
    holiday_set_id: Mapped[int | None] = reference(
        "holiday_set",
        _l("Holiday list"),
        help=_l("Says which days are holidays; needed where the calendar is closed on them."),
    )
    holiday_set: Mapped[HolidaySet | None] = relationship()
    #: Whether it may be closed on other days at all; some contracts forbid any closing day.
    allows_closures: Mapped[bool] = field(
        _l("May be closed"),
        default=True,
        server_default="1",
        help=_l("Some contracts forbid any other day of closure."),
    )
    #: Least attended time on an open day, where a contract says so.
    min_daily_minutes: Mapped[int | None] = minutes(
        _l("Least a day"), help=_l("Least attended time on an open day, where a contract says so.")
    )
    #: What happens out of hours, and where it is written.
    notes: Mapped[str | None] = field(_l("Notes"), Text, help=_l("What happens out of hours, and where it is agreed."))

    intervals: Mapped[list[CalendarInterval]] = relationship(
        back_populates="calendar",
        passive_deletes="all",
        cascade="save-update, merge",
        order_by="CalendarInterval.position",
        info={"label": _l("Hours"), "help": _l("Several a day are possible, such as morning and afternoon.")},
    )
    exceptions: Mapped[list[CalendarException]] = relationship(
        back_populates="calendar",
        passive_deletes="all",
        cascade="save-update, merge",
        order_by="CalendarException.day",
        info={"label": _l("Exceptions"), "help": _l("Single days that are closed or have other hours.")},
    )

    def __str__(self) -> str:
        return f"{self.code} {self.name}"
