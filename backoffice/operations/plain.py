"""Create, change and delete records of any entity: what every door does with entities that have no verbs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from backoffice import clock, constraints
from backoffice.access import acting, hold, prove_scope
from backoffice.actors import Action, Actor
from backoffice.errors import Conflict, Forbidden, InvalidRecord, NotFound, Text
from backoffice.history import recording
from backoffice.operations.admission import require_admitted
from backoffice.operations.cleaning import CIRCLE, clean
from backoffice.operations.removal import require_removable
from models.base import Recorded, SoftDeleted
from models.catalogue import Kind, fields

#: The record would be, or would become, one the actor may not work on.
OUT_OF_REACH: Text = _l("Your role does not cover this: choose something it does.")

Hook = Callable[..., None]
_before_create: dict[type[Recorded], list[Hook]] = {}
_before_change: dict[type[Recorded], list[Hook]] = {}
_after_write: dict[type[Recorded], list[Hook]] = {}
_after_create: dict[type[Recorded], list[Hook]] = {}


def before_create(entity: type[Recorded]) -> Callable[[Hook], Hook]:
    """Have ``hook(session, record, actor=actor)`` complete each new record of ``entity``, whichever the door."""

    def register(hook: Hook) -> Hook:
        _before_create.setdefault(entity, []).append(hook)
        return hook

    return register


def before_save(entity: type[Recorded]) -> Callable[[Hook], Hook]:
    """Have ``hook(session, record, actor=actor)`` complete each record of ``entity``, new or changed."""

    def register(hook: Hook) -> Hook:
        before_create(entity)(hook)
        _before_change.setdefault(entity, []).append(hook)
        return hook

    return register


def after_write(entity: type[Recorded]) -> Callable[[Hook], Hook]:
    """Have ``hook(session, records, actor=actor)`` do what follows from records of ``entity`` once they are written.

    Many at a time, new and changed alike; it flushes what it does, and is part of the same save.
    """

    def register(hook: Hook) -> Hook:
        _after_write.setdefault(entity, []).append(hook)
        return hook

    return register


def after_create(entity: type[Recorded]) -> Callable[[Hook], Hook]:
    """Have ``hook(session, record, actor=actor)`` follow each new record of ``entity`` that is written by itself.

    What comes in by a spreadsheet has happened elsewhere: nobody is told of it, and no hook follows.
    """

    def register(hook: Hook) -> Hook:
        _after_create.setdefault(entity, []).append(hook)
        return hook

    return register


def create_record(
    session: Session,
    entity: type[Recorded],
    values: Mapping[str, Any],
    *,
    actor: Actor,
    known: Mapping[str, Any] | None = None,
) -> Recorded:
    """Write a new record from what was typed. Flushes, never commits; records ``created``.

    ``known``: what the product itself says of it, as stored; fields that people never type are among it.

    :raises Forbidden: the actor may not create any.
    :raises InvalidRecord: some values are refused, with a sentence per field.
    """
    actor.require(Action.create, entity)
    _refuse_unwritable(entity)
    cleaned = clean(session, entity, values, actor=actor)
    require_admitted(session, entity, cleaned)
    record = add_record(session, entity, {**cleaned, **(known or {})}, actor=actor)
    with acting(session, Action.create):
        flush(session, record)
        follow_up(session, [record], actor=actor)
        for hook in _after_create.get(entity, ()):
            hook(session, record, actor=actor)
    return record


def add_record(
    session: Session, entity: type[Recorded], cleaned: Mapping[str, Any], *, actor: Actor, is_whole: bool = False
) -> Recorded:
    """Put a new record of cleaned values into the session; whoever writes many flushes them together.

    ``is_whole``: the values are all there is to it, and nothing is to complete them.
    """
    record = entity()
    change_record(record, cleaned)
    for hook in () if is_whole else _before_create.get(entity, ()):
        hook(session, record, actor=actor)
    session.add(record)
    return record


def update_record(
    session: Session, record: Recorded, values: Mapping[str, Any], *, version: int | None, actor: Actor
) -> None:
    """Change a record from what was typed, unless somebody changed it since ``version``. Records ``updated``.

    :raises Conflict: it was changed in the meantime; nothing is written.
    :raises InvalidRecord: some values are refused, with a sentence per field.
    """
    actor.require(Action.update, type(record))
    _refuse_unwritable(type(record))
    expect_version(record, version)
    cleaned = clean(session, type(record), values, actor=actor, record=record)
    require_admitted(session, type(record), cleaned, record)
    if alter_record(session, record, cleaned, actor=actor):
        # Lines have versions of their own; whoever edits the whole must still notice.
        record.updated_at = clock.now()
    # Adding and removing its lines is part of changing the whole.
    with acting(session, Action.update):
        flush(session, record)
        follow_up(session, [record], actor=actor)


def delete_record(session: Session, record: Recorded, *, version: int | None, actor: Actor) -> None:
    """Delete a record: hidden where history must remain, really gone elsewhere (BO-05). Records ``deleted``.

    :raises StillReferred: other records refer to it; their kinds and numbers are named.
    :raises KeptForGood: records of this kind are never deleted.
    :raises KeptInThisState: not any more.
    """
    entity = type(record)
    actor.require(Action.delete, entity)
    _refuse_unwritable(entity)
    hold(session, record)
    expect_version(record, version)
    require_removable(session, record)
    if isinstance(record, SoftDeleted):
        _hide(session, record)
        return
    for name in entity.__admin__.inline:
        for child in list(getattr(record, name)):
            session.delete(child)
    session.delete(record)
    flush(session, record)


def _hide(session: Session, record: Any) -> None:
    """Mark a soft-deleted record; whoever may delete need not be allowed to edit."""
    prove_scope(session, Action.delete, [record])
    record.deleted_at = clock.now()
    with acting(session, Action.delete), recording(session, record, "deleted"):
        flush(session, record)


def expect_version(record: Recorded, version: int | None) -> None:
    """Raise ``Conflict`` unless the record as read has ``version``; the flush asks what is stored by then.

    Also where nothing would change: somebody who counted on from an older number may have come to the same one.
    """
    if version is not None and version != record.version:
        raise Conflict


def _refuse_unwritable(entity: type[Recorded]) -> None:
    if entity.__admin__.append_only or entity.__admin__.written_by_verbs:
        raise Forbidden


def change_record(record: Recorded, cleaned: Mapping[str, Any]) -> bool:
    """Put cleaned values into a record; say whether any of its lines changed."""
    lines_changed = False
    for name, value in cleaned.items():
        field = fields(type(record))[name]
        if field.kind is Kind.children:
            lines_changed |= _assign_lines(record, name, value)
        elif getattr(record, name) != value:
            setattr(record, name, value)
    return lines_changed


def alter_record(session: Session, record: Recorded, cleaned: Mapping[str, Any], *, actor: Actor) -> bool:
    """Put cleaned values into a stored record and complete it; say whether any of its lines changed."""
    lines_changed = change_record(record, cleaned)
    for hook in _before_change.get(type(record), ()):
        hook(session, record, actor=actor)
    return lines_changed


def follow_up(session: Session, records: Sequence[Recorded], *, actor: Actor) -> None:
    """Do what follows from flushed records of one entity."""
    for hook in _after_write.get(type(records[0]), ()) if records else ():
        hook(session, records, actor=actor)


def _assign_lines(record: Recorded, name: str, lines: list[tuple[Recorded | None, Mapping[str, Any] | None]]) -> bool:
    """Add, change and remove children; a line is ``(existing or None, values or None to remove)``."""
    target = fields(type(record))[name].target
    assert target is not None
    session = sa.inspect(record).session
    changed = False
    for place, (line, values) in enumerate(lines):
        if values is None:
            if line is not None and session is not None:
                session.delete(line)
            changed = True
            continue
        if line is None:
            line = target()
            getattr(record, name).append(line)
            changed = True
        if "position" in target.__table__.c and line.position != place:  # type: ignore[attr-defined]
            line.position = place  # type: ignore[attr-defined]
        change_record(line, values)
        changed |= sa.inspect(line).modified
    return changed


def _scope_field(entity: type[Recorded]) -> str:
    """Return the field that decides whose row a record is, as far as a form asks for it."""
    path = entity.__admin__.scope.company or entity.__admin__.scope.group or ""
    name = path.partition(".")[0] if "." in path else path.removesuffix("_id")
    return name if name in entity.__admin__.form_columns else ""


def flush(session: Session, record: Recorded) -> None:
    """Flush, turning what the database refuses into what people can read (``Conflict``, ``InvalidRecord``)."""
    lines = constraints.lines_of(record)
    try:
        session.flush()
    except StaleDataError as error:
        raise Conflict from error
    except NotFound as error:
        raise InvalidRecord({_scope_field(type(record)): OUT_OF_REACH}) from error
    except sa.exc.CircularDependencyError as error:
        raise InvalidRecord({"": CIRCLE}) from error
    except sa.exc.IntegrityError as error:
        raise InvalidRecord(constraints.problems(error, type(record), lines)) from error


__all__ = [
    "add_record",
    "after_write",
    "alter_record",
    "before_create",
    "before_save",
    "change_record",
    "create_record",
    "delete_record",
    "expect_version",
    "follow_up",
    "update_record",
]
