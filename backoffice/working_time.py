"""Working time: pure arithmetic over calendars of opening hours (chapter 7 of the requirements).

A calendar knows opening hours per weekday, dates that differ, and holidays. Nothing here asks a database
or a clock. Opening hours are wall-clock times of a place, half-open; sums are made in UTC, so that a span
over a change of the clocks counts what really passes.
"""

from __future__ import annotations

import calendar as months
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from flask_babel import lazy_gettext as _l

from backoffice.clock import ROME
from backoffice.errors import DomainError

#: Opening hours ``[from, to)``; a ``to`` of 00:00 is the midnight at the end of the day.
Interval = tuple[time, time]
#: The same as instants in UTC.
Span = tuple[datetime, datetime]

MIDNIGHT = time(0)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
#: After so many closed days in a row a calendar counts as never open.
LONGEST_CLOSURE_DAYS = 400


class NoWorkingTime(DomainError):
    """A calendar that never opens was asked when it will."""

    template = _l("This calendar has no opening hours after %(day)s.")

    def __init__(self, since: date) -> None:
        super().__init__(day=f"{since:%d/%m/%Y}")


@dataclass(frozen=True)
class WorkingCalendar:
    """When a service is open: weekly hours, holidays on which it is closed, and dates with hours of their own."""

    #: Opening hours by weekday, Monday being 0; a weekday left out is closed.
    intervals: Mapping[int, tuple[Interval, ...]]
    #: Dates with hours of their own, before holidays and weekly hours; no hours mean closed.
    exceptions: Mapping[date, tuple[Interval, ...]] = field(default_factory=dict)
    #: Dates on which it is closed: a set, or any object that answers ``day in holidays``.
    holidays: Container[date] = frozenset()
    tz: tzinfo = ROME

    def __post_init__(self) -> None:
        for hours in (*self.intervals.values(), *self.exceptions.values()):
            _require_order(hours)
        if not set(self.intervals) <= set(range(7)):
            raise ValueError("Weekdays go from 0 for Monday to 6 for Sunday")

    def hours_on(self, day: date) -> tuple[Interval, ...]:
        """Return the opening hours of ``day``: its exception, else none on holidays, else those of its weekday."""
        if day in self.exceptions:
            return tuple(self.exceptions[day])
        return () if day in self.holidays else tuple(self.intervals.get(day.weekday(), ()))

    def is_working_day(self, day: date) -> bool:
        """Say whether there is any working time on ``day``."""
        return bool(self.hours_on(day))

    def spans_on(self, day: date) -> list[Span]:
        """Return the opening hours of ``day`` as instants.

        On the days the clocks change, an hour that happens twice counts twice and one that is skipped not at all.
        """
        if not (hours := self.hours_on(day)):
            return []
        spans = [
            (max(_instant(day, opens, offset), since), min(_instant(day, closes, offset, end=True), until))
            for since, until, offset in _constant_offsets(day, self.tz)
            for opens, closes in hours
        ]
        return [span for span in spans if span[0] < span[1]]

    def spans_from(self, at: datetime) -> Iterator[Span]:
        """Yield the opening hours from ``at`` on, without end; raise ``NoWorkingTime`` where there are none."""
        at = _utc(at)
        day = opened = at.astimezone(self.tz).date()
        while True:
            for opens, closes in self.spans_on(day):
                opened = day
                if closes > at:
                    yield max(opens, at), closes
            if (day - opened).days > LONGEST_CLOSURE_DAYS:
                raise NoWorkingTime(opened)
            day += DAY

    def is_open(self, at: datetime) -> bool:
        """Say whether ``at`` is working time; the closing instant itself is not."""
        at = _utc(at)
        return any(opens <= at < closes for opens, closes in self.spans_on(at.astimezone(self.tz).date()))

    def next_opening(self, at: datetime) -> datetime:
        """Return ``at`` where it is working time, else the next instant that is.

        Raises ``NoWorkingTime`` for a calendar that never opens.
        """
        return next(self.spans_from(at))[0]

    def add_working_time(self, start: datetime, minutes: int) -> datetime:
        """Return the first instant by which ``minutes`` of working time have passed since ``start``.

        Raises ``NoWorkingTime`` for a calendar that never opens, ``ValueError`` for negative minutes.
        """
        if minutes < 0:
            raise ValueError("Working time is added, not taken away")
        start = _utc(start)
        if not minutes:
            return start
        rest = minutes * MINUTE
        for opens, closes in self.spans_from(start):
            if rest <= closes - opens:
                return opens + rest
            rest -= closes - opens
        raise AssertionError("Opening hours never end")  # pragma: no cover

    def working_minutes_between(self, start: datetime, end: datetime) -> int:
        """Return the whole minutes of working time from ``start`` to ``end``, negative where ``end`` comes first."""
        start, end = _utc(start), _utc(end)
        if end < start:
            return -self.working_minutes_between(end, start)
        day, last = start.astimezone(self.tz).date(), end.astimezone(self.tz).date()
        total = timedelta()
        while day <= last:
            for opens, closes in self.spans_on(day):
                total += max(min(closes, end) - max(opens, start), timedelta())
            day += DAY
        return total // MINUTE

    def working_day_from(self, day: date) -> date:
        """Return ``day`` where it is a working day, else the next one; raise ``NoWorkingTime`` where none follows."""
        for ahead in range(LONGEST_CLOSURE_DAYS):
            if self.is_working_day(day + ahead * DAY):
                return day + ahead * DAY
        raise NoWorkingTime(day)

    def add_working_days(self, day: date, days: int) -> date:
        """Return the ``days``-th working day after ``day``; ``day`` itself does not count.

        Raises ``NoWorkingTime`` for a calendar that never opens, ``ValueError`` for negative days.
        """
        if days < 0:
            raise ValueError("Working days are added, not taken away")
        for _ in range(days):
            day = self.working_day_from(day + DAY)
        return day

    def closing_on(self, day: date) -> datetime:
        """Return the last closing instant of ``day`` (A-49); raise ``NoWorkingTime`` where it is closed all day."""
        if not (spans := self.spans_on(day)):
            raise NoWorkingTime(day)
        return spans[-1][1]


