"""From stored calendars to the arithmetic of ``backoffice.working_time``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
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
    """Read a calendar whoever asks: by when something is due does not depend on who may look at calendars."""

    def rows(wanted: sa.Select[Any]) -> Sequence[Any]:
        return session.execute(wanted, execution_options=INTERNAL).all()

    calendar, opens, day = ServiceCalendar.__table__, CalendarInterval.__table__, CalendarException.__table__
    kept = rows(sa.select(calendar.c.excludes_holidays, calendar.c.holiday_set_id).where(calendar.c.id == calendar_id))
    weekly: defaultdict[int, list[Interval]] = defaultdict(list)
    for row in rows(sa.select(opens.c.weekday, opens.c.from_time, opens.c.to_time).where(_of(opens, calendar_id))):
        weekly[_NUMBERS[row.weekday]].append(_interval(row.from_time, row.to_time))
    exceptions: defaultdict[date, list[Interval]] = defaultdict(list)
    for row in rows(sa.select(day.c.day, day.c.closed, day.c.from_time, day.c.to_time).where(_of(day, calendar_id))):
        hours = exceptions[row.day]
        if not row.closed and row.from_time is not None:
            hours.append(_interval(row.from_time, row.to_time))
    holiday = Holiday.__table__
    holidays = [
        found.day
        for row in kept
        if row.excludes_holidays
        for found in rows(sa.select(holiday.c.day).where(holiday.c.holiday_set_id == row.holiday_set_id))
    ]
    return WorkingCalendar(
        {weekday: tuple(sorted(hours)) for weekday, hours in weekly.items()},
        exceptions={on: tuple(sorted(hours)) for on, hours in exceptions.items()},
        holidays=frozenset(holidays),
    )


def _of(table: sa.Table, calendar_id: int) -> sa.ColumnElement[bool]:
    return table.c.calendar_id == calendar_id


def _interval(opens: time, closes: time | None) -> Interval:
    return opens, closes or MIDNIGHT
