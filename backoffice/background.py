"""Workers: they take jobs, do them in steps that last, and write down how they ended.

A step and the count of what is done are one transaction, which fails where the job is not this run's any more; so
whoever is killed loses no more than a step, and no step is done twice. The lease is extended while a step takes long.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask_babel import Babel, force_locale
from flask_babel import lazy_gettext as _l

from backoffice import clock
from backoffice.actors import SYSTEM, Actor, Context, Door
from backoffice.database import UNREACHABLE, RecordSession, begin_writing, open_session
from backoffice.errors import DomainError, Text
from backoffice.files.store import FileStore, digest
from backoffice.identity import find_identity
from backoffice.operations.alerts import alert_of_job, tell_of_end
from backoffice.operations.jobs import (
    MOST_ATTEMPTS,
    NeverEnds,
    Overtaken,
    extend_lease,
    fail_job,
    find_taken,
    finish_job,
    keep_file,
    keep_progress,
    put_back,
    take_next_job,
    tell_progress,
)
from models.job import Job

#: How long a job waits after its worker was killed.
LEASE = timedelta(minutes=2)
#: How many seconds pass between two steps on SQLite: there whoever waits to write looks again only so often, and would
#: else wait behind all of them.
GIVE_WAY = 0.12
_UNEXPECTED: Text = _l("An error nobody foresaw: the log says more (%(error)s).")
_log = logging.getLogger(__name__)


class StopAskedFor(Exception):
    """The process is to stop: what is done lasts, and another worker goes on."""


class UnknownKind(DomainError):
    template = _l("This version does not know such work.")


class NobodyLeft(DomainError):
    template = _l("Whoever asked for it is not active any more.")


@dataclass(frozen=True)
class Work:
    """One run of a job: in whose name it works, what it is told, and keeping what it has done."""

    engine: sa.Engine
    job: Job
    actor: Actor
    stopped: Callable[[], bool]
    #: Where files go that it makes; None for kinds of work that make none.
    store: FileStore | None = None

    @property
    def arguments(self) -> dict[str, Any]:
        return self.job.arguments

    @contextmanager
    def session(self, door: Door = Door.job) -> Iterator[RecordSession]:
        """Open a session in which whoever asked for the job works, with the rights they have now."""
        with begin_writing(), open_session(self.engine, Context(self.actor, door)) as session:
            yield session

    @contextmanager
    def reading(self, door: Door = Door.job) -> Iterator[RecordSession]:
        """Open a session in which whoever asked for the job reads, however long that takes; nobody waits for it."""
        with begin_writing(False), open_session(self.engine, Context(self.actor, door)) as session:
            yield session

    def tell(self, done: int, total: int) -> None:
        """Show how far the run has come, though it would begin anew.

        :raises Overtaken: the job is not this run's any more.
        :raises StopAskedFor: no more should be done.
        """
        with _working(self.engine) as session:
            tell_progress(session, self.job.id, self.job.lease_token or "", done, total)
        if self.stopped():
            raise StopAskedFor

    def leave_file(self, name: str, content: bytes, *, days: int) -> None:
        """Put a file into the store for whoever asked for the job, for so many days.

        :raises Overtaken: the job is not this run's any more; what is in the store then is swept.
        :raises StoreUnavailable: it could not be stored.
        """
        assert self.store is not None, "this lane has no file store"
        sha256, until = digest(content), clock.now() + timedelta(days=days)
        with _working(self.engine) as session:
            # The row first: whoever sweeps keeps new rows out meanwhile.
            keep_file(session, self.job.id, self.job.lease_token or "", name, sha256, until)
            self.store.put(sha256, content)

    def keep(self, session: RecordSession, done: int, total: int) -> None:
        """Let what the session has done last, and the count with it.

        :raises Overtaken: the job is not this run's any more; nothing lasts.
        :raises StopAskedFor: it lasts, and no more should be done.
        """
        keep_progress(session, self.job.id, self.job.lease_token or "", done, total)
        session.commit()
        if self.engine.dialect.name == "sqlite":
            time.sleep(GIVE_WAY)
        if self.stopped():
            raise StopAskedFor


#: Does the work, step by step, from where the last run left off; returns what came of it, in a line.
Run = Callable[[Work], str]
KINDS: dict[str, Run] = {}


def job_kind(name: str) -> Callable[[Run], Run]:
    """Have the decorated function do jobs of a kind that ``register_kind`` knows."""

    def enter(run: Run) -> Run:
        KINDS[name] = run
        return run

    return enter


def work_off(
    engine: sa.Engine,
    lane: str,
    stopped: Callable[[], bool] = lambda: False,
    *,
    lease: timedelta = LEASE,
    store: FileStore | None = None,
) -> int:
    """Do the jobs of a lane, one after the other, until none is due or ``stopped`` says so; return how many.

    Any number of processes may do this at once.
    """
    count = 0
    while not stopped():
        with _working(engine) as session:
            job = take_next_job(session, lane, clock.now(), lease, worker=worker_name())
        if job is None:
            break
        with speaking(str(job.arguments.get("language", "it"))):
            _do(engine, job, stopped, lease, store)
        count += 1
    return count


def worker_name() -> str:
    """Return what people find this process by: the machine and its number there."""
    return f"{socket.gethostname()}:{os.getpid()}"[:120]


def _do(engine: sa.Engine, job: Job, stopped: Callable[[], bool], lease: timedelta, store: FileStore | None) -> None:
    """Do one job and write down how it ended; where the database went away it ends later, with its lease."""
    try:
        with _holding(engine, job, lease):
            result = _run(engine, job, stopped, store)
    except Overtaken:
        return
    except StopAskedFor:
        _conclude(engine, job, put_back)
    except UNREACHABLE:
        _log.exception("The job %s was interrupted", job.id)
    except DomainError as error:
        _conclude(engine, job, _failed(str(error)))
    except Exception as error:  # noqa: BLE001  # whatever it was, others must not wait behind it
        _log.exception("The job %s failed", job.id)
        _conclude(engine, job, _failed(str(_UNEXPECTED) % {"error": type(error).__name__}))
    else:
        _conclude(engine, job, _finished(result))


def _run(engine: sa.Engine, job: Job, stopped: Callable[[], bool], store: FileStore | None) -> str:
    if job.attempts > MOST_ATTEMPTS:
        raise NeverEnds(count=job.attempts - 1)
    if job.kind not in KINDS:
        raise UnknownKind
    return KINDS[job.kind](Work(engine, job, _actor_of(engine, job), stopped, store))


def _actor_of(engine: sa.Engine, job: Job) -> Actor:
    """Return who asked for a job, with the rights they have now in the corporate group it is about."""
    if job.created_by_id is None:
        return SYSTEM
    with begin_writing(False), open_session(engine, Context(SYSTEM, Door.job)) as session:
        identity = find_identity(session, job.created_by_id)
    if identity is None or not identity.active or identity.actor.group_id != job.group_id:
        raise NobodyLeft
    return identity.actor


def _finished(result: str) -> Callable[[RecordSession, Job], None]:
    def write(session: RecordSession, job: Job) -> None:
        finish_job(session, job, result)
        tell_of_end(session, job)

    return write


def _failed(problem: str) -> Callable[[RecordSession, Job], None]:
    def write(session: RecordSession, job: Job) -> None:
        fail_job(session, job, problem)
        alert_of_job(session, job)
        tell_of_end(session, job)

    return write


def _conclude(engine: sa.Engine, taken: Job, write: Callable[[RecordSession, Job], None]) -> None:
    with _working(engine) as session:
        job = find_taken(session, taken.id, taken.lease_token or "")
        if job is not None:
            write(session, job)


@contextmanager
def _holding(engine: sa.Engine, job: Job, lease: timedelta) -> Iterator[None]:
    """Extend the lease again and again while the block runs, so that a long step is not taken for a dead one."""
    over = threading.Event()

    def extend() -> None:
        while not over.wait(lease.total_seconds() / 4):
            try:
                with _working(engine) as session:
                    extend_lease(session, job.id, job.lease_token or "", clock.now() + lease)
            except Overtaken:
                return
            except UNREACHABLE:
                _log.warning("The lease of the job %s could not be extended", job.id)

    thread = threading.Thread(target=extend, name=f"lease of job {job.id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Let sentences that the work writes down be in the language of whoever asked for it."""
    with _app.app_context(), force_locale(language):
        yield


def _new_app() -> Flask:
    app = Flask("work")
    translations = Path(__file__).resolve().parent / "translations"
    app.config.update(BABEL_DEFAULT_TIMEZONE="Europe/Rome", BABEL_TRANSLATION_DIRECTORIES=str(translations))
    Babel(app)
    return app


_app = _new_app()


@contextmanager
def _working(engine: sa.Engine) -> Iterator[RecordSession]:
    with begin_writing(), open_session(engine, Context(SYSTEM, Door.job)) as session, session.begin():
        yield session


__all__ = ["LEASE", "StopAskedFor", "Work", "job_kind", "speaking", "work_off", "worker_name"]
