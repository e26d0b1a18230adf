"""Calls: messages called back at the opening, type and urgency, and from a call to its ticket (CC-06, CC-09, CC-15)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

import pytest
import sqlalchemy as sa

from backoffice import clock
from backoffice.actors import SYSTEM, Context, Door
from backoffice.clock import ROME
from backoffice.database import RecordSession
from backoffice.errors import InvalidRecord
from backoffice.operations.call_taking import Way, take_call
from backoffice.operations.call_tickets import HasTicket, QueueMissing
from backoffice.operations.callbacks import TypeMissing, UrgencyMissing
from backoffice.operations.conversation import NotOpenAnyMore, OtherCompany
from backoffice.operations.plain import create_record
from backoffice.operations.verbs import perform
from models.account import AccountState
from models.calendar_exception import CalendarException
from models.calendar_interval import CalendarInterval, Weekday
from models.call import Call, CallOutcome, CallState
from models.history_entry import HistoryEntry
from models.service_calendar import ServiceCalendar
from models.setting import Setting
from models.support_queue import SupportQueue
from models.ticket import Channel, Ticket, Urgency
from models.ticket import TicketState as T
from models.ticket_message import Direction, TicketMessage, Visibility
from tests.operations.test_accounts_orders_calls import at_the_desk
from tests.operations.world import World

S = CallState
MESSAGE = {"channel": "voicemail", "description": "Richiamare, grazie."}


def rome(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ROME)


def keep_hours(world: World, *closed: date) -> None:
    """Give the queue the hours of the plants' contact centre (CAL-06): 08:30 to 17:30, Monday to Friday."""
    calendar = ServiceCalendar(code=f"P{world.group.id}", name="Impianti", excludes_holidays=False)
    for place, day in enumerate([*Weekday][:5]):
        interval = CalendarInterval(weekday=day, from_time=time(8, 30), to_time=time(17, 30), position=place)
        calendar.intervals.append(interval)
    calendar.exceptions = [CalendarException(day=day, closed=True) for day in closed]
    world.queue.calendar = world.add(calendar)
    world.session.flush()


def left(world: World, when: str, **values: Any) -> Call:
    """A message that somebody left then."""
    values = {**MESSAGE, "company": world.company.id, "queue": world.queue.id, "started_at": rome(when), **values}
    actor, product = world.staff("calls", "companies", "queues"), world.session.info["context"]
    world.session.info["context"] = Context(actor, Door.desk)
    try:
        made = create_record(world.session, Call, values, actor=actor)
    finally:
        world.session.info["context"] = product
    assert isinstance(made, Call)
    return made


@pytest.mark.parametrize(
    ("when", "due"),
    [
        ("2024-05-03 18:00", "2024-05-06 08:30"),  # a Friday evening, the example of CC-15
        ("2024-05-07 23:10", "2024-05-08 08:30"),  # at night
        ("2024-12-24 20:00", "2024-12-27 08:30"),  # before two holidays
        ("2024-05-07 10:15", "2024-05-07 10:15"),  # everybody was on the telephone
        ("2024-05-07 17:30", "2024-05-08 08:30"),  # as it closed
        ("2024-10-26 12:00", "2024-10-28 08:30"),  # the clocks change in between
    ],
)
def test_a_message_is_called_back_at_the_opening(session: RecordSession, when: str, due: str) -> None:
    world = World(session)
    keep_hours(world, date(2024, 12, 25), date(2024, 12, 26))
    call = left(world, when)
    assert (call.state, call.outcome) == (S.callback_due, CallOutcome.voicemail)
    assert call.callback_due_at == rome(due)
    told = sa.select(HistoryEntry.event).where(HistoryEntry.entity == "call", HistoryEntry.record_id == call.id)
    assert list(session.scalars(told.order_by(HistoryEntry.id))) == ["created", "call.plan_callback"]


def test_a_call_marked_as_voicemail_afterwards_is_due_likewise(session: RecordSession) -> None:
    world = World(session)
    keep_hours(world)
    call = world.call(S.received, queue=world.queue, started_at=rome("2024-05-03 18:00"))
    perform(session, call, "record_voicemail", actor=SYSTEM)
    assert (call.state, call.callback_due_at) == (S.callback_due, rome("2024-05-06 08:30"))


def test_without_hours_a_message_is_due_at_once(session: RecordSession) -> None:
    call = left(World(session), "2024-05-05 03:00")
    assert (call.state, call.callback_due_at) == (S.callback_due, rome("2024-05-05 03:00"))