def add_elapsed_time(start: datetime, minutes: int) -> datetime:
    """Return the instant ``minutes`` of real time after ``start``, whatever the clocks do meanwhile (A-42)."""
    return _utc(start) + minutes * MINUTE


def add_months(day: date, count: int) -> date:
    """Return the same day ``count`` months later, or the last of that month where it is shorter (A-50)."""
    year, month = divmod(day.year * 12 + day.month - 1 + count, 12)
    return date(year, month + 1, min(day.day, months.monthrange(year, month + 1)[1]))


def _utc(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("An instant needs its time zone")
    return at.astimezone(UTC)


def _require_order(hours: tuple[Interval, ...]) -> None:
    """Raise ``ValueError`` unless the intervals of a day are in order, not empty and do not overlap."""
    reached = 0
    for opens, closes in hours:
        begin, end = _minute_of_day(opens), _minute_of_day(closes) or 24 * 60
        if not reached <= begin < end:
            raise ValueError(f"Opening hours overlap or end before they begin: {opens}-{closes}")
        reached = end


def _minute_of_day(at: time) -> int:
    return at.hour * 60 + at.minute


def _instant(day: date, at: time, offset: timedelta, *, end: bool = False) -> datetime:
    """Return the instant when a clock that is ``offset`` ahead of UTC shows ``at`` on ``day``."""
    shown = datetime.combine(day + DAY if end and at == MIDNIGHT else day, at, UTC)
    return shown - offset


def _constant_offsets(day: date, tz: tzinfo) -> list[tuple[datetime, datetime, timedelta]]:
    """Split ``day`` where the clocks change: each part with its first instant, its end and its offset from UTC."""
    since = datetime.combine(day, MIDNIGHT, tz).astimezone(UTC)
    until = datetime.combine(day + DAY, MIDNIGHT, tz).astimezone(UTC)
    before, after = _offset(since, tz), _offset(until, tz)
    if before == after:
        return [(since, until, before)]
    low, high = 0, (until - since) // MINUTE
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset(since + middle * MINUTE, tz) == before else (low, middle)
    change = since + high * MINUTE
    return [(since, change, before), (change, until, after)]


def _offset(at: datetime, tz: tzinfo) -> timedelta:
    offset = at.astimezone(tz).utcoffset()
    assert offset is not None
    return offset
