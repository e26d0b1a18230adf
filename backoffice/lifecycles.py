"""Lifecycles as data: the states of an entity, the verbs between them, who may perform them, and what they do.

``operations`` register theirs here and ``operations.verbs`` performs them; pages, API and history only read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from backoffice.access import context_of
from backoffice.actors import Action, Actor
from backoffice.errors import NotFound, Text
from models.base import Recorded
from models.columns import Choice
from models.history_entry import EventName
from models.import_batch import ImportBatch

#: ``fn(session, record, values, actor)``: a guard raises ``DomainError``, an effect changes rows.
Step = Callable[[Session, Any, Mapping[str, Any], Actor], None]


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
    #: With ``asks``, what the form of the verb proposes: ``fn(session, record)`` returns values by field.
    propose: Callable[[Session, Any], Mapping[str, Any]] | None = None
    #: What will happen, said before it does; ``fn(session, record)`` where that depends on the record.
    confirm: Text | Callable[[Session, Any], Text] | None = None
    right: Action = Action.transition
    #: Further rights the effect needs, as ``(action, entity)``.
    also: tuple[tuple[Action, type[Recorded]], ...] = ()
    #: Performed by the product alone, when its time has come; people see no button.
    automatic: bool = False
    #: Whether people may put files to the record in the same step, such as a photo of what was done.
    takes_files: bool = False
    #: Entities whose rows may leave the actor's scope by it.
    may_leave: tuple[type[Recorded], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Opening:
    """The past that a new record may bring along in a spreadsheet, when an office goes live.

    What otherwise only verbs write is then taken from the file: on creation, never afterwards, and only from those who
    may (``may_open``). The history calls it imported with its state.
    """

    #: The states a record may come in with, and the fields that each of them needs. A verb-only field among these
    #: belongs to the states that need it and to no other.
    states: Mapping[Choice, tuple[str, ...]]
    #: Further verb-only fields, in whatever state.
    fields: tuple[str, ...] = ()
    #: The state meant by a row that names none, where its values tell.
    assume: Callable[[Mapping[str, Any]], Choice | None] | None = None
    #: Looks at the record as it would be, which is not in the session: raises ``DomainError``.
    guard: Step | None = None
    #: What the state brings about besides; before the flush that writes the record.
    effect: Step | None = None
    #: Rows that the effect makes, which are nobody's work and go with the record when its import is undone.
    brings: type[Recorded] | None = None
    #: ``fn(session, records)``: undoes the effects for records that are about to go.
    take_back: Callable[[Session, Sequence[Any]], None] | None = None


@dataclass(frozen=True)
class Machine:
    """The lifecycle of an entity: the column that holds the state and the verbs that change it."""

    entity: type[Recorded]
    column: str
    transitions: tuple[Transition, ...]
    opening: Opening | None = None
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
    for transition in machine.transitions:
        EventName.words[f"{machine.entity.__table__.name}.{transition.name}"] = transition.label
    return machine


def transitions_open(record: Recorded, actor: Actor) -> list[Transition]:
    """Return the verbs the actor may perform on the record in its present state, in their declared order."""
    machine = MACHINES.get(type(record))
    if machine is None:
        return []
    state = getattr(record, machine.column)
    return [
        t for t in machine.transitions if state in t.sources and not t.automatic and may_perform(t, type(record), actor)
    ]


def offered(entity: type[Recorded]) -> list[Transition]:
    """Return the verbs of ``entity`` that people and programs may ask for, in their declared order."""
    machine = MACHINES.get(entity)
    return [transition for transition in machine.transitions if not transition.automatic] if machine else []


def may_perform(transition: Transition, entity: type[Recorded], actor: Actor) -> bool:
    """Say whether the actor's roles allow the verb and all that it brings about."""
    needed = ((transition.right, entity), *transition.also)
    return all(actor.may(action, what) for action, what in needed)


def opening_fields(entity: type[Recorded], actor: Actor) -> tuple[str, ...]:
    """Return the fields that say what a new record was before it came here: its state first; none without the right."""
    machine = MACHINES.get(entity)
    if machine is None or machine.opening is None or not may_open(entity, actor):
        return ()
    needed = (name for names in machine.opening.states.values() for name in names)
    return tuple(dict.fromkeys((machine.column, *needed, *machine.opening.fields)))


def may_open(entity: type[Recorded], actor: Actor) -> bool:
    """Say whether the actor may bring in records of ``entity`` with a state: to write what verbs write by imports."""
    return actor.may(Action.create, entity) and actor.may(Action.transition, ImportBatch)


def seen(session: Session, record: Recorded, name: str) -> Any:
    """Return a value of a record as a proposal may show it: None where the actor sees it as a mask only."""
    return None if name in context_of(session).actor.masked(type(record)) else getattr(record, name)


def get_transition(entity: type[Recorded], name: str) -> Transition:
    """Return the verb ``name`` of ``entity`` or raise ``NotFound``."""
    machine = MACHINES.get(entity)
    if machine is None or name not in machine.named:
        raise NotFound
    return machine.named[name]
