"""The accessibility statement, and the form for whoever meets an obstacle."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from backoffice.database import RecordSession
from models.outbox_mail import OutboxMail
from models.portal import Portal
from models.support_queue import SupportQueue
from tests.client_area.conftest import ClientBrowser

pytestmark = pytest.mark.databases("sqlite")
Browsers = Callable[..., ClientBrowser]
PATH = "/it/accessibility/"


def mails(session: RecordSession) -> list[OutboxMail]:
    session.rollback()
    wanted = sa.select(OutboxMail).where(OutboxMail.template == "accessibility_feedback")
    return list(session.scalars(wanted))


def test_every_page_leads_to_the_statement_and_a_message_reaches_whoever_looks_after_the_portal(
    browser_of: Browsers, session: RecordSession, store: Callable[..., None]
) -> None:
    portal = session.scalars(sa.select(Portal).order_by(Portal.id)).first()
    assert portal is not None
    store(Portal, portal.id, reply_to="risposte@prova.example")
    if portal.queue_id is not None:
        store(SupportQueue, portal.queue_id, email="coda@prova.example")
    browser = browser_of()
    assert f'href="{PATH}"' in browser.get("/it/login/").text
    page = browser.get(PATH).text
    assert "EN 301 549" in page
    assert "AgID" in page
    sent = {"text": "Il modulo\nnon si legge.", "email": "ada@prova.example", "page": "/it/request/"}
    assert browser.form(PATH, sent).status_code == 303
    (mail,) = mails(session)
    assert mail.recipient in ("coda@prova.example", "risposte@prova.example")
    assert mail.reply_to == "ada@prova.example"
    assert mail.arguments["text"] == "Il modulo\nnon si legge."
    assert mail.arguments["page"] == "/it/request/"


def test_where_the_portal_has_no_address_the_administrators_read_it(
    browser_of: Browsers, session: RecordSession, store: Callable[..., None]
) -> None:
    portal = session.scalars(sa.select(Portal).order_by(Portal.id)).first()
    assert portal is not None
    store(Portal, portal.id, reply_to=None)
    if portal.queue_id is not None:
        store(SupportQueue, portal.queue_id, email=None)
    sent = {"text": "Non si legge.", "email": "", "page": "/it/request/"}
    assert browser_of().form(PATH, sent).status_code == 303
    assert {mail.recipient for mail in mails(session)} == {
        "admin@backoffice.example",
        "demo.administrator@backoffice.example",
    }


@pytest.mark.parametrize("typed", [{"text": " ", "email": ""}, {"text": "Non va", "email": "non un indirizzo"}])
def test_what_is_missing_is_said_and_nothing_typed_is_lost(
    browser_of: Browsers, session: RecordSession, typed: dict[str, str]
) -> None:
    answer = browser_of().form(PATH, typed)
    assert answer.status_code == 422
    assert 'class="field-error"' in answer.text
    assert typed["text"].strip() in answer.text
    assert mails(session) == []
