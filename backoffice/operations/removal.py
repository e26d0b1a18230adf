"""What keeps a record from being deleted: its declaration, its state, or others that refer to it (BO-05)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.access import INTERNAL
from backoffice.errors import DomainError, KeptForGood, KeptInThisState, StillReferred
from backoffice.records.show import in_sentence
from models.attachment import Attachment
from models.base import ENTITIES, Recorded, SoftDeleted
from models.catalogue import Kind, fields

#: Who wrote a row is no reason to keep whoever it was.
_AUTHORS = ("created_by_id", "updated_by_id")


@dataclass(frozen=True)
class Referrer:
    """So many rows of ``entity`` refer to a record by one of the relations ``names``, hidden ones included."""

    entity: type[Recorded]
    names: tuple[str, ...]
    count: int

    @property
    def label(self) -> str:
        admin = self.entity.__admin__
        return in_sentence(admin.plural if self.count > 1 else admin.label)


def obstacle(session: Session, record: Recorded) -> DomainError | None:
    """Return why the record cannot be deleted as it stands; None where it can."""
    try:
        require_removable(session, record)
    except DomainError as error:
        return error
    return None


def require_removable(session: Session, record: Recorded) -> None:
    """Raise unless the record, its lines included, may be deleted as it stands.

    :raises KeptForGood: records of its kind never are.
    :raises KeptInThisState: not any more.
    :raises StillReferred: other records refer to it, or to its lines; ``values["found"]`` has a ``Referrer`` a kind.
    """
    _require_state(record)
    lines = {name: list(getattr(record, name)) for name in record.__admin__.inline}
    owned = {fields(type(record))[name].target for name in lines}
    found = _referrers(session, [record], without=owned)
    for children in lines.values():
        # Lines that point at each other go together.
        found += _referrers(session, children, without={type(record), *(type(child) for child in children)})
    if found:
        raise StillReferred(referrers=", ".join(f"{item.count} {item.label}" for item in found), found=found)


def is_removable(record: Recorded) -> bool:
    """Say whether the record's declaration lets people delete it as it stands, whatever refers to it."""
    try:
        _require_state(record)
    except (KeptForGood, KeptInThisState):
        return False
    return True


def _require_state(record: Recorded) -> None:
    deletion = record.__admin__.deletion
    if deletion is None:
        return
    if not deletion.states:
        raise KeptForGood
    holder: Any = record
    if deletion.of:
        holder = getattr(record, deletion.of)
    if holder.state not in deletion.states:
        raise KeptInThisState(states=", ".join(str(state.label) for state in deletion.states))


def referrers_of(
    session: Session, entity: type[Recorded], ids: Collection[int], *, without: Collection[object] = ()
) -> dict[int, list[Referrer]]:
    """Return what refers to each of the rows ``ids``, lines included; rows that nothing refers to are left out.

    Rows of the entities in ``without`` do not count.
    """
    found: dict[int, list[Referrer]] = {}
    for other, keys in _pointing(entity):
        for key in keys if other not in without else ():
            statement = sa.select(key, sa.func.count()).where(key.in_(ids), *_counting(other, entity)).group_by(key)
            for number, count in session.execute(statement, execution_options=INTERNAL):
                found.setdefault(number, []).append(Referrer(other, _relations(other, {key.name}), count))
    return found


def references_to(
    entity: type[Recorded], number: sa.ColumnElement[int], *, without: Collection[object] = ()
) -> Iterator[sa.ColumnElement[bool]]:
    """Yield what ``referrers_of`` looks for as conditions, one for each column that may refer to the row ``number``."""
    for other, keys in _pointing(entity):
        for key in keys if other not in without else ():
            yield sa.exists().where(key == number, *_counting(other, entity))


def _counting(other: type[Recorded], entity: type[Recorded]) -> list[sa.ColumnElement[bool]]:
    """Return which rows of ``other`` count: a hidden one only keeps a record that would really be gone."""
    if "deleted_at" in other.__table__.c and issubclass(entity, SoftDeleted):
        return [other.__table__.c.deleted_at.is_(None)]
    return []


def _pointing(entity: type[Recorded]) -> Iterator[tuple[type[Recorded], list[Any]]]:
    """Yield each entity with rows that may refer to rows of ``entity``, and the columns by which they do."""
    for other in ENTITIES.values():
        referring = (key for key in other.__table__.foreign_keys if key.column.table is entity.__table__)
        # Files stay with a record that is only hidden; one that is really gone could not be restored with them. What
        # else goes with a record follows from it.
        counts = other is Attachment and not issubclass(entity, SoftDeleted)
        keys = [key.parent for key in referring if counts or key.ondelete != "CASCADE"]
        # A column copied from a parent says nothing of its own: the parent refers to the record as well.
        passed_over = {*_AUTHORS, *(own for own, _path in other.__admin__.scope.copies())}
        keys = [key for key in keys if key.name not in passed_over]
        if keys:
            yield other, keys


def _referrers(session: Session, records: Iterable[Recorded], *, without: Collection[object]) -> list[Referrer]:
    """Return what refers to any of ``records``, which are of one kind; hidden rows are counted, never named."""
    records = list(records)
    if not records:
        return []
    ids = [record.id for record in records]
    found = []
    for entity, keys in _pointing(type(records[0])):
        if entity in without:
            continue
        pointing = sa.or_(*(key.in_(ids) for key in keys))
        counting = _counting(entity, type(records[0]))
        statement = sa.select(sa.func.count()).select_from(entity.__table__).where(pointing, *counting)
        count = session.scalar(statement, execution_options=INTERNAL)
        if count:
            found.append(Referrer(entity, _relations(entity, {key.name for key in keys}), count))
    return found


def _relations(entity: type[Recorded], keys: set[str]) -> tuple[str, ...]:
    return tuple(f.name for f in fields(entity).values() if f.kind is Kind.relation and f.column in keys)
