"""From what was typed to what may be stored: every value checked, every problem collected, raised once."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice.actors import Action, Actor
from backoffice.coherence import foreign_relations
from backoffice.errors import UNKNOWN_REFERENCE, DomainError, InvalidRecord, Text
from backoffice.lifecycles import opening_fields
from backoffice.operations.openings import complete_opening, opening_problems
from backoffice.operations.references import NOT_A_VALUE, find_many, find_related
from backoffice.operations.removal import require_removable
from backoffice.records.everything import carried
from models.base import Recorded
from models.catalogue import Field, Kind, fields
from models.reading import LARGEST_INTEGER, BadValue, clean_text

REQUIRED: Text = _l("This field is required.")
CHOOSE: Text = _l("This field is required: choose an entry.")
UNKNOWN_FIELD: Text = _l("There is no such field.")
READ_ONLY: Text = _l("This field cannot be changed here.")
FIXED: Text = _l("This cannot change any more: other facts rest on it.")
CIRCLE: Text = _l("This leads back to the record itself: choose another one.")
TOO_MANY_LINES: Text = _l("Too many lines: at most 500.")


#: A line of an inline list: the stored child, if any, and its cleaned values, None when it is to go.
Line = tuple[Recorded | None, Mapping[str, Any] | None]


class Reach(enum.Enum):
    """How much of a record may be written."""

    #: What people type.
    typed = enum.auto()
    #: Of a new record also what it was before it came here, where the actor may say so.
    opening = enum.auto()
    #: All that a file with everything carries, what otherwise only verbs write included.
    whole = enum.auto()


def writable_fields(entity: type[Recorded], actor: Actor, *, reach: Reach = Reach.typed) -> dict[str, Field]:
    """Return the fields of ``entity`` that ``actor`` may write, in the order of the form."""
    masked = actor.masked(entity)
    if reach is Reach.whole:
        return {field.name: field for field in carried(entity) if field.name not in masked}
    admin = entity.__admin__
    known = fields(entity)
    typed = {
        name: known[name]
        for name in (*admin.form_columns, *admin.inline)
        if not known[name].verb_only and not known[name].secret and name not in masked
    }
    opening = opening_fields(entity, actor) if reach is Reach.opening else ()
    return typed | {name: known[name] for name in opening if name not in masked}


def only_opening(entity: type[Recorded], actor: Actor) -> set[str]:
    """Return the fields that the actor may write of a new record only."""
    return set(writable_fields(entity, actor, reach=Reach.opening)) - set(writable_fields(entity, actor))


def clean(
    session: Session,
    entity: type[Recorded],
    values: Mapping[str, Any],
    *,
    actor: Actor,
    record: Recorded | None = None,
    without: str | None = None,
    reach: Reach = Reach.typed,
) -> dict[str, Any]:
    """Return the stored form of ``values``; for a new record also see that nothing required is missing.

    Relations become objects the actor may see, children become ``Line`` pairs.

    :raises InvalidRecord: with a sentence for every refused value.
    """
    writable = writable_fields(entity, actor, reach=reach)
    writable.pop(without or "", None)
    cleaned: dict[str, Any] = {}
    problems: dict[str, Text] = {}
    for name, raw in values.items():
        field = writable.get(name)
        if field is None:
            problems[name] = READ_ONLY if name in fields(entity) else UNKNOWN_FIELD
            continue
        try:
            _clean_field(session, field, raw, cleaned, actor=actor, record=record)
            if name in cleaned and record is not None and reach is not Reach.whole:
                _require_changeable(record, name, cleaned[name])
        except BadValue as error:
            problems[name] = str(error)
        except InvalidRecord as error:
            problems.update({f"{name}.{key}".rstrip("."): text for key, text in error.problems.items()})
    for name, text in foreign_relations(entity, cleaned, record).items():
        problems.setdefault(name, text)
    if record is None:
        # What the save sets where nobody says otherwise.
        given = {*values, "created_at", *(only_opening(entity, actor) if reach is Reach.opening else ())}
        missing = (field for name, field in writable.items() if field.required and name not in given)
        problems.update({field.name: _demand(field) for field in missing})
        if reach is Reach.opening and opening_fields(entity, actor):
            complete_opening(entity, cleaned)
            found = opening_problems(session, entity, cleaned, is_sound=not problems, actor=actor)
            problems = found | problems
    if problems:
        raise InvalidRecord(problems)
    return cleaned


def _clean_field(
    session: Session, field: Field, raw: Any, cleaned: dict[str, Any], *, actor: Actor, record: Recorded | None
) -> None:
    if field.kind is Kind.children:
        cleaned[field.name] = _clean_lines(session, field, raw, actor=actor, record=record)
        return
    value = clean_value(session, field, raw)
    if value is None and not field.nullable:
        if field.required:
            raise BadValue(_demand(field))
        if record is None:
            return  # the column's default is as good as what was left empty
        value = _default(field)
    if isinstance(record, field.target or ()) and isinstance(value, Recorded):
        _refuse_circle(field.name, record, value)
    cleaned[field.name] = value


def _refuse_circle(name: str, record: Recorded, value: Recorded) -> None:
    """Refuse a row that is the record itself, or that leads to it by the same relation: what follows it never ends."""
    passed: set[Recorded] = set()
    step: Recorded | None = value
    while step is not None and step not in passed:
        if step is record:
            raise BadValue(CIRCLE)
        passed.add(step)
        step = getattr(step, name)


def is_fixed(record: Any, name: str) -> bool:
    """Say whether the record has left the states in which the field may change."""
    states = record.__admin__.changeable_in.get(name)
    return states is not None and (not states or record.state not in states)


def _require_changeable(record: Recorded, name: str, value: Any) -> None:
    field = fields(type(record))[name]
    if field.kind is Kind.relation and _points_out_of_sight(record, field):
        raise BadValue(READ_ONLY)
    if is_fixed(record, name) and getattr(record, name) != value:
        raise BadValue(FIXED)


def _points_out_of_sight(record: Recorded, field: Field) -> bool:
    """Say whether a relation is set, but to a row this actor may not see: then it stays as it is."""
    return getattr(record, field.column or "") is not None and getattr(record, field.name) is None


def _demand(field: Field) -> Text:
    return CHOOSE if field.kind in (Kind.relation, Kind.choice) else REQUIRED


def _default(field: Field) -> Any:
    default = field.entity.__table__.c[field.column].default
    if default is None or not default.is_scalar:
        raise BadValue(REQUIRED)
    return default.arg


def clean_value(session: Session, field: Field, raw: Any) -> Any:
    """Return the stored form of one typed value, None for an empty one; raise ``BadValue`` with the reason."""
    if field.kind is Kind.relations:
        return find_many(session, field, raw)
    if isinstance(raw, str):
        raw = clean_text(raw, lines=field.kind is Kind.long_text)
        if not raw:
            return False if field.kind is Kind.boolean and not field.nullable else None
    if raw is None:
        return None
    if field.kind is Kind.relation:
        return find_related(session, field, raw)
    if isinstance(raw, str):
        return field.parse(raw)
    return _accept_typed(field, raw)


#: What a program may pass instead of text, by kind; everything else goes through ``parse`` as text.
_TYPED: dict[Kind, tuple[type, ...]] = {
    Kind.boolean: (bool,),
    Kind.integer: (int,),
    Kind.minutes: (int,),
    Kind.money: (int, float, Decimal),
    Kind.decimal: (int, float, Decimal),
    Kind.date: (date,),
    Kind.time: (time,),
    Kind.datetime: (datetime,),
    Kind.choice: (enum.Enum,),
}


def _accept_typed(field: Field, raw: Any) -> Any:
    accepted: tuple[Any, ...] = _TYPED.get(field.kind, ())
    wrong = isinstance(raw, bool) and field.kind is not Kind.boolean
    wrong |= isinstance(raw, datetime) and field.kind is Kind.date
    if wrong or not isinstance(raw, accepted):
        raise BadValue(NOT_A_VALUE)
    if field.kind in (Kind.money, Kind.decimal):
        return field.parse(f"{Decimal(str(raw)):f}".replace(".", ","))
    if field.kind in (Kind.integer, Kind.minutes) and abs(raw) > LARGEST_INTEGER:
        raise BadValue(_l("This number is too large."))
    if field.kind is Kind.integer:
        return field.parse(str(raw))  # a year, for one, is not any number
    if field.kind is Kind.datetime and raw.tzinfo is None:
        raise BadValue(NOT_A_VALUE)
    return raw


def _clean_lines(session: Session, field: Field, raw: Any, *, actor: Actor, record: Recorded | None) -> list[Line]:
    if not isinstance(raw, list):
        raise BadValue(NOT_A_VALUE)
    if len(raw) > 500:
        raise BadValue(TOO_MANY_LINES)
    target = field.target
    assert target is not None
    stored = {str(line.id): line for line in getattr(record, field.name)} if record is not None else {}
    back = sa.inspect(field.entity).relationships[field.name].back_populates
    lines: list[Line] = []
    problems: dict[str, Text] = {}
    for place, item in enumerate(raw):
        try:
            lines.append(_clean_line(session, target, item, stored, actor=actor, without=back))
        except BadValue as error:
            problems[f"{place}"] = str(error)
        except InvalidRecord as error:
            problems.update({f"{place}.{key}": text for key, text in error.problems.items()})
    if problems:
        raise InvalidRecord(problems)
    return lines


def _clean_line(
    session: Session,
    target: type[Recorded],
    item: Any,
    stored: Mapping[str, Recorded],
    *,
    actor: Actor,
    without: str | None,
) -> Line:
    if not isinstance(item, Mapping):
        raise BadValue(NOT_A_VALUE)
    values = dict(item)
    key = values.pop("id", None)
    line = stored.get(str(key)) if key not in (None, "") else None
    if line is None and key not in (None, ""):
        raise BadValue(UNKNOWN_REFERENCE)
    if values.pop("delete", False):
        if line is not None:
            actor.require(Action.update, target)
            _require_removable_line(session, line)
        return line, None
    return line, clean(session, target, values, actor=actor, record=line, without=without)


def _require_removable_line(session: Session, line: Recorded) -> None:
    try:
        require_removable(session, line)
    except DomainError as error:
        raise BadValue(str(error)) from error
