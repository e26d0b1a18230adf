"""A merge taken back in one step: both records, and all that referred to either, as they were before it (issue 3).

Possible until one of the rows concerned has changed since. The earlier values come from the history; they are kept
nowhere else, so that an erasure reaches them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import INTERNAL, acting, hold
from backoffice.actors import Action, Actor
from backoffice.bookkeeping import carry_down
from backoffice.coherence import is_left_behind
from backoffice.errors import DomainError, Forbidden, NotFound
from backoffice.history import recording
from backoffice.operations.merge_steps import Step, chunks, latest_versions, move_back, set_mark
from backoffice.operations.merging import may_merge, names_of
from backoffice.operations.plain import flush
from backoffice.operations.restoring import make_again
from backoffice.records import timeline
from models.base import ENTITIES, Model, Recorded, SoftDeleted
from models.catalogue import Kind, fields
from models.history_entry import HistoryEntry, HistoryErasure
from models.record_merge import RecordMerge

#: Columns that the rows below a row copy from it.
_CARRIED = ("group_id", "company_id", "business_unit_id")


class MergeKept(DomainError):
    """The merge cannot be undone any more; ``values["records"]`` names what has changed."""

    template = _l("The merge cannot be undone any more: these have changed since: %(records)s.")
    status = 409


class MergeErased(DomainError):
    template = _l("The merge cannot be undone any more: what the record was before has been erased from its history.")
    status = 409


class AlreadyUndone(DomainError):
    template = _l("This merge has been undone already.")
    status = 409


def find_merges(session: Session, entity: type[Recorded], *, actor: Actor, limit: int = 20) -> Sequence[RecordMerge]:
    """Return the latest merges of records of the entity that stand, in the actor's corporate group."""
    if not may_merge(entity, actor):
        return []
    statement = (
        sa.select(RecordMerge)
        .where(RecordMerge.entity == entity.__table__.name, RecordMerge.undone_at.is_(None))
        .order_by(RecordMerge.id.desc())
        .limit(limit)
    )
    if not actor.is_system:
        statement = statement.where(RecordMerge.group_id == actor.group_id)
    return session.scalars(statement).all()


def get_merge(session: Session, entity: type[Recorded], merge_id: int, *, actor: Actor) -> RecordMerge:
    """Return a merge of records of the entity.

    :raises Forbidden: the actor may not merge such records.
    :raises NotFound: there is none, or it is another corporate group's.
    """
    if not may_merge(entity, actor):
        raise Forbidden
    merge = session.scalars(sa.select(RecordMerge).where(RecordMerge.id == merge_id).with_for_update()).one_or_none()
    if merge is None or merge.entity != entity.__table__.name:
        raise NotFound
    if not actor.is_system and merge.group_id != actor.group_id:
        raise NotFound
    return merge


def both_of(session: Session, merge: RecordMerge) -> tuple[Any, Any]:
    """Return the record that stayed and the one that went, hidden as that is; None for what is out of reach."""
    entity = ENTITIES[merge.entity]
    statement = sa.select(entity).where(entity.id.in_((merge.kept_id, merge.dropped_id)))
    found = {row.id: row for row in session.scalars(statement, execution_options={"include_deleted": True})}
    return found.get(merge.kept_id), found.get(merge.dropped_id)


def find_obstacle(session: Session, merge: RecordMerge) -> DomainError | None:
    """Return why the merge cannot be undone; None where it can be."""
    try:
        _require_unchanged(session, merge, *both_of(session, merge))
    except DomainError as error:
        return error
    return None


def undo_merge(session: Session, merge: RecordMerge, *, actor: Actor) -> Recorded:
    """Put everything back to how it was before the merge; return the record that is there again. Flushes.

    :raises Forbidden: the actor may not merge such records.
    :raises MergeKept: something concerned has changed since.
    :raises MergeErased: what a value was before is known no more.
    :raises AlreadyUndone: as it says.
    """
    if not may_merge(ENTITIES[merge.entity], actor):
        raise Forbidden
    kept, dropped = both_of(session, merge)
    for record in sorted(filter(None, (kept, dropped)), key=lambda record: record.id):
        hold(session, record)
    _require_unchanged(session, merge, kept, dropped)
    with acting(session, Action.update):
        _give_back(session, kept, dropped)
        _show(session, dropped)
        for step in reversed(merge.steps):
            _take_back(session, step)
        session.expire_all()
        _settle(session, merge)
    merge.undone_at = clock.now()
    session.flush()
    return dropped  # type: ignore[no-any-return]


