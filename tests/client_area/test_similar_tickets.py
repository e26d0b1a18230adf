"""Before a request is sent: open ones that it may be about, and adding to one of them instead (TK-01)."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from backoffice.database import RecordSession, begin_writing
from backoffice.files.store import FolderStore
from models.account import Account
from models.attachment import Attachment
from models.portal import Portal
from models.request_type import RequestType
from models.ticket import Ticket
from models.ticket import TicketState as S
from models.ticket_message import TicketMessage
from tests.attachments.samples import EXE
from tests.attachments.test_pictures import picture
from tests.client_area.conftest import ClientBrowser

pytestmark = pytest.mark.databases("sqlite")
Browsers = Callable[..., ClientBrowser]
Accounts = Callable[[str], Account]
FORM = "/it/tickets/new/"
USER = "demo.referent.2"
HEADING = "Prima di inviare"


@pytest.fixture
def kind(session: RecordSession) -> str:
    """The key of a kind of request; the queue wants a picture, and no package."""
    with begin_writing():
        portal = session.scalars(sa.select(Portal).where(Portal.code == "SUPPORTO")).one()
        assert portal.queue is not None
        portal.queue.requires_attachment, portal.queue.requires_package = True, False
        usable = sa.and_(RequestType.contract_id.is_(None), RequestType.group_id == portal.group_id, RequestType.active)
        key = session.scalars(sa.select(RequestType.id).where(usable).limit(1)).one()
        session.commit()
    return str(key)


def typed(kind: str, **changes: Any) -> dict[str, Any]:
    return {
        "request_type": kind,
        "subject": "Zanzariera elettrica fulminata",
        "description": "Non si accende.\nSecondo piano.",
        "affected_system": "Mensa",
        "requested_urgency": "high",
        "file": (io.BytesIO(picture("PNG")), "guasto.png"),
        **changes,
    }


def store(session: RecordSession, account: Account, subject: str, **values: Any) -> Ticket:
    """Store a ticket of an account's company."""
    with begin_writing():
        queue = session.scalars(sa.select(Portal).where(Portal.code == "SUPPORTO")).one().queue
        known = {"state": S.in_progress, "account_id": account.id, "company_id": account.company_id, **values}
        ticket = Ticket(queue=queue, subject=subject, description="Prova", number=f"ZZ-{subject[:9]}", **known)
        session.add(ticket)
        session.commit()
    return ticket


def count(session: RecordSession) -> int:
    session.rollback()
    return session.scalar(sa.select(sa.func.count()).select_from(Ticket)) or 0


def hidden(page: TestResponse) -> dict[str, str]:
    """Return what the page in between carries along."""
    pairs = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text.partition("<main")[2])
    return {name: html.unescape(value) for name, value in pairs}


def test_it_asks_first_and_keeps_all_that_was_typed(
    browser_of: Browsers, session: RecordSession, account: Accounts, kind: str
) -> None:
    similar = store(session, account(USER), "Zanzariera elettrica in mensa")
    before, browser = count(session), browser_of(USER, portal="SUPPORTO")
    page = browser.form(FORM, typed(kind))
    assert page.status_code == 200
    assert HEADING in page.text
    assert similar.number in page.text
    assert "guasto.png" in page.text
    assert count(session) == before
    carried = hidden(page)
    assert carried["description"].replace("\r\n", "\n") == "Non si accende.\nSecondo piano."
    # Back to the form: the file is there already.
    form = browser.post(FORM, data=carried | {"change": "1"})
    assert 'value="Zanzariera elettrica fulminata"' in form.text
    assert "Già ricevuti: guasto.png" in form.text
    # Sent anyway, with the file that was chosen on the first page.
    assert browser.post(FORM, data=carried | {"anyway": "1"}).status_code == 303
    assert count(session) == before + 1
    made = session.scalars(sa.select(Ticket).order_by(Ticket.id.desc()).limit(1)).one()
    assert made.subject == "Zanzariera elettrica fulminata"
    names = session.scalars(sa.select(Attachment.name).where(Attachment.ticket_id == made.id)).all()
    assert names == ["guasto.png"]


