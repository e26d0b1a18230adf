"""The bell of desk and client area, how each person hears of what, and how a client wants the pages (AC-41)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from backoffice import clock
from backoffice.access import INTERNAL
from backoffice.actors import Actor, ActorKind
from backoffice.database import RecordSession, begin_writing
from backoffice.jobs import digest_task, run_if_due, tell_of_day
from backoffice.operations.bell import Reader, ring, unread
from backoffice.operations.grant_mails import tell_of_access
from backoffice.operations.notices import colleague, tell
from backoffice.outbox import letter_of
from models.account import Account
from models.account_service import AccountService
from models.company_service import CompanyService
from models.notice import Notice, NoticeChoice, NoticeWay
from models.onboarding import Onboarding
from models.outbox_mail import OutboxMail
from models.staff import Staff
from tests.client_area.conftest import ClientBrowser
from tests.clients import DeskClient

pytestmark = pytest.mark.databases("postgresql", "sqlite", long=("sqlite",))
Browsers = Callable[..., ClientBrowser]
AGES_AGO = clock.now() - timedelta(days=200)
_ORDER = {"order": "OR-1", "company": "Rossi", "missing": "Referente"}


@pytest.fixture
def onboarding(session: RecordSession) -> Onboarding:
    return session.scalars(sa.select(Onboarding).order_by(Onboarding.id).limit(1)).one()


def told(session: RecordSession, staff: Staff, about: Onboarding, times: int = 1) -> None:
    with begin_writing():
        session.rollback()
        for _ in range(times):
            tell(session, "order_data_missing", colleague(session, staff.id), _ORDER, about=about)
        session.commit()


def choose(session: RecordSession, staff: Staff, way: NoticeWay) -> None:
    with begin_writing():
        session.rollback()
        session.add(NoticeChoice(staff_id=staff.id, event="order_data_missing", way=way))
        session.commit()


def mails_to(session: RecordSession, address: str) -> list[OutboxMail]:
    session.rollback()
    session.expire_all()
    wanted = sa.select(OutboxMail).where(OutboxMail.recipient == address).order_by(OutboxMail.id)
    return list(session.scalars(wanted))


def bell_of(page: str) -> str:
    found = re.search(r'class="btn btn-ghost btn-icon bell[^>]*aria-label="([^"]+)"', page)
    assert found, page
    return found[1]


def test_a_colleague_finds_it_under_the_bell_and_reads_it(
    session: RecordSession,
    staff: Callable[[str], Staff],
    desk_client: Callable[..., DeskClient],
    onboarding: Onboarding,
) -> None:
    person, desk = staff("sales"), desk_client("sales")
    assert bell_of(desk.get("/").text) == "Avvisi: nessuna novità"
    before = len(mails_to(session, person.email))
    told(session, person, onboarding, 2)
    assert bell_of(desk.get("/").text) == "2 avvisi nuovi"
    assert len(mails_to(session, person.email)) == before + 2
    page = desk.get("/notices/").text
    keys = re.findall(r'name="open" value="([0-9]+)"', page)
    assert len(keys) == 2
    assert f"</b> · {onboarding}<" in page
    answer = desk.submit("/notices/", {"open": keys[0]})
    assert answer.headers["Location"].endswith(f"/onboarding/{onboarding.id}")
    assert bell_of(desk.get("/").text) == "1 avviso nuovo"
    assert desk.submit("/notices/", {"all": "1"}).status_code == 303
    assert bell_of(desk.get("/").text) == "Avvisi: nessuna novità"
    # Nobody reads another's.
    assert desk_client("consultant").submit("/notices/", {"open": keys[1]}).status_code == 404


def test_each_chooses_how_to_hear_of_it(
    session: RecordSession,
    staff: Callable[[str], Staff],
    desk_client: Callable[..., DeskClient],
    onboarding: Onboarding,
) -> None:
    person, desk = staff("sales"), desk_client("sales")
    assert desk.submit("/notices/", {"way_order_data_missing": "bell"}).status_code == 303
    assert '<option value="bell" selected>' in desk.get("/notices/").text
    before = len(mails_to(session, person.email))
    told(session, person, onboarding)
    assert len(mails_to(session, person.email)) == before
    assert bell_of(desk.get("/").text) == "1 avviso nuovo"
    # Back to what is usual: no row is left; nonsense changes nothing.
    assert desk.submit("/notices/", {"way_order_data_missing": "mail"}).status_code == 303
    session.rollback()
    assert session.scalars(sa.select(NoticeChoice)).all() == []
    assert desk.submit("/notices/", {"way_order_data_missing": "pigeon"}).status_code == 404
    assert desk.submit("/notices/", {"way_staff_password": "bell"}).status_code == 303
    session.rollback()
    assert session.scalars(sa.select(NoticeChoice)).all() == []


def test_the_mail_of_the_morning_says_it_once(
    session: RecordSession,
    engine: sa.Engine,
    staff: Callable[[str], Staff],
    onboarding: Onboarding,
) -> None:
    person = staff("sales")
    choose(session, person, NoticeWay.digest)
    before = len(mails_to(session, person.email))
    told(session, person, onboarding, 3)
    assert len(mails_to(session, person.email)) == before
    assert run_if_due(engine, digest_task())
    (mail,) = mails_to(session, person.email)[before:]
    assert mail.subject == "Novità per Lei: 3"
    assert "3 × Dati di un ordine mancanti" in letter_of(session, mail).text
    # It is due again next morning, and then has nothing to say; what is too old to be news is gone.
    assert not run_if_due(engine, digest_task())
    with begin_writing():
        session.rollback()
        session.execute(sa.update(Notice.__table__).where(Notice.event == "order_data_missing").values(at=AGES_AGO))
        session.commit()
    assert tell_of_day(engine) == 0
    assert session.scalars(sa.select(Notice.id), execution_options=INTERNAL).all() == []


def test_nobody_is_told_of_their_own_deeds(
    session: RecordSession, staff: Callable[[str], Staff], onboarding: Onboarding
) -> None:
    person = staff("sales")
    session.info["context"] = session.info["context"].__class__(
        Actor(ActorKind.staff, id=person.id, group_id=person.group_id), session.info["context"].door
    )
    tell(session, "order_data_missing", colleague(session, person.id), _ORDER, about=onboarding)
    assert session.scalar(sa.select(unread(Reader(staff_id=person.id))), execution_options=INTERNAL) == 0


def test_a_client_is_told_of_a_service(
    session: RecordSession, browser_of: Browsers, account: Callable[[str], Account]
) -> None:
    someone = account("demo.referent")
    grant = session.scalars(
        sa.select(CompanyService)
        .join(AccountService, AccountService.company_service_id == CompanyService.id)
        .where(AccountService.account_id == someone.id)
        .limit(1)
    ).one()
    with begin_writing():
        session.rollback()
        ring(session, "access_frozen", Reader(account_id=someone.id), about=grant)
        session.commit()
    browser = browser_of("demo.referent")
    assert bell_of(browser.get("/it/").text) == "1 avviso nuovo"
    page = browser.get("/it/notices/").text
    assert "Dati di un servizio non più aggiornati" in page
    key = re.search(r'name="open" value="([0-9]+)"', page)
    assert key
    assert browser.form("/it/notices/", {"open": key[1]}).status_code == 303
    assert bell_of(browser.get("/it/").text) == "Avvisi: nessuna novità"
    # The answer to a request is mailed in any case.
    assert "In ogni caso per mail" in page
    assert 'name="way_activation_answer"' not in page


def test_a_referent_s_mail_address_leads_to_their_bell(
    session: RecordSession, account: Callable[[str], Account]
) -> None:
    someone = account("demo.referent")
    grant = session.scalars(
        sa.select(CompanyService).where(CompanyService.company_id == someone.company_id).limit(1)
    ).one()
    with begin_writing():
        session.rollback()
        session.execute(sa.text("UPDATE contact SET is_main_referent = (1 = 0), email = NULL"))
        session.commit()
    with begin_writing():
        tell_of_access(session, session.get_one(CompanyService, grant.id), "access_frozen", clock.today())
        session.commit()
    rows = session.scalars(sa.select(Notice).where(Notice.account_id.is_not(None))).all()
    assert [(row.event, row.cause_entity, row.cause_id) for row in rows] == [
        ("access_frozen", "company_service", grant.id)
    ]


def test_a_client_chooses_language_theme_and_rows(browser_of: Browsers) -> None:
    browser = browser_of("demo.referent")
    wanted = {"preferences": "1", "language": "en", "theme": "dark", "page_size": "50"}
    answer = browser.form("/it/profile/", wanted)
    assert answer.headers["Location"] == "/en/profile/"
    page = browser.get("/en/profile/").text
    assert 'data-bs-theme="dark"' in page
    assert 'data-theme="dark"' in page
    assert re.search(r'<option value="50" selected>', page)
    results = browser.get("/en/analysis_result/").text
    assert re.search(r'aria-current="true">50</a>', results), results
    # The next sign-in leads to the chosen language; nonsense is refused and nothing changed.
    again = browser_of()
    assert again.sign_in("demo.referent").headers["Location"] == "/en/"
    assert browser.form("/en/profile/", {**wanted, "theme": "pink"}).status_code == 422
    assert 'data-theme="dark"' in browser.get("/en/profile/").text
    # Empty is as for everybody.
    assert browser.form("/en/profile/", {"preferences": "1"}).status_code == 303
    assert "data-theme" not in browser.get("/en/profile/").text
