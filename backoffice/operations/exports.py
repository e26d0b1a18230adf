"""What leaves as a spreadsheet: each export has its line, and what takes long is asked for and made beside the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import INTERNAL, context_of
from backoffice.actors import Action, Actor
from backoffice.errors import DomainError
from backoffice.operations.jobs import EXPORTS, queue_job, register_kind
from backoffice.operations.tasks import find_tasks, is_anybody_working
from backoffice.records.pages import Query, find_counts
from backoffice.setting_keys import EXPORT_ROWS
from backoffice.settings import setting_value
from models.base import Recorded
from models.export_entry import ExportEntry
from models.job import Job, JobState

#: The kinds of jobs.
LIST, EVERYTHING = "export_list", "export_everything"
register_kind(LIST, _l("Export of a list"))
register_kind(EVERYTHING, _l("Export of everything"))
#: So many files may be on their way to one person.
MOST_OPEN = 5


class TooManyExports(DomainError):
    template = _l("%(count)s files are being made for you already: wait for one of them.")
    status = 429


def is_made_beside(session: Session, queries: Sequence[Query]) -> bool:
    """Say whether a workbook would have more rows than a page should keep anybody waiting for, and somebody is there
    to make it."""
    most = setting_value(session, EXPORT_ROWS)
    if not context_of(session).actor.may(Action.read, Job) or not is_anybody_working(find_tasks(session), clock.now()):
        return False
    # Counted one by one: the first long list settles it.
    left = most
    for query in queries:
        left -= find_counts(session, [query], most=left)[0]
        if left < 0:
            return True
    return False


def request_export(session: Session, kind: str, arguments: dict[str, Any], *, subject: str) -> None:
    """Ask for a file in the name of whoever acts, unless just that file is on its way already.

    :raises TooManyExports: so many are that this one would only wait.
    """
    job: Any = cast("sa.Table", Job.__table__)
    own = sa.select(job.c.kind, job.c.arguments).where(
        job.c.created_by_id == context_of(session).actor.staff_id,
        job.c.lane == EXPORTS,
        job.c.state.in_((JobState.waiting, JobState.running)),
    )
    open_ = [tuple(row) for row in session.execute(own, execution_options=INTERNAL)]
    if (kind, arguments) in open_:
        return
    if len(open_) >= MOST_OPEN:
        raise TooManyExports(count=len(open_))
    queue_job(session, kind, arguments, lane=EXPORTS, subject=subject)


def export_line(
    actor: Actor, entity: type[Recorded], columns: Sequence[str], kind: str, conditions: str
) -> dict[str, Any]:
    """Return what is written down about an export before its rows are counted."""
    return {
        "at": clock.now(),
        "actor_id": actor.staff_id,
        "actor_name": actor.name if actor.account_id is None else f"Account {actor.account_id}",
        "group_id": actor.group_id,
        "entity": entity.__table__.name,
        "format": kind,
        "columns": ", ".join(columns),
        "conditions": conditions,
    }


def keep_export(session: Session, line: dict[str, Any], *, row_count: int, is_complete: bool) -> None:
    """Write down one export, also one that was stopped half-way (EX-02)."""
    values = {**line, "row_count": row_count, "is_complete": is_complete}
    session.execute(sa.insert(ExportEntry.__table__).values(values), execution_options=INTERNAL)


__all__ = [
    "EVERYTHING",
    "LIST",
    "MOST_OPEN",
    "TooManyExports",
    "export_line",
    "is_made_beside",
    "keep_export",
    "request_export",
]
