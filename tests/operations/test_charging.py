"""Time worked is charged to packages: earliest expiry first, the rest to the next, never twice, never more than there
is (PK-02, PK-03, PK-05, PK-12, PK-14)."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from backoffice import clock
from backoffice.access import INTERNAL
from backoffice.actors import SYSTEM, Action, Context, Door
from backoffice.database import RecordSession, begin_writing, open_session
from backoffice.errors import DomainError, StillReferred
from backoffice.operations.packages import tell_of_endings
from backoffice.operations.plain import create_record, delete_record, update_record
from backoffice.operations.ticket_states import EstimateTooLong, KindMissing, TimeMissing, TypeMissing
from backoffice.operations.time_entries import DayAhead, DayFull, HourAhead, TicketSettled
from backoffice.operations.verbs import perform
from models.history_entry import HistoryEntry
from models.outbox_mail import OutboxMail
from models.package_movement import PackageMovement
from models.staff import Staff
from models.support_package import PackageState, SupportPackage
from models.ticket import AssistanceKind, Ticket, TicketState
from models.time_entry import TimeEntry
from tests.operations.world import World, day

pytestmark = pytest.mark.databases("postgresql", "sqlite", long=("sqlite",))
SOLVED = {"solution": "Rifatto.", "closure_reason": "solved"}


def prepared(session: RecordSession, *sizes: int) -> tuple[World, Ticket, list[SupportPackage]]:
    """Return a ticket in progress of a queue that works within packages, and its client's packages in their order."""
    world = World(session)
    world.queue.requires_package = True
    world.contact.is_main_referent = True
    packages = []
    for number, minutes in enumerate(sizes):
        package = world.package(minutes=minutes, valid_to=day(30 * (number + 1)))
        perform(session, package, "activate", actor=SYSTEM)
        packages.append(package)
    ticket = world.ticket(TicketState.in_progress, contact=world.contact)
    return world, ticket, packages


def work(session: RecordSession, ticket: Ticket, minutes: int, **values: Any) -> TimeEntry:
    person = session.scalars(sa.select(Staff.id).order_by(Staff.id)).first()
    row = {"ticket": ticket.id, "category": "ordinary", "day": clock.today(), "minutes": minutes, "person": person}
    row |= values
    return create_record(session, TimeEntry, row, actor=SYSTEM)  # type: ignore[return-value]


def balances(session: RecordSession, packages: list[SupportPackage]) -> list[int]:
    """Return what is left of each package, having made sure that it is the sum of its movements."""
    for package in packages:
        total = sa.select(sa.func.sum(PackageMovement.minutes)).where(PackageMovement.package_id == package.id)
        assert session.scalar(total) == package.residual_minutes
    return [package.residual_minutes for package in packages]


def mails(session: RecordSession, template: str) -> list[OutboxMail]:
    return list(session.scalars(sa.select(OutboxMail).where(OutboxMail.template == template)))


def test_what_one_package_does_not_hold_the_next_one_pays(session: RecordSession) -> None:
    _world, ticket, packages = prepared(session, 60, 120)
    entry = work(session, ticket, 90, activity="Accesso ripristinato")
    assert balances(session, packages) == [0, 90]
    assert (entry.charged_minutes, packages[0].state) == (90, PackageState.exhausted)
    charged = sa.select(PackageMovement).where(PackageMovement.time_entry_id == entry.id).order_by(PackageMovement.id)
    movements = session.scalars(charged).all()
    assert [(m.minutes, m.ticket_id, m.note) for m in movements] == [
        (-60, ticket.id, "Accesso ripristinato"),
        (-30, ticket.id, "Accesso ripristinato"),
    ]
    assert [mail.arguments["left"] for mail in mails(session, "package_low")] == ["0 h"]


def test_the_last_mail_says_what_was_worked_and_what_is_left(session: RecordSession) -> None:
    world, ticket, _packages = prepared(session, 60, 120)
    ticket.assistance_kind, world.queue.reopen_window_hours = AssistanceKind.ordinary, 0
    work(session, ticket, 90)
    perform(session, ticket, "close", SOLVED, actor=SYSTEM)
    (mail,) = mails(session, "ticket_ended")
    assert (mail.arguments["time"], mail.arguments["residual"]) == ("1 h 30 min", "1 h 30 min")


