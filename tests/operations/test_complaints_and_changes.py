"""Complaints and changes that tickets give rise to: numbered, linked, decided, answered and released (TK-20, TK-27)."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from backoffice import clock
from backoffice.actors import SYSTEM
from backoffice.database import RecordSession
from backoffice.errors import InvalidRecord
from backoffice.lifecycles import get_transition
from backoffice.operations.change_requests import ChangeMissing
from backoffice.operations.complaints import ActionMissing, ComplaintThere
from backoffice.operations.plain import create_record
from backoffice.operations.verbs import NotInThisState, perform
from models.call import Call, CallState
from models.change_request import ChangeRequest, ChangeState
from models.company import Company
from models.complaint import ActionKind, Complaint, ComplaintState
from models.outbox_mail import OutboxMail
from models.setting import Setting
from models.ticket import Channel, Ticket
from models.ticket import TicketState as T
from models.ticket_message import Direction, TicketMessage, Visibility
from tests.operations.world import World

S = ComplaintState


@pytest.fixture
def world(session: RecordSession) -> World:
    """A client, with no invented company about, so that mail may leave."""
    session.execute(sa.update(Company).values(is_demo=False))
    return World(session)


def complain(world: World, ticket: Ticket, words: str = "Troppo lento.") -> Complaint:
    values = {"received_on": clock.today(), "channel": "phone", "description": words}
    perform(world.session, ticket, "complain", values, actor=SYSTEM)
    return world.session.scalars(sa.select(Complaint).where(Complaint.ticket_id == ticket.id)).one()


def mails(world: World, complaint: Complaint) -> list[tuple[str, str]]:
    about = sa.and_(OutboxMail.cause_entity == "complaint", OutboxMail.cause_id == complaint.id)
    wanted = sa.select(OutboxMail.template, OutboxMail.recipient).where(about).order_by(OutboxMail.id)
    return [tuple(row) for row in world.session.execute(wanted)]  # type: ignore[misc]


def test_a_complaint_takes_along_what_the_ticket_knows(world: World) -> None:
    contract = world.contract("active")  # type: ignore[arg-type]
    ticket = world.ticket(T.closed_final, contact=world.contact, contract=contract)
    complaint = complain(world, ticket)
    assert (complaint.number, complaint.state) == ("RE-1", S.received)
    assert (complaint.company, complaint.contact, complaint.contract) == (world.company, world.contact, contract)
    assert (complaint.group_id, complaint.answer_by) == (world.group.id, None)
    assert ticket.state is T.closed_final
    assert mails(world, complaint) == [("complaint_received", "ada@prova.example")]
    assert complain(world, world.ticket()).number == "RE-2"


def test_what_the_client_said_last_is_proposed(world: World) -> None:
    ticket = world.ticket(T.in_progress, channel=Channel.web)
    propose = get_transition(Ticket, "complain").propose
    assert propose is not None
    assert propose(world.session, ticket)["description"] == ticket.description
    for body, direction in (("Sono stufo.", Direction.incoming), ("Provvediamo.", Direction.outgoing)):
        message = TicketMessage(ticket=ticket, body=body, visibility=Visibility.public, direction=direction)
        message.channel = Channel.phone
        world.add(message)
    found = propose(world.session, ticket)
    assert (found["description"], found["channel"], found["received_on"]) == (
        "Sono stufo.", Channel.phone, clock.today(),
    )  # fmt: skip


def test_a_ticket_has_one_complaint(world: World) -> None:
    ticket = world.ticket(T.in_progress)
    complain(world, ticket)
    with pytest.raises(ComplaintThere):
        complain(world, ticket)


def test_the_term_for_the_answer_is_a_setting(world: World) -> None:
    world.session.add(Setting(key="complaint_answer_days", value="30", group_id=world.group.id))
    world.session.flush()
    day = clock.today() - timedelta(days=3)
    values = {"description": "Troppo lento.", "received_on": day, "company": world.company.id}
    complaint = create_record(world.session, Complaint, values, actor=SYSTEM)
    assert isinstance(complaint, Complaint)
    assert complaint.answer_by == day + timedelta(days=30)


def test_no_complaint_is_closed_without_analysis(world: World) -> None:
    complaint = world.complaint(S.in_analysis)
    for verb in ("answer", "close"):
        with pytest.raises(NotInThisState):
            perform(world.session, complaint, verb, {"outcome": "Ce ne scusiamo."}, actor=SYSTEM)
    with pytest.raises(InvalidRecord) as refused:
        perform(world.session, complaint, "decide", {"action_kind": "none"}, actor=SYSTEM)
    assert set(refused.value.problems) == {"analysis"}
    with pytest.raises(sa.exc.IntegrityError), world.session.begin_nested():
        world.session.execute(sa.update(Complaint).where(Complaint.id == complaint.id).values(state=S.closed))


def test_what_is_done_is_written_down_unless_it_is_nothing(world: World) -> None:
    complaint = world.complaint(S.in_analysis)
    found = {"analysis": "La chiamata del 3 non ha avuto seguito."}
    with pytest.raises(ActionMissing):
        perform(world.session, complaint, "decide", {**found, "action_kind": "improvement"}, actor=SYSTEM)
    perform(world.session, complaint, "decide", {**found, "action_kind": "none"}, actor=SYSTEM)
    assert (complaint.state, complaint.action_kind) == (S.decided, ActionKind.none)
    assert complaint.decided_at is not None


def test_the_answer_goes_to_whoever_complained(world: World) -> None:
    complaint = world.complaint(S.decided, complainant="Ugo", email="ugo@altrove.example")
    perform(world.session, complaint, "answer", {"outcome": "Ce ne scusiamo."}, actor=SYSTEM)
    assert complaint.answered_at is not None
    assert mails(world, complaint) == [("complaint_answered", "ugo@altrove.example")]
    silent = world.complaint(S.decided)
    perform(world.session, silent, "answer", {"outcome": "Detto al telefono."}, actor=SYSTEM)
    assert (silent.state, mails(world, silent)) == (S.answered, [])


def test_a_call_becomes_a_complaint_of_its_ticket(world: World) -> None:
    ticket = world.ticket(T.in_progress)
    call = world.call(CallState.handled, ticket=ticket, caller_name="Ugo Bianchi")
    values = {"received_on": clock.today(), "description": "Troppo lento."}
    perform(world.session, call, "complain", values, actor=SYSTEM)
    perform(world.session, call, "complain", values, actor=SYSTEM)
    first, second = world.session.scalars(
        sa.select(Complaint).where(Complaint.call_id == call.id).order_by(Complaint.id)
    ).all()
    assert (first.ticket, second.ticket, first.complainant) == (ticket, None, "Ugo Bianchi")
    assert isinstance(first.call, Call)


def request_change(world: World, ticket: Ticket) -> ChangeRequest:
    values = {"kind": "correction", "subject": "Somma", "description": "Sommare bene", "reason": "Errore"}
    perform(world.session, ticket, "request_change", values, actor=SYSTEM)
    newest = sa.select(ChangeRequest).where(ChangeRequest.ticket_id == ticket.id).order_by(ChangeRequest.id.desc())
    return world.session.scalars(newest.limit(1)).one()


def test_a_ticket_waits_only_for_a_change_that_is_on_its_way(world: World) -> None:
    ticket = world.ticket(T.in_progress)
    with pytest.raises(ChangeMissing):
        perform(world.session, ticket, "wait_for_change", actor=SYSTEM)
    change = request_change(world, ticket)
    assert (change.number, change.company, change.state) == ("MO-1", world.company, ChangeState.proposed)
    perform(world.session, ticket, "wait_for_change", actor=SYSTEM)
    assert ticket.state is T.waiting_change


def test_a_release_lets_the_ticket_go_on(world: World) -> None:
    ticket = world.ticket(T.in_progress)
    change, other = request_change(world, ticket), request_change(world, ticket)
    perform(world.session, ticket, "wait_for_change", actor=SYSTEM)
    perform(world.session, change, "accept", {"decision_reason": "Accertato"}, actor=SYSTEM)
    perform(world.session, change, "start", actor=SYSTEM)
    perform(world.session, change, "release", {"release": "4.2"}, actor=SYSTEM)
    assert (change.state, change.release) == (ChangeState.released, "4.2")
    assert ticket.state is T.waiting_change  # the other one is still to be decided on
    perform(world.session, other, "decline", {"decision_reason": "Fuori contratto"}, actor=SYSTEM)
    assert (other.state, ticket.state) == (ChangeState.declined, T.in_progress)


def test_a_refusal_has_a_reason(world: World) -> None:
    change = world.change()
    for verb in ("accept", "decline"):
        with pytest.raises(InvalidRecord) as refused:
            perform(world.session, change, verb, actor=SYSTEM)
        assert set(refused.value.problems) == {"decision_reason"}


def test_a_change_stays_with_a_ticket_that_is_over(world: World) -> None:
    ticket = world.ticket(T.closed_final)
    change = request_change(world, ticket)
    perform(world.session, change, "decline", {"decision_reason": "Non serve più"}, actor=SYSTEM)
    assert (change.ticket, ticket.state) == (ticket, T.closed_final)
