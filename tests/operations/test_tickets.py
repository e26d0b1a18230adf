"""Tickets: numbers without gaps or doubles, the rules of their queue, the window for reopening."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from backoffice import clock
from backoffice.actors import SYSTEM, Context, Door
from backoffice.database import RecordSession, begin_writing, open_session
from backoffice.errors import InvalidRecord
from backoffice.operations.plain import create_record
from backoffice.operations.ticket_states import ConsentMissing, NotSecondLevel, PackageMissing, S, WindowOver
from backoffice.operations.tickets import QueueClosed, close_tickets_for_good
from backoffice.operations.verbs import perform
from models.account import AccountState
from models.outbox_mail import OutboxMail
from models.staff import Staff
from models.support_package import PackageState
from models.ticket import Ticket
from models.ticket_message import TicketMessage, Visibility
from models.time_entry import TimeEntry
from tests.operations.world import PASSED_ON, World

TEXT = {"subject": "Non parte", "description": "Non parte più."}
SOLVED = {"solution": "Riavviato", "closure_reason": "solved"}


def opened(session: RecordSession, world: World, **values: Any) -> Ticket:
    ticket = create_record(session, Ticket, {"queue": world.queue.id, **TEXT, **values}, actor=SYSTEM)
    assert isinstance(ticket, Ticket)
    return ticket


def test_a_new_ticket_gets_number_team_and_company(session: RecordSession) -> None:
    world = World(session)
    first, second = opened(session, world), opened(session, world, contact=world.contact.id)
    assert (first.number, second.number) == ("PR-1", "PR-2")
    assert first.team is world.first_level
    assert (first.company, second.company) == (None, world.company)
    assert (first.state, second.group_id) == (S.qualification, world.group.id)


def test_numbers_are_never_given_twice(session: RecordSession, engine: sa.Engine) -> None:
    world = World(session)
    session.commit()

    def open_one(_attempt: int) -> str:
        with begin_writing(), open_session(engine, Context(SYSTEM, Door.job)) as own:
            ticket = create_record(own, Ticket, {"queue": world.queue.id, **TEXT}, actor=SYSTEM)
            own.commit()
            return str(ticket)

    with ThreadPoolExecutor(6) as threads:
        numbers = list(threads.map(open_one, range(24)))
    assert sorted(numbers, key=lambda number: int(number[3:])) == [f"PR-{n}" for n in range(1, 25)]


def test_nobody_elses_contact_or_contract(session: RecordSession) -> None:
    world, other = World(session), World(session)
    values = {"company": world.company.id, "contact": other.contact.id, "contract": other.contract().id}
    with pytest.raises(InvalidRecord) as refused:
        opened(session, world, **values)
    assert set(refused.value.problems) == {"contact", "contract"}


def test_a_queue_out_of_use_takes_none(session: RecordSession) -> None:
    world = World(session)
    world.queue.active = False
    with pytest.raises(QueueClosed):
        opened(session, world)


def test_work_waits_for_a_package_where_the_queue_asks_for_one(session: RecordSession) -> None:
    world = World(session)
    world.queue.requires_package = True
    ticket, quoted = world.ticket(S.assigned), world.ticket(S.assigned, covered_by_quote=True)
    with pytest.raises(PackageMissing):
        perform(session, ticket, "take_charge", actor=SYSTEM)
    perform(session, quoted, "take_charge", actor=SYSTEM)
    world.package(PackageState.active)
    perform(session, ticket, "take_charge", actor=SYSTEM)
    assert ticket.taken_at is not None


def test_work_waits_for_consent(session: RecordSession) -> None:
    world = World(session)
    world.queue.requires_consent = True
    ticket = world.ticket(S.assigned, account=world.account(AccountState.consent_revoked))
    with pytest.raises(ConsentMissing):
        perform(session, ticket, "take_charge", actor=SYSTEM)


def test_only_a_second_level_takes_escalations(session: RecordSession) -> None:
    world = World(session)
    ticket = world.ticket(S.in_progress)
    with pytest.raises(NotSecondLevel):
        perform(session, ticket, "escalate", {**PASSED_ON, "to_team": world.first_level}, actor=SYSTEM)
    world.second_level.email = "secondo@esterno.example"
    perform(session, ticket, "escalate", {**PASSED_ON, "to_team": world.second_level}, actor=SYSTEM)
    sent = sa.select(OutboxMail).where(OutboxMail.template == "escalation_to_team", OutboxMail.cause_id == ticket.id)
    mail = session.scalars(sent).one()
    assert (mail.recipient, mail.arguments["actions"]) == ("secondo@esterno.example", PASSED_ON["actions"])
    assert (ticket.team, ticket.assignee) == (world.second_level, None)


def test_a_question_is_a_public_message(session: RecordSession) -> None:
    ticket = World(session).ticket(S.in_progress)
    perform(session, ticket, "ask_customer", {"body": "Quale versione?"}, actor=SYSTEM)
    message = session.scalars(sa.select(TicketMessage).where(TicketMessage.ticket_id == ticket.id)).one()
    assert (message.body, message.visibility, message.company_id) == (
        "Quale versione?",
        Visibility.public,
        ticket.company_id,
    )


def test_closing_leaves_the_window_of_the_queue(session: RecordSession) -> None:
    ticket = World(session).ticket(S.in_progress)
    perform(session, ticket, "close", SOLVED, actor=SYSTEM)
    assert ticket.reopen_until is not None
    assert ticket.reopen_until - clock.now() > timedelta(hours=71)
    perform(session, ticket, "reopen", {"body": "Non va ancora"}, actor=SYSTEM)
    assert (ticket.state, ticket.reopen_count, ticket.reopen_until) == (S.reopened, 1, None)


def test_after_the_window_it_is_closed_for_good(session: RecordSession) -> None:
    world = World(session)
    over, open_still = world.ticket(S.closed_provisional), world.ticket(S.closed_provisional)
    over.reopen_until = clock.now() - timedelta(minutes=1)
    session.flush()
    with pytest.raises(WindowOver):
        perform(session, over, "reopen", {"body": "Ancora"}, actor=SYSTEM)
    while close_tickets_for_good(session, clock.now(), actor=SYSTEM):
        pass
    assert (over.state, open_still.state) == (S.closed_final, S.closed_provisional)
    assert over.closed_at is not None


def test_a_queue_without_window_closes_at_once(session: RecordSession) -> None:
    world = World(session)
    world.queue.reopen_window_hours = 0
    ticket = world.ticket(S.in_progress)
    perform(session, ticket, "close", SOLVED, actor=SYSTEM)
    assert (ticket.state, ticket.closed_at is None) == (S.closed_final, False)


def test_what_is_said_on_an_invented_ticket_goes_with_it(session: RecordSession) -> None:
    world = World(session)
    for invented in (True, False):
        ticket = world.ticket(S.in_progress, is_demo=invented)
        row = {"ticket": ticket.id, "body": "Provo", "visibility": "internal", "direction": "outgoing"}
        message = create_record(session, TicketMessage, row, actor=SYSTEM)
        worked = {"ticket": ticket.id, "category": "ordinary", "day": clock.today(), "minutes": 5}
        worker = session.scalars(sa.select(Staff.id).order_by(Staff.id)).first()
        entry = create_record(session, TimeEntry, {**worked, "person": worker}, actor=SYSTEM)
        assert (message.is_demo, entry.is_demo) == (invented, invented)
