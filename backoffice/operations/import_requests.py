"""Long imports are done beside the page: asked for here, done by ``backoffice/import_jobs.py``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import INTERNAL
from backoffice.operations.jobs import IMPORTS, queue_job, register_kind
from backoffice.operations.tasks import find_tasks, is_anybody_working
from backoffice.setting_keys import IMPORT_ROWS
from backoffice.settings import setting_value
from models.import_batch import ImportBatch, ImportState
from models.job import Job, JobState

#: The kinds of jobs.
TRIAL, APPLICATION, UNDOING = "import_trial", "import_application", "import_undo"
#: Those for a file with everything.
TRIAL_OF_ALL, APPLICATION_OF_ALL = "everything_trial", "everything_import"
register_kind(TRIAL, _l("Trial of an import"))
register_kind(APPLICATION, _l("Application of an import"))
register_kind(UNDOING, _l("Undoing of an import"))
register_kind(TRIAL_OF_ALL, _l("Trial of an import of everything"))
register_kind(APPLICATION_OF_ALL, _l("Import of everything"))


@dataclass(frozen=True)
class OpenJob:
    """How far a step of an import has come that is done beside the page, or waits to be."""

    kind: str
    state: JobState
    done: int
    total: int


def find_open_job(session: Session, batch: ImportBatch) -> OpenJob | None:
    """Return the job that is working on a batch read within the scope, or is going to; None where there is none."""
    job: Any = cast("sa.Table", Job.__table__)
    wanted = sa.select(job.c.kind, job.c.state, job.c.done_count, job.c.total_count).where(
        job.c.cause_entity == ImportBatch.__tablename__,
        job.c.cause_id == batch.id,
        job.c.state.in_((JobState.waiting, JobState.running)),
    )
    row = session.execute(wanted.order_by(job.c.id.desc()).limit(1), execution_options=INTERNAL).one_or_none()
    return OpenJob(*row) if row is not None else None


def is_done_beside(session: Session, *parts: ImportBatch) -> bool:
    """Say whether a file is longer than a page should keep anybody waiting for, and somebody is there to do it."""
    is_long = sum(part.row_count for part in parts) > setting_value(session, IMPORT_ROWS)
    return is_long and is_anybody_working(find_tasks(session), clock.now())


def request_step(session: Session, batch: ImportBatch, kind: str, *, language: str) -> None:
    """Ask for the trial, the application or the undoing of a batch, unless one of them is open already."""
    session.refresh(batch, with_for_update=True)  # of two at once the second finds the job of the first
    if find_open_job(session, batch) is not None:
        return
    if kind == TRIAL and batch.state is ImportState.tried:
        batch.state, batch.done_row = ImportState.uploaded, 0  # so that its end can be told from the last one's
        session.flush()
    arguments = {"batch": batch.id, "entity": batch.entity, "language": language}
    total = batch.row_count if kind == TRIAL else batch.new_count + batch.changed_count
    queue_job(session, kind, arguments, lane=IMPORTS, subject=batch.file_name, about=batch, total=total)


def request_all(session: Session, parts: Sequence[ImportBatch], kind: str, *, language: str) -> None:
    """Ask for the trial or the application of a file with everything, unless one of them is open already."""
    first = parts[0]
    session.refresh(first, with_for_update=True)
    if find_open_job(session, first) is not None:
        return
    total = sum(part.row_count for part in parts)
    arguments = {"batch": first.id, "language": language}
    queue_job(session, kind, arguments, lane=IMPORTS, subject=first.file_name, about=first, total=total)


__all__ = [
    "APPLICATION",
    "APPLICATION_OF_ALL",
    "TRIAL",
    "TRIAL_OF_ALL",
    "UNDOING",
    "OpenJob",
    "find_open_job",
    "is_done_beside",
    "request_all",
    "request_step",
]
