"""Following tickets at the desk: whoever may see one, from the workspace or its record, and the part of the queue."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from backoffice.database import RecordSession, begin_writing
from models.outbox_mail import OutboxMail
from models.staff import Staff
from models.ticket import Ticket
from models.ticket import TicketState as S
from models.ticket_follower import TicketFollower
from models.ticket_message import TicketMessage
from tests.operations.world import World
from tests.visitors import Visitor

pytestmark = pytest.mark.databases("sqlite")
Person = Callable[[str], Visitor]


@pytest.fixture
def ticket(session: RecordSession, staff: Callable[[str], Staff]) -> Ticket:
    group_id = staff("operator1").group_id
    session.rollback()
    with begin_writing():
        made = World(session, group_id=group_id).ticket(S.in_progress, subject="Pratica da seguire")
        # As a contract does, a ticket puts its company within the reach of the operator's team.
        theirs = sa.select(Staff.id).where(Staff.username == "demo.operator1").scalar_subquery()
        made.team_id = session.scalars(sa.select(Ticket.team_id).where(Ticket.assignee_id == theirs)).first()
        session.commit()
    return made


def followers(session: RecordSession, ticket: Ticket) -> list[str]:
    session.rollback()
    wanted = sa.select(Staff.username).join(TicketFollower, TicketFollower.staff_id == Staff.id)
    return list(session.scalars(wanted.where(TicketFollower.ticket_id == ticket.id)))


def test_from_the_workspace_and_as_a_part_of_the_queue(person: Person, session: RecordSession, ticket: Ticket) -> None:
    visitor, path = person("operator1"), f"/support/follow/{ticket.id}"
    assert f'data-key-row="{ticket.id}"' not in visitor.get("/support/?show=followed").text
    answer = visitor.submit(f"{path}?show=all", {"follow": "1", "desk": "1"})
    assert (answer.status_code, answer.location) == (303, f"/backoffice/support/{ticket.id}?show=all")
    assert followers(session, ticket) == ["demo.operator1"]
    page = visitor.get(f"/support/{ticket.id}?show=followed").text
    assert f'data-key-row="{ticket.id}"' in page
    assert re.search(r'show=followed"[^>]*>Seguiti <span class="n">1<', page)
    assert "Non seguire più" in page
    assert visitor.submit(path, {"follow": "0", "desk": "1"}).status_code == 303
    assert followers(session, ticket) == []
    assert f'data-key-row="{ticket.id}"' not in visitor.get("/support/?show=followed").text


def test_another_one_follows_for_themselves_alone(person: Person, session: RecordSession, ticket: Ticket) -> None:
    person("operator1").submit(f"/support/follow/{ticket.id}", {"follow": "1", "desk": "1"})
    assert f'data-key-row="{ticket.id}"' not in person("operator2").get("/support/?show=followed").text
    person("operator2").submit(f"/support/follow/{ticket.id}", {"follow": "0", "desk": "1"})
    assert followers(session, ticket) == ["demo.operator1"]


def test_whoever_only_reads_follows_from_the_record(person: Person, session: RecordSession, ticket: Ticket) -> None:
    visitor, path = person("quality"), f"/support/follow/{ticket.id}"
    assert f'href="/backoffice{path}"' in visitor.get(f"/ticket/{ticket.id}").text
    assert f"Seguire {ticket.number}?" in visitor.get(path).text
    answer = visitor.submit(path, {"follow": "1"})
    assert (answer.status_code, answer.location) == (303, f"/backoffice/ticket/{ticket.id}")
    assert followers(session, ticket) == ["demo.quality"]
    assert f"Non seguire più {ticket.number}?" in visitor.get(path).text


def test_out_of_reach_is_not_there(person: Person, session: RecordSession, ticket: Ticket) -> None:
    visitor = person("consultant")
    for path in (f"/support/follow/{ticket.id}", "/support/follow/999999", "/support/follow/x"):
        assert visitor.get(path).status_code == 404
        assert visitor.submit(path, {"follow": "1"}).status_code == 404
    assert followers(session, ticket) == []


def test_the_next_step_leads_to_the_first_ticket_that_waits_for_us(
    person: Person, session: RecordSession, ticket: Ticket
) -> None:
    page = person("operator1").get("/support/?show=all").text
    found = re.search(r'class="queue-next".*?href="([^"]+)"', page, re.DOTALL)
    assert found is not None
    first = re.search(r"/support/(\d+)/do/(\w+)", found[1])
    assert first is not None
    state = session.scalars(sa.select(Ticket.state).where(Ticket.id == int(first[1]))).one()
    usual = {S.qualification: "assign", S.assigned: "take_charge", S.in_progress: "close", S.reopened: "take_charge"}
    assert usual[state] == first[2]


def test_the_page_knows_whether_its_ticket_has_changed(person: Person, session: RecordSession, ticket: Ticket) -> None:
    def hand(path: str) -> str:
        found = re.search(r'data-hand="([^"]*)"', visitor.get(path).text)
        assert found is not None
        return found[1]

    visitor, path = person("operator1"), f"/support/{ticket.id}"
    before = hand(path)
    assert hand(f"/support/queue?current={ticket.id}") == before
    with begin_writing():
        World(session, group_id=ticket.group_id).ticket(S.qualification)  # another one
        session.commit()
    assert hand(f"/support/queue?current={ticket.id}") == before
    visitor.submit(f"{path}/say", {"body": "Nota", "kind": "note"})
    assert hand(f"/support/queue?current={ticket.id}") not in ("", before)


def test_before_staff_open_another_the_open_ones_are_shown(
    person: Person, session: RecordSession, ticket: Ticket
) -> None:
    visitor = person("operator1")
    typed = {
        "queue": str(ticket.queue_id), "company": str(ticket.company_id), "subject": "Seguire la pratica",
        "description": "Ha chiamato di nuovo.", "priority": "normal", "channel": "phone",
    }  # fmt: skip
    count = sa.select(sa.func.count()).select_from(Ticket)
    before = session.scalar(count)
    asked = visitor.submit("/ticket/new", typed)
    assert asked.status_code == 200
    assert "È uno dei ticket aperti del cliente?" in asked.text
    assert f'formaction="/backoffice/support/join/{ticket.id}"' in asked.text
    assert 'value="Seguire la pratica"' in asked.text
    session.rollback()
    assert session.scalar(count) == before
    answer = visitor.submit(f"/support/join/{ticket.id}", typed)
    assert (answer.status_code, answer.location) == (303, f"/backoffice/support/{ticket.id}")
    session.rollback()
    said = session.scalars(sa.select(TicketMessage).where(TicketMessage.ticket_id == ticket.id)).one()
    assert (said.body, said.direction, said.channel) == (
        "Seguire la pratica\n\nHa chiamato di nuovo.", "incoming", "phone",
    )  # fmt: skip
    assert visitor.submit("/ticket/new", typed | {"asked": "1"}).status_code == 303
    session.rollback()
    assert session.scalar(count) == (before or 0) + 1


def test_nobody_adds_to_what_they_may_not_see(person: Person, session: RecordSession, ticket: Ticket) -> None:
    typed = {"subject": "Ciao", "description": "Prova"}
    assert person("consultant").submit(f"/support/join/{ticket.id}", typed).status_code == 404
    assert person("quality").submit(f"/support/join/{ticket.id}", typed).status_code == 403
    session.rollback()
    assert session.scalars(sa.select(TicketMessage).where(TicketMessage.ticket_id == ticket.id)).all() == []


def test_a_follower_is_told_of_a_new_state_in_their_language(
    person: Person, session: RecordSession, ticket: Ticket, staff: Callable[[str], Staff]
) -> None:
    person("quality").submit(f"/support/follow/{ticket.id}", {"follow": "1"})
    address = staff("quality").email
    session.rollback()
    client = person("operator1")
    client.get("/language/en")
    version = session.scalars(sa.select(Ticket.version).where(Ticket.id == ticket.id)).one()
    session.rollback()
    asked = {"version": str(version), "body": "Ci serve il numero della pratica."}
    assert client.submit(f"/support/{ticket.id}/do/ask_customer", asked).status_code == 303
    session.rollback()  # naming the ticket has begun to read, from before it was told
    mail = session.scalars(sa.select(OutboxMail).where(OutboxMail.template == "ticket_followed_state")).one()
    assert (mail.recipient, mail.arguments["state"]) == (address, "Attende il cliente")
    assert mail.subject.startswith(f"[{ticket.number}] Attende il cliente")


def test_what_lies_around_a_ticket_is_there_however_much_of_it(
    person: Person, session: RecordSession, ticket: Ticket
) -> None:
    """Each kind by itself: many changes push no call aside, and the newest five of a kind are shown."""
    with begin_writing():
        world = World(session, group_id=ticket.group_id)
        busy = world.ticket(S.in_progress, team_id=ticket.team_id)
        calls = [world.call(ticket=busy) for _number in range(5)]
        complaint = world.complaint(ticket=busy)
        for _number in range(60):
            last = world.change(ticket=busy)
        session.commit()
    page = person("operator1").get(f"/support/{busy.id}?show=all").text
    shown = [set(re.findall(f'href="[^"]*/{kind}/([0-9]+)"', page)) for kind in ("call", "complaint", "change_request")]
    assert shown[0] >= {str(call.id) for call in calls}
    assert (shown[1], len(shown[2]), str(last.id) in shown[2]) == ({str(complaint.id)}, 5, True)
