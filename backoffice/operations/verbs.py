"""The one function that performs a verb of a lifecycle, whichever the door."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from backoffice import clock
from backoffice.access import acting, context_of, hold, leaving, prove_scope
from backoffice.actors import Actor
from backoffice.coherence import foreign_relations
from backoffice.errors import Conflict, DomainError, Forbidden, InvalidRecord, Text
from backoffice.history import recording
from backoffice.lifecycles import MACHINES, Transition, get_transition, may_perform
from backoffice.operations.cleaning import REQUIRED, UNKNOWN_FIELD, clean_value
from backoffice.operations.plain import expect_version, flush
from models.base import Recorded
from models.catalogue import fields
from models.reading import BadValue


class NotInThisState(DomainError):
    """The verb exists, but not from the state the record is in (or no longer)."""

    template = _l("“%(verb)s” is not possible while the state is “%(state)s”.")
    status = 409


_after_verb: dict[type[Recorded], list[Callable[..., None]]] = {}


def after_verb(entity: type[Recorded]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Have ``hook(session, record, actor=actor)`` follow each verb of ``entity``, once it is written."""

    def register(hook: Callable[..., None]) -> Callable[..., None]:
        _after_verb.setdefault(entity, []).append(hook)
        return hook

    return register


_after_move: dict[type[Recorded], list[Callable[..., None]]] = {}


def after_move(entity: type[Recorded]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Have ``hook(session, record, before, actor=actor)`` follow each verb that leaves ``entity`` in another state."""

    def register(hook: Callable[..., None]) -> Callable[..., None]:
        _after_move.setdefault(entity, []).append(hook)
        return hook

    return register


def perform(
    session: Session,
    record: Recorded,
    name: str,
    values: Mapping[str, Any] | None = None,
    *,
    actor: Actor,
    version: int | None = None,
) -> None:
    """Perform the verb ``name`` on the record. Flushes, never commits; records ``<table>.<name>``.

    :raises Forbidden: the actor's roles do not allow it, or only the product itself may.
    :raises NotInThisState: not from the present state.
    :raises InvalidRecord: an input is missing or refused.
    """
    entity = type(record)
    transition = get_transition(entity, name)
    machine = MACHINES[entity]
    if not may_perform(transition, entity, actor):
        raise Forbidden
    if transition.automatic and not actor.is_system:
        raise Forbidden
    _hold(session, record)
    expect_version(record, version)
    before = getattr(record, machine.column)
    _require_source(record, transition)
    prove_scope(session, transition.right, [record])
    cleaned = _clean_inputs(session, record, transition, values or {})
    if transition.guard:
        transition.guard(session, record, cleaned, actor)
    for key, value in cleaned.items() if transition.asks is None else ():
        setattr(record, key, value)
    if transition.target is not None:
        setattr(record, machine.column, transition.target)
    # Also where only other rows change: of two at once the second must notice, and the history tells of both.
    record.updated_at = clock.now()
    event = f"{entity.__table__.name}.{name}"
    with acting(session, transition.right), leaving(session, *transition.may_leave), recording(session, record, event):
        if transition.effect:
            transition.effect(session, record, cleaned, actor)
        flush(session, record)
    for hook in _after_verb.get(entity, ()):
        hook(session, record, actor=actor)
    for hook in _after_move.get(entity, ()) if getattr(record, machine.column) is not before else ():
        hook(session, record, before, actor=actor)


def _hold(session: Session, record: Recorded) -> None:
    if sa.inspect(record).persistent:
        try:
            hold(session, record)
        except StaleDataError as error:
            raise Conflict from error


def obstacle(session: Session, record: Recorded, transition: Transition, *, actor: Actor) -> DomainError | None:
    """Return why the verb would be refused now, as far as that can be told before anything is typed; else None."""
    try:
        _require_source(record, transition)
        if transition.guard and not transition.inputs:
            transition.guard(session, record, {}, actor)
    except DomainError as error:
        return error
    return None


def _require_source(record: Recorded, transition: Transition) -> None:
    state = getattr(record, MACHINES[type(record)].column)
    if state not in transition.sources:
        raise NotInThisState(verb=transition.label, state=state.label)


def _clean_inputs(
    session: Session, record: Recorded, transition: Transition, values: Mapping[str, Any]
) -> dict[str, Any]:
    entity = transition.asks or type(record)
    cleaned: dict[str, Any] = {}
    masked = context_of(session).actor.masked(entity)
    problems: dict[str, Text] = {
        name: UNKNOWN_FIELD for name in values if name not in transition.inputs or name in masked
    }
    for name in transition.inputs:
        if name in masked:
            continue  # nobody writes over what they may not see
        try:
            value = clean_value(session, fields(entity)[name], values.get(name))
        except BadValue as error:
            problems[name] = str(error)
            continue
        if value is None and name not in transition.optional:
            problems[name] = REQUIRED
        else:
            cleaned[name] = value
    if transition.asks is None:
        problems |= foreign_relations(entity, cleaned, record)
    if problems:
        raise InvalidRecord(problems)
    return cleaned
