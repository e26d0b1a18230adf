"""Complaints in the client area: written, confirmed by mail, and answered where the client reads it (TK-27)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from backoffice.actors import SYSTEM
from backoffice.database import RecordSession, begin_writing
from backoffice.operations.verbs import perform
from models.account import Account
from models.complaint import Complaint
from models.outbox_mail import OutboxMail
from models.ticket import Ticket
from tests.client_area.conftest import ClientBrowser
from tests.operations.world import World

pytestmark = pytest.mark.databases("sqlite", "postgresql", long=("postgresql",))
Browsers = Callable[..., ClientBrowser]
FORM = "/it/complaints/new/"
WORDS = "Il guasto dura da una settimana."


def stored(session: RecordSession, account: Account) -> list[Complaint]:
    session.rollback()
    session.expire_all()
    wanted = sa.select(Complaint).where(Complaint.account_id == account.id, Complaint.description == WORDS)
    return list(session.scalars(wanted.order_by(Complaint.id)))


@pytest.mark.parametrize("username", ["demo.referent", "demo.client"])
def test_a_complaint_gets_a_number_and_its_answer_is_read_in_the_area(
    browser_of: Browsers, session: RecordSession, account: Callable[[str], Account], username: str
) -> None:
    browser, person = browser_of(username), account(username)
    assert FORM in browser.get("/it/complaint/").text
    for _again in range(2):  # sent twice it is one
        answer = browser.form(FORM, {"description": f" {WORDS} "}, follow_redirects=True)
    (made,) = stored(session, person)
    assert made.number in answer.text
    assert (made.company_id, made.channel, made.state) == (person.company_id, "web", "received")
    mail = session.scalars(sa.select(OutboxMail).where(OutboxMail.cause_entity == "complaint")).all()[-1]
    assert (mail.template, mail.cause_id) == ("complaint_received", made.id)
    key = made.id
    session.rollback()
    with begin_writing():
        complaint = session.get_one(Complaint, key)
        perform(session, complaint, "decide", {"analysis": "Ritardo", "action_kind": "none"}, actor=SYSTEM)
        perform(session, complaint, "answer", {"outcome": "Ci scusiamo del ritardo."}, actor=SYSTEM)
        session.commit()
    page = browser.get(f"/it/complaint/{key}").text
    assert "Ci scusiamo del ritardo." in page
    assert "Con risposta" in page


def test_one_complains_about_a_ticket_once_and_only_about_a_visible_one(
    browser_of: Browsers, session: RecordSession, account: Callable[[str], Account]
) -> None:
    person = account("demo.referent")
    group_id, company = person.group_id, person.company
    with begin_writing():
        world = World(session, group_id=group_id)
        mine, theirs = world.ticket(company=company, account=person), world.ticket()
        session.commit()
        keys = mine.id, theirs.id
    browser = browser_of("demo.referent")
    path = f"{FORM}?ticket={keys[0]}"
    assert path in browser.get(f"/it/ticket/{keys[0]}").text
    assert browser.form(path, {"description": WORDS}).status_code == 303
    (made,) = stored(session, person)
    assert (made.ticket_id, made.account_id) == (keys[0], person.id)
    answer = browser.form(path, {"description": "Ancora."})
    assert answer.status_code == 409
    assert made.number in answer.text
    assert "Ancora.</textarea>" in answer.text
    assert browser.get(f"{FORM}?ticket={keys[1]}").status_code == 404
    session.rollback()
    assert session.scalar(sa.select(sa.func.count()).where(Ticket.id == Complaint.ticket_id, Ticket.id == keys[1])) == 0


def test_what_is_empty_is_asked_for_and_strangers_sign_in(browser_of: Browsers) -> None:
    answer = browser_of("demo.client").form(FORM, {"description": "  "})
    assert answer.status_code == 422
    assert 'aria-describedby="description-error"' in answer.text
    assert browser_of().get(FORM).status_code in (302, 303)
