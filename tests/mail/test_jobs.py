"""Periodic tasks: done when they are due, by one process at a time, and again after whoever did them died."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier, Event

import pytest
import sqlalchemy as sa

import config
from backoffice import clock
from backoffice.actors import SYSTEM
from backoffice.database import RecordSession, begin_writing, make_engine
from backoffice.jobs import Task, calendar_task, mail_task, run_if_due, tonight, working
from backoffice.mail.sending import MailServer
from backoffice.operations.overrides import change_setting
from backoffice.setting_keys import NIGHT_AT
from models.contract import Contract, ContractState
from models.outbox_mail import MailState, OutboxMail
from models.work_task import WorkTask
from tests.mail.conftest import ROOTS, Queue, stored
from tests.mail.smtp import Inbox
from tests.operations.world import World, day
from tests.test_cli import KEYS, environment, free_port, serving

RUN = [sys.executable, str(config.ROOT / "run.py")]


def counting(done: list[str], **options: object) -> Task:
    """Return a task that is due once an hour and writes down that it was done."""

    def run(_engine: sa.Engine, _stopped: Callable[[], bool]) -> str:
        done.append("once")
        return "done"

    return Task("counting", run, lambda _session, now: now + timedelta(hours=1), **options)  # type: ignore[arg-type]


def row(session: RecordSession) -> WorkTask:
    session.rollback()
    session.expire_all()
    found = session.scalars(sa.select(WorkTask)).one()
    session.rollback()
    return found


def change(session: RecordSession, **values: object) -> None:
    with begin_writing():
        session.execute(sa.update(WorkTask.__table__).values(values))
        session.commit()


def test_a_task_is_done_when_it_is_due(session: RecordSession, engine: sa.Engine) -> None:
    done: list[str] = []
    task = counting(done)
    assert run_if_due(engine, task)
    assert not run_if_due(engine, task)
    found = row(session)
    assert (found.last_result, found.lease_token, len(done)) == ("done", None, 1)
    assert found.last_run_at is not None
    assert found.next_run_at - found.last_run_at == timedelta(hours=1)
    change(session, next_run_at=clock.now())
    assert run_if_due(engine, task)
    assert run_if_due(engine, counting(done, sooner=lambda _session: True))


def test_of_many_processes_one_does_it(database_url: str, session: RecordSession) -> None:
    done: list[str] = []
    start = Barrier(6)

    def attempt(_number: int) -> bool:
        own = make_engine(database_url)
        start.wait(timeout=30)
        try:
            return run_if_due(own, counting(done))
        finally:
            own.dispose()

    for _round in range(3):
        with ThreadPoolExecutor(6) as threads:
            assert sum(threads.map(attempt, range(6))) == 1
        change(session, next_run_at=clock.now() - timedelta(seconds=1))
    assert len(done) == 3


def test_who_dies_keeps_it_until_the_lease_ends(session: RecordSession, engine: sa.Engine) -> None:
    done: list[str] = []
    run_if_due(engine, counting(done))
    soon = clock.now() + timedelta(minutes=1)
    change(session, next_run_at=clock.now(), lease_token="dead", lease_until=soon)
    assert not run_if_due(engine, counting(done))
    change(session, lease_until=clock.now())
    assert run_if_due(engine, counting(done))


def test_a_task_that_fails_comes_again(
    session: RecordSession, engine: sa.Engine, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_engine: sa.Engine, _stopped: Callable[[], bool]) -> str:
        raise RuntimeError("broken")

    task = Task("failing", fail, lambda _session, now: now + timedelta(minutes=1))
    assert run_if_due(engine, task)
    assert (row(session).last_result, row(session).lease_token) == ("RuntimeError", None)
    assert "The task failing failed" in caplog.text


def test_the_night_comes_when_the_settings_say(session: RecordSession) -> None:
    assert tonight(session, datetime(2026, 7, 1, 21, 0, tzinfo=UTC)) == datetime(2026, 7, 1, 22, 10, tzinfo=UTC)
    assert tonight(session, datetime(2026, 7, 1, 22, 10, tzinfo=UTC)) == datetime(2026, 7, 2, 22, 10, tzinfo=UTC)
    with begin_writing():
        session.rollback()
        change_setting(session, NIGHT_AT, "3:30", version=0, actor=SYSTEM)
    assert tonight(session, datetime(2026, 7, 1, 21, 0, tzinfo=UTC)) == datetime(2026, 7, 2, 1, 30, tzinfo=UTC)


def test_what_the_calendar_brings_is_done(session: RecordSession, engine: sa.Engine) -> None:
    with begin_writing():
        contract = World(session).contract(ContractState.signed, starts_on=day(0))
        session.commit()
    assert run_if_due(engine, calendar_task())
    session.expire_all()
    assert session.get_one(Contract, contract.id).state is ContractState.active


@pytest.mark.usefixtures("no_demonstration")
def test_threads_send_what_is_queued_while_they_run(
    session: RecordSession, engine: sa.Engine, queue: Queue, inbox: Inbox, server: MailServer
) -> None:
    began = Event()
    forever = Task("slow", lambda _engine, stopped: _wait(began, stopped), lambda _session, now: now)
    mail = queue()
    with working(engine, (forever, mail_task(server, ROOTS))):
        assert began.wait(30)
        inbox.wait_for_connection(1)
    assert inbox.ids == [mail.message_id]
    assert stored(session, mail).state is MailState.sent


def _wait(began: Event, stopped: Callable[[], bool]) -> str:
    """Be at work until told to stop: mail must not wait behind it."""
    began.set()
    while not stopped():
        began.wait(0.01)
    return "stopped"


@pytest.mark.databases("sqlite", "postgresql", long=("sqlite",))
@pytest.mark.usefixtures("no_demonstration")
@pytest.mark.parametrize("command", ["serve", pytest.param("work", marks=pytest.mark.long)])
def test_the_program_sends_and_stops_when_asked(
    session: RecordSession,
    database_url: str,
    tmp_path: Path,
    queue: Queue,
    inbox: Inbox,
    server: MailServer,
    command: str,
) -> None:
    mail = queue()
    mail_settings = {"SERVER": server.host, "PORT": str(server.port), "TLS": "none", "SENDER": "desk@prova.example"}
    settings = {f"BACKOFFICE_MAIL_{name}": value for name, value in mail_settings.items()}
    env = environment(tmp_path, database_url, PORT=str(free_port()), **settings, **KEYS)
    with serving(*RUN, command, until="Ctrl+C", env=env) as said:
        inbox.wait_for_mail(str(mail.message_id))
    assert said[-1] == "Stopped."
    # What the calendar brings by itself may have left as well by then, each once.
    assert inbox.ids.count(mail.message_id) == 1
    assert len(inbox.ids) == len(set(inbox.ids))
    assert stored(session, mail).state is MailState.sent


@pytest.mark.long
@pytest.mark.databases("sqlite")
@pytest.mark.usefixtures("no_demonstration")
def test_serving_can_leave_the_work_to_others(
    session: RecordSession, database_url: str, tmp_path: Path, queue: Queue
) -> None:
    queue()
    env = environment(tmp_path, database_url, PORT=str(free_port()), BACKOFFICE_WORK="0")
    with serving(*RUN, "serve", until="Ctrl+C", env=env):
        pass
    assert session.scalar(sa.select(sa.func.count()).select_from(WorkTask)) == 0
    assert session.scalars(sa.select(OutboxMail)).one().attempts == 0
