"""Column recipes: each says what a value is, so that every surface shows and reads it alike.

The types in ``models.values`` own how a value is parsed, checked and written; the functions here
put such a type into a column together with its label and what else the declaration must say.
"""

from __future__ import annotations

import enum
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy.orm import MappedColumn, mapped_column

from backoffice.errors import Text
from models.values import FoldedText, Minutes, Money, SearchText, UtcInstant, ValueType

#: The types that recipes and mixins use by name.
UtcDateTime = UtcInstant
SearchKey = SearchText


class Choice(enum.StrEnum):
    """A closed list of values, each with its word, tone and icon (``look``: states are icon + text + colour).

    Member, value, stored text and form value are one lower-case word.
    """

    label: Text
    tone: str
    icon: str

    def __new__(cls, value: str, label: Text, tone: str = "neutral", icon: str = "circle") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.label = label
        member.tone = tone
        member.icon = icon
        return member


def field(
    label: Text,
    type_: Any = None,
    *args: Any,
    help: Text | None = None,  # noqa: A002 - the word every declaration uses
    personal: bool = False,
    secret: bool = False,
    verb_only: bool = False,
    unit: Text | None = None,
    related: Text | None = None,
    fields_of: str | None = None,
    badge: bool = True,
    due_while: tuple[Choice, ...] = (),
    days_left: int = 0,
    today: bool = False,
    known_once: str = "",
    example: str = "",
    adds_up: bool = True,
    **options: Any,
) -> MappedColumn[Any]:
    """Declare a column that people see.

    ``help``: what the value is for or what it does, in a sentence; "" where the label says all, which the start-up
    checks believe, while leaving it out says that nobody has thought about it.
    ``personal``: a datum about a person, kept apart in the history so that it can be erased.
    ``secret``: never shown, exported or recorded with its value.
    ``verb_only``: changes only through verbs, never through a form, a cell, an import or the API.
    ``unit``: a word written after the value ("days").
    ``related``: of a relation, what the other row calls the rows that point at it ("Renewed by").
    ``fields_of``: the value names fields of the entity whose table that column holds; people read their labels.
    ``badge``: whether a choice with a tone is a badge like a state; else it is a word with its icon.
    ``due_while``: the states in which this day or instant is a deadline: late is then said in words and in red.
    ``days_left``: how many days before such a deadline those that are left are said.
    ``known_once``: the field that is filled in when this one means something; until then it is shown as empty.
    ``example``: what sheets to fill in show, where a value of its kind alone would break a rule of the whole row.
    ``adds_up``: whether the sum over several rows says anything; not of a year, a level or a measured value.
    ``today``: a verb that asks for this day proposes today.
    """
    info: dict[str, Any] = {"label": label, "help": help, "unit": unit, "badge": badge, "due_while": due_while}
    info |= {"days_left": days_left}
    info |= {"personal": personal, "secret": secret, "verb_only": verb_only, "today": today}
    info |= {"known_once": known_once, "related": related, "fields_of": fields_of}
    info |= {"example": example, "adds_up": adds_up}
    return mapped_column(*(() if type_ is None else (type_,)), *args, info=info, **options)


def reference(
    table: str, label: Text, *, ondelete: str = "RESTRICT", index: bool = True, **options: Any
) -> MappedColumn[Any]:
    """Declare the key of another entity's row; deleting that row is refused unless ``ondelete`` says otherwise."""
    return field(label, None, sa.ForeignKey(f"{table}.id", ondelete=ondelete), index=index, **options)


def choice(choices: type[Choice], label: Text, *, name: str | None = None, **options: Any) -> MappedColumn[Any]:
    """Declare a column that holds one of ``choices``; the database checks it too."""
    return field(label, choice_type(choices, name), **options)


def choice_type(choices: type[Choice], name: str | None = None) -> sa.Enum:
    """Return the text type with a CHECK that holds one of ``choices``."""
    snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in choices.__name__).lstrip("_")
    return sa.Enum(
        choices,
        name=name or snake,
        native_enum=False,
        create_constraint=True,
        validate_strings=True,
        length=32,
        values_callable=lambda members: [member.value for member in members],
    )


def money(label: Text, **options: Any) -> MappedColumn[Any]:
    """Declare an amount in euro, exact to the cent."""
    return field(label, Money(), **options)


def minutes(label: Text, **options: Any) -> MappedColumn[Any]:
    """Declare a length of time, stored as whole minutes, shown as hours and minutes."""
    return field(label, Minutes(), **options)


def folded(*sources: str) -> MappedColumn[Any]:
    """Declare the sorting copy of ``sources``: case, accents and apostrophes folded, kept by the flush listener."""
    return mapped_column(FoldedText(), default="", server_default="", info={"folded": sources})


__all__ = [
    "Choice",
    "SearchKey",
    "UtcDateTime",
    "ValueType",
    "choice",
    "choice_type",
    "field",
    "folded",
    "minutes",
    "money",
    "reference",
]
