"""A stranger becomes a client, in a browser that runs no scripts: from the form to the last row of the spreadsheet.

The request, the five checks, the decision, the mails read from a real server, the password, the section, the file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect
from python_calamine import CalamineWorkbook

from backoffice.database import RecordSession, begin_writing
from backoffice.delivery import Roots, send_due
from backoffice.mail.sending import MailServer
from models.analysis import Analysis, AnalysisState
from models.company import Company, CompanyState
from models.contract_line import ContractLine
from models.online_service import OnlineService
from models.service import ServiceState
from tests.clients import DESK
from tests.mail.smtp import Inbox, smtp_server
from tests.operations.world import World

pytestmark = pytest.mark.databases("sqlite")
MAIL, NAME, PASSWORD = "paola@galvanica.example", "Paola Prova", "sette-lampioni-blu-41"
VAT_NUMBER = "99000000226"


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
    """A client whose contract opens ANALISI and whose analyses are there; nobody of it is known by e-mail."""
    with begin_writing():
        online = session.scalars(sa.select(OnlineService).where(OnlineService.code == "ANALISI")).first()
        assert online is not None
        world = World(session, group_id=online.group_id)
        company = world.company
        company.legal_name, company.vat_number, company.state = (
            "Galvanica Orobica S.p.A.",
            VAT_NUMBER,
            CompanyState.client,
        )
        online.eligible_group_company = None
        service = world.service(ServiceState.offered, online_service=online)
        world.add(ContractLine(contract=world.contract("active"), service=service))  # type: ignore[arg-type]
        for _number in range(3):
            world.analysis(AnalysisState.validated)
        world.analysis(AnalysisState.registered)
        session.flush()
        session.execute(sa.update(Company).values(is_demo=False))
        session.commit()
    session.rollback()
    return company


def test_a_stranger_becomes_a_client(
    new_context: Callable[..., Any],
    live_server: str,
    application: Any,
    desk_page: Callable[[str], Page],
    client: Company,
    session: RecordSession,
    engine: sa.Engine,
    server: MailServer,
    inbox: Inbox,
    tmp_path: Path,
) -> None:
    application.app.config["LEAST_FORM_SECONDS"] = 0
    roots = Roots(f"{live_server}{DESK}", live_server)
    plain = {"base_url": live_server, "locale": "it-IT", "java_script_enabled": False}

    # The form, from the login page.
    page = new_context(**plain).new_page()
    page.goto("/it/login/")
    page.get_by_label("ANALISI").check()
    page.get_by_role("button", name="Continua").click()
    for label, text in (
        ("Azienda", "Galvanica Orobica S.p.A."),
        ("Partita IVA o codice fiscale", VAT_NUMBER),
        ("Il tuo nome e cognome", NAME),
        ("La tua e-mail", MAIL),
    ):
        page.get_by_label(label).fill(text)
    page.get_by_role("checkbox", name="Ho letto").check()
    page.get_by_role("button", name="Invia la richiesta").click()
    expect(page.locator(".reference")).to_contain_text("RA-")

    # The desk: who asks is nobody's contact, so somebody makes sure first; then check by check.
    cookies = desk_page("administrator").context.cookies()
    context = new_context(**plain)
    context.add_cookies(cookies)
    desk = context.new_page()
    desk.goto(f"{DESK}/activation/")
    desk.locator(".queue-row", has_text="Galvanica Orobica").click()
    desk.locator("#next button[type=submit]").click()
    checks = desk.locator(".service .finding")
    expect(checks).to_have_count(5)
    has_data = checks.filter(has_text="Ha dati nella piattaforma")
    # What lies in the service's own tables has been counted.
    expect(has_data).to_contain_text("Soddisfatta")
    expect(has_data).to_contain_text("4 registrazioni")
    desk.get_by_role("button", name="Attivare gratuitamente").click()
    # Nothing is given to somebody nobody vouches for.
    desk.locator("#next button[type=submit]").click()
    expect(desk.locator(".record-sub .state")).to_have_text("In valutazione")
    desk.get_by_role("link", name="Verificare il richiedente").click()
    desk.fill("#next [name=verified_how]", "Richiamata al numero dell’azienda che conoscevamo.")
    desk.locator("#next button[type=submit]").click()
    for _step in ("decide", "fulfil", "answer"):
        desk.locator("#next button[type=submit]").click()
    expect(desk.locator(".record-sub .state")).to_have_text("Con risposta")

    # The account it made, and its credentials.
    desk.goto(f"{DESK}/account/?q=paola")
    desk.locator("td a", has_text="paola").first.click()
    desk.get_by_role("link", name="Invia le credenziali").click()
    desk.locator("main button[type=submit]").click()
    send_due(engine, server, roots)
    mine = [mail for mail in inbox.taken if mail["To"] == MAIL]
    answer = next(mail for mail in mine if "risposta" in str(mail["Subject"])).get_body(("plain",)).get_content()
    assert "ANALISI" in answer
    assert "attivato gratuitamente" in answer
    letter = mine[-1].get_body(("plain",)).get_content()
    link = re.search(rf"{re.escape(live_server)}/it/link/\S+", letter)
    assert link, letter

    # The first access.
    visitor = new_context(**plain, accept_downloads=True).new_page()
    visitor.goto(link[0])
    for name in ("new", "again"):
        visitor.fill(f"[name={name}]", PASSWORD)
    visitor.locator("main button[type=submit]").click()
    visitor.fill("[name=username]", MAIL)
    visitor.fill("[name=password]", PASSWORD)
    visitor.get_by_role("button", name="Accedi", exact=True).click()
    # An account that staff made is asked for consent, once.
    visitor.get_by_role("button", name="Do il consenso").click()
    expect(visitor.locator("main")).to_contain_text("ANALISI")
    visitor.goto("/it/analysis/")
    visitor.locator("summary", has_text="Esporta").click()
    with visitor.expect_download() as download:
        visitor.get_by_role("link", name="Excel (XLSX), le colonne mostrate").click()
    path = tmp_path / "analisi.xlsx"
    download.value.save_as(path)
    table = CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()
    place = table[0].index("Numero")
    session.rollback()
    # What the laboratory has only registered is nothing to see yet.
    shown = Analysis.company_id == client.id, Analysis.state != AnalysisState.registered
    theirs = session.scalars(sa.select(Analysis.number).where(*shown)).all()
    assert sorted(row[place] for row in table[1:]) == sorted(theirs)
    assert len(theirs) == 3
    session.rollback()
