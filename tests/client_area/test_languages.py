"""What administrators write for clients in both languages is read in the reader's, on every page and in every mail."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
import sqlalchemy as sa
from flask_babel import force_locale

from backoffice.database import RecordSession, begin_writing
from backoffice.operations.grant_mails import tell_of_access
from backoffice.texts import in_language
from models.account import Account
from models.company_service import CompanyService
from models.contact import Contact
from models.online_service import OnlineService
from models.outbox_mail import MailLanguage, OutboxMail
from models.portal import Portal
from models.request_type import RequestType
from tests.client_area.conftest import ClientBrowser

pytestmark = pytest.mark.databases("postgresql", "sqlite", long=("sqlite",))
Browsers = Callable[..., ClientBrowser]


@pytest.fixture
def seeded(session: RecordSession) -> list[tuple[str, str]]:
    """The Italian and English words of what visitors of the first portal read, from the seed."""
    portal = session.scalars(sa.select(Portal).where(Portal.code == "ECOOPERA")).one()
    services = session.scalars(sa.select(OnlineService)).all()
    pairs = [(one.public_description, one.public_description_en) for one in services]
    pairs = [*pairs, (portal.hours, portal.hours_en)]
    assert all(it and en and it != en for it, en in pairs), pairs
    return [(it.split(".")[0].split("’")[-1], en.split(".")[0]) for it, en in pairs if it and en]


def test_visitors_read_one_language(browser_of: Browsers, seeded: list[tuple[str, str]]) -> None:
    italian, english = (browser_of().get(f"/{language}/login/").text for language in ("it", "en"))
    for it, en in seeded:
        assert (it in italian, en in italian, it in english, en in english) == (True, False, False, True), it


def test_a_text_without_english_is_for_all() -> None:
    kind = RequestType(name="Reclamo", name_en=None)
    assert [in_language(kind, "name", language) for language in ("it", "en")] == ["Reclamo", "Reclamo"]


def test_types_of_requests_on_the_form(browser_of: Browsers) -> None:
    browser = browser_of("demo.referent.2", portal="SUPPORTO")
    italian, english = (browser.get(f"/{language}/tickets/new/").text for language in ("it", "en"))
    assert ("Reclamo" in italian, "Complaint" in italian) == (True, False)
    assert ("Reclamo" in english, "Complaint" in english) == (False, True)


@pytest.mark.parametrize("language", list(MailLanguage))
def test_mails_name_services_in_the_language_of_who_reads_them(
    session: RecordSession, application: object, account: Callable[[str], Account], language: MailLanguage
) -> None:
    someone = account("demo.referent")
    grant = session.scalars(sa.select(CompanyService).where(CompanyService.company_id == someone.company_id)).first()
    assert grant is not None
    with begin_writing():
        session.execute(sa.update(Contact).values(language=language))
        session.expire_all()
        other = "it" if language is MailLanguage.en else "en"
        with application.app.test_request_context(), force_locale(other):  # type: ignore[attr-defined]
            tell_of_access(session, grant, "access_suspended", date(2026, 12, 31))
        mail = session.scalars(sa.select(OutboxMail).order_by(OutboxMail.id.desc()).limit(1)).one()
    assert mail.language is language
    service = grant.online_service
    assert mail.arguments["service"] == (service.name_en if language is MailLanguage.en else service.name)


def test_clients_choose_among_kinds_meant_for_them(browser_of: Browsers, session: RecordSession) -> None:
    kinds = session.scalars(sa.select(RequestType).where(RequestType.group_id == 2)).all()
    shown = browser_of("demo.referent.2", portal="SUPPORTO").get("/it/tickets/new/").text
    assert {kind.for_clients for kind in kinds} == {True, False}
    assert {kind.id for kind in kinds if f'<option value="{kind.id}"' in shown} == {
        k.id for k in kinds if k.for_clients
    }
