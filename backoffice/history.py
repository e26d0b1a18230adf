"""Who changed what, when, from which value to which, and through which door: one entry a changed row."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import get_history

from backoffice import clock
from backoffice.access import INTERNAL, context_of
from backoffice.actors import ActorKind
from models.base import Recorded
from models.catalogue import Field, Kind, fields, naming_fields, parent_key
from models.history_entry import HistoryEntry, HistoryPersonal

#: Fields that change with every save and say nothing.
_SILENT = frozenset({"id", "version", "created_at", "updated_at", "is_demo"})
#: Those of them that a restored row needs again.
_KEPT_AT_DELETION = ("version", "created_at", "is_demo")


@dataclass
class Change:
    """What happened to one row, ready to be written down."""

    row: Recorded
    event: str
    plain: dict[str, Any]
    personal: dict[str, Any]


def snapshot(row: Recorded) -> Change:
    """Return the entry of a row about to be deleted, with all its values as old ones: it can be restored from them."""
    change = _change(row, "deleted", lambda field: [_value(row, field), None])
    values = ((name, encode(getattr(row, name))) for name in [*_unshown(type(row)), *_KEPT_AT_DELETION])
    change.plain |= {name: [value, None] for name, value in values if value is not None}
    return change


def _unshown(entity: type[Recorded]) -> list[str]:
    """Return the columns that are no field of any page, counters for example; without what is worked out anew."""
    shown = {name for field in fields(entity).values() for name in (field.name, field.column)}
    mapper = sa.inspect(entity)
    found = {attribute.key: attribute.columns[0] for attribute in mapper.column_attrs}
    return [
        name
        for name, column in found.items()
        if name not in {*shown, *_SILENT, "search_key"}
        and not column.info.keys() & {"folded", "secret", "personal"}
        and not isinstance(column.type, sa.LargeBinary)
    ]


@contextmanager
def recording(session: Session, record: Recorded, event: str, **aside: str) -> Iterator[None]:
    """Let the history call what is flushed inside ``event``, where it concerns ``record``.

    It tells ``aside`` besides, names of ``ASIDE``; that may name a person, so it lies where it can be erased.
    """
    events: dict[int, str] = session.info.setdefault("events", {})
    asides: dict[int, dict[str, Any]] = session.info.setdefault("asides", {})
    events[id(record)] = event
    asides[id(record)] = {name: [None, text] for name, text in aside.items()}
    try:
        yield
    finally:
        events.pop(id(record), None)
        asides.pop(id(record), None)


def write(session: Session, new: Iterable[Recorded], changed: Iterable[Recorded], gone: Iterable[Change]) -> None:
    """Write one entry for each new, changed or deleted row, in the transaction that changed it.

    Ledgers are records of what happened themselves, and have no history.

    A verb names its event with ``recording``; else it is created, updated or deleted.
    """
    events: dict[int, str] = session.info.get("events", {})
    new, changed = ([row for row in rows if "version" in row.__table__.c] for rows in (new, changed))
    changes = [
        _change(row, events.get(id(row), "created"), lambda field, row=row: [None, _value(row, field)]) for row in new
    ]
    for row in changed:
        change = _change(row, events.get(id(row), "updated"), lambda field, row=row: _difference(row, field))
        if change.plain or change.personal or id(row) in events:
            change.personal |= session.info.get("asides", {}).get(id(row), {})
            changes.append(change)
    changes.extend(gone)
    if changes:
        _insert(session, changes)


def note(session: Session, record: Recorded, event: str, personal: dict[str, list[Any]]) -> None:
    """Write down what happened to a record without changing its row; names are ``table.field`` or in ``ASIDE``.

    All of it may be about a person, so it lies where it can be erased.
    """
    _insert(session, [Change(record, event, {}, personal)])


def note_moved(session: Session, entity: type[Recorded], rows: Sequence[Any], column: str, old: Any, new: Any) -> None:
    """Write down that stored ``rows`` refer to another record by ``column`` than before: one entry each.

    They need not be loaded: of each only its columns are read, and the entries say no titles.
    """
    told = [field for field in fields(entity).values() if (field.column or field.name) == column and not field.secret]
    plain = {field.name: [old, new] for field in told if not field.may_name_people}
    personal = {field.name: [old, new] for field in told if field.may_name_people}
    parent = parent_key(entity)
    own_company = "id" if entity.__admin__.scope.company == "id" else "company_id"
    entries = cast("sa.Table", HistoryEntry.__table__)
    values = [
        {
            **_common(session),
            "entity": entity.__table__.name,
            "record_id": row["id"],
            "parent_id": row[parent] if parent else None,
            "group_id": row.get("group_id"),
            "company_id": row.get(own_company),
            "event": "moved",
            "changes": plain,
        }
        for row in rows
    ]
    if not values:
        return
    statement = sa.insert(entries).returning(entries.c.id, sort_by_parameter_order=True)
    ids = session.scalars(statement, values, execution_options=INTERNAL).all()
    if personal:
        apart = [{"entry_id": key, "changes": personal} for key in ids]
        session.execute(sa.insert(HistoryPersonal), apart, execution_options=INTERNAL)


def _change(row: Recorded, event: str, pair_of: Any) -> Change:
    plain: dict[str, Any] = {}
    personal: dict[str, Any] = {}
    for field in fields(type(row)).values():
        if field.name in _SILENT or field.kind is Kind.children:
            continue
        pair = pair_of(field)
        if pair is None or pair[0] == pair[1]:
            continue
        if field.secret:
            plain[field.name] = None
        else:
            (personal if field.may_name_people else plain)[field.name] = pair
    return Change(row, event, plain, personal)


def _value(row: Recorded, field: Field) -> Any:
    if field.kind is Kind.relations:
        return sorted(other.id for other in getattr(row, field.name)) or None
    return encode(getattr(row, field.column or field.name))


def _difference(row: Recorded, field: Field) -> list[Any] | None:
    attribute = field.name if field.kind is Kind.relations else field.column or field.name
    seen = get_history(row, attribute)
    if not seen.has_changes():
        return None
    if field.kind is Kind.relations:
        kept = [*seen.unchanged]
        return [
            sorted(o.id for o in [*kept, *seen.deleted]) or None,
            sorted(o.id for o in [*kept, *seen.added]) or None,
        ]
    return [encode(seen.deleted[0] if seen.deleted else None), encode(seen.added[0] if seen.added else None)]


def encode(value: Any) -> Any:
    """Return a stored value as JSON can hold it, without losing anything."""
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def _common(session: Session) -> dict[str, Any]:
    """Return what every entry written now says of who acts."""
    context = context_of(session)
    actor = context.actor
    # What an account is called now is asked when somebody reads: the entry outlives the person's wish to be forgotten.
    account_id = actor.account_id or context.account_id
    return {
        "at": clock.now(),
        "actor_kind": actor.kind if account_id is None else ActorKind.account,
        "actor_id": actor.id if account_id is None else account_id,
        "actor_name": actor.name if account_id is None else "",
        "on_behalf_of": context.on_behalf_of,
        "door": context.door,
    }


def _insert(session: Session, changes: list[Change]) -> None:
    common = _common(session)
    entries = cast("sa.Table", HistoryEntry.__table__)
    statement = sa.insert(entries).returning(entries.c.id, sort_by_parameter_order=True)
    rows = [
        {
            **common,
            "entity": change.row.__table__.name,
            "record_id": change.row.id,
            "parent_id": _parent_id(change.row),
            "group_id": getattr(change.row, "group_id", None),
            "company_id": _company_id(change.row),
            "event": change.event,
            "record_title": None if _names_a_person(change.row) else str(change.row)[:300],
            "changes": change.plain,
        }
        for change in changes
    ]
    ids = list(session.scalars(statement, rows, execution_options=INTERNAL))
    personal = [
        {
            "entry_id": entry_id,
            "changes": change.personal,
            "record_title": str(change.row)[:300] if _names_a_person(change.row) else None,
        }
        for entry_id, change in zip(ids, changes, strict=True)
        if change.personal or _names_a_person(change.row)
    ]
    if personal:
        session.execute(sa.insert(HistoryPersonal), personal, execution_options=INTERNAL)


def _names_a_person(row: Recorded) -> bool:
    """Say whether the record's own name may be somebody's, to be kept where it can be erased."""
    return any(field.may_name_people for field in naming_fields(type(row)))


def _parent_id(row: Recorded) -> int | None:
    key = parent_key(type(row))
    return getattr(row, key) if key is not None else None


def _company_id(row: Recorded) -> int | None:
    return row.id if row.__admin__.scope.company == "id" else getattr(row, "company_id", None)
