"""What the product does by itself: periodic tasks, each in a thread of its own, so that mail waits behind nothing.

A task is a row with a lease: any number of processes may run this, and one at a time does a task. Nothing depends on
it for being right: mails have leases of their own, and what the calendar brings is a verb that works once.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from backoffice import clock
from backoffice.access import INTERNAL
from backoffice.actors import SYSTEM, Context, Door
from backoffice.database import RecordSession, begin_writing, open_session
from backoffice.delivery import send_due
from backoffice.files.store import FileStore
from backoffice.mail.sending import MailServer
from backoffice.operations.activation import close_answered_requests
from backoffice.operations.attachments import left_over, sweep
from backoffice.operations.contract_dates import advance_contracts
from backoffice.operations.fees import lapse_fees, roll_over_fees
from backoffice.operations.licenses import expire_licenses
from backoffice.operations.mails import is_mail_due
from backoffice.operations.packages import advance_packages
from backoffice.operations.tickets import close_tickets_for_good
from models.work_task import WorkTask

#: How often each task asks whether it is due.
GLANCE = 5.0
#: How long a run keeps others away, and so how long a task waits after its process was killed. A run that takes
#: longer may be joined by another, which does no harm.
LEASE = timedelta(minutes=15)
MAIL_LEASE = timedelta(minutes=1)
#: How long a stop waits for runs to come to the end of their step.
PATIENCE = 30.0
#: Files deleted while nobody can attach any: a moment's work.
SWEPT_AT_ONCE = 20

Stopped = Callable[[], bool]
_log = logging.getLogger(__name__)
_table = cast("sa.Table", WorkTask.__table__)


@dataclass(frozen=True)
class Task:
    """Something done again and again. ``run`` returns what came of it, in a line."""

    name: str
    run: Callable[[sa.Engine, Stopped], str]
    #: When it is due again, counted from now.
    following: Callable[[datetime], datetime]
    #: Whether it is due before that.
    sooner: Callable[[sa.Engine], bool] = lambda _engine: False
    lease: timedelta = LEASE


def mail_task(server: MailServer, desk_url: str) -> Task:
    """Return the task that sends what is due, and shows every minute that somebody is there to send."""
    return Task(
        "send_mail",
        lambda engine, stopped: str(send_due(engine, server, desk_url, stopped=stopped)),
        lambda now: now + timedelta(minutes=1),
        _is_mail_due,
        MAIL_LEASE,
    )


def calendar_task() -> Task:
    """Return the task that does, each night, what the calendar brings."""
    return Task("advance", lambda engine, stopped: f"{advance(engine, stopped)} records moved on", _tonight)


def file_task(store: FileStore) -> Task:
    """Return the task that lets go, each night, of contents of files that no attachment refers to any more."""
    return Task("sweep_files", lambda engine, stopped: f"{sweep_files(engine, store, stopped)} files deleted", _tonight)


def sweep_files(engine: sa.Engine, store: FileStore, stopped: Stopped = lambda: False) -> int:
    """Delete what is left over in the store, a few in each transaction, since nobody can attach files meanwhile."""
    with begin_writing(False), _session(engine) as session:
        keys = left_over(session, store, clock.now())
    done = 0
    for start in range(0, len(keys), SWEPT_AT_ONCE):
        if stopped():
            break
        with _working(engine) as session:
            done += sweep(session, store, keys[start : start + SWEPT_AT_ONCE])
    return done


def run_if_due(engine: sa.Engine, task: Task, stopped: Stopped = lambda: False) -> bool:
    """Do the task if it is due and nobody else is doing it; say whether it was done.

    A run that fails is logged, and comes again when the task is next due.
    """
    token = _take(engine, task)
    if token is None:
        return False
    try:
        result = task.run(engine, stopped)
    except Exception as error:  # noqa: BLE001  # whatever it was, the next run must come
        _log.exception("The task %s failed", task.name)
        result = type(error).__name__
    _finish(engine, task, token, result)
    return True


def advance(engine: sa.Engine, stopped: Stopped = lambda: False) -> int:
    """Perform every verb whose time has come, a transaction a step; one passage may make the next one due."""
    steps: tuple[Callable[[RecordSession], int], ...] = (
        lambda session: advance_contracts(session, clock.today(), actor=SYSTEM),
        lambda session: advance_packages(session, clock.today(), actor=SYSTEM),
        lambda session: expire_licenses(session, clock.today(), actor=SYSTEM),
        lambda session: lapse_fees(session, clock.today(), actor=SYSTEM),
        lambda session: roll_over_fees(session, clock.today(), actor=SYSTEM),
        lambda session: close_answered_requests(session, actor=SYSTEM),
        lambda session: close_tickets_for_good(session, clock.now(), actor=SYSTEM),
    )
    done = 0
    for step in steps:
        moved = 1
        while moved and not stopped():
            with _working(engine) as session:
                moved = step(session)
            done += moved
    return done


@contextmanager
def working(engine: sa.Engine, tasks: tuple[Task, ...]) -> Iterator[None]:
    """Do the tasks, each in a thread, while the block runs; at its end wait for what has been begun."""
    stop = threading.Event()
    threads = [
        threading.Thread(target=_keep_doing, args=(engine, task, stop), name=task.name, daemon=True) for task in tasks
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(PATIENCE)


def _keep_doing(engine: sa.Engine, task: Task, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            run_if_due(engine, task, stop.is_set)
        except sa.exc.SQLAlchemyError:
            # The database is away or busy; what is due stays due.
            _log.exception("The task %s could not be looked at", task.name)
        stop.wait(GLANCE)


def _take(engine: sa.Engine, task: Task) -> str | None:
    """Return the token of a lease on the task; None where it is not due, or somebody has it."""
    now, token = clock.now(), uuid.uuid4().hex
    due = sa.true() if task.sooner(engine) else _table.c.next_run_at <= now
    free = sa.or_(_table.c.lease_until.is_(None), _table.c.lease_until <= now)
    # Asked first without a lock: most of the time nothing is due.
    with begin_writing(False), _session(engine) as session:
        ready = sa.select(sa.and_(due, free)).where(_table.c.name == task.name)
        if session.scalar(ready, execution_options=INTERNAL) in (False, 0):
            return None
    with _working(engine) as session:
        _enter(session, task.name, now)
        taken = sa.update(_table).where(_table.c.name == task.name, due, free)
        row = session.execute(
            taken.values(lease_token=token, lease_until=now + task.lease).returning(_table.c.name),
            execution_options=INTERNAL,
        )
        return token if row.one_or_none() else None


def _enter(session: RecordSession, name: str, now: datetime) -> None:
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = insert(_table).values(name=name, next_run_at=now).on_conflict_do_nothing()
    session.execute(statement, execution_options=INTERNAL)


def _finish(engine: sa.Engine, task: Task, token: str, result: str) -> None:
    now = clock.now()
    values = {
        "lease_token": None,
        "lease_until": None,
        "last_run_at": now,
        "last_result": result[:500],
        "next_run_at": task.following(now),
    }
    with _working(engine) as session:
        own = sa.update(_table).where(_table.c.name == task.name, _table.c.lease_token == token)
        session.execute(own.values(values), execution_options=INTERNAL)


def _is_mail_due(engine: sa.Engine) -> bool:
    with begin_writing(False), _session(engine) as session:
        return is_mail_due(session, clock.now())


def _tonight(now: datetime) -> datetime:
    """Return ten past midnight in Italy, after the dates have changed."""
    tomorrow = now.astimezone(clock.ROME).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(0, 10), clock.ROME)


def _session(engine: sa.Engine) -> RecordSession:
    return open_session(engine, Context(SYSTEM, Door.job))


@contextmanager
def _working(engine: sa.Engine) -> Iterator[RecordSession]:
    with begin_writing(), _session(engine) as session, session.begin():
        yield session
