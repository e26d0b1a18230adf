"""What is declared of constraints and lifecycles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import sqlalchemy as sa

from backoffice.checks.registry import Problem, check
from backoffice.lifecycles import MACHINES
from models.base import Recorded
from models.catalogue import Kind, fields
from models.columns import Choice


@check
def named_rules(entity: type[Recorded]) -> Iterator[Problem]:
    """E006: every rule has its constraint and every constraint its sentence."""
    table, rules = entity.__table__, entity.__admin__.rules
    names = {
        str(c.name) for c in table.constraints if isinstance(c, sa.CheckConstraint | sa.UniqueConstraint) and c.name
    }
    names |= {str(index.name) for index in table.indexes if index.unique}
    enums = {
        str(c.name) for c in table.constraints if isinstance(c, sa.CheckConstraint) and getattr(c, "_type_bound", False)
    }
    for name in rules:
        if name not in names:
            yield Problem(
                "E006",
                f"{entity.__name__} has a sentence for “{name}”, which is no constraint of {table.name}.",
                "Its constraints are " + ", ".join(sorted(names)) + ".",
            )
    for name in names - set(rules) - enums:
        yield Problem(
            "E007",
            f"{table.name}: nothing tells people what “{name}” refuses.",
            "Add a Rule for it to the declaration.",
        )
    for name, rule in rules.items():
        if rule.field is not None and rule.field not in fields(entity):
            yield Problem(
                "E008",
                f"{entity.__name__}: the sentence of “{name}” stands beside “{rule.field}”, which is no field.",
                "Name a field, or none.",
            )


@check
def reachable_states(entity: type[Recorded]) -> Iterator[Problem]:
    """E009 to E011: every state can be reached, states change only through verbs, each verb has its columns."""
    machine = MACHINES.get(entity)
    if machine is None:
        return
    field = fields(entity)[machine.column]
    assert field.choices is not None
    assert field.column is not None
    if not field.verb_only:
        yield Problem(
            "E010",
            f"{entity.__name__}.{machine.column} has verbs but may be edited freely.",
            "Declare it with verb_only=True.",
        )
    default = entity.__table__.c[field.column].default
    reached: set[Choice] = {default.arg} if default is not None and default.is_scalar else set()
    reached |= {t.target for t in machine.transitions if t.target is not None}
    moved = any(t.target is None for t in machine.transitions)
    for state in field.choices:
        if state not in reached and not moved:
            yield Problem(
                "E009",
                f"{entity.__name__}: no verb leads to the state “{state.value}”.",
                "Add a transition, or drop the state.",
            )
    for transition in machine.transitions:
        for name in transition.inputs:
            if name not in fields(transition.asks or entity):
                yield Problem(
                    "E011",
                    f"{entity.__name__}: the verb {transition.name} asks for “{name}”, which is no field.",
                    "Declare the column.",
                )


@check
def stated_rules(entity: type[Recorded]) -> Iterator[Problem]:
    """E027: rules about states name fields and states that exist."""
    admin, known = entity.__admin__, fields(entity)
    for name in admin.changeable_in:
        if name not in admin.form_columns:
            yield Problem(
                "E027", f"{entity.__name__}.changeable_in names “{name}”, which no form has.", "Name a field."
            )
    deletion, owner = admin.deletion, entity
    if deletion is not None and deletion.of is not None:
        relation = known.get(deletion.of)
        owner = relation.target if relation is not None and relation.target is not None else entity
    has_states = _has_states(owner, deletion.states if deletion else ())
    has_states &= _has_states(entity, (state for states in admin.changeable_in.values() for state in states))
    if not has_states or (deletion is not None and deletion.of is not None and owner is entity):
        yield Problem(
            "E027",
            f"{entity.__name__}: a rule about states names one that {owner.__name__} does not have.",
            "Name states of its own, or of the parent in Deletion(of=...).",
        )


@check
def datable_freezes(entity: type[Recorded]) -> Iterator[Problem]:
    """E030: what may be frozen belongs to a client and has its day; the states in which files may change exist."""
    admin, known = entity.__admin__, fields(entity)
    if admin.freeze is not None:
        day = known.get(admin.freeze.day)
        is_dated = day is not None and day.kind in (Kind.date, Kind.datetime)
        if not is_dated or admin.scope.company in (None, "id"):
            yield Problem(
                "E030",
                f"{entity.__name__} is frozen by “{admin.freeze.day}”, which is no day of it, or has no client.",
                "Name a date or an instant, and say in its scope whose company it is.",
            )
    if not _has_states(entity, admin.files_in or ()):
        yield Problem(
            "E030",
            f"{entity.__name__}.files_in names a state that it does not have.",
            "Name states of the entity.",
        )


def _has_states(entity: type[Recorded], wanted: Iterable[Choice]) -> bool:
    return set(wanted) <= set(getattr(fields(entity).get("state"), "choices", None) or ())
