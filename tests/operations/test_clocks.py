"""Clocks on tickets: which service level fits, pauses line by line, changes midway, warnings and lateness (SL-15 to
SL-23)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time
from typing import Any

import pytest
import sqlalchemy as sa

from backoffice import clock
from backoffice.actors import SYSTEM
from backoffice.clock import ROME
from backoffice.database import RecordSession
from backoffice.operations.clock_alarms import watch_clocks
from backoffice.operations.plain import create_record, update_record
from backoffice.operations.verbs import perform
from models.calendar_interval import CalendarInterval, Weekday
from models.history_entry import HistoryEntry
from models.intervention import Intervention
from models.outbox_mail import OutboxMail
from models.service_calendar import ServiceCalendar
from models.sla_policy import SlaClock, SlaKind, SlaPolicy
from models.staff import Staff
from models.ticket import Ticket, TicketState, Urgency
from models.ticket_clock import ClockState, TicketClock
from seed.reference_data.calendars import CALENDARS
from tests.operations.world import World

pytestmark = pytest.mark.databases("postgresql", "sqlite", long=("sqlite",))
SOLVED = {"solution": "Rifatto.", "closure_reason": "solved"}


@contextmanager
def at(text: str) -> Iterator[None]:
    """Let it be a moment of the clocks in Rome."""
    moment = rome(text).astimezone(UTC)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: moment)
        patch.setattr(clock, "today", lambda: moment.astimezone(ROME).date())
        yield


@pytest.fixture(autouse=True)
def _in_may(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make everything before what the tests look at."""
    monkeypatch.setattr(clock, "now", lambda: rome("2024-05-01 08:00").astimezone(UTC))


def rome(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ROME)


def opening_hours(world: World, code: str = "CAL-01") -> ServiceCalendar:
    row = next(row for row in CALENDARS if row.code == code)
    calendar = ServiceCalendar(code=f"{code}-P", name=code, excludes_holidays=False)
    for day, hours in row.intervals.items():
        for opens, closes in hours:
            interval = CalendarInterval(weekday=[*Weekday][day], from_time=opens, to_time=closes)
            calendar.intervals.append(interval)
    found: ServiceCalendar = world.add(calendar)
    world.queue.calendar = found
    world.session.flush()
    return found


def level(world: World, kind: SlaKind, minutes: int | None = None, **values: Any) -> SlaPolicy:
    values = {"name": f"{kind}-{minutes}-{len(values)}", "target_minutes": minutes, **values}
    return world.add(SlaPolicy(group_id=world.group.id, kind=kind, **values))  # type: ignore[no-any-return]


def opened(world: World, **values: Any) -> Ticket:
    row = {"queue": world.queue, "company": world.company, "contact": world.contact, "request_type": world.type}
    row |= {"subject": "Non va", "description": "Da stamattina", **values}
    return create_record(world.session, Ticket, row, actor=SYSTEM)  # type: ignore[return-value]


def clock_of(ticket: Ticket, kind: SlaKind, session: RecordSession) -> TicketClock:
    wanted = sa.select(TicketClock).where(TicketClock.ticket_id == ticket.id, TicketClock.kind == kind)
    return session.scalars(wanted).one()


def test_the_due_time_counts_the_opening_hours_of_the_queue(session: RecordSession) -> None:
    world = World(session)
    opening_hours(world)
    level(world, SlaKind.close, 120)
    with at("2024-05-03 17:00"):
        ticket = opened(world)
    assert ticket.due_at == rome("2024-05-06 10:00")
    assert clock_of(ticket, SlaKind.close, session).warn_at == rome("2024-05-06 09:30")


def test_danger_is_counted_round_the_clock_from_the_request_to_the_arrival(session: RecordSession) -> None:
    world = World(session)
    opening_hours(world)
    level(world, SlaKind.on_site, None, target_days=1)
    level(world, SlaKind.on_site, 120, urgency=Urgency.emergency, clock=SlaClock.wall)
    with at("2024-05-03 23:10"):
        ticket = opened(world, priority="emergency")
        visit = create_record(session, Intervention, {"ticket": ticket, "requested_at": None}, actor=SYSTEM)
    on_site = clock_of(ticket, SlaKind.on_site, session)
    assert (on_site.due_at, on_site.state) == (rome("2024-05-04 01:10"), ClockState.running)
    with at("2024-05-03 23:20"):
        perform(session, visit, "schedule", {"planned_at": rome("2024-05-04 00:30")}, actor=SYSTEM)
    with at("2024-05-04 01:06"):
        perform(session, visit, "arrive", {"arrived_at": rome("2024-05-04 01:05")}, actor=SYSTEM)
    assert (on_site.state, on_site.met_at) == (ClockState.met, rome("2024-05-04 01:05"))


def test_a_working_day_ends_when_the_service_closes(session: RecordSession) -> None:
    world = World(session)
    opening_hours(world, "CAL-03")
    level(world, SlaKind.close, None, target_days=1)
    with at("2024-05-03 11:00"):
        assert opened(world).due_at == rome("2024-05-06 18:00")


def test_the_closest_service_level_counts(session: RecordSession) -> None:
    world = World(session)
    level(world, SlaKind.close, 600)
    level(world, SlaKind.close, 300, queue=world.queue)
    level(world, SlaKind.close, 60, queue=world.queue, urgency=Urgency.high)
    level(world, SlaKind.close, 5, active=False, queue=world.queue, urgency=Urgency.high, request_type=world.type)
    with at("2024-05-03 10:00"):
        ticket = opened(world)
        assert ticket.due_at == rome("2024-05-03 15:00")
    with at("2024-05-03 10:20"):
        update_record(session, ticket, {"priority": "high"}, version=None, actor=SYSTEM)
    # Worked out from the beginning, and said in the history.
    assert ticket.due_at == rome("2024-05-03 11:00")
    key = clock_of(ticket, SlaKind.close, session).id
    told = sa.select(HistoryEntry).where(HistoryEntry.entity == "ticket_clock", HistoryEntry.record_id == key)
    assert [("due_at" in entry.changes) for entry in session.scalars(told.order_by(HistoryEntry.id))] == [True, True]


