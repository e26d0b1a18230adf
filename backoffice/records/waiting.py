"""What waits for somebody: the rows of a worklist, and those of their own ones in the order in which they are due."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.actors import Actor
from backoffice.records.filters import filterable
from backoffice.records.pages import Query, conditions, in_sight, naming_options, ordering, read_query
from models.base import Recorded, Worklist
from models.catalogue import Field, fields

#: What a worklist calls whoever looks: only their own rows are in it.
ME = "{me}"


def is_own(worklist: Worklist) -> bool:
    """Say whether only what is entrusted to whoever looks is in a worklist."""
    return any(ME in text for text in worklist.filters)


def worklist_query(entity: type[Recorded], worklist: Worklist, actor: Actor) -> Query | None:
    """Return what a declared worklist asks for as this actor; None for whoever it has nothing to say to."""
    if actor.staff_id is None:
        return None
    texts = [text.format(me=actor.staff_id) for text in worklist.filters]
    known = filterable(entity, actor)
    if any(text.partition(":")[0] not in known for text in texts):
        return None  # a masked value would be told by the number
    return read_query(entity, actor, filters=texts)


def deadline_of(entity: type[Recorded], actor: Actor) -> Field | None:
    """Return the field that says by when something is to be done, where there is one and the actor sees it."""
    found = (field for field in fields(entity).values() if field.due_while)
    return next((field for field in found if field.name not in actor.masked(entity)), None)


def find_soonest(session: Session, query: Query, deadline: Field | None, most: int) -> Sequence[Any]:
    """Return the first rows of one's own worklist, what is due soonest first, ready to be named.

    Sorted by a column without an index of its own: what is entrusted to one person is not much.
    """
    query = in_sight(session, query)
    options, _statements = naming_options(query.entity)
    by = [] if deadline is None else [getattr(query.entity, deadline.name).asc().nulls_last()]
    statement = sa.select(query.entity).where(*conditions(query)).order_by(*by, *ordering(query)).limit(most)
    return session.scalars(statement.options(*options)).all()


__all__ = ["ME", "deadline_of", "find_soonest", "is_own", "worklist_query"]
