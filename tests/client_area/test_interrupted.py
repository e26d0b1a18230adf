"""A client's form sent after the session has ended: what was written is there again, and nothing was sent."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from backoffice import clock
from backoffice.access import INTERNAL
from backoffice.database import RecordSession
from models.account_session import AccountSession
from models.ticket import Ticket
from tests.client_area.conftest import ClientBrowser
from tests.seeded import PASSWORD
from tests.views.test_interrupted import hidden

pytestmark = pytest.mark.databases("postgresql", "sqlite", long=("sqlite",))
Browsers = Callable[..., ClientBrowser]
HERE = {"Origin": "http://localhost"}
USER = "demo.referent"
WORDS = "Non stampa più nulla,\r\nda stamattina"
#: What clients write, by where.
FORMS = {
    "/it/tickets/new/": "description",
    "/it/complaints/new/": "description",
    "/it/ask/service/": "note",
    "/it/ask/account/": "note",
}


def count_tickets(session: RecordSession) -> int | None:
    session.rollback()
    return session.scalar(sa.select(sa.func.count(Ticket.id)), execution_options=INTERNAL)


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize("cookie", ["gone", "of an ended session"])
def test_what_was_written_comes_back_after_signing_in(
    browser_of: Browsers, session: RecordSession, path: str, cookie: str
) -> None:
    browser, tickets = browser_of(USER), count_tickets(session)
    typed = hidden(browser.get(path).text) | {FORMS[path]: WORDS}
    if cookie == "gone":
        browser.delete_cookie("clients")
    else:
        ended = sa.update(AccountSession.__table__).values(ended_at=clock.now())
        session.execute(ended, execution_options=INTERNAL)
        session.commit()
    lost = browser.post(path, data=typed, headers=HERE)
    assert (lost.status_code, "La sessione è scaduta" in lost.text) == (403, True)
    credentials = {"username": USER, "password": PASSWORD}
    wrong = browser.post("/it/login/", data=hidden(lost.text) | credentials | {"password": "un altro tentativo"})
    assert wrong.status_code == 401
    back = browser.post("/it/login/", data=hidden(wrong.text) | credentials)
    again = browser.post(path, data=hidden(back.text))
    assert (again.status_code, "da stamattina" in again.text, "data-resumed" in again.text) == (200, True, True)
    assert "I file vanno scelti di nuovo." not in again.text
    assert count_tickets(session) == tickets


def test_files_are_to_be_chosen_again(browser_of: Browsers) -> None:
    browser = browser_of(USER)
    typed = hidden(browser.get("/it/tickets/new/").text) | {"description": WORDS}
    browser.delete_cookie("clients")
    sent = typed | {"file": (io.BytesIO(b"testo"), "nota.txt")}
    lost = browser.post("/it/tickets/new/", data=sent, headers=HERE, content_type="multipart/form-data")
    back = browser.post("/it/login/", data=hidden(lost.text) | {"username": USER, "password": PASSWORD})
    again = browser.post("/it/tickets/new/", data=hidden(back.text))
    assert "da stamattina" in again.text
    assert "I file vanno scelti di nuovo." in again.text


def test_a_form_of_another_site_is_not_kept_nor_one_that_takes_no_words(browser_of: Browsers) -> None:
    browser = browser_of(USER)
    own = hidden(browser.get("/it/tickets/new/").text)
    browser.delete_cookie("clients")
    for path, headers in (("/it/tickets/new/", {"Origin": "http://evil.example"}), ("/it/account/1/end/", HERE)):
        answer = browser.post(path, data=own | {"description": WORDS}, headers=headers)
        assert (answer.status_code, "da stamattina" in answer.text) == (400, False)
