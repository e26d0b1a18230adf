"""What a new record may bring along of its past when an office goes live, and what keeps it from doing so.

The lifecycles declare it (``Opening``); here it is judged, and done and undone with the import that brought it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice.actors import Actor
from backoffice.errors import DomainError, Text
from backoffice.lifecycles import MACHINES, Opening
from models.base import Recorded
from models.catalogue import fields


def opening_of(entity: type[Recorded]) -> Opening | None:
    """Return what records of ``entity`` may bring along; None where they begin at the beginning."""
    machine = MACHINES.get(entity)
    return machine.opening if machine is not None else None


def complete_opening(entity: type[Recorded], values: dict[str, Any]) -> None:
    """Add to the cleaned values of a new record the state that they mean, where they name none."""
    opening, column = opening_of(entity), MACHINES[entity].column
    if opening is not None and opening.assume is not None and values.get(column) is None:
        assumed = opening.assume(values)
        if assumed is not None:
            values[column] = assumed


def opening_problems(
    session: Session, entity: type[Recorded], values: Mapping[str, Any], *, is_sound: bool, actor: Actor
) -> dict[str, Text]:
    """Return by field why a new record of these cleaned values cannot come in with its state.

    ``is_sound``: nothing else is wrong with them, so that the guard finds what it looks at.
    """
    machine, opening = MACHINES[entity], opening_of(entity)
    assert opening is not None
    known, column = fields(entity), machine.column
    state = values.get(column) or _first_state(entity)
    if state not in opening.states:
        words = ", ".join(f"“{one.label}”" for one in opening.states)
        sentence = _l("No record can come in as “%(state)s”, only as: %(states)s.", state=state.label, states=words)
        return {column: sentence}
    problems: dict[str, Text] = {}
    for name in opening.states[state]:
        if values.get(name) is None:
            problems[name] = _l("A record that comes in as “%(state)s” needs this.", state=state.label)
    for name in {name for names in opening.states.values() for name in names}:
        owners = [one for one, names in opening.states.items() if name in names]
        if known[name].verb_only and state not in owners and values.get(name) is not None:
            words = ", ".join(f"“{one.label}”" for one in owners)
            problems[name] = _l("Only a record that comes in as one of these has this: %(states)s.", states=words)
    if opening.guard is not None and is_sound and not problems:
        # As the record would be; a real one would find its way into the session by its relations.
        record = SimpleNamespace(**{name: values.get(name) for name in known} | {column: state})
        try:
            opening.guard(session, record, values, actor)
        except DomainError as error:
            problems[error.field or column] = str(error)
    return problems


def _first_state(entity: type[Recorded]) -> Any:
    return entity.__table__.c[MACHINES[entity].column].default.arg


def open_record(session: Session, record: Recorded, values: Mapping[str, Any], *, actor: Actor) -> None:
    """Bring about what the state of a new record entails; it is flushed with the record."""
    opening = opening_of(type(record))
    if opening is not None and opening.effect is not None:
        opening.effect(session, record, values, actor)


def take_back(session: Session, records: Sequence[Recorded]) -> None:
    """Undo what records of one entity brought along, before they go themselves. Does not flush."""
    opening = opening_of(type(records[0])) if records else None
    if opening is not None and opening.take_back is not None:
        opening.take_back(session, records)
