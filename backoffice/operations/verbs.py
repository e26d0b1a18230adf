"""The one function that performs a verb of a lifecycle, whichever the door."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice.access import context_of, prove_scope
from backoffice.actors import Actor
from backoffice.errors import DomainError, Forbidden, InvalidRecord, Text
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
    state = getattr(record, machine.column)
    if state not in transition.sources:
        raise NotInThisState(verb=transition.label, state=state.label)
    expect_version(record, version)
    prove_scope(session, transition.right, [record])
    cleaned = _clean_inputs(session, transition.asks or entity, transition, values or {})
    if transition.guard:
        transition.guard(session, record, cleaned, actor)
    for key, value in cleaned.items() if transition.asks is None else ():
        setattr(record, key, value)
    if transition.target is not None:
        setattr(record, machine.column, transition.target)
    session.info.setdefault("events", {})[id(record)] = f"{entity.__table__.name}.{name}"
    session.info["acting"], session.info["may_leave"] = transition.right, transition.may_leave
    try:
        if transition.effect:
            transition.effect(session, record, cleaned, actor)
        flush(session, record)
    finally:
        session.info.pop("acting", None)
        session.info.pop("may_leave", None)


def _clean_inputs(
    session: Session, entity: type[Recorded], transition: Transition, values: Mapping[str, Any]
) -> dict[str, Any]:
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
    if problems:
        raise InvalidRecord(problems)
    return cleaned
