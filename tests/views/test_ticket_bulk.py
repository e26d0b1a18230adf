"""Several tickets at once: asked, confirmed, done one by one under their own rules, and reported (TK-12)."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from backoffice import clock
from backoffice.database import RecordSession, begin_writing
from models.history_entry import HistoryEntry
from models.outbox_mail import OutboxMail
from models.quick_reply import QuickReply
from models.setting import Setting
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
SOLVED = {"solution": "Certificato rifatto.", "closure_reason": "solved"}


@pytest.fixture
def several(session: RecordSession, staff: Callable[[str], Staff]) -> list[Ticket]:
    """Three tickets at work in a queue that asks for time: the first and third have time, the third has no type."""
    operator = staff("operator1")
    session.rollback()
    with begin_writing():
        world = World(session, group_id=operator.group_id)
        world.queue.requires_time = world.queue.requires_package = True
        made = [world.ticket(S.in_progress, contact=world.contact, subject=f"Guasto {n}") for n in range(1, 4)]
        made[2].request_type = None
        # As a contract does, a ticket puts its company within the reach of the operator's team.
        team = session.scalars(sa.select(Ticket.team_id).where(Ticket.assignee_id == operator.id)).first()
        for ticket in made:
            ticket.team_id = team
        for ticket in (made[0], made[1]):
            ticket.assistance_kind = AssistanceKind.extraordinary
        for ticket in (made[0], made[2]):
            entry = TimeEntry(ticket=ticket, category="ordinary", day=clock.today(), minutes=10, person=operator)
            world.add(entry)
        session.commit()
    return made


def keys(tickets: list[Ticket]) -> list[str]:
    return [str(ticket.id) for ticket in tickets]


def seen(answer: TestResponse) -> dict[str, str]:
    """Return what a page carries along of each ticket it shows."""
    return dict(re.findall(r'name="(seen-\d+)" value="([\d.]+)"', answer.text))


def ask(visitor: Visitor, name: str, chosen: list[str]) -> dict[str, Any]:
    """Open the form of a step and return what its page carries along."""
    answer = visitor.submit(f"/support/bulk/{name}", {"key": chosen})
    assert answer.status_code == 200
    return {"key": chosen, **seen(answer)}


def plain(answer: TestResponse) -> str:
    """Return the words of a page."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text.partition("<main")[2])).split())


def said(session: RecordSession, ticket: Ticket) -> list[tuple[str, str, str]]:
    session.rollback()
    wanted = sa.select(TicketMessage.visibility, TicketMessage.direction, TicketMessage.body)
    rows = session.execute(wanted.where(TicketMessage.ticket_id == ticket.id).order_by(TicketMessage.id))
    return [(visibility.value, direction.value, body) for visibility, direction, body in rows]


def mails(session: RecordSession, ticket: Ticket) -> list[str]:
    session.rollback()
    about = sa.and_(OutboxMail.cause_entity == "ticket", OutboxMail.cause_id == ticket.id)
    return list(session.scalars(sa.select(OutboxMail.template).where(about).order_by(OutboxMail.id)))


def fresh(session: RecordSession, ticket: Ticket) -> Ticket:
    session.rollback()
    session.expire_all()
    return session.get_one(Ticket, ticket.id)


def test_an_answer_to_several_has_the_words_of_each(
    person: Person, session: RecordSession, several: list[Ticket]
) -> None:
    visitor = person("operator1")
    carried = ask(visitor, "answer", keys(several)) | {"body": "Buongiorno {name}, {number} è quasi pronto."}
    shown = visitor.submit("/support/bulk/answer", carried | {"step": "check"})
    assert shown.status_code == 200
    assert "3 ticket" in plain(shown)
    assert f"Buongiorno Ada Rossi, {several[1].number} è quasi pronto." in plain(shown)
    assert [said(session, ticket) for ticket in several] == [[], [], []]
    done = visitor.submit("/support/bulk/answer", carried | seen(shown) | {"step": "do"})
    assert "Fatti: 3, non fatti: 0" in plain(done)
    for ticket in several:
        text = f"Buongiorno Ada Rossi, {ticket.number} è quasi pronto."
        assert said(session, ticket) == [("public", "outgoing", text)]
        assert mails(session, ticket) == ["ticket_message"]


