"""Links that set the password of an account: sent to its address, good once, and told to nobody else (AC-16, A-05)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from backoffice import clock
from backoffice.actors import SYSTEM
from backoffice.database import RecordSession
from backoffice.delivery import send_due
from backoffice.mail.sending import MailServer
from backoffice.operations.verbs import NotInThisState, perform
from backoffice.outbox import queue_mail
from models.account import Account, AccountState
from models.client_link import ClientLink
from models.outbox_mail import MailLanguage, OutboxMail
from models.portal import Portal
from models.ticket import Ticket
from tests.client_area.conftest import ClientBrowser
from tests.mail.conftest import ROOTS, inbox, no_demonstration, server
from tests.mail.smtp import Inbox

pytestmark = pytest.mark.databases("postgresql", "sqlite", long=("sqlite",))
Browsers = Callable[..., ClientBrowser]
Find = Callable[[str], Account]
HOLDER = {"credentials_to": "holder", "credentials_reason": "Lo chiede lei stessa."}
NEW = "cinque-tram-blu-lenti"

__all__ = ["inbox", "no_demonstration", "server"]


def ask(browser: ClientBrowser, name: str) -> str:
    page = browser.form("/it/forgotten/", {"username": name})
    assert page.status_code == 200
    return page.text


def link_in(inbox: Inbox) -> str:
    """Return the path of the link in the mail that arrived last."""
    body = inbox.taken[-1].get_body(("plain",))
    assert body is not None
    found = re.search(rf"{ROOTS.client_area}(/it/link/\S+)", body.get_content())
    assert found, body.get_content()
    return found[1]


@pytest.mark.usefixtures("no_demonstration")
def test_whoever_forgot_the_password_chooses_another(
    browser_of: Browsers, account: Find, engine: sa.Engine, server: MailServer, inbox: Inbox, session: RecordSession
) -> None:
    inside, browser = browser_of("demo.client"), browser_of()
    ask(browser, account("demo.client").email)
    assert send_due(engine, server, ROOTS).sent == 1
    assert inbox.taken[0]["To"] == account("demo.client").email
    path = link_in(inbox)
    token = path.rpartition("/")[2].partition("?")[0]
    stored = session.scalars(sa.select(OutboxMail)).one()
    assert token not in f"{stored.arguments} {stored.subject}"
    assert token not in str(session.execute(sa.select(ClientLink.digest)).all())
    assert browser.get(path).location == "/it/link/"
    assert browser.form("/it/link/", {"new": NEW, "again": "altra"}).status_code == 422
    assert browser.form("/it/link/", {"new": "ugo utenti", "again": "ugo utenti"}).status_code == 422
    assert browser.form("/it/link/", {"new": NEW, "again": NEW}).location == "/it/login/"
    assert inside.get("/it/").status_code == 302  # whoever was in is out
    assert browser.sign_in("demo.client", NEW).status_code == 303
    again = browser_of()
    again.get(path)
    assert again.get("/it/link/").status_code == 410


def test_the_answer_is_the_same_for_everybody(browser_of: Browsers, account: Find, session: RecordSession) -> None:
    browser = browser_of()
    texts = {re.sub(r'value="[^"]*"', "", ask(browser, name)) for name in ("demo.client", "nessuno@prova.example")}
    assert len(texts) == 1
    assert [mail.recipient for mail in session.scalars(sa.select(OutboxMail))] == [account("demo.client").email]


def test_a_link_ends_with_its_time(browser_of: Browsers, account: Find, session: RecordSession) -> None:
    someone, now = account("demo.client"), clock.now()
    values: dict[str, Any] = {"purpose": "password", "account_id": someone.id, "made_at": now - timedelta(hours=2)}
    from backoffice.passwords import digest_of

    session.add(ClientLink(digest=digest_of("vecchio"), expires_at=now - timedelta(minutes=1), **values))
    session.commit()
    browser = browser_of()
    for token, status in (("vecchio", 410), ("mai-esistito", 404)):
        browser.get(f"/it/link/{token}")
        assert browser.get("/it/link/").status_code == status


def test_asking_too_often_is_refused(browser_of: Browsers) -> None:
    browser = browser_of()
    statuses = [browser.form("/it/forgotten/", {"username": "nessuno"}).status_code for _ in range(11)]
    assert statuses[-1] == 429
    assert set(statuses[:-1]) == {200}


@pytest.mark.usefixtures("no_demonstration")
def test_credentials_come_from_the_portal_and_lead_to_it(
    account: Find,
    store: Callable[..., None],
    engine: sa.Engine,
    server: MailServer,
    inbox: Inbox,
    session: RecordSession,
) -> None:
    portal = session.scalars(sa.select(Portal).where(Portal.code == "ECOOPERA")).one()
    store(
        Portal,
        portal.id,
        sender="area@clienti.prova.example",
        reply_to="risposte@prova.example",
        public_url="https://area.prova.example/",
    )
    someone = account("demo.client")
    store(Account, someone.id, portal_id=portal.id, state=AccountState.invited)
    perform(session, account("demo.client"), "send_credentials", HOLDER, actor=SYSTEM)
    session.commit()
    assert send_due(engine, server, ROOTS).sent == 1
    mail = inbox.taken[0]
    assert "area@clienti.prova.example" in mail["From"]
    assert mail["Reply-To"] == "risposte@prova.example"
    body = mail.get_body(("plain",))
    assert body is not None
    assert "https://area.prova.example/it/link/" in body.get_content()


def test_nobody_gets_credentials_for_an_account_that_ended(
    account: Find, store: Callable[..., None], session: RecordSession
) -> None:
    store(Account, account("demo.client").id, state=AccountState.rejected)
    with pytest.raises(NotInThisState):
        perform(session, account("demo.client"), "send_credentials", HOLDER, actor=SYSTEM)


@pytest.mark.usefixtures("no_demonstration")
def test_what_names_no_portal_comes_from_that_of_its_group_and_leads_to_it(
    account: Find,
    store: Callable[..., None],
    engine: sa.Engine,
    server: MailServer,
    inbox: Inbox,
    session: RecordSession,
) -> None:
    portal = session.scalars(sa.select(Portal).where(Portal.code == "ECOOPERA")).one()
    store(Portal, portal.id, sender="area@clienti.prova.example", public_url="https://area.prova.example/")
    someone = account("demo.client")
    store(Account, someone.id, portal_id=None, state=AccountState.invited)
    ticket = session.scalars(sa.select(Ticket).where(Ticket.group_id == portal.group_id)).first()
    assert ticket is not None
    store(Ticket, ticket.id, account_id=someone.id)
    perform(session, account("demo.client"), "send_credentials", HOLDER, actor=SYSTEM)
    values = {"name": "Ida", "number": ticket.number, "subject": ticket.subject, "text": "Provi ora."}
    queue_mail(
        session, "ticket_message", values, to="ida@prova.example", about=session.get_one(Ticket, ticket.id),
        language=MailLanguage.it,
    )  # fmt: skip
    session.commit()
    assert send_due(engine, server, ROOTS).sent == 2
    for mail, path in zip(inbox.taken, ("link/", f"ticket/{ticket.id}"), strict=True):
        assert "area@clienti.prova.example" in mail["From"]
        assert f"https://area.prova.example/it/{path}" in mail.get_body(("plain",)).get_content()


def test_the_time_of_an_answer_does_not_tell_who_is_known(browser_of: Browsers, application: Any) -> None:
    """No sooner than the time set, which leaves room for whatever is done for somebody known."""
    browser, least = browser_of(), 0.4
    application.app.config["LEAST_ANSWER_SECONDS"] = least
    for name in ("demo.client", "nobody@nowhere.example"):
        began = time.monotonic()
        assert browser.form("/it/forgotten/", {"username": name}).status_code == 200
        assert time.monotonic() - began >= least
