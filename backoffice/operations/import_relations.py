"""From the text in a cell to the record it names: by natural key, else by external code, many at a time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from backoffice.actors import Actor
from backoffice.operations import external_codes
from models.base import Recorded
from models.catalogue import Field, Kind, fields
from models.reading import BadValue


def resolve_relations(
    session: Session, relation: Field, texts: Iterable[str], *, system: str | None, actor: Actor
) -> dict[str, Recorded | str]:
    """Return for each text the record it names, or the sentence that says why none can be taken.

    Only records the actor may see count; a hidden one is answered like one that is not there.
    """
    target = relation.target
    assert target is not None
    found: dict[str, Recorded | str] = {}
    missing = set(texts)
    keys = [key for key in _text_keys(target) if key.name not in actor.masked(target)]
    for key in keys:
        if missing:
            found |= _by_natural_key(session, target, key, missing)
            missing -= found.keys()
    if missing and system:
        found |= _by_code(session, target, system, missing, actor)
        missing -= found.keys()
    names = ", ".join(str(key.label) for key in keys)
    for text in missing:
        found[text] = _("No record found: write its %(keys)s.", keys=names) if names else _("No record found.")
    return found


def _text_keys(target: type[Recorded]) -> list[Field]:
    """Return the single fields that name a record of ``target``."""
    known = fields(target)
    names = (key[0] for key in target.__admin__.natural_keys if len(key) == 1)
    return [known[name] for name in names if name in known and known[name].kind is not Kind.relation]


def _by_natural_key(session: Session, target: type[Recorded], key: Field, texts: set[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for text in texts:
        try:
            values[text] = key.parse(text)
        except BadValue:
            continue
    held: dict[Any, list[Recorded]] = {}
    for record in session.scalars(sa.select(target).where(getattr(target, key.name).in_(set(values.values())))):
        held.setdefault(getattr(record, key.name), []).append(record)
    several = _("Several records have this value: it does not say which one is meant.")
    return {
        text: held[value][0] if len(held[value]) == 1 else several for text, value in values.items() if value in held
    }


def _by_code(session: Session, target: type[Recorded], system: str, texts: set[str], actor: Actor) -> dict[str, Any]:
    holders = external_codes.find_holders(session, target, system, texts, actor)
    ids = {number for numbers in holders.values() for number in numbers}
    records = {record.id: record for record in session.scalars(sa.select(target).where(target.id.in_(ids)))}
    return {code: records[numbers[0]] for (code,), numbers in holders.items() if numbers[0] in records}
