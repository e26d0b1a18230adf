"""Taking back an applied import as a whole: what it added is deleted, what it changed is as it was before (issue 3).

Possible until one of its rows has changed since, or something refers to one that it added. The earlier values come
from the history; they are kept nowhere else, so that an erasure reaches them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import INTERNAL, acting
from backoffice.actors import Action, Actor
from backoffice.errors import DomainError, Text
from backoffice.history import recording
from backoffice.operations import imports
from backoffice.operations.imports import require_state, take
from backoffice.operations.openings import opening_of, take_back
from backoffice.operations.plain import flush
from backoffice.operations.removal import references_to, referrers_of
from backoffice.records import timeline
from models.base import ENTITIES, Recorded, SoftDeleted
from models.catalogue import Field, Kind, fields
from models.external_code import ExternalCode
from models.history_entry import HistoryEntry, HistoryErasure, HistoryPersonal
from models.import_batch import ImportBatch, ImportOutcome, ImportState
from models.import_row import ImportRow

#: So many of the rows that stand in the way are named.
NAMED = 50


@dataclass(frozen=True)
class Obstacle:
    """A row of an import that keeps it from being undone, and why."""

    number: int
    #: The record, where the actor may see it.
    record: Recorded | None
    reason: Text


class UndoRefused(DomainError):
    """Some rows of the import have changed since, or are in use; ``values["found"]`` has an ``Obstacle`` for each."""

    template = _l("The import cannot be undone any more: records that came from it have changed or are in use.")
    status = 409


def find_obstacles(session: Session, batch: ImportBatch) -> list[Obstacle]:
    """Return rows that keep an applied import from being undone, the last first, ``NAMED`` at most; none where it can.

    Only rows in doubt are read: of a hundred thousand that nobody has touched none is.
    """
    found: dict[int, Obstacle] = {}
    for doubt, options in _doubts(batch):
        for rows in _chunks(session, batch, doubt, options):
            for one in _obstacles(session, batch, rows, _records(session, batch, rows, lock=False)):
                found[one.number] = one
            if len(found) >= NAMED:
                break
    return sorted(found.values(), key=lambda one: -one.number)[:NAMED]


def undo_import(session: Session, batch: ImportBatch, *, actor: Actor) -> None:
    """Take back all that an applied import wrote, or nothing; see ``undo_rows``."""
    for _done in undo_rows(session, batch, actor=actor):
        pass


def undo_rows(session: Session, batch: ImportBatch, *, actor: Actor) -> Iterator[int]:
    """Take back what an applied import wrote; yields the number of rows done whenever it may be committed.

    Up to ``imports.WHOLE`` rows that is once, at the end. Flushes; the history of each record tells of it. Whoever may
    import may undo: the right to delete is not needed for what would not be there without the file. What was committed
    before a row turned out to stand in the way is taken back for good; the rest can be, once nothing stands there.

    :raises WrongStep: the batch is not applied, or its rows were discarded.
    :raises UndoRefused: some of its rows have changed since or are referred to.
    """
    actor.require(Action.update, ImportBatch)
    take(session, batch)
    require_state(batch, ImportState.applied)
    _refuse(find_obstacles(session, batch))
    done = batch.new_count + batch.changed_count - sum(count_left(session, batch).values())
    for rows in _chunks(session, batch):
        records = _records(session, batch, rows, lock=True)
        _refuse(list(_obstacles(session, batch, rows, records)))
        _take_back(session, batch, rows, records)
        for row in rows:
            row.applied = False
        session.flush()
        done += len(rows)
        if batch.row_count > imports.WHOLE:
            yield done
            take(session, batch)
            require_state(batch, ImportState.applied)
    batch.state, batch.undone_at = ImportState.undone, clock.now()
    session.flush()
    yield done


def count_left(session: Session, batch: ImportBatch) -> dict[ImportOutcome | None, int]:
    """Return how many written rows of a batch have not been taken back, by what became of them."""
    wanted = sa.select(ImportRow.outcome, sa.func.count()).where(_written(batch)).group_by(ImportRow.outcome)
    return {row.outcome: row[1] for row in session.execute(wanted, execution_options=INTERNAL)}


def _written(batch: ImportBatch) -> sa.ColumnElement[bool]:
    return sa.and_(ImportRow.batch_id == batch.id, ImportRow.applied.is_(True))


def _refuse(found: Sequence[Obstacle]) -> None:
    if found:
        raise UndoRefused(found=list(found[:NAMED]))


def _doubts(batch: ImportBatch) -> Iterator[tuple[sa.ColumnElement[bool], Mapping[str, Any]]]:
    """Yield conditions of which every row in the way meets one, each with how it is to be executed."""
    entity: Any = ENTITIES[batch.entity]
    if entity.__admin__.append_only:
        yield sa.true(), {}
    # Within the actor's scope: a record they do not see is not theirs to take back.
    yield ~sa.exists().where(entity.id == ImportRow.record_id, entity.version == ImportRow.written_version), {}
    number = cast("sa.ColumnElement[int]", ImportRow.record_id)
    for referred in references_to(entity, number, without=_brought(entity)):
        yield sa.and_(ImportRow.outcome == ImportOutcome.new, referred), INTERNAL
    erased = sa.exists().where(
        HistoryErasure.entity == batch.entity,
        HistoryErasure.record_id == ImportRow.record_id,
        HistoryErasure.at >= batch.tried_at,
    )
    yield sa.and_(ImportRow.outcome == ImportOutcome.changed, erased), INTERNAL


def _brought(entity: type[Recorded]) -> set[type[Recorded]]:
    """Return what a record brought along: it goes with it, and anything later would have changed the record as well."""
    opening = opening_of(entity)
    return {opening.brings} if opening is not None and opening.brings is not None else set()


def _chunks(
    session: Session, batch: ImportBatch, doubt: sa.ColumnElement[bool] | None = None, options: Mapping[str, Any] = {}
) -> Iterator[Sequence[ImportRow]]:
    """Yield the written rows of the batch, or those in doubt, the last first: a row may refer to one before it."""
    wanted = sa.select(ImportRow).where(_written(batch))
    if doubt is not None:
        wanted = wanted.where(doubt)
    wanted = wanted.order_by(ImportRow.number.desc()).limit(imports.CHUNK)
    rows = session.scalars(wanted, execution_options=options).all()
    while rows:
        yield rows
        rows = session.scalars(wanted.where(ImportRow.number < rows[-1].number), execution_options=options).all()


def _records(session: Session, batch: ImportBatch, rows: Sequence[ImportRow], *, lock: bool) -> dict[int, Recorded]:
    """Return the records of ``rows`` as stored now, by key; with ``lock`` nobody begins to refer to them meanwhile."""
    entity = ENTITIES[batch.entity]
    statement = sa.select(entity).where(entity.id.in_([row.record_id for row in rows])).order_by(entity.id)
    if lock:
        statement = statement.with_for_update(of=entity)
    found = session.scalars(statement.execution_options(populate_existing=True))
    return {record.id: record for record in found}


def _obstacles(
    session: Session, batch: ImportBatch, rows: Sequence[ImportRow], records: dict[int, Recorded]
) -> Iterator[Obstacle]:
    entity = ENTITIES[batch.entity]
    created = [int(row.record_id or 0) for row in rows if row.outcome is ImportOutcome.new]
    referred = referrers_of(session, entity, created, without=_brought(entity))
    restored = _as_imported(session, batch, [row for row in rows if row.record_id in created], records)
    erased = _erased(session, batch, [row.record_id for row in rows if row.outcome is ImportOutcome.changed])
    for row in rows:
        record = records.get(row.record_id or 0)
        if record is None:
            yield Obstacle(row.number, None, _("It is not there any more, or not yours to see."))
        elif record.__admin__.append_only:
            yield Obstacle(row.number, record, _("Such records are never deleted."))
        elif record.version != row.written_version and record.id not in restored:
            yield Obstacle(row.number, record, _("It has been changed since."))
        elif record.id in referred:
            used = ", ".join(f"{item.count} {item.label}" for item in referred[record.id])
            yield Obstacle(row.number, record, _("It is used by %(referrers)s.", referrers=used))
        elif record.id in erased:
            yield Obstacle(row.number, record, _("What it was before has been erased from its history."))


def _as_imported(
    session: Session, batch: ImportBatch, rows: Sequence[ImportRow], records: dict[int, Recorded]
) -> set[int]:
    """Return the new records that have changed since, but are again as they were written: what a later import
    made of them was undone with it."""
    versions = {int(row.record_id or 0): int(row.written_version or 0) for row in rows}
    later = {key: records[key].version - made for key, made in versions.items() if key in records}
    moved = [key for key, count in later.items() if count]
    found = set()
    for key, entries in _entries(session, batch, moved).items() if moved else ():
        first: dict[str, Any] = {}
        last: dict[str, Any] = {}
        for name, pair in ((name, pair) for one in entries[: later[key]] for name, pair in one.items()):
            last.setdefault(name, pair and pair[1])
            first[name] = pair and pair[0]
        if len(entries) > later[key] and first == last:
            found.add(key)
    return found


def _erased(session: Session, batch: ImportBatch, ids: Sequence[int | None]) -> set[int]:
    statement = sa.select(HistoryErasure.record_id).where(
        HistoryErasure.entity == batch.entity, HistoryErasure.record_id.in_(ids), HistoryErasure.at >= batch.tried_at
    )
    return set(session.scalars(statement, execution_options=INTERNAL))


def _take_back(session: Session, batch: ImportBatch, rows: Sequence[ImportRow], records: dict[int, Recorded]) -> None:
    if not rows:
        return
    now = clock.now()
    take_back(session, [records[int(row.record_id or 0)] for row in rows if row.outcome is ImportOutcome.new])
    with ExitStack() as stack:
        stack.enter_context(acting(session, Action.create))
        for row in rows:
            record: Any = records[int(row.record_id or 0)]
            if row.outcome is not ImportOutcome.new:
                continue
            if issubclass(type(record), SoftDeleted):
                record.deleted_at = now
                stack.enter_context(recording(session, record, "deleted"))
            else:
                session.delete(record)
        _put_back(session, batch, [row for row in rows if row.outcome is ImportOutcome.changed], records)
        flush(session, records[int(rows[0].record_id or 0)])


def _put_back(session: Session, batch: ImportBatch, rows: Sequence[ImportRow], records: dict[int, Recorded]) -> None:
    """Give changed records their values before the import, as the entries of the history that it wrote tell them."""
    if not rows:
        return
    known, ids = fields(ENTITIES[batch.entity]), [int(row.record_id or 0) for row in rows]
    entries = _entries(session, batch, ids)
    for row in rows:
        record = records[int(row.record_id or 0)]
        # One entry for each version that the row made, the latest first.
        made = int(row.written_version or 0) - int(row.record_version or 0)
        for changes in entries.get(record.id, [])[:made]:
            for name, pair in changes.items():
                if name in known and pair is not None:
                    _set(record, known[name], pair[0])
    if batch.source_system:
        _forget_codes(session, batch, ids)


def _entries(session: Session, batch: ImportBatch, ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """Return by record what the history tells since the trial, the latest entry first."""
    entry, personal = HistoryEntry.__table__, HistoryPersonal.__table__
    statement = (
        sa.select(entry.c.record_id, entry.c.changes, personal.c.changes.label("personal"))
        .outerjoin(personal, personal.c.entry_id == entry.c.id)
        .where(entry.c.entity == batch.entity, entry.c.record_id.in_(ids), entry.c.at >= batch.tried_at)
        .order_by(entry.c.id.desc())
    )
    found: dict[int, list[dict[str, Any]]] = {}
    for row in session.execute(statement, execution_options=INTERNAL):
        found.setdefault(row.record_id, []).append({**(row.changes or {}), **(row.personal or {})})
    return found


def _set(record: Any, field: Field, value: Any) -> None:
    if field.kind is Kind.relation:
        setattr(record, str(field.column), value)
    else:
        setattr(record, field.name, timeline.decode(field, value))


def _forget_codes(session: Session, batch: ImportBatch, ids: Sequence[int]) -> None:
    """Remove the external codes that the import gave to records that were there before."""
    statement = sa.delete(ExternalCode).where(
        ExternalCode.group_id == batch.group_id,
        ExternalCode.entity == batch.entity,
        ExternalCode.system == batch.source_system,
        ExternalCode.record_id.in_(ids),
        ExternalCode.created_at >= batch.tried_at,
    )
    session.execute(statement, execution_options={**INTERNAL, "synchronize_session": False})
