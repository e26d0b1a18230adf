"""Archived tickets, papers as PDF, and tickets that wait for consent (TK-16, TK-31, TK-36, OS-05, PK-12)."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from backoffice import dossiers
from backoffice.actors import SYSTEM, Context, Door
from backoffice.archiving import archive_next, bundle
from backoffice.background import speaking
from backoffice.database import RecordSession, begin_writing, open_session
from backoffice.files.store import FolderStore, digest
from backoffice.jobs import advance_tickets
from backoffice.operations.attachments import attach_file, left_over
from backoffice.operations.plain import create_record
from backoffice.operations.ticket_states import ConsentMissing
from backoffice.operations.verbs import perform
from backoffice.paper import MOST_CHARACTERS, Facts, Grid, Heading, Paper, Prose, Signatures, render_pdf
from models.account import AccountState
from models.outbox_mail import OutboxMail
from models.staff import Staff
from models.ticket import Ticket, TicketState
from models.ticket_archive import TicketArchive
from models.ticket_message import TicketMessage
from tests.attachments.test_pictures import picture
from tests.clients import DeskClient
from tests.operations.world import World

pytestmark = pytest.mark.databases("postgresql", "sqlite", long=("sqlite",))


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    """Where files lie."""
    return FolderStore(tmp_path / "files")


def closed(session: RecordSession, store: FolderStore) -> Ticket:
    """Return a ticket that is closed for good, with a message and a file."""
    world = World(session)
    ticket = world.ticket(TicketState.in_progress, contact=world.contact, solution="Rifatto")
    message = create_record(session, TicketMessage, {"ticket": ticket.id, "body": "Ecco"}, actor=SYSTEM)
    attach_file(session, message, "errore.png", picture("PNG"), store=store, limit_mb=5, actor=SYSTEM)
    world.queue.reopen_window_hours = 0
    session.flush()
    perform(session, ticket, "close", {"solution": "Rifatto", "closure_reason": "solved"}, actor=SYSTEM)
    assert ticket.state is TicketState.closed_final
    return ticket


def at_work(engine: sa.Engine, store: FolderStore) -> None:
    """Do what a worker does every five minutes."""
    with speaking("it"):
        advance_tickets(engine, store, "http://prova.example")


def opened(store: FolderStore, kept: TicketArchive) -> dict[str, bytes]:
    content = store.get(kept.sha256)
    assert content is not None
    with zipfile.ZipFile(io.BytesIO(content)) as made:
        return {name: made.read(name) for name in made.namelist()}


def test_a_closed_ticket_becomes_one_file_under_its_checksum(session: RecordSession, store: FolderStore) -> None:
    ticket = closed(session, store)
    with speaking("it"):
        while archive_next(session, store):
            pass
    kept = session.scalars(sa.select(TicketArchive).where(TicketArchive.ticket_id == ticket.id)).one()
    assert ticket.state is TicketState.archived
    found = opened(store, kept)
    sums = dict(reversed(line.split("  ", 1)) for line in found.pop("SHA256SUMS").decode().splitlines())
    assert sums == {name: digest(content) for name, content in found.items()}
    rows = json.loads(found["ticket.json"])
    assert rows["ticket"][0]["number"] == ticket.number
    assert [row["body"] for row in rows["ticket_message"]] == ["Ecco"]
    assert {row["event"] for row in rows["history"]} >= {"ticket.close"}
    assert found[f"{ticket.number}.pdf"].startswith(b"%PDF-")
    assert [content for name, content in found.items() if name.startswith("files/")] == [picture("PNG")]
    # It is not swept with what nobody refers to.
    assert kept.sha256 not in left_over(session, store, kept.created_at.replace(year=kept.created_at.year + 1))


def test_two_jobs_at_once_archive_each_ticket_once(
    session: RecordSession, engine: sa.Engine, store: FolderStore
) -> None:
    keys = [closed(session, store).id for _number in range(3)]
    session.commit()
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda _turn: at_work(engine, store), range(2)))
    session.expire_all()
    counted = sa.select(TicketArchive.ticket_id, sa.func.count()).group_by(TicketArchive.ticket_id)
    assert dict.fromkeys(keys, 1).items() <= dict(tuple(row) for row in session.execute(counted)).items()


def test_killed_before_the_end_nothing_is_half_done(
    session: RecordSession, engine: sa.Engine, store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = closed(session, store).id
    session.commit()
    with monkeypatch.context() as patch:
        patch.setattr("backoffice.archiving.perform", _killed)
        own = open_session(engine, Context(SYSTEM, Door.job))
        with begin_writing(), own, speaking("it"), pytest.raises(KeyboardInterrupt):
            archive_next(own, store)
    session.expire_all()
    assert session.get_one(Ticket, key).state is TicketState.closed_final
    assert session.scalars(sa.select(TicketArchive).where(TicketArchive.ticket_id == key)).all() == []
    session.rollback()
    at_work(engine, store)
    assert session.get_one(Ticket, key).state is TicketState.archived


def _killed(*_args: object, **_options: object) -> None:
    raise KeyboardInterrupt


def test_a_missing_file_does_not_keep_a_ticket_from_the_archive(session: RecordSession, store: FolderStore) -> None:
    ticket = closed(session, store)
    store.delete(digest(picture("PNG")))
    with speaking("it"), zipfile.ZipFile(io.BytesIO(bundle(session, ticket, store))) as made:
        assert any(name.endswith(".missing") for name in made.namelist())


@pytest.mark.parametrize("language", ["it", "en"])
def test_whatever_the_text_holds_a_paper_is_made(language: str) -> None:
    odd = "<b>&amp;</b> € àèìòù \0 \ud800".encode("utf-8", "replace").decode() + "parola" * 2000
    blocks = [
        Heading(odd[:200]),
        Prose("x\n" * (MOST_CHARACTERS // 2 + 10), odd[:50]),
        Facts([("Azienda", odd), ("vuoto", "")]),
        Grid(("A", "B"), [(odd, "1")] * 200, (1, 1), right=(1,)),
        Grid(("A",), [], (1,)),
        Signatures(("Cliente", "Noi")),
    ]
    with speaking(language):
        content = render_pdf(Paper(odd[:100], "Prova", blocks))
    assert content.startswith(b"%PDF-")
    assert content.rstrip().endswith(b"%%EOF")


def test_there_is_a_paper_of_each(session: RecordSession) -> None:
    world = World(session)
    made: list[tuple[Callable[..., Paper], Any]] = [
        (dossiers.ticket_dossier, world.ticket(TicketState.in_progress)),
        (dossiers.request_dossier, world.check().request),
        (dossiers.visit_report, world.intervention()),
        (dossiers.hours_statement, world.package()),
    ]
    with speaking("it"):
        for make, record in made:
            paper = make(session, record, SYSTEM)
            assert render_pdf(paper).startswith(b"%PDF-")
            assert str(record) in paper.title


def test_the_statement_of_hours_ends_with_what_is_left(session: RecordSession) -> None:
    package = World(session).package(minutes=120)
    perform(session, package, "activate", actor=SYSTEM)
    perform(session, package, "charge", {"minutes": "0:45", "note": "Ripristino"}, actor=SYSTEM)
    with speaking("it"):
        paper = dossiers.hours_statement(session, package, SYSTEM)
    grid = next(block for block in paper.blocks if isinstance(block, Grid))
    assert [row[-1] for row in grid.rows] == ["2 h", "1 h 15 min"]


def test_papers_open_by_right(
    desk_client: Callable[..., DeskClient], session: RecordSession, desk: Flask, staff: Callable[[str], Staff]
) -> None:
    assert desk is not None
    group_id = staff("administrator").group_id
    key = session.scalars(sa.select(Ticket.id).where(Ticket.group_id == group_id).limit(1)).one()
    elsewhere = session.scalars(sa.select(Ticket.id).where(Ticket.group_id != group_id).limit(1)).one()
    session.rollback()
    path = f"/papers/ticket/{key}.pdf"
    answer = desk_client("administrator").get(path)
    assert (answer.status_code, answer.content_type) == (200, "application/pdf")
    assert answer.data.startswith(b"%PDF-")
    assert [desk_client(role).get(path).status_code for role in ("quality", "sales", "management")] == [200, 403, 403]
    assert desk_client("administrator").get(f"/papers/ticket/{elsewhere}.pdf").status_code == 404
    assert desk_client("administrator").get("/papers/company/1.pdf").status_code == 404
    assert desk_client().get(path).status_code == 302


def test_withdrawn_consent_puts_tickets_on_hold_until_it_is_given_again(session: RecordSession) -> None:
    world = World(session)
    world.queue.requires_consent = True
    account = world.account(AccountState.active)
    worker = session.scalars(sa.select(Staff).where(Staff.active).order_by(Staff.id)).first()
    mine = world.ticket(TicketState.assigned, account=account, assignee=worker)
    world.queue.requires_consent = False  # whoever withdrew reads no answer, whatever the queue asks for
    session.flush()
    others, over = world.ticket(TicketState.assigned), world.ticket(TicketState.closed_final, account=account)
    perform(session, account, "revoke_consent", actor=SYSTEM)
    world.queue.requires_consent = True
    assert [row.state for row in (mine, others, over)] == [
        TicketState.on_hold_consent,
        TicketState.assigned,
        TicketState.closed_final,
    ]
    told = sa.select(OutboxMail.template).where(OutboxMail.cause_entity == "ticket", OutboxMail.cause_id == mine.id)
    assert session.scalars(told).all()[-1] == "ticket_on_hold"
    fresh = world.ticket(TicketState.assigned, account=account)
    with pytest.raises(ConsentMissing):
        perform(session, fresh, "take_charge", actor=SYSTEM)
    perform(session, account, "grant_consent", actor=SYSTEM)
    assert (mine.state, mine.state_before) == (TicketState.assigned, None)
