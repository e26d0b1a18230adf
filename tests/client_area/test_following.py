"""A request followed by the link in its mails: the question answered, the proposal accepted or declined (AR-09)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from backoffice import clock
from backoffice.database import RecordSession
from backoffice.delivery import send_due
from backoffice.mail.sending import MailServer
from models.activation_request import ActivationRequest
from models.activation_request import RequestState as S
from models.activation_request_item import ActivationRequestItem, ItemState
from models.client_link import ClientLink
from models.online_service import OnlineService
from tests.client_area.conftest import ClientBrowser
from tests.mail.conftest import ROOTS, inbox, no_demonstration, server
from tests.mail.smtp import Inbox

pytestmark = pytest.mark.databases("postgresql", "sqlite", long=("sqlite",))
Browsers = Callable[..., ClientBrowser]
Store = Callable[..., None]

__all__ = ["inbox", "no_demonstration", "server"]


def newest(session: RecordSession) -> ActivationRequest:
    session.rollback()
    session.expire_all()
    return session.scalars(sa.select(ActivationRequest).order_by(ActivationRequest.id.desc()).limit(1)).one()


@pytest.fixture
def followed(
    no_demonstration: None,
    browser_of: Browsers,
    session: RecordSession,
    engine: sa.Engine,
    server: MailServer,
    inbox: Inbox,
) -> ClientBrowser:
    """A browser with the page of a request it made itself, opened by the link in the mail."""
    service = session.scalars(sa.select(OnlineService).where(OnlineService.code == "EDUPLAN")).one().id
    session.rollback()
    browser = browser_of()
    sent = {"service": str(service), "company_name": "Vetreria Prova S.r.l.", "vat_number": "99000000226"}
    person = {"requester_name": "Paola Prova", "email": "paola@prova.example", "consent": "1"}
    assert browser.form("/en/request/", sent | person).status_code == 303
    send_due(engine, server, ROOTS)
    mails = [mail for mail in inbox.taken if mail["To"] == "paola@prova.example"]
    assert len(mails) == 1
    body = mails[0].get_body(("plain",))
    assert body is not None
    text = str(body.get_content())
    found = re.search(rf"{ROOTS.client_area}(/en/follow/\S+)", text)
    assert found, text
    assert found[1].rpartition("/")[2] not in str(session.execute(sa.select(ClientLink.digest)).all())
    elsewhere = browser_of()
    assert elsewhere.get(found[1]).location == "/en/follow/"
    return elsewhere


def propose(session: RecordSession, store: Store) -> ActivationRequest:
    """Bring the request to where a proposal waits for its requester."""
    made = newest(session)
    store(ActivationRequestItem, made.items[0].id, state=ItemState.approved_paid, yearly_fee=480)
    store(
        ActivationRequest,
        made.id,
        state=S.awaiting_acceptance,
        proposal="EDUPLAN: € 480,00 a year",
        proposed_at=clock.now(),
    )
    return newest(session)


def test_the_page_says_how_far_it_is_and_takes_the_answer(
    followed: ClientBrowser, session: RecordSession, store: Store
) -> None:
    made = newest(session)
    page = followed.get("/en/follow/")
    assert made.number in page.text
    assert "Being looked at" in page.text
    store(ActivationRequest, made.id, state=S.info_requested, state_before=S.in_evaluation, question="For which sites?")
    assert "For which sites?" in followed.get("/en/follow/").text
    assert followed.form("/en/follow/", {"text": " "}).status_code == 422
    assert followed.form("/en/follow/", {"text": "For Trento."}).status_code == 303
    assert (newest(session).answer, newest(session).state) == ("For Trento.", S.in_evaluation)


def test_a_proposal_is_accepted_with_who_when_and_how(
    followed: ClientBrowser, session: RecordSession, store: Store
) -> None:
    propose(session, store)
    assert "€ 480,00 a year" in followed.get("/en/follow/").text
    assert followed.form("/en/follow/", {"accept": "1"}).status_code == 303
    accepted = newest(session)
    assert (accepted.state, accepted.accepted_by) == (S.decided, "Paola Prova")
    assert accepted.accepted_at is not None
    assert "paola@prova.example" in (accepted.acceptance_evidence or "")
    # Twice is once.
    assert followed.form("/en/follow/", {"accept": "1"}, page="/en/request/").status_code >= 400


def test_what_is_declined_is_not_activated(followed: ClientBrowser, session: RecordSession, store: Store) -> None:
    propose(session, store)
    assert followed.form("/en/follow/", {"decline": "1", "text": "Too much for us."}).status_code == 303
    declined = newest(session)
    assert [(item.state, item.note) for item in declined.items] == [(ItemState.rejected, "Too much for us.")]
    assert declined.state is S.decided


def test_links_that_are_none(browser_of: Browsers) -> None:
    browser = browser_of()
    assert browser.get("/it/follow/").status_code == 404
    browser.get("/it/follow/inventato")
    answer: Any = browser.get("/it/follow/")
    assert answer.status_code == 404
