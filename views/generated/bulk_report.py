"""The report on what was done to many records at once: on a page, and as a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from flask import request
from flask_babel import format_decimal, ngettext
from flask_babel import gettext as _

from backoffice.actors import Actor
from backoffice.database import RecordSession
from backoffice.operations.bulk_results import count_outcomes, find_rows
from backoffice.records import show
from backoffice.records.lookup import parse_key
from models.base import ENTITIES
from models.bulk_run import BulkAction, BulkOutcome, BulkRun
from models.catalogue import fields
from views import addresses
from views.generated.bulk import back_url, heading, run_url

#: Rows of a report on one page.
SIZE = 50


def report_page(session: RecordSession, run: BulkRun, actor: Actor) -> dict[str, Any]:
    """Return what ``bulk_report.html`` shows: how many came to what, and a page of the records with their reasons."""
    counts = count_outcomes(session, run)
    outcome = _wanted_outcome()
    after = parse_key(request.args.get("after", "")) or 0
    rows = find_rows(session, run, outcome, after=after, most=SIZE + 1)
    shown, names = rows[:SIZE], _names(session, run, [row.record_id for row in rows[:SIZE]], actor)
    tabs = [{"label": _("All"), "count": run.row_count, "url": run_url(run, "report"), "current": outcome is None}]
    for one in BulkOutcome:
        url = f"{run_url(run, 'report')}?outcome={one.value}"
        tabs.append({"label": one.label, "count": counts.get(one, 0), "url": url, "current": one is outcome})
    query = f"outcome={outcome.value}&" if outcome else ""
    is_whole = not counts.get(None)
    return {
        "heading": heading(run),
        "title": _summary(run, counts) if is_whole else _("Not all of it is done"),
        "icon": "check2-circle" if counts.get(BulkOutcome.done, 0) == run.row_count else "exclamation-circle",
        "tabs": [tab | {"count_text": format_decimal(tab["count"])} for tab in tabs],
        "written": ", ".join(_written(run)),
        "rows": [_report_row(run, row, names) for row in shown],
        "next_url": f"{run_url(run, 'report')}?{query}after={shown[-1].record_id}" if len(rows) > SIZE else None,
        "first_url": f"{run_url(run, 'report')}?{query}".rstrip("?&") if after else None,
        "download_url": f"{run_url(run, 'report.csv')}?{query}".rstrip("?&"),
        "list_url": back_url(run),
        "go_url": None if is_whole else run_url(run),
    }


def _wanted_outcome() -> BulkOutcome | None:
    wanted = request.args.get("outcome", "")
    return BulkOutcome[wanted] if wanted in BulkOutcome.__members__ else None


def _written(run: BulkRun) -> list[str]:
    known = fields(ENTITIES[run.entity]) if run.action is BulkAction.edit else {}
    return [str(known[name].label) for name in run.values if name in known]


def _summary(run: BulkRun, counts: Mapping[BulkOutcome | None, int]) -> str:
    done = counts.get(BulkOutcome.done, 0)
    if done == run.row_count:
        return ngettext("It is done.", "All %(all)s are done.", done, all=format_decimal(done))
    return _("%(done)s of %(all)s are done", done=format_decimal(done), all=format_decimal(run.row_count))


def _report_row(run: BulkRun, row: Any, names: Mapping[int, tuple[str, str]]) -> dict[str, Any]:
    name, url = names.get(row.record_id, (_("No. %(key)s", key=row.record_id), ""))
    outcome = row.outcome
    state = {"text": outcome.label, "tone": outcome.tone, "icon": outcome.icon} if outcome else None
    return {"name": name, "url": url, "state": state, "problem": row.problem or ""}


def _names(session: RecordSession, run: BulkRun, keys: Sequence[int], actor: Actor) -> dict[int, tuple[str, str]]:
    """Return name and address of those of the records that are still there for the actor."""
    entity: Any = ENTITIES[run.entity]
    rows = session.scalars(sa.select(entity).where(entity.id.in_(keys))).all() if keys else []
    return {row.id: (show.label(row, actor), addresses.record_url(row)) for row in rows}


def report_lines(session: RecordSession, run: BulkRun, actor: Actor) -> list[list[str]]:
    """Return the report as lines of a sheet: key, record, outcome, reason."""
    rows = find_rows(session, run, _wanted_outcome())
    lines = [[_("Key"), str(ENTITIES[run.entity].__admin__.label), _("Outcome"), _("Reason")]]
    for start in range(0, len(rows), 500):
        some = rows[start : start + 500]
        names = _names(session, run, [row.record_id for row in some], actor)
        session.expunge_all()
        for row in some:
            outcome = str(row.outcome.label) if row.outcome else ""
            lines.append([str(row.record_id), names.get(row.record_id, ("", ""))[0], outcome, row.problem or ""])
    return lines


__all__ = ["report_lines", "report_page"]
