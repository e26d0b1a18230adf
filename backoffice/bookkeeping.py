"""What happens around every flush: stamps, folded and scope copies before it; proof and history after it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import RelationshipDirection, Session
from sqlalchemy.orm.attributes import get_history

from backoffice import clock, history
from backoffice.access import INTERNAL, context_of, prove_scope
from backoffice.actors import Action
from backoffice.coherence import prove_relations
from backoffice.errors import UNKNOWN_REFERENCE, InvalidRecord
from backoffice.freshness import keep_fresh
from models.base import ENTITIES, Recorded
from models.reading import fold


def before_flush(session: Session, _flush: Any, _instances: Any) -> None:
    """Complete the rows about to be written and check the right to delete those about to go."""
    now = clock.now()
    staff_id = context_of(session).actor.staff_id
    seen: set[int] = set()
    for row in [*session.new, *(row for row in session.dirty if session.is_modified(row))]:
        if not isinstance(row, Recorded) or "version" not in row.__table__.c:
            continue
        _copy_scope(session, row, seen)
        _fold_texts(row)
        if row in session.new:
            if row.created_at is None:
                row.created_at = now  # type: ignore[unreachable]  # a new row has none yet
            row.created_by_id = row.created_by_id or staff_id
        row.updated_at, row.updated_by_id = now, staff_id
    gone = [row for row in session.deleted if isinstance(row, Recorded)]
    prove_scope(session, Action.delete, gone)
    session.info["gone"] = [history.snapshot(row) for row in gone]


def _copy_scope(session: Session, row: Recorded, seen: set[int]) -> None:
    """Set the row's group, company and unit from its parent, parents first; or its group from who writes."""
    if id(row) in seen:
        return
    seen.add(id(row))
    _settle_keys(row)
    scope = row.__admin__.scope
    for own, path in scope.copies():
        relation, column = path.split(".")
        parent = _parent(session, row, relation)
        if parent is None and _points_as_before(row, relation):
            continue  # at a row that whoever writes does not see
        if parent is None:
            if own == "company_id":
                setattr(row, own, None)
                continue
            raise InvalidRecord({relation: UNKNOWN_REFERENCE})
        if parent in session.new or parent in session.dirty:
            _copy_scope(session, parent, seen)
        setattr(row, own, getattr(parent, column))
    if scope.group == "group_id" and not scope.groupless and row.group_id is None:  # type: ignore[attr-defined]
        row.group_id = context_of(session).actor.group_id  # type: ignore[attr-defined]


def _settle_keys(row: Recorded) -> None:
    """Give newly set relations their key now: the flush would, but the scope of rows below is copied before it."""
    for relationship in sa.inspect(type(row)).relationships:
        if relationship.direction is not RelationshipDirection.MANYTOONE or relationship.key not in row.__dict__:
            continue
        changed = get_history(row, relationship.key)
        key = getattr(changed.added[0], "id", None) if changed.added else None
        if key is not None:
            (column,) = relationship.local_columns
            setattr(row, sa.inspect(type(row)).get_property_by_column(column).key, key)


def _points_as_before(row: Recorded, relation: str) -> bool:
    """Say whether a stored row refers to the very row it referred to when it was read."""
    (column,) = sa.inspect(type(row)).relationships[relation].local_columns
    name = sa.inspect(type(row)).get_property_by_column(column).key
    known = sa.inspect(row).persistent and not get_history(row, name).has_changes()
    return known and getattr(row, name) is not None


def _parent(session: Session, row: Recorded, relation: str) -> Any:
    """Return the related row even where only its key was set, which a pending row does not load by itself."""
    parent = getattr(row, relation)
    relationship = sa.inspect(type(row)).relationships[relation]
    (column,) = relationship.local_columns
    key = getattr(row, column.key)
    if parent is None and key is not None:
        return session.get(relationship.mapper.class_, key)
    return parent


def _fold_texts(row: Recorded) -> None:
    """Keep the sorting copies and the search text of a row."""
    for column in row.__table__.columns:
        sources = column.info.get("folded")
        if sources:
            setattr(row, column.key, fold(" ".join(getattr(row, name) or "" for name in sources))[:255])
    # What relations are called is asked when somebody searches: it may change without the row.
    columns = row.__table__.c
    words = (getattr(row, name) for name in row.__admin__.search_columns if name in columns)
    row.search_key = "\n".join(fold(str(word)) for word in words if word)


def after_flush(session: Session, _flush: Any) -> None:
    """Prove that what was written is within the actor's scope, carry scope changes down, write the history."""
    new = [row for row in session.new if isinstance(row, Recorded)]
    changed = [row for row in session.dirty if isinstance(row, Recorded) and session.is_modified(row)]
    prove_scope(session, Action.create, new)
    prove_scope(session, Action.update, changed)
    for row in changed:
        _carry_scope_down(session, row)
    prove_relations(session, new, changed)
    keep_fresh(session, [*new, *changed, *(row for row in session.deleted if isinstance(row, Recorded))])
    history.write(session, new, changed, session.info.pop("gone", []))


def _carry_scope_down(session: Session, row: Recorded) -> None:
    """Give the rows below a moved row its new group, company and unit; they may not even be loaded."""
    moved = {
        name
        for name in ("group_id", "company_id", "business_unit_id")
        if name in row.__table__.c and get_history(row, name).has_changes()
    }
    if row.__admin__.scope.company == "id":
        moved.discard("company_id")
    if moved:
        carry_down(session, type(row), [row.id], {name: getattr(row, name) for name in moved})


def carry_down(session: Session, parent: type[Recorded], ids: list[int], values: dict[str, Any]) -> None:
    """Give the rows below the rows ``ids`` of ``parent`` the group, company or unit in ``values``, all the way down."""
    for child in ENTITIES.values():
        taken: dict[str, dict[str, Any]] = {}
        for own, path in child.__admin__.scope.copies():
            relation, column = path.split(".")
            relationship = sa.inspect(child).relationships[relation]
            if relationship.mapper.class_ is parent and column in values:
                (key,) = relationship.local_columns
                taken.setdefault(key.name, {})[own] = values[column]
        for key_name, copied in taken.items():
            table = child.__table__
            statement = sa.update(table).where(table.c[key_name].in_(ids)).values(copied).returning(table.c.id)
            below = list(session.scalars(statement, execution_options=INTERNAL))
            if below:
                carry_down(session, child, below, copied)