def test_it_says_what_was_charged_where_the_contract_rounds_up(session: RecordSession) -> None:
    world, ticket, packages = prepared(session, 600)
    ticket.contract = world.contract(charge_step_minutes=30)
    ticket.assistance_kind, world.queue.reopen_window_hours = AssistanceKind.ordinary, 0
    session.flush()
    entry = work(session, ticket, 40)
    assert (entry.minutes, entry.charged_minutes, balances(session, packages)) == (40, 60, [540])
    perform(session, ticket, "close", SOLVED, actor=SYSTEM)
    (mail,) = mails(session, "ticket_ended")
    assert "40 min" in mail.arguments["time"]
    assert "1 h" in mail.arguments["time"]


def test_a_changed_entry_charges_or_gives_back_the_difference(session: RecordSession) -> None:
    _world, ticket, packages = prepared(session, 60, 120)
    entry = work(session, ticket, 50)
    update_record(session, entry, {"minutes": 100}, version=None, actor=SYSTEM)
    assert balances(session, packages) == [0, 80]
    update_record(session, entry, {"minutes": 30}, version=None, actor=SYSTEM)
    assert balances(session, packages) == [30, 120]
    assert packages[0].state is PackageState.active
    update_record(session, entry, {"billable": False}, version=None, actor=SYSTEM)
    assert (balances(session, packages), entry.charged_minutes) == ([60, 120], 0)
    update_record(session, entry, {"activity": "Solo il testo"}, version=None, actor=SYSTEM)
    assert balances(session, packages) == [60, 120]
    with pytest.raises(StillReferred):
        delete_record(session, entry, version=None, actor=SYSTEM)


@pytest.mark.parametrize("why", ["quoted", "not billable", "no package needed"])
def test_some_work_takes_nothing(session: RecordSession, why: str) -> None:
    world, ticket, packages = prepared(session, 60)
    ticket.covered_by_quote = why == "quoted"
    world.queue.requires_package = why != "no package needed"
    session.flush()
    work(session, ticket, 60, billable=why != "not billable")
    assert balances(session, packages) == [60]


def test_beyond_all_packages_the_ticket_waits_and_goes_on_with_the_next(session: RecordSession) -> None:
    world, ticket, packages = prepared(session, 60)
    entry = work(session, ticket, 100)
    assert (ticket.state, entry.charged_minutes, balances(session, packages)) == (TicketState.waiting_package, 60, [0])
    assert len(mails(session, "ticket_waits_for_package")) == 1
    another = world.package(minutes=90)
    perform(session, another, "activate", actor=SYSTEM)
    assert (ticket.state, entry.charged_minutes, another.residual_minutes) == (TicketState.qualification, 100, 50)


def test_an_estimate_beyond_what_is_left_keeps_work_from_beginning(session: RecordSession) -> None:
    world, _ticket, _packages = prepared(session, 60)
    ticket = world.ticket(TicketState.assigned, estimated_minutes=180)
    with pytest.raises(EstimateTooLong) as refused:
        perform(session, ticket, "take_charge", actor=SYSTEM)
    assert "3 h" in str(refused.value)
    assert "1 h" in str(refused.value)


def test_ten_entries_at_once_never_break_the_ledger(session: RecordSession, engine: sa.Engine) -> None:
    _world, ticket, packages = prepared(session, 60, 120)
    session.commit()

    def enter(_attempt: int) -> int:
        with begin_writing(), open_session(engine, Context(SYSTEM, Door.job)) as own:
            entry = work(own, own.get_one(Ticket, ticket.id), 25)
            own.commit()
            return entry.charged_minutes

    with ThreadPoolExecutor(5) as threads:
        charged = sum(threads.map(enter, range(10)))
    session.expire_all()
    assert (charged, balances(session, packages)) == (180, [0, 0])
    assert ticket.state is TicketState.waiting_package


def test_whoever_may_not_see_packages_charges_them_all_the_same(session: RecordSession, engine: sa.Engine) -> None:
    world, ticket, packages = prepared(session, 60)
    someone = session.scalars(sa.select(Staff.id).order_by(Staff.id)).first()
    actor = replace(world.staff("time_entries", "tickets", "queues", "companies"), id=someone)
    session.commit()
    with begin_writing(), open_session(engine, Context(actor, Door.desk)) as own:
        assert not actor.may(Action.read, SupportPackage)
        values = {"ticket": ticket.id, "category": "ordinary", "day": clock.today(), "minutes": 20}
        create_record(own, TimeEntry, values, actor=actor)
        own.commit()
    session.expire_all()
    assert balances(session, packages) == [40]
    told = sa.select(HistoryEntry).where(HistoryEntry.entity == "support_package").order_by(HistoryEntry.id.desc())
    entry = session.scalars(told).first()
    assert entry is not None
    assert (entry.on_behalf_of, entry.changes["residual_minutes"]) == (actor.name, [60, 40])


