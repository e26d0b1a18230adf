"""The procedure of source 000 at the desk, in a real browser: from the request to the answer in the client's inbox.

One service is free, one is paid: proposed, accepted with evidence, and nothing is made of it before. The mails are read
from a real server; the passage without scripts goes through the same pages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from backoffice import clock
from backoffice.database import RecordSession, begin_writing
from backoffice.delivery import send_due
from backoffice.mail.sending import MailServer
from models.activation_request import ActivationRequest
from models.annual_fee import AnnualFee
from models.company import Company
from models.company_service import CompanyService, GrantState
from models.contract_line import ContractLine
from models.online_service import OnlineService
from models.service import ServiceState
from tests.browser.keys import press
from tests.clients import DESK
from tests.mail.conftest import ROOTS
from tests.mail.smtp import Inbox, smtp_server
from tests.operations.world import World

pytestmark = pytest.mark.databases("sqlite")


@pytest.fixture
def inbox() -> Inbox:
    """What the mail server takes."""
    return Inbox()


@pytest.fixture
def server(inbox: Inbox) -> Iterator[MailServer]:
    """A running mail server."""
    with smtp_server(inbox) as running:
        yield running


@pytest.fixture
def client(session: RecordSession) -> Company:
    """A client of the first group whose contract opens EDUPLAN and ANALISI, in a system that sends mails."""
    with begin_writing():
        online = {row.code: row for row in session.scalars(sa.select(OnlineService))}
        world = World(session, group_id=online["EDUPLAN"].group_id)
        for code in ("EDUPLAN", "ANALISI"):
            online[code].eligible_group_company, online[code].requires_records = None, False
            service = world.service(ServiceState.offered, online_service=online[code])
            contract = world.contract("active")  # type: ignore[arg-type]
            world.add(ContractLine(contract=contract, service=service))
        world.company.legal_name = "Galvanica Orobica S.p.A."
        session.flush()
        session.execute(sa.update(Company).values(is_demo=False))
        session.commit()
    found = world.company
    session.rollback()
    return found  # type: ignore[no-any-return]


def enter_request(page: Page) -> None:
    """Enter a request for both services on the client's behalf."""
    page.goto(f"{DESK}/activation_request/new")
    page.select_option("[name=origin]", "client_request")
    page.locator("#company").fill("Galvanica Orobica")
    page.locator("[role=option]", has_text="Galvanica Orobica").first.click()
    page.fill("[name=requester_name]", "Ada Rossi")
    page.fill("[name=email]", "ada@prova.example")
    for number, code in enumerate(("EDUPLAN", "ANALISI")):
        page.locator("[data-line-add]").click()
        page.locator(f"[id='items-{number}-online_service']").fill(code)
        page.locator("[role=option]:visible").first.click()
    press(page, "Control+s")
    expect(page.locator("h1")).to_contain_text("RA-")


