"""Doing what a confirmed run asks: to one record after the other, each by the operation that does it alone.

So permission, row scope, guards, versions and history hold for each record. What was done and why something was not
is written down in the transaction that did it, so that whoever goes on after an end in between does nothing twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import INTERNAL
from backoffice.actors import Actor
from backoffice.errors import Conflict, DomainError, InvalidRecord
from backoffice.operations import plain, verbs
from backoffice.operations.bulk import asked_fields, choice_of
from backoffice.operations.bulk_results import count_waiting
from backoffice.operations.jobs import BULK, queue_job, register_kind
from backoffice.operations.tasks import find_tasks, is_anybody_working
from backoffice.records.lookup import get_record
from backoffice.setting_keys import BULK_ROWS
from backoffice.settings import setting_value
from models.base import ENTITIES, Recorded
from models.bulk_run import BulkAction, BulkOutcome, BulkRow, BulkRun
from models.catalogue import fields

#: The kind of job.
MANY = "bulk_run"
register_kind(MANY, _l("Many records at once"))
#: Records whose changes last together.
CHUNK = 50
#: Records a page does before it shows how far it has come.
AT_ONCE = 2_000
_run: Any = cast("sa.Table", BulkRun.__table__)
_row: Any = cast("sa.Table", BulkRow.__table__)


def is_done_beside(session: Session, run: BulkRun) -> bool:
    """Say whether there are more records than a page keeps anybody waiting for, and somebody does them beside it."""
    is_long = run.row_count > setting_value(session, BULK_ROWS)
    return is_long and is_anybody_working(find_tasks(session), clock.now())


def request_run(session: Session, run: BulkRun, *, language: str) -> None:
    """Have a confirmed run done beside the page, in the name of whoever acts."""
    subject = f"{ENTITIES[run.entity].__admin__.plural}: {choice_of(run).label}"
    arguments = {"run": run.id, "entity": run.entity, "language": language}
    job_id = queue_job(session, MANY, arguments, lane=BULK, subject=subject, total=run.row_count)
    one = sa.update(_run).where(_run.c.id == run.id).values(job_id=job_id)
    session.execute(one, execution_options=INTERNAL)


def carry_out(session: Session, run: BulkRun, *, actor: Actor) -> Iterator[int]:
    """Do what a confirmed run asks to the records that still wait, some at a time; yield how many are done with.

    The caller commits after each. Two at once take turns, and do nothing twice.
    """
    lock = sa.select(_run.c.id).where(_run.c.id == run.id).with_for_update()
    waiting = sa.select(_row.c.record_id, _row.c.version).where(_row.c.run_id == run.id, _row.c.outcome.is_(None))
    waiting = waiting.order_by(_row.c.record_id).limit(CHUNK)
    while True:
        session.execute(lock, execution_options=INTERNAL)
        rows = session.execute(waiting, execution_options=INTERNAL).all()
        for key, version in rows:
            _keep_outcome(session, run, key, *_attempt(session, run, key, version, actor))
        if not rows:
            _forget_values(session, run)
            yield run.row_count
            return
        yield run.row_count - count_waiting(session, run)


def _attempt(session: Session, run: BulkRun, key: int, version: int, actor: Actor) -> tuple[BulkOutcome, str | None]:
    """Do it to one record, or leave everything as it was and say why."""
    try:
        with session.begin_nested():
            record = get_record(session, ENTITIES[run.entity], key)
            _DEEDS[run.action](session, run, record, version, actor)
    except Conflict as error:
        return BulkOutcome.changed, str(error)
    except DomainError as error:
        return BulkOutcome.refused, _sentence(run, error)
    return BulkOutcome.done, None


def _edit(session: Session, run: BulkRun, record: Recorded, version: int, actor: Actor) -> None:
    plain.update_record(session, record, run.values, version=version, actor=actor)


def _perform(session: Session, run: BulkRun, record: Recorded, version: int, actor: Actor) -> None:
    verbs.perform(session, record, run.verb or "", run.values, actor=actor, version=version)


def _delete(session: Session, _run: BulkRun, record: Recorded, version: int, actor: Actor) -> None:
    plain.delete_record(session, record, version=version, actor=actor)


_DEEDS: dict[BulkAction, Callable[[Session, BulkRun, Recorded, int, Actor], None]] = {
    BulkAction.edit: _edit,
    BulkAction.verb: _perform,
    BulkAction.delete: _delete,
}


def _sentence(run: BulkRun, error: DomainError) -> str:
    if not isinstance(error, InvalidRecord):
        return str(error)[:500]
    known = fields(ENTITIES[run.entity]) | asked_fields(run)
    found = (f"{known[name].label}: {text}" if name in known else str(text) for name, text in error.problems.items())
    return " ".join(found)[:500]


def _keep_outcome(session: Session, run: BulkRun, key: int, outcome: BulkOutcome, problem: str | None) -> None:
    one = sa.update(_row).where(_row.c.run_id == run.id, _row.c.record_id == key)
    session.execute(one.values(outcome=outcome, problem=problem), execution_options=INTERNAL)


def _forget_values(session: Session, run: BulkRun) -> None:
    """Keep which fields were written; with what is in the history of each record, where it can be erased."""
    done = sa.update(_run).where(_run.c.id == run.id).values(values=dict.fromkeys(run.values))
    session.execute(done, execution_options=INTERNAL)


__all__ = ["AT_ONCE", "CHUNK", "MANY", "carry_out", "is_done_beside", "request_run"]
