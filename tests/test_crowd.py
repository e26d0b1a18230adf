"""Fifty operators on the same few tickets at once: each success is there once, each refusal left nothing behind, and
packages pay for what was worked exactly once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import BoundedSemaphore
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_appbuilder.security.sqla.models import Role

from backoffice.actors import SYSTEM, Context, Door
from backoffice.database import RecordSession, begin_writing, open_session
from backoffice.operations.plain import update_record
from backoffice.operations.verbs import perform
from models.history_entry import HistoryEntry
from models.outbox_mail import OutboxMail
from models.package_movement import PackageMovement
from models.sla_policy import SlaPolicy
from models.staff import Staff
from models.support_package import PackageState, SupportPackage
from models.ticket import AssistanceKind, Ticket
from models.ticket import TicketState as S
from models.ticket_message import TicketMessage
from models.time_entry import TimeEntry
from tests.clients import DeskClient
from tests.operations.test_charging import balances, work
from tests.operations.world import World, day
from tests.test_concurrency import together
from tests.visitors import checked

#: Done; refused because somebody else was first, or because of the state it is in by now; or the database was asked to
#: wait longer than a page may, which fifty people at three tickets can bring about on a slow machine.
ANSWERS = {303, 409, 422, 503}
VERBS: tuple[tuple[str, dict[str, str]], ...] = (
    ("take_charge", {}),
    ("wait_for_change", {}),
    ("resume", {}),
    ("ask_customer", {"body": "Da quale computer?"}),
    ("close", {"solution": "Rifatto.", "closure_reason": "solved"}),
    ("reopen", {"body": "Non va ancora."}),
)


#: A process answers so many at once; whoever else asks waits for a thread, not for a connection.
THREADS = BoundedSemaphore(16)


@dataclass
class Done:
    """What an operator was told had been done."""

    said: list[str] = field(default_factory=list)
    worked: list[str] = field(default_factory=list)
    verbs: list[tuple[int, str]] = field(default_factory=list)
    taken: int = 0
    answers: Counter[int] = field(default_factory=Counter)


@pytest.fixture
def operators(session: RecordSession, application: Any, desk: Flask) -> Callable[[int], list[DeskClient]]:
    """A function that employs so many people of the first group's secretariat, and signs each of them in."""

    def employ(count: int) -> list[DeskClient]:
        role = session.scalars(sa.select(Role).where(Role.name == "secretariat")).one()
        people = [
            Staff(
                username=f"folla.{number}", first_name="Operatore", last_name=f"Numero {number}",
                email=f"folla.{number}@prova.example", group_id=1, active=True, roles=[role], password="-",
            )
            for number in range(count)
        ]  # fmt: skip
        with begin_writing():
            session.add_all(people)
            session.commit()
        return [DeskClient(application, desk, person) for person in people]

    return employ


def busy_tickets(session: RecordSession) -> tuple[list[int], list[int]]:
    """Return the keys of three tickets of one client in several states, and of the two packages that pay for them."""
    with begin_writing():
        world = World(session, group_id=1)
        world.queue.requires_package = True
        for kind in ("answer", "take_charge", "close"):
            values = {"group_id": 1, "name": f"Folla {kind}", "kind": kind, "target_minutes": 600}
            world.add(SlaPolicy(**values, queue=world.queue))
        packages = []
        for number, minutes in enumerate((60, 120)):
            packages.append(world.package(minutes=minutes, valid_to=day(30 * (number + 1))))
            perform(session, packages[-1], "activate", actor=SYSTEM)
        states = (S.in_progress, S.assigned, S.qualification)
        asked = {"contact": world.contact, "assistance_kind": AssistanceKind.ordinary}
        tickets = [world.ticket(state, **asked) for state in states]
        session.commit()
    return [ticket.id for ticket in tickets], [package.id for package in packages]


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("people", [6, pytest.param(15, marks=pytest.mark.long)])
def test_a_crowd_loses_nothing_and_is_charged_once(
    session: RecordSession, engine: sa.Engine, operators: Callable[[int], list[DeskClient]], people: int
) -> None:
    check_crowd(session, engine, operators, people)


@pytest.mark.long
@pytest.mark.timeout(2400)
@pytest.mark.databases("postgresql")
def test_fifty_lose_nothing_and_are_charged_once(
    session: RecordSession, engine: sa.Engine, operators: Callable[[int], list[DeskClient]]
) -> None:
    """On PostgreSQL only: on SQLite one writes at a time, and fifty mostly wait."""
    check_crowd(session, engine, operators, 50)


