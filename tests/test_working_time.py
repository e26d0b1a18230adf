"""Working time against the worked vectors of chapter 7 and against a count minute by minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backoffice.working_time import NoWorkingTime, WorkingCalendar, add_elapsed_time, add_months
from seed.reference_data.calendars import CALENDARS

ROME = ZoneInfo("Europe/Rome")
ITALY = holidays.country_holidays("IT", years=range(2023, 2028))
#: The vectors apply the national holidays to every calendar but the two that never close.
CALENDAR = {
    row.code: WorkingCalendar(row.intervals, holidays=ITALY if row.holidays_excluded else frozenset())
    for row in CALENDARS
}
ALL_DAY = ((time(0), time(0)),)


def rome(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ROME)


@pytest.mark.parametrize(
    ("code", "start", "minutes", "due"),
    [
        ("CAL-01", "2024-05-03 17:00", 120, "2024-05-06 10:00"),
        ("CAL-01", "2024-05-06 12:15", 60, "2024-05-06 14:15"),
        ("CAL-01", "2024-03-29 17:00", 60, "2024-04-02 09:00"),
        ("CAL-02", "2024-04-24 17:30", 120, "2024-04-26 09:30"),
        ("CAL-03", "2024-05-03 13:00", 120, "2024-05-06 10:30"),
        ("CAL-03", "2024-05-06 13:00", 120, "2024-05-06 16:30"),
        ("CAL-04", "2024-05-04 12:00", 120, "2024-05-06 10:00"),
        ("CAL-05", "2024-05-31 18:00", 120, "2024-06-03 10:00"),
        ("CAL-06", "2024-12-24 17:00", 120, "2024-12-27 10:00"),
        ("CAL-07", "2024-05-06 15:30", 60, "2024-05-07 09:30"),
        ("CAL-08", "2024-08-14 16:30", 60, "2024-08-16 09:30"),
        ("CAL-09", "2024-08-14 17:30", 60, "2024-08-16 09:30"),
        ("CAL-10", "2024-12-24 23:10", 120, "2024-12-25 01:10"),
        ("CAL-11", "2024-12-31 23:10", 120, "2025-01-01 01:10"),
    ],
)
def test_worked_due_times(code: str, start: str, minutes: int, due: str) -> None:
    assert CALENDAR[code].add_working_time(rome(start), minutes) == rome(due)
    assert CALENDAR[code].working_minutes_between(rome(start), rome(due)) == minutes


@pytest.mark.parametrize(
    ("code", "hours"),
    [("CAL-01", 40), ("CAL-02", 50), ("CAL-03", 34.5), ("CAL-04", 56.5), ("CAL-05", 50), ("CAL-06", 45),
     ("CAL-07", 35), ("CAL-08", 40), ("CAL-09", 45), ("CAL-10", 168), ("CAL-11", 168)],
)  # fmt: skip
def test_weekly_hours_are_those_of_the_sources(code: str, hours: float) -> None:
    week = CALENDAR[code].working_minutes_between(rome("2024-05-06 00:00"), rome("2024-05-13 00:00"))
    assert week == hours * 60


def test_wall_clock_times_ignore_calendars() -> None:
    assert add_elapsed_time(rome("2024-05-03 16:40"), 72 * 60) == rome("2024-05-06 16:40")
    assert add_elapsed_time(rome("2024-05-03 23:10"), 120) == rome("2024-05-04 01:10")
    assert add_elapsed_time(rome("2026-10-23 16:40"), 72 * 60) == rome("2026-10-26 15:40")
    assert add_elapsed_time(rome("2027-03-26 16:40"), 72 * 60) == rome("2027-03-29 17:40")
    assert add_elapsed_time(rome("2024-03-31 01:10"), 2 * 60) == rome("2024-03-31 04:10")
    # 72 hours over the night the clocks go forward end an hour later on the clock.
    assert add_elapsed_time(rome("2024-03-29 16:40"), 72 * 60) == rome("2024-04-01 17:40")
    assert date(2024, 5, 20) + timedelta(days=15) == date(2024, 6, 4)


def test_working_days() -> None:
    for calendar in (CALENDAR["CAL-01"], CALENDAR["CAL-03"]):
        assert calendar.add_working_days(date(2024, 4, 24), 1) == date(2024, 4, 26)
        assert calendar.add_working_days(date(2024, 5, 3), 1) == date(2024, 5, 6)
        assert calendar.add_working_days(date(2024, 5, 4), 0) == date(2024, 5, 4)
    with pytest.raises(ValueError, match="not taken away"):
        CALENDAR["CAL-01"].add_working_days(date(2024, 5, 3), -1)


@pytest.mark.parametrize("first", ["2024-01-02", "2024-05-02", "2024-06-03", "2024-11-04", "2025-01-02", "2026-01-02"])
def test_first_working_day_of_the_month(first: str) -> None:
    day = date.fromisoformat(first)
    assert CALENDAR["CAL-01"].working_day_from(day.replace(day=1)) == day


@pytest.mark.parametrize(
    ("start", "count", "end"),
    [("2024-01-15", 6, "2024-07-15"), ("2024-01-15", 12, "2025-01-15"), ("2024-08-31", 6, "2025-02-28"),
     ("2023-08-31", 6, "2024-02-29"), ("2024-03-31", -1, "2024-02-29"), ("2024-12-01", 1, "2025-01-01")],
)  # fmt: skip
def test_months(start: str, count: int, end: str) -> None:
    assert add_months(date.fromisoformat(start), count) == date.fromisoformat(end)


def test_saint_francis_is_a_holiday_from_2026_on() -> None:
    # 4 October: a Friday in 2024, a Saturday in 2025, a Sunday in 2026, a Monday in 2027.
    assert CALENDAR["CAL-01"].is_working_day(date(2024, 10, 4))
    assert CALENDAR["CAL-04"].is_working_day(date(2025, 10, 4))
    assert not CALENDAR["CAL-04"].is_working_day(date(2026, 10, 4))
    assert not CALENDAR["CAL-01"].is_working_day(date(2027, 10, 4))
    assert CALENDAR["CAL-01"].add_working_time(rome("2027-10-01 17:00"), 60) == rome("2027-10-05 09:00")


def test_half_open_hours() -> None:
    calendar = CALENDAR["CAL-01"]
    assert calendar.is_open(rome("2024-05-06 08:30"))
    assert not calendar.is_open(rome("2024-05-06 12:30"))
    assert calendar.is_open(rome("2024-05-06 13:30"))
    assert not calendar.is_open(rome("2024-05-06 17:30"))
    assert calendar.next_opening(rome("2024-05-06 12:30")) == rome("2024-05-06 13:30")
    assert calendar.next_opening(rome("2024-05-06 09:00")) == rome("2024-05-06 09:00")
    assert calendar.next_opening(rome("2024-05-03 18:00")) == rome("2024-05-06 08:30")
    assert calendar.closing_on(date(2024, 5, 6)) == rome("2024-05-06 17:30")
    # What fits exactly before closing is due at closing, not at the next opening.
    assert calendar.add_working_time(rome("2024-05-03 17:00"), 30) == rome("2024-05-03 17:30")
    assert calendar.add_working_time(rome("2024-05-04 10:00"), 0) == rome("2024-05-04 10:00")


def test_voicemail_of_a_friday_evening_is_called_back_on_monday() -> None:
    assert CALENDAR["CAL-06"].next_opening(rome("2024-05-03 18:00")) == rome("2024-05-06 08:30")


def test_clocks_change() -> None:
    night = WorkingCalendar({6: ((time(1), time(4)),)})
    assert night.working_minutes_between(rome("2026-10-25 00:00"), rome("2026-10-26 00:00")) == 240
    assert night.working_minutes_between(rome("2026-03-29 00:00"), rome("2026-03-30 00:00")) == 120
    inside = WorkingCalendar({6: ((time(2), time(2, 30)),)})
    assert inside.working_minutes_between(rome("2026-10-25 00:00"), rome("2026-10-26 00:00")) == 60
    assert inside.working_minutes_between(rome("2026-03-29 00:00"), rome("2026-03-30 00:00")) == 0
    always = CALENDAR["CAL-10"]
    assert always.working_minutes_between(rome("2026-10-25 00:00"), rome("2026-10-26 00:00")) == 25 * 60
    assert always.add_working_time(rome("2026-03-28 12:00"), 24 * 60) == rome("2026-03-29 13:00")


def test_exceptions_come_before_holidays_and_weekly_hours() -> None:
    weekly = CALENDAR["CAL-01"].intervals
    calendar = WorkingCalendar(
        weekly, exceptions={date(2024, 4, 25): ((time(9), time(12)),), date(2024, 4, 26): ()}, holidays=ITALY
    )
    assert calendar.hours_on(date(2024, 4, 25)) == ((time(9), time(12)),)
    assert not calendar.is_working_day(date(2024, 4, 26))
    assert calendar.add_working_time(rome("2024-04-24 17:00"), 60 + 180) == rome("2024-04-29 09:00")


def test_a_calendar_without_working_time_is_refused() -> None:
    closed = WorkingCalendar({})
    always_holiday = WorkingCalendar({0: ALL_DAY}, holidays=_EveryDay())
    for calendar in (closed, always_holiday):
        with pytest.raises(NoWorkingTime):
            calendar.add_working_time(rome("2024-05-03 17:00"), 1)
        with pytest.raises(NoWorkingTime):
            calendar.next_opening(rome("2024-05-03 17:00"))
        with pytest.raises(NoWorkingTime):
            calendar.add_working_days(date(2024, 5, 3), 1)
        with pytest.raises(NoWorkingTime):
            calendar.closing_on(date(2024, 5, 3))
        assert calendar.working_minutes_between(rome("2024-05-03 17:00"), rome("2025-05-03 17:00")) == 0


def test_a_single_opening_is_used_up() -> None:
    once = WorkingCalendar({}, exceptions={date(2024, 5, 6): ((time(9), time(10)),)})
    assert once.add_working_time(rome("2024-05-03 17:00"), 60) == rome("2024-05-06 10:00")
    with pytest.raises(NoWorkingTime):
        once.add_working_time(rome("2024-05-03 17:00"), 61)


@pytest.mark.parametrize(
    "hours",
    [((time(9), time(9)),), ((time(12), time(9)),), ((time(9), time(12)), (time(11), time(13))),
     ((time(14), time(18)), (time(9), time(12))), ((time(9), time(0)), (time(10), time(11)))],
)  # fmt: skip
def test_hours_out_of_order_are_refused(hours: tuple[tuple[time, time], ...]) -> None:
    with pytest.raises(ValueError, match="overlap"):
        WorkingCalendar({0: hours})
    with pytest.raises(ValueError, match="overlap"):
        WorkingCalendar({}, exceptions={date(2024, 5, 6): hours})


def test_misuse_is_refused() -> None:
    with pytest.raises(ValueError, match="Weekdays"):
        WorkingCalendar({7: ALL_DAY})
    with pytest.raises(ValueError, match="time zone"):
        CALENDAR["CAL-01"].is_open(datetime(2024, 5, 6, 9))  # noqa: DTZ001 - the point of the test
    with pytest.raises(ValueError, match="not taken away"):
        CALENDAR["CAL-01"].add_working_time(rome("2024-05-06 09:00"), -1)


class _EveryDay:
    def __contains__(self, day: object) -> bool:
        return True


def _hours() -> st.SearchStrategy[tuple[tuple[time, time], ...]]:
    """Draw up to three intervals of a day, at quarters of an hour, midnight at the end included."""

    def pair(marks: list[int]) -> tuple[tuple[time, time], ...]:
        ordered = sorted(marks)[: len(marks) // 2 * 2]
        clock = [time(mark // 4 % 24, mark % 4 * 15) for mark in ordered]
        return tuple(zip(clock[::2], clock[1::2], strict=True))

    return st.lists(st.integers(0, 96), unique=True, max_size=6).map(pair)


#: Around both changes of the clocks, Easter, and Christmas.
_ANCHORS = [datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 10, 24, tzinfo=UTC),
            datetime(2026, 4, 3, tzinfo=UTC), datetime(2026, 12, 23, tzinfo=UTC)]  # fmt: skip


def _calendars() -> st.SearchStrategy[WorkingCalendar]:
    days = st.sampled_from([anchor.date() + timedelta(days=ahead) for anchor in _ANCHORS for ahead in range(4)])
    return st.builds(
        WorkingCalendar,
        intervals=st.dictionaries(st.integers(0, 6), _hours(), max_size=7),
        exceptions=st.dictionaries(days, _hours(), max_size=3),
        holidays=st.sampled_from([ITALY, frozenset[date]()]),
    )


def _count(calendar: WorkingCalendar, start: datetime, end: datetime) -> int:
    """Count the minutes whose clock time lies in the opening hours of their date: slow and plain."""
    total = 0
    while start < end:
        local = start.astimezone(ROME)
        clock = local.time()
        total += any(
            opens <= clock and (clock < closes or closes == time(0))
            for opens, closes in calendar.hours_on(local.date())
        )
        start += timedelta(minutes=1)
    return total


@settings(max_examples=60, deadline=None)
@given(_calendars(), st.sampled_from(_ANCHORS), st.integers(0, 2000), st.integers(0, 5000))
def test_minutes_between_agree_with_a_count(
    calendar: WorkingCalendar, anchor: datetime, skip: int, length: int
) -> None:
    start = anchor + timedelta(minutes=skip)
    end = start + timedelta(minutes=length)
    counted = _count(calendar, start, end)
    assert calendar.working_minutes_between(start, end) == counted
    assert calendar.working_minutes_between(end, start) == -counted
    assert calendar.is_open(start) == bool(_count(calendar, start, start + timedelta(minutes=1)))


@settings(max_examples=40, deadline=None)
@given(_calendars(), st.sampled_from(_ANCHORS), st.integers(-2000, 2000), st.lists(st.integers(1, 200_000), min_size=2))
def test_over_years_the_parts_add_up(calendar: WorkingCalendar, anchor: datetime, skip: int, parts: list[int]) -> None:
    start = at = anchor + timedelta(minutes=skip)
    try:
        for part in parts[:4]:
            at = calendar.add_working_time(at, part)
        assert calendar.add_working_time(start, sum(parts[:4])) == at
    except NoWorkingTime:
        return
    assert calendar.working_minutes_between(start, at) == sum(parts[:4])
    assert calendar.working_minutes_between(at, start) == -sum(parts[:4])


@settings(max_examples=60, deadline=None)
@given(_calendars(), st.sampled_from(_ANCHORS), st.integers(0, 2000), st.integers(1, 3000))
def test_adding_is_the_inverse_of_counting(
    calendar: WorkingCalendar, anchor: datetime, skip: int, minutes: int
) -> None:
    start = anchor + timedelta(minutes=skip)
    try:
        due = calendar.add_working_time(start, minutes)
    except NoWorkingTime:
        assert not any(calendar.intervals.values())
        return
    assert calendar.working_minutes_between(start, due) == minutes
    # The first such instant: a minute earlier the time had not passed yet.
    assert calendar.working_minutes_between(start, due - timedelta(minutes=1)) == minutes - 1
    assert calendar.is_open(due - timedelta(minutes=1))