def test_own_work_is_corrected_on_a_ticket_out_of_sight(session: RecordSession, engine: sa.Engine) -> None:
    world, ticket, packages = prepared(session, 60)
    entry = work(session, ticket, 20)
    actor = replace(world.staff("time_entries", "companies"), id=entry.person_id)
    session.commit()
    with begin_writing(), open_session(engine, Context(actor, Door.desk)) as own:
        mine = own.get_one(TimeEntry, entry.id)
        assert mine.ticket is None, "not within their sight"
        update_record(own, mine, {"minutes": 30, "activity": "Misura"}, version=None, actor=actor)
        assert mine.ticket is None, "nor once the product has looked it up"
        own.commit()
    session.expire_all()
    assert (balances(session, packages), entry.activity) == ([30], "Misura")


@contextmanager
def at_noon(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    moment = datetime.combine(clock.today(), time(12), clock.ROME)
    with monkeypatch.context() as patch:
        patch.setattr(clock, "now", lambda: moment)
        yield


def test_time_is_refused_ahead_of_its_day_beyond_it_and_after_the_end(
    session: RecordSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, ticket, packages = prepared(session, 60)
    with pytest.raises(DayAhead):
        work(session, ticket, 10, day=clock.today() + timedelta(days=1))
    with at_noon(monkeypatch), pytest.raises(HourAhead):
        work(session, ticket, 10, began_at=time(12, 1))
    work(session, ticket, 23 * 60, billable=False)
    with pytest.raises(DayFull):
        work(session, world.ticket(TicketState.in_progress), 61, billable=False)
    work(session, ticket, 61, billable=False, day=clock.today() - timedelta(days=1))
    # A day that is too long already may be corrected, downwards.
    before = clock.today() - timedelta(days=2)
    long, _other = (work(session, ticket, 700, billable=False, day=before) for _number in range(2))
    stored = sa.text("UPDATE time_entry SET minutes = 1000 WHERE id = :id").bindparams(id=long.id)
    session.execute(stored, execution_options=INTERNAL)
    session.expire(long)
    update_record(session, long, {"minutes": 900}, version=None, actor=SYSTEM)
    with pytest.raises(TicketSettled):
        work(session, world.ticket(TicketState.closed_final), 10)
    assert balances(session, packages) == [60]


@pytest.mark.parametrize(
    ("lacks", "refusal"), [("type", TypeMissing), ("kind", KindMissing), ("time", TimeMissing), ("nothing", None)]
)
def test_a_ticket_is_closed_with_type_kind_and_time(
    session: RecordSession, lacks: str, refusal: type[DomainError] | None
) -> None:
    world, ticket, _packages = prepared(session, 60)
    world.queue.requires_time = True
    ticket.request_type = None if lacks == "type" else world.type
    ticket.assistance_kind = None if lacks == "kind" else AssistanceKind.ordinary
    session.flush()
    if lacks != "time":
        work(session, ticket, 10)
    if refusal is not None:
        with pytest.raises(refusal):
            perform(session, ticket, "close", SOLVED, actor=SYSTEM)
        perform(session, ticket, "close", SOLVED | {"closure_reason": "duplicate"}, actor=SYSTEM)
    else:
        perform(session, ticket, "close", SOLVED, actor=SYSTEM)
    assert ticket.state is TicketState.closed_provisional


def test_clients_hear_once_that_a_package_is_about_to_end(session: RecordSession) -> None:
    _world, _ticket, packages = prepared(session, 60)
    packages[0].valid_to = day(20)
    session.flush()
    for _day in range(2):
        while tell_of_endings(session, clock.today(), actor=SYSTEM):
            pass
    assert [mail.arguments["until"] for mail in mails(session, "package_ends") if mail.cause_id == packages[0].id] == [
        f"{day(20):%d/%m/%Y}"
    ]
