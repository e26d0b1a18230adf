"""Single days on which a calendar is closed or has other hours."""

from __future__ import annotations

from datetime import date, time

from flask_babel import lazy_gettext as _l
from sqlalchemy import CheckConstraint, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, relationship

from models.base import SHARED, Admin, Category, Record, Rule, Section
from models.columns import field, reference
from models.service_calendar import ServiceCalendar


class CalendarException(Record):
    """A day that replaces the weekly hours: closed where it has none, else open as it says."""

    __tablename__ = "calendar_exception"
    __table_args__ = (
        UniqueConstraint("calendar_id", "day", "from_time"),
        Index(
            "uq_calendar_exception_closed",
            "calendar_id",
            "day",
            unique=True,
            postgresql_where=text("closed"),
            sqlite_where=text("closed"),
        ),
        CheckConstraint("to_time > from_time", name="to_after_from"),
        CheckConstraint(
            "(closed AND from_time IS NULL AND to_time IS NULL) OR (NOT closed AND from_time IS NOT NULL)",
            name="closed_or_hours",
        ),
    )
    __admin__ = Admin(
        label=_l("Calendar exception"),
        plural=_l("Calendar exceptions"),
        category=Category.system,
        icon="calendar-x",
        area="calendars",
        scope=SHARED,
        title=("day",),
        list_columns=("calendar", "day", "closed", "from_time", "to_time", "note"),
        filters=("calendar", "day", "closed"),
        order="day",
        fast=(("calendar", "day"),),
        natural_keys=(("calendar_id", "day", "from_time"),),
        sections=(Section(_l("Exception"), ("calendar", "day", "closed", "from_time", "to_time", "note")),),
        menu=False,
        rules={
            "uq_calendar_exception_calendar_id_day_from_time": Rule(_l("This exception is already there."), "day"),
            "uq_calendar_exception_closed": Rule(_l("The calendar is already closed on that day."), "day"),
            "ck_calendar_exception_to_after_from": Rule(_l("The end comes before the start."), "to_time"),
            "ck_calendar_exception_closed_or_hours": Rule(
                _l("A closed day has no hours; an open one has a start."), "from_time"
            ),
        },
    )

    #: The calendar it concerns.
    calendar_id: Mapped[int] = reference("service_calendar", _l("Calendar"), help="")
    calendar: Mapped[ServiceCalendar] = relationship(back_populates="exceptions")
    #: Which day.
    day: Mapped[date] = field(_l("Day"))
    #: Closed the whole day.
    closed: Mapped[bool] = field(
        _l("Closed"), default=True, server_default="1", help=_l("The whole day; untick to give hours.")
    )
    #: When attendance begins on that day.
    from_time: Mapped[time | None] = field(_l("From"), help=_l("Empty where the day is closed."))
    #: When it ends; empty at midnight.
    to_time: Mapped[time | None] = field(_l("To"), help=_l("Empty means until midnight."))
    #: Why.
    note: Mapped[str | None] = field(_l("Note"), String(200), help=_l("Why the day differs from the others."))

    def __str__(self) -> str:
        return f"{self.day:%d/%m/%Y}"
