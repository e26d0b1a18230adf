"""Deadlines as a calendar: the open ones of the account's company, under an address that can be revoked."""

from __future__ import annotations

import re
from collections.abc import Callable

import icalendar
import pytest
import sqlalchemy as sa

from backoffice.database import RecordSession
from models.account import Account, AccountState
from models.deadline import TO_DO, Deadline
from tests.client_area.conftest import ClientBrowser

pytestmark = pytest.mark.databases("postgresql", "sqlite", long=("sqlite",))
Browsers = Callable[..., ClientBrowser]


def address_in(text: str) -> str:
    found = re.search(r'value="http://localhost(/it/calendar/[^"]+[.]ics)"', text)
    assert found, text
    return found[1]


def test_the_calendar_has_the_open_deadlines_and_its_address_can_be_revoked(
    browser_of: Browsers,
    session: RecordSession,
    account: Callable[[str], Account],
    store: Callable[..., None],
) -> None:
    browser = browser_of("demo.referent")
    assert 'href="/it/calendar/"' in browser.get("/it/deadline/").text
    address = address_in(browser.form("/it/calendar/", {"make": "1"}).text)
    someone = account("demo.referent")
    assert someone.feed_digest is not None
    assert someone.feed_digest not in address  # the secret itself is nowhere
    answer = browser_of().get(address)  # a program without a session
    assert answer.content_type == "text/calendar; charset=utf-8"
    events = icalendar.Calendar.from_ical(answer.get_data()).walk("VEVENT")
    wanted = sa.select(Deadline).where(Deadline.company_id == someone.company_id, Deadline.state.in_(TO_DO))
    rows = session.scalars(wanted).all()
    assert rows
    assert {(str(event["uid"]).partition("@")[0], event["dtstart"].dt) for event in events} == {
        (f"deadline-{row.id}", row.due_on) for row in rows
    }
    # A new address takes the place of the old one; a suspended account has no calendar.
    again = address_in(browser.form("/it/calendar/", {"make": "1"}).text)
    assert browser_of().get(address).status_code == 404
    assert browser_of().get(again).status_code == 200
    store(Account, someone.id, state=AccountState.suspended)
    assert browser_of().get(again).status_code == 404
    store(Account, someone.id, state=AccountState.active)
    assert browser.form("/it/calendar/", {"revoke": "1"}).status_code == 303
    assert browser_of().get(again).status_code == 404


def test_whoever_has_no_such_service_has_no_calendar(browser_of: Browsers) -> None:
    assert browser_of("demo.referent.2", portal="SUPPORTO").get("/it/calendar/").status_code == 403
    assert browser_of().get("/it/calendar/").status_code == 302
