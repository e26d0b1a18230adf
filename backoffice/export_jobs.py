"""Making a long workbook as a job: the rows, order, masks and rights are those of the page it was asked for on."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from flask_babel import ngettext

from backoffice.actors import Action, Door
from backoffice.background import Work, job_kind
from backoffice.operations.exports import EVERYTHING, LIST, export_line, keep_export
from backoffice.records import export, show
from backoffice.records.everything import Everything
from backoffice.records.pages import find_counts, read_query
from backoffice.setting_keys import EXPORT_DAYS
from backoffice.settings import setting_value
from models.base import ENTITIES
from models.values import show_number

#: More rows than this nobody counts beforehand.
_COUNTED = 10_000_000


@job_kind(LIST)
def make_list(work: Work) -> str:
    """Write the workbook of one list."""
    asked, actor = work.arguments, work.actor
    entity = ENTITIES[asked["entity"]]
    actor.require(Action.export, entity)
    query = read_query(entity, actor, filters=asked["filters"], term=asked["term"], sort=asked["sort"])
    known = {field.name: field for field in show.all_columns(entity)}
    columns = [known[name] for name in asked["columns"] if name in known]
    line = export_line(actor, entity, [field.name for field in columns], "xlsx", asked["conditions"])
    tally = export.Tally()
    with tempfile.NamedTemporaryFile(suffix=".xlsx") as file:
        with work.reading(Door.spreadsheet) as session:
            (total,) = find_counts(session, [query], most=_COUNTED)
            read = export.columns_for(session, columns, actor)
            rows = _told(work, export.find_rows(session, query, read), total)
            export.write_xlsx(Path(file.name), rows, read, tally, str(entity.__admin__.plural))
        _leave(work, Path(file.name))
    with work.session() as session:
        keep_export(session, line, row_count=tally.rows, is_complete=True)
        session.commit()
    return _said(tally.rows)


@job_kind(EVERYTHING)
def make_everything(work: Work) -> str:
    """Write all that whoever asked for it may see into one file."""
    kind = work.arguments["format"]
    with tempfile.NamedTemporaryFile(suffix=f".{kind}") as file:
        with work.reading(Door.spreadsheet) as session:
            taken = Everything(session, work.actor)
            total = sum(
                find_counts(session, [read_query(part.entity, work.actor) for part in taken.parts], most=_COUNTED)
            )
            taken.told = lambda rows: work.tell(rows, max(rows, total))
            (taken.write_xlsx if kind == "xlsx" else taken.write_zip)(Path(file.name))
        _leave(work, Path(file.name))
    with work.session() as session:
        for part in taken.parts:
            line = export_line(work.actor, part.entity, [field.name for field in part.columns], kind, "all=1")
            keep_export(session, line, row_count=part.rows, is_complete=part.complete)
        session.commit()
    return _said(taken.rows)


def _told(work: Work, batches: Iterator[export.Batch], total: int) -> Iterator[export.Batch]:
    """Pass the rows on, and show after each batch how far it has come."""
    done = 0
    work.tell(done, total)
    for batch in batches:
        yield batch
        done += len(batch[0])
        work.tell(done, total)


def _leave(work: Work, path: Path) -> None:
    with work.reading() as session:
        days = setting_value(session, EXPORT_DAYS)
    work.leave_file(work.job.subject, path.read_bytes(), days=days)


def _said(rows: int) -> str:
    return str(ngettext("%(rows)s row", "%(rows)s rows", rows, rows=show_number(rows)))