def test_what_was_typed_is_added_to_the_open_one(
    browser_of: Browsers, session: RecordSession, account: Accounts, kind: str
) -> None:
    similar = store(session, account(USER), "Zanzariera elettrica in mensa", state=S.waiting_customer)
    before, browser = count(session), browser_of(USER, portal="SUPPORTO")
    carried = hidden(browser.form(FORM, typed(kind)))
    answer = browser.post(FORM, data=carried | {"join": str(similar.id)})
    assert (answer.status_code, answer.location) == (303, f"/it/ticket/{similar.id}")
    assert count(session) == before
    session.expire_all()
    message = session.scalars(sa.select(TicketMessage).where(TicketMessage.ticket_id == similar.id)).one()
    text = "Zanzariera elettrica fulminata\n\nNon si accende.\nSecondo piano."
    assert (message.body.replace("\r\n", "\n"), message.direction, message.visibility) == (text, "incoming", "public")
    names = session.scalars(sa.select(Attachment.name).where(Attachment.ticket_message_id == message.id)).all()
    assert names == ["guasto.png"]
    assert session.get_one(Ticket, similar.id).state is S.in_progress  # it waited for the client


def test_of_others_nobody_learns(browser_of: Browsers, session: RecordSession, account: Accounts, kind: str) -> None:
    mine = account(USER)
    other = session.scalars(
        sa.select(Account).where(Account.company_id != mine.company_id, Account.company_id.is_not(None))
    ).first()
    assert other is not None
    foreign = store(session, other, "Zanzariera elettrica fulminata")
    closed = store(session, mine, "Elettrica zanzariera", state=S.closed_final)
    browser = browser_of(USER, portal="SUPPORTO")
    first = browser.form(FORM, typed(kind))
    assert first.status_code == 303  # sent, with no question
    text = browser.get(FORM).text
    token = re.search(r'name="csrf_token" value="([^"]+)"', text)
    assert token is not None
    for ticket in (foreign, closed):
        sent = {k: v for k, v in typed(kind).items() if k != "file"} | {"csrf_token": token[1], "looked": "1"}
        answer = browser.post(FORM, data=sent | {"join": str(ticket.id)})
        assert answer.status_code in (404, 409)
        session.rollback()
        assert session.scalars(sa.select(TicketMessage).where(TicketMessage.ticket_id == ticket.id)).all() == []


def test_a_user_is_shown_only_their_own(
    browser_of: Browsers, session: RecordSession, account: Accounts, kind: str
) -> None:
    mine = account(USER)
    colleague = session.scalars(
        sa.select(Account).where(Account.company_id == mine.company_id, Account.id != mine.id)
    ).first()
    assert colleague is not None
    with begin_writing():
        session.get_one(Account, mine.id).is_referent = False
        session.commit()
    store(session, colleague, "Zanzariera elettrica fulminata")
    assert browser_of(USER, portal="SUPPORTO").form(FORM, typed(kind)).status_code == 303


def test_where_files_cannot_be_stored_what_was_typed_stays(
    application: Any, browser_of: Browsers, session: RecordSession, account: Accounts, kind: str, tmp_path: Path
) -> None:
    store(session, account(USER), "Zanzariera elettrica in mensa")
    before, browser = count(session), browser_of(USER, portal="SUPPORTO")
    between = browser.form(FORM, typed(kind))
    hidden = re.search(r'name="kept" value="([^"]+)"', between.text)
    assert hidden is not None
    second = {k: v for k, v in typed(kind).items() if k != "file"} | {"looked": "1", "kept": html.unescape(hidden[1])}
    (tmp_path / "broken").write_text("not a folder")
    working = application.app.extensions["files"]
    application.app.extensions["files"] = FolderStore(tmp_path / "broken")
    try:
        for sent in (typed(kind), typed(kind, subject=" "), typed(kind, subject="Fognatura"), second):
            answer = browser.form(FORM, sent)
            assert answer.status_code in (422, 503)
            assert "L’archivio dei file non è raggiungibile" in answer.text
            assert "Secondo piano." in answer.text
    finally:
        application.app.extensions["files"] = working
    assert count(session) == before


def test_what_is_missing_or_refused_comes_first(
    browser_of: Browsers, session: RecordSession, account: Accounts, kind: str
) -> None:
    store(session, account(USER), "Zanzariera elettrica in mensa")
    before, browser = count(session), browser_of(USER, portal="SUPPORTO")
    for wrong in ({"description": " "}, {"file": (io.BytesIO(EXE), "guasto.png")}):
        answer = browser.form(FORM, typed(kind, **wrong))
        assert answer.status_code == 422
        assert HEADING not in answer.text
    # A name of files that is not ours brings none.
    page = browser.get(FORM)
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert token is not None
    sent = {k: v for k, v in typed(kind).items() if k != "file"}
    answer = browser.post(FORM, data=sent | {"csrf_token": token[1], "looked": "1", "kept": "WzEsW11d.x.y"})
    assert answer.status_code == 422
    assert count(session) == before
