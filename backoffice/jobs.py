"""What the product does by itself: periodic tasks, each in a thread of its own, so that mail waits behind nothing.

A task is a row with a lease: any number of processes may run this, and one at a time does a task. Nothing depends on
it for being right: mails and jobs have leases of their own, and what the calendar brings is a verb that works once.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.dialects import postgresql, sqlite

from backoffice import bulk_jobs as _bulk_jobs
from backoffice import clock
from backoffice import export_jobs as _export_jobs  # their kinds of jobs must be known before one is taken
from backoffice import import_jobs as _import_jobs
from backoffice.access import INTERNAL
from backoffice.actors import SYSTEM, Context, Door
from backoffice.archiving import archive_next
from backoffice.background import speaking, work_off, worker_name
from backoffice.capture import Capture, capture_mail
from backoffice.database import RecordSession, begin_writing, open_session
from backoffice.delivery import Roots, send_due
from backoffice.errors import Text
from backoffice.files.store import FileStore
from backoffice.mail.sending import MailServer
from backoffice.operations.account_deletions import advance_deletions
from backoffice.operations.activation import close_answered_requests
from backoffice.operations.alerts import alert_of_task
from backoffice.operations.attachments import left_over, sweep
from backoffice.operations.bell import clear_old
from backoffice.operations.bulk_results import forget_old_runs
from backoffice.operations.clock_alarms import watch_clocks
from backoffice.operations.contract_dates import advance_contracts
from backoffice.operations.deadline_mails import remind_of_deadlines
from backoffice.operations.deadlines import advance_deadlines, plan_missing_updates
from backoffice.operations.digests import send_digests
from backoffice.operations.fees import lapse_fees, roll_over_fees
from backoffice.operations.jobs import BULK, EXPORTS, IMPORTS, is_job_due
from backoffice.operations.licenses import expire_licenses
from backoffice.operations.mails import is_mail_due
from backoffice.operations.on_call import is_alert_due, repeat_alerts
from backoffice.operations.packages import advance_packages, tell_of_endings
from backoffice.operations.penalties import propose_penalties
from backoffice.operations.returns import propose_returns
from backoffice.operations.ticket_holds import close_held_tickets
from backoffice.operations.tickets import close_tickets_for_good
from backoffice.setting_keys import DIGEST_AT, NIGHT_AT
from backoffice.settings import SettingKey, setting_value
from backoffice.webhooks import send_alerts
from models.outbox_mail import MailLanguage
from models.work_task import WorkTask

#: How often each task asks whether it is due.
GLANCE = 5.0
#: How often it leaves a sign that it does.
SIGN = timedelta(minutes=1)
#: How long a run keeps others away, and so how long a task waits after its process was killed. A run that takes
#: longer may be joined by another, which does no harm.
LEASE = timedelta(minutes=15)
MAIL_LEASE = timedelta(minutes=1)
#: How long a stop waits for runs to come to the end of their step.
PATIENCE = 30.0
#: Files deleted while nobody can attach any: a moment's work.
SWEPT_AT_ONCE = 20

Stopped = Callable[[], bool]
_MOVED: Text = _l("Records moved on: %(count)s")
_SWEPT: Text = _l("Files without a record deleted: %(count)s")
_TOLD: Text = _l("People told: %(count)s")
_TAKEN: Text = _l("Messages taken: %(count)s")
_TAKEN_UP: Text = _l("Jobs taken up: %(count)s")
_log = logging.getLogger(__name__)
_table = cast("sa.Table", WorkTask.__table__)
_ = (_bulk_jobs, _export_jobs, _import_jobs)


@dataclass(frozen=True)
class Task:
    """Something done again and again. ``run`` returns what came of it, in a line."""

    name: str
    run: Callable[[sa.Engine, Stopped], str]
    #: When it is due again, counted from now.
    following: Callable[[RecordSession, datetime], datetime]
    #: Whether it is due before that.
    sooner: Callable[[RecordSession], bool] = lambda _session: False
    #: None: several processes may do it at once, because what it works on has leases of its own.
    lease: timedelta | None = LEASE


def mail_task(server: MailServer, roots: Roots) -> Task:
    """Return the task that sends what is due, and shows every minute that somebody is there to send."""
    return Task(
        "send_mail",
        lambda engine, stopped: str(send_due(engine, server, roots, stopped=stopped)),
        _in(timedelta(minutes=1)),
        lambda session: is_mail_due(session, clock.now()),
        MAIL_LEASE,
    )


def capture_task(capture: Capture) -> Task:
    """Return the task that reads the mailboxes every minute."""
    return Task(
        "capture_mail",
        lambda engine, stopped: str(_TAKEN) % {"count": capture_mail(engine, capture, stopped)},
        _in(timedelta(minutes=1)),
    )


def calendar_task() -> Task:
    """Return the task that does, each night, what the calendar brings."""
    return Task("advance", lambda engine, stopped: str(_MOVED) % {"count": advance(engine, stopped)}, tonight)


def ticket_task(store: FileStore, root: str) -> Task:
    """Return the task that does, every five minutes, what the clock brings to tickets; ``root`` begins links."""
    return Task(
        "advance_tickets",
        lambda engine, stopped: str(_MOVED) % {"count": advance_tickets(engine, store, root, stopped)},
        _in(timedelta(minutes=5)),
        lambda session: is_alert_due(session, clock.now()),
    )


def digest_task() -> Task:
    """Return the task that sends, each morning, what people wanted to hear of once a day."""
    return Task("send_digests", lambda engine, stopped: str(_TOLD) % {"count": tell_of_day(engine, stopped)}, _morning)


def tell_of_day(engine: sa.Engine, stopped: Stopped = lambda: False) -> int:
    """Queue the mails of the morning, some in each transaction, and let go of old notices; return how many mails."""
    now, done, told = clock.now(), 0, 1
    with _working(engine) as session:
        clear_old(session, now)
    while told and not stopped():
        with _working(engine) as session:
            told = send_digests(session, now)
        done += told
    return done


def file_task(store: FileStore) -> Task:
    """Return the task that lets go, each night, of contents of files that no attachment refers to any more."""
    return Task(
        "sweep_files", lambda engine, stopped: str(_SWEPT) % {"count": sweep_files(engine, store, stopped)}, tonight
    )


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


def import_task() -> Task:
    """Return the task that works off the imports people asked for."""
    return _lane_task(IMPORTS)


def bulk_task() -> Task:
    """Return the task that does what people asked for on many records at once."""
    return _lane_task(BULK)


def export_task(store: FileStore) -> Task:
    """Return the task that makes the files people asked for."""
    return _lane_task(EXPORTS, store)


def _lane_task(lane: str, store: FileStore | None = None) -> Task:
    """Return the task that works off a lane: in a thread apart, so that neither mail nor other lanes wait for it."""
    return Task(
        lane,
        lambda engine, stopped: str(_TAKEN_UP) % {"count": work_off(engine, lane, stopped, store=store)},
        _in(timedelta(hours=1)),
        lambda session: is_job_due(session, lane, clock.now()),
        lease=None,
    )


def run_if_due(
    engine: sa.Engine, task: Task, stopped: Stopped = lambda: False, *, language: MailLanguage = MailLanguage.it
) -> bool:
    """Do the task if it is due and nobody else is doing it; say whether it was done.

    A run that fails is logged, and comes again when the task is next due; the first time in a row administrators are
    told by mail, in ``language``.
    """
    token = _take(engine, task)
    if token is None:
        return False
    started, failed = time.monotonic(), False
    try:
        with speaking(language.value):
            result = task.run(engine, stopped)
    except Exception as error:  # noqa: BLE001  # whatever it was, the next run must come
        _log.exception("The task %s failed", task.name)
        result, failed = type(error).__name__, True
    _finish(engine, task, token, {"last_result": result[:500], "last_failed": failed, **_took(started)}, language)
    return True


def _took(started: float) -> dict[str, Any]:
    return {"last_milliseconds": round((time.monotonic() - started) * 1000)}


def advance(engine: sa.Engine, stopped: Stopped = lambda: False) -> int:
    """Perform every verb whose time has come, a transaction a step; one passage may make the next one due."""
    steps: tuple[Callable[[RecordSession], int], ...] = (
        lambda session: advance_contracts(session, clock.today(), actor=SYSTEM),
        lambda session: advance_packages(session, clock.today(), actor=SYSTEM),
        lambda session: tell_of_endings(session, clock.today(), actor=SYSTEM),
        lambda session: expire_licenses(session, clock.today(), actor=SYSTEM),
        lambda session: lapse_fees(session, clock.today(), actor=SYSTEM),
        lambda session: roll_over_fees(session, clock.today(), actor=SYSTEM),
        lambda session: propose_penalties(session, clock.today(), actor=SYSTEM),
        lambda session: propose_returns(session, actor=SYSTEM),
        lambda session: plan_missing_updates(session, actor=SYSTEM),
        lambda session: advance_deadlines(session, clock.today(), actor=SYSTEM),
        lambda session: remind_of_deadlines(session, clock.today(), actor=SYSTEM),
        lambda session: close_answered_requests(session, actor=SYSTEM),
        lambda session: close_held_tickets(session, clock.now(), actor=SYSTEM),
        lambda session: advance_deletions(session, clock.today(), actor=SYSTEM),
        lambda session: forget_old_runs(session, clock.now()),
    )
    return _step_through(engine, steps, stopped)


def advance_tickets(engine: sa.Engine, store: FileStore, root: str, stopped: Stopped = lambda: False) -> int:
    """Alert of emergencies, close and archive tickets whose window is over, watch clocks (J-02, J-03, J-09)."""
    steps: tuple[Callable[[RecordSession], int], ...] = (
        lambda session: close_tickets_for_good(session, clock.now(), actor=SYSTEM),
        lambda session: archive_next(session, store),
        lambda session: watch_clocks(session, clock.now(), actor=SYSTEM),
    )
    with _working(engine) as session:
        alerted = repeat_alerts(session, clock.now(), actor=SYSTEM)
    return alerted + send_alerts(engine, root) + _step_through(engine, steps, stopped)


def _step_through(engine: sa.Engine, steps: Sequence[Callable[[RecordSession], int]], stopped: Stopped) -> int:
    """Take each step until it finds nothing more, a transaction at a time; return how many records moved."""
    done = 0
    for step in steps:
        moved = 1
        while moved and not stopped():
            with _working(engine) as session:
                moved = step(session)
            done += moved
    return done


@contextmanager
def working(engine: sa.Engine, tasks: tuple[Task, ...], *, language: MailLanguage = MailLanguage.it) -> Iterator[None]:
    """Do the tasks, each in a thread, while the block runs; at its end wait for what has been begun."""
    stop = threading.Event()
    threads = [
        threading.Thread(target=_keep_doing, args=(engine, task, stop, language), name=task.name, daemon=True)
        for task in tasks
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(PATIENCE)


def _keep_doing(engine: sa.Engine, task: Task, stop: threading.Event, language: MailLanguage) -> None:
    while not stop.is_set():
        try:
            run_if_due(engine, task, stop.is_set, language=language)
        except sa.exc.SQLAlchemyError:
            # The database is away or busy; what is due stays due.
            _log.exception("The task %s could not be looked at", task.name)
        stop.wait(GLANCE)


def _take(engine: sa.Engine, task: Task) -> str | None:
    """Return the token of a lease on the task; None where it is not due, or somebody has it."""
    now, token = clock.now(), uuid.uuid4().hex
    # Asked first without a lock: most of the time nothing is due.
    with begin_writing(False), _session(engine) as session:
        sooner = task.sooner(session)
        due = sa.true() if sooner else _table.c.next_run_at <= now
        free = sa.true() if task.lease is None else sa.or_(_table.c.lease_until.is_(None), _table.c.lease_until <= now)
        ready = sa.select(sa.and_(due, free).label("ready"), _table.c.seen_at).where(_table.c.name == task.name)
        found = session.execute(ready, execution_options=INTERNAL).one_or_none()
    if found is not None and not found.ready:
        if found.seen_at is None or found.seen_at < now - SIGN:
            _leave_sign(engine, task, now)
        return None
    with _working(engine) as session:
        _enter(session, task.name, now)
        taken = sa.update(_table).where(_table.c.name == task.name, due, free)
        values = {"seen_at": now, "started_at": now, "worker": worker_name()}
        if task.lease is not None:
            values |= {"lease_token": token, "lease_until": now + task.lease}
        row = session.execute(taken.values(values).returning(_table.c.name), execution_options=INTERNAL)
        return token if row.one_or_none() else None


def _leave_sign(engine: sa.Engine, task: Task, now: datetime) -> None:
    with _working(engine) as session:
        seen = sa.update(_table).where(_table.c.name == task.name).values(seen_at=now)
        session.execute(seen, execution_options=INTERNAL)


def _enter(session: RecordSession, name: str, now: datetime) -> None:
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = insert(_table).values(name=name, next_run_at=now).on_conflict_do_nothing()
    session.execute(statement, execution_options=INTERNAL)


def _finish(engine: sa.Engine, task: Task, token: str, values: dict[str, Any], language: MailLanguage) -> None:
    """Write down how the run ended, if it is still this process's; what fails for the first time is told by mail."""
    now = clock.now()
    own = _table.c.name == task.name
    if task.lease is not None:
        own = sa.and_(own, _table.c.lease_token == token)
    with _working(engine) as session:
        before = session.scalar(sa.select(_table.c.last_failed).where(own), execution_options=INTERNAL)
        ended = {"lease_token": None, "lease_until": None, "last_run_at": now, "seen_at": now}
        ended |= {"next_run_at": task.following(session, now)}
        session.execute(sa.update(_table).where(own).values({**ended, **values}), execution_options=INTERNAL)
        if values["last_failed"] and before is False:
            with speaking(language.value):
                alert_of_task(session, task.name, values["last_result"], language=language)


def _in(pause: timedelta) -> Callable[[RecordSession, datetime], datetime]:
    return lambda _session, now: now + pause


def tonight(session: RecordSession, now: datetime) -> datetime:
    """Return when the next night's work begins, in Italy: after the dates have changed."""
    return _next_time(session, NIGHT_AT, now)


def _morning(session: RecordSession, now: datetime) -> datetime:
    return _next_time(session, DIGEST_AT, now)


def _next_time(session: RecordSession, setting: SettingKey[Any], now: datetime) -> datetime:
    """Return when the time of day that a setting names comes next, in Italy."""
    begins = setting_value(session, setting)
    today = now.astimezone(clock.ROME).date()
    following = datetime.combine(today, begins, clock.ROME)
    return following if following > now else datetime.combine(today + timedelta(days=1), begins, clock.ROME)


def _session(engine: sa.Engine) -> RecordSession:
    return open_session(engine, Context(SYSTEM, Door.job))


@contextmanager
def _working(engine: sa.Engine) -> Iterator[RecordSession]:
    with begin_writing(), _session(engine) as session, session.begin():
        yield session
