"""State machines as data: states, transitions, who may, guard and effect; and the one function that performs them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice.access import prove_scope
from backoffice.actors import Action, Actor
from backoffice.errors import DomainError, Forbidden, InvalidRecord, NotFound, Text
from backoffice.operations.cleaning import REQUIRED, UNKNOWN_FIELD, clean_value
from backoffice.operations.plain import expect_version, flush
from models.base import Recorded
from models.catalogue import fields
from models.columns import Choice
from models.values import BadValue

#: ``fn(session, record, values, actor)``: a guard raises ``DomainError``, an effect changes rows.
Step = Callable[[Session, Any, Mapping[str, Any], Actor], None]


class NotInThisState(DomainError):
    """The verb exists, but not from the state the record is in (or no longer)."""

    template = _l("“%(verb)s” is not possible while the state is “%(state)s”.")
    status = 409


@dataclass(frozen=True, kw_only=True)
class Transition:
    """One verb: from which states to which, asking for ``inputs``, if ``guard`` lets it, with ``effect``."""

    name: str
    label: Text
    sources: tuple[Choice, ...]
    #: The state it leads to; None where the effect decides or the state stays.
    target: Choice | None
    icon: str = "arrow-right"
    tone: str = "neutral"
    guard: Step | None = None
    effect: Step | None = None
    #: Fields of the entity that the verb asks for and writes, verb-only ones included.
    inputs: tuple[str, ...] = ()
    #: The entity whose fields ``inputs`` are, where the verb writes a row of another kind (a movement, a message,
    #: the next contract): then they are given to ``effect`` only.
    asks: type[Recorded] | None = None
    #: The ones of ``inputs`` that may be left empty.
    optional: tuple[str, ...] = ()
    #: What will happen, said before it does.
    confirm: Text | None = None
    right: Action = Action.transition
    #: Performed by the product alone, when its time has come; people see no button.
    automatic: bool = False
    #: Entities whose rows may leave the actor's scope by it.
    may_leave: tuple[type[Recorded], ...] = ()


@dataclass(frozen=True)
class Machine:
    """The lifecycle of an entity: the column that holds the state and the verbs that change it."""

    entity: type[Recorded]
    column: str
    transitions: tuple[Transition, ...]
    named: dict[str, Transition] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        for transition in self.transitions:
            if self.named.setdefault(transition.name, transition) is not transition:
                raise ValueError(f"{self.entity.__name__} has two verbs called {transition.name}")


MACHINES: dict[type[Recorded], Machine] = {}


def register(machine: Machine) -> Machine:
    """Make the machine the lifecycle of its entity; a second one for the same entity is an error."""
    if MACHINES.setdefault(machine.entity, machine) is not machine:
        raise ValueError(f"{machine.entity.__name__} already has a lifecycle")
    return machine


def transitions_open(record: Recorded, actor: Actor) -> list[Transition]:
    """Return the verbs the actor may perform on the record in its present state, in their declared order."""
    machine = MACHINES.get(type(record))
    if machine is None:
        return []
    state = getattr(record, machine.column)
    return [
        t for t in machine.transitions if state in t.sources and not t.automatic and actor.may(t.right, type(record))
    ]


def get_transition(entity: type[Recorded], name: str) -> Transition:
    """Return the verb ``name`` of ``entity`` or raise ``NotFound``."""
    machine = MACHINES.get(entity)
    if machine is None or name not in machine.named:
        raise NotFound
    return machine.named[name]


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
    machine = MACHINES[entity] if entity in MACHINES else None
    transition = get_transition(entity, name)
    assert machine is not None
    actor.require(transition.right, entity)
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
    problems: dict[str, Text] = {name: UNKNOWN_FIELD for name in values if name not in transition.inputs}
    for name in transition.inputs:
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
