"""Importing a spreadsheet: upload, map the columns, try without writing anything, apply.

Trying and applying are generators that yield whenever the door may commit, so that a long file makes
progress that lasts: whoever calls them again goes on where the last commit left off.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import INTERNAL
from backoffice.actors import Action, Actor
from backoffice.errors import DomainError, NotFound
from backoffice.operations.import_judging import WRITTEN, Judge
from backoffice.operations.import_mapping import (
    check_mapping,
    known_headings,
    propose_mapping,
    reach_of,
    require_importable,
)
from backoffice.operations.import_writing import try_chunk, write_chunk
from backoffice.records.lookup import get_record
from backoffice.spreadsheets.headings import LOOKED_AT
from backoffice.spreadsheets.reading import read_table
from backoffice.spreadsheets.tables import LIMITS, Limits, Line, cut_table
from models.base import ENTITIES, Recorded
from models.import_batch import ImportBatch, ImportMode, ImportOutcome, ImportState
from models.import_row import ImportKey, ImportRow

#: Rows judged, written and flushed together.
CHUNK = 500
#: Up to so many rows an import is one transaction; larger ones are committed chunk by chunk.
WHOLE = 10_000


class WrongStep(DomainError):
    """A step of an import was asked for that its state does not allow."""

    template = _l("This import is “%(state)s”: the step is not possible now.")
    status = 409


def start_import(
    session: Session, entity: type[Recorded], file_name: str, content: bytes, *, actor: Actor, limits: Limits = LIMITS
) -> ImportBatch:
    """Read an uploaded file and stage its rows in a new batch with a proposed mapping.

    :raises Forbidden: the actor may neither add nor change records of ``entity``.
    :raises FileRefused: the file is empty, damaged or no spreadsheet.
    :raises TooLarge: it exceeds ``limits``.
    """
    require_importable(entity, actor)
    table = read_table(content, limits, knows=known_headings(entity, actor))
    batch = ImportBatch(
        entity=entity.__table__.name, file_name=_printable(file_name), form=table.form[:160], file_bytes=len(content),
        top=table.top, headings=table.headings, row_count=len(table.rows), state=ImportState.uploaded,
    )  # fmt: skip
    propose_mapping(session, batch, entity, [cells for _number, cells in table.rows[:200]], actor=actor)
    session.add(batch)
    session.flush()
    stage_rows(session, batch, table.rows)
    return batch


def first_lines(session: Session, batch: ImportBatch) -> list[Line]:
    """Return the first lines of the file as they were: one of them holds the headings."""
    rows = sa.select(ImportRow.number, ImportRow.cells).where(ImportRow.batch_id == batch.id).order_by(ImportRow.number)
    top = [(int(number), list(cells)) for number, cells in batch.top]
    below = session.execute(rows.limit(max(0, LOOKED_AT - len(top))))
    return [*top, *((number, cells) for number, cells in below)]


def choose_headings(session: Session, batch: ImportBatch, number: int, *, actor: Actor) -> None:
    """Say which of the first lines holds the headings; what was chosen for the columns is proposed anew.

    :raises NotFound: it is none of the first lines.
    :raises WrongStep: the batch is being applied or was.
    """
    take(session, batch)
    require_state(batch, ImportState.uploaded, ImportState.trying, ImportState.tried)
    numbers = [line for line, _cells in first_lines(session, batch)]
    if number not in numbers:
        raise NotFound
    rows = sa.select(ImportRow.number, ImportRow.cells).where(ImportRow.batch_id == batch.id).order_by(ImportRow.number)
    top = [(int(line), list(cells)) for line, cells in batch.top]
    lines = [*top, *((line, cells) for line, cells in session.execute(rows, execution_options=INTERNAL))]
    table = cut_table(lines, numbers.index(number), batch.form)
    for staged in (ImportKey, ImportRow):
        session.execute(sa.delete(staged).where(staged.batch_id == batch.id), execution_options=INTERNAL)
    session.expire_all()
    batch.top, batch.headings, batch.row_count = table.top, table.headings, len(table.rows)
    batch.state, batch.done_row, batch.mapping_name = ImportState.uploaded, 0, None
    stage_rows(session, batch, table.rows)
    samples = [cells for _line, cells in table.rows[:200]]
    propose_mapping(session, batch, ENTITIES[batch.entity], samples, actor=actor)
    session.flush()


def stage_rows(session: Session, batch: ImportBatch, rows: Sequence[tuple[int, list[str]]]) -> None:
    """Keep the rows of a file for a batch that has its key."""
    for start in range(0, len(rows), 2000):
        staged = [{"batch_id": batch.id, "number": n, "cells": cells} for n, cells in rows[start : start + 2000]]
        session.execute(sa.insert(ImportRow), staged, execution_options=INTERNAL)


def _printable(file_name: str) -> str:
    name = file_name.replace("\\", "/").rpartition("/")[2]
    return "".join(c for c in name if c.isprintable())[:255] or "?"


def get_batch(session: Session, entity: type[Recorded], batch_id: int, *, actor: Actor) -> ImportBatch:
    """Return a batch of ``entity`` that the actor started, or any of the group for its administrators.

    :raises NotFound: there is none, or it is somebody else's.
    """
    require_importable(entity, actor)
    batch: ImportBatch = get_record(session, ImportBatch, batch_id)
    # A part of a file with everything goes its own way until it is done: see ``operations.everything``.
    is_part = batch.restores and batch.state not in (ImportState.applied, ImportState.undone, ImportState.discarded)
    if batch.entity != entity.__table__.name or is_part:
        raise NotFound
    return batch


def map_columns(
    session: Session,
    batch: ImportBatch,
    mapping: Mapping[str, str],
    *,
    mode: ImportMode,
    matched_by: str | None,
    source_system: str | None,
    mapping_name: str | None = None,
    actor: Actor,
) -> None:
    """Say which column goes where, and how existing records are recognised; forgets an earlier trial.

    With ``mapping_name`` these choices are offered again for files with the same headings.

    :raises InvalidRecord: with what keeps the mapping from working.
    :raises WrongStep: the batch is being applied or was.
    """
    require_state(batch, ImportState.uploaded, ImportState.trying, ImportState.tried)
    system, name = " ".join((source_system or "").split()) or None, " ".join((mapping_name or "").split()) or None
    check_mapping(
        ENTITIES[batch.entity], batch.headings, mapping,
        mode=mode, matched_by=matched_by, source_system=system, mapping_name=name, actor=actor,
    )  # fmt: skip
    batch.mapping_name = name
    batch.mapping, batch.mode, batch.matched_by, batch.source_system = dict(mapping), mode, matched_by, system
    batch.state, batch.done_row = ImportState.uploaded, 0
    session.flush()


def try_rows(session: Session, batch: ImportBatch, *, actor: Actor) -> Iterator[int]:
    """Judge every row without writing any record; yields the number of rows judged whenever it may be committed.

    :raises WrongStep: the batch has no valid mapping yet, or is being applied or was.
    """
    take(session, batch)
    require_state(batch, ImportState.uploaded, ImportState.trying, ImportState.tried)
    _require_mapping(batch, actor)
    if batch.state is not ImportState.trying:
        _forget_trial(session, batch)
        batch.state, batch.done_row, batch.tried_milliseconds = ImportState.trying, 0, 0
    judge = Judge(session, batch, actor)
    done = _count_rows(session, batch, up_to=batch.done_row)
    while rows := _next_rows(session, batch):
        started = time.monotonic()
        try_chunk(judge, judge.judge(rows, remember=True))
        batch.done_row = rows[-1].number
        batch.tried_milliseconds += round((time.monotonic() - started) * 1000)
        session.flush()
        done += len(rows)
        yield done
        take(session, batch)
    _sum_up(session, batch)
    session.execute(sa.delete(ImportKey).where(ImportKey.batch_id == batch.id), execution_options=INTERNAL)
    batch.state, batch.tried_at = ImportState.tried, clock.now()
    session.flush()
    yield done


def apply_rows(session: Session, batch: ImportBatch, *, actor: Actor) -> Iterator[int]:
    """Write the new and changed rows of a tried batch; yields the number of rows done whenever it may be committed.

    Up to ``WHOLE`` rows that is once, at the end. A row that fails is undone alone and reported as refused.

    :raises WrongStep: the batch has not been tried, or was applied already.
    """
    take(session, batch)
    require_state(batch, ImportState.tried, ImportState.applying)
    _require_mapping(batch, actor)
    if batch.state is ImportState.tried:
        batch.state, batch.done_row = ImportState.applying, 0
    judge = Judge(session, batch, actor)
    done = _count_rows(session, batch, up_to=batch.done_row, outcomes=WRITTEN)
    while rows := _next_rows(session, batch, outcomes=WRITTEN):
        write_chunk(judge, judge.judge(rows, remember=False))
        batch.done_row = rows[-1].number
        session.flush()
        done += len(rows)
        if batch.row_count > WHOLE:
            yield done
            take(session, batch)
    _sum_up(session, batch)
    batch.state, batch.applied_at = ImportState.applied, clock.now()
    session.flush()
    yield done


def discard_import(session: Session, batch: ImportBatch, *, actor: Actor) -> None:
    """Forget the rows of a file, applied or not; what was written stays, and so does the batch as its record."""
    actor.require(Action.update, ImportBatch)
    take(session, batch)
    for staged in (ImportKey, ImportRow):
        session.execute(sa.delete(staged).where(staged.batch_id == batch.id), execution_options=INTERNAL)
    batch.state = ImportState.discarded
    session.flush()


def require_state(batch: ImportBatch, *states: ImportState) -> None:
    """Raise ``WrongStep`` unless the batch is in one of ``states``."""
    if batch.state not in states:
        raise WrongStep(state=batch.state.label)


def _require_mapping(batch: ImportBatch, actor: Actor) -> None:
    """Check the mapping again: rights may have changed since it was chosen."""
    check_mapping(
        ENTITIES[batch.entity], batch.headings, batch.mapping,
        mode=batch.mode, matched_by=batch.matched_by, source_system=batch.source_system, reach=reach_of(batch),
        actor=actor,
    )  # fmt: skip


def take(session: Session, batch: ImportBatch) -> None:
    """Take the batch as it is stored now, so that two requests never work on the same rows."""
    session.refresh(batch, with_for_update=True)


def _next_rows(
    session: Session, batch: ImportBatch, *, outcomes: Iterable[ImportOutcome] | None = None
) -> list[ImportRow]:
    statement = sa.select(ImportRow).where(ImportRow.batch_id == batch.id, ImportRow.number > batch.done_row)
    if outcomes is not None:
        statement = statement.where(ImportRow.outcome.in_(outcomes))
    return list(session.scalars(statement.order_by(ImportRow.number).limit(CHUNK)))


def _count_rows(
    session: Session, batch: ImportBatch, *, up_to: int, outcomes: Iterable[ImportOutcome] | None = None
) -> int:
    statement = sa.select(sa.func.count(ImportRow.number)).where(
        ImportRow.batch_id == batch.id, ImportRow.number <= up_to
    )
    if outcomes is not None:
        statement = statement.where(ImportRow.outcome.in_(outcomes))
    return session.scalar(statement, execution_options=INTERNAL) or 0


def _forget_trial(session: Session, batch: ImportBatch) -> None:
    session.execute(sa.delete(ImportKey).where(ImportKey.batch_id == batch.id), execution_options=INTERNAL)
    clean: dict[str, Any] = {"outcome": None, "noted": False, "findings": [], "record_id": None, "record_version": None}
    session.execute(
        sa.update(ImportRow).where(ImportRow.batch_id == batch.id, ImportRow.outcome.is_not(None)).values(clean),
        execution_options={**INTERNAL, "synchronize_session": False},
    )


def _sum_up(session: Session, batch: ImportBatch) -> None:
    statement = (
        sa.select(ImportRow.outcome, sa.func.count(), sa.func.count(sa.case((ImportRow.noted, 1))))
        .where(ImportRow.batch_id == batch.id)
        .group_by(ImportRow.outcome)
    )
    counted = {
        outcome: (rows, noted) for outcome, rows, noted in session.execute(statement, execution_options=INTERNAL)
    }
    for outcome in ImportOutcome:
        setattr(batch, f"{outcome.value}_count", counted.get(outcome, (0, 0))[0])
    batch.noted_count = sum(noted for _rows, noted in counted.values())
