"""The call screen: who is recognised, what is kept while one types, what one click makes of it, and how quiet it is."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from flask import Flask

from backoffice.database import RecordSession, begin_writing
from bench.watching import full_scans, watched
from models.call import Call, CallState
from models.complaint import Complaint
from models.contact import Contact
from models.site import Site
from models.staff import Staff
from models.ticket import Ticket
from models.ticket import TicketState as T
from tests.clients import DeskClient
from tests.operations.world import World
from tests.visitors import Visitor

pytestmark = pytest.mark.databases("sqlite")
Person = Callable[[str], Visitor]
MOST = 15


@dataclass
class Client:
    """A client with two people, a site, an open ticket and a note."""

    company: int
    contact: int
    ticket: int
    queue: int
    kind: int


@pytest.fixture
def client(session: RecordSession, staff: Callable[[str], Staff]) -> Client:
    group_id = staff("administrator").group_id
    session.rollback()
    with begin_writing():
        world = World(session, group_id=group_id)
        world.contact.mobile, world.company.notes = "+393331234567", "Chiedere sempre di Ada."
        shared = {"company": world.company, "phone": "+390461555555"}
        world.add(Contact(first_name="Bice", last_name="Verdi", **shared))
        world.add(Contact(first_name="Carlo", last_name="Neri", **shared))
        world.add(Site(company=world.company, name="Magazzino", phone="+390461777777"))
        ticket = world.ticket(T.in_progress, subject="Il registro non si apre", contact=world.contact)
        session.commit()
    return Client(world.company.id, world.contact.id, ticket.id, world.queue.id, world.type.id)


def values(text: str) -> dict[str, str]:
    """Return what stands in the form of a page, by name."""
    found = {}
    for tag in re.findall(r"<input[^>]*>", text):
        name, value = re.search(r' name="([^"]+)"', tag), re.search(r' value="([^"]*)"', tag)
        if name and 'type="checkbox"' not in tag:
            found[name[1]] = html.unescape(value[1]) if value else ""
    for name, inside in re.findall(r'<select[^>]* name="([^"]+)"[^>]*>(.*?)</select>', text, re.DOTALL):
        chosen = re.search(r'<option[^>]*value="([^"]*)"[^>]* selected', inside) or re.search(
            r'<option[^>]* selected[^>]*value="([^"]*)"', inside
        )
        found[name] = chosen[1] if chosen else ""
    for name, inside in re.findall(r'<textarea[^>]* name="([^"]+)"[^>]*>(.*?)</textarea>', text, re.DOTALL):
        found[name] = html.unescape(inside).removeprefix("\r\n")
    return {name: value for name, value in found.items() if name != "csrf_token"}


def newest(session: RecordSession) -> Call:
    session.rollback()
    session.expire_all()
    return session.scalars(sa.select(Call).order_by(Call.id.desc()).limit(1)).one()


def count(session: RecordSession) -> int:
    session.rollback()
    return session.scalar(sa.select(sa.func.count()).select_from(Call)) or 0


@pytest.mark.parametrize(
    ("role", "status"),
    [("contact_centre", 200), ("operator1", 200), ("secretariat", 200), ("administrator", 200),
     ("operator2", 403), ("sales", 403), ("management", 403)],
)  # fmt: skip
def test_who_takes_calls_comes_in(person: Person, role: str, status: int) -> None:
    visitor = person(role)
    assert visitor.get("/take-call/").status_code == status
    assert ('href="/backoffice/take-call/"' in visitor.get("/").text) is (status == 200)
    if status == 403:
        assert visitor.submit("/take-call/", {"then": "close"}).status_code == 403


def test_strangers_sign_in_first(desk_client: Callable[..., DeskClient]) -> None:
    assert "/login/" in desk_client().get("/take-call/").location


@pytest.mark.parametrize("number", ["333 1234567", "%2B39 333 1234567", "0039 333 1234567"])
def test_a_number_says_who_is_calling(person: Person, client: Client, number: str) -> None:
    page = person("contact_centre").get(f"/take-call/?number={number}").text
    assert "Ada Rossi" in page
    assert "Chiedere sempre di Ada." in page
    assert "Il registro non si apre" in page
    stands = values(page)
    assert (stands["company"], stands["contact"]) == (str(client.company), str(client.contact))
    assert stands["recognised"] == "+393331234567"


def test_several_people_of_one_number_are_offered(person: Person, client: Client) -> None:
    visitor = person("contact_centre")
    page = visitor.get("/take-call/?number=0461 555555").text
    assert ("Bice Verdi" in page, "Carlo Neri" in page, values(page)["company"]) == (True, True, "")
    key = re.search(r'name="caller" value="(contact-\d+)"[^>]*>(?:(?!</button>).)*Carlo Neri', page)
    assert key is not None
    sent = values(page) | {"description": "Non stampa.", "caller": key[1]}
    chosen = values(visitor.submit("/take-call/", sent).text)
    assert (chosen["company"], chosen["description"]) == (str(client.company), "Non stampa.")
    assert f"contact-{chosen['contact']}" == key[1]


def test_a_switchboard_and_a_site_lead_to_the_company(person: Person, client: Client) -> None:
    visitor = person("contact_centre")
    page = visitor.get("/take-call/?number=0461 777777").text
    assert "Magazzino" in page
    assert (values(page)["company"], values(page)["contact"]) == (str(client.company), "")


def test_an_unknown_number_is_a_stranger(person: Person) -> None:
    page = person("contact_centre").get("/take-call/?number=0270000001").text
    assert "Nessuno è conosciuto con questo numero" in page
    assert values(page)["company"] == ""


def test_whoever_is_out_of_reach_is_not_recognised(person: Person, client: Client) -> None:
    page = person("operator1").get("/take-call/?number=333 1234567").text
    assert "Ada Rossi" not in page
    assert "Comune di Prova" not in page


def test_what_is_no_number_is_said_beside_it(person: Person, client: Client) -> None:
    page = person("contact_centre").submit("/take-call/", {"caller_phone": "boh", "description": "Non stampa."}).text
    assert 'id="caller_phone-error"' in page
    assert (values(page)["caller_phone"], values(page)["description"]) == ("boh", "Non stampa.")


def test_a_number_typed_later_recognises_and_keeps_what_was_typed(
    person: Person, client: Client, session: RecordSession
) -> None:
    before, visitor = count(session), person("contact_centre")
    sent = {"caller_phone": "3331234567", "description": "Non stampa.", "urgency": "high", "then": "look"}
    stands = values(visitor.submit("/take-call/", sent | {"request_type": str(client.kind)}).text)
    assert (stands["contact"], stands["description"]) == (str(client.contact), "Non stampa.")
    assert (stands["urgency"], stands["request_type"]) == ("high", str(client.kind))
    assert count(session) == before


def test_one_click_makes_a_ticket_of_what_was_typed_once(
    person: Person, client: Client, session: RecordSession
) -> None:
    visitor = person("contact_centre")
    sent = values(visitor.get("/take-call/?number=3331234567").text) | {
        "description": "Non stampa più niente.", "request_type": str(client.kind), "urgency": "high",
        "queue": str(client.queue), "then": "ticket",
    }  # fmt: skip
    answer = visitor.submit("/take-call/", sent)
    assert (answer.status_code, answer.location) == (303, "/backoffice/take-call/")
    call = newest(session)
    ticket = call.ticket
    assert ticket is not None
    assert (call.state, call.caller_phone, call.operator) == (CallState.handled, "+393331234567", visitor.client.staff)
    assert (ticket.company_id, ticket.contact_id, ticket.priority) == (client.company, client.contact, "high")
    assert (ticket.subject, ticket.request_type_id) == ("Non stampa più niente.", client.kind)
    assert f'href="/backoffice/ticket/{ticket.id}">{ticket.number}</a>' in visitor.get("/take-call/").text


def test_one_click_adds_the_call_to_an_open_ticket(person: Person, client: Client, session: RecordSession) -> None:
    visitor = person("contact_centre")
    page = visitor.get("/take-call/?number=3331234567").text
    assert f'name="join" value="{client.ticket}"' in page
    sent = values(page) | {
        "description": "A che punto siamo?", "request_type": str(client.kind), "urgency": "low",
        "join": str(client.ticket),
    }  # fmt: skip
    assert visitor.submit("/take-call/", sent).status_code == 303
    assert newest(session).ticket_id == client.ticket
    assert "A che punto siamo?" in visitor.get(f"/support/{client.ticket}").text


def test_what_is_missing_is_said_and_nothing_is_kept(person: Person, client: Client, session: RecordSession) -> None:
    before, visitor = count(session), person("contact_centre")
    answer = visitor.submit("/take-call/", {"description": "Non stampa.", "then": "ticket"})
    assert answer.status_code == 422
    for name in ("request_type", "urgency"):
        assert f'id="{name}-error"' in answer.text
    assert values(answer.text)["description"] == "Non stampa."
    sent = {"description": "Non stampa.", "request_type": str(client.kind), "urgency": "low", "then": "join"}
    assert 'id="ticket-error"' in visitor.submit("/take-call/", sent).text
    assert count(session) == before


def test_a_message_waits_in_the_list_and_is_gone_on_with(
    person: Person, client: Client, session: RecordSession
) -> None:
    visitor = person("contact_centre")
    sent = {"caller_phone": "3331234567", "description": "Richiamatemi.", "then": "voicemail"}
    assert visitor.submit("/take-call/", sent).status_code == 303
    call = newest(session)
    assert call.state is CallState.callback_due
    listed = visitor.get("/call/?f=state:in:voicemail,callback_due&f=caller_phone:is:3331234567").text
    assert f'data-url="/backoffice/call/{call.id}"' in listed
    path = f"/take-call/{call.id}"
    page = visitor.get(path).text
    stands = values(page)
    assert (stands["description"], stands["contact"]) == ("Richiamatemi.", str(client.contact))
    assert visitor.submit(path, stands | {"then": "unreached"}).status_code == 303
    assert newest(session).callback_attempts == 1
    assert visitor.submit(path, stands | {"then": "unreached"}).status_code == 409  # somebody tried meanwhile
    reached = values(visitor.get(path).text) | {"request_type": str(client.kind), "urgency": "low", "then": "close"}
    assert visitor.submit(path, reached).status_code == 303
    assert newest(session).state is CallState.closed
    assert visitor.get(path).status_code == 404


def test_a_call_about_the_ticket_in_hand_knows_whose_it_is(person: Person, client: Client) -> None:
    visitor = person("contact_centre")
    assert f'href="/backoffice/take-call/?ticket={client.ticket}"' in visitor.get(f"/support/{client.ticket}").text
    stands = values(visitor.get(f"/take-call/?ticket={client.ticket}").text)
    assert (stands["ticket"], stands["company"]) == (str(client.ticket), str(client.company))


@pytest.mark.parametrize(
    "nonsense", ["?number=x&company=9999999999&contact=-1&ticket=a", "?company=99999999", "?number=%00"]
)
def test_addresses_that_make_no_sense_show_an_empty_screen(person: Person, nonsense: str) -> None:
    assert person("contact_centre").get(f"/take-call/{nonsense}").status_code == 200


def test_a_complaint_is_recorded_from_the_ticket_page(person: Person, client: Client, session: RecordSession) -> None:
    visitor = person("contact_centre")
    path = f"/support/{client.ticket}/do/complain"
    assert path in visitor.get(f"/support/{client.ticket}").text
    stands = values(visitor.get(path).text)
    assert stands["description"] == "Da stamattina non funziona niente."
    assert visitor.submit(path, stands).status_code == 303
    session.rollback()
    complaint = session.scalars(sa.select(Complaint).where(Complaint.ticket_id == client.ticket)).one()
    page = visitor.get(f"/support/{client.ticket}").text
    assert f'href="/backoffice/complaint/{complaint.id}">{complaint.number}</a>' in page


def test_no_page_needs_many_statements(person: Person, client: Client, desk: Flask, session: RecordSession) -> None:
    visitor, engine = person("contact_centre"), desk.extensions["engine"]
    session.rollback()
    paths = ("/take-call/", "/take-call/?number=3331234567", f"/take-call/?ticket={client.ticket}",
             f"/support/{client.ticket}", f"/support/{client.ticket}/do/complain")  # fmt: skip
    for path in paths:
        with watched(engine) as seen:
            assert visitor.get(path).status_code == 200
        assert len(seen) <= MOST, (path, len(seen), [text[:160] for text, _values in seen])
        scanned = full_scans(
            engine, [one for one in seen if "caller_phone =" in one[0] or ".phone =" in one[0]], TABLES
        )
        assert not scanned, scanned


TABLES = {"contact", "company", "call"}


def test_the_ticket_page_opens_with_the_rights_of_each(person: Person, client: Client) -> None:
    """Operators of the second level see changes and no complaints."""
    page = person("operator2").get(f"/support/{client.ticket}").text
    assert "do/request_change" in page
    assert "do/complain" not in page


def test_a_ticket_is_never_made_without_the_right(
    person: Person, client: Client, session: RecordSession, staff: Callable[[str], Staff]
) -> None:
    """Sales may open tickets and take no calls; a call they cannot write makes none either."""
    before = session.scalar(sa.select(sa.func.count()).select_from(Ticket))
    session.rollback()
    sent = {"description": "Prova", "request_type": str(client.kind), "urgency": "low", "then": "ticket"}
    assert person("sales").submit("/take-call/", sent).status_code == 403
    assert session.scalar(sa.select(sa.func.count()).select_from(Ticket)) == before
