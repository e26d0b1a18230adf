"""Rows by key or by what somebody typed: for pages, relation fields and the API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from backoffice.access import INTERNAL
from backoffice.actors import Actor
from backoffice.errors import NotFound
from backoffice.records.pages import Query, default_sort, ordering, search_conditions
from models.base import Recorded
from models.catalogue import Kind, fields
from models.external_code import ExternalCode
from models.reading import LARGEST_INTEGER, BadValue

#: How many options a relation field offers at once.
OPTIONS = 20


def get_record(session: Session, entity: type[Recorded], key: int | str, *, relations: Sequence[str] = ()) -> Any:
    """Return the row with this key, ``relations`` loaded; raise ``NotFound`` if it is not there or not the actor's."""
    if isinstance(key, str):
        key = int(key) if key.isascii() and key.isdigit() and len(key) < 11 else 0
    if not 0 < key <= LARGEST_INTEGER:
        raise NotFound
    options = [selectinload(getattr(entity, name)) for name in relations]
    found = session.scalars(sa.select(entity).where(entity.id == key).options(*options)).one_or_none()
    if found is None:
        raise NotFound
    return found


def relations_of(entity: type[Recorded], names: Sequence[str]) -> list[str]:
    """Return the names among ``names`` that are relations and want loading along."""
    known = fields(entity)
    return [name for name in names if name in known and known[name].kind in (Kind.relation, Kind.relations)]


def find_options(session: Session, entity: type[Recorded], term: str, actor: Actor) -> Sequence[Any]:
    """Return the rows a relation field offers for ``term``: those it names exactly first, then by their order."""
    if "\x00" in term or len(term) > 200:
        return []
    masked = actor.masked(entity)
    exact = _named_exactly(session, entity, term, masked)
    query = Query(entity, term=term, sort=default_sort(entity, actor), masked=masked)
    statement = sa.select(entity).where(*search_conditions(query)).order_by(*ordering(query)).limit(OPTIONS)
    found = session.scalars(statement).all()
    return [*exact, *(row for row in found if row not in exact)][:OPTIONS]


def _named_exactly(session: Session, entity: type[Recorded], term: str, masked: frozenset[str]) -> list[Any]:
    known = fields(entity)
    for key in entity.__admin__.natural_keys:
        if (
            len(key) != 1
            or key[0] not in known
            or key[0] in masked
            or known[key[0]].kind not in (Kind.code, Kind.email, Kind.text)
        ):
            continue
        try:
            value = known[key[0]].parse(term)
        except BadValue:
            continue
        found = session.scalars(sa.select(entity).where(getattr(entity, key[0]) == value).limit(2)).all()
        if found and value:
            return list(found)
    return []


def external_codes(session: Session, record: Recorded) -> Sequence[tuple[str, str]]:
    """Return the codes other systems have for a record read within the scope, as ``(system, code)``."""
    code = ExternalCode.__table__
    statement = sa.select(code.c.system, code.c.code).where(
        code.c.group_id == getattr(record, "group_id", None),
        code.c.entity == record.__table__.name,
        code.c.record_id == record.id,
    )
    rows = session.execute(statement.order_by(code.c.system), execution_options=INTERNAL)
    return [(row.system, row.code) for row in rows]


def hint(record: Recorded) -> str:
    """Return a second line that tells namesakes apart: its first natural key, or its company."""
    known = fields(type(record))
    for key in record.__admin__.natural_keys:
        if len(key) == 1 and key[0] in known:
            value = known[key[0]].show(getattr(record, key[0]))
            if value and value != str(record):
                return value
    return ""
