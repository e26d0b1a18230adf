"""Records and entities as JSON documents: typed values, relations as key and name, masks instead of what is masked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from backoffice.actors import Action, Actor
from backoffice.lifecycles import offered
from backoffice.operations.cleaning import writable_fields
from backoffice.records import show
from backoffice.records.filters import filterable, operators
from backoffice.records.pages import sortable
from backoffice.records.show import MASK, label
from models.base import Recorded
from models.catalogue import TEXTUAL, Field, Kind, fields
from models.columns import Choice
from views.generated import schemas


def document(record: Recorded, actor: Actor, *, lines: bool = True) -> dict[str, Any]:
    """Return a record as ``actor`` may see it; ``masked`` lists what is hidden. Children only with ``lines``."""
    shown = schemas.shown_fields(type(record)).values()
    chosen = [field for field in shown if lines or field.kind is not Kind.children]
    found = _values(record, actor, chosen)
    return schemas.shown_schema(type(record))().dump(found)  # type: ignore[no-any-return]


def _values(record: Recorded, actor: Actor, shown: Iterable[Field]) -> dict[str, Any]:
    masked = show.hidden(record, actor)
    hidden = [field.name for field in shown if field.name in masked]
    found: dict[str, Any] = {"id": record.id, "version": record.version, "label": label(record, actor)}
    if hidden:
        found["masked"] = hidden
    for field in shown:
        found[field.name] = _mask(field) if field.name in masked else _value(record, field, actor)
    return found


def _mask(field: Field) -> str | list[Any] | None:
    """Return what stands for a hidden value: the mask where the type allows text, nothing elsewhere."""
    if field.kind in (Kind.relations, Kind.children):
        return []
    return MASK if field.kind in TEXTUAL else None


def _value(record: Recorded, field: Field, actor: Actor) -> Any:
    if field.kind is Kind.relation:
        return _reference(record, field, actor)
    value = getattr(record, field.name)
    if field.kind is Kind.relations:
        return [{"id": other.id, "label": str(other)} for other in value]
    if field.kind is Kind.children:
        assert field.target is not None
        shown = schemas.shown_line_fields(field.target, field.entity).values()
        return [_values(child, actor, shown) for child in value] if actor.may(Action.read, field.target) else []
    return value.value if isinstance(value, Choice) else value


def _reference(record: Recorded, field: Field, actor: Actor) -> dict[str, Any] | None:
    related = getattr(record, field.name)
    if related is not None:
        return {"id": related.id, "label": label(related, actor)}
    if getattr(record, field.column or "") is None:
        return None
    return {"id": None, "label": _("(not available)")}  # there is one, but not for this actor


def description(entity: type[Recorded], actor: Actor) -> dict[str, Any]:
    """Return what an entity consists of and what ``actor`` may do: fields, choices, filters, verbs, rights."""
    admin = entity.__admin__
    return {
        "entity": entity.__table__.name,
        "label": str(admin.label),
        "plural": str(admin.plural),
        "rights": [action.value for action in Action if actor.may(action, entity)],
        "fields": [_described(field, actor) for field in schemas.shown_fields(entity).values()],
        "sort": sorted(sortable(entity, actor)),
        "verbs": _verbs(entity, actor),
    }


def _described(field: Field, actor: Actor) -> dict[str, Any]:
    entity = field.entity
    found: dict[str, Any] = {
        "name": field.name,
        "type": field.kind.value,
        "label": str(field.label),
        "help": str(field.help) if field.help else None,
        "unit": str(field.unit) if field.unit else None,
        "required": field.required,
        "writable": field.name in writable_fields(entity, actor),
        "masked": field.name in actor.masked(entity),
        "max_length": field.max_length,
    }
    if field.choices is not None:
        found["choices"] = [{"value": member.value, "label": str(member.label)} for member in field.choices]
    if field.target is not None:
        found["target"] = sa.inspect(field.target).local_table.name
    if field.name in filterable(entity, actor):
        found["filters"] = [operator.name for operator in operators(fields(entity)[field.name])]
    return found


def _verbs(entity: type[Recorded], actor: Actor) -> list[dict[str, Any]]:
    return [
        {
            "name": transition.name,
            "label": str(transition.label),
            "from": [state.value for state in transition.sources],
            "to": transition.target.value if transition.target is not None else None,
            "inputs": list(transition.inputs),
            "optional": list(transition.optional),
        }
        for transition in offered(entity)
        if actor.may(transition.right, entity)
    ]
