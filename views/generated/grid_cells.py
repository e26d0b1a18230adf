"""The cells of the grid: which may be changed, what stands in them for that, and how a script is told of them."""

from __future__ import annotations

from typing import Any

from backoffice.actors import Action, Actor
from backoffice.operations.cleaning import writable_fields
from backoffice.records import show
from backoffice.records.lookup import parse_key
from models.base import Recorded
from models.catalogue import ORDERED, TEXTUAL, Field, Kind

#: What can be changed inside a cell: one value, written on one line, chosen from a few or searched for.
EDITABLE = (TEXTUAL | ORDERED | {Kind.boolean, Kind.choice, Kind.relation}) - {Kind.long_text}
#: Before the key of the row that a relation was seen to point at; names are what people write.
_KEY = "#"


def editable_fields(entity: type[Recorded], actor: Actor) -> dict[str, Field]:
    """Return the fields of ``entity`` that ``actor`` may change in a cell: never masked, never those of verbs."""
    if not actor.may(Action.update, entity):
        return {}
    return {name: field for name, field in writable_fields(entity, actor).items() if field.kind in EDITABLE}


def edit_text(record: Recorded, field: Field) -> str:
    """Return the value of a cell as ``typed`` and the operations read it back; of a relation ``#`` and the key."""
    if field.kind is not Kind.relation:
        return field.edit(getattr(record, field.name))
    key = getattr(record, field.column or "")
    return "" if key is None else f"{_KEY}{key}"


def typed(field: Field, text: str) -> str | int:
    """Return what an operation is told for the text of a cell: the key of a row that was chosen from the list."""
    is_key = field.kind is Kind.relation and text.startswith(_KEY)
    return (parse_key(text.removeprefix(_KEY)) if is_key else None) or text


def cell_now(record: Recorded, field: Field, actor: Actor) -> dict[str, Any]:
    """Return a cell as it now stands: what to show, what to edit, and the version of its row."""
    cell = show.cell(record, field, actor)
    return {
        "text": cell.text,
        "title": cell.title,
        "tone": cell.tone,
        "icon": cell.icon,
        "badge": cell.is_badge,
        "value": edit_text(record, field),
        "version": record.version,
    }
