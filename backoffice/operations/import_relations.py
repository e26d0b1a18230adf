"""From the text in a cell to the record it names, many at a time.

A record is named by a natural key, whose parts are joined by `` / `` where it has several, by its number in this
installation as ``#17``, by the code it has in the system the file comes from, or by its name where only one is called
so.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from backoffice.actors import Actor
from backoffice.operations import external_codes
from backoffice.operations.references import LONGEST_NAME
from backoffice.records.naming import JOINT, key_label, natural_keys, text_keys
from models.base import Recorded
from models.catalogue import TEXTUAL, Field, Kind, fields
from models.reading import LARGEST_INTEGER, BadValue, fold


def resolve_relations(
    session: Session, target: type[Recorded], texts: Iterable[str], *, system: str | None, actor: Actor
) -> dict[str, Recorded | str]:
    """Return for each text the record of ``target`` it names, or the sentence that says why none can be taken.

    Only records the actor may see count; a hidden one is answered like one that is not there.
    """
    found: dict[str, Recorded | str] = {}
    missing = set(texts)
    keys = text_keys(target, actor)
    for key in keys:
        if missing:
            found |= _by_natural_key(session, target, key, missing, system=system, actor=actor)
            missing -= found.keys()
    if missing:
        found |= _by_number(session, target, missing)
        missing -= found.keys()
    if missing and system:
        found |= _by_code(session, target, system, missing, actor)
        missing -= found.keys()
    if missing:
        found |= _by_name(session, target, missing, actor)
        missing -= found.keys()
    names = ", ".join(key_label(key) for key in keys)
    for text in missing:
        found[text] = (
            _("No record found: write its %(keys)s, or its name.", keys=names) if names else _("No record found.")
        )
    return found


def with_zeros(target: type[Recorded], texts: Iterable[str]) -> dict[str, str]:
    """Return for those texts that are codes without their zeros in front what they were before a spreadsheet."""
    types = [key[0].value_type for key in natural_keys(target) if len(key) == 1]
    restored = {}
    for text in texts:
        wholes = (value_type.with_zeros(text) for value_type in types if value_type is not None)
        whole = next((whole for whole in wholes if whole != text), None)
        if whole is not None:
            restored[text] = whole
    return restored


def _by_natural_key(
    session: Session,
    target: type[Recorded],
    key: tuple[Field, ...],
    texts: set[str],
    *,
    system: str | None,
    actor: Actor,
) -> dict[str, Any]:
    """Return the records that the texts name by ``key``, and a sentence where several have it."""
    split = {text: (text,) if len(key) == 1 else tuple(text.split(JOINT)) for text in texts}
    # A part that is a relation takes as many pieces as are left for it: those of its own key.
    pieces = {text: _gathered(parts, key) for text, parts in split.items()}
    columns: list[dict[str, Any]] = []
    for place, part in enumerate(key):
        wanted = {cut[place] for cut in pieces.values() if cut is not None}
        columns.append(_values(session, part, wanted, system=system, actor=actor))
    values = {
        text: tuple(known[piece] for known, piece in zip(columns, cut, strict=True))
        for text, cut in pieces.items()
        if cut is not None and all(piece in known for known, piece in zip(columns, cut, strict=True))
    }
    attributes = [getattr(target, str(part.column)) for part in key]
    wheres = [a.in_({value[place] for value in values.values()}) for place, a in enumerate(attributes)]
    held: dict[Any, list[Recorded]] = {}
    for record in session.scalars(sa.select(target).where(*wheres)) if values else ():
        held.setdefault(tuple(getattr(record, a.key) for a in attributes), []).append(record)
    several = _("Several records have this value: it does not say which one is meant.")
    return {
        text: held[value][0] if len(held[value]) == 1 else several for text, value in values.items() if value in held
    }


def _gathered(parts: tuple[str, ...], key: tuple[Field, ...]) -> tuple[str, ...] | None:
    """Return ``parts`` as many as ``key`` has: the pieces beyond belong to its first relation."""
    spare = len(parts) - len(key)
    if spare == 0:
        return parts
    place = next((place for place, part in enumerate(key) if part.kind is Kind.relation), None)
    if spare < 0 or place is None:
        return None
    return (*parts[:place], JOINT.join(parts[place : place + spare + 1]), *parts[place + spare + 1 :])


def _values(session: Session, part: Field, texts: set[str], *, system: str | None, actor: Actor) -> dict[str, Any]:
    """Return the stored value of each text that is one of ``part``."""
    if part.kind is Kind.relation:
        assert part.target is not None
        related = resolve_relations(session, part.target, texts, system=system, actor=actor)
        return {text: record.id for text, record in related.items() if not isinstance(record, str)}
    values = {}
    for text in texts:
        try:
            values[text] = part.parse(text)
        except BadValue:
            continue
    return values


def _by_number(session: Session, target: type[Recorded], texts: set[str]) -> dict[str, Recorded]:
    numbers = {text: int(text[1:]) for text in texts if text[:1] == "#" and text[1:].isascii() and text[1:].isdigit()}
    numbers = {text: number for text, number in numbers.items() if number <= LARGEST_INTEGER}
    if not numbers:
        return {}
    found = session.scalars(sa.select(target).where(target.id.in_(numbers.values())))
    records = {record.id: record for record in found}
    return {text: records[number] for text, number in numbers.items() if number in records}


def _by_name(session: Session, target: type[Recorded], texts: set[str], actor: Actor) -> dict[str, Recorded | str]:
    """Return the records called so, whatever the case and the accents; a sentence where several are."""
    known, title = fields(target), target.__admin__.title
    masked = actor.masked(target)
    if not title or any(known[name].kind not in TEXTUAL or name in masked for name in title):
        return {}
    wanted = {text: fold(text) for text in texts if len(text) <= LONGEST_NAME}
    held: dict[str, dict[int, Recorded]] = {}
    # Lists write people with their last name in front.
    for names in {title, title[::-1]}:
        copy = known[title[0]].sort_column if len(title) == 1 else None
        words = sa.func.folded(functools.reduce(operator.add, _spaced([getattr(target, name) for name in names])))
        called = getattr(target, copy) if copy and copy != title[0] else words
        for record in session.scalars(sa.select(target).where(called.in_(set(wanted.values())))):
            name = fold(" ".join(str(getattr(record, name) or "") for name in names))
            held.setdefault(name, {})[record.id] = record
    several = _("Several records are called so: it does not say which one is meant.")
    return {
        text: next(iter(held[name].values())) if len(held[name]) == 1 else several
        for text, name in wanted.items()
        if name in held
    }


def _spaced(columns: list[Any]) -> list[Any]:
    return [part for column in columns for part in (" ", column)][1:]


def _by_code(session: Session, target: type[Recorded], system: str, texts: set[str], actor: Actor) -> dict[str, Any]:
    holders = external_codes.find_holders(session, target, system, texts, actor)
    ids = {number for numbers in holders.values() for number in numbers}
    records = {record.id: record for record in session.scalars(sa.select(target).where(target.id.in_(ids)))}
    return {code: records[numbers[0]] for (code,), numbers in holders.items() if numbers[0] in records}
