"""Trying and applying a long file as a job: the same steps as on the page, each kept before the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from flask_babel import format_decimal
from flask_babel import lazy_gettext as _l

from backoffice.actors import Door
from backoffice.background import Work, job_kind
from backoffice.errors import Text
from backoffice.operations import imports
from backoffice.operations.import_requests import APPLICATION, TRIAL
from models.base import ENTITIES
from models.import_batch import ImportBatch, ImportState

_TRIED: Text = _l("%(new)s new, %(changed)s to change, %(same)s already the same, %(refused)s refused")
_APPLIED: Text = _l("%(new)s added, %(changed)s changed, %(refused)s refused")


@job_kind(TRIAL, _l("Trial of an import"))
def try_file(work: Work) -> str:
    """Judge every row of a batch."""
    return str(_TRIED) % _counts(_do(work, imports.try_rows, ImportState.tried))


@job_kind(APPLICATION, _l("Application of an import"))
def apply_file(work: Work) -> str:
    """Write the new and changed rows of a tried batch."""
    return str(_APPLIED) % _counts(_do(work, imports.apply_rows, ImportState.applied))


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
    return {name: format_decimal(getattr(batch, f"{name}_count")) for name in ("new", "changed", "same", "refused")}