def check_crowd(
    session: RecordSession, engine: sa.Engine, operators: Callable[[int], list[DeskClient]], people: int
) -> None:
    tickets, packages = busy_tickets(session)
    crowd = operators(people)
    session.rollback()

    def work(number: int) -> Done:
        client, found = crowd[number], Done()
        for turn in range(len(VERBS)):
            ticket = tickets[(number + turn) % len(tickets)]
            path = f"/support/{ticket}"
            for kind in ("note", "answer"):
                body = f"{kind} {number}.{turn}"
                if sent(client, found, f"{path}/say", {"body": body, "kind": kind}):
                    found.said.append(body)
            activity = f"Lavoro {number}.{turn}"
            if sent(client, found, f"{path}/time", {"minutes": "7", "category": "ordinary", "activity": activity}):
                found.worked.append(activity)
            verb, values = VERBS[(number + turn) % len(VERBS)]
            with engine.connect() as connection:
                version = connection.scalar(sa.text(f"SELECT version FROM ticket WHERE id = {ticket}"))
            if sent(client, found, f"{path}/do/{verb}", {**values, "version": str(version)}):
                found.verbs.append((ticket, verb))
            sent(client, found, "/support/bulk/take", {"key": [str(key) for key in tickets]})
        return found

    done = together(work, people)
    answers = sum((one.answers for one in done), Counter())
    assert set(answers) <= ANSWERS, answers
    assert answers[303] > people * 6, answers
    session.expire_all()
    # Whoever was told that it is done finds it, once; whoever was refused finds nothing.
    said = sa.select(TicketMessage.body).where(TicketMessage.ticket_id.in_(tickets))
    own = [body for body in session.scalars(said) if body.startswith(("note", "answer"))]
    assert sorted(own) == sorted(body for one in done for body in one.said)
    worked = session.scalars(sa.select(TimeEntry).where(TimeEntry.ticket_id.in_(tickets))).all()
    assert sorted(entry.activity for entry in worked) == sorted(text for one in done for text in one.worked)
    told = sa.select(HistoryEntry).where(HistoryEntry.entity == "ticket", HistoryEntry.record_id.in_(tickets))
    entries = session.scalars(told.order_by(HistoryEntry.id)).all()
    performed = Counter((entry.record_id, entry.event.removeprefix("ticket.")) for entry in entries)
    asked = Counter(step for one in done for step in one.verbs)
    questions = {step: count for step, count in performed.items() if step[1] in dict(VERBS)}
    assert questions == asked
    answered = sa.select(OutboxMail.arguments).where(OutboxMail.template == "ticket_message")
    mailed = [arguments["text"] for arguments in session.scalars(answered.where(OutboxMail.cause_id.in_(tickets)))]
    assert sorted(mailed) == sorted(body for body in own if body.startswith("answer"))
    for key in tickets:
        assert_unbroken([entry for entry in entries if entry.record_id == key], session.get_one(Ticket, key))
    assert_charged_once(session, packages, worked)


def sent(client: DeskClient, found: Done, path: str, values: dict[str, Any]) -> bool:
    """Send a form; say whether it was done."""
    with THREADS:
        status = checked(client.submit(path, values), path, values).status_code
    found.answers[status] += 1
    return status == 303


def assert_unbroken(entries: list[HistoryEntry], ticket: Ticket) -> None:
    """Each change began with what the one before had left, and the last left what is stored: none was written over."""
    left: dict[str, Any] = {}
    for entry in entries:
        for name, (old, new) in (entry.changes or {}).items():
            assert left.get(name, old) == old, (entry.event, name)
            left[name] = new
    assert left["state"] == ticket.state.value


def assert_charged_once(session: RecordSession, packages: list[int], worked: Any) -> None:
    """The balance of each package is the sum of its movements, and each entry was paid for once or waits."""
    found = [session.get_one(SupportPackage, key) for key in packages]
    left = balances(session, found)
    charged = sum(entry.charged_minutes for entry in worked)
    bought = sum(package.purchased_minutes for package in found)
    assert min(left) >= 0
    assert (charged, sum(left)) == (min(bought, sum(entry.minutes for entry in worked)), bought - charged)
    for entry in worked:
        paid = sa.select(sa.func.sum(PackageMovement.minutes)).where(PackageMovement.time_entry_id == entry.id)
        assert -(session.scalar(paid) or 0) == entry.charged_minutes <= entry.minutes


def test_packages_activated_together_pay_for_what_was_left_once(session: RecordSession, engine: sa.Engine) -> None:
    """What one package could not take is taken from the next: of several that come at once, from one of them."""
    with begin_writing():
        world = World(session, group_id=1)
        world.queue.requires_package = True
        first = world.package(minutes=60)
        perform(session, first, "activate", actor=SYSTEM)
        ticket = world.ticket(S.in_progress, contact=world.contact)
        entry = work(session, ticket, 200)
        more = [world.package(minutes=90) for _number in range(4)]
        session.commit()
    keys, entry_key = [package.id for package in more], entry.id

    def act(number: int) -> None:
        with begin_writing(), open_session(engine, Context(SYSTEM, Door.job)) as own:
            if number < len(keys):
                perform(own, own.get_one(SupportPackage, keys[number]), "activate", actor=SYSTEM)
            else:  # and somebody mends the entry that waits
                own_entry = own.get_one(TimeEntry, entry_key)
                update_record(own, own_entry, {"activity": "Ripristino"}, version=None, actor=SYSTEM)
            own.commit()

    together(act, len(keys) + 1)
    session.expire_all()
    packages = [session.get_one(SupportPackage, key) for key in (first.id, *keys)]
    assert sum(balances(session, packages)) == 60 + 4 * 90 - 200
    stored = session.get_one(TimeEntry, entry_key)
    paid = sa.select(sa.func.sum(PackageMovement.minutes)).where(PackageMovement.time_entry_id == entry_key)
    assert (stored.charged_minutes, session.scalar(paid)) == (200, -200)
    assert sorted(package.state for package in packages).count(PackageState.exhausted) >= 2
