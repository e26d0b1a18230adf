"""Working time: pure arithmetic over calendars of opening hours (chapter 7 of the requirements).

A calendar knows opening hours per weekday, dates that differ, and holidays. Nothing here asks a database
or a clock. Opening hours are wall-clock times of a place, half-open; sums are made in UTC, so that a span
over a change of the clocks counts what really passes.
"""

from __future__ import annotations

import calendar as months
from bisect import bisect_left, bisect_right
from collections.abc import Container, Iterator, Mapping, Sequence
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


class _Years:
    """The opening hours of a calendar over some whole years, added up: any sum is then two searches.

    Instants are microseconds since 1970. ``_before[i]`` is the working time before the i-th span begins.
    """

    def __init__(self) -> None:
        self._first = self._last = 0
        self._opens: list[int] = []
        self._closes: list[int] = []
        self._before: list[int] = []
        self._total = 0

    def cover(self, calendar: WorkingCalendar, start: datetime, end: datetime) -> None:
        """Count the years from ``start`` to ``end`` too, with one beyond at each side for what the clocks say there."""
        first, last = start.year - 1, end.year + 1
        if not self._last:
            self._first, self._last = first, first - 1
        if first < self._first:
            self.__init__()  # type: ignore[misc]  # asked for the past: rare, so it is counted anew
            self._first, self._last = first, first - 1
        while self._last < last:
            self._last += 1
            self._add_year(calendar, self._last)

    def _add_year(self, calendar: WorkingCalendar, year: int) -> None:
        day, over = date(year, 1, 1), date(year + 1, 1, 1)
        while day < over:
            for opens, closes in calendar.spans_on(day):
                begin, end = _micro(opens), _micro(closes)
                self._opens.append(begin)
                self._closes.append(end)
                self._before.append(self._total)
                self._total += end - begin
            day += DAY

    def passed(self, at: datetime) -> int:
        """Return the working time until ``at`` since the first year counted."""
        moment = _micro(at)
        place = bisect_right(self._closes, moment)
        if place == len(self._opens):
            return self._total
        return self._before[place] + max(moment - self._opens[place], 0)

    def instant_after(self, calendar: WorkingCalendar, start: datetime, time: int) -> datetime:
        """Return when ``time``, in microseconds, will have passed since ``start``.

        :raises NoWorkingTime: it never will.
        """
        self.cover(calendar, start, start)
        wanted = self.passed(start) + time
        while self._total < wanted:
            if not self._closes or self._last > _year_of(self._closes[-1]) + 2:
                raise NoWorkingTime(start.astimezone(calendar.tz).date())
            self._last += 1
            self._add_year(calendar, self._last)
        place = bisect_left(self._before, wanted) - 1
        return _EPOCH + (self._opens[place] + wanted - self._before[place]) * _MICRO


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO = timedelta(microseconds=1)
_PER_MINUTE = MINUTE // _MICRO


def _micro(at: datetime) -> int:
    return (at - _EPOCH) // _MICRO


def _year_of(moment: int) -> int:
    return (_EPOCH + moment * _MICRO).year


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
    _years: _Years = field(default_factory=lambda: _Years(), init=False, repr=False, compare=False)

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
        return self._years.instant_after(self, start, minutes * _PER_MINUTE) if minutes else start

    def working_minutes_between(self, start: datetime, end: datetime) -> int:
        """Return the whole minutes of working time from ``start`` to ``end``, negative where ``end`` comes first."""
        start, end = _utc(start), _utc(end)
        if end < start:
            return -self.working_minutes_between(end, start)
        years = self._years
        years.cover(self, start, end)
        return (years.passed(end) - years.passed(start)) // _PER_MINUTE

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


#: A time that does not count; open at the end while it lasts.
Pause = tuple[datetime, datetime | None]


def due_time(
    calendar: WorkingCalendar | None, start: datetime, minutes: int, pauses: Sequence[Pause] = ()
) -> datetime | None:
    """Return when ``minutes`` will have passed since ``start``, in a calendar's hours or round the clock.

    ``pauses``, in their order, do not count; None while one of them lasts (SL-23).
    Raises ``NoWorkingTime`` for a calendar that never opens.
    """
    at, rest = _utc(start), minutes
    for since, until in pauses:
        end = _after(calendar, at, rest)
        if end <= since:
            return end
        if until is None:
            return None
        if since > at:
            rest -= time_between(calendar, at, since)
        at = max(at, _utc(until))
    return _after(calendar, at, rest)


def time_between(calendar: WorkingCalendar | None, start: datetime, end: datetime, pauses: Sequence[Pause] = ()) -> int:
    """Return the whole minutes from ``start`` to ``end`` without pauses, in a calendar's hours or round the clock."""
    total, at = 0, start
    for since, until in pauses:
        if since > at:
            total += _passed(calendar, at, min(since, end))
        at = max(at, until or end)
        if at >= end:
            return total
    return total + _passed(calendar, at, end)


def _passed(calendar: WorkingCalendar | None, start: datetime, end: datetime) -> int:
    if end <= start:
        return 0
    return calendar.working_minutes_between(start, end) if calendar else (_utc(end) - _utc(start)) // MINUTE


def _after(calendar: WorkingCalendar | None, start: datetime, minutes: int) -> datetime:
    return calendar.add_working_time(start, minutes) if calendar else add_elapsed_time(start, minutes)


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
