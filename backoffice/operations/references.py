"""From what was typed for a relation to the row it means: a key, a code, or the one name it has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice.access import context_of
from backoffice.errors import UNKNOWN_REFERENCE, Text
from backoffice.records.lookup import find_options
from backoffice.records.show import label
from models.base import Recorded
from models.catalogue import Field, Kind, fields
from models.reading import LARGEST_INTEGER, BadValue, fold

#: Said alike whether nothing is called so or only rows the actor may not see.
NOT_LISTED: Text = _l("“%(words)s” is not in the list: choose an entry.")
SEVERAL: Text = _l("Several records are called so: choose one from the list.")
#: No record is called by more than this.
LONGEST_NAME = 300
NOT_A_VALUE: Text = _l("This is not a value of the right type.")


def find_related(session: Session, field: Field, raw: Any) -> Recorded:
    """Return the row a relation should point at: a number is its key, a text one of its natural keys or its name.

    Only rows the actor may see count; for anything else: ``BadValue``, which never says which of the two it was.
    """
    target = field.target
    assert target is not None
    if isinstance(raw, target):
        return raw
    if isinstance(raw, str):
        return _find_by_words(session, target, raw)
    found = session.get(target, raw) if _is_key(raw) else None
    if found is None:
        raise BadValue(UNKNOWN_REFERENCE)
    return found


def _is_key(raw: Any) -> bool:
    return isinstance(raw, int) and not isinstance(raw, bool) and 0 < raw <= LARGEST_INTEGER


def _find_by_words(session: Session, target: type[Recorded], words: str) -> Recorded:
    """Return the one row that the words name: people write names where no list lets them choose."""
    found: Sequence[Recorded] = _find_by_natural_key(session, target, words)
    if not found and len(words) <= LONGEST_NAME:
        actor = context_of(session).actor
        named = find_options(session, target, words, actor)
        found = [row for row in named if fold(label(row, actor)) == fold(words)]
    if len(found) > 1:
        raise BadValue(SEVERAL)
    if not found:
        raise BadValue(NOT_LISTED, words=words[:50])
    return found[0]


def _find_by_natural_key(session: Session, target: type[Recorded], raw: str) -> Sequence[Recorded]:
    masked = context_of(session).actor.masked(target)
    for key in target.__admin__.natural_keys:
        if len(key) != 1 or key[0] not in fields(target) or key[0] in masked:
            continue
        field = fields(target)[key[0]]
        if field.kind is Kind.relation:
            continue
        try:
            value = field.parse(raw)
        except BadValue:
            continue
        found = session.scalars(sa.select(target).where(getattr(target, key[0]) == value).limit(2)).all()
        if found:
            return found
    return ()


def find_many(session: Session, field: Field, raw: Any) -> list[Any]:
    """Return the rows that a many-valued relation should point at, each named by its key."""
    chosen = [] if raw in (None, "") else raw
    if not isinstance(chosen, list | tuple):
        raise BadValue(NOT_A_VALUE)
    return list(dict.fromkeys(_find_one_of_many(session, field, item) for item in chosen))


def _find_one_of_many(session: Session, field: Field, item: Any) -> Any:
    # Flask-AppBuilder's roles are no entities of ours, so they are found by key alone.
    if isinstance(item, str):
        # The length first: the interpreter refuses to read thousands of digits as a number.
        item = int(item) if len(item) <= 10 and item.isascii() and item.isdigit() else 0
    found = session.get(field.target, item) if _is_key(item) else None  # type: ignore[arg-type]
    if found is None:
        raise BadValue(UNKNOWN_REFERENCE)
    return found
