"""Single public holidays."""

from __future__ import annotations

from datetime import date

from flask_babel import lazy_gettext as _l
from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from models.base import SHARED, Admin, Category, Record, Rule, Section
from models.columns import field, reference
from models.holiday_set import HolidaySet


class Holiday(Record):
    """One day off, in one year: feasts move and laws change, so every year has its own rows."""

    __tablename__ = "holiday"
    __table_args__ = (UniqueConstraint("holiday_set_id", "day"),)
    __admin__ = Admin(
        label=_l("Holiday"),
        plural=_l("Holidays"),
        category=Category.system,
        icon="calendar-event",
        area="calendars",
        scope=SHARED,
        title=("name",),
        rank=9,
        list_columns=("day", "name", "holiday_set"),
        search_columns=("name",),
        filters=("holiday_set", "day"),
        order="day",
        fast=(("holiday_set", "day"),),
        natural_keys=(("holiday_set_id", "day"),),
        sections=(Section(_l("Holiday"), ("holiday_set", "day", "name")),),
        rules={"uq_holiday_holiday_set_id_day": Rule(_l("This list already has a holiday on that day."), "day")},
    )

    #: The list it is part of.
    holiday_set_id: Mapped[int] = reference(
        "holiday_set", _l("Holiday list"), help=_l("Only calendars that follow this list are closed on that day.")
    )
    holiday_set: Mapped[HolidaySet] = relationship()
    #: Which day of which year.
    day: Mapped[date] = field(_l("Day"))
    #: What is celebrated.
    name: Mapped[str] = field(_l("Name"), String(120))

    def __str__(self) -> str:
        return self.name
