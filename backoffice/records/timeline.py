"""The history of one record, as this actor may read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice.access import INTERNAL
from backoffice.actors import Action, Actor, ScopeKind
from backoffice.errors import Text
from backoffice.records import subjects
from backoffice.records.show import MASK, in_sentence, label, may_name
from models.base import ENTITIES, Recorded
from models.catalogue import Field, Kind, fields
from models.history_entry import ASIDE, EventName, HistoryEntry, HistoryPersonal
from models.reading import BadValue

#: Entries shown at once.
SIZE = 30

_PLAIN_EVENTS: dict[str, Text] = {
    "created": _l("created the record"),
    "updated": _l("changed the record"),
    "deleted": _l("deleted the record"),
    "restored": _l("restored the record"),
    "merged": _l("merged another record into this one"),
    "unmerged": _l("undid a merge with another record"),
    "moved": _l("moved the record by a merge"),
}
#: Events that concern the whole record: its values as such are no change.
_WHOLE = ("deleted", "restored")


@dataclass(frozen=True)
class Change:
    """One field's old and new value, as text."""

    label: Text
    old: str
    new: str


@dataclass(frozen=True)
class Entry:
    """One thing that happened to a record."""

    id: int
    who: str
    event: str
    sentence: str
    at: datetime
    door: str
    changes: Sequence[Change]
    #: The record's own fields of which it says the value before, masked ones included.
    fields: frozenset[str] = frozenset()


def find_entries(session: Session, record: Recorded, actor: Actor, *, before: int | None = None) -> list[Entry]:
    """Return what happened to ``record``, newest first, at most ``SIZE`` and one more.

    The record was read within the actor's scope, and that is what opens its history; values of masked
    fields stay masked, erased ones are gone.
    """
    entry, personal = HistoryEntry.__table__, HistoryPersonal.__table__
    statement = (
        sa.select(entry, personal.c.changes.label("personal"), personal.c.record_title.label("erasable_title"))
        .outerjoin(personal, personal.c.entry_id == entry.c.id)
        .where(_about(record))
        .order_by(entry.c.id.desc())
        .limit(SIZE + 1)
    )
    if before is not None:
        statement = statement.where(entry.c.id < before)
    rows = session.execute(statement, execution_options=INTERNAL).all()
    told = [(ENTITIES[row.entity], {**(row.changes or {}), **(row.personal or {})}) for row in rows]
    names, clients = _related_names(session, told, actor), subjects.client_names(session, rows)
    return [
        Entry(
            row.id,
            subjects.doer(row, clients),
            row.event,
            sentence(row.event) if row.entity == record.__table__.name else _of_line(row, actor),
            row.at,
            in_sentence(row.door.label),
            [] if row.event in _WHOLE else _changes(entity, changes, names, actor),
            _earlier_fields(row, changes) if row.entity == record.__table__.name else frozenset(),
        )
        for row, (entity, changes) in zip(rows, told, strict=True)
    ]


def _earlier_fields(row: Any, changes: Mapping[str, Any]) -> frozenset[str]:
    if row.event in ("created", *_WHOLE):
        return frozenset()
    return frozenset(name for name, pair in changes.items() if pair is not None)


def _of_line(row: Any, actor: Actor) -> str:
    """Return what happened to a line, as the history of the whole tells it."""
    entity = ENTITIES[row.entity]
    title = (row.record_title or row.erasable_title if may_name(entity, actor) else "") or row.record_id
    return _(
        "%(event)s (%(line)s %(title)s)",
        event=sentence(row.event),
        line=in_sentence(entity.__admin__.label),
        title=title,
    )


def is_entry(record: Any) -> bool:
    """Say whether a record is an entry of the history, which speaks of another one."""
    return isinstance(record, HistoryEntry)


def deleted_by(entry: Any) -> tuple[type[Recorded], int] | None:
    """Return the entity and the key of the record whose deletion an entry tells of; None for any other entry."""
    entity = ENTITIES.get(entry.entity) if entry.event == "deleted" else None
    return (entity, entry.record_id) if entity is not None and entry.subject is None else None


