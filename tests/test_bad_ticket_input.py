"""What tickets must not take, by desk, API, grid, bulk and client area: a clear refusal, and nothing has changed."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from backoffice import clock
from backoffice.actors import SYSTEM
from backoffice.database import RecordSession, begin_writing
from backoffice.operations.plain import create_record
from models.account import Account
from models.attachment import Attachment
from models.outbox_mail import OutboxMail
from models.ticket import AssistanceKind, Ticket
from models.ticket import TicketState as S
from models.ticket_message import TicketMessage
from models.time_entry import TimeEntry
from tests.attachments.samples import EXE, REFUSED
from tests.client_area.conftest import ClientBrowser, account, browser_of, store  # noqa: F401  # fixtures
from tests.operations.world import World
from tests.visitors import Visitor

#: As people would write it who try whether a page runs it, in every place where a page could.
HOSTILE = (
    "<script>window.broken=1</script><img src=x onerror=window.broken=1><svg onload=window.broken=1>"
    "<a href=\"javascript:window.broken=1\">qui</a>\"'><iframe src='//altrove.example'></iframe>{{7*7}}"
)
#: More than the limit of these tests, in megabytes: a file of ten would be kept open by the browser that sends it.
TOO_LARGE, LIMIT = b"\x89PNG\r\n\x1a\n" + b"\0" * 300_000, 0.25
MEGABYTE = "parola " * 150_000
TOMORROW = clock.today() + timedelta(days=1)


class Elements(HTMLParser):
    """The elements of a page as a browser finds them, as far as they could act."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.acting: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        leads = (value or "" for name, value in attrs if name in ("href", "src", "action", "formaction"))
        acts = any(name.startswith("on") for name in values) or any("javascript:" in where.lower() for where in leads)
        strange = tag in ("iframe", "object", "embed") or (tag == "script" and "src" not in values)
        if acts or (strange and values.get("type") != "application/json") or values.get("src") == "x":
            self.acting.append(self.get_starttag_text() or tag)