def test_it_stands_still_while_the_client_is_asked(session: RecordSession) -> None:
    world = World(session)
    opening_hours(world)
    level(world, SlaKind.close, 240)
    level(world, SlaKind.answer, 60)
    level(world, SlaKind.take_charge, 30)
    with at("2024-05-06 08:30"):
        ticket = opened(world)
        ticket.state = TicketState.assigned
        session.flush()
    with at("2024-05-06 09:10"):
        perform(session, ticket, "take_charge", actor=SYSTEM)
    taken = clock_of(ticket, SlaKind.take_charge, session)
    assert (taken.state, taken.breached_at) == (ClockState.late, rome("2024-05-06 09:00"))
    assert taken.taken_minutes == 40
    with at("2024-05-06 09:20"):
        perform(session, ticket, "ask_customer", {"body": "Quale?"}, actor=SYSTEM)
    closing, answer = clock_of(ticket, SlaKind.close, session), clock_of(ticket, SlaKind.answer, session)
    assert (closing.state, closing.due_at, answer.state) == (ClockState.paused, None, ClockState.met)
    with at("2024-05-06 15:00"):
        perform(session, ticket, "resume", actor=SYSTEM)
    # 50 minutes passed before, so 190 are left from 15:00: 150 until 17:30, 40 the next day.
    assert (closing.state, closing.due_at) == (ClockState.running, rome("2024-05-07 09:10"))
    assert ticket.due_at == closing.due_at
    with at("2024-05-07 09:00"):
        perform(session, ticket, "close", SOLVED, actor=SYSTEM)
    assert (closing.state, closing.met_at) == (ClockState.met, rome("2024-05-07 09:00"))
    assert (closing.taken_minutes, answer.taken_minutes) == (230, 50)  # in the opening hours, without the pause
    with at("2024-05-07 17:00"):
        perform(session, ticket, "reopen", {"body": "Ancora"}, actor=SYSTEM)
    # The time it was closed does not count: ten minutes are left.
    assert (closing.state, closing.met_at, closing.due_at) == (ClockState.running, None, rome("2024-05-07 17:10"))
    assert closing.taken_minutes is None
    # What was kept before this was written down is measured by and by.
    answer.taken_minutes = None
    session.flush()
    with at("2024-05-07 17:05"):
        watch_clocks(session, clock.now(), actor=SYSTEM)
    assert answer.taken_minutes == 50


def test_a_level_that_does_not_pause_goes_on(session: RecordSession) -> None:
    world = World(session)
    level(world, SlaKind.close, 240, pauses_while_waiting=False)
    with at("2024-05-06 08:30"):
        ticket = opened(world)
        ticket.state = TicketState.in_progress
        session.flush()
        perform(session, ticket, "ask_customer", {"body": "Quale?"}, actor=SYSTEM)
    closing = clock_of(ticket, SlaKind.close, session)
    assert (closing.state, closing.due_at) == (ClockState.running, rome("2024-05-06 12:30"))


def test_people_are_warned_once_and_told_once_that_it_is_late(session: RecordSession) -> None:
    world = World(session)
    level(world, SlaKind.close, 240)
    someone = session.scalars(sa.select(Staff).where(Staff.active).order_by(Staff.id)).first()
    with at("2024-05-06 08:30"):
        ticket = opened(world, assignee=someone)
    closing = clock_of(ticket, SlaKind.close, session)
    for moment in ("2024-05-06 11:29", "2024-05-06 11:31", "2024-05-06 11:40", "2024-05-06 12:31", "2024-05-06 13:00"):
        with at(moment):
            while watch_clocks(session, clock.now(), actor=SYSTEM):
                pass
    assert (closing.warned_at, closing.breached_at) == (rome("2024-05-06 11:31"), rome("2024-05-06 12:30"))
    wanted = sa.select(OutboxMail.template).where(OutboxMail.cause_entity == "ticket", OutboxMail.cause_id == ticket.id)
    assert session.scalars(wanted.order_by(OutboxMail.id)).all()[-2:] == ["ticket_due_soon", "ticket_overdue"]


@pytest.mark.parametrize("what", ["level", "hours"])
def test_changed_hours_and_levels_reach_running_clocks(session: RecordSession, what: str) -> None:
    world = World(session)
    calendar = opening_hours(world)
    policy = level(world, SlaKind.close, 120)
    with at("2024-05-06 16:30"):
        ticket = opened(world)
    assert ticket.due_at == rome("2024-05-07 09:30")
    with at("2024-05-06 16:40"):
        if what == "level":
            update_record(session, policy, {"target_minutes": 60}, version=None, actor=SYSTEM)
        else:
            calendar.intervals[1].to_time = time(20)
            calendar.updated_at = clock.now()
            session.flush()
    with at("2024-05-06 16:45"):
        while watch_clocks(session, clock.now(), actor=SYSTEM):
            pass
    assert ticket.due_at == rome("2024-05-06 17:30" if what == "level" else "2024-05-06 18:30")


def test_a_rejected_ticket_promises_nothing_any_more(session: RecordSession) -> None:
    world = World(session)
    level(world, SlaKind.close, 240)
    ticket = opened(world)
    perform(session, ticket, "reject", {"closure_reason": "spam"}, actor=SYSTEM)
    assert clock_of(ticket, SlaKind.close, session).state is ClockState.stopped
