"""The profile: the person's numbers, and another e-mail address that counts once its link is followed (AC-39)."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from backoffice.database import RecordSession
from backoffice.delivery import send_due
from backoffice.mail.sending import MailServer
from models.account import Account
from models.contact import Contact
from models.outbox_mail import OutboxMail
from tests.client_area.conftest import ClientBrowser
from tests.mail.conftest import ROOTS, inbox, no_demonstration, server
from tests.mail.smtp import Inbox
from tests.seeded import PASSWORD

__all__ = ["inbox", "no_demonstration", "server"]

Browsers = Callable[..., ClientBrowser]
Find = Callable[[str], Account]

WANTED = "carla.nuova@prova.example"
PAGE = "/it/profile/"


@pytest.fixture
def contact(account: Find, store: Callable[..., None], session: RecordSession) -> Callable[[], Contact]:
    """Give the referent a contact with the same address; return a function that finds it as it is stored now."""
    someone = account("demo.referent")
    key = session.scalars(sa.select(Contact.id).where(Contact.company_id == someone.company_id)).first()
    assert key is not None
    store(Account, someone.id, contact_id=key)
    store(Contact, key, email=someone.email)

    def find() -> Contact:
        session.rollback()
        session.expire_all()
        return session.get_one(Contact, key)

    return find


def test_numbers_are_kept_with_the_contact(browser_of: Browsers, contact: Callable[[], Contact]) -> None:
    browser = browser_of("demo.referent")
    typed = {"full_name": "Renata Referenti", "phone": "0461 123456", "mobile": "333 1234567"}
    assert browser.form(PAGE, typed).status_code == 303
    assert (contact().phone, contact().mobile) == ("+390461123456", "+393331234567")
    assert 'value="+39 0461 123456"' in browser.get(PAGE).text
    refused = browser.form(PAGE, {**typed, "phone": "abc", "full_name": ""})
    assert refused.status_code == 422
    assert refused.text.count("is-invalid") == 2, "both are told at once"
    assert 'value="abc"' in refused.text
    assert browser.form(PAGE, {**typed, "phone": ""}).status_code == 303
    assert contact().phone is None


@pytest.mark.usefixtures("no_demonstration")
def test_another_address_counts_once_its_link_is_followed(
    browser_of: Browsers,
    account: Find,
    contact: Callable[[], Contact],
    engine: sa.Engine,
    server: MailServer,
    inbox: Inbox,
    session: RecordSession,
) -> None:
    browser, someone = browser_of("demo.referent"), account("demo.referent")
    former = someone.email
    wish = {"new_email": WANTED.upper(), "address_password": PASSWORD}
    wrong = browser.form(PAGE, {**wish, "address_password": "sbagliata-sbagliata"})
    assert (wrong.status_code, "La password attuale non è giusta" in wrong.text) == (422, True)
    assert browser.form(PAGE, {**wish, "new_email": "nessun indirizzo"}).status_code == 422
    assert browser.form(PAGE, {**wish, "new_email": former}).status_code == 422
    assert browser.form(PAGE, wish).status_code == 303
    assert WANTED in browser.get(PAGE).text
    assert (account("demo.referent").email, account("demo.referent").new_email) == (former, WANTED)
    session.rollback()
    assert send_due(engine, server, ROOTS).sent == 1
    mail = inbox.taken.pop()
    assert mail["To"] == WANTED
    body = mail.get_body(("plain",))
    assert body is not None
    path = re.search(r"https?://[^/]+(/it/address/\S+)", body.get_content())
    assert path
    anybody = browser_of()
    assert anybody.get(path[1]).location.endswith("/it/address/")
    assert account("demo.referent").email == former, "looking at a link confirms nothing"
    assert "è il tuo indirizzo" in anybody.form("/it/address/", {}).text
    assert (account("demo.referent").email, account("demo.referent").new_email) == (WANTED, None)
    assert contact().email == WANTED
    assert browser_of().sign_in(WANTED).status_code == 303
    assert browser_of().sign_in(former).status_code == 401
    session.rollback()
    assert send_due(engine, server, ROOTS).sent == 1
    assert inbox.taken.pop()["To"] == former, "the former address is told"
    again = browser_of()
    again.get(path[1])
    answer = again.get("/it/address/")
    assert (answer.status_code, "Il profilo dice" in answer.text) == (410, True)


def test_who_has_an_address_is_told_to_nobody(browser_of: Browsers, account: Find, session: RecordSession) -> None:
    browser, taken = browser_of("demo.referent"), account("demo.client").email
    assert browser.form(PAGE, {"new_email": taken, "address_password": PASSWORD}).status_code == 303
    session.rollback()
    assert session.scalars(sa.select(OutboxMail).where(OutboxMail.template == "account_new_address")).all() == []
