"""A file with everything into an empty installation: one import after another, in the order of what refers to what.

The ordinary import does the work; these also write what otherwise only verbs do, because the file says what had been
done. Therefore only an administrator of the installation may, only where the corporate group has no client yet, and
the history says of each record that it was imported with its state.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from flask_babel import force_locale
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import INTERNAL
from backoffice.actors import Action, Actor
from backoffice.errors import DomainError, Forbidden, NotFound
from backoffice.operations import import_results, imports
from backoffice.operations.cleaning import Reach
from backoffice.operations.import_mapping import keys_for
from backoffice.records.everything import LANGUAGES, carried, code_heading, entities_by_title, in_order, is_late
from backoffice.spreadsheets.archive import read_tables
from backoffice.spreadsheets.guessing import EXTERNAL_CODE
from backoffice.spreadsheets.tables import LIMITS, Limits, Table
from models.base import Recorded
from models.company import Company
from models.import_batch import ImportBatch, ImportMode, ImportOutcome, ImportState
from models.import_row import ImportRow

#: So many refused rows of a part are kept of a trial.
REFUSED_KEPT = 100
#: Whose codes those of the first column are.
SYSTEM = "Backoffice"


class NotEmpty(DomainError):
    template = _l("Everything can be imported only while the corporate group has no companies.")
    status = 409


class UnknownPart(DomainError):
    template = _l("“%(name)s” is no sheet of a file with everything.")


class UnknownColumn(DomainError):
    template = _l("“%(sheet)s”: “%(name)s” is no column of a file with everything.")


def require_empty(session: Session, actor: Actor) -> None:
    """Raise unless the actor may bring everything into their corporate group as it stands.

    :raises Forbidden: only administrators of the installation may.
    :raises NotEmpty: there are companies already.
    """
    if not (actor.may_switch_group and actor.may(Action.create, Company)):
        raise Forbidden
    company = Company.__table__
    some = sa.select(company.c.id).where(company.c.group_id == actor.group_id).limit(1)
    if session.scalar(some, execution_options=INTERNAL) is not None:
        raise NotEmpty


def start(
    session: Session, file_name: str, content: bytes, *, actor: Actor, limits: Limits = LIMITS
) -> Sequence[ImportBatch]:
    """Read a file with everything and stage a batch per sheet, in order. Flushes.

    :raises NotEmpty: there are companies already.
    :raises UnknownPart: a sheet, or with ``UnknownColumn`` a column, is not one of ours.
    :raises FileRefused: it cannot be read.
    """
    require_empty(session, actor)
    known, tables = entities_by_title(), {}
    language = LANGUAGES[0]
    for title, table in read_tables(content, limits):
        if title not in known:
            raise UnknownPart(name=title)
        language, entity = known[title]
        tables[entity] = table
    with force_locale(_language_of([table.headings for table in tables.values()]) or language):
        batches = [*_first_parts(session, tables, actor), *_late_parts(session, tables)]
    for batch in batches:
        batch.file_name, batch.file_bytes = file_name[:255] or "?", len(content)
        batch.part_of_id = batches[0].id
    session.flush()
    return batches


def find_parts(session: Session, first_id: int) -> Sequence[ImportBatch]:
    """Return the batches of a file with everything in their order; raise ``NotFound`` where there are none."""
    statement = sa.select(ImportBatch).where(ImportBatch.part_of_id == first_id).order_by(ImportBatch.id)
    found = session.scalars(statement).all()
    if not found:
        raise NotFound
    return found


def apply_parts(session: Session, batches: Sequence[ImportBatch], *, actor: Actor) -> Iterator[int]:
    """Import all parts, one after the other, and yield now and then how many rows are done. Flushes: all or nothing.

    :raises NotEmpty: there are companies already.
    :raises WrongStep: it was done already.
    """
    require_empty(session, actor)
    before = 0
    with force_locale(_language_of([batch.headings for batch in batches]) or LANGUAGES[0]):
        for batch in batches:
            # Each row is judged, and then written: half of it is done either time.
            for half, steps in ((0, imports.try_rows), (batch.row_count, imports.apply_rows)):
                for done in steps(session, batch, actor=actor):
                    yield before + (half + min(done, batch.row_count)) // 2
            before += batch.row_count


def try_parts(session: Session, batches: Sequence[ImportBatch], *, actor: Actor) -> Iterator[int]:
    """Import all parts and take all of it back; what would become of them is kept. Yields as ``apply_parts``. Flushes.

    :raises NotEmpty: there are companies already.
    :raises WrongStep: it was done already.
    """
    with session.begin_nested() as all_of_it:
        yield from apply_parts(session, batches, actor=actor)
        found = [(_counts_of(batch), _refused_of(session, batch)) for batch in batches]
        all_of_it.rollback()
    for batch, (counts, refused) in zip(batches, found, strict=True):
        for name, value in counts.items():
            setattr(batch, name, value)
        batch.state, batch.tried_at = ImportState.tried, clock.now()
        rows = sa.update(ImportRow).where(ImportRow.batch_id == batch.id)
        for number, findings in refused:
            values = {"outcome": ImportOutcome.refused, "findings": findings}
            session.execute(rows.where(ImportRow.number == number).values(values), execution_options=INTERNAL)
    session.flush()


def _counts_of(batch: ImportBatch) -> dict[str, int]:
    return {f"{outcome.value}_count": getattr(batch, f"{outcome.value}_count") for outcome in ImportOutcome}


def _refused_of(session: Session, batch: ImportBatch) -> list[tuple[int, list[Any]]]:
    rows = import_results.find_rows(session, batch, ImportOutcome.refused, limit=REFUSED_KEPT)
    return [(row.number, row.findings) for row in rows]


def _language_of(headings: Sequence[Sequence[str]]) -> str | None:
    """Return the language in which a file was written, which its first column tells."""
    for language in LANGUAGES:
        with force_locale(language):
            word = code_heading()
        if headings and all(word in row[:1] for row in headings):
            return language
    return None


def _first_parts(session: Session, tables: Mapping[type[Recorded], Table], actor: Actor) -> Iterator[ImportBatch]:
    for entity in in_order():
        if entity not in tables:
            continue
        table, names = tables[entity], _columns(entity, tables[entity])
        late = {field.name for field in carried(entity) if is_late(field)}
        mapping = {str(place): name for place, name in names.items() if name not in late}
        key = _key(entity, table, {name: int(place) for place, name in mapping.items()}, actor)
        yield _stage(session, entity, table, mapping, ImportMode.both, key)


def _late_parts(session: Session, tables: Mapping[type[Recorded], Table]) -> Iterator[ImportBatch]:
    """Stage once more what refers to later rows, for when all are there."""
    for entity in in_order():
        late = {field.name for field in carried(entity) if is_late(field)}
        if entity not in tables or not late:
            continue
        table = tables[entity]
        names = {place: name for place, name in _columns(entity, table).items() if name in late or not place}
        rows = [(number, cells) for number, cells in table.rows if any(cells[place] for place in names if place)]
        if rows:
            mapping = {str(place): name for place, name in names.items()}
            only = Table(table.headings, rows, table.form)
            yield _stage(session, entity, only, mapping, ImportMode.update, EXTERNAL_CODE)


def _columns(entity: type[Recorded], table: Table) -> dict[int, str]:
    known = {str(field.label): field.name for field in carried(entity)} | {code_heading(): EXTERNAL_CODE}
    for heading in table.headings:
        if heading not in known:
            raise UnknownColumn(sheet=entity.__admin__.plural, name=heading)
    return {place: known[heading] for place, heading in enumerate(table.headings)}


def _key(entity: type[Recorded], table: Table, places: Mapping[str, int], actor: Actor) -> str:
    """Return the key by which records are recognised: a natural one that every row has, or the code."""
    for key in keys_for(entity, actor, reach=Reach.whole).values():
        parts = [places.get(part.name) for part in key.fields]
        if parts and all(part is not None and all(cells[part] for _n, cells in table.rows) for part in parts):
            return key.name
    return EXTERNAL_CODE


def _stage(
    session: Session, entity: type[Recorded], table: Table, mapping: dict[str, str], mode: ImportMode, key: str
) -> ImportBatch:
    batch = ImportBatch(
        entity=entity.__table__.name, file_name="?", form=table.form[:160], file_bytes=0,
        headings=table.headings, row_count=len(table.rows), mapping=mapping, mode=mode, matched_by=key,
        source_system=SYSTEM, restores=True, state=ImportState.uploaded,
    )  # fmt: skip
    session.add(batch)
    session.flush()
    imports.stage_rows(session, batch, table.rows)
    return batch
