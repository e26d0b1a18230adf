"""The periodic tasks as people see them: what each does, how it stands, and having one done at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import INTERNAL
from backoffice.actors import Action, Actor
from backoffice.errors import Forbidden, NotFound, Text
from models.job import Job
from models.work_task import WorkTask

_table = cast("sa.Table", WorkTask.__table__)
#: Whoever works asks every few seconds and says so every minute; after this, nobody does.
SILENT_AFTER = timedelta(minutes=5)


@dataclass(frozen=True)
class TaskWords:
    """What people call a task, and what it does."""

    label: Text
    help: Text


#: Every task that ``backoffice/jobs.py`` may run, by name.
TASKS: dict[str, TaskWords] = {
    "send_mail": TaskWords(_l("Send mail"), _l("Hands in what waits in the outbox; tries again what did not leave.")),
    "capture_mail": TaskWords(_l("Take mail in"), _l("Reads the mailboxes, and adds to tickets what belongs there.")),
    "advance": TaskWords(
        _l("The night’s work"),
        _l("Moves on contracts, packages and licenses whose day has come."),
    ),
    "advance_tickets": TaskWords(
        _l("Clocks of tickets"),
        _l("Warns of what is due soon, tells of what is overdue, and closes for good what may no longer be reopened."),
    ),
    "send_digests": TaskWords(
        _l("Mail of the morning"), _l("Tells people in one mail what they wanted to hear of once a day.")
    ),
    "sweep_files": TaskWords(
        _l("Clear the file store"), _l("Deletes the content of files that no record refers to any more.")
    ),
    "imports": TaskWords(_l("Large imports"), _l("Tries and applies the files that are too long for a page to wait.")),
    "bulk": TaskWords(_l("Many records at once"), _l("Changes the records that are too many for a page to wait.")),
    "exports": TaskWords(_l("Large exports"), _l("Makes the files that are too long for a page to wait.")),
}


def find_tasks(session: Session) -> Sequence[Any]:
    """Return the row of every task that was ever looked at, in the order of ``TASKS``."""
    rows = session.execute(sa.select(_table), execution_options=INTERNAL).all()
    places = list(TASKS)
    return sorted((row for row in rows if row.name in TASKS), key=lambda row: places.index(row.name))


def run_task_now(session: Session, name: str, *, actor: Actor) -> None:
    """Make a task due at once: whoever works does it within some seconds.

    :raises Forbidden: the actor does not look after the whole installation, which tasks concern.
    :raises NotFound: nobody has ever looked at such a task.
    """
    actor.require(Action.transition, Job)
    if not actor.may_switch_group:
        raise Forbidden
    due = sa.update(_table).where(_table.c.name == name).values(next_run_at=clock.now()).returning(_table.c.name)
    if name not in TASKS or session.execute(due, execution_options=INTERNAL).one_or_none() is None:
        raise NotFound


def is_anybody_working(rows: Sequence[Any], now: datetime) -> bool:
    """Say whether some process has asked lately what is due."""
    return any(row.seen_at is not None and row.seen_at > now - SILENT_AFTER for row in rows)


__all__ = ["SILENT_AFTER", "TASKS", "find_tasks", "is_anybody_working", "run_task_now"]
