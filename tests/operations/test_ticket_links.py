"""Tickets merged and split without losing a message, colleagues called by a note, quick replies (TK-09, TK-32)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from backoffice.actors import SYSTEM
from backoffice.database import RecordSession, begin_writing
from backoffice.errors import DomainError, InvalidRecord
from backoffice.files.store import FolderStore
from backoffice.operations.attachments import attach_file
from backoffice.operations.plain import create_record
from backoffice.operations.quick_replies import fill
from backoffice.operations.ticket_links import NotIntoItself, NotOpenToMerge, split_off
from backoffice.operations.verbs import perform
from models.attachment import Attachment
from models.outbox_mail import OutboxMail
from models.quick_reply import QuickReply
from models.staff import Staff
from models.ticket import ClosureReason, Ticket, TicketState
from models.ticket_message import Direction, TicketMessage, Visibility
from models.time_entry import TimeEntry
from tests.attachments.test_pictures import picture
from tests.operations.world import World, day
from tests.visitors import Visitor

pytestmark = pytest.mark.databases("postgresql", "sqlite", long=("sqlite",))


def said(session: RecordSession, ticket: Ticket) -> list[str]:
    wanted = sa.select(TicketMessage.body).where(TicketMessage.ticket_id == ticket.id).order_by(TicketMessage.id)
    return list(session.scalars(wanted))


def test_a_merged_ticket_loses_nothing(session: RecordSession, tmp_path: Path) -> None:
    world = World(session)
    kept, dropped = world.ticket(TicketState.in_progress), world.ticket(TicketState.in_progress)
    for ticket, body in ((kept, "Prima"), (dropped, "Seconda")):
        create_record(session, TicketMessage, {"ticket": ticket.id, "body": body}, actor=SYSTEM)
    store = FolderStore(tmp_path)
    attach_file(session, dropped, "errore.png", picture("PNG"), store=store, limit_mb=5, actor=SYSTEM)
    person = session.scalars(sa.select(Staff.id)).first()
    worked = {"ticket": dropped.id, "category": "ordinary", "day": day(0), "minutes": 30, "person": person}
    create_record(session, TimeEntry, worked, actor=SYSTEM)
    perform(session, dropped, "merge", {"linked_ticket": kept}, actor=SYSTEM)
    assert (dropped.state, dropped.closure_reason) == (TicketState.rejected, ClosureReason.duplicate)
    assert (said(session, dropped), said(session, kept)[:2]) == ([], ["Prima", "Seconda"])
    assert said(session, kept)[2].startswith(f"[{dropped.number}] {dropped.subject}")
    assert session.scalars(sa.select(Attachment.name).where(Attachment.ticket_id == kept.id)).all() == ["errore.png"]
    assert session.scalars(sa.select(TimeEntry.minutes).where(TimeEntry.ticket_id == kept.id)).all() == [30]


@pytest.mark.parametrize(
    ("into", "refusal"), [("itself", NotIntoItself), ("closed", NotOpenToMerge), ("another client's", InvalidRecord)]
)
def test_not_into_any_ticket(session: RecordSession, into: str, refusal: type[DomainError]) -> None:
    world = World(session)
    ticket = world.ticket(TicketState.in_progress)
    other = {
        "itself": ticket,
        "closed": world.ticket(TicketState.closed_final),
        "another client's": world.ticket(TicketState.in_progress, company=world.client()),
    }[into]
    with pytest.raises(refusal):
        perform(session, ticket, "merge", {"linked_ticket": other}, actor=SYSTEM)


def test_a_message_becomes_a_ticket_and_stays_where_it_is(session: RecordSession) -> None:
    world = World(session)
    ticket = world.ticket(TicketState.in_progress, contact=world.contact)
    values = {"ticket": ticket.id, "body": "E poi\nanche la stampante", "visibility": "public", "direction": "incoming"}
    message = create_record(session, TicketMessage, values, actor=SYSTEM)
    made = split_off(session, message, actor=SYSTEM)  # type: ignore[arg-type]
    assert (made.subject, made.description) == ("E poi anche la stampante", "E poi\nanche la stampante")
    assert (made.linked_ticket, made.company, made.contact) == (ticket, world.company, world.contact)
    assert said(session, ticket)[0] == "E poi\nanche la stampante"
    assert made.number in said(session, ticket)[1]


def test_a_note_calls_the_colleagues_it_names_and_an_answer_does_not(session: RecordSession) -> None:
    group_id, name, address = session.execute(
        sa.select(Staff.group_id, Staff.username, Staff.email).where(Staff.username == "demo.operator1")
    ).one()
    ticket = World(session, group_id=group_id).ticket(TicketState.in_progress)
    body = f"@{name}, puoi guardare? scrivi a x@{name} o @nessuno."
    called = sa.select(OutboxMail.recipient).where(OutboxMail.template == "ticket_mention")
    for visibility, expected in (("public", []), ("internal", [address])):
        create_record(
            session, TicketMessage, {"ticket": ticket.id, "body": body, "visibility": visibility}, actor=SYSTEM
        )
        assert session.scalars(called).all() == expected


@pytest.mark.parametrize(
    ("body", "status"), [("Gentile {name}", 303), ("{Nome}", 422), ("{ }", 422), ("{}", 422), ("tra { e }", 422)]
)
def test_placeholders_are_known(admin: Visitor, body: str, status: int) -> None:
    answer = admin.submit("/quick_reply/new", {"name": "Saluto", "body": body, "active": "y"})
    assert answer.status_code == status
    assert ("non sta per nulla" in answer.text) is (status == 422)


def test_what_is_filled_in_is_not_filled_in_again() -> None:
    words = {"name": "{me}", "me": "io", "subject": "{name}"}
    assert fill("{name}: {subject} {altro}", words) == "{me}: {name} {altro}"


def test_the_workspace_offers_both(
    session: RecordSession, person: Callable[[str], Visitor], staff: Callable[[str], Staff]
) -> None:
    group_id = staff("administrator").group_id
    session.rollback()
    with begin_writing():
        world = World(session, group_id=group_id)
        ticket = world.ticket(TicketState.in_progress, contact=world.contact)
        row = TicketMessage(ticket=ticket, body="Ancora una cosa", visibility=Visibility.public)
        row.direction = Direction.incoming
        session.add(row)
        session.add(QuickReply(group_id=group_id, name="Saluto", body="Gentile {name}, {number}: {me}"))
        session.commit()
    key, message, number = ticket.id, row.id, ticket.number
    visitor = person("secretariat")
    page = visitor.get(f"/support/{key}").text
    assert f'value="Gentile Ada Rossi, {number}:' in page
    answer = visitor.submit(f"/support/{key}/split/{message}", {})
    assert answer.status_code == 303
    assert visitor.submit(f"/support/{key}/split/999999", {}).status_code == 404
    session.rollback()
    made = session.scalars(sa.select(Ticket).where(Ticket.linked_ticket_id == key)).one()
    assert made.subject == "Ancora una cosa"
