"""Work that takes long: asked for with a row, taken by whichever worker is free, and taken again when that one dies."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import INTERNAL, context_of
from backoffice.actors import SYSTEM, Actor
from backoffice.errors import DomainError
from backoffice.lifecycles import Machine, Transition, register
from backoffice.operations.verbs import perform
from models.base import Recorded
from models.job import Job, JobName, JobState
from models.reading import fold

S = JobState
_table = cast("sa.Table", Job.__table__)
#: The lane of what reads and writes whole files; also the name of the task that works it off.
IMPORTS = "imports"
#: The lane of what writes files for people to save.
EXPORTS = "exports"
#: The lane of what is done to many records at once.
BULK = "bulk"
#: A job that was taken up so often without getting any further takes its workers down with it.
MOST_ATTEMPTS = 20


class Overtaken(Exception):
    """The job is not this worker's any more: it was cancelled, or its lease ended and another has it."""


class NeverEnds(DomainError):
    template = _l("It was begun %(count)s times and never got any further.")


def queue_job(
    session: Session,
    kind: str,
    arguments: Mapping[str, Any],
    *,
    lane: str,
    subject: str,
    about: Recorded | None = None,
    total: int = 0,
) -> int:
    """Ask for work in the session's own transaction, in the name of whoever acts; return the key of the job.

    Whoever may do the work need not have any further right for having it done beside the page.

    :raises ValueError: nobody has said what people call work of this kind.
    """
    if kind not in JobName.words:
        raise ValueError(f"No word for jobs of the kind {kind}")
    now, actor = clock.now(), context_of(session).actor
    row = {
        "kind": kind,
        "lane": lane,
        "subject": subject[:300],
        "search_key": fold(subject[:300]),
        "arguments": dict(arguments),
        "state": S.waiting,
        "total_count": total,
        "group_id": getattr(about, "group_id", None) or actor.group_id,
        "cause_entity": about.__table__.name if about is not None else None,
        "cause_id": about.id if about is not None else None,
        "created_at": now,
        "updated_at": now,
        "created_by_id": actor.staff_id,
        "updated_by_id": actor.staff_id,
    }
    statement = sa.insert(_table).values(row).returning(_table.c.id)
    return session.execute(statement, execution_options=INTERNAL).scalar_one()  # type: ignore[no-any-return]


def take_next_job(session: Session, lane: str, now: datetime, lease: timedelta, *, worker: str) -> Job | None:
    """Return the oldest job that is due in a lane, now this worker's; None where none is. Commit before working.

    One whose lease has ended is due again: whoever had it is taken for dead.
    """
    statement = sa.select(Job).where(_due(lane, now)).order_by(Job.id).limit(1)
    job = session.scalar(statement.with_for_update(skip_locked=True))
    if job is None:
        return None
    job.lease_token, job.lease_until = uuid.uuid4().hex, now + lease
    job.worker, job.attempts, job.started_at = worker, job.attempts + 1, job.started_at or now
    perform(session, job, "take", actor=SYSTEM)
    return job


def is_job_due(session: Session, lane: str, now: datetime) -> bool:
    """Say whether there is something to do in a lane; cheap enough to ask every few seconds."""
    return session.scalar(sa.select(Job.id).where(_due(lane, now)).limit(1)) is not None


def keep_progress(session: Session, job_id: int, token: str, done: int, total: int) -> None:
    """Write down how much is done, in the very transaction that did it.

    :raises Overtaken: the job is not this run's any more, so what was done must not last either.
    """
    _own(session, job_id, token, {"done_count": done, "total_count": total, "attempts": 1})


def tell_progress(session: Session, job_id: int, token: str, done: int, total: int) -> None:
    """Write down how far a run has come that would begin anew, so that nothing of it counts as kept.

    :raises Overtaken: the job is not this run's any more.
    """
    _own(session, job_id, token, {"done_count": done, "total_count": total})


def keep_file(session: Session, job_id: int, token: str, name: str, sha256: str, until: datetime) -> None:
    """Write down which file the job has made; raise ``Overtaken`` where the job is not this run's any more."""
    _own(session, job_id, token, {"file_name": name[:200], "file_sha256": sha256, "file_until": until})


