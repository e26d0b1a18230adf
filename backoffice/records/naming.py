"""How a record is named in a cell: by a natural key, whose parts are joined where it has several."""

from __future__ import annotations

from collections.abc import Sequence

from backoffice.actors import Actor
from models.base import Recorded
from models.catalogue import Field, Kind, fields

#: Between the parts of a natural key.
JOINT = " / "


def text_keys(target: type[Recorded], actor: Actor) -> list[tuple[Field, ...]]:
    """Return the natural keys by which the actor may name a record of ``target``, parts of one field first."""
    masked = actor.masked(target)
    keys = [key for key in natural_keys(target) if not any(part.name in masked for part in key)]
    return sorted(keys, key=len)


def key_label(key: Sequence[Field]) -> str:
    """Return a key as people read it."""
    return JOINT.join(str(part.label) for part in key)


def written(record: Recorded, actor: Actor) -> str | None:
    """Return the text that names the record in a cell; None where it has no natural key that the actor may see."""
    for key in text_keys(type(record), actor):
        parts = [_written_part(record, part, actor) for part in key]
        if all(parts):
            return JOINT.join(str(part) for part in parts)
    return None


def _written_part(record: Recorded, part: Field, actor: Actor) -> str | None:
    value = getattr(record, part.name)
    if value is None:
        return None
    return written(value, actor) if part.kind is Kind.relation else part.edit(value)


def natural_keys(target: type[Recorded]) -> list[tuple[Field, ...]]:
    """Return the natural keys of ``target`` as fields."""
    known = fields(target)
    columns = {field.column: field for field in known.values() if field.column}
    keys = [
        tuple(known.get(name) or columns.get(name) for name in natural) for natural in target.__admin__.natural_keys
    ]
    return [tuple(part for part in key if part is not None) for key in keys if None not in key]
