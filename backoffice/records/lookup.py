"""Rows by key or by what somebody typed: for pages, relation fields and the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from backoffice.access import INTERNAL
from backoffice.actors import Actor
from backoffice.errors import NotFound
from backoffice.records import show
from backoffice.records.pages import Query, default_sort, ordering, search_conditions, whole_words
from models.base import Recorded
from models.catalogue import Field, Kind, fields
from models.columns import Choice
from models.external_code import ExternalCode
from models.reading import LARGEST_INTEGER, BadValue
from models.record_merge import RecordMerge

#: How many options a relation field offers at once.
OPTIONS = 20


def parse_key(raw: str) -> int | None:
    """Return the key that a text from outside names; None where it is no key at all."""
    key = int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 11 else 0
    return key if 0 < key <= LARGEST_INTEGER else None


def get_record(session: Session, entity: type[Recorded], key: int | str, *, relations: Sequence[str] = ()) -> Any:
    """Return the row with this key, ``relations`` loaded; raise ``NotFound`` if it is not there or not the actor's."""
    wanted = parse_key(str(key))
    if wanted is None:
        raise NotFound
    options = [selectinload(getattr(entity, name)) for name in relations]
    found = session.scalars(sa.select(entity).where(entity.id == wanted).options(*options)).one_or_none()
    if found is None:
        raise NotFound
    return found


def find_successor(session: Session, entity: type[Recorded], key: int | str, actor: Actor) -> Any | None:
    """Return the row that the one with this key was merged into; None if it was not, or out of the actor's reach."""
    wanted, seen = parse_key(str(key)), set[int]()
    while wanted is not None and wanted not in seen:
        seen.add(wanted)
        wanted = session.scalar(_merged_into(entity, wanted, actor))
        found = session.scalar(sa.select(entity).where(entity.id == wanted)) if wanted is not None else None
        if found is not None:
            return found
    return None


def _merged_into(entity: type[Recorded], key: int, actor: Actor) -> sa.Select[int]:
    statement = sa.select(RecordMerge.kept_id).where(
        RecordMerge.entity == entity.__table__.name, RecordMerge.dropped_id == key, RecordMerge.undone_at.is_(None)
    )
    if not actor.is_system:
        statement = statement.where(RecordMerge.group_id == actor.group_id)
    return statement.order_by(RecordMerge.id.desc()).limit(1)


def relations_of(entity: type[Recorded], names: Sequence[str]) -> list[str]:
    """Return the names among ``names`` that are relations and want loading along."""
    known = fields(entity)
    wanted = dict.fromkeys(names)
    return [name for name in wanted if name in known and known[name].kind in (Kind.relation, Kind.relations)]


def find_lines(session: Session, record: Recorded, name: str) -> Sequence[Any]:
    """Return the children of a record that are edited as its lines, in their order, with what their columns show."""
    relationship = sa.inspect(type(record)).relationships[name]
    (key,) = relationship.remote_side
    entity = relationship.mapper.class_
    options = [selectinload(getattr(entity, n)) for n in relations_of(entity, entity.__admin__.list_columns)]
    statement = sa.select(entity).where(key == record.id).order_by(*(relationship.order_by or ()), entity.id)
    return session.scalars(statement.options(*options)).all()


def find_options(session: Session, entity: type[Recorded], term: str, actor: Actor) -> Sequence[Any]:
    """Return the rows a relation field offers for ``term``, in their order.

    First come those that it names exactly; where there are more than can be offered, then those in which it stands as
    it is typed: "Rossi 3" before "Rossi 13".
    """
    if "\x00" in term or len(term) > 200:
        return []
    masked = actor.masked(entity)
    exact = _named_exactly(session, entity, term, masked)
    query = Query(entity, term=term, sort=default_sort(entity, actor), masked=masked)
    statement = sa.select(entity).where(*search_conditions(query)).order_by(*ordering(query)).limit(OPTIONS)
    found = session.scalars(statement).all()
    as_typed = session.scalars(statement.where(*whole_words(query))).all() if len(found) == OPTIONS else []
    return list(dict.fromkeys((*exact, *as_typed, *found)))[:OPTIONS]


def _named_exactly(session: Session, entity: type[Recorded], term: str, masked: frozenset[str]) -> list[Any]:
    for name, value in code_values(entity, term, masked).items():
        found = session.scalars(sa.select(entity).where(getattr(entity, name) == value).limit(2)).all() if value else []
        if found:
            return list(found)
    return []


def code_values(entity: type[Recorded], term: str, masked: frozenset[str]) -> dict[str, Any]:
    """Return each field that names a row by itself, with ``term`` as it would be stored there; None where it cannot.

    What is masked is left out: whoever finds a row by a value has been told the value.
    """
    known = fields(entity)
    names = [key[0] for key in entity.__admin__.natural_keys if len(key) == 1 and key[0] in known]
    kinds = (Kind.code, Kind.email, Kind.text)
    return {name: _parsed(known[name], term) for name in names if name not in masked and known[name].kind in kinds}


def _parsed(field: Field, term: str) -> Any:
    try:
        return field.parse(term) or None
    except BadValue:
        return None


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


def hint(record: Recorded, actor: Actor, *, told_state: bool = True) -> str:
    """Return what tells a record from its namesakes, as far as its name does not: its state where that is unusual and
    is to be told, then its key or what else people recognise it by. Nothing that would take another statement."""
    known, admin, masked = fields(type(record)), record.__admin__, actor.masked(type(record))
    names = [*(key[0] for key in admin.natural_keys if len(key) == 1), *admin.subtitle]
    chosen = [known[name] for name in dict.fromkeys(names) if name in known and name not in masked]
    texts = [f.show(getattr(record, f.name)) for f in chosen if f.kind not in (Kind.relation, Kind.relations)]
    title = show.label(record, actor)
    found = list(dict.fromkeys(text for text in texts if text and text not in title))
    state = _unusual_state(record, known, masked) if told_state else []
    return " · ".join([*state, *found[:2]])


def _unusual_state(record: Recorded, known: Mapping[str, Field], masked: frozenset[str]) -> list[str]:
    field = known.get("state")
    if field is None or field.choices is None or field.name in masked:
        return []
    state: Choice = getattr(record, field.name)
    return [] if state.tone in ("good", "active") else [str(state.label)]
