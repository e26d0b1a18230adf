"""The records that history entries speak of, under their present names: one statement a kind, never one an entry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.actors import Action, Actor
from models.base import ENTITIES, Recorded
from models.catalogue import Kind, fields
from models.history_entry import HistoryEntry

#: Kinds of record looked up for one page, those with most entries first; others keep the name the entry has stored.
MOST_KINDS = 6


def look_up(session: Session, rows: Sequence[Any], actor: Actor) -> None:
    """Put its record on each history entry among ``rows``, where the actor may see it; other rows stay as they are."""
    entries = [row for row in rows if isinstance(row, HistoryEntry)]
    found = find(session, [(entry.entity, entry.record_id) for entry in entries], actor)
    for entry in entries:
        entry.subject = found.get((entry.entity, entry.record_id))


def find(session: Session, keys: Iterable[tuple[str, int]], actor: Actor) -> dict[tuple[str, int], Recorded]:
    """Return the records with these tables and keys that the actor may see.

    Records whose name takes further statements to tell, such as lines, are looked up only alone.
    """
    wanted: dict[str, set[int]] = {}
    keys = list(keys)
    for table, key in keys:
        if table in ENTITIES and actor.may(Action.read, ENTITIES[table]):
            wanted.setdefault(table, set()).add(key)
    if len(keys) > 1:
        wanted = {table: ids for table, ids in wanted.items() if _names_itself(ENTITIES[table])}
    often = [table for table, _count in Counter(table for table, _key in keys).most_common() if table in wanted]
    found: dict[tuple[str, int], Recorded] = {}
    for table in often[:MOST_KINDS]:
        entity = ENTITIES[table]
        rows = session.scalars(sa.select(entity).where(entity.id.in_(wanted[table])))
        found |= {(table, row.id): row for row in rows}
    return found


def _names_itself(entity: type[Recorded]) -> bool:
    known = fields(entity)
    return not any(known[name].kind is Kind.relation for name in entity.__admin__.title)
