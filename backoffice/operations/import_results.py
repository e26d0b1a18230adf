"""What became of the rows of a file, for people to look at and to correct."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from models.import_batch import ImportBatch, ImportOutcome, ImportState
from models.import_row import ImportRow


def find_rows(
    session: Session, batch: ImportBatch, outcome: ImportOutcome | None, *, after: int = 0, limit: int = 25
) -> list[ImportRow]:
    """Return the next rows with ``outcome``, or with a remark where it is None, in the order of the file."""
    wanted = ImportRow.noted.is_(True) if outcome is None else ImportRow.outcome == outcome
    statement = (
        sa.select(ImportRow)
        .where(ImportRow.batch_id == batch.id, wanted, ImportRow.number > after)
        .order_by(ImportRow.number)
        .limit(limit)
    )
    return list(session.scalars(statement))


def frequent_reasons(session: Session, batch: ImportBatch, *, limit: int = 4) -> list[tuple[str, int]]:
    """Return the columns for which most rows are refused, with how many: ``[("email", 74), ...]``."""
    statement = (
        sa.select(ImportRow.findings)
        .where(ImportRow.batch_id == batch.id, ImportRow.outcome == ImportOutcome.refused)
        .limit(10_000)
    )
    found = Counter(finding[0] for findings in session.scalars(statement) for finding in findings[:1])
    return [(heading or "–", count) for heading, count in found.most_common(limit)]


def rejected_rows(session: Session, batch: ImportBatch) -> Iterator[list[str]]:
    """Yield the headings and then each refused row as it was in the file, with its reasons in a last column."""
    yield [*batch.headings, _("Why it was refused")]
    after = 0
    while rows := find_rows(session, batch, ImportOutcome.refused, after=after, limit=1000):
        for row in rows:
            cells = row.cells[: len(batch.headings)]
            yield [*cells, "; ".join(_worded(finding) for finding in row.findings)]
        after = rows[-1].number


def sample_values(session: Session, batch: ImportBatch, *, limit: int = 2) -> list[list[str]]:
    """Return for each column the first different values among the first rows."""
    statement = sa.select(ImportRow.cells).where(ImportRow.batch_id == batch.id).order_by(ImportRow.number).limit(200)
    rows = list(session.scalars(statement))
    return [
        list(dict.fromkeys(row[place].strip()[:100] for row in rows if row[place].strip()))[:limit]
        for place in range(len(batch.headings))
    ]


def progress(session: Session, batch: ImportBatch) -> tuple[int, int]:
    """Return how many rows the present step has done, and how many there are."""
    wanted = [ImportRow.batch_id == batch.id]
    total = batch.row_count
    if batch.state is ImportState.applying:
        wanted.append(ImportRow.applied.is_(True))
        total = batch.new_count + batch.changed_count
    counted = sa.select(sa.func.count(ImportRow.number)).where(*wanted, ImportRow.number <= batch.done_row)
    return session.scalar(counted) or 0, total


def _worded(finding: Sequence[str]) -> str:
    heading, _value, sentence = finding
    return f"{heading}: {sentence}" if heading else sentence
