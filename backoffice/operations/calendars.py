"""From stored calendars to the arithmetic of ``backoffice.working_time``."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, time

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.errors import NotFound
from backoffice.working_time import MIDNIGHT, Interval, WorkingCalendar
from models.calendar_interval import Weekday
from models.holiday import Holiday
from models.service_calendar import ServiceCalendar

_NUMBERS = {weekday: number for number, weekday in enumerate(Weekday)}


def working_calendar(session: Session, calendar_id: int) -> WorkingCalendar:
    """Return a stored calendar ready to count with; its exceptions and holidays as they are now.

    :raises NotFound: there is no such calendar.
    """
    calendar = session.get(ServiceCalendar, calendar_id)
    if calendar is None:
        raise NotFound
    weekly: defaultdict[int, list[Interval]] = defaultdict(list)
    for row in calendar.intervals:
        weekly[_NUMBERS[row.weekday]].append(_interval(row.from_time, row.to_time))
    exceptions: defaultdict[date, list[Interval]] = defaultdict(list)
    for day in calendar.exceptions:
        hours = exceptions[day.day]
        if not day.closed and day.from_time is not None:
            hours.append(_interval(day.from_time, day.to_time))
    return WorkingCalendar(
        {weekday: tuple(sorted(hours)) for weekday, hours in weekly.items()},
        exceptions={day: tuple(sorted(hours)) for day, hours in exceptions.items()},
        holidays=_holidays(session, calendar),
    )


def _interval(opens: time, closes: time | None) -> Interval:
    return opens, closes or MIDNIGHT


def _holidays(session: Session, calendar: ServiceCalendar) -> frozenset[date]:
    if not calendar.excludes_holidays:
        return frozenset()
    statement = sa.select(Holiday.day).where(Holiday.holiday_set_id == calendar.holiday_set_id)
    return frozenset(session.scalars(statement))
