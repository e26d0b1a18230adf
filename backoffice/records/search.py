"""Search over everything an actor may see: codes first, then what the search of each list finds (issue 6).

What is searched follows from the declarations: the entities with ``search_columns``, and as codes those of these that
are a natural key by themselves. One statement finds the keys of all of it, within the session's scope and past no
mask; the rows of the first groups take one more each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.actors import Action, Actor
from backoffice.records.folding import folded
from backoffice.records.lookup import code_values
from backoffice.records.pages import Query, naming_options, ordering, read_query, search_conditions, whole_words
from models.base import ENTITIES, Category, Recorded
from models.catalogue import TEXTUAL, fields
from models.reading import fold

#: Rows of one entity that are shown; where there is one more, the list has them all.
MOST_ROWS = 5
#: Statements that reading rows may take: groups beyond are told by number, and lead to their lists.
_MOST_STATEMENTS = 8
#: How well a row fits: its code is the term, begins with it, it has the term as it is typed, its name has the words,
#: or they occur elsewhere in it.
_EXACT, _BEGINS, _AS_TYPED, _NAMED, _OCCURS = range(5)


@dataclass(frozen=True)
class Group:
    """What was found of one entity."""

    entity: type[Recorded]
    #: The best first; at most ``MOST_ROWS`` and one.
    keys: tuple[int, ...]
    #: How well the best one fits.
    fit: int
    #: Fit and key of each, as the statement told them.
    pairs: str
    #: The rows of the first ``MOST_ROWS`` keys, read as far as there was room for it.
    rows: Sequence[Any] = ()

    @property
    def has_more(self) -> bool:
        return len(self.keys) > MOST_ROWS


def searched(actor: Actor) -> list[type[Recorded]]:
    """Return the entities that are searched for this actor, in the order of the navigation."""
    found = [
        entity for entity in ENTITIES.values() if entity.__admin__.search_columns and actor.may(Action.read, entity)
    ]
    places = list(Category)
    # What has its own place in the navigation comes before the lines of others.
    return sorted(found, key=lambda e: (not e.__admin__.menu, places.index(e.__admin__.category), e.__admin__.rank))


def find_everywhere(session: Session, term: str, actor: Actor) -> list[Group]:
    """Return what the term finds of each entity, groups with a fitting code first; nothing for a term without words.

    :raises BadRequest: the term is too long, or no text at all.
    """
    queries = [read_query(entity, actor, term=term) for entity in searched(actor)]
    if not fold(term) or not queries:
        return []
    wanted = [column for query in queries for column in (_codes(query), _texts(query))]
    found = iter(session.execute(sa.select(*wanted)).one())
    groups = {query.entity: _group(query.entity, f"{next(found)},{next(found)}") for query in queries}
    groups |= _as_typed(session, [(query, groups[query.entity]) for query in queries if groups[query.entity].has_more])
    order = sorted((group for group in groups.values() if group.keys), key=lambda group: group.fit)
    return list(_with_rows(session, order))


def _as_typed(session: Session, full: Sequence[tuple[Query, Group]]) -> dict[type[Recorded], Group]:
    """Return the groups that have more than is shown with those rows before others that have the term as it is typed.

    In the order of the list they may come anywhere: "Rossi 3" after "Rossi 13" and "Rossi 23".
    """
    if not full:
        return {}
    wanted = []
    for query, _found in full:
        rows = sa.select(query.entity.id, sa.literal(_AS_TYPED).label("fit"))
        rows = rows.where(*search_conditions(query), *whole_words(query)).order_by(*ordering(query))
        wanted.append(_joined(rows.limit(MOST_ROWS)))
    told = zip(full, session.execute(sa.select(*wanted)).one(), strict=True)
    return {query.entity: _group(query.entity, f"{group.pairs},{typed}") for (query, group), typed in told}


def _codes(query: Query) -> Any:
    """Select the keys of the rows whose code the term is, however it was typed: with spaces, in small letters.

    Where it cannot be a code it is compared with nothing, so that the statement is the same for every term and is
    compiled once.
    """
    typed = code_values(query.entity, query.term, query.masked)
    columns = {name: getattr(query.entity, name) for name in _code_columns(query) if name in typed}
    if not columns:
        return sa.null()
    hits = [column == sa.bindparam(None, typed[name], column.type) for name, column in columns.items()]
    return _joined(sa.select(query.entity.id, sa.literal(_EXACT).label("fit")).where(sa.or_(*hits)).limit(MOST_ROWS))


def _texts(query: Query) -> Any:
    """Select the keys of the rows that the list's own search finds, in its order, with how well they fit."""
    entity, word = query.entity, fold(query.term)
    codes = [folded(getattr(entity, name)) for name in _code_columns(query)]
    names = [folded(getattr(entity, name)) for name in _name_columns(query)]
    fits = [
        (sa.or_(sa.false(), *(code == word for code in codes)), _EXACT),
        (sa.or_(sa.false(), *(code.startswith(word, autoescape=True) for code in codes)), _BEGINS),
        (
            sa.or_(sa.false(), *(name.contains(part, autoescape=True) for name in names for part in word.split())),
            _NAMED,
        ),
    ]
    fit = sa.case(*fits, else_=_OCCURS)
    found = sa.select(entity.id, fit.label("fit")).where(*search_conditions(query)).order_by(*ordering(query))
    return _joined(found.limit(MOST_ROWS + 1))


def _code_columns(query: Query) -> list[str]:
    """Return the searched columns that name a row by themselves, as far as no mask hides them."""
    keys = {key[0] for key in query.entity.__admin__.natural_keys if len(key) == 1}
    return [name for name in _texts_shown(query) if name in keys]


def _name_columns(query: Query) -> list[str]:
    return [name for name in _texts_shown(query) if name in query.entity.__admin__.title]


def _texts_shown(query: Query) -> list[str]:
    known, names = fields(query.entity), query.entity.__admin__.search_columns
    return [name for name in names if name not in query.masked and known[name].kind in TEXTUAL]


def _joined(rows: Any) -> Any:
    """Build one value of rows of keys and fits, so that a statement can hold those of every entity."""
    row = rows.subquery()
    pair = sa.cast(row.c.fit, sa.String) + ":" + sa.cast(row.c.id, sa.String)
    return sa.select(sa.func.aggregate_strings(pair, ",")).scalar_subquery()


def _group(entity: type[Recorded], told: str) -> Group:
    pairs = [tuple(map(int, pair.split(":"))) for pair in told.split(",") if ":" in pair]
    fits: dict[int, int] = {}
    for fit, key in sorted(pairs, key=lambda pair: pair[0]):  # stable: the order of the list among those that fit alike
        fits.setdefault(key, fit)
    return Group(entity, tuple(fits)[: MOST_ROWS + 1], min(fits.values(), default=_OCCURS), told)


def _with_rows(session: Session, groups: list[Group]) -> Iterator[Group]:
    """Read the rows of the first groups, as many as there is room for."""
    left = _MOST_STATEMENTS
    for group in groups:
        options, statements = naming_options(group.entity)
        left -= 1 + statements
        if left < 0:
            yield group
            continue
        keys = group.keys[:MOST_ROWS]
        rows = session.scalars(sa.select(group.entity).where(group.entity.id.in_(keys)).options(*options))
        known = {row.id: row for row in rows}
        yield replace(group, rows=[known[key] for key in keys if key in known])


__all__ = ["MOST_ROWS", "Group", "find_everywhere", "searched"]