def deletions_of(entity: type[Recorded]) -> tuple[type[Recorded], list[str]]:
    """Return the list in which deletions of an entity's records are found, and its filters."""
    return HistoryEntry, [f"entity:is:{entity.__table__.name}", "event:is:deleted"]


def find_changes(session: Session, entry: Any, actor: Actor) -> list[Change] | None:
    """Return what one entry changed, under the masks of the record's own history.

    None where the actor could not open that history: the record is not theirs to read, or it is gone and their role
    does not cover the whole corporate group.
    """
    entity = ENTITIES.get(entry.entity)
    if entity is None or not actor.may(Action.read, entity):
        return None
    if entry.subject is None and not (actor.is_system or ScopeKind.group in actor.scopes(Action.read, entity)):
        return None
    personal = HistoryPersonal.__table__
    statement = sa.select(personal.c.changes).where(personal.c.entry_id == entry.id)
    apart = session.scalar(statement, execution_options=INTERNAL)
    changes = {**(entry.changes or {}), **(apart or {})}
    return _changes(entity, changes, _related_names(session, [(entity, changes)], actor), actor)


def values_of(session: Session, entity: type[Recorded], record_id: int, entry_id: int) -> dict[str, Any] | None:
    """Return ``{field: [old, new]}`` of one entry of a record's history as it is stored; None where there is none.

    Whatever the masks: who calls it decides what of it anybody may see.
    """
    entry, personal = HistoryEntry.__table__, HistoryPersonal.__table__
    statement = (
        sa.select(entry.c.changes, personal.c.changes.label("personal"))
        .outerjoin(personal, personal.c.entry_id == entry.c.id)
        .where(entry.c.id == entry_id, entry.c.entity == entity.__table__.name, entry.c.record_id == record_id)
    )
    row = session.execute(statement, execution_options=INTERNAL).one_or_none()
    return {**(row.changes or {}), **(row.personal or {})} if row is not None else None


@dataclass(frozen=True)
class LatestSave:
    """Who has saved a record since a version of it was read, when, and which fields that changed."""

    who: str
    at: datetime
    fields: frozenset[str]


def find_latest_save(session: Session, record: Recorded, *, saves: int) -> LatestSave | None:
    """Return the last ``saves`` saves of a record read within the scope as one; None where none is on record."""
    entry, personal = HistoryEntry.__table__, HistoryPersonal.__table__
    statement = (
        sa.select(entry, personal.c.changes.label("personal"))
        .outerjoin(personal, personal.c.entry_id == entry.c.id)
        .where(entry.c.entity == record.__table__.name, entry.c.record_id == record.id)
        .order_by(entry.c.id.desc())
        .limit(max(1, min(saves, SIZE)))
    )
    rows = session.execute(statement, execution_options=INTERNAL).all()
    if not rows:
        return None
    changed = frozenset(name for row in rows for name in {**(row.changes or {}), **(row.personal or {})})
    return LatestSave(subjects.doer(rows[0], subjects.client_names(session, rows[:1])), rows[0].at, changed)


def _about(record: Recorded) -> Any:
    """Return the condition that an entry is about the record, or one of the lines it has or had."""
    entry = HistoryEntry.__table__
    found = [sa.and_(entry.c.entity == record.__table__.name, entry.c.record_id == record.id)]
    for name in record.__admin__.inline:
        line = fields(type(record))[name].target
        assert line is not None
        found.append(sa.and_(entry.c.entity == line.__table__.name, entry.c.parent_id == record.id))
    return sa.or_(*found)


@dataclass(frozen=True)
class Deed:
    """Something the actor did, to be found again; ``title`` is empty where the actor may not see the record's name."""

    entity: type[Recorded]
    record_id: int
    title: str
    event: str
    at: datetime


