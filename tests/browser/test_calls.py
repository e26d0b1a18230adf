"""An operator on the telephone, in a real browser and by keyboard.

A call becomes a ticket, a second one joins it, and a complaint is recorded from the ticket.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from backoffice.database import RecordSession, begin_writing
from models.call import Call
from models.complaint import Complaint
from models.emergency_script import EmergencyScript
from models.request_type import RequestType
from models.staff import Staff
from models.support_queue import SupportQueue
from models.ticket import Ticket
from tests.browser.keys import press
from tests.clients import DESK
from tests.operations.world import World

pytestmark = pytest.mark.databases("sqlite")
NUMBER = "333 1234567"


@pytest.fixture
def queue(session: RecordSession, staff: Callable[[str], Staff]) -> str:
    """The queue of a client whose contact has a mobile telephone; returns what people call it."""
    group_id = staff("contact_centre").group_id
    session.rollback()
    with begin_writing():
        world = World(session, group_id=group_id)
        world.contact.mobile = "+393331234567"
        session.commit()
        return str(world.queue)


def newest(session: RecordSession) -> Call:
    session.rollback()
    session.expire_all()
    return session.scalars(sa.select(Call).order_by(Call.id.desc()).limit(1)).one()


@contextmanager
def sent(page: Page, status: int = 303) -> Iterator[None]:
    """Wait until the form that is sent meanwhile was answered so, and the page that follows is there."""
    with page.expect_response(lambda answer: answer.request.method == "POST") as answered:
        yield
    assert answered.value.status == status
    page.wait_for_load_state()


def test_two_calls_and_a_complaint(queue: str, desk_page: Callable[[str], Page], session: RecordSession) -> None:
    reminder = session.scalars(sa.select(RequestType.id).where(RequestType.code == "SOLLECITO")).first()
    session.rollback()
    page = desk_page("contact_centre")
    page.goto(f"{DESK}/support/")
    press(page, "p")

    # The number is where one types, and what it says stands there before anything else is typed.
    page.wait_for_url("**/take-call/**")
    expect(page.locator("#caller_phone")).to_be_focused()
    page.keyboard.type(NUMBER)
    with sent(page, 200):
        press(page, "Enter")
    expect(page.locator(".caller[aria-current]")).to_contain_text("Ada Rossi")
    expect(page.locator("#company")).to_have_value("Comune di Prova")
    expect(page.locator("#description")).to_be_focused()
    page.keyboard.type("Da stamattina la stampante non risponde.")
    page.select_option("#request_type", label="Guasto o manutenzione correttiva")
    page.select_option("#urgency", "high")
    page.select_option("#queue", label=queue)
    with sent(page):
        press(page, "Control+Enter")
    expect(page.locator("main [role=status]").first).to_contain_text("è nato il ticket")
    call = newest(session)
    assert call.ticket is not None
    key, number = call.ticket.id, call.ticket.number

    # The telephone system opens the screen with the number; the ticket is there to be joined.
    page.goto(f"{DESK}/take-call/?number=%2B393331234567")
    page.locator("#description").fill("Nessuno mi ha ancora richiamato, è una vergogna.")
    page.select_option("#request_type", str(reminder))
    page.select_option("#urgency", "high")
    with sent(page):
        page.get_by_role("button", name=f"Aggiungi la chiamata a {number}").click()
    expect(page.locator("main [role=status]").first).to_contain_text(f"aggiunta a {number}")
    ticket = session.get_one(Ticket, key)
    session.refresh(ticket)
    assert (newest(session).ticket_id, ticket.reminder_count) == (key, 1)

    # From the ticket it is one step to a complaint, with what the client said last.
    page.goto(f"{DESK}/support/{key}?show=all")
    expect(page.locator(".said-theirs").last).to_contain_text("è una vergogna")
    page.get_by_role("link", name="Registra un reclamo").click()
    expect(page.locator("#next [name=description]")).to_have_value("Nessuno mi ha ancora richiamato, è una vergogna.")
    page.locator("#next button[type=submit]").click()
    expect(page.locator("#next")).to_have_count(0)
    session.rollback()
    complaint = session.scalars(sa.select(Complaint).where(Complaint.ticket_id == key)).one()
    expect(page.locator("main")).to_contain_text(complaint.number)
    assert complaint.company_id == ticket.company_id


def test_an_emergency_is_told_before_it_is_kept(
    queue: str, desk_page: Callable[[str], Page], session: RecordSession
) -> None:
    session.rollback()
    with begin_writing():
        row = next(row for row in session.scalars(sa.select(SupportQueue)) if str(row) == queue)
        session.add(EmergencyScript(queue=row, group_id=row.group_id, text="Chiami subito il 112."))
        session.commit()
    page = desk_page("contact_centre")
    page.goto(f"{DESK}/take-call/")
    page.locator("#description").fill("Il palo è caduto sulla strada.")
    page.select_option("#request_type", label="Guasto o manutenzione correttiva")
    page.select_option("#queue", label=queue)
    # The text comes by itself, with all that was typed, and what is to be ticked is where one types.
    with sent(page, 200):
        page.select_option("#urgency", "emergency")
    expect(page.locator("#emergency")).to_contain_text("Chiami subito il 112.")
    expect(page.locator("#description")).to_have_value("Il palo è caduto sulla strada.")
    tick = page.get_by_role("checkbox", name="L’ho riferito a chi chiama.")
    expect(tick).to_be_focused()
    expect(tick).to_have_accessible_description("Chiami subito il 112.")
    with sent(page, 422):
        press(page, "Control+Enter")
    expect(page.get_by_role("alert")).to_contain_text("Riferisci a chi chiama")
    page.get_by_role("checkbox", name="L’ho riferito a chi chiama.").press("Space")
    with sent(page):
        press(page, "Control+Enter")
    expect(page.locator("main [role=status]").first).to_contain_text("è nato il ticket")
    assert newest(session).emergency_read_at is not None
