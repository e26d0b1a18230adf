"""A ticket of source 002 in a real browser: from the client's form to the last mail, the operator's part by keyboard.

The client attaches a picture; the operator takes charge, asks, waits while the clock stands still, passes it on, gets
it back, enters time and closes; the client reopens; it closes for good after the window.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import BrowserContext, Page, expect

from backoffice import clock
from backoffice.actors import SYSTEM
from backoffice.database import RecordSession, begin_writing
from backoffice.operations.tickets import close_tickets_for_good
from backoffice.operations.verbs import perform
from models.account import Account
from models.outbox_mail import OutboxMail
from models.portal import Portal
from models.sla_policy import SlaPolicy
from models.staff import Staff
from models.support_package import PackageState, SupportPackage
from models.support_team import SupportTeam
from models.ticket import Ticket
from models.ticket import TicketState as S
from tests.attachments.test_pictures import picture
from tests.browser.keys import press
from tests.browser.test_kinds_of_page import check, fits
from tests.clients import DESK
from tests.operations.world import World

pytestmark = pytest.mark.databases("sqlite")
CLIENT = "demo.referent.2"


@pytest.fixture
def packages(session: RecordSession, staff: Callable[[str], Staff]) -> list[int]:
    """Two packages of the client, of one hour and of two, and a promise to solve things within eight hours."""
    with begin_writing():
        portal = session.scalars(sa.select(Portal).where(Portal.code == "SUPPORTO")).one()
        company = session.scalars(sa.select(Account).where(Account.username == CLIENT)).one().company
        for old in session.scalars(sa.select(SupportPackage).where(SupportPackage.company == company)).all():
            old.state = PackageState.expired
        made = []
        for number, minutes in enumerate((60, 120)):
            last = clock.today() + timedelta(days=30 * (number + 1))
            package = SupportPackage(company=company, number=f"ORE-{number}", purchased_minutes=minutes, valid_to=last)
            session.add(package)
            session.flush()
            perform(session, package, "activate", actor=SYSTEM)
            made.append(package.id)
        promise = {"group_id": portal.group_id, "name": "Prova", "kind": "close", "target_minutes": 480}
        session.add(SlaPolicy(**promise, queue=portal.queue))
        session.commit()
    return made


@pytest.fixture
def client_page(new_context: Callable[..., BrowserContext], live_server: str, password: str) -> Page:
    """The client area of the support portal, the client signed in."""
    page = new_context(base_url=live_server, viewport={"width": 390, "height": 844}).new_page()
    page.goto("/it/login/?portal=SUPPORTO")
    page.fill("[name=username]", CLIENT)
    page.fill("[name=password]", password)
    page.get_by_role("button", name="Accedi", exact=True).click()
    expect(page.locator("h1")).to_contain_text("servizi")
    return page


def ask(page: Page, tmp_path: Path) -> None:
    """Open a ticket with a picture of the error."""
    send_request(
        page, tmp_path, subject="Il registro non si apre più", text="Compare un errore quando apro il registro."
    )
    expect(page.locator("main")).to_contain_text("ha il numero")


def send_request(page: Page, tmp_path: Path, *, subject: str, text: str) -> None:
    """Fill in the form with a picture of the error, and send it."""
    shot = tmp_path / "errore.png"
    shot.write_bytes(picture("PNG"))
    page.goto("/it/tickets/new/")
    page.select_option("[name=request_type]", index=1)
    page.fill("[name=subject]", subject)
    page.fill("[name=affected_system]", "GoPrivacy")
    page.fill("[name=description]", text)
    page.select_option("[name=requested_urgency]", "high")
    page.set_input_files("[name=file]", shot)
    page.get_by_role("button", name="Invia la richiesta").click()


def newest(session: RecordSession) -> Ticket:
    session.rollback()
    session.expire_all()
    return session.scalars(sa.select(Ticket).order_by(Ticket.id.desc()).limit(1)).one()


def step(page: Page, **fields: str) -> None:
    """Fill in the form of the open step and send it."""
    for name, value in fields.items():
        field = page.locator(f"#next [name={name}]")
        if field.evaluate("field => field.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)
    page.locator("#next button[type=submit]").click()
    expect(page.locator("#next")).to_have_count(0)


def choose(page: Page, name: str, words: str) -> None:
    """Choose a related record by typing."""
    page.locator(f"#next #{name}").fill(words)
    page.locator("[role=option]:visible", has_text=words).first.click()


def state(page: Page, words: str) -> None:
    expect(page.locator(".ticket-sub .state")).to_have_text(words)


def test_from_the_form_to_the_last_mail(
    packages: list[int],
    client_page: Page,
    desk_page: Callable[[str], Page],
    session: RecordSession,
    tmp_path: Path,
) -> None:
    ask(client_page, tmp_path)
    ticket = newest(session)
    key, number = ticket.id, ticket.number
    second = session.scalars(
        sa.select(SupportTeam.name).where(SupportTeam.level == 2, SupportTeam.group_id == ticket.group_id)
    ).first()
    session.rollback()

    # The operator finds it among the unassigned ones, by keyboard.
    page = desk_page("demo.operator1.2")
    page.goto(f"{DESK}/support/?show=free")
    page.locator(f"[data-key-row='{key}']").wait_for()
    press(page, "j")
    page.locator(f"[data-key-row='{key}']").focus()
    press(page, "Enter")
    expect(page.locator("h1")).to_have_text("Il registro non si apre più")
    expect(page.locator(".desk-talk")).to_contain_text("errore.png")
    expect(page.locator("main")).to_contain_text("Urgenza chiesta: Alta")
    press(page, "a")
    page.locator("#next").wait_for()
    step(page, priority="high", assistance_kind="ordinary", estimated_minutes="1:00")
    state(page, "Assegnato")
    press(page, "x")
    step(page)
    state(page, "In lavorazione")

    # Asking lets the clock stand still, and the client's answer lets it run.
    press(page, "r")
    page.keyboard.type("Da quale computer succede?")
    page.select_option("[name=then]", "wait")
    page.locator("#reply-body").focus()
    press(page, "Control+Enter")
    state(page, "Attende il cliente")
    expect(page.locator("main")).to_contain_text("In pausa")
    client_page.goto(f"/it/tickets/{key}/answer/")
    client_page.fill("[name=body]", "Dal portatile.")
    client_page.locator("main button[type=submit]").click()
    expect(client_page.locator("main")).to_contain_text("Dal portatile.")
    page.goto(f"{DESK}/support/{key}")
    state(page, "In lavorazione")
    expect(page.locator(".pauses").first).to_contain_text("Attende il cliente")

    # A draft outlives the tab; a note is nothing for the client.
    press(page, "n")
    page.keyboard.type("Sembra il certificato.")
    page.reload()
    expect(page.locator("#reply-body")).to_have_value("Sembra il certificato.")
    press(page, "n")
    press(page, "Control+Enter")
    expect(page.locator(".said-note")).to_contain_text("Sembra il certificato.")
    client_page.goto(f"/it/ticket/{key}")
    expect(client_page.locator("main")).not_to_contain_text("certificato")

    # To the second level and back, with what was tried.
    press(page, "e")
    page.locator("#next").wait_for()
    choose(page, "to_team", str(second))
    step(page, description="Errore di certificato", actions="Riavviato, svuotata la cache", workaround="Nessuno")
    with begin_writing():
        found = newest(session)
        assert (found.id, found.state) == (key, S.waiting_l2)
        team = found.queue.team
        perform(session, found, "return", {"team": team, "assignee": None}, actor=SYSTEM)
        session.commit()
    page.goto(f"{DESK}/support/{key}")
    state(page, "In lavorazione")

    # Ninety minutes: sixty of the first package, thirty of the second.
    page.fill("#time [name=minutes]", "1:30")
    page.fill("#time [name=activity]", "Rifatto il certificato")
    page.locator("#time button[type=submit]").click()
    expect(page.locator("#time")).to_contain_text("1 h 30 min")
    session.rollback()
    left = sa.select(SupportPackage.residual_minutes).where(SupportPackage.id.in_(packages)).order_by(SupportPackage.id)
    assert session.scalars(left).all() == [0, 90]
    session.rollback()
    press(page, "c")
    page.locator("#next").wait_for()
    step(page, solution="Certificato rifatto.", closure_reason="solved")
    state(page, "Prima chiusura")

    # The client reopens it; it is closed again and, after the window, for good.
    client_page.goto(f"/it/tickets/{key}/answer/")
    client_page.fill("[name=body]", "Succede ancora.")
    client_page.locator("main button[type=submit]").click()
    expect(client_page.locator("main")).to_contain_text("Succede ancora.")
    page.goto(f"{DESK}/support/{key}")
    state(page, "Riaperto")
    press(page, "x")
    step(page)
    press(page, "c")
    page.locator("#next").wait_for()
    step(page, solution="Aggiornato anche il portatile.", closure_reason="solved")
    with begin_writing():
        close_tickets_for_good(session, clock.now() + timedelta(hours=73), actor=SYSTEM)
        session.commit()
    last = session.scalars(sa.select(OutboxMail).where(OutboxMail.template == "ticket_ended")).all()[-1]
    assert (last.arguments["number"], last.arguments["time"]) == (number, "1 h 30 min")
    assert last.arguments["residual"] == "1 h 30 min"
    session.rollback()
    page.goto(f"{DESK}/support/{key}")
    state(page, "Chiusura")
    expect(page.locator("[data-reply]")).to_have_count(0)


def test_others_see_what_is_new_without_loading_anew(
    packages: list[int], client_page: Page, desk_page: Callable[[str], Page], session: RecordSession, tmp_path: Path
) -> None:
    page = desk_page("demo.operator1.2")
    page.goto(f"{DESK}/support/?show=free")
    press(page, "?")
    expect(page.locator("[data-keys]")).to_be_visible()
    press(page, "Escape")
    ask(client_page, tmp_path)
    key = newest(session).id
    session.rollback()
    # It asks by itself every ten seconds; coming back to the window asks at once.
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator(f"[data-key-row='{key}']")).to_be_visible(timeout=15_000)


def test_several_answered_at_once_and_one_followed_by_keyboard(
    desk_page: Callable[[str], Page], session: RecordSession, staff: Callable[[str], Staff]
) -> None:
    operator = staff("demo.operator1.2")
    session.rollback()
    with begin_writing():
        world = World(session, group_id=operator.group_id)
        tickets = [
            world.ticket(S.in_progress, contact=world.contact, assignee_id=operator.id, subject=f"Insieme {number}")
            for number in range(3)
        ]
        session.commit()
    keys = [ticket.id for ticket in tickets]
    page = desk_page("demo.operator1.2")
    page.goto(f"{DESK}/support/?show=mine")
    for key in keys[:2]:
        page.locator(f"[data-key-row='{key}']").focus()
        press(page, "s")
    expect(page.locator("[data-ticked]")).to_have_text("Selezionati: 2")
    page.locator("[formaction*='bulk/answer']").press("Enter")
    page.get_by_label("Risposta ai clienti").fill("{number}: è quasi pronto.")
    page.locator("[name=step][value=check]").press("Enter")
    expect(page.locator("main")).to_contain_text("Si risponde a 2 ticket")
    page.locator("[name=step][value=do]").press("Enter")
    expect(page.locator("#outcomes")).to_have_text("Fatti: 2, non fatti: 0")

    # A draft outlives a connection that breaks while it is sent, and goes once it is there.
    path = f"{DESK}/support/{keys[0]}"
    page.goto(path)
    expect(page.locator(".said-ours")).to_contain_text(f"{tickets[0].number}: è quasi pronto.")
    press(page, "r")
    page.keyboard.type("Ancora un momento.")
    page.route("**/say*", lambda route: route.abort())
    with page.expect_event("requestfailed"):
        press(page, "Control+Enter")
    page.wait_for_load_state()  # the browser's own page, which says that it could not be sent
    page.unroute("**/say*")
    page.goto(path)
    expect(page.locator("#reply-body")).to_have_value("Ancora un momento.")
    page.locator("#reply-body").focus()
    press(page, "Control+Enter")
    expect(page.locator(".said-ours").last).to_contain_text("Ancora un momento.")
    expect(page.locator("#reply-body")).to_have_value("")
    page.goto(path)
    expect(page.locator("#reply-body")).to_have_value("")

    press(page, "f")
    expect(page.locator("main, [role=status]").first).to_be_visible()
    expect(page.locator("button[data-key=f]")).to_contain_text("Non seguire più")
    page.goto(f"{DESK}/support/{keys[0]}?show=followed")
    expect(page.locator("[data-key-row]")).to_have_count(1)

    # That another ticket has changed makes this page no older; that its own has, does.
    session.rollback()
    with begin_writing():
        session.get_one(Ticket, keys[2]).subject = "Tutt’altro"
        session.commit()
    with page.expect_response("**/support/queue*"):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("[data-changed]")).to_be_hidden()
    session.rollback()
    with begin_writing():
        session.get_one(Ticket, keys[0]).subject = "Insieme, ancora"
        session.commit()
    with page.expect_response("**/support/queue*"):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("[data-changed]")).to_be_visible()


def test_a_client_adds_to_what_is_open_already(
    packages: list[int], client_page: Page, session: RecordSession, tmp_path: Path
) -> None:
    ask(client_page, tmp_path)
    key = newest(session).id
    session.rollback()
    send_request(client_page, tmp_path, subject="Registro: non si apre di nuovo", text="Anche oggi.")
    expect(client_page.locator("h1")).to_have_text("Prima di inviare")
    expect(client_page.locator("main")).to_contain_text("errore.png")
    fits(client_page, "similar")
    check(client_page, "similar")
    client_page.get_by_role("button", name="È questa: aggiungi lì il mio messaggio").first.click()
    client_page.wait_for_url(f"**/ticket/{key}")
    expect(client_page.locator(".talk")).to_contain_text("Anche oggi.")
    expect(client_page.locator(".talk")).to_contain_text("errore.png")
    assert newest(session).id == key