def test_a_quick_reply_does_without_javascript(person: Person, session: RecordSession, several: list[Ticket]) -> None:
    with begin_writing():
        reply = QuickReply(name="Presa", group_id=several[0].group_id, body="{number}: ci pensa {me}.")
        session.add(reply)
        session.commit()
    visitor = person("operator1")
    carried = ask(visitor, "answer", keys(several[:2])) | {"body": "", "reply": str(reply.id)}
    assert "Presa" in visitor.submit("/support/bulk/answer", carried | {"step": "form"}).text
    visitor.submit("/support/bulk/answer", carried | {"step": "do"})
    assert said(session, several[1])[0][2].startswith(f"{several[1].number}: ci pensa ")
    assert said(session, several[2]) == []


@pytest.mark.parametrize(("body", "why"), [("", "Prima va scritto"), ("Gentile {nome}", "{nome}")])
def test_a_text_that_cannot_be_sent_is_kept(
    person: Person, session: RecordSession, several: list[Ticket], body: str, why: str
) -> None:
    visitor = person("operator1")
    for step in ("check", "do"):
        answer = visitor.submit(
            "/support/bulk/answer", ask(visitor, "answer", keys(several)) | {"body": body, "step": step}
        )
        assert answer.status_code == 422
        assert why in plain(answer)
        assert f">{html.escape(body)}</textarea>" in answer.text
    assert said(session, several[0]) == []


def test_where_a_word_is_missing_one_is_left_out(person: Person, session: RecordSession, several: list[Ticket]) -> None:
    with begin_writing():
        session.get_one(Ticket, several[1].id).contact_id = None
        session.commit()
    visitor = person("operator1")
    carried = ask(visitor, "answer", keys(several)) | {"body": "Gentile {name}"}
    assert "Non verrà fatto" in plain(visitor.submit("/support/bulk/answer", carried | {"step": "check"}))
    answer = visitor.submit("/support/bulk/answer", carried | {"step": "do"})
    assert "Fatti: 2, non fatti: 1" in plain(answer)
    assert [len(said(session, ticket)) for ticket in several] == [1, 0, 1]


def test_an_answer_to_several_may_wait_for_the_clients(
    person: Person, session: RecordSession, several: list[Ticket]
) -> None:
    with begin_writing():
        session.get_one(Ticket, several[1].id).state = S.assigned
        session.commit()
    visitor = person("operator1")
    carried = ask(visitor, "answer", keys(several)) | {"body": "{number}: quale versione?", "then": "wait"}
    form = visitor.submit("/support/bulk/answer", carried | {"step": "form"})
    assert '<option value="wait" selected>' in form.text
    shown = visitor.submit("/support/bulk/answer", carried | {"step": "check"})
    assert "poi attendi il cliente" in plain(shown)
    assert "Rispondi (2)" in plain(shown)
    # Chosen although it was foreseen that it cannot wait, one is reported and stays as it was.
    answer = visitor.submit("/support/bulk/answer", carried | {"step": "do"})
    assert "Fatti: 2, non fatti: 1" in plain(answer)
    states = [fresh(session, ticket).state for ticket in several]
    assert states == [S.waiting_customer, S.assigned, S.waiting_customer]
    asked = f"{several[0].number}: quale versione?"
    assert [said(session, ticket) for ticket in several[:2]] == [[("public", "outgoing", asked)], []]
    assert mails(session, several[0]) == ["ticket_question"]
    about = sa.and_(HistoryEntry.entity == "ticket", HistoryEntry.record_id == several[0].id)
    assert "ticket.ask_customer" in session.scalars(sa.select(HistoryEntry.event).where(about)).all()


