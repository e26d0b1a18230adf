"""Who gets into the client area, who does not and what they are told, and how sessions end."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from backoffice.actors import SYSTEM
from backoffice.database import RecordSession
from backoffice.portals import OWN_HOSTS
from backoffice.records import show, subjects
from backoffice.records.timeline import find_entries
from models.account import Account, AccountState
from models.account_session import AccountSession
from models.catalogue import fields
from models.company import Company, CompanyState
from models.history_entry import ActorSort, HistoryEntry, SignInEntry, SignInEvent
from models.portal import Portal
from models.portal_host import PortalHost
from tests.client_area.conftest import ClientBrowser

pytestmark = pytest.mark.databases("postgresql", "sqlite", long=("sqlite",))
Browsers = Callable[..., ClientBrowser]
Find = Callable[[str], Account]


def problem_of(text: str) -> str:
    found = re.search(r'id="login-error">.*?<p>(.*?)</p>', text, re.DOTALL)
    return found[1] if found else ""


def test_by_user_name_or_address_and_out_again(browser_of: Browsers, account: Find, session: RecordSession) -> None:
    someone = account("demo.referent")
    browser = browser_of()
    assert browser.get("/it/").location.startswith("/it/login/")
    assert browser.sign_in(someone.email.upper()).location == "/it/"
    page = browser.get("/it/").text
    assert "Renata Referenti" in page
    assert str(someone.company) in page
    assert browser.get("/it/login/").location == "/it/"  # who is in needs no form
    assert browser.form("/it/logout/", {}, page="/it/").location == "/it/login/"
    assert browser.get("/it/").status_code == 302
    session.rollback()
    rows = session.scalars(sa.select(SignInEntry).where(SignInEntry.account_id == someone.id)).all()
    assert [row.event for row in rows] == [SignInEvent.signed_in, SignInEvent.signed_out]
    # Ledgers last for ever, people's wish to be known may not: the name is looked up.
    assert {row.username for row in rows} == {""}
    subjects.look_up(session, rows, SYSTEM)
    assert show.cell(rows[0], fields(SignInEntry)["username"], SYSTEM).text == "Renata Referenti"


def test_the_history_tells_who_it_was_by_the_name_they_have_now(
    browser_of: Browsers, account: Find, session: RecordSession, store: Callable[..., None], application: Any
) -> None:
    assert browser_of("demo.client").form("/it/profile/", {"full_name": "Carla Clienti"}).status_code == 303
    someone = account("demo.client")
    with application.app.test_request_context():
        latest = find_entries(session, someone, SYSTEM)[0]
    assert (latest.who, latest.event) == ("Carla Clienti", "account.change_profile")
    entry = session.get_one(HistoryEntry, latest.id)
    assert (entry.actor_kind, entry.actor_id, entry.actor_name) == (ActorSort.account, someone.id, "")
    store(Account, someone.id, full_name="deleted-1")
    with application.app.test_request_context():
        assert find_entries(session, account("demo.client"), SYSTEM)[0].who == "deleted-1"


def test_a_wrong_password_and_an_unknown_name_are_told_alike(browser_of: Browsers) -> None:
    browser = browser_of()
    answers = [
        browser.sign_in("demo.referent", "sbagliata-sbagliata"),
        browser.sign_in("nessuno", "sbagliata-sbagliata"),
    ]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert problem_of(answers[0].text) == problem_of(answers[1].text) != ""


def test_guessing_is_slowed_down(browser_of: Browsers) -> None:
    browser = browser_of()
    answers = [browser.sign_in("demo.referent", f"sbagliata-{n}") for n in range(6)]
    assert [answer.status_code for answer in answers][-2:] == [401, 429]
    assert int(answers[-1].headers["Retry-After"]) > 30
    assert browser.sign_in("demo.client").status_code == 303  # the colleague from the same place is not locked out


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (AccountState.pending_validation, "ancora in verifica"),
        (AccountState.locked, "non può essere usato"),
        (AccountState.rejected, "non sono giusti"),
    ],
)
def test_what_an_account_waits_for_is_told_with_the_right_password_only(
    browser_of: Browsers, account: Find, store: Callable[..., None], state: AccountState, words: str
) -> None:
    browser, someone = browser_of("demo.client"), account("demo.client")
    store(Account, someone.id, state=state)
    assert browser.get("/it/").status_code == 302  # who was in is out
    stranger = browser_of()
    assert words in problem_of(stranger.sign_in("demo.client").text)
    assert "non sono giusti" in problem_of(stranger.sign_in("demo.client", "sbagliata-sbagliata").text)


@pytest.mark.parametrize("state", [AccountState.provisioned, AccountState.invited])
def test_the_first_sign_in_activates(
    browser_of: Browsers, account: Find, store: Callable[..., None], state: AccountState
) -> None:
    store(Account, account("demo.client").id, state=state)
    assert browser_of().sign_in("demo.client").location == "/it/"
    assert account("demo.client").state is AccountState.active


def test_a_company_that_is_no_client_any_more(browser_of: Browsers, account: Find, store: Callable[..., None]) -> None:
    someone = account("demo.client")
    store(Company, someone.company_id, state=CompanyState.former)
    answer = browser_of().sign_in("demo.client")
    assert answer.status_code == 403
    assert "contratto in corso" in problem_of(answer.text)


def test_an_account_of_one_portal_is_nobody_at_another(
    browser_of: Browsers, account: Find, store: Callable[..., None], session: RecordSession
) -> None:
    here, there = browser_of(), browser_of(portal="SUPPORTO")
    assert there.sign_in("demo.client").status_code == 401  # of another corporate group
    assert here.sign_in("demo.referent.2").status_code == 401
    assert there.sign_in("demo.referent.2").status_code == 303
    portals = {portal.code: portal.id for portal in session.scalars(sa.select(Portal))}
    browser = browser_of("demo.client")
    store(Account, account("demo.client").id, portal_id=portals["SUPPORTO"])
    assert browser.get("/it/").status_code == 302
    assert browser_of().sign_in("demo.client").status_code == 401


def test_hosts_lead_to_their_portal_and_others_are_refused(
    browser_of: Browsers, session: RecordSession, store: Callable[..., None]
) -> None:
    browser, portals = browser_of(), {portal.code: portal for portal in session.scalars(sa.select(Portal))}
    session.add(PortalHost(portal=portals["SUPPORTO"], host="supporto.prova.example", group_id=2))
    session.commit()
    named = {"base_url": "http://supporto.prova.example:8443"}
    assert "Area di supporto" in browser.get("/it/login/", **named).text
    # A host of its own is not talked into another portal.
    assert "Area di supporto" in browser.get("/it/login/?portal=ECOOPERA", **named).text
    for host in ("altro.prova.example", "supporto.prova.example.evil.example"):
        answer = browser.get("/it/login/", base_url=f"http://{host}")
        assert answer.status_code == 421
        assert "Ecoopera" not in answer.text
    assert {"localhost", "127.0.0.1"} <= OWN_HOSTS
    store(Portal, portals["SUPPORTO"].id, accent="#7A1F3D")
    assert "#7A1F3D" in browser.get("/portal.css", **named).text


def test_several_sessions_are_lawful_and_a_new_password_ends_the_others(
    browser_of: Browsers, account: Find, session: RecordSession
) -> None:
    first, second = browser_of("demo.referent"), browser_of("demo.referent")
    assert first.get("/it/").status_code == second.get("/it/").status_code == 200
    new = "cinque-tram-blu-lenti"
    answer = first.form("/it/profile/", {"current": "sbagliata", "new": new, "again": new})
    assert answer.status_code == 422
    assert second.get("/it/").status_code == 200
    values: dict[str, Any] = {"current": "quattro-gatti-verdi-27", "new": new, "again": new}
    assert first.form("/it/profile/", values).status_code == 303
    assert first.get("/it/").status_code == 200
    assert second.get("/it/").status_code == 302
    own = sa.select(AccountSession).where(AccountSession.account_id == account("demo.referent").id)
    assert sorted(one.ended_at is None for one in session.scalars(own)) == [False, True]


def test_a_session_is_ended_from_another_browser_and_nobody_elses(
    browser_of: Browsers, account: Find, session: RecordSession
) -> None:
    first, second, other = browser_of("demo.referent"), browser_of("demo.referent"), browser_of("demo.client")
    own = sa.select(AccountSession.id).where(AccountSession.account_id == account("demo.referent").id)
    keys = session.scalars(own.order_by(AccountSession.id)).all()
    assert other.form(f"/it/profile/sessions/{keys[0]}/end", {}, page="/it/profile/").status_code == 404
    assert second.form(f"/it/profile/sessions/{keys[0]}/end", {}, page="/it/profile/").status_code == 303
    assert first.get("/it/").status_code == 302
    assert second.get("/it/").status_code == 200


def test_the_profile_changes_the_name_and_never_the_user_name(browser_of: Browsers, account: Find) -> None:
    browser = browser_of("demo.client")
    assert browser.form("/it/profile/", {"full_name": "Ugo Bianchi", "username": "altro"}).status_code == 303
    assert (account("demo.client").full_name, account("demo.client").username) == ("Ugo Bianchi", "demo.client")
    assert browser.form("/it/profile/", {"full_name": " "}).status_code == 422


def test_forms_of_other_sites_are_refused(browser_of: Browsers) -> None:
    browser = browser_of("demo.client")
    assert browser.post("/it/logout/").status_code == 400
    assert browser.post("/it/profile/", data={"full_name": "X"}).status_code == 400
    assert browser.get("/it/").status_code == 200
    assert browser.get("/it/login/?next=https://evil.example/").location == "/it/"
