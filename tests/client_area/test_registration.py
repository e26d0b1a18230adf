"""Registering oneself: from the form to the first sign-in, a link, a check and a mail in between (AC-31)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from backoffice.access import INTERNAL
from backoffice.actors import SYSTEM
from backoffice.database import RecordSession, begin_writing
from backoffice.delivery import send_due
from backoffice.mail.sending import MailServer
from backoffice.operations.pseudonyms import make_pseudonym
from backoffice.operations.verbs import perform
from models.account import Account, AccountState
from models.company import Company, CompanyState
from models.consent import Consent
from models.history_entry import HistoryPersonal
from models.outbox_mail import OutboxMail
from models.support_queue import SupportQueue
from tests.client_area.conftest import ClientBrowser
from tests.mail.conftest import ROOTS, inbox, no_demonstration, server
from tests.mail.smtp import Inbox

pytestmark = pytest.mark.databases("postgresql", "sqlite", long=("sqlite",))
Browsers = Callable[..., ClientBrowser]
TYPED: dict[str, Any] = {
    "full_name": "Nadia Nuova",
    "company_name": "Nuova Vetreria S.r.l.",
    "email": "nadia@nuova.example",
    "new": "cinque-tram-blu-lenti",
    "again": "cinque-tram-blu-lenti",
    "consent": "1",
}

__all__ = ["inbox", "no_demonstration", "server"]


def plain(inbox: Inbox, number: int = -1) -> str:
    body = inbox.taken[number].get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def registered(session: RecordSession) -> Account:
    session.rollback()
    session.expire_all()
    return session.scalars(sa.select(Account).where(Account.email == TYPED["email"])).one()


@pytest.mark.usefixtures("no_demonstration")
def test_from_registration_to_the_first_sign_in(
    browser_of: Browsers, session: RecordSession, engine: sa.Engine, server: MailServer, inbox: Inbox
) -> None:
    session.execute(sa.update(SupportQueue).where(SupportQueue.group_id == 2).values(email="coda@supporto.example"))
    session.commit()
    browser = browser_of(portal="SUPPORTO")
    assert browser.get("/it/register/done/").location == "/it/register/"
    assert browser.form("/it/register/", TYPED).location == "/it/register/done/"
    assert browser.get("/it/register/done/").status_code == 200
    account = registered(session)
    assert (account.state, account.declared_company) == (AccountState.registered, TYPED["company_name"])
    consent = session.scalars(sa.select(Consent).where(Consent.account_id == account.id)).one()
    assert consent.terms is not None
    assert consent.revoked_at is None
    assert "non è ancora confermato" in browser.sign_in(account.username, TYPED["new"]).text
    send_due(engine, server, ROOTS)
    found = re.search(rf"{ROOTS.client_area}(/it/confirm/\S+)", plain(inbox))
    assert found
    assert TYPED["new"] not in plain(inbox)
    assert browser.get(found[1]).location == "/it/confirm/"
    assert registered(session).state is AccountState.registered  # opening the link confirms nothing yet
    assert browser.form("/it/confirm/", {}).status_code == 200
    assert registered(session).state is AccountState.pending_validation
    assert "in verifica" in browser.sign_in(account.username, TYPED["new"]).text
    again = browser_of(portal="SUPPORTO")
    again.get(found[1])
    answer = again.get("/it/confirm/")
    assert (answer.status_code, "già confermato" in answer.text) == (410, True)
    send_due(engine, server, ROOTS)
    assert inbox.taken[-1]["To"] == "coda@supporto.example"
    _validate(session)
    send_due(engine, server, ROOTS)
    assert f"{ROOTS.client_area}/it/login/" in plain(inbox)
    assert browser.sign_in(account.username, TYPED["new"]).status_code == 303
    assert "Nadia Nuova" in browser.get("/it/").text


def _validate(session: RecordSession) -> None:
    client = sa.select(Company).where(Company.group_id == 2, Company.state == CompanyState.client)
    with begin_writing():
        session.rollback()
        account = session.scalars(sa.select(Account).where(Account.email == TYPED["email"])).one()
        company = session.scalars(client.limit(1)).one()
        perform(session, account, "validate", {"company": company.id}, actor=SYSTEM)
        session.commit()


@pytest.mark.usefixtures("no_demonstration")
@pytest.mark.parametrize(("language", "greeting"), [("it", "Buongiorno"), ("en", "Dear")])
def test_whoever_is_turned_down_reads_why_in_the_language_of_the_form(
    browser_of: Browsers,
    session: RecordSession,
    engine: sa.Engine,
    server: MailServer,
    inbox: Inbox,
    language: str,
    greeting: str,
) -> None:
    browser_of(portal="SUPPORTO").form(f"/{language}/register/", TYPED)
    account = registered(session)
    assert account.portal is not None
    account.portal.sender, account.portal.name = "supporto@prova.example", "Rossi, Però & C."
    perform(session, account, "confirm_address", actor=SYSTEM)
    perform(session, account, "submit", actor=SYSTEM)
    perform(session, account, "reject", {"validation_notes": "L’azienda non è nostra cliente."}, actor=SYSTEM)
    session.commit()
    send_due(engine, server, ROOTS)
    assert "L’azienda non è nostra cliente." in plain(inbox)
    assert plain(inbox).startswith(greeting)
    (sender,) = inbox.taken[-1]["From"].addresses
    assert (sender.display_name, sender.addr_spec) == ("Rossi, Però & C.", "supporto@prova.example")
    # Whoever tries once more is told the same again, until staff look at it again.
    said = plain(inbox)
    session.rollback()
    assert browser_of(portal="SUPPORTO").form(f"/{language}/register/", TYPED).status_code == 303
    send_due(engine, server, ROOTS)
    assert (len(inbox.taken), plain(inbox)) == (2, said)
    account = registered(session)
    perform(session, account, "reconsider", actor=SYSTEM)
    session.commit()
    assert account.state is AccountState.pending_validation


def test_an_address_that_has_an_account_gets_the_same_page_and_another_mail(
    browser_of: Browsers, session: RecordSession
) -> None:
    known = session.scalars(sa.select(Account).where(Account.username == "demo.referent.2")).one().email
    before = session.scalar(sa.select(sa.func.count()).select_from(Account))
    session.rollback()
    browser = browser_of(portal="SUPPORTO")
    assert browser.form("/it/register/", {**TYPED, "email": known}).location == "/it/register/done/"
    session.rollback()
    assert session.scalar(sa.select(sa.func.count()).select_from(Account)) == before
    assert session.scalars(sa.select(OutboxMail.template)).all() == ["account_password"]


@pytest.mark.usefixtures("no_demonstration")
def test_whoever_lost_the_link_registers_once_more_and_gets_another(
    browser_of: Browsers, session: RecordSession, engine: sa.Engine, server: MailServer, inbox: Inbox
) -> None:
    browser = browser_of(portal="SUPPORTO")
    for _time in range(2):
        assert browser.form("/it/register/", TYPED).location == "/it/register/done/"
    send_due(engine, server, ROOTS)
    links = [re.search(r"/it/confirm/\S+", mail.get_body(("plain",)).get_content()) for mail in inbox.taken]
    assert len({found[0] for found in links if found}) == 2
    assert links[-1]
    browser.get(links[-1][0])
    assert browser.form("/it/confirm/", {}).status_code == 200
    assert registered(session).state is AccountState.pending_validation
    assert links[0]
    browser.get(links[0][0])  # the first of the two mails, opened afterwards
    assert "già confermato" in browser.get("/it/confirm/").text


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"full_name": ""}, "full_name"),
        ({"company_name": " "}, "company_name"),
        ({"email": "nessuna"}, "email"),
        ({"new": "corta", "again": "corta"}, "new"),
        ({"again": "altra"}, "again"),
        ({"consent": None}, "consent"),
    ],
)
def test_what_is_missing_is_told_and_no_account_made(
    browser_of: Browsers, session: RecordSession, changed: dict[str, Any], field: str
) -> None:
    sent = {name: value for name, value in {**TYPED, **changed}.items() if value is not None}
    answer = browser_of(portal="SUPPORTO").form("/it/register/", sent)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    session.rollback()
    assert session.scalars(sa.select(Account).where(Account.email == TYPED["email"])).all() == []


def test_a_portal_that_takes_no_registrations(browser_of: Browsers) -> None:
    browser = browser_of()
    assert "/it/register/" not in browser.get("/it/login/").text
    assert browser.get("/it/register/").status_code == 404


def test_nothing_of_a_registration_outlives_the_account(browser_of: Browsers, session: RecordSession) -> None:
    """What was written before staff said whose account it is belongs to no company."""
    browser_of(portal="SUPPORTO").form("/en/register/", TYPED)
    account = registered(session)
    perform(session, account, "confirm_address", actor=SYSTEM)
    perform(session, account, "submit", actor=SYSTEM)
    session.commit()
    _validate(session)
    named = sa.select(sa.func.count()).select_from(HistoryPersonal)
    named = named.where(HistoryPersonal.record_title.contains(TYPED["full_name"]))
    assert session.scalar(named, execution_options=INTERNAL)
    with begin_writing():
        make_pseudonym(session, registered(session))
        session.commit()
    assert session.scalar(named, execution_options=INTERNAL) == 0
