"""What stands between demonstration rows and their removal: who refers to them, and in which order they go."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session
from sqlalchemy.sql.ddl import sort_tables

from backoffice.access import INTERNAL
from backoffice.errors import StillReferred
from models.base import ENTITIES, Model, Recorded
from models.external_code import ExternalCode
from models.staff import Staff

#: Real rows are named up to this many.
NAMED = 20
#: Columns that say who wrote a row: the history knows it too, so they do not keep a demonstration user alive.
_STAMPS = frozenset({"created_by_id", "updated_by_id", "created_by_fk", "changed_by_fk"})


class DemoStillUsed(StillReferred):
    """Somebody has tied real records to the demonstration set; they must be changed first."""

    template = _l("The demonstration set cannot be removed, because real records refer to it: %(referrers)s.")


def demo_entities() -> list[type[Recorded]]:
    """Return the entities that may hold demonstration rows, children before their parents."""
    marked = {entity.__table__: entity for entity in ENTITIES.values() if "is_demo" in entity.__table__.c}
    tables = sort_tables(marked, skip_fn=lambda key: key.parent.name in _STAMPS)
    return [marked[table] for table in reversed(tables)]


def require_no_referrers(session: Session) -> None:
    """Raise ``DemoStillUsed`` with the names of real rows that refer to demonstration rows, where there are any."""
    rows = [row for entity in demo_entities() for row in _real_referrers(session, entity)]
    if rows:
        names = [f"{type(row).__admin__.label} {row}" for row in rows[:NAMED]]
        raise DemoStillUsed(referrers=", ".join([*names, *(["…"] if len(rows) > NAMED else [])]))


def _real_referrers(session: Session, entity: type[Recorded]) -> Iterable[Recorded]:
    table = entity.__table__
    referring = [key.parent.in_(_demo_keys(target)) for key, target in _keys_to_demo(table) if not _forgettable(key)]
    if not referring:
        return ()
    statement = sa.select(entity).where(~entity.is_demo, sa.or_(*referring)).order_by(entity.id)
    return session.scalars(statement, execution_options={"include_deleted": True}).all()


def _keys_to_demo(table: sa.Table) -> Iterator[tuple[sa.ForeignKey, sa.Table]]:
    for key in table.foreign_keys:
        if "is_demo" in key.column.table.c:
            yield key, key.column.table


def _forgettable(key: sa.ForeignKey) -> bool:
    """Say whether the reference goes by itself, or names an author whom a changeable row may forget."""
    if key.parent.name in _STAMPS:
        entity = ENTITIES.get(key.parent.table.name)
        return entity is None or not entity.__admin__.append_only
    return key.ondelete in ("CASCADE", "SET NULL")


def clear_traces(session: Session) -> None:
    """Forget demonstration users as authors of real rows, and what other programmes call demonstration records."""
    for table in Model.metadata.tables.values():
        entity = ENTITIES.get(table.name)
        for key in table.foreign_keys:
            if key.column.table is Staff.__table__ and key.parent.name in _STAMPS and _forgettable(key):
                real = sa.true() if entity is Staff else ~table.c.is_demo
                statement = sa.update(table).where(real, key.parent.in_(_demo_keys(Staff.__table__)))
                session.execute(statement.values({key.parent.name: None}), execution_options=INTERNAL)
    codes: Any = ExternalCode.__table__
    for entity in demo_entities():
        of_entity = codes.c.entity == entity.__table__.name
        gone = sa.delete(codes).where(of_entity, codes.c.record_id.in_(_demo_keys(entity.__table__)))
        session.execute(gone, execution_options=INTERNAL)


def _demo_keys(table: sa.Table) -> sa.Select[Any]:
    return sa.select(table.c.id).where(table.c.is_demo)
