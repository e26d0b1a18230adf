"""marshmallow schemas of every entity, made from its fields: what the API answers and what it accepts.

A request schema checks shape and spelling only (known names, JSON types, ISO dates, machine decimals) and
hands on what ``operations`` reads from every surface, so that the rules stay in one place.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from flask_babel import lazy_gettext as _l
from marshmallow import RAISE, Schema
from marshmallow import fields as ma

from backoffice.lifecycles import Transition
from models.base import Recorded
from models.catalogue import Field, Kind, cache, fields
from views.generated.json_values import DECIMAL, TIME, Written


class RecordSchema(Schema):
    """What all schemas of records share: unknown names are refused, never dropped without a word."""

    class Meta:
        unknown = RAISE

    error_messages: dict[str, Any] = {
        "unknown": _l("There is no such field, or it cannot be written."),
        "type": _l("An object with field names is expected."),
    }

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        """Read from a dictionary by key alone: a field may be called like one of its methods, ``items`` for example."""
        return obj.get(attr, default)


class Reference(Schema):
    """A related record: its key and its name; both empty words when it is not the reader's to see."""

    id = ma.Integer(allow_none=True)
    label = ma.String()


#: How OpenAPI describes the values of each kind.
_DESCRIBED: dict[Kind, dict[str, Any]] = {
    Kind.integer: {"type": "integer", "format": "int32"},
    Kind.minutes: {"type": "integer", "format": "int32"},
    Kind.decimal: {"type": "string", "pattern": DECIMAL},
    Kind.money: {"type": "string", "pattern": DECIMAL},
    Kind.boolean: {"type": "boolean"},
    Kind.date: {"type": "string", "format": "date"},
    Kind.time: {"type": "string", "pattern": TIME},
    Kind.datetime: {"type": "string", "format": "date-time"},
    Kind.relation: {"type": "integer", "minimum": 1},
    Kind.relations: {"type": "array", "items": {"type": "integer", "minimum": 1}},
}

_SHOWN: dict[Kind, Callable[..., ma.Field[Any]]] = {
    Kind.integer: ma.Integer,
    Kind.minutes: ma.Integer,
    Kind.decimal: functools.partial(ma.Decimal, as_string=True),
    Kind.money: functools.partial(ma.Decimal, as_string=True),
    Kind.boolean: ma.Boolean,
    Kind.date: ma.Date,
    Kind.time: ma.Time,
    Kind.datetime: functools.partial(ma.AwareDateTime, format="iso"),
}


def _described(field: Field) -> dict[str, Any]:
    found: dict[str, Any] = {"title": field.label, **_DESCRIBED.get(field.kind, {"type": "string"})}
    if field.choices is not None:
        # OpenAPI 3.0 wants null among the values, nullable or not.
        found["enum"] = [*(member.value for member in field.choices), *([None] if field.nullable else [])]
    if field.help:
        found["description"] = field.help
    if field.max_length and found["type"] == "string":
        found["maxLength"] = field.max_length
    return found


def _shown(field: Field) -> ma.Field[Any]:
    """Return how one field appears in an answer."""
    if field.kind is Kind.relation:
        return ma.Nested(Reference, allow_none=True, metadata={"title": field.label})
    if field.kind is Kind.relations:
        return ma.List(ma.Nested(Reference), metadata={"title": field.label})
    if field.kind is Kind.children:
        assert field.target is not None
        return ma.List(ma.Nested(line_schema(field.target, field.entity)), metadata={"title": field.label})
    described = _described(field)
    described.pop("maxLength", None)  # a mask may be longer than the value
    return _SHOWN.get(field.kind, ma.String)(allow_none=True, metadata=described)


def _written(field: Field) -> ma.Field[Any]:
    """Return how one field is accepted in a request."""
    if field.kind is Kind.children:
        assert field.target is not None
        return ma.List(ma.Nested(written_line_schema(field.target, field.entity)), metadata={"title": field.label})
    described = {"field": field, **_described(field)}
    return Written(required=field.required, allow_none=not field.required and field.nullable, metadata=described)