@pytest.fixture(autouse=True)
def small_limit(application: Any, desk: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let files be no larger than ``LIMIT``, on both sides."""
    for app in (application.app, desk):
        monkeypatch.setitem(app.config, "MAX_ATTACHMENT_MB", LIMIT)


@pytest.fixture
def ticket(session: RecordSession) -> Ticket:
    """A ticket in progress of a client with a package, in a queue that works within packages."""
    with begin_writing():
        world = World(session, group_id=1)
        world.queue.requires_package = True
        world.package("active", minutes=600)  # type: ignore[arg-type]
        found = world.ticket(S.in_progress, contact=world.contact, assistance_kind=AssistanceKind.ordinary)
        session.commit()
    return found


def everything(session: RecordSession, ticket: Ticket) -> tuple[Any, ...]:
    """Return what would be different if anything of or about the ticket had changed."""
    session.rollback()
    ids = sa.select(TicketMessage.id).where(TicketMessage.ticket_id == ticket.id)
    counts = (
        sa.select(sa.func.count(TicketMessage.id)).where(TicketMessage.ticket_id == ticket.id),
        sa.select(sa.func.count(TimeEntry.id), sa.func.sum(TimeEntry.minutes), sa.func.sum(TimeEntry.version)).where(
            TimeEntry.ticket_id == ticket.id
        ),
        sa.select(sa.func.count(Attachment.id)).where(
            sa.or_(Attachment.ticket_id == ticket.id, Attachment.ticket_message_id.in_(ids))
        ),
        sa.select(sa.func.count(OutboxMail.id)).where(OutboxMail.cause_id == ticket.id),
        sa.select(Ticket.version, Ticket.state).where(Ticket.id == ticket.id),
    )
    return tuple(tuple(session.execute(count).one()) for count in counts)


@pytest.mark.parametrize(("name", "content"), [*sorted(REFUSED.items()), ("grande.png", TOO_LARGE), ("vuoto.txt", b"")])
def test_a_hostile_file_is_refused_and_nothing_with_it_kept(
    admin: Visitor, session: RecordSession, ticket: Ticket, name: str, content: bytes
) -> None:
    before = everything(session, ticket)
    said = {"body": "Ecco la schermata", "kind": "answer", "file": (io.BytesIO(content), name)}
    answer = admin.submit(f"/support/{ticket.id}/say", said)
    assert answer.status_code in (413, 415, 422)
    assert "Ecco la schermata" in answer.text
    sent = {"parent": "ticket", "parent_id": str(ticket.id), "file": (io.BytesIO(content), name)}
    assert admin.submit("/attachment/add", sent).status_code in (303, 413, 415, 422)
    added = admin.api("POST", "attachment/add", data={"ticket": str(ticket.id), "file": (io.BytesIO(content), name)})
    assert added.status_code in (413, 415, 422)
    assert everything(session, ticket) == before


@pytest.mark.parametrize(("name", "content"), [("virus.png", EXE), ("grande.png", TOO_LARGE)])
def test_a_client_is_told_what_file_is_not_taken(
    browser_of: Callable[..., ClientBrowser],  # noqa: F811
    session: RecordSession,
    name: str,
    content: bytes,
) -> None:
    found = of_client(session)
    before, path = everything(session, found), f"/it/tickets/{found.id}/answer/"
    browser = browser_of("demo.referent.2", portal="SUPPORTO")
    answer = browser.form(path, {"body": "Ecco la schermata", "file": (io.BytesIO(content), name)})
    assert answer.status_code in (413, 415, 422)
    assert "Ecco la schermata" in answer.text
    assert everything(session, found) == before


def of_client(session: RecordSession) -> Ticket:
    """Return a ticket that the demonstration client of the support portal has opened, waiting for an answer."""
    session.rollback()
    with begin_writing():
        someone = session.scalars(sa.select(Account).where(Account.username == "demo.referent.2")).one()
        wanted = sa.select(Ticket).where(Ticket.company_id == someone.company_id, Ticket.group_id == someone.group_id)
        found = session.scalars(wanted.order_by(Ticket.id).limit(1)).one()
        found.account_id, found.state, found.reopen_until = someone.id, S.in_progress, None
        session.commit()
    return found


def test_markup_by_any_channel_is_text_on_every_page(
    person: Callable[[str], Visitor],
    session: RecordSession,
    browser_of: Callable[..., ClientBrowser],  # noqa: F811
) -> None:
    """Written by the client, at the desk, by a program and by colleagues; read by the client and at the desk."""
    found = of_client(session)
    admin = person("administrator" if found.group_id == 1 else "demo.administrator.2")
    with begin_writing():
        row = session.get_one(Ticket, found.id)
        row.subject, row.description, row.solution = HOSTILE[:190], HOSTILE, HOSTILE
        session.commit()
    browser = browser_of("demo.referent.2", portal="SUPPORTO")
    assert browser.form(f"/it/tickets/{found.id}/answer/", {"body": HOSTILE}).status_code == 303
    for kind in ("answer", "note"):
        said = admin.submit(f"/support/{found.id}/say", {"body": HOSTILE, "kind": kind})
        assert said.status_code == 303
    sent = {"ticket": found.id, "body": HOSTILE, "visibility": "public"}
    made = admin.api("POST", "ticket_message/", json=sent)
    assert made.status_code == 201
    session.rollback()
    told = sa.select(OutboxMail.id).where(OutboxMail.cause_id == found.id, OutboxMail.cause_entity == "ticket")
    mails = session.scalars(told.order_by(OutboxMail.id.desc()).limit(2)).all()
    session.rollback()
    desk = [f"/support/{found.id}", f"/ticket/{found.id}", f"/ticket/{found.id}?tab=ticket_message.ticket"]
    desk += [f"/ticket/{found.id}?tab=history", "/ticket_message/", f"/ticket/{found.id}/edit"]
    desk += [f"/outbox_mail/{key}" for key in mails]
    pages = [(path, admin.get(path)) for path in desk]
    client = [f"/it/ticket/{found.id}", f"/it/tickets/{found.id}/answer/", "/it/ticket/", "/it/notices/"]
    pages += [(path, browser.get(path, follow_redirects=True)) for path in client]
    for path, page in pages:
        assert page.status_code == 200, path
        assert Elements(page.text).acting == [], path
    shown = [path for path, page in pages if "&lt;script&gt;window.broken=1" in page.text]
    assert {desk[0], desk[1], client[0]} <= set(shown)


def test_a_megabyte_of_text_is_refused_with_a_sentence(
    admin: Visitor,
    session: RecordSession,
    ticket: Ticket,
    browser_of: Callable[..., ClientBrowser],  # noqa: F811
) -> None:
    before = everything(session, ticket)
    for kind in ("answer", "note"):
        answer = admin.submit(f"/support/{ticket.id}/say", {"body": MEGABYTE, "kind": kind})
        assert answer.status_code == 422
        assert "100.000" in answer.text or "100000" in answer.text
    new = {"ticket": ticket.id, "body": MEGABYTE, "visibility": "internal"}
    assert admin.api("POST", "ticket_message/", json=new).status_code == 422
    tag = admin.api("GET", f"ticket/{ticket.id}").headers["ETag"]
    changed = admin.api("PUT", f"ticket/{ticket.id}", json={"solution": MEGABYTE}, headers={"If-Match": tag})
    assert changed.status_code == 422
    closing = {"solution": MEGABYTE, "closure_reason": "solved", "version": tag.strip('"')}
    assert admin.submit(f"/support/{ticket.id}/do/close", closing).status_code == 422
    assert everything(session, ticket) == before
    found = of_client(session)
    before = everything(session, found)
    browser = browser_of("demo.referent.2", portal="SUPPORTO")
    assert browser.form(f"/it/tickets/{found.id}/answer/", {"body": MEGABYTE}).status_code == 422
    assert everything(session, found) == before


#: What was not worked: in the words of people, and as programs say it.
NOT_WORKED: tuple[tuple[dict[str, str], dict[str, Any], str], ...] = (
    ({"minutes": "24:01"}, {"minutes": 1441}, "minutes"),
    ({"minutes": "999999"}, {"minutes": 10**9}, "minutes"),
    ({"minutes": "0:00"}, {"minutes": 0}, "minutes"),
    ({"minutes": "-1:00"}, {"minutes": -60}, "minutes"),
    ({"day": f"{TOMORROW:%d/%m/%Y}"}, {"day": TOMORROW.isoformat()}, "day"),
    ({"day": "31/12/2999"}, {"day": "2999-12-31"}, "day"),
)


@pytest.mark.parametrize(("typed", "sent", "column"), NOT_WORKED)
def test_time_nobody_can_have_worked_is_refused_everywhere(
    admin: Visitor, session: RecordSession, ticket: Ticket, typed: dict[str, str], sent: dict[str, Any], column: str
) -> None:
    session.rollback()
    with begin_writing():
        row = {"ticket": ticket.id, "category": "ordinary", "day": clock.today(), "minutes": 30, "person": 1}
        entry = create_record(session, TimeEntry, row, actor=SYSTEM)
        session.commit()
    before = everything(session, ticket)
    form = {"ticket": str(ticket.id), "category": "ordinary", "day": f"{clock.today():%d/%m/%Y}", "minutes": "0:30"}
    assert admin.submit("/time_entry/new", {**form, **typed}).status_code == 422
    changed = {**form, **typed, "version": "1", "person": "1"}
    assert admin.submit(f"/time_entry/{entry.id}/edit", changed).status_code == 422
    if column == "minutes":
        quick = {"category": "ordinary", "minutes": typed["minutes"]}
        assert admin.submit(f"/support/{ticket.id}/time", quick).status_code == 422
    whole = {"ticket": ticket.id, "category": "ordinary", "day": clock.today().isoformat(), "minutes": 30}
    assert admin.api("POST", "time_entry/", json={**whole, **sent}).status_code == 422
    put = admin.api("PUT", f"time_entry/{entry.id}", json=sent, headers={"If-Match": '"1"'})
    assert put.status_code == 422
    assert admin.cell("time_entry", entry.id, column, typed[column], "1").status_code == 422
    assert everything(session, ticket) == before


STEPS = (
    (S.qualification, "close", {"solution": "Fatto", "closure_reason": "solved"}),
    (S.qualification, "resume", {}),
    (S.in_progress, "reject", {"closure_reason": "spam"}),
    (S.in_progress, "close_for_good", {}),
    (S.closed_final, "reopen", {"body": "Ancora"}),
    (S.archived, "archive_anew", {}),
    (S.in_progress, "nonsense", {}),
)


@pytest.mark.parametrize(("state", "verb", "values"), STEPS)
def test_a_step_that_is_not_open_is_refused_by_every_door(
    admin: Visitor, person: Callable[[str], Visitor], session: RecordSession, ticket: Ticket,
    state: S, verb: str, values: dict[str, str],
) -> None:  # fmt: skip
    session.rollback()
    with begin_writing():
        session.get_one(Ticket, ticket.id).state = state
        session.commit()
    before, version = everything(session, ticket), version_of(session, ticket)
    for visitor, refusals in ((admin, {403, 404, 409}), (person("quality"), {403, 404})):
        for path in (f"/support/{ticket.id}", f"/ticket/{ticket.id}"):
            answer = visitor.submit(f"{path}/do/{verb}", {**values, "version": version})
            assert answer.status_code in refusals, (path, answer.status_code)
        api = visitor.api("POST", f"ticket/{ticket.id}/do/{verb}", json=values, headers={"If-Match": f'"{version}"'})
        assert api.status_code in refusals
    written = {"state": "assigned"}
    put = admin.api("PUT", f"ticket/{ticket.id}", json=written, headers={"If-Match": f'"{version}"'})
    assert put.status_code in (403, 422)
    assert admin.cell("ticket", ticket.id, "state", "assigned", version).status_code in (403, 422)
    if state not in (S.qualification, S.assigned):
        bulk = admin.submit("/support/bulk/take", {"key": [str(ticket.id)]}, follow_redirects=True)
        assert ticket.number in bulk.text
    assert everything(session, ticket) == before


def version_of(session: RecordSession, ticket: Ticket) -> str:
    session.rollback()
    return str(session.scalar(sa.select(Ticket.version).where(Ticket.id == ticket.id)))


def test_taking_over_what_is_not_there_says_so(admin: Visitor, session: RecordSession, ticket: Ticket) -> None:
    with begin_writing():
        foreign = World(session).ticket(S.qualification)
        session.commit()
    before, theirs = everything(session, ticket), everything(session, foreign)
    for key in ("999999", "x", "", "9" * 400, "<script>", str(foreign.id)):
        answer = admin.submit("/support/bulk/take", {"key": [key, str(ticket.id)]}, follow_redirects=True)
        assert (answer.status_code, ticket.number in answer.text) == (200, True), key
    assert (everything(session, ticket), everything(session, foreign)) == (before, theirs)
