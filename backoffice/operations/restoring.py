"""Back to how it was: a deleted record restored from its history, and earlier values put into a form again."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import history
from backoffice.access import INTERNAL, acting
from backoffice.actors import Action, Actor, ScopeKind
from backoffice.errors import DomainError, Forbidden, NotFound
from backoffice.operations import plain
from backoffice.operations.cleaning import is_fixed, writable_fields
from backoffice.records import subjects, timeline
from backoffice.records.show import may_name
from models.base import Recorded, SoftDeleted
from models.catalogue import Kind, fields, parent_key
from models.history_entry import HistoryEntry, HistoryPersonal


class NotRestorable(DomainError):
    """What the history says is not enough to make the record again."""

    template = _l("It cannot be restored: its personal data have been erased from the history.")
    status = 409


@dataclass(frozen=True)
class Deletion:
    """The entry of the history that tells of a record's deletion."""

    entity: type[Recorded]
    record_id: int
    entry_id: int
    at: datetime
    who: str
    #: What the record was called; empty where the actor may not see that.
    title: str


def may_restore(entity: type[Recorded], actor: Actor) -> bool:
    """Say whether the actor may restore records of the entity: whoever may delete any of the whole group may."""
    admin = entity.__admin__
    if admin.append_only or admin.written_by_verbs or parent_key(entity) is not None:
        return False
    if not (actor.may(Action.delete, entity) and actor.may(Action.create, entity)):
        return False
    return actor.is_system or all(
        ScopeKind.group in actor.scopes(action, entity) for action in (Action.delete, Action.create)
    )


def get_deletion(session: Session, entity: type[Recorded], record_id: int, *, actor: Actor) -> Deletion:
    """Return how a record that is gone, or hidden, was deleted.

    :raises Forbidden: the actor may not restore such records.
    :raises NotFound: it is there, or never was; or it was another corporate group's.
    """
    if not may_restore(entity, actor):
        raise Forbidden
    entry, personal = HistoryEntry.__table__, HistoryPersonal.__table__
    statement = (
        sa.select(entry, personal.c.record_title.label("personal_title"))
        .outerjoin(personal, personal.c.entry_id == entry.c.id)
        .where(entry.c.entity == entity.__table__.name, entry.c.record_id == record_id)
        .order_by(entry.c.id.desc())
        .limit(1)
    )
    row = session.execute(statement, execution_options=INTERNAL).one_or_none()
    # Whatever was written after a deletion, if only that it was restored, means that it is no longer deleted.
    if row is None or row.event != "deleted":
        raise NotFound
    if not (actor.is_system or entity.__admin__.scope.shared or row.group_id == actor.group_id):
        raise NotFound
    title = (row.personal_title or row.record_title or "") if may_name(entity, actor) else ""
    return Deletion(entity, record_id, row.id, row.at, subjects.doer(row, subjects.client_names(session, [row])), title)


def restore_record(session: Session, deletion: Deletion, *, actor: Actor) -> Recorded:
    """Make a deleted record again under its own key, its lines with it. Flushes; records ``restored``.

    Secrets such as passwords come back empty: the history never knew them.

    :raises NotRestorable: part of what it was has been erased.
    :raises InvalidRecord: something it needs is gone or taken meanwhile, its number for example.
    """
    record: Recorded
    if issubclass(deletion.entity, SoftDeleted):
        record = _unhide(session, deletion)
        restored = [record]
    else:
        record = _made_again(session, deletion.entity, deletion.record_id, deletion.entry_id)
        restored = [record, *_add_lines(session, deletion, record)]
        session.add(record)
    with ExitStack() as stack:
        stack.enter_context(acting(session, Action.create))
        for row in restored:
            stack.enter_context(history.recording(session, row, "restored"))
        plain.flush(session, record)
    if not issubclass(deletion.entity, SoftDeleted):
        _count_on(session, deletion.entity, deletion.record_id, deletion.entry_id, record)
    return record


