"""From stored calendars to the arithmetic of ``backoffice.working_time``."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.access import INTERNAL
from backoffice.errors import NotFound
from backoffice.working_time import MIDNIGHT, Interval, WorkingCalendar
from models.calendar_exception import CalendarException
from models.calendar_interval import CalendarInterval, Weekday
from models.holiday import Holiday
from models.service_calendar import ServiceCalendar

_NUMBERS = {weekday: number for number, weekday in enumerate(Weekday)}


#: Calendars read before, by where they are stored: with them goes the sum of their hours, which takes a while to make.
_known: dict[tuple[str, int], tuple[Any, WorkingCalendar]] = {}


def working_calendar(session: Session, calendar_id: int) -> WorkingCalendar:
    """Return a stored calendar ready to count with; its exceptions and holidays as they are now.

    One statement asks whether it has changed since it was read.

    :raises NotFound: there is no such calendar.
    """
    place = (str(session.get_bind().engine.url), calendar_id)
    stamp = _stamp(session, calendar_id)
    kept = _known.get(place)
    if kept is not None and kept[0] == stamp:
        return kept[1]
    calendar = _read(session, calendar_id)
    _known[place] = stamp, calendar
    return calendar


def _stamp(session: Session, calendar_id: int) -> Any:
    """Return how many rows make a calendar, and when the last of them changed."""
    calendar, holiday = ServiceCalendar.__table__, Holiday.__table__
    parts = (
        (holiday, sa.and_(calendar.c.excludes_holidays, holiday.c.holiday_set_id == calendar.c.holiday_set_id)),
        (CalendarInterval.__table__, CalendarInterval.calendar_id == calendar.c.id),
        (CalendarException.__table__, CalendarException.calendar_id == calendar.c.id),
    )
    facts = [
        sa.select(fact).where(belongs).correlate(calendar).scalar_subquery()
        for table, belongs in parts
        for fact in (sa.func.count(table.c.id), sa.func.max(table.c.updated_at))
    ]
    row = (calendar.c.code, calendar.c.version, calendar.c.updated_at)
    wanted = sa.select(*row, *facts).where(calendar.c.id == calendar_id)
    found = session.execute(wanted, execution_options=INTERNAL).one_or_none()
    if found is None:
        raise NotFound
    return tuple(found)


def _read(session: Session, calendar_id: int) -> WorkingCalendar:
    # Whoever asks: hours count for all, and a role that may not look after calendars works within them.
    fresh = {**INTERNAL, "populate_existing": True}
    calendar = session.get_one(ServiceCalendar, calendar_id, execution_options=fresh)
    weekly: defaultdict[int, list[Interval]] = defaultdict(list)
    for row in session.scalars(_lines(CalendarInterval, calendar_id), execution_options=fresh):
        weekly[_NUMBERS[row.weekday]].append(_interval(row.from_time, row.to_time))
    exceptions: defaultdict[date, list[Interval]] = defaultdict(list)
    for day in session.scalars(_lines(CalendarException, calendar_id), execution_options=fresh):
        hours = exceptions[day.day]
        if not day.closed and day.from_time is not None:
            hours.append(_interval(day.from_time, day.to_time))
    return WorkingCalendar(
        {weekday: tuple(sorted(hours)) for weekday, hours in weekly.items()},
        exceptions={day: tuple(sorted(hours)) for day, hours in exceptions.items()},
        holidays=_holidays(session, calendar),
    )


def _lines(kind: Any, calendar_id: int) -> sa.Select[Any]:
    return sa.select(kind).where(kind.calendar_id == calendar_id)


def _interval(opens: time, closes: time | None) -> Interval:
    return opens, closes or MIDNIGHT


def _holidays(session: Session, calendar: ServiceCalendar) -> frozenset[date]:
    if not calendar.excludes_holidays:
        return frozenset()
    statement = sa.select(Holiday.day).where(Holiday.holiday_set_id == calendar.holiday_set_id)
    return frozenset(session.scalars(statement, execution_options=INTERNAL))