def find_deeds(session: Session, actor: Actor, *, limit: int = 8) -> list[Deed]:
    """Return what the actor changed last in the present corporate group, newest first."""
    entry, personal = HistoryEntry.__table__, HistoryPersonal.__table__
    statement = (
        sa.select(entry, personal.c.record_title.label("erasable_title"))
        .outerjoin(personal, personal.c.entry_id == entry.c.id)
        .where(
            entry.c.actor_kind == actor.kind.value,
            entry.c.actor_id == actor.id,
            entry.c.group_id == actor.group_id,
        )
        .order_by(entry.c.at.desc(), entry.c.id.desc())
        .limit(limit)
    )
    rows = [row for row in session.execute(statement, execution_options=INTERNAL) if row.entity in ENTITIES]
    found = subjects.find(session, [(row.entity, row.record_id) for row in rows], actor)
    return [_deed(row, found.get((row.entity, row.record_id)), actor) for row in rows]


def _deed(row: Any, record: Recorded | None, actor: Actor) -> Deed:
    entity = ENTITIES[row.entity]
    stored = row.record_title or row.erasable_title or "" if may_name(entity, actor) else ""
    return Deed(entity, row.record_id, label(record, actor) if record is not None else stored, row.event, row.at)


def sentence(event: str) -> str:
    """Return what an event means: a plain word, or the label of the verb that caused it."""
    if event in _PLAIN_EVENTS:
        return str(_PLAIN_EVENTS[event])
    return _("performed “%(verb)s”", verb=EventName.words.get(event, event))


def _changes(entity: type[Recorded], changes: dict[str, Any], names: dict[Any, str], actor: Actor) -> list[Change]:
    known, masked = fields(entity), actor.masked(entity)
    found = []
    for name, pair in changes.items():
        if name in ASIDE and pair is not None:
            found.append(Change(ASIDE[name], pair[0] or "", pair[1] or ""))
        field = known.get(name)
        if field is None and "." in name:
            field = _of_another(name)
            hidden = field is not None and not _may_read(field, actor)
            masked = masked | {name} if hidden else masked
        if field is None:
            continue
        if pair is None or name in masked:
            found.append(Change(field.label, MASK, MASK))
        else:
            old, new = (_text(field, value, names) for value in pair)
            found.append(Change(field.label, old, new))
    return found


def _of_another(name: str) -> Field | None:
    """Return the field of another entity that ``table.field`` names."""
    table, _dot, own = name.partition(".")
    return fields(ENTITIES[table]).get(own) if table in ENTITIES else None


def _may_read(field: Field, actor: Actor) -> bool:
    return actor.may(Action.read, field.entity) and field.name not in actor.masked(field.entity)


def _text(field: Field, value: Any, names: dict[Any, str]) -> str:
    if value is None:
        return ""
    if field.kind is Kind.relation:
        return names.get((field.target, value), _("(not available)"))
    if field.kind is Kind.relations:
        return ", ".join(names.get((field.target, key), str(key)) for key in value)
    return field.show(decode(field, value))


def decode(field: Field, value: Any) -> Any:
    """Return the stored value behind its form in the history."""
    if isinstance(value, str) and field.kind is Kind.datetime:
        return datetime.fromisoformat(value)
    if isinstance(value, str) and field.kind in (Kind.date, Kind.time, Kind.choice, Kind.money, Kind.decimal):
        try:
            return field.parse(value.replace(".", ",") if field.kind in (Kind.money, Kind.decimal) else value)
        except BadValue:
            return value
    return value


def _related_names(session: Session, told: list[tuple[type[Recorded], dict[str, Any]]], actor: Actor) -> dict[Any, str]:
    """Return the present names of the rows the changes point at: those this actor may see, one statement a kind."""
    wanted: dict[Any, set[int]] = {}
    for entity, changes in told:
        for name, pair in changes.items():
            field = fields(entity).get(name)
            if field is None or pair is None or field.target is None:
                continue
            for value in pair:
                named: list[Any] = value if isinstance(value, list) else [value]
                wanted.setdefault(field.target, set()).update(key for key in named if isinstance(key, int))
    # What the page has loaded already, within the same scope, need not be asked for again.
    rows: list[Any] = list(session.identity_map.values())
    rows = [row for row in rows if row.id in wanted.get(type(row), ())]
    for row in rows:
        wanted[type(row)].discard(row.id)
    for target, missing in wanted.items():
        if missing:
            rows += session.scalars(sa.select(target).where(target.id.in_(missing)))
    return {(type(row), row.id): label(row, actor) for row in rows}