@cache
def shown_schema(entity: type[Recorded]) -> type[Schema]:
    """Return the schema of a record in an answer."""
    members: dict[str, Any] = {name: _shown(field) for name, field in shown_fields(entity).items()}
    return _schema(entity.__name__, {**_OWN, **members})


@cache
def line_schema(entity: type[Recorded], parent: type[Recorded]) -> type[Schema]:
    """Return the schema of a child inside its parent's answer: all but the way back."""
    members = {name: _shown(field) for name, field in shown_line_fields(entity, parent).items()}
    return _schema(f"{parent.__name__}{entity.__name__}", {**_OWN, **members})


@cache
def written_schema(entity: type[Recorded]) -> type[Schema]:
    """Return the schema of a request that creates or changes a record."""
    members = {name: _written(field) for name, field in written_fields(entity).items()}
    return _schema(f"{entity.__name__}Values", members)


@cache
def changed_schema(entity: type[Recorded]) -> type[Schema]:
    """Return the schema of a change: as ``written_schema``, with nothing required."""
    members = {name: _written(field) for name, field in written_fields(entity).items()}
    for member in members.values():
        member.required = False
    return _schema(f"{entity.__name__}Changes", members)


@cache
def written_line_schema(entity: type[Recorded], parent: type[Recorded]) -> type[Schema]:
    """Return the schema of a child inside its parent's request: ``id`` keeps it, ``delete`` removes it."""
    fields_of_line = {name: field for name, field in written_fields(entity).items() if field.target is not parent}
    members = {name: _written(field) for name, field in fields_of_line.items()}
    for member in members.values():
        member.required = False
    own = {"id": ma.Integer(strict=True), "delete": ma.Boolean()}
    return _schema(f"{parent.__name__}{entity.__name__}Values", {**own, **members})


def inputs_schema(entity: type[Recorded], transition: Transition) -> type[Schema]:
    """Return the schema of what a verb of ``entity`` asks for."""
    known = fields(transition.asks or entity)
    members = {name: _written(known[name]) for name in transition.inputs}
    for name, member in members.items():
        member.required = name not in transition.optional
    return _schema(f"{entity.__name__}_{transition.name}", members)


#: What every record has beside its declared fields.
_OWN: dict[str, Any] = {
    "id": ma.Integer(),
    "version": ma.Integer(allow_none=True),  # none where nothing ever changes
    "label": ma.String(),
    "masked": ma.List(ma.String(), metadata={"description": "Fields whose values your role does not show."}),
}


def _schema(name: str, members: dict[str, Any]) -> type[Schema]:
    return type(name, (RecordSchema,), members)


def shown_fields(entity: type[Recorded]) -> dict[str, Field]:
    """Return the fields an answer has: all but secrets and what every record has anyway."""
    return {
        name: field
        for name, field in fields(entity).items()
        if not field.secret
        and name not in _OWN
        and (field.kind is not Kind.children or name in entity.__admin__.inline)
    }


def written_fields(entity: type[Recorded]) -> dict[str, Field]:
    """Return the fields a request may hold: those of the form, but not what only verbs change."""
    names = (*entity.__admin__.form_columns, *entity.__admin__.inline)
    known = fields(entity)
    return {name: known[name] for name in names if _is_writable(known[name])}


def shown_line_fields(entity: type[Recorded], parent: type[Recorded]) -> dict[str, Field]:
    """Return the fields of a child that its parent's answer has: all but the way back and lines of its own."""
    return {
        name: field
        for name, field in shown_fields(entity).items()
        if field.target is not parent and field.kind is not Kind.children
    }


def _is_writable(field: Field) -> bool:
    return not field.verb_only and not field.secret


def flat_errors(errors: Any, prefix: str = "") -> dict[str, str]:
    """Return marshmallow's nested messages as ``{"lines.2.service": sentence}``."""
    if isinstance(errors, dict):
        found: dict[str, str] = {}
        for name, inner in errors.items():
            own = "" if name == "_schema" else str(name)
            found.update(flat_errors(inner, ".".join(part for part in (prefix, own) if part)))
        return found
    return {prefix: " ".join(str(text) for text in (errors if isinstance(errors, list) else [errors]))}