def extend_lease(session: Session, job_id: int, token: str, until: datetime) -> None:
    """Keep others away for longer; raise ``Overtaken`` where the job is not this run's any more."""
    _own(session, job_id, token, {"lease_until": until})


def _own(session: Session, job_id: int, token: str, values: Mapping[str, Any]) -> None:
    running = sa.and_(_table.c.state == S.running, _table.c.lease_token == token)
    statement = sa.update(_table).where(_table.c.id == job_id, running).values(values).returning(_table.c.id)
    if session.execute(statement, execution_options=INTERNAL).one_or_none() is None:
        raise Overtaken


def find_taken(session: Session, job_id: int, token: str) -> Job | None:
    """Return the job if it is still this run's, locked; else None."""
    own = sa.select(Job).where(Job.id == job_id, Job.state == S.running, Job.lease_token == token)
    return session.scalar(own.with_for_update())


def finish_job(session: Session, job: Job, result: str) -> None:
    """Write down that it is done, and what came of it. Records ``job.finish``."""
    job.result, job.ended_at = result[:500], clock.now()
    _let_go(session, job, "finish")


def fail_job(session: Session, job: Job, problem: str) -> None:
    """Write down why it came to nothing. Records ``job.fail``."""
    job.problem, job.ended_at = problem[:500], clock.now()
    _let_go(session, job, "fail")


def put_back(session: Session, job: Job) -> None:
    """Let another worker go on with it at once, because this one is asked to stop. Records ``job.put_back``."""
    _let_go(session, job, "put_back")


def _let_go(session: Session, job: Job, verb: str) -> None:
    job.lease_token = job.lease_until = None
    perform(session, job, verb, actor=SYSTEM)


def _due(lane: str, now: datetime) -> sa.ColumnElement[bool]:
    free = sa.or_(Job.state == S.waiting, sa.and_(Job.state == S.running, Job.lease_until <= now))
    return sa.and_(Job.lane == lane, free)


def _stop(_session: Session, job: Job, _values: Mapping[str, Any], _actor: Actor) -> None:
    # Whoever runs it notices at the end of the present step, which then does not last.
    job.lease_token, job.lease_until, job.ended_at = None, None, clock.now()


def _begin_anew(_session: Session, job: Job, _values: Mapping[str, Any], _actor: Actor) -> None:
    job.problem, job.ended_at, job.attempts = None, None, 0


def _automatic(name: str, label: Any, sources: tuple[JobState, ...], target: JobState) -> Transition:
    return Transition(name=name, label=label, sources=sources, target=target, automatic=True)


JOBS = register(
    Machine(
        Job,
        "state",
        (
            _automatic("take", _l("Take up"), (S.waiting, S.running), S.running),
            _automatic("finish", _l("Finish"), (S.running,), S.done),
            _automatic("fail", _lp("job", "Give up"), (S.running,), S.failed),
            _automatic("put_back", _l("Leave to another worker"), (S.running,), S.waiting),
            Transition(
                name="cancel",
                label=_lp("job", "Cancel"),
                sources=(S.waiting, S.running),
                target=S.cancelled,
                icon="slash-circle",
                tone="danger",
                effect=_stop,
                confirm=_l("What is done so far stays; the rest is left undone."),
            ),
            Transition(
                name="retry",
                label=_l("Try again"),
                sources=(S.failed, S.cancelled),
                target=S.waiting,
                icon="arrow-clockwise",
                tone="primary",
                effect=_begin_anew,
            ),
        ),
    )
)


def register_kind(name: str, label: Any) -> None:
    """Make the word for a kind of job known."""
    JobName.words[name] = label


__all__ = [
    "BULK",
    "EXPORTS",
    "IMPORTS",
    "MOST_ATTEMPTS",
    "NeverEnds",
    "Overtaken",
    "extend_lease",
    "fail_job",
    "find_taken",
    "finish_job",
    "is_job_due",
    "keep_file",
    "keep_progress",
    "put_back",
    "queue_job",
    "register_kind",
    "take_next_job",
    "tell_progress",
]
