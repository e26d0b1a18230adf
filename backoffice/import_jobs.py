"""Trying, applying and undoing a long file as a job: the same steps as on the page, each kept before the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from flask_babel import format_decimal
from flask_babel import lazy_gettext as _l

from backoffice.actors import Door
from backoffice.background import StopAskedFor, Work, job_kind
from backoffice.errors import Text
from backoffice.operations import everything, import_undo, imports
from backoffice.operations.import_requests import APPLICATION, APPLICATION_OF_ALL, TRIAL, TRIAL_OF_ALL, UNDOING
from models.base import ENTITIES
from models.import_batch import ImportBatch, ImportState

_TRIED: Text = _l("%(new)s new, %(changed)s to change, %(same)s already the same, %(refused)s refused")
_APPLIED: Text = _l("%(new)s added, %(changed)s changed, %(refused)s refused")
_UNDONE: Text = _l("%(new)s taken away again, %(changed)s as before")


@job_kind(TRIAL)
def try_file(work: Work) -> str:
    """Judge every row of a batch."""
    return str(_TRIED) % _counts(_do(work, imports.try_rows, ImportState.tried))


@job_kind(APPLICATION)
def apply_file(work: Work) -> str:
    """Write the new and changed rows of a tried batch."""
    return str(_APPLIED) % _counts(_do(work, imports.apply_rows, ImportState.applied))


@job_kind(UNDOING)
def undo_file(work: Work) -> str:
    """Take back what an applied batch wrote."""
    return str(_UNDONE) % _counts(_do(work, import_undo.undo_rows, ImportState.undone))


@job_kind(TRIAL_OF_ALL)
def try_everything(work: Work) -> str:
    """Bring everything in and take it back, and keep what would become of it."""
    with work.session(Door.spreadsheet) as session:
        parts = everything.find_parts(session, work.arguments["batch"])
        _tell(work, everything.try_parts(session, parts, actor=work.actor))
        work.keep(session, work.job.total_count, work.job.total_count)
        return str(_TRIED) % _sums(parts)


@job_kind(APPLICATION_OF_ALL)
def import_everything(work: Work) -> str:
    """Bring everything in, at once or not at all."""
    with work.session(Door.spreadsheet) as session:
        parts = everything.find_parts(session, work.arguments["batch"])
        # An earlier run may have done it and been killed before it could say so.
        if parts[0].state is not ImportState.applied:
            _tell(work, everything.apply_parts(session, parts, actor=work.actor))
            work.keep(session, work.job.total_count, work.job.total_count)
        return str(_APPLIED) % _sums(parts)


def _tell(work: Work, steps: Iterator[int]) -> None:
    """Go through steps that last all together or not at all."""
    for done in steps:
        # SQLite has one writer, and that is this run.
        if work.engine.dialect.name != "sqlite":
            work.tell(done, work.job.total_count)
        elif work.stopped():
            raise StopAskedFor


def _do(work: Work, steps: Callable[..., Iterator[int]], end: ImportState) -> ImportBatch:
    entity = ENTITIES[work.arguments["entity"]]
    with work.session(Door.spreadsheet) as session:
        batch = imports.get_batch(session, entity, work.arguments["batch"], actor=work.actor)
        # An earlier run may have done the last step and been killed before it could say so.
        if batch.state is not end:
            for done in steps(session, batch, actor=work.actor):
                work.keep(session, done, work.job.total_count)
        return batch


def _counts(batch: ImportBatch) -> dict[str, str]:
    return _sums([batch])


def _sums(batches: Sequence[ImportBatch]) -> dict[str, str]:
    names = ("new", "changed", "same", "refused")
    return {name: format_decimal(sum(getattr(batch, f"{name}_count") for batch in batches)) for name in names}