@pytest.mark.long
def test_from_the_request_to_the_answer(
    desk_page: Callable[[str], Page],
    client: Company,
    session: RecordSession,
    engine: sa.Engine,
    server: MailServer,
    inbox: Inbox,
) -> None:
    page = desk_page("sales")
    enter_request(page)
    page = desk_page("administrator")
    page.goto(f"{DESK}/activation/")
    page.locator(".queue-row", has_text="Galvanica Orobica").click()
    expect(page.locator("h1")).to_have_text("Galvanica Orobica S.p.A. chiede EDUPLAN, ANALISI")
    expect(page.locator("main")).to_contain_text("Contatto conosciuto")
    page.locator("#next button[type=submit]").click()

    eduplan, analisi = page.locator(".service").nth(0), page.locator(".service").nth(1)
    expect(eduplan.locator(".finding-good")).to_have_count(2)
    expect(eduplan.locator(".finding a[href*='/contract/']")).to_be_visible()
    analisi.get_by_role("button", name="Attivare gratuitamente").click()
    expect(analisi).to_contain_text("Attivato gratuitamente")
    eduplan.get_by_role("link", name="Attivare a titolo oneroso").click()
    page.fill("#next [name=yearly_fee]", "meno di niente")
    page.locator("#next button[type=submit]").click()
    expect(page.locator("#next .field-error")).to_be_visible()
    page.fill("#next [name=yearly_fee]", "480")
    page.locator("#next button[type=submit]").click()
    expect(eduplan).to_contain_text("480,00")

    year = clock.today().year
    assert f"dal 01/01/{year} al 31/12/{year}" in page.locator("#next textarea").input_value()
    page.locator("#next button[type=submit]").click()
    expect(page.locator(".record-sub .state")).to_have_text("In attesa di accettazione")
    assert made(session, client) == (0, 0)

    page.locator("#next button[type=submit]").click()
    expect(page.locator("#next .field-error")).to_contain_text("Indica dove il cliente accetta")
    page.fill("#next [name=acceptance_evidence]", "Messaggio di Ada Rossi del 3 maggio, protocollo 118")
    page.locator("#next button[type=submit]").click()
    expect(page.locator(".record-sub .state")).to_have_text("Decisa")
    page.locator("#next button[type=submit]").click()
    expect(page.locator(".record-sub .state")).to_have_text("Evasa")
    assert made(session, client) == (2, 1)

    text = page.locator("#next textarea")
    text.fill(text.input_value() + "\n\nA presto.")
    page.locator("#next button[type=submit]").click()
    expect(page.locator(".record-sub .state")).to_have_text("Con risposta")
    page.locator(".timeline summary", has_text="la nostra risposta").first.click()
    expect(page.locator(".timeline")).to_contain_text("A presto.")

    send_due(engine, server, ROOTS)
    to_client = {
        str(mail["Subject"]).split(": ")[-1]: mail for mail in inbox.taken if mail["To"] == "ada@prova.example"
    }
    assert list(to_client)[1:] == ["la nostra proposta", "la nostra risposta"]
    answer = to_client["la nostra risposta"].get_body(("plain",))
    assert answer is not None
    said = answer.get_content()
    assert "ANALISI, Analisi di laboratorio: attivato gratuitamente." in said
    assert f"€ 480,00 oltre IVA ed è valido dal 01/01/{year} al 31/12/{year}. È un contributo, non una licenza." in said
    assert "A presto." in said
    page.goto(page.url.replace("/activation/", "/activation_request/").split("?")[0] + "?tab=mail")
    expect(page.locator(".mails > li")).to_have_count(3)


def made(session: RecordSession, client: Company) -> tuple[int, int]:
    """Return how many services the client has active, and how many contributions are due."""
    session.rollback()
    active = sa.select(CompanyService).where(
        CompanyService.company_id == client.id, CompanyService.state == GrantState.active
    )
    fees = sa.select(AnnualFee).where(AnnualFee.company_id == client.id)
    found = len(session.scalars(active).all()), len(session.scalars(fees).all())
    session.rollback()
    return found


@pytest.mark.long
def test_without_scripts_and_on_a_phone(
    new_context: Callable[..., object],
    live_server: str,
    desk_page: Callable[[str], Page],
    client: Company,
    session: RecordSession,
) -> None:
    entered = desk_page("sales")
    enter_request(entered)
    cookies = desk_page("administrator").context.cookies()
    plain = new_context(  # type: ignore[attr-defined]
        base_url=live_server, locale="it-IT", java_script_enabled=False, viewport={"width": 390, "height": 844}
    )
    plain.add_cookies(cookies)
    page = plain.new_page()
    page.goto(f"{DESK}/activation/")
    expect(page.locator(".workspace-hand")).to_be_hidden()
    page.locator(".queue-row", has_text="Galvanica Orobica").click()
    expect(page.locator(".workspace-queue")).to_be_hidden()
    page.locator("#next button[type=submit]").click()
    page.locator(".service").nth(0).get_by_role("button", name="Attivare gratuitamente").click()
    page.locator(".service").nth(1).get_by_role("link", name="Non attivare").click()
    page.select_option("#next [name=reject_reason]", "low_frequency")
    page.fill("#next [name=note]", "Due analisi in un anno.")
    page.locator("#next button[type=submit]").click()
    for _step in ("decide", "fulfil", "answer"):
        page.locator("#next button[type=submit]").click()
    expect(page.locator(".record-sub .state")).to_have_text("Con risposta")
    page.get_by_role("link", name="Tutte le richieste").click()
    expect(page.locator(".queue-head")).to_be_visible()
    session.rollback()
    answered = session.scalars(sa.select(ActivationRequest).where(ActivationRequest.company_id == client.id)).one()
    assert answered.answer_text is not None
    assert "a chi commissiona analisi con una certa frequenza. Due analisi in un anno." in answered.answer_text
    session.rollback()