def test_several_are_closed_by_the_gates_of_each(person: Person, session: RecordSession, several: list[Ticket]) -> None:
    visitor = person("operator1")
    kind = several[0].request_type_id
    given = SOLVED | {"request_type": str(kind), "assistance_kind": "ordinary"}
    carried = ask(visitor, "close", keys(several)) | given
    shown = visitor.submit("/support/bulk/close", carried | {"step": "check"})
    assert "registrare il tempo di lavoro" in plain(shown)
    assert "Chiudi i ticket (2)" in plain(shown)
    answer = visitor.submit("/support/bulk/close", carried | {"step": "do"})
    assert "Fatti: 2, non fatti: 1" in plain(answer)
    assert "registrare il tempo di lavoro" in plain(answer)
    states = [fresh(session, ticket).state for ticket in several]
    assert states == [S.closed_provisional, S.in_progress, S.closed_provisional]
    assert [mails(session, ticket) for ticket in several] == [["ticket_closed"], [], ["ticket_closed"]]
    last = fresh(session, several[2])
    assert (last.request_type_id, last.assistance_kind, last.solution) == (kind, "ordinary", SOLVED["solution"])
    assert fresh(session, several[0]).assistance_kind == "extraordinary"  # what it had stays
    about = sa.and_(HistoryEntry.entity == "ticket", HistoryEntry.record_id == several[0].id)
    assert "ticket.close" in session.scalars(sa.select(HistoryEntry.event).where(about)).all()


def test_what_is_missing_is_asked_beside_its_field(
    person: Person, session: RecordSession, several: list[Ticket]
) -> None:
    visitor = person("operator1")
    sent = ask(visitor, "close", keys(several)) | {"solution": "Rifatto.", "closure_reason": "", "step": "do"}
    answer = visitor.submit("/support/bulk/close", sent)
    assert answer.status_code == 422
    assert 'id="closure_reason-error"' in answer.text or "obbligatorio" in plain(answer)
    assert "Rifatto.</textarea>" in answer.text
    assert fresh(session, several[0]).state is S.in_progress


def test_what_somebody_changed_meanwhile_is_left_alone(
    person: Person, session: RecordSession, several: list[Ticket]
) -> None:
    visitor = person("operator1")
    carried = ask(visitor, "answer", keys(several)) | {"body": "Ci siamo quasi."}
    shown = visitor.submit("/support/bulk/answer", carried | {"step": "check"})
    with begin_writing():
        message = TicketMessage(ticket_id=several[0].id, body="Risolto da solo", visibility=Visibility.public)
        message.direction = Direction.incoming
        session.add(message)
        session.get_one(Ticket, several[1].id).subject = "Un altro guasto"
        session.commit()
    answer = visitor.submit("/support/bulk/answer", carried | seen(shown) | {"step": "do"})
    assert "Fatti: 1, non fatti: 2" in plain(answer)
    assert plain(answer).count("dopo che è stato scelto") == 2
    assert [len(said(session, ticket)) for ticket in several] == [1, 0, 1]
    # Sent twice, by a reload perhaps, it does nothing more.
    again = visitor.submit("/support/bulk/answer", carried | seen(shown) | {"step": "do"})
    assert "Fatti: 0, non fatti: 3" in plain(again)
    assert [len(said(session, ticket)) for ticket in several] == [1, 0, 1]


def test_several_are_assigned_to_a_colleague(
    person: Person, session: RecordSession, several: list[Ticket], staff: Callable[[str], Staff]
) -> None:
    colleague = staff("operator2")
    with begin_writing():
        for ticket in several[:2]:
            session.get_one(Ticket, ticket.id).state = S.qualification
        session.get_one(Ticket, several[1].id).request_type_id = None
        session.commit()
    visitor = person("operator1")
    carried = ask(visitor, "assign", keys(several)) | {"assignee": str(colleague.id), "assignee-text": str(colleague)}
    shown = visitor.submit("/support/bulk/assign", carried | {"step": "check"})
    assert str(colleague) in plain(shown)
    answer = visitor.submit("/support/bulk/assign", carried | {"step": "do"})
    assert "Fatti: 1, non fatti: 2" in plain(answer)
    one = fresh(session, several[0])
    assert (one.state, one.assignee_id) == (S.assigned, colleague.id)
    assert mails(session, several[0]) == ["ticket_assigned"]
    assert fresh(session, several[1]).state is S.qualification
    kind = str(one.request_type_id)
    carried = ask(visitor, "assign", keys(several[1:2])) | {"assignee": str(colleague.id), "request_type": kind}
    assert "Fatti: 1" in plain(visitor.submit("/support/bulk/assign", carried | {"step": "do"}))


