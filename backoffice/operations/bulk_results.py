"""What became of the records of a run: counted, listed, and forgotten after some days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.access import INTERNAL
from backoffice.lifecycles import MACHINES
from backoffice.operations.bulk import choice_of
from backoffice.setting_keys import BULK_DAYS
from backoffice.settings import setting_value
from models.base import ENTITIES
from models.bulk_run import BulkOutcome, BulkRow, BulkRun

_run: Any = cast("sa.Table", BulkRun.__table__)
_row: Any = cast("sa.Table", BulkRow.__table__)


def count_outcomes(session: Session, run: BulkRun) -> dict[BulkOutcome | None, int]:
    """Return how many records came to what; under None, how many still wait."""
    counts = sa.select(_row.c.outcome, sa.func.count()).where(_row.c.run_id == run.id).group_by(_row.c.outcome)
    return {row[0]: row[1] for row in session.execute(counts, execution_options=INTERNAL)}


def count_waiting(session: Session, run: BulkRun) -> int:
    """Return how many records of a run are still to be done."""
    waiting = sa.select(sa.func.count()).where(_row.c.run_id == run.id, _row.c.outcome.is_(None))
    return session.scalar(waiting, execution_options=INTERNAL) or 0


def count_ready(session: Session, run: BulkRun) -> int | None:
    """Return how many records are in a state that the run's verb begins from; None where it is no verb."""
    transition, entity = choice_of(run).transition, ENTITIES[run.entity]
    if transition is None:
        return None
    state = getattr(entity, MACHINES[entity].column)
    of_run = sa.select(_row.c.record_id).where(_row.c.run_id == run.id)
    ready = sa.select(sa.func.count(entity.id)).where(entity.id.in_(of_run), state.in_(transition.sources))
    return session.scalar(ready) or 0


def find_rows(
    session: Session, run: BulkRun, outcome: BulkOutcome | None, *, after: int = 0, most: int | None = None
) -> Sequence[Any]:
    """Return what became of the records of a run, by key: ``record_id``, ``outcome``, ``problem`` each."""
    wanted = sa.select(_row.c.record_id, _row.c.outcome, _row.c.problem).where(_row.c.run_id == run.id)
    if outcome is not None:
        wanted = wanted.where(_row.c.outcome == outcome)
    wanted = wanted.where(_row.c.record_id > after).order_by(_row.c.record_id).limit(most)
    return session.execute(wanted, execution_options=INTERNAL).all()


def forget_old_runs(session: Session, now: datetime) -> int:
    """Delete the reports of what was done longer ago than they are kept; return how many."""
    old = sa.delete(_run).where(_run.c.at < now - timedelta(days=setting_value(session, BULK_DAYS)))
    return len(session.execute(old.returning(_run.c.id), execution_options=INTERNAL).all())


__all__ = ["count_outcomes", "count_ready", "count_waiting", "find_rows", "forget_old_runs"]
