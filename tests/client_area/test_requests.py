"""Asking for services without an account: taken from anybody, and no answer tells who is a client (AR-06, AR-24)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from itsdangerous import URLSafeTimedSerializer

from backoffice import clock
from backoffice.database import RecordSession
from models.activation_request import ActivationRequest, RequestChannel, RequestOrigin, RequestState
from models.company import Company
from models.history_entry import HistoryEntry
from models.online_service import OnlineService
from models.outbox_mail import OutboxMail
from models.portal import Portal
from tests.client_area.conftest import ClientBrowser

pytestmark = pytest.mark.databases("postgresql", "sqlite", long=("sqlite",))
Browsers = Callable[..., ClientBrowser]


@pytest.fixture
def typed(session: RecordSession) -> dict[str, Any]:
    """What somebody fills in, for ANALISI."""
    service = session.scalars(sa.select(OnlineService).where(OnlineService.code == "ANALISI")).one()
    session.rollback()
    return {
        "service": str(service.id),
        "company_name": "Vetreria Prova S.r.l.",
        "vat_number": "99000000226",
        "requester_name": "Paola Prova",
        "email": "paola@prova.example",
        "phone": "0461 123456",
        "note": "",
        "consent": "1",
    }


def newest(session: RecordSession) -> ActivationRequest:
    session.rollback()
    return session.scalars(sa.select(ActivationRequest).order_by(ActivationRequest.id.desc()).limit(1)).one()


def count(session: RecordSession) -> int:
    session.rollback()
    return session.scalar(sa.select(sa.func.count()).select_from(ActivationRequest)) or 0


def test_a_request_is_written_down_as_it_came(
    browser_of: Browsers, typed: dict[str, Any], session: RecordSession
) -> None:
    browser = browser_of()
    assert browser.form("/it/request/", typed).location == "/it/request/received/"
    made = newest(session)
    assert made.number in browser.get("/it/request/received/").text
    assert (made.state, made.channel, made.origin) == (
        RequestState.received,
        RequestChannel.login_page,
        RequestOrigin.client_request,
    )
    assert made.portal is not None
    assert made.portal.code == "ECOOPERA"
    assert made.consent_at is not None
    assert [item.online_service.code for item in made.items] == ["ANALISI"]
    assert made.phone == "+390461123456"
    assert made.group_id == made.portal.group_id
    entry = session.scalars(
        sa.select(HistoryEntry).where(HistoryEntry.entity == "activation_request", HistoryEntry.record_id == made.id)
    ).first()
    assert entry is not None
    assert entry.door.value == "client_area"


def test_the_confirmation_comes_from_the_portal(
    browser_of: Browsers, typed: dict[str, Any], session: RecordSession, store: Callable[..., None]
) -> None:
    portal = session.scalars(sa.select(Portal).order_by(Portal.id)).first()
    assert portal is not None
    store(Portal, portal.id, sender="area@prova.example")
    assert browser_of().form("/it/request/", typed).status_code == 303
    made = newest(session)
    assert made.consent_at is not None
    assert made.portal_id == portal.id
    mail = session.scalars(sa.select(OutboxMail).where(OutboxMail.template == "activation_received")).one()
    assert mail.sender == "area@prova.example"


def test_the_answer_does_not_tell_who_is_a_client(
    browser_of: Browsers, typed: dict[str, Any], session: RecordSession
) -> None:
    known = session.scalars(sa.select(Company).where(Company.vat_number.is_not(None), Company.group_id == 1)).first()
    assert known is not None
    numbers = [known.vat_number, typed["vat_number"]]
    session.rollback()
    texts = []
    for number in numbers:
        browser = browser_of()
        answer = browser.form("/it/request/", {**typed, "vat_number": number})
        assert answer.status_code == 303
        texts.append(re.sub(r"RA-\d+", "RA", browser.get("/it/request/received/").text))
    assert texts[0] == texts[1]
    assert newest(session).company is None
    first = session.scalars(sa.select(ActivationRequest).order_by(ActivationRequest.id.desc()).offset(1).limit(1)).one()
    assert first.company_id == known.id  # staff see at once who it is


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"service": ""}, "services"),
        ({"service": "999999"}, "services"),
        ({"company_name": " "}, "company_name"),
        ({"vat_number": "99000000227"}, "vat_number"),
        ({"vat_number": ""}, "vat_number"),
        ({"email": "nessuna"}, "email"),
        ({"consent": None}, "consent"),
    ],
)
def test_what_is_missing_is_told_beside_its_field_and_nothing_typed_is_lost(
    browser_of: Browsers, typed: dict[str, Any], session: RecordSession, changed: dict[str, Any], field: str
) -> None:
    before = count(session)
    sent = {name: value for name, value in {**typed, **changed}.items() if value is not None}
    answer = browser_of().form("/it/request/", sent)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert "Paola Prova" in answer.text
    assert count(session) == before


def test_a_tax_code_serves_where_there_is_no_vat_number(
    browser_of: Browsers, typed: dict[str, Any], session: RecordSession
) -> None:
    assert browser_of().form("/it/request/", {**typed, "vat_number": "RSSMRA80A01L378Y"}).status_code in (303, 422)
    answer = browser_of().form("/it/request/", {**typed, "vat_number": "80002000281"})
    assert answer.status_code == 303, answer.text


def test_programs_and_floods_are_stopped(browser_of: Browsers, typed: dict[str, Any], session: RecordSession) -> None:
    before, browser = count(session), browser_of()
    assert browser.form("/it/request/", {**typed, "website": "http://spam.example"}).status_code == 303
    assert count(session) == before
    statuses = [browser.form("/it/request/", {**typed, "email": f"a{n}@prova.example"}).status_code for n in range(11)]
    assert statuses[-1] == 429
    assert statuses[0] == 303


def test_what_comes_faster_than_anybody_types_is_asked_for_once_more_and_not_lost(
    browser_of: Browsers, typed: dict[str, Any], session: RecordSession, application: Any
) -> None:
    before, browser = count(session), browser_of()
    application.app.config["LEAST_FORM_SECONDS"] = 60
    answer = browser.form("/it/request/", typed)
    assert (answer.status_code, "invialo di nuovo" in answer.text, count(session)) == (422, True, before)
    assert "Paola Prova" in answer.text
    # Shown again the form keeps its time, so that correcting it takes no longer than it takes.
    long_ago = int(clock.now().timestamp()) - 61
    sent = {"began": URLSafeTimedSerializer(application.app.secret_key, salt="request-form").dumps(long_ago)}
    wrong = browser.form("/it/request/", {**typed, **sent, "vat_number": "99000000227"})
    assert (wrong.status_code, _hidden(wrong.text, "began")) == (422, sent["began"])
    assert browser.form("/it/request/", {**typed, **sent}).status_code == 303
    assert count(session) == before + 1


def _hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', page)
    assert found
    return found[1]


def test_forms_that_are_refused_are_not_counted_for_the_address(
    browser_of: Browsers, typed: dict[str, Any], session: RecordSession
) -> None:
    statuses = []
    for n in range(7):
        place = {"REMOTE_ADDR": f"203.0.113.{n}"}
        wrong = {**typed, "vat_number": "99000000227"} if n < 6 else typed
        statuses.append(browser_of().form("/it/request/", wrong, environ_overrides=place).status_code)
    assert statuses == [422] * 6 + [303]


def test_one_address_is_not_flooded_from_many_places(browser_of: Browsers, typed: dict[str, Any]) -> None:
    statuses = []
    for n in range(6):
        answer = browser_of().form("/it/request/", typed, environ_overrides={"REMOTE_ADDR": f"203.0.113.{n}"})
        statuses.append(answer.status_code)
    assert statuses == [303] * 5 + [429]
    assert 'id="email-error"' in answer.text
    assert "Paola Prova" in answer.text


def test_a_portal_that_takes_none(browser_of: Browsers, session: RecordSession, store: Callable[..., None]) -> None:
    portal = session.scalars(sa.select(Portal).where(Portal.code == "ECOOPERA")).one()
    browser = browser_of()
    assert "/it/request/" in browser.get("/it/login/").text
    store(Portal, portal.id, requests_open=False)
    assert browser.get("/it/request/").status_code == 404
    assert "/it/request/" not in browser.get("/it/login/").text
