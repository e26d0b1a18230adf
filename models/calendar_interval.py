"""The weekly hours of a calendar."""

from __future__ import annotations

from datetime import time

from flask_babel import lazy_gettext as _l
from sqlalchemy import CheckConstraint, Integer, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import SHARED, Admin, Category, Record, Rule, Section
from models.columns import Choice, choice, field, reference
from models.service_calendar import ServiceCalendar


class Weekday(Choice):
    """The days in their order, Monday first as in ``date.weekday``."""

    monday = "monday", _l("Monday")
    tuesday = "tuesday", _l("Tuesday")
    wednesday = "wednesday", _l("Wednesday")
    thursday = "thursday", _l("Thursday")
    friday = "friday", _l("Friday")
    saturday = "saturday", _l("Saturday")
    sunday = "sunday", _l("Sunday")


class CalendarInterval(Record):
    """Attended hours on one day of the week: from the first moment, up to but without the last."""

    __tablename__ = "calendar_interval"
    __table_args__ = (
        UniqueConstraint("calendar_id", "weekday", "from_time"),
        CheckConstraint("to_time > from_time", name="to_after_from"),
    )
    __admin__ = Admin(
        label=_l("Calendar hours"),
        plural=_l("Calendar hours"),
        category=Category.system,
        icon="clock",
        area="calendars",
        scope=SHARED,
        title=("weekday", "from_time"),
        list_columns=("calendar", "weekday", "from_time", "to_time"),
        filters=("calendar", "weekday"),
        natural_keys=(("calendar_id", "weekday", "from_time"),),
        sections=(Section(_l("Hours"), ("calendar", "weekday", "from_time", "to_time")),),
        menu=False,
        rules={
            "uq_calendar_interval_calendar_id_weekday_from_time": Rule(
                _l("These hours are already there."), "from_time"
            ),
            "ck_calendar_interval_to_after_from": Rule(_l("The end comes before the start."), "to_time"),
        },
    )

    #: The calendar it is part of.
    calendar_id: Mapped[int] = reference("service_calendar", _l("Calendar"), help="")
    calendar: Mapped[ServiceCalendar] = relationship(back_populates="intervals")
    #: Place among the lines, from 0.
    position: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    #: Which day of the week.
    weekday: Mapped[Weekday] = choice(Weekday, _l("Day"), help="")
    #: When attendance begins.
    from_time: Mapped[time] = field(_l("From"))
    #: When it ends; empty at midnight, which no time of day can say.
    to_time: Mapped[time | None] = field(_l("To"), help=_l("Empty means until midnight."))

    def __str__(self) -> str:
        return f"{self.weekday.label} {self.from_time:%H:%M}"
