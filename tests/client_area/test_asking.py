"""What referents ask for from within, and nobody else does (AC-11, AC-12)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from backoffice.database import RecordSession
from models.account import Account
from models.activation_request import ActivationRequest, RequestChannel, RequestKind
from models.online_service import OnlineService
from models.outbox_mail import MailLanguage
from tests.client_area.conftest import ClientBrowser

pytestmark = pytest.mark.databases("postgresql", "sqlite", long=("sqlite",))
Browsers = Callable[..., ClientBrowser]


def newest(session: RecordSession) -> ActivationRequest:
    session.rollback()
    session.expire_all()
    return session.scalars(sa.select(ActivationRequest).order_by(ActivationRequest.id.desc()).limit(1)).one()


def service(session: RecordSession) -> int:
    found = session.scalars(sa.select(OnlineService).where(OnlineService.code == "ANALISI")).one().id
    session.rollback()
    return found


def test_services_an_account_and_the_end_of_one(
    browser_of: Browsers, account: Callable[[str], Account], session: RecordSession
) -> None:
    browser, someone = browser_of("demo.referent"), account("demo.referent")
    wanted = str(service(session))
    assert browser.form("/it/ask/service/", {"service": wanted, "note": "Per la sede nuova"}).status_code == 303
    made = newest(session)
    assert (made.kind, made.channel, made.company_id, made.account_id) == (
        RequestKind.service,
        RequestChannel.portal,
        someone.company_id,
        someone.id,
    )
    sent = {"service": wanted, "account_name": "Carla Collega", "account_email": "carla@prova.example"}
    assert browser.form("/it/ask/account/", sent).status_code == 303
    assert (newest(session).account_name, newest(session).email) == ("Carla Collega", someone.email)
    assert newest(session).language is MailLanguage.it
    assert browser.form("/en/ask/service/", {"service": wanted}).status_code == 303
    assert newest(session).language is MailLanguage.en, "answered in the language it was asked in"
    colleague = account("demo.client")
    assert browser.form(f"/it/account/{colleague.id}/end/", {}).status_code == 303
    assert (newest(session).kind, newest(session).account_id) == (RequestKind.account_deletion, colleague.id)
    assert newest(session).number in browser.get("/it/activation_request/").text


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"account_name": "Carla", "account_email": "carla@prova.example"}, "services"),
        ({"service": "?", "account_email": "carla@prova.example"}, "account_name"),
        ({"service": "?", "account_name": "Carla", "account_email": "nessuna"}, "account_email"),
    ],
)
def test_what_is_missing_is_told(
    browser_of: Browsers, session: RecordSession, values: dict[str, str], field: str
) -> None:
    wanted = str(service(session))
    sent = {name: wanted if value == "?" else value for name, value in values.items()}
    answer = browser_of("demo.referent").form("/it/ask/account/", sent)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text


def test_other_access_for_a_colleague(
    browser_of: Browsers, account: Callable[[str], Account], session: RecordSession
) -> None:
    browser, colleague = browser_of("demo.referent"), account("demo.client")
    path = f"/it/account/{colleague.id}/change/"
    assert f'href="{path}"' in browser.get(f"/it/account/{colleague.id}").text
    refused = browser.form(path, {"note": " "})
    assert (refused.status_code, 'id="note-error"' in refused.text) == (422, True)
    assert browser.form(path, {"note": "Solo la sede di Trento"}).status_code == 303
    made = newest(session)
    assert (made.kind, made.account_id, made.note) == (
        RequestKind.scope_change,
        colleague.id,
        "Solo la sede di Trento",
    )
    assert browser_of("demo.client").get(path).status_code == 403


def test_not_for_others_and_not_about_others(
    browser_of: Browsers,
    account: Callable[[str], Account],
    session: RecordSession,
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert browser_of("demo.client").get("/it/ask/service/").status_code == 403
    foreign = session.scalars(
        sa.select(Account).where(Account.company_id != account("demo.referent").company_id, Account.group_id == 1)
    ).first()
    assert foreign is not None
    assert browser_of("demo.referent").get(f"/it/account/{foreign.id}/end/").status_code == 404
    assert browser_of("demo.referent").get(f"/it/account/{foreign.id}/change/").status_code == 404
    # Whoever tries numbers stands in the log.
    asked = f"Account {account('demo.referent').id} asked for '/it/account/{foreign.id}/end/', which is not there"
    assert asked in caplog.text
    assert browser_of().get("/it/ask/service/").status_code == 302
