"""Putting reference rows where they are missing, without undoing what an administrator did to them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.actors import ActorKind
from backoffice.history import encode
from models.base import Recorded
from models.history_entry import HistoryEntry, HistoryPersonal


class Shelf:
    """The rows of one entity as seeds see them: by natural key, and by the key they were seeded with.

    A row that a seed once created is recognised by its history even after it was renamed, and is not made
    again after it was deleted.
    """

    def __init__(self, session: Session, entity: type[Recorded], *key: str) -> None:
        self._session = session
        self._entity = entity
        self._key = key
        self._present: dict[tuple[Any, ...], Recorded] = {}
        by_id: dict[int, Recorded] = {}
        for row in session.scalars(sa.select(entity)):
            by_id[row.id] = row
            self._present[self._key_of(row)] = row
        #: By the key they were seeded with; None for rows deleted since.
        self._seeded = {key: by_id.get(record_id) for key, record_id in self._seeded_before()}
        self.added = 0

    def put(self, **values: Any) -> Any:
        """Return the row with the natural key in ``values``, made from them if it never was; None if deleted since."""
        key = tuple(encode(values[name]) for name in self._key)
        if key in self._present:
            return self._present[key]
        if key in self._seeded:
            return self._seeded[key]
        row = self._entity(**values)
        self._session.add(row)
        self._present[key] = row
        self.added += 1
        return row

    def _key_of(self, row: Recorded) -> tuple[Any, ...]:
        return tuple(encode(getattr(row, name)) for name in self._key)

    def _seeded_before(self) -> list[tuple[tuple[Any, ...], int]]:
        statement = (
            sa.select(HistoryEntry, HistoryPersonal.changes)
            .outerjoin(HistoryPersonal, HistoryPersonal.entry_id == HistoryEntry.id)
            .where(
                HistoryEntry.entity == self._entity.__table__.name,
                HistoryEntry.event == "created",
                HistoryEntry.actor_kind == ActorKind.system.value,
            )
        )
        rows = self._session.execute(statement)
        return [(self._first_key(entry, {**entry.changes, **(told or {})}), entry.record_id) for entry, told in rows]

    def _first_key(self, entry: HistoryEntry, changes: dict[str, Any]) -> tuple[Any, ...]:
        """Return the natural key that a row was created with; relations are recorded under their own name."""
        if self._key[0] == "group_id":
            return entry.group_id, *(self._first_value(changes, name) for name in self._key[1:])
        return tuple(self._first_value(changes, name) for name in self._key)

    @staticmethod
    def _first_value(changes: dict[str, Any], name: str) -> Any:
        pair = changes.get(name) or changes.get(name.removesuffix("_id"))
        return pair[1] if pair else None
