"""The service calendars with their hours, and the holidays they follow."""

from __future__ import annotations

import holidays
from sqlalchemy.orm import Session

from models.calendar_interval import CalendarInterval, Weekday
from models.holiday import Holiday
from models.holiday_set import HolidaySet
from models.service_calendar import ServiceCalendar
from seed.reference_data.calendars import CALENDARS, CalendarRow
from seed.shelf import Shelf

#: Laws change: administrators correct these years, and a later release adds more.
HOLIDAY_YEARS = range(2022, 2036)


class Calendars:
    """The keys of the calendars by code, and how many rows were added."""

    def __init__(self) -> None:
        self.ids: dict[str, int] = {}
        self.added = 0


def load_calendars(session: Session) -> Calendars:
    """Put the holidays of Italy and the eleven calendars of the sources where they never were. Flushes."""
    loaded = Calendars()
    italy = _load_holidays(session, loaded)
    shelf = Shelf(session, ServiceCalendar, "code")
    rows = {row.code: shelf.put(**_calendar(row, italy)) for row in CALENDARS}
    session.flush()
    loaded.ids = {code: calendar.id for code, calendar in rows.items() if calendar is not None}
    loaded.added += shelf.added
    return loaded


def _load_holidays(session: Session, loaded: Calendars) -> HolidaySet | None:
    sets = Shelf(session, HolidaySet, "code")
    italy: HolidaySet | None = sets.put(code="IT", name="Festività nazionali italiane")
    session.flush()
    loaded.added += sets.added
    if italy is not None:
        days = Shelf(session, Holiday, "holiday_set_id", "day")
        for day, name in sorted(holidays.country_holidays("IT", years=HOLIDAY_YEARS, language="it_IT").items()):
            days.put(holiday_set_id=italy.id, day=day, name=name)
        session.flush()
        loaded.added += days.added
    return italy


def _calendar(row: CalendarRow, italy: HolidaySet | None) -> dict[str, object]:
    """Return a calendar with its hours, which belong to it and are never looked for by themselves."""
    follows = italy if row.holidays_excluded else None
    return {
        "code": row.code,
        "name": row.name,
        "excludes_holidays": follows is not None,
        "holiday_set": follows,
        "allows_closures": row.allows_closures,
        "min_daily_minutes": row.least_daily_minutes,
        "notes": row.note,
        "intervals": [
            CalendarInterval(position=position, weekday=weekday, from_time=opens, to_time=closes)
            for position, (weekday, opens, closes) in enumerate(_hours(row))
        ],
    }


def _hours(row: CalendarRow) -> list[tuple[Weekday, object, object]]:
    weekdays = list(Weekday)
    return [
        # Midnight at the end of a day is stored as an empty end.
        (weekdays[number], opens, closes if closes.hour or closes.minute else None)
        for number, hours in sorted(row.intervals.items())
        for opens, closes in hours
    ]