def _require_unchanged(session: Session, merge: RecordMerge, kept: Any, dropped: Any) -> None:
    if merge.undone_at is not None:
        raise AlreadyUndone
    table = Model.metadata.tables[merge.entity]
    changed = [] if _stands(merge, kept, dropped) else [table]
    for name, versions in latest_versions(merge.steps).items():
        if _have_changed(session, Model.metadata.tables[name], versions):
            changed.append(Model.metadata.tables[name])
    if changed:
        raise MergeKept(records=names_of(changed))
    erased = sa.select(HistoryErasure.id).where(
        HistoryErasure.entity == merge.entity, HistoryErasure.record_id == merge.kept_id, HistoryErasure.at >= merge.at
    )
    if session.scalar(erased.limit(1), execution_options=INTERNAL) is not None:
        raise MergeErased


def _stands(merge: RecordMerge, kept: Any, dropped: Any) -> bool:
    if kept is None or dropped is None or kept.deleted_at is not None or dropped.deleted_at is None:
        return False
    return (kept.version, dropped.version) == (merge.kept_version, merge.dropped_version)


def _have_changed(session: Session, table: sa.Table, versions: dict[int, int | None]) -> bool:
    """Say whether any of the rows has another version by now, or is gone, or there again."""
    (key,) = table.primary_key.columns
    version = table.c.version if "version" in table.c else sa.null()
    stored: dict[int, int] = {}
    for some in chunks(list(versions)):
        statement = sa.select(key, version).where(key.in_(some))
        stored |= {row[0]: row[1] for row in session.execute(statement, execution_options=INTERNAL)}
    return any(wanted is not None and stored.get(number) != wanted for number, wanted in versions.items())


def _give_back(session: Session, kept: Any, dropped: Any) -> None:
    """Give the record that stayed the values it had, as the entry of its history about the merge tells them."""
    entry = HistoryEntry.__table__
    latest = sa.select(sa.func.max(entry.c.id)).where(
        entry.c.entity == kept.__table__.name, entry.c.record_id == kept.id, entry.c.event == "merged"
    )
    entry_id = session.scalar(latest, execution_options=INTERNAL)
    known = fields(type(kept))
    session.refresh(kept)
    for name, pair in (timeline.values_of(session, type(kept), kept.id, entry_id or 0) or {}).items():
        field = known.get(name)
        if field is not None and pair is not None:
            is_key = field.kind is Kind.relation
            setattr(kept, field.column or name, pair[0] if is_key else timeline.decode(field, pair[0]))
    kept.updated_at = clock.now()
    with recording(session, kept, "unmerged", other=f"{dropped} (#{dropped.id})"):
        flush(session, kept)


def _show(session: Session, row: Any) -> None:
    """Let a record that was hidden be there again."""
    row.deleted_at = None
    with recording(session, row, "restored"):
        flush(session, row)


def _take_back(session: Session, step: Step) -> None:
    table = Model.metadata.tables[step["table"]]
    keys = [key for key, _version in step["rows"]]
    if step["do"] == "move":
        move_back(session, step)
    elif step["do"] == "clear":
        set_mark(session, table, step["column"], keys, True)
    else:
        _bring_back(session, ENTITIES[table.name], keys[0])


def _bring_back(session: Session, entity: type[Recorded], key: int) -> None:
    session.expire_all()
    if not issubclass(entity, SoftDeleted):
        make_again(session, entity, key)
        return
    hidden = sa.select(entity).where(entity.id == key)
    row = session.scalars(hidden, execution_options={"include_deleted": True}).one_or_none()
    if row is None:
        raise MergeKept(records=names_of([entity.__table__]))
    _show(session, row)


def _settle(session: Session, merge: RecordMerge) -> None:
    """Have the rows below what moved back belong to whom that belongs, and nothing else refer to it."""
    for step in merge.steps:
        entity = ENTITIES.get(step["table"])
        if step["do"] != "move" or entity is None or step["column"] not in _CARRIED:
            continue
        for keys in chunks([key for key, _version in step["rows"]]):
            carry_down(session, entity, list(keys), {step["column"]: step["old"]})
    for step in merge.steps:
        entity = ENTITIES.get(step["table"])
        if step["do"] != "move" or entity is None or step["column"] != "company_id":
            continue
        for keys in chunks([key for key, _version in step["rows"]]):
            # Somebody has since put what is the kept one's to what goes back to the other.
            if is_left_behind(session, entity, list(keys), step["old"]):
                raise MergeKept(records=names_of([entity.__table__]))
