"""Closing for good, by many jobs at once and by jobs that are killed: each ticket once, and never by half (TK-14)."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import pytest
import sqlalchemy as sa

from backoffice import clock
from backoffice.actors import SYSTEM, Context, Door
from backoffice.database import RecordSession, begin_writing, open_session
from backoffice.files.store import FolderStore
from backoffice.operations.plain import create_record
from backoffice.operations.tickets import close_tickets_for_good
from backoffice.operations.verbs import perform
from models.history_entry import HistoryEntry
from models.outbox_mail import OutboxMail
from models.ticket import Ticket
from models.ticket import TicketState as S
from models.ticket_archive import TicketArchive
from models.ticket_message import TicketMessage
from tests.operations.closer import close
from tests.operations.test_archiving import at_work
from tests.operations.world import World

pytestmark = pytest.mark.databases("postgresql", "sqlite", long=("sqlite",))


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    """Where files lie."""
    return FolderStore(tmp_path / "files")


def overdue(session: RecordSession, count: int = 1) -> list[int]:
    """Return the keys of new tickets whose window for reopening is over, each with a message."""
    with begin_writing():
        world = World(session)
        tickets = [world.ticket(S.closed_provisional, contact=world.contact, solution="Rifatto.") for _ in range(count)]
        for ticket in tickets:
            create_record(session, TicketMessage, {"ticket": ticket.id, "body": "Nota"}, actor=SYSTEM)
            ticket.reopen_until = clock.now() - timedelta(minutes=1)
        session.commit()
    return [ticket.id for ticket in tickets]


def standing(session: RecordSession, key: int) -> tuple[S, int, int, int]:
    """Return the state of a ticket, and how often it was closed for good, was told of that, and was archived."""
    session.rollback()
    state = session.scalar(sa.select(Ticket.state).where(Ticket.id == key))
    assert state is not None
    closed = sa.select(sa.func.count(HistoryEntry.id)).where(
        HistoryEntry.entity == "ticket", HistoryEntry.record_id == key, HistoryEntry.event == "ticket.close_for_good"
    )
    mails = sa.select(sa.func.count(OutboxMail.id)).where(
        OutboxMail.template == "ticket_ended", OutboxMail.cause_id == key
    )
    kept = sa.select(sa.func.count(TicketArchive.id)).where(TicketArchive.ticket_id == key)
    return state, *(session.scalar(count) or 0 for count in (closed, mails, kept))


#: As before, closed for good, and archived: a ticket is one of these whatever happens to whoever closes it.
WHOLE = {(S.closed_provisional, 0, 0, 0), (S.closed_final, 1, 1, 0), (S.archived, 1, 1, 1)}
DONE = (S.archived, 1, 1, 1)


def test_of_several_closing_jobs_at_once_each_closes_others(
    session: RecordSession, engine: sa.Engine, store: FolderStore
) -> None:
    keys, start = overdue(session, 6), Barrier(3)

    def job(_turn: int) -> None:
        start.wait(timeout=60)
        at_work(engine, store)

    with ThreadPoolExecutor(3) as threads:
        list(threads.map(job, range(3)))
    at_work(engine, store)
    assert [standing(session, key) for key in keys] == [DONE] * len(keys)


@pytest.mark.databases("postgresql")
def test_what_somebody_is_working_on_is_closed_the_next_time(session: RecordSession, engine: sa.Engine) -> None:
    """The client reopens it in this moment: the job closes the others and does not wait."""
    keys = overdue(session, 3)
    with begin_writing(), open_session(engine, Context(SYSTEM, Door.job)) as other:
        held = other.get_one(Ticket, keys[1])
        held.reopen_until = clock.now() + timedelta(hours=1)
        other.flush()
        perform(other, held, "reopen", {"body": "Ancora"}, actor=SYSTEM)
        with open_session(engine, Context(SYSTEM, Door.job)) as own:
            close_tickets_for_good(own, clock.now(), actor=SYSTEM)
            own.commit()
        other.commit()
    with open_session(engine, Context(SYSTEM, Door.job)) as own:
        close_tickets_for_good(own, clock.now(), actor=SYSTEM)
        own.commit()
    assert [standing(session, key)[0] for key in keys] == [S.closed_final, S.reopened, S.closed_final]


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("every", [53, pytest.param(1, marks=pytest.mark.long)])
def test_a_closing_worker_killed_at_any_statement_leaves_each_ticket_whole(
    session: RecordSession, engine: sa.Engine, database_url: str, store: FolderStore, tmp_path: Path, every: int
) -> None:
    """Killed before its first statement, before its second, and so on until it comes to its end alive."""
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["tests.operations.closer"])
    keys: list[int] = []
    found = set()
    dies_at, alive = 1, False
    while not alive:
        if not keys or standing(session, keys[-1]) == DONE:
            keys += overdue(session)  # one at a time: else there is always more to do than the next one lives for
        session.close()
        engine.dispose()
        process = processes.Process(target=close, args=(database_url, tmp_path / "files", dies_at))
        process.start()
        process.join()
        alive = process.exitcode == 0
        assert alive or process.exitcode == -9, process.exitcode
        process.close()
        stands = {standing(session, key) for key in keys}
        assert stands <= WHOLE, (dies_at, stands)
        found |= stands
        dies_at += every
    assert dies_at > 40
    assert found == WHOLE
    assert {standing(session, key) for key in keys} == {DONE}
    for sha256 in session.scalars(sa.select(TicketArchive.sha256).where(TicketArchive.ticket_id.in_(keys))):
        assert store.get(sha256)