def test_a_queue_that_never_opens_leaves_it_to_people(session: RecordSession) -> None:
    world = World(session)
    world.queue.calendar = world.add(ServiceCalendar(code="MAI", name="Mai", excludes_holidays=False))
    call = left(world, "2024-05-03 18:00")
    assert (call.state, call.callback_due_at) == (S.voicemail, None)
    perform(session, call, "plan_callback", {"callback_due_at": rome("2024-05-06 09:00")}, actor=SYSTEM)
    assert call.state is S.callback_due


def test_the_number_dialled_tells_whose_hours_count(session: RecordSession) -> None:
    world = World(session)
    other = world.add(SupportQueue(code="ALTRA", name="Altra", group_company=world.house, phone="+390461999999"))
    dialled = left(world, "2024-05-03 18:00", queue=None, number_dialled="0461 999999")
    unknown = left(world, "2024-05-03 18:00", queue=None, number_dialled="0461 111111")
    assert (dialled.queue_id, unknown.queue_id) == (other.id, None)


def test_whoever_is_not_reached_is_tried_again_within_the_hours(
    session: RecordSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(session)
    keep_hours(world)
    call = left(world, "2024-05-03 18:00")
    monkeypatch.setattr(clock, "now", lambda: rome("2024-05-06 17:00").astimezone(UTC))
    perform(session, call, "call_back", {"outcome": "unreachable"}, actor=SYSTEM)
    assert (call.state, call.outcome, call.callback_attempts) == (S.callback_due, CallOutcome.unreachable, 1)
    assert call.callback_due_at == rome("2024-05-07 09:00")  # half an hour today, half an hour tomorrow
    session.add(Setting(key="callback_retry", value="0:15", group_id=world.group.id))
    session.flush()
    session.info.pop("settings", None)
    perform(session, call, "call_back", {"outcome": "callback"}, actor=SYSTEM)
    assert (call.callback_attempts, call.callback_due_at) == (2, rome("2024-05-06 17:15"))


def test_a_call_back_that_reached_somebody_says_what_it_was(session: RecordSession) -> None:
    world = World(session)
    call = left(world, "2024-05-03 18:00")
    with pytest.raises(TypeMissing):
        perform(session, call, "call_back", {"outcome": "answered"}, actor=SYSTEM)
    with pytest.raises(UrgencyMissing):
        perform(session, call, "call_back", {"outcome": "answered", "request_type": world.type}, actor=SYSTEM)
    spoken = {"outcome": "answered", "request_type": world.type, "urgency": "low", "handled_minutes": "0:05"}
    perform(session, call, "call_back", spoken, actor=SYSTEM)
    assert (call.state, call.request_type, call.handled_minutes) == (S.handled, world.type, 5)


@pytest.mark.parametrize(("setting", "by_type", "needed"), [("1", False, True), ("0", False, False), ("0", True, True)])
def test_who_must_say_how_urgent_it_is(session: RecordSession, setting: str, by_type: bool, needed: bool) -> None:
    world = World(session)
    session.add(Setting(key="call_needs_urgency", value=setting, group_id=world.group.id))
    world.type.needs_urgency = by_type
    session.flush()
    call = world.call()
    if needed:
        with pytest.raises(UrgencyMissing):
            perform(session, call, "classify", {"request_type": world.type}, actor=SYSTEM)
    else:
        perform(session, call, "classify", {"request_type": world.type}, actor=SYSTEM)
        assert call.state is S.classified


def test_a_ticket_is_made_of_what_the_call_says(session: RecordSession) -> None:
    world = World(session)
    account = world.account(AccountState.active, contact=world.contact)
    contract = world.contract("active")  # type: ignore[arg-type]
    call = world.call(S.classified, contact=world.contact, contract=contract, urgency=Urgency.high)
    with pytest.raises(QueueMissing):
        perform(session, call, "open_ticket", actor=SYSTEM)
    perform(session, call, "open_ticket", {"queue": world.queue}, actor=SYSTEM)
    ticket = call.ticket
    assert ticket is not None
    assert (call.state, call.team, call.queue) == (S.handled, world.first_level, world.queue)
    made = (ticket.company, ticket.contact, ticket.contract, ticket.account, ticket.request_type)
    assert made == (world.company, world.contact, contract, account, world.type)
    assert (ticket.priority, ticket.requested_urgency, ticket.channel) == (Urgency.high, Urgency.high, Channel.phone)
    assert (ticket.subject, ticket.description) == ("Chiede quando arrivano.", call.description)
    with pytest.raises(HasTicket):
        perform(session, call, "open_ticket", {"queue": world.queue}, actor=SYSTEM)


def said(session: RecordSession, ticket: Ticket) -> list[Any]:
    columns = (TicketMessage.body, TicketMessage.direction, TicketMessage.visibility, TicketMessage.channel)
    return [tuple(row) for row in session.execute(sa.select(*columns).where(TicketMessage.ticket_id == ticket.id))]


def test_a_call_joins_a_ticket_which_goes_on_by_it(session: RecordSession) -> None:
    world = World(session)
    world.type.is_reminder = True
    ticket = world.ticket(T.waiting_customer)
    call = world.call(S.classified)
    perform(session, call, "join_ticket", {"ticket": ticket}, actor=SYSTEM)
    assert (call.state, call.ticket, call.team) == (S.handled, ticket, ticket.team)
    assert said(session, ticket) == [(call.description, Direction.incoming, Visibility.public, Channel.phone)]
    assert (ticket.state, ticket.reminder_count) == (T.in_progress, 1)


def test_a_call_that_is_no_reminder_counts_as_none(session: RecordSession) -> None:
    world = World(session)
    ticket = world.ticket(T.in_progress)
    perform(session, world.call(S.classified), "join_ticket", {"ticket": ticket}, actor=SYSTEM)
    assert ticket.reminder_count == 0


def test_what_is_over_or_another_clients_is_not_joined(session: RecordSession) -> None:
    world, other = World(session), World(session)
    over, elsewhere = world.ticket(T.closed_final), other.ticket(T.in_progress)
    with pytest.raises(NotOpenAnyMore):
        perform(session, world.call(S.classified), "join_ticket", {"ticket": over}, actor=SYSTEM)
    with pytest.raises((OtherCompany, InvalidRecord)):
        perform(session, world.call(S.classified), "join_ticket", {"ticket": elsewhere}, actor=SYSTEM)
    assert (said(session, over), said(session, elsewhere)) == ([], [])


def test_taking_a_call_asks_for_all_that_is_missing_at_once(session: RecordSession) -> None:
    world = World(session)
    empty = {"description": "", "request_type": "", "urgency": "", "caller_phone": "non so"}
    with at_the_desk(session, world, "calls", "tickets", "queues") as (desk, staff):
        with pytest.raises(InvalidRecord) as refused:
            take_call(desk, empty, Way.ticket, actor=staff)
        assert set(refused.value.problems) == {"description", "request_type", "urgency", "caller_phone"}
        with pytest.raises(InvalidRecord) as refused:
            take_call(desk, empty, Way.voicemail, actor=staff)
        assert set(refused.value.problems) == {"description", "caller_phone"}


def test_a_call_is_taken_in_one_step_whatever_becomes_of_it(session: RecordSession) -> None:
    world = World(session)
    waiting = world.ticket(T.in_progress)
    typed = {
        "description": "Il cancello non si apre.\nDa ieri.", "request_type": world.type.id, "urgency": "normal",
        "company": world.company.id, "contact": world.contact.id, "queue": world.queue.id,
    }  # fmt: skip
    with at_the_desk(session, world, "calls", "tickets", "queues", "contracts") as (desk, staff):
        made = take_call(desk, typed, Way.ticket, actor=staff, subject="Cancello")
        assert made.ticket is not None
        assert (made.state, made.ticket.subject) == (S.handled, "Cancello")
        joined = take_call(desk, typed | {"ticket": waiting.id}, Way.join, actor=staff)
        assert (joined.state, joined.ticket_id) == (S.handled, waiting.id)
        closed = take_call(desk, typed, Way.close, actor=staff)
        assert (closed.state, closed.ticket, closed.outcome) == (S.closed, None, CallOutcome.answered)
        kept = take_call(desk, {"description": "Richiamate"}, Way.voicemail, actor=staff)
        assert (kept.state, kept.channel) == (S.callback_due, Channel.voicemail)
        version = kept.version
        again = take_call(desk, {"description": "Richiamate"}, Way.unreached, actor=staff, call=kept, version=version)
        assert (again.state, again.callback_attempts) == (S.callback_due, 1)
        reached = take_call(desk, typed, Way.close, actor=staff, call=kept, version=kept.version)
        assert (reached.state, reached.outcome) == (S.closed, CallOutcome.answered)
