"""What a row must agree on with the rows it points at: they are still there, of the same company, of the same whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import RelationshipDirection, Session
from sqlalchemy.orm.attributes import get_history

from backoffice.access import INTERNAL, context_of
from backoffice.errors import UNKNOWN_REFERENCE, InvalidRecord, Text
from models.base import ENTITIES, Recorded, SoftDeleted
from models.catalogue import cache, parent_key

OTHER_COMPANY: Text = _l("This belongs to another company.")
OTHER_WHOLE: Text = _l("This is a line of another record.")
LEFT_BEHIND: Text = _l("The company cannot change: other records of it refer to this one.")

#: Relation, attribute with its key, and entity it points at.
Pointer = tuple[str, str, type[Recorded]]


def prove_relations(session: Session, new: Iterable[Recorded], changed: Iterable[Recorded]) -> None:
    """Raise ``InvalidRecord`` where a row, as written, points at a deleted row or at one of another company, or a
    line at a line of another record.

    Asked after the flush: foreign keys have by then waited for whoever was deleting the other row.
    """
    changed = list(changed)
    pointing: dict[type[Recorded], list[tuple[Recorded, str, int]]] = {}
    for row, is_new in [*((row, True) for row in new), *((row, False) for row in changed)]:
        moved = is_new or _has_moved(row)
        for name, key, target in _pointers(type(row)):
            value = getattr(row, key)
            if value is not None and (moved or get_history(row, key).has_changes()):
                pointing.setdefault(target, []).append((row, name, value))
    for target, found in pointing.items():
        _prove_targets(session, target, found)
    for row in changed:
        if _has_moved(row):
            _prove_nothing_left_behind(session, row)


def foreign_relations(entity: type[Recorded], values: Mapping[str, Any], record: Recorded | None) -> dict[str, Text]:
    """Return a sentence for each of the related rows in ``values`` that belongs to another company than the row will.

    What ``prove_relations`` will refuse, told beforehand and beside its field.
    """
    owner = _owner_relation(entity)
    company = values.get(owner, getattr(record, owner, None)) if owner else record
    company_id = _company_of(company) if company is not None else None
    if company_id is None:
        return {}
    agreeing = {name for name, _key, target in _pointers(entity) if _has_company(target)}
    foreign = {name for name in agreeing & values.keys() if name != owner and values[name] is not None}
    return {name: OTHER_COMPANY for name in foreign if _company_of(values[name]) not in (None, company_id)}


def _prove_targets(session: Session, target: type[Recorded], found: list[tuple[Recorded, str, int]]) -> None:
    table = target.__table__
    company = table.c.company_id if _has_company(target) else sa.null()
    deleted = table.c.deleted_at.is_not(None) if issubclass(target, SoftDeleted) else sa.false()
    whole = parent_key(target)
    columns = (table.c.id, company, deleted, table.c[whole] if whole else sa.null())
    statement = sa.select(*columns).where(table.c.id.in_({key for _row, _name, key in found}))
    facts = {key: rest for key, *rest in session.execute(statement, execution_options=INTERNAL)}
    # The product itself loads and restores, in whatever order.
    may_be_deleted = context_of(session).actor.is_system
    for row, name, key in found:
        company_id, is_deleted, whole_id = facts.get(key, (None, True, None))
        if is_deleted and not may_be_deleted:
            raise InvalidRecord({name: UNKNOWN_REFERENCE})
        if company_id is not None and _company_of(row) not in (None, company_id):
            raise InvalidRecord({name: OTHER_COMPANY})
        if whole and isinstance(row, target) and getattr(row, whole) != whole_id:
            raise InvalidRecord({name: OTHER_WHOLE})


def _prove_nothing_left_behind(session: Session, row: Recorded) -> None:
    """Raise where rows of the company that the row has left still point at it."""
    if is_left_behind(session, type(row), [row.id], _company_of(row)):
        raise InvalidRecord({"company": LEFT_BEHIND})


def is_left_behind(session: Session, pointed: type[Recorded], ids: Sequence[int], company_id: int | None) -> bool:
    """Say whether rows of another company than ``company_id`` point at any of the rows ``ids`` of it."""
    for entity in ENTITIES.values():
        for _name, key, target in _pointers(entity):
            if target is pointed and _has_company(entity):
                table = entity.__table__
                stays = sa.select(table.c.id).where(table.c[key].in_(ids), table.c.company_id != company_id)
                if session.scalar(stays.limit(1), execution_options=INTERNAL) is not None:
                    return True
    return False


def _has_moved(row: Recorded) -> bool:
    return _has_company(type(row)) and get_history(row, "company_id").has_changes()


def _has_company(entity: type[Recorded]) -> bool:
    """Say whether rows of the entity belong to a company, without being one."""
    return entity.__admin__.scope.company not in (None, "id")


def _company_of(row: Recorded) -> int | None:
    return row.id if row.__admin__.scope.company == "id" else getattr(row, "company_id", None)


def _owner_relation(entity: type[Recorded]) -> str | None:
    """Return the relation through which rows of the entity get their company."""
    path = entity.__admin__.scope.company
    if path in (None, "id"):
        return None
    return path.partition(".")[0] if "." in path else path.removesuffix("_id")


@cache
def _pointers(entity: type[Recorded]) -> tuple[Pointer, ...]:
    """Return the relations of the entity that must agree with it, or whose target deleting only hides."""
    return tuple(_found_pointers(entity))


def _found_pointers(entity: type[Recorded]) -> Iterator[Pointer]:
    for relationship in sa.inspect(entity).relationships:
        target = relationship.mapper.class_
        if relationship.direction is not RelationshipDirection.MANYTOONE or target not in ENTITIES.values():
            continue
        is_line = target is entity and parent_key(entity) is not None
        if is_line or issubclass(target, SoftDeleted) or (_has_company(target) and _has_company(entity)):
            (key,) = relationship.local_columns
            yield relationship.key, str(sa.inspect(entity).get_property_by_column(key).key), target
