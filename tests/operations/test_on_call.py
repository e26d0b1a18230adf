"""Emergencies alert whoever is on call until somebody answers; lateness proposes penalties (SL-14 to SL-19)."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import sqlalchemy as sa

from backoffice import clock
from backoffice.actors import SYSTEM
from backoffice.background import speaking
from backoffice.database import RecordSession
from backoffice.operations.clocks import fit
from backoffice.operations.on_call import NobodyElse, is_alert_due, repeat_alerts
from backoffice.operations.penalties import propose_penalties
from backoffice.operations.plain import create_record, update_record
from backoffice.operations.verbs import perform
from backoffice.webhooks import send_alerts
from models.contract import ContractState
from models.contract_milestone import ContractMilestone, MilestoneKind
from models.on_call_alert import OnCallAlert
from models.on_call_shift import OnCallShift
from models.outbox_mail import OutboxMail
from models.penalty import Penalty, PenaltyState
from models.penalty_rule import PenaltyBase, PenaltyRule, PenaltyTrigger
from models.setting import Setting
from models.sla_policy import SlaKind, SlaPolicy
from models.staff import Staff
from models.ticket import Ticket, TicketState
from models.ticket_clock import ClockState, TicketClock
from tests.operations.world import World

pytestmark = pytest.mark.databases("postgresql", "sqlite", long=("sqlite",))


def on_call(world: World, *turns: int, hours: int = 12) -> list[Staff]:
    """Put as many people on call for the first team, by turn."""
    wanted = sa.select(Staff).where(Staff.active).order_by(Staff.id).limit(len(turns))
    people = list(world.session.scalars(wanted))
    for person, turn in zip(people, turns, strict=True):
        starts, ends = clock.now() - timedelta(hours=1), clock.now() + timedelta(hours=hours)
        shift = OnCallShift(team=world.first_level, person=person, turn=turn, starts_at=starts, ends_at=ends)
        shift.phone = "+393331234567"
        world.add(shift)
    return people


def emergency(world: World, **values: Any) -> Ticket:
    row = {"queue": world.queue, "company": world.company, "request_type": world.type, "priority": "emergency"}
    row |= {"subject": "Palo pericolante", "description": "In via Roma", **values}
    return create_record(world.session, Ticket, row, actor=SYSTEM)  # type: ignore[return-value]


def alerts(session: RecordSession, ticket: Ticket) -> list[tuple[int, str, int]]:
    wanted = sa.select(OnCallAlert).where(OnCallAlert.ticket_id == ticket.id).order_by(OnCallAlert.id)
    return [(row.person_id, row.state.value, row.times) for row in session.scalars(wanted)]


@contextmanager
def later(monkeypatch: pytest.MonkeyPatch, minutes: int) -> Iterator[None]:
    moment = clock.now() + timedelta(minutes=minutes)
    with monkeypatch.context() as patch:
        patch.setattr(clock, "now", lambda: moment)
        yield


def test_an_emergency_alerts_by_turn_until_somebody_answers(
    session: RecordSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(session)
    second, first = on_call(world, 2, 1)
    world.contact.phone = "+390461123456"
    ticket = emergency(world, contact=world.contact)
    assert alerts(session, ticket) == [(first.id, "sent", 1)]
    for minutes, expected in (
        (1, [(first.id, "sent", 1)]),
        (6, [(first.id, "sent", 2)]),
        (12, [(first.id, "sent", 3)]),
        (18, [(first.id, "passed_on", 3), (second.id, "sent", 1)]),
    ):
        with later(monkeypatch, minutes):
            repeat_alerts(session, clock.now(), actor=SYSTEM)
        assert alerts(session, ticket) == expected
    last = session.scalars(sa.select(OnCallAlert).order_by(OnCallAlert.id.desc())).first()
    assert last is not None
    perform(session, last, "acknowledge", actor=SYSTEM)
    with later(monkeypatch, 60):
        assert repeat_alerts(session, clock.now(), actor=SYSTEM) == 0
    sent = sa.select(OutboxMail.recipient).where(OutboxMail.template == "on_call_alert").order_by(OutboxMail.id)
    assert session.scalars(sent).all() == [first.email] * 3 + [second.email]
    told = session.scalars(sa.select(OutboxMail).where(OutboxMail.template == "on_call_alert")).first()
    assert told is not None
    assert (told.arguments["text"], told.arguments["contact"]) == ("In via Roma", "Ada Rossi +390461123456")


def test_a_ticket_that_becomes_one_alerts_and_one_that_is_none_does_not_any_more(session: RecordSession) -> None:
    world = World(session)
    (person,) = on_call(world, 1)
    ticket = emergency(world, priority="high")
    assert alerts(session, ticket) == []
    update_record(session, ticket, {"priority": "emergency"}, version=None, actor=SYSTEM)
    assert alerts(session, ticket) == [(person.id, "sent", 1)]
    update_record(session, ticket, {"priority": "normal"}, version=None, actor=SYSTEM)
    assert alerts(session, ticket) == [(person.id, "over", 1)]
    update_record(session, ticket, {"priority": "emergency"}, version=None, actor=SYSTEM)
    assert alerts(session, ticket) == [(person.id, "over", 1), (person.id, "sent", 1)]


def test_whoever_is_called_to_an_emergency_is_awaited_from_the_start(session: RecordSession) -> None:
    world = World(session)
    world.add(SlaPolicy(group_id=world.group.id, name="Sul posto", kind=SlaKind.on_site, target_minutes=120))
    ticket = emergency(world)
    wanted = sa.select(TicketClock).where(TicketClock.ticket_id == ticket.id, TicketClock.kind == SlaKind.on_site)
    running = session.scalars(wanted).one()
    assert running.due_at == ticket.created_at + timedelta(hours=2)
    # Solved by telephone, nobody is late; raised later, the time begins then.
    solved = emergency(world)
    solved.state, solved.reopen_until = TicketState.closed_provisional, clock.now() + timedelta(hours=1)
    fit(session, solved)
    calm = emergency(world, priority="normal")
    calm.created_at = clock.now() - timedelta(days=3)
    session.flush()
    update_record(session, calm, {"priority": "emergency"}, version=None, actor=SYSTEM)
    states = {
        row.ticket_id: (row.state, row.due_at)
        for row in session.scalars(sa.select(TicketClock).where(TicketClock.kind == SlaKind.on_site))
    }
    assert states[solved.id] == (ClockState.stopped, None)
    assert states[calm.id][1] > clock.now() + timedelta(minutes=115)
    update_record(session, ticket, {"priority": "normal"}, version=None, actor=SYSTEM)
    session.refresh(running)
    assert (running.state, running.due_at) == (ClockState.stopped, None)


def test_one_that_is_an_emergency_again_while_nobody_is_on_call_is_not_forgotten(session: RecordSession) -> None:
    world = World(session)
    (person,) = on_call(world, 1)
    ticket = emergency(world)
    update_record(session, ticket, {"priority": "normal"}, version=None, actor=SYSTEM)
    for shift in session.scalars(sa.select(OnCallShift).where(OnCallShift.person_id == person.id)):
        shift.ends_at = clock.now() - timedelta(minutes=1)
    session.flush()
    update_record(session, ticket, {"priority": "emergency"}, version=None, actor=SYSTEM)
    assert alerts(session, ticket) == [(person.id, "over", 1)]
    on_call(world, 1)
    assert is_alert_due(session, clock.now())
    repeat_alerts(session, clock.now(), actor=SYSTEM)
    assert alerts(session, ticket) == [(person.id, "over", 1), (person.id, "sent", 1)]


def test_it_can_be_passed_on_while_there_is_somebody_else(session: RecordSession) -> None:
    world = World(session)
    first, second = on_call(world, 1, 2)
    ticket = emergency(world)
    alert = session.scalars(sa.select(OnCallAlert).where(OnCallAlert.ticket_id == ticket.id)).one()
    perform(session, alert, "pass_on", actor=SYSTEM)
    assert alerts(session, ticket) == [(first.id, "passed_on", 1), (second.id, "sent", 1)]
    alone = World(session)
    on_call(alone, 1)
    other = emergency(alone)
    alert = session.scalars(sa.select(OnCallAlert).where(OnCallAlert.ticket_id == other.id)).one()
    with pytest.raises(NobodyElse):
        perform(session, alert, "pass_on", actor=SYSTEM)


def test_an_emergency_while_nobody_is_on_call_is_told_and_alerts_the_first_who_is(
    session: RecordSession, staff: Any
) -> None:
    world, administrator = World(session), staff("administrator")
    administrator.group_id = world.group.id
    session.flush()
    on_call(world, 1, hours=-1 + 1)
    ticket = emergency(world)
    assert alerts(session, ticket) == []
    told = sa.select(OutboxMail.recipient).where(OutboxMail.template == "nobody_on_call")
    update_record(session, ticket, {"subject": "Palo caduto"}, version=None, actor=SYSTEM)
    assert session.scalars(told).all() == [administrator.email]
    assert not is_alert_due(session, clock.now())
    assert repeat_alerts(session, clock.now(), actor=SYSTEM) == 0
    (person,) = on_call(world, 1)
    assert is_alert_due(session, clock.now())
    assert repeat_alerts(session, clock.now(), actor=SYSTEM) == 1
    assert alerts(session, ticket) == [(person.id, "sent", 1)]
    assert not is_alert_due(session, clock.now())


@contextmanager
def gateway(*answers: int) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """An HTTP server that answers with these codes, and what it was sent."""
    taken: list[dict[str, Any]] = []
    left = list(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(left.pop(0))
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/sms", taken
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_gateway_takes_each_alert_once_and_is_tried_again(session: RecordSession, engine: sa.Engine) -> None:
    world = World(session)
    on_call(world, 1)
    with gateway(500, 200) as (url, taken):
        session.add(Setting(key="alert_webhook", value=url, group_id=world.group.id))
        session.flush()
        ticket = emergency(world)
        session.commit()
        counts = [send_alerts(engine, "http://casa.example") for _turn in range(3)]
    assert counts == [0, 1, 0]
    assert [(row["number"], row["phone"], row["times"]) for row in taken] == [(ticket.number, "+393331234567", 1)] * 2
    # Asked twice for want of an answer, the gateway can tell that it is the same.
    assert taken[0]["id"] == taken[1]["id"]
    assert taken[0]["text"].startswith(f"{ticket.number} · Palo pericolante · ")
    assert taken[0]["url"].startswith("http://casa.example/backoffice/on_call_alert/")


def clause(world: World, **values: Any) -> PenaltyRule:
    signed, starts = date(2024, 5, 20), date(2024, 5, 20)
    contract = values.pop("contract", None) or world.contract(ContractState.active, signed_on=signed, starts_on=starts)
    terms = {"trigger": PenaltyTrigger.contact_centre, "base": PenaltyBase.signature, "days": 15, **values}
    return world.add(  # type: ignore[no-any-return]
        PenaltyRule(contract=contract, reference="par. 21 n. 3", **terms)
    )


def found(session: RecordSession, rule: PenaltyRule) -> list[Penalty]:
    return list(session.scalars(sa.select(Penalty).where(Penalty.rule_id == rule.id).order_by(Penalty.id)))


def operational(world: World, rule: PenaltyRule, kind: MilestoneKind, on: date) -> None:
    world.add(ContractMilestone(contract=rule.contract, kind=kind, reached_on=on))


def test_a_late_contact_centre_proposes_a_penalty_without_a_sum_where_none_is_known(session: RecordSession) -> None:
    world = World(session)
    rule = clause(world)
    with speaking("it"):
        assert propose_penalties(session, date(2024, 6, 4), actor=SYSTEM) == 0
        propose_penalties(session, date(2024, 6, 6), actor=SYSTEM)
    (penalty,) = found(session, rule)
    assert (penalty.due_on, penalty.days_late, penalty.amount) == (date(2024, 6, 4), 2, None)
    assert penalty.computation == "par. 21 n. 3: entro il 04/06/2024, non ancora avvenuto; 2 giorni di ritardo"
    # As long as nobody decides, it follows the days; then it stays.
    operational(world, rule, MilestoneKind.contact_centre, date(2024, 6, 9))
    propose_penalties(session, date(2024, 7, 1), actor=SYSTEM)
    assert (penalty.days_late, penalty.happened_on) == (5, date(2024, 6, 9))
    perform(session, penalty, "waive", {"reason": "Accordo del 12/06"}, actor=SYSTEM)
    rule.amount = Decimal(100)
    session.flush()
    propose_penalties(session, date(2024, 8, 1), actor=SYSTEM)
    assert (penalty.state, penalty.amount, len(found(session, rule))) == (PenaltyState.waived, None, 1)


@pytest.mark.parametrize(
    ("base", "kind"),
    [
        (PenaltyBase.start_minutes, MilestoneKind.start_minutes),
        (PenaltyBase.service_start, MilestoneKind.service_start),
        (PenaltyBase.handover, MilestoneKind.handover),
    ],
)
def test_it_counts_from_the_day_the_contract_says(
    session: RecordSession, base: PenaltyBase, kind: MilestoneKind
) -> None:
    world = World(session)
    rule = clause(world, base=base, days=0, amount=Decimal("50.00"))
    propose_penalties(session, date(2024, 3, 10), actor=SYSTEM)
    assert found(session, rule) == []  # that day is not known yet
    operational(world, rule, kind, date(2024, 3, 1))
    operational(world, rule, MilestoneKind.contact_centre, date(2024, 3, 3))
    propose_penalties(session, date(2024, 3, 10), actor=SYSTEM)
    (penalty,) = found(session, rule)
    assert (penalty.days_late, penalty.amount) == (2, Decimal("100.00"))


def test_a_promise_not_kept_costs_once_for_each_ticket(session: RecordSession) -> None:
    world = World(session)
    rule = clause(world, trigger=PenaltyTrigger.promise, base=None, promise=SlaKind.close, amount=Decimal("30.00"))
    rule.per_day = False
    clock_row: TicketClock = world.timed()
    clock_row.ticket.contract = rule.contract
    clock_row.breached_at = clock_row.due_at
    world.timed().ticket.contract = rule.contract  # in time
    session.flush()
    for _turn in range(2):
        propose_penalties(session, clock.today(), actor=SYSTEM)
    (penalty,) = found(session, rule)
    assert (penalty.ticket, penalty.days_late, penalty.amount) == (clock_row.ticket, 1, Decimal("30.00"))
