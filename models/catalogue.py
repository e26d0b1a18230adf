"""What the declarations say, in the one shape that every surface reads."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar, cast

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import RelationshipDirection, configure_mappers

from backoffice.errors import Text
from models import reading, values
from models.base import ENTITIES, Recorded
from models.columns import Choice
from models.reading import BadValue
from models.values import ValueType

if TYPE_CHECKING:
    Function = TypeVar("Function", bound=Callable[..., Any])

    def cache(function: Function) -> Function:
        """Remember answers; type checkers do not believe the real one that a class may be a key."""
else:
    from functools import cache


class Kind(enum.StrEnum):
    """What a field is to a person: it chooses widget, filters, alignment, file cell and API type."""

    text = enum.auto()
    long_text = enum.auto()
    code = enum.auto()
    email = enum.auto()
    phone = enum.auto()
    url = enum.auto()
    integer = enum.auto()
    decimal = enum.auto()
    money = enum.auto()
    minutes = enum.auto()
    boolean = enum.auto()
    date = enum.auto()
    time = enum.auto()
    datetime = enum.auto()
    choice = enum.auto()
    relation = enum.auto()
    relations = enum.auto()
    children = enum.auto()


#: Kinds whose values are compared by size, so that "between" makes sense.
ORDERED = frozenset({Kind.integer, Kind.decimal, Kind.money, Kind.minutes, Kind.date, Kind.time, Kind.datetime})
#: What a person may type where the column sets no limit: some forty pages.
LONGEST_TEXT = 100_000
#: Kinds in which people write what they like, unless a value type reads it.
FREE_TEXT = frozenset({Kind.text, Kind.long_text})
#: Kinds written as text.
TEXTUAL = frozenset({Kind.text, Kind.long_text, Kind.code, Kind.email, Kind.phone, Kind.url})


@dataclass(frozen=True, eq=False)
class Field:
    """One field of an entity. ``name`` is the attribute people's values live in; for a relation the
    relationship, whose key is ``column``."""

    entity: type[Recorded]
    name: str
    label: Text
    kind: Kind
    help: Text | None = None
    #: What sheets to fill in show, where a value of its kind alone would break a rule of the whole row.
    example: str = ""
    column: str | None = None
    target: type[Recorded] | None = None
    choices: type[Choice] | None = None
    value_type: ValueType | None = None
    nullable: bool = True
    required: bool = False
    personal: bool = False
    secret: bool = False
    verb_only: bool = False
    unit: Text | None = None
    #: Of a relation: what the rows that point somewhere by it are called there.
    related: Text | None = None
    #: The column that names the entity whose fields the value names.
    fields_of: str | None = None
    badge: bool = True
    due_while: tuple[Choice, ...] = ()
    days_left: int = 0
    today: bool = False
    known_once: str = ""
    adds_up: bool = True
    max_length: int | None = None
    sort_column: str | None = None

    def __repr__(self) -> str:
        return f"<Field {self.entity.__tablename__}.{self.name}>"

    @property
    def may_name_people(self) -> bool:
        """Say whether a value may say who somebody is: what is declared as personal, and whatever people write freely.

        The history keeps it where it can be erased (PR-12).
        """
        written = self.kind in FREE_TEXT and self.value_type is None
        return self.personal or written or self.kind in (Kind.email, Kind.phone)

    def parse(self, raw: str) -> Any:
        """Return the stored value of what a person typed; raise ``BadValue`` with the reason.

        Relations are resolved elsewhere, because that needs rows.
        """
        if len(raw) > LONGEST_TEXT:
            # Before anything looks at it: some parsers take seconds for megabytes.
            raise BadValue(_l("At most %(limit)s characters."), limit=self.max_length or LONGEST_TEXT)
        if self.value_type is not None:
            return self._checked_length(self.value_type.parse(raw))
        if self.choices is not None:
            return self._parse_choice(raw)
        return self._checked_length(_PARSERS[self.kind](raw))

    def _parse_choice(self, raw: str) -> Choice:
        assert self.choices is not None
        wanted = reading.clean_text(raw)
        for member in self.choices:
            if wanted == member.value or reading.fold(wanted) == reading.fold(str(member.label)):
                return member
        words = ", ".join(str(member.label) for member in self.choices)
        raise BadValue(_l("“%(value)s” is not one of the possible values: %(words)s."), value=wanted[:50], words=words)

    def _checked_length(self, value: Any) -> Any:
        if self.max_length and isinstance(value, str) and len(value) > self.max_length:
            raise BadValue(_l("At most %(limit)s characters."), limit=self.max_length)
        return value

    def show(self, value: Any) -> str:
        """Return a value of this field as people read it, in the current language; empty for none."""
        if value is None:
            return ""
        if self.value_type is not None:
            return self.value_type.show(value)
        if isinstance(value, Choice):
            return str(value.label)
        if self.name in ("id", "version"):
            return str(value)  # a name, not an amount
        return _SHOWERS.get(self.kind, str)(value)

    def edit(self, value: Any) -> str:
        """Return a value as it stands in a form field; ``parse`` reads it back."""
        if value is None:
            return ""
        if self.value_type is not None:
            return self.value_type.edit(value)
        if self.kind is Kind.boolean:
            return "1" if value else "0"
        if self.kind is Kind.integer:
            return str(value)
        return str(value.value) if isinstance(value, Choice) else self.show(value)


_PARSERS: dict[Kind, Callable[[str], Any]] = {
    Kind.text: reading.clean_text,
    Kind.long_text: lambda raw: reading.clean_text(raw, lines=True),
    Kind.integer: reading.parse_integer,
    Kind.decimal: lambda raw: reading.parse_decimal(raw, places=4, digits=10),
    Kind.boolean: reading.parse_boolean,
    Kind.date: reading.parse_date,
    Kind.time: reading.parse_time,
}

_SHOWERS: dict[Kind, Callable[[Any], str]] = {
    Kind.integer: values.show_number,
    Kind.decimal: values.show_number,
    Kind.boolean: lambda value: str(_l("Yes") if value else _l("No")),
    Kind.date: values.show_date,
    Kind.time: values.show_time,
}

_KINDS_BY_PYTHON_TYPE: dict[type, Kind] = {
    bool: Kind.boolean,
    int: Kind.integer,
    Decimal: Kind.decimal,
    date: Kind.date,
    time: Kind.time,
    str: Kind.text,
}


@cache
def hidden_from_clients(entity: type[Recorded]) -> frozenset[str]:
    """Return the fields that the client area never shows: all but the declared ones and those that name a row."""
    shown = {*entity.__admin__.client_columns, *entity.__admin__.title, "id", "created_at"}
    return frozenset(name for name in fields(entity) if name not in shown)


@cache
def fields(entity: type[Recorded]) -> dict[str, Field]:
    """Return every field people may meet, by name: columns with a label, then relations, then children."""
    configure_mappers()
    mapper = sa.inspect(entity)
    found: dict[str, Field] = {}
    relations: dict[str, Field] = {}
    for relationship in mapper.relationships:
        if relationship.direction is RelationshipDirection.MANYTOONE:
            (key,) = relationship.local_columns
            if "label" in key.info and key.key in mapper.columns:
                relations[relationship.key] = _relation_field(entity, relationship, key)
        elif "label" in relationship.info:
            kind = Kind.relations if relationship.secondary is not None else Kind.children
            relations[relationship.key] = Field(
                entity,
                relationship.key,
                relationship.info["label"],
                kind,
                help=relationship.info.get("help"),
                target=relationship.mapper.class_,
            )
    for attribute in mapper.column_attrs:
        (column,) = attribute.columns
        if "label" in column.info and not column.foreign_keys:
            found[attribute.key] = _column_field(entity, attribute.key, column)
    return {**found, **relations}


def _column_field(entity: type[Recorded], name: str, column: sa.Column[Any]) -> Field:
    value_type = column.type if isinstance(column.type, ValueType) else None
    choices = cast("type[Choice]", column.type.enum_class) if isinstance(column.type, sa.Enum) else None
    if value_type is not None:
        kind = Kind(value_type.kind)
    elif choices is not None:
        kind = Kind.choice
    elif isinstance(column.type, sa.Text):
        kind = Kind.long_text
    else:
        kind = _KINDS_BY_PYTHON_TYPE[column.type.python_type]
    table = entity.__table__
    sort_column = f"{name}_key" if f"{name}_key" in table.c else name
    return Field(
        entity,
        name,
        column.info["label"],
        kind,
        column=name,
        choices=choices,
        value_type=value_type,
        max_length=getattr(column.type, "length", None) if kind is not Kind.choice else None,
        sort_column=sort_column,
        **_common(column),
    )


def _relation_field(entity: type[Recorded], relationship: Any, key: sa.Column[Any]) -> Field:
    return Field(
        entity,
        relationship.key,
        key.info["label"],
        Kind.relation,
        column=sa.inspect(entity).get_property_by_column(key).key,
        target=relationship.mapper.class_,
        **_common(key),
    )


def _common(column: sa.Column[Any]) -> dict[str, Any]:
    info = column.info
    has_default = column.default is not None or column.server_default is not None
    return {
        "help": info.get("help"),
        "example": info.get("example") or "",
        "nullable": bool(column.nullable),
        "required": not column.nullable and not has_default,
        "personal": info.get("personal", False),
        "secret": info.get("secret", False),
        "verb_only": info.get("verb_only", False),
        "unit": info.get("unit"),
        "related": info.get("related"),
        "fields_of": info.get("fields_of"),
        "badge": info.get("badge", True),
        "due_while": info.get("due_while", ()),
        "days_left": info.get("days_left", 0),
        "today": info.get("today", False),
        "known_once": info.get("known_once", ""),
        "adds_up": info.get("adds_up", True),
    }


@cache
def naming_fields(entity: type[Recorded]) -> tuple[Field, ...]:
    """Return every field that a row's name is made of, those of related rows named in it included."""
    found: list[Field] = []
    for name in entity.__admin__.title:
        field = fields(entity)[name]
        found.append(field)
        if field.kind is Kind.relation and field.target in ENTITIES.values() and field.target is not entity:
            found += naming_fields(field.target)  # type: ignore[arg-type]  # it has one
    return tuple(found)


@cache
def slug(entity: type[Recorded]) -> str:
    """Return the entity's name in addresses: its class name, small, with underscores."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in entity.__name__).lstrip("_")


@cache
def parent_key(entity: type[Recorded]) -> str | None:
    """Return the attribute with the key of the record that rows of ``entity`` are lines of; None where of none."""
    for other in ENTITIES.values():
        for name in other.__admin__.inline:
            relationship = sa.inspect(other).relationships[name]
            if relationship.mapper.class_ is entity:
                (key,) = relationship.remote_side
                return str(sa.inspect(entity).get_property_by_column(key).key)
    return None


@cache
def related_lists(entity: type[Recorded]) -> tuple[Field, ...]:
    """Return the relations of other entities that point at ``entity``, the declared ones first: each is a tab."""
    shown_inline = {fields(entity)[name].target for name in entity.__admin__.inline}
    found = {
        f"{slug(other)}.{field.name}": field
        for other in ENTITIES.values()
        if other not in shown_inline
        for field in fields(other).values()
        if field.kind is Kind.relation and field.target is entity and not field.secret
    }
    first = [found.pop(name) for name in entity.__admin__.tabs if name in found]
    return (*first, *found.values())