def make_again(session: Session, entity: type[Recorded], key: int) -> Recorded:
    """Make a row again that was really deleted, from the last entry of its history. Flushes; records ``restored``.

    For what was deleted as a part of something else that is undone; its lines are not looked for.

    :raises NotRestorable: part of what it was has been erased.
    """
    entry = HistoryEntry.__table__
    latest = sa.select(sa.func.max(entry.c.id)).where(
        entry.c.entity == entity.__table__.name, entry.c.record_id == key, entry.c.event == "deleted"
    )
    entry_id = session.scalar(latest, execution_options=INTERNAL)
    if entry_id is None:
        raise NotRestorable
    record = _made_again(session, entity, key, entry_id)
    session.add(record)
    with history.recording(session, record, "restored"):
        plain.flush(session, record)
    _count_on(session, entity, key, entry_id, record)
    return record  # type: ignore[no-any-return]


def _unhide(session: Session, deletion: Deletion) -> Any:
    hidden = sa.select(deletion.entity).where(deletion.entity.id == deletion.record_id)
    record: Any = session.scalars(hidden, execution_options={"include_deleted": True}).one_or_none()
    if record is None:
        raise NotFound
    record.deleted_at = None
    return record


def _made_again(session: Session, entity: type[Recorded], key: int, entry_id: int) -> Any:
    changes = timeline.values_of(session, entity, key, entry_id)
    known = fields(entity)
    if changes is None or any(f.personal and f.required and f.name not in changes for f in known.values()):
        raise NotRestorable
    record: Any = entity()
    record.id = key
    for name, pair in changes.items():
        if pair is None or name == "version":
            continue
        field, value = known.get(name), pair[0]
        if field is None:
            setattr(record, name, _decoded(entity.__table__.c[name], value))
        elif field.kind is Kind.relations:
            assert field.target is not None
            setattr(record, name, list(session.scalars(sa.select(field.target).where(field.target.id.in_(value)))))
        elif field.kind is Kind.relation:
            setattr(record, field.column or "", value)
        else:
            setattr(record, name, timeline.decode(field, value))
    # The history names the row while it is being written; its name may stand in rows that only its keys tell of yet.
    session.enable_relationship_loading(record)
    return record


def _decoded(column: Any, value: Any) -> Any:
    """Return the value of a column that is no field of any page."""
    if isinstance(column.type, sa.DateTime) and isinstance(value, str):
        return datetime.fromisoformat(value)
    return value


def _add_lines(session: Session, deletion: Deletion, record: Any) -> list[Any]:
    """Give the record the lines that went in the same flush."""
    found = []
    entry = HistoryEntry.__table__
    for name in deletion.entity.__admin__.inline:
        line = fields(deletion.entity)[name].target
        assert line is not None
        statement = sa.select(entry.c.record_id, entry.c.id).where(
            entry.c.entity == line.__table__.name,
            entry.c.parent_id == deletion.record_id,
            entry.c.event == "deleted",
            entry.c.at == deletion.at,
        )
        rows = session.execute(statement.order_by(entry.c.record_id), execution_options=INTERNAL).all()
        lines = [_made_again(session, line, row.record_id, row.id) for row in rows]
        getattr(record, name).extend(lines)
        found += lines
    return found


def _count_on(session: Session, entity: type[Recorded], key: int, entry_id: int, record: Recorded) -> None:
    """Let the record's version go on from where it was: a form open since before must not pass for a fresh one."""
    changes = timeline.values_of(session, entity, key, entry_id) or {}
    before = (changes.get("version") or [1])[0]
    table = record.__table__
    counted = sa.update(table).where(table.c.id == record.id).values(version=before + 1)
    session.execute(counted, execution_options=INTERNAL)
    session.expire(record)


def find_earlier(session: Session, record: Recorded, entry_id: int, *, actor: Actor) -> dict[str, Any]:
    """Return the values that an entry of the record's history replaced, as far as the actor may type them.

    Related rows are given by key, several of them as rows; those gone or out of sight are left out.

    :raises NotFound: the record's history has no such entry.
    """
    changes = timeline.values_of(session, type(record), record.id, entry_id)
    if changes is None:
        raise NotFound
    found: dict[str, Any] = {}
    for name, field in writable_fields(type(record), actor).items():
        pair = changes.get(name)
        if pair is None or field.kind is Kind.children or is_fixed(record, name):
            continue
        value = pair[0]
        if field.target is None or not value:
            found[name] = timeline.decode(field, value)
            continue
        keys = value if field.kind is Kind.relations else [value]
        rows = list(session.scalars(sa.select(field.target).where(field.target.id.in_(keys))))
        if field.kind is Kind.relations:
            found[name] = rows
        elif rows:
            found[name] = value
    return found
