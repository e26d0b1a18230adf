"""How much room each column of a list gets, and what part it plays on a narrow screen."""

from __future__ import annotations

from models.base import Recorded
from models.catalogue import LONGEST_TEXT, Field, Kind

#: What a column takes by its kind, in rem, as lists.css has it; others by the length of their longest word.
_ROOM = {Kind.boolean: 6, Kind.integer: 6, Kind.time: 6, Kind.date: 7, Kind.minutes: 7, Kind.money: 7.5}
_ROOM |= {Kind.decimal: 7.5, Kind.datetime: 9.5, Kind.phone: 9}


def column_room(field: Field, step: int) -> float:
    if field.due_while:
        return 12.5
    by_length = (6.0, 7.0, 8.75, 10.25)
    if field.kind is Kind.choice:
        by_length = (7.5, 9.0, 10.5, 11.5) if field.badge else (6.5, 7.75, 10.0, 10.0)
    return _ROOM.get(field.kind, by_length[step - 1])


def column_parts(entity: type[Recorded], columns: list[Field]) -> dict[str, str]:
    """Return what some columns of a list are to whoever reads a row, by name.

    ``title``: the text people know the record by, which leads to it. ``ref``: the key that names it beside that.
    ``party``: whose it is. ``due``: until when.
    """
    texts, related = _texts(entity, columns), [field for field in columns if field.kind is Kind.relation]
    found = {field.name: "due" for field in columns if field.due_while}
    found |= {field.name: "party" for field in _parties(entity, related)[:1]}
    found |= {f.name: "ref" for f in columns[:1] if f.name in _keys(entity) and f.kind in (Kind.text, Kind.code)}
    return found | {field.name: "title" for field in [*texts, *related][:1]}


def widest_column(entity: type[Recorded], columns: list[Field]) -> str:
    """Return the name of the column that takes the width that is left: words, rather than a key."""
    words = [field for field in _texts(entity, columns) if field.name not in _keys(entity)]
    related = [field for field in columns if field.kind is Kind.relation]
    return next((field.name for field in (*words, *related, *columns)), "")


def _parties(entity: type[Recorded], related: list[Field]) -> list[Field]:
    """Return the relations that say whose the row is: by the scope's own column, else by the parent it is read from."""
    parent = (entity.__admin__.scope.company or "").partition(".")[0]
    return [f for f in related if f.column == "company_id"] + [f for f in related if f.name == parent]


def _keys(entity: type[Recorded]) -> set[str]:
    """Return the fields that name a record all by themselves."""
    return {key[0] for key in entity.__admin__.natural_keys if len(key) == 1}


def _texts(entity: type[Recorded], columns: list[Field]) -> list[Field]:
    """Return the columns of words, the most telling first: names within a parent, the longest, and keys at the end."""
    keys, parts = _keys(entity), {name for key in entity.__admin__.natural_keys for name in key}
    rank = dict.fromkeys(parts - keys, 0) | dict.fromkeys(keys, 2)
    texts = [field for field in columns if field.kind in (Kind.text, Kind.long_text)]
    return sorted(texts, key=lambda field: (rank.get(field.name, 1), -(field.max_length or LONGEST_TEXT)))
