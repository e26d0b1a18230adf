"""The ticket workspace: who comes in, what is said where, what is refused with the text kept, and how quiet it is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask

from backoffice.database import RecordSession, begin_writing
from backoffice.operations.clocks import fit
from models.outbox_mail import OutboxMail
from models.sla_policy import SlaPolicy
from models.staff import Staff
from models.ticket import AssistanceKind, Ticket
from models.ticket import TicketState as S
from models.ticket_message import Direction, TicketMessage, Visibility
from models.time_entry import TimeEntry
from tests.clients import DeskClient
from tests.operations.world import World
from tests.toolkit.managed import statements
from tests.visitors import Visitor

pytestmark = pytest.mark.databases("sqlite")
Person = Callable[[str], Visitor]


@pytest.fixture
def ticket(session: RecordSession, staff: Callable[[str], Staff]) -> Ticket:
    """A ticket in the hands of the operator, of a client with a contact, in a queue that works within packages."""
    operator, group_id = staff("operator1"), staff("administrator").group_id
    session.rollback()
    with begin_writing():
        world = World(session, group_id=group_id)
        world.queue.requires_package = world.queue.requires_time = True
        world.package("active", minutes=120)  # type: ignore[arg-type]
        for kind in ("answer", "close"):
            values = {"group_id": group_id, "name": f"Prova {kind}", "kind": kind, "target_minutes": 600}
            world.add(SlaPolicy(**values, queue=world.queue))
        # As a contract does, the ticket puts its company within the reach of the operator's team.
        found = world.ticket(
            S.in_progress, contact=world.contact, assignee_id=operator.id, assistance_kind=AssistanceKind.ordinary
        )
        found.team_id = session.scalars(sa.select(Ticket.team_id).where(Ticket.assignee_id == operator.id)).first()
        fit(session, found)
        session.commit()
    return found


def fresh(session: RecordSession, ticket: Ticket) -> Ticket:
    session.rollback()
    session.expire_all()
    return session.get_one(Ticket, ticket.id)


def said(session: RecordSession, ticket: Ticket) -> list[tuple[str, str]]:
    session.rollback()
    wanted = sa.select(TicketMessage.visibility, TicketMessage.body).where(TicketMessage.ticket_id == ticket.id)
    return [(str(visibility), body) for visibility, body in session.execute(wanted.order_by(TicketMessage.id))]


def mails(session: RecordSession, ticket: Ticket) -> list[str]:
    session.rollback()
    about = sa.and_(OutboxMail.cause_entity == "ticket", OutboxMail.cause_id == ticket.id)
    return list(session.scalars(sa.select(OutboxMail.template).where(about).order_by(OutboxMail.id)))


@pytest.mark.parametrize(
    ("role", "status"),
    [("operator1", 200), ("operator2", 200), ("secretariat", 200), ("contact_centre", 200), ("consultant", 200),
     ("sales", 403), ("quality", 403), ("management", 403)],
)  # fmt: skip
def test_who_works_on_tickets_comes_in(person: Person, role: str, status: int) -> None:
    visitor = person(role)
    for path in ("/support/", "/support/?show=all", "/support/queue"):
        assert visitor.get(path).status_code == status
    assert ('href="/backoffice/support/"' in visitor.get("/").text) is (status == 200)


def test_strangers_sign_in_first(desk_client: Callable[..., DeskClient]) -> None:
    answer = desk_client().get("/support/")
    assert answer.status_code == 302
    assert "/login/" in answer.location


def test_a_ticket_out_of_reach_is_not_there(person: Person, session: RecordSession, ticket: Ticket) -> None:
    with begin_writing():
        elsewhere = World(session).ticket(S.in_progress)
        session.commit()
    visitor = person("operator1")
    for path in (f"/support/{elsewhere.id}", f"/support/{elsewhere.id}/do/close", "/support/999999"):
        assert visitor.get(path).status_code == 404
    assert visitor.submit(f"/support/{elsewhere.id}/say", {"body": "Buongiorno"}).status_code == 404
    assert said(session, elsewhere) == []


@pytest.mark.parametrize("role", ["operator1", "operator2"])
def test_answers_go_to_the_client_and_notes_do_not(
    person: Person, session: RecordSession, ticket: Ticket, role: str
) -> None:
    visitor, path = person(role), f"/support/{ticket.id}"
    assert f"{path}/say" in visitor.get(path).text
    assert visitor.submit(f"{path}/say", {"body": "Buongiorno!", "kind": "answer"}).status_code == 303
    assert visitor.submit(f"{path}/say", {"body": "Chiamare il sistemista", "kind": "note"}).status_code == 303
    assert said(session, ticket) == [("public", "Buongiorno!"), ("internal", "Chiamare il sistemista")]
    assert mails(session, ticket) == ["ticket_message"]
    page = visitor.get(path).text
    assert 'class="said said-ours"' in page
    assert 'class="said said-note"' in page


def test_a_question_lets_the_ticket_wait(person: Person, session: RecordSession, ticket: Ticket) -> None:
    visitor = person("operator1")
    sent = {"body": "Quale computer?", "kind": "answer", "then": "wait"}
    assert visitor.submit(f"/support/{ticket.id}/say", sent).status_code == 303
    assert fresh(session, ticket).state is S.waiting_customer
    assert (said(session, ticket), mails(session, ticket)) == ([("public", "Quale computer?")], ["ticket_question"])


def test_an_answer_that_came_meanwhile_is_shown_before_one_sends(
    person: Person, session: RecordSession, ticket: Ticket
) -> None:
    visitor, path = person("operator1"), f"/support/{ticket.id}"
    seen = "0"
    with begin_writing():
        row = TicketMessage(ticket_id=ticket.id, body="Ho risolto da solo", visibility=Visibility.public)
        row.direction = Direction.incoming
        session.add(row)
        session.commit()
    answer = visitor.submit(f"{path}/say", {"body": "Provi a riavviare", "kind": "answer", "seen": seen})
    assert answer.status_code == 409
    assert "Nel frattempo è arrivato un messaggio" in answer.text
    assert "Ho risolto da solo" in answer.text
    assert ">Provi a riavviare</textarea>" in answer.text
    assert said(session, ticket) == [("public", "Ho risolto da solo")]
    assert visitor.submit(f"{path}/say", {"body": "Bene!", "kind": "answer", "seen": str(row.id)}).status_code == 303


def test_what_was_typed_to_a_ticket_that_was_closed_meanwhile_is_not_lost(
    person: Person, session: RecordSession, ticket: Ticket
) -> None:
    visitor = person("operator1")
    with begin_writing():
        ticket.state = S.archived
        session.commit()
    answer = visitor.submit(f"/support/{ticket.id}/say", {"body": "Provi a riavviare", "kind": "answer", "seen": "0"})
    assert answer.status_code in (403, 409)
    assert "Provi a riavviare" in answer.text
    assert 'role="alert"' in answer.text


@pytest.mark.parametrize("body", ["", "   ", "x" * 1_000_001])
def test_nothing_and_too_much_are_refused(person: Person, session: RecordSession, ticket: Ticket, body: str) -> None:
    answer = person("operator1").submit(f"/support/{ticket.id}/say", {"body": body, "kind": "answer"})
    assert answer.status_code in (400, 413, 422)
    assert said(session, ticket) == []


def test_markup_is_shown_as_text(person: Person, session: RecordSession, ticket: Ticket) -> None:
    visitor = person("operator1")
    visitor.submit(f"/support/{ticket.id}/say", {"body": "<script>alert(1)</script><b>x</b>", "kind": "note"})
    page = visitor.get(f"/support/{ticket.id}").text
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&lt;b&gt;x&lt;/b&gt;" in page


def test_time_is_entered_and_charged(person: Person, session: RecordSession, ticket: Ticket) -> None:
    visitor = person("operator1")
    sent = {"minutes": "0:45", "category": "ordinary", "activity": "Ripristino"}
    assert visitor.submit(f"/support/{ticket.id}/time", sent).status_code == 303
    session.rollback()
    entry = session.scalars(sa.select(TimeEntry).where(TimeEntry.ticket_id == ticket.id)).one()
    assert (entry.minutes, entry.charged_minutes, entry.activity) == (45, 45, "Ripristino")
    assert "1 h 15 min" in visitor.get(f"/support/{ticket.id}").text
    for wrong in ("25:00", "", "-5", "domani"):
        answer = visitor.submit(f"/support/{ticket.id}/time", sent | {"minutes": wrong})
        assert answer.status_code in (400, 422)
        assert 'value="Ripristino"' in answer.text
    session.rollback()
    assert len(session.scalars(sa.select(TimeEntry).where(TimeEntry.ticket_id == ticket.id)).all()) == 1


def test_a_step_is_refused_beside_what_was_typed(person: Person, session: RecordSession, ticket: Ticket) -> None:
    visitor, path = person("operator1"), f"/support/{ticket.id}/do/close"
    assert "Chiudi il ticket" in visitor.get(path).text
    version = {"version": str(fresh(session, ticket).version)}
    answer = visitor.submit(path, version | {"solution": "Rifatto da capo.", "closure_reason": "solved"})
    assert answer.status_code in (400, 409, 422)
    assert "registrare il tempo di lavoro" in answer.text
    assert "Rifatto da capo." in answer.text
    assert fresh(session, ticket).state is S.in_progress
    visitor.submit(f"/support/{ticket.id}/time", {"minutes": "0:30", "category": "ordinary", "activity": "Fatto"})
    version = {"version": str(fresh(session, ticket).version)}
    done = visitor.submit(path, version | {"solution": "Rifatto da capo.", "closure_reason": "solved"})
    assert done.status_code == 303
    assert fresh(session, ticket).state is S.closed_provisional


def test_several_are_taken_at_once_and_each_under_its_rules(
    person: Person, session: RecordSession, ticket: Ticket, staff: Callable[[str], Staff]
) -> None:
    me = staff("operator1").id
    with begin_writing():
        free = session.get_one(Ticket, ticket.id)
        free.state, free.assignee_id = S.qualification, None
        session.commit()
    visitor = person("operator1")
    assert 'name="key"' in visitor.get("/support/?show=free").text
    other = session.scalars(sa.select(Ticket.id).where(Ticket.state == S.in_progress, Ticket.assignee_id == me)).first()
    answer = visitor.submit("/support/bulk/take?show=free", {"key": [str(ticket.id), str(other), "999999"]})
    assert answer.status_code == 303
    assert (fresh(session, ticket).state, fresh(session, ticket).assignee_id) == (S.assigned, me)
    page = visitor.get("/support/").text
    assert "Affidati a te: 1." in page


def test_a_quiet_page_asks_with_one_statement(
    person: Person, session: RecordSession, ticket: Ticket, desk: Flask, desk_client: Callable[..., DeskClient]
) -> None:
    page = person("operator1").get("/support/").text
    poll = page.split('data-poll="')[1].split('"')[0].removeprefix("/backoffice")
    since = page.split('data-since="')[1].split('"')[0]
    client = desk_client("operator1")
    with statements(desk.extensions["engine"]) as seen:
        assert client.get(f"{poll}?since={since}").status_code == 204
    assert len([text for text in seen if text != "BEGIN"]) == 1
    assert person("operator1").submit(f"/support/{ticket.id}/say", {"body": "Nota", "kind": "note"}).status_code == 303
    answer = client.get(f"{poll}?since={since}")
    assert answer.status_code == 200
    assert client.get(f"{poll}?since={answer.json['since']}").status_code == 204
    assert client.get("/support-changes/altro?since=").status_code == 404


@pytest.mark.parametrize("path", ["/support/", "/support/?show=all", "/support/{ticket}", "/support/{ticket}/do/close"])
def test_a_page_takes_few_statements(
    ticket: Ticket, desk: Flask, desk_client: Callable[..., DeskClient], path: str
) -> None:
    client = desk_client("operator1")
    with statements(desk.extensions["engine"]) as seen:
        assert client.get(path.format(ticket=ticket.id)).status_code == 200
    seen = [text for text in seen if text != "BEGIN"]
    assert len(seen) <= 15, "\n".join(text[:150].replace("\n", " ") for text in seen)