def test_not_more_than_the_setting_says(person: Person, session: RecordSession, several: list[Ticket]) -> None:
    with begin_writing():
        session.add(Setting(key="bulk_tickets", value="2", group_id=several[0].group_id))
        session.commit()
    visitor = person("operator1")
    for step in ("", "check", "do"):
        sent = {"key": keys(several), "body": "Testo", "step": step}
        answer = visitor.submit("/support/bulk/answer", sent)
        assert answer.status_code == 422
        assert "Al massimo 2 ticket" in plain(answer)
    assert said(session, several[0]) == []


@pytest.mark.parametrize(
    ("role", "name", "status"),
    [("contact_centre", "answer", 200), ("contact_centre", "close", 403), ("contact_centre", "assign", 403),
     ("consultant", "close", 200), ("quality", "answer", 403), ("operator1", "delete", 404)],
)  # fmt: skip
def test_who_may(person: Person, several: list[Ticket], role: str, name: str, status: int) -> None:
    assert person(role).submit(f"/support/bulk/{name}", {"key": keys(several)}).status_code == status


def test_out_of_reach_is_not_there_and_none_is_none(
    person: Person, session: RecordSession, several: list[Ticket]
) -> None:
    visitor = person("consultant")  # of other companies
    answer = visitor.submit("/support/bulk/close", {"key": [*keys(several), "999999", "x"], **SOLVED, "step": "do"})
    assert "Fatti: 0, non fatti: 5" in plain(answer)
    assert several[0].number not in answer.text
    assert fresh(session, several[0]).state is S.in_progress
    assert visitor.submit("/support/bulk/close", {}).status_code == 303
    assert visitor.get("/support/bulk/close").status_code == 303


def test_whose_name_one_may_not_see_is_named_nowhere(
    person: Person, session: RecordSession, several: list[Ticket]
) -> None:
    with begin_writing():
        world = World(session, group_id=several[0].group_id)
        company = world.client(legal_name="Segreta S.r.l.")  # out of reach of the operator's teams
        hidden = world.ticket(S.in_progress, company=company, contact=None, request_type=None)
        hidden.due_at = clock.now() - timedelta(days=900)  # stands first
        session.commit()
    visitor, key = person("operator1"), str(hidden.id)
    queue = f"/support/queue?show=all&current={key}"
    pages = [visitor.get(path) for path in ("/support/?show=all", f"/support/{key}", queue)]
    pages.append(visitor.submit("/support/bulk/answer", {"key": [key], "body": "Per {company}", "step": "check"}))
    for page in pages:
        assert hidden.number in page.text
        assert "Segreta" not in page.text
    assert "Non verrà fatto" in plain(pages[-1])


def test_the_queue_offers_what_one_may(person: Person, several: list[Ticket]) -> None:
    page = person("operator1").get("/support/?show=all").text
    assert all(
        f'formaction="/backoffice/support/bulk/{name}?show=all"' in page for name in ("answer", "close", "assign")
    )
    centre = person("contact_centre").get("/support/?show=all").text
    assert "/support/bulk/answer" in centre
    assert "/support/bulk/close" not in centre


@pytest.mark.parametrize("name", ["answer", "close", "assign"])
def test_its_pages_take_few_statements(
    desk: Flask, desk_client: Callable[..., DeskClient], several: list[Ticket], staff: Callable[[str], Staff], name: str
) -> None:
    client = desk_client("operator1")
    values = SOLVED | {"body": "Testo {name}", "assignee": str(staff("operator2").id)}
    client.submit(f"/support/bulk/{name}", {"key": keys(several)})  # what is read once is read now
    for step in ("", "check"):
        with statements(desk.extensions["engine"]) as ran:
            sent = {"key": keys(several), "step": step, **values, "request_type": str(several[0].request_type_id)}
            assert client.submit(f"/support/bulk/{name}", sent).status_code == 200
        ran = [text for text in ran if not text.startswith("BEGIN")]
        assert len(ran) <= 15, "\n".join(text[:150].replace("\n", " ") for text in ran)
