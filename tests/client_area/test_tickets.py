"""A request for assistance in the client area, from the form to the last mail (TK-01 to TK-15, source 002)."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa

from backoffice import clock
from backoffice.access import INTERNAL
from backoffice.actors import SYSTEM
from backoffice.database import RecordSession, begin_writing
from backoffice.operations.plain import create_record
from backoffice.operations.tickets import close_tickets_for_good
from backoffice.operations.verbs import perform
from models.account import Account
from models.attachment import Attachment
from models.consent import Consent
from models.outbox_mail import OutboxMail
from models.portal import Portal
from models.request_type import RequestType
from models.staff import Staff
from models.support_package import PackageState, SupportPackage
from models.support_queue import SupportQueue
from models.ticket import AssistanceKind, Ticket
from models.ticket import TicketState as S
from models.ticket_message import TicketMessage
from models.time_entry import TimeEntry
from tests.attachments.samples import EXE
from tests.attachments.test_pictures import picture
from tests.client_area.conftest import ClientBrowser

pytestmark = pytest.mark.databases("postgresql", "sqlite", long=("sqlite",))
Browsers = Callable[..., ClientBrowser]
FORM = "/it/tickets/new/"
USER = "demo.referent.2"


@pytest.fixture
def queue(session: RecordSession, account: Callable[[str], Account]) -> SupportQueue:
    """The queue of the support portal, which works by packages and wants a picture."""
    portal = session.scalars(sa.select(Portal).where(Portal.code == "SUPPORTO")).one()
    assert portal.queue is not None
    with begin_writing():
        portal.queue.requires_package, portal.queue.requires_attachment = True, True
        portal.queue.reopen_window_hours = 72
        kept = sa.select(SupportPackage).where(SupportPackage.company_id == account(USER).company_id)
        for package in session.scalars(kept).all():
            package.state = PackageState.expired
        session.commit()
    return portal.queue


@pytest.fixture
def package(session: RecordSession, account: Callable[[str], Account], queue: SupportQueue) -> SupportPackage:
    """Three hours for the client."""
    with begin_writing():
        company = account(USER).company
        made = SupportPackage(company=company, number="P-TEST", purchased_minutes=180, state=PackageState.requested)
        session.add(made)
        session.flush()
        perform(session, made, "activate", actor=SYSTEM)
        session.commit()
    return made


def typed(session: RecordSession, **changes: Any) -> dict[str, Any]:
    group = sa.select(Portal.group_id).where(Portal.code == "SUPPORTO").scalar_subquery()
    usable = sa.and_(RequestType.contract_id.is_(None), RequestType.group_id == group, RequestType.for_clients)
    kind = session.scalars(sa.select(RequestType).where(usable).limit(1)).one()
    session.rollback()
    return {
        "request_type": str(kind.id),
        "subject": "Non si apre il registro",
        "description": "Compare un errore.",
        "affected_system": "GoPrivacy",
        "requested_urgency": "high",
        "file": (io.BytesIO(picture("PNG")), "errore.png"),
        **changes,
    }


def newest(session: RecordSession) -> Ticket:
    session.rollback()
    session.expire_all()
    return session.scalars(sa.select(Ticket).order_by(Ticket.id.desc()).limit(1)).one()


def told(session: RecordSession, ticket: Ticket) -> list[tuple[str, str]]:
    """Return events and recipients of the mails about a ticket, the oldest first."""
    about = sa.and_(OutboxMail.cause_entity == "ticket", OutboxMail.cause_id == ticket.id)
    rows = session.scalars(sa.select(OutboxMail).where(about).order_by(OutboxMail.id)).all()
    return [(row.template, row.recipient) for row in rows]


@pytest.mark.usefixtures("package")
def test_from_the_form_to_the_last_mail(
    browser_of: Browsers, session: RecordSession, account: Callable[[str], Account], staff: Callable[[str], Staff]
) -> None:
    browser, someone = browser_of(USER, portal="SUPPORTO"), account(USER)
    me = someone.email
    assert f'href="{FORM}"' in browser.get("/it/").text
    assert f'href="{FORM}"' in browser.get("/it/ticket/").text
    assert browser.form(FORM, typed(session)).status_code == 303
    ticket = newest(session)
    assert (ticket.account_id, ticket.company_id, ticket.state) == (someone.id, someone.company_id, S.qualification)
    assert (ticket.requested_urgency, ticket.priority) == ("high", "normal")
    assert told(session, ticket) == [("ticket_opened", me)]
    file = session.scalars(sa.select(Attachment).where(Attachment.ticket_id == ticket.id)).one()
    assert (file.name, file.client_visible) == ("errore.png", True)
    # Sent once more, it is the same ticket.
    assert browser.form(FORM, typed(session)).status_code == 303
    assert newest(session).id == ticket.id
    worker = staff("operator1")
    key, path = ticket.id, f"/it/tickets/{ticket.id}/answer/"
    with begin_writing():
        ticket = session.get_one(Ticket, key)
        ticket.assignee_id = worker.id
        ticket.state = S.assigned
        session.flush()
        perform(session, ticket, "take_charge", actor=SYSTEM)
        perform(session, ticket, "ask_customer", {"body": "Da quale computer?"}, actor=SYSTEM)
        session.commit()
    assert told(session, newest(session))[1:] == [("ticket_question", me)]
    assert "Da quale computer?" in browser.get(f"/it/ticket/{key}").text
    # The answer brings it back to work and tells whoever works on it.
    assert browser.form(path, {"body": "Dal portatile."}).status_code == 303
    assert newest(session).state is S.in_progress
    assert told(session, newest(session))[2:] == [("ticket_answered", worker.email)]
    with begin_writing():
        ticket = session.get_one(Ticket, key)
        ticket.assistance_kind = AssistanceKind.ordinary
        worked = {"ticket": ticket, "category": "ordinary", "day": clock.today(), "minutes": 90, "person": worker.id}
        create_record(session, TimeEntry, {**worked, "activity": "Accesso ripristinato"}, actor=SYSTEM)
        perform(session, ticket, "close", {"solution": "Rifatto.", "closure_reason": "solved"}, actor=SYSTEM)
        session.commit()
    assert told(session, newest(session))[3:] == [("ticket_closed", me)]
    # The client reopens it, it is closed again, and after the window it ends.
    assert "Riapri il ticket" in browser.get(f"/it/ticket/{key}").text
    assert browser.form(path, {"body": "Succede ancora."}).status_code == 303
    assert (newest(session).state, newest(session).reopen_count) == (S.reopened, 1)
    said = sa.select(TicketMessage.body).where(TicketMessage.ticket_id == key, TicketMessage.body == "Succede ancora.")
    assert len(session.scalars(said).all()) == 1
    assert [event for event, _to in told(session, newest(session))[4:]] == ["ticket_answered", "ticket_reopened"]
    with begin_writing():
        ticket = session.get_one(Ticket, key)
        perform(session, ticket, "take_charge", actor=SYSTEM)
        perform(session, ticket, "close", {"solution": "Ora va.", "closure_reason": "solved"}, actor=SYSTEM)
        session.commit()
        close_tickets_for_good(session, clock.now() + timedelta(hours=71), actor=SYSTEM)
        assert session.get_one(Ticket, key).state is S.closed_provisional
        close_tickets_for_good(session, clock.now() + timedelta(hours=73), actor=SYSTEM)
        session.commit()
    assert told(session, newest(session))[6:] == [("ticket_closed", me), ("ticket_ended", me)]
    # Others may have ended at the same moment: the demonstration has some that may still be reopened.
    ended = sa.select(OutboxMail).where(OutboxMail.template == "ticket_ended", OutboxMail.cause_id == key)
    last = session.scalars(ended).one()
    assert (last.arguments["time"], last.arguments["residual"]) == ("1 h 30 min", "1 h 30 min")
    assert "Accesso ripristinato" in last.arguments["activities"]
    assert last.subject.startswith(f"[{newest(session).number}] ")
    assert browser.get(path).status_code == 200
    assert browser.form(path, {"body": "Ancora!"}).status_code == 409


@pytest.mark.usefixtures("queue")
def test_without_a_package_the_request_is_kept_and_waits(browser_of: Browsers, session: RecordSession) -> None:
    assert browser_of(USER, portal="SUPPORTO").form(FORM, typed(session)).status_code == 303
    ticket = newest(session)
    assert ticket.state is S.waiting_package
    assert [event for event, _to in told(session, ticket)] == ["ticket_opened", "ticket_waits_for_package"]


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("request_type", ""),
        ("request_type", "999999"),
        ("subject", " "),
        ("description", ""),
        ("affected_system", ""),
        ("requested_urgency", "tomorrow"),
        ("file", None),
        ("file", (EXE, "errore.png")),
    ],
)
def test_what_is_missing_or_odd_is_said_and_nothing_is_written(
    browser_of: Browsers, session: RecordSession, field: str, value: Any
) -> None:
    before = newest(session).id
    values = typed(session, **{field: (io.BytesIO(value[0]), value[1]) if isinstance(value, tuple) else value})
    answer = browser_of(USER, portal="SUPPORTO").form(FORM, {k: v for k, v in values.items() if v is not None})
    assert (answer.status_code, f'id="{field}-error"' in answer.text) == (422, True), answer.text
    assert "Non si apre il registro" in answer.text or field == "subject"
    assert newest(session).id == before


def test_notes_are_told_to_nobody_and_answers_to_the_requester(
    session: RecordSession, account: Callable[[str], Account]
) -> None:
    someone = account(USER)
    ticket = session.scalars(sa.select(Ticket).where(Ticket.account_id == someone.id).limit(1)).first()
    if ticket is None:
        ticket = session.scalars(sa.select(Ticket).where(Ticket.company_id == someone.company_id).limit(1)).one()
        ticket.account_id = someone.id
    before = len(told(session, ticket))
    for visibility in ("internal", "public"):
        values = {"ticket": ticket.id, "visibility": visibility, "body": "Provi ora."}
        create_record(session, TicketMessage, values, actor=SYSTEM)
    assert told(session, ticket)[before:] == [("ticket_message", someone.email)]


def test_another_company_s_ticket_is_not_there(browser_of: Browsers, session: RecordSession) -> None:
    browser = browser_of("demo.client")
    foreign = session.scalars(sa.select(Ticket.id).where(Ticket.company_id == 1).limit(1)).one()
    assert browser.get(f"/it/tickets/{foreign}/answer/").status_code == 404
    assert browser.get("/it/tickets/x/answer/").status_code == 404
    assert re.search("/it/login/", browser_of().get(FORM).location or "")


@pytest.mark.usefixtures("package")
def test_the_statement_of_hours_is_theirs_alone(
    browser_of: Browsers, session: RecordSession, package: SupportPackage
) -> None:
    key = package.id
    elsewhere = session.scalars(
        sa.select(SupportPackage.id).where(SupportPackage.company_id != package.company_id)
    ).first()
    session.rollback()
    browser = browser_of(USER, portal="SUPPORTO")
    assert f"/it/packages/{key}/hours.pdf" in browser.get(f"/it/support_package/{key}").text
    answer = browser.get(f"/it/packages/{key}/hours.pdf")
    assert (answer.status_code, answer.content_type) == (200, "application/pdf")
    assert answer.data.startswith(b"%PDF-")
    assert browser.get(f"/it/packages/{elsewhere}/hours.pdf").status_code == 404
    assert browser_of().get(f"/it/packages/{key}/hours.pdf").status_code == 302


@pytest.mark.usefixtures("package")
def test_without_consent_there_is_no_form_but_the_question(
    browser_of: Browsers, session: RecordSession, account: Callable[[str], Account]
) -> None:
    """Whoever never consented is asked at sign-in, and before the form where assistance needs it (PR-03)."""
    me = account(USER).id
    session.execute(sa.delete(Consent).where(Consent.account_id == me), execution_options=INTERNAL)
    session.commit()
    browser = browser_of(portal="SUPPORTO")
    assert browser.sign_in(USER).location.startswith("/it/privacy/new/")
    asked = browser.get(FORM)
    assert (asked.status_code, asked.location) == (303, f"/it/privacy/new/?next={quote(FORM, safe='/')}")
    assert "senza il tuo consenso" in browser.get(asked.location).text
    before = session.scalar(sa.select(sa.func.count(Ticket.id)), execution_options=INTERNAL)
    assert browser.form(FORM, typed(session), page="/it/privacy/").location == asked.location
    assert session.scalar(sa.select(sa.func.count(Ticket.id)), execution_options=INTERNAL) == before
    assert browser.form("/it/privacy/new/", {"next": FORM}).location == FORM
    assert browser.get(FORM).status_code == 200
    assert browser_of(portal="SUPPORTO").sign_in(USER).location == "/it/"
