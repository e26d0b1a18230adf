"""One page of a list: filtered, searched, sorted, and reached by key instead of by offset."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Session, load_only, selectinload

from backoffice.access import INTERNAL
from backoffice.actors import Actor
from backoffice.errors import BadRequest
from backoffice.records.cursors import Cursor, read_cursor, write_cursor
from backoffice.records.filters import MAX_FILTERS, Filter, condition, parse
from backoffice.records.folding import folded
from models.base import Recorded
from models.catalogue import TEXTUAL, Field, Kind, fields, naming_fields
from models.reading import fold

SIZES = (25, 50, 100, 200)
#: Counting stops here: the exact number beyond would cost more than the page.
COUNT_CAP = 10_000


@dataclass(frozen=True)
class Query:
    """What is asked of a list, already checked against the declaration and the actor."""

    entity: type[Recorded]
    filters: tuple[Filter, ...] = ()
    term: str = ""
    sort: str = ""
    size: int = SIZES[0]
    cursor: str = ""
    #: Further conditions a page adds by itself, such as "of this company".
    fixed: tuple[tuple[str, int], ...] = ()
    #: The keys of the only rows that are wanted; None for all.
    keys: tuple[int, ...] | None = None
    #: Fields the actor sees as a mask: searching must not find by what they hide.
    masked: frozenset[str] = frozenset()

    @property
    def sort_field(self) -> Field:
        return fields(self.entity)[self.sort.lstrip("-")]

    @property
    def descending(self) -> bool:
        return self.sort.startswith("-")

    @property
    def digest(self) -> str:
        """Return what a cursor belongs to: another sort or filter makes it void."""
        text = json.dumps([self.entity.__table__.name, self.sort, self.term, *map(str, self.filters), *self.fixed])
        return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


@dataclass
class Page:
    """The rows of one page and how to go on from it."""

    rows: Sequence[Any]
    count: int
    next: str | None = None
    previous: str | None = None
    #: Number of the first row where it is known (pages reached from the start).
    start: int | None = None

    @property
    def capped(self) -> bool:
        return self.count > COUNT_CAP


def sortable(entity: type[Recorded], actor: Actor) -> set[str]:
    """Return the names of the fields a list may be sorted by: those that close a declared fast pair."""
    admin = entity.__admin__
    names = {admin.order.lstrip("-"), *(pair[-1] for pair in admin.fast if len(pair) == 1)}
    return names - actor.masked(entity)


def read_query(
    entity: type[Recorded],
    actor: Actor,
    *,
    filters: Sequence[str] = (),
    term: str = "",
    sort: str = "",
    size: str = "",
    cursor: str = "",
) -> Query:
    """Return the checked form of what an address asks for.

    :raises BadRequest: unknown filter, sort, size or cursor, or far too much of something.
    """
    if len(filters) > MAX_FILTERS or len(term) > 200 or len(cursor) > 2_000:
        raise BadRequest(reason=_("it asks for too much at once."))
    if sort and sort.removeprefix("-") not in sortable(entity, actor):
        raise BadRequest(reason=_("the list cannot be sorted by “%(name)s”.", name=sort[:50]))
    if size and (not re.fullmatch("[1-9][0-9]{0,2}", size) or int(size) > SIZES[-1]):
        raise BadRequest(reason=_("a page has 1 to %(limit)s rows.", limit=SIZES[-1]))
    if term.strip() and entity.search_key is None:
        raise BadRequest(reason=_("the list has no search."))
    if "\x00" in term:
        raise BadRequest(reason=_("the text cannot be searched for."))
    chosen = tuple(parse(text, entity, actor) for text in filters if text)
    return Query(
        entity,
        chosen,
        term.strip(),
        sort or default_sort(entity, actor),
        int(size) if size else SIZES[0],
        cursor,
        masked=actor.masked(entity),
    )


def default_sort(entity: type[Recorded], actor: Actor) -> str:
    """Return the declared order, or another for whoever sees a mask in its place: the newest first, else by key."""
    order = entity.__admin__.order
    # Whoever sees a mask must not learn the order of what is behind it.
    if order.lstrip("-") not in actor.masked(entity):
        return order
    return "-created_at" if "created_at" in sortable(entity, actor) else "id"


def conditions(query: Query) -> list[Any]:
    """Return the SQL conditions of a query, the page's own included."""
    found = [getattr(query.entity, column) == key for column, key in query.fixed]
    found += [condition(item) for item in query.filters]
    found += [query.entity.id.in_(query.keys)] if query.keys is not None else []
    found += search_conditions(query)
    return found


def search_conditions(query: Query) -> list[Any]:
    """Return the conditions that every word of the search occurs in the row's search text.

    That text mixes all searched columns. Where one of them is masked it only narrows, by its index; what is found
    must stand in one of the others. A searched relation is looked for by the names of what it leads to.
    """
    words = fold(query.term).split()[:10]
    if query.term.strip() and not words:
        return [sa.false()]
    known = [fields(query.entity)[name] for name in query.entity.__admin__.search_columns]
    searched = [field for field in known if field.name not in query.masked]
    relations = [field for field in searched if field.kind is Kind.relation]
    columns = [getattr(query.entity, field.name) for field in searched if field.kind is not Kind.relation]
    found = []
    for word in words:
        named = [_leads_to(field, word) for field in relations]
        text = query.entity.search_key.contains(word, autoescape=True)
        if len(searched) < len(known):
            text &= sa.or_(sa.false(), *(folded(column).contains(word, autoescape=True) for column in columns))
        found.append(sa.or_(text, *named))
    return found


def whole_words(query: Query) -> list[Any]:
    """Return the conditions that the words of the search stand in the search text next to each other, none cut off.

    That text is made of masked columns too: where there are any, no row is told from others by it.
    """
    if query.masked.intersection(query.entity.__admin__.search_columns):
        return [sa.false()]
    words, text = " ".join(fold(query.term).split()), query.entity.search_key
    spaced = sa.literal(" ") + sa.func.replace(text, "\n", " ") + " "
    return [text.contains(words, autoescape=True), spaced.contains(f" {words} ", autoescape=True)]


def _leads_to(field: Field, word: str) -> Any:
    """Build the condition that a relation leads to a row in whose name the word occurs, as far as names are no secret.

    What it leads to is read within the session's scope, as it is called now.
    """
    target: Any = field.target
    named = [f for f in map(fields(target).get, target.__admin__.title) if f is not None and not f.personal]
    named = [f for f in named if f.kind in TEXTUAL and f.sort_column]
    texts = [getattr(target, f"{f.sort_column}") for f in named]
    keyed = [text if text.key.endswith("_key") else folded(text) for text in texts]
    hits = sa.or_(sa.false(), *(text.contains(word, autoescape=True) for text in keyed))
    if target.search_key is not None and {f.name for f in named} <= {*target.__admin__.search_columns}:
        # Whatever stands in such a name stands in the search text too, and that has an index.
        hits &= target.search_key.contains(word, autoescape=True)
    return getattr(field.entity, field.column or "").in_(sa.select(target.id).where(hits))


def _with_its_name(entity: type[Recorded], name: str) -> Any:
    """Return the option that loads a relation along, with the rows that the names of what it leads to are made of."""
    return selectinload(getattr(entity, name)).options(*names_of(fields(entity)[name].target))


def names_of(target: Any, *, only: bool = False) -> list[Any]:
    """Return the options that load along the rows that the names of ``target``'s rows are made of.

    ``only``: of these rows themselves no more than their names.
    """
    admin = getattr(target, "__admin__", None)
    if admin is None:
        return []
    parts = [fields(target)[part] for part in admin.title]
    along = [part for part in parts if part.kind is Kind.relation and part.target is not target]
    columns = [load_only(*(getattr(target, part.column or part.name) for part in parts))] if only else []
    return [*columns, *(_with_its_name(target, part.name) for part in along)]


def naming_options(entity: type[Recorded]) -> tuple[list[Any], int]:
    """Return the options that load what an entity's rows are named after, and how many statements that takes."""
    names = [name for name in entity.__admin__.title if fields(entity)[name].kind is Kind.relation]
    further = sum(1 for field in naming_fields(entity) if field.kind is Kind.relation)
    return [_with_its_name(entity, name) for name in names], further


def ordering(query: Query, *, backward: bool = False) -> tuple[Any, Any]:
    """Return the ORDER BY of a query: its sort column, then the id, both one way."""
    column = _sort_column(query)
    down = query.descending != backward
    return (column.desc(), query.entity.id.desc()) if down else (column.asc(), query.entity.id.asc())


def _sort_column(query: Query) -> Any:
    return getattr(query.entity, query.sort_field.sort_column or query.sort_field.name)


def find_page(session: Session, query: Query, *, relations: Sequence[str] = ()) -> Page:
    """Return the page of ``query``; ``relations`` are loaded with it, one statement each, never joined.

    :raises BadRequest: the cursor is not one of this list.
    """
    cursor = read_cursor(query)
    query = in_sight(session, query)
    rows, count = _fetch(session, query, cursor, relations)
    more = len(rows) > query.size
    rows = rows[: query.size]
    if cursor.backward:
        rows.reverse()
    page = Page(rows, count, start=_start(query, cursor, len(rows)))
    if rows:
        has_next, has_previous = (True, more) if cursor.backward else (more, cursor.id is not None)
        if cursor.edge:
            has_next = False
        start = page.start
        after = start + len(rows) if start is not None else None
        page.next = write_cursor(query, rows[-1], backward=False, start=after) if has_next else None
        page.previous = write_cursor(query, rows[0], backward=True, start=start) if has_previous else None
    return page


def find_counts(
    session: Session, queries: Sequence[Query], *, most: int = COUNT_CAP, beside: Sequence[Any] = ()
) -> list[int]:
    """Return how many rows each query finds, all in one statement; ``most`` and one where there are more.

    In whatever order finds them fastest: these rows are not about to be read. ``beside``: further counts for the same
    statement, of tables and so beyond the scope.
    """
    if not queries and not beside:
        return []
    inside = [
        sa.select(sa.literal(1).label("one")).select_from(query.entity).where(*conditions(query)).limit(most + 1)
        for query in queries
    ]
    counts = [sa.select(sa.func.count()).select_from(rows.subquery()).scalar_subquery() for rows in inside]
    options = {} if queries else INTERNAL
    return list(session.execute(sa.select(*counts, *beside), execution_options=options).one())


def in_sight(session: Session, query: Query) -> Query:
    """Return the query with its relation filters narrowed to rows the actor may see.

    Else a filter by the key of a hidden row would tell which rows belong to it.
    """
    filters = tuple(_in_sight(session, item) for item in query.filters)
    return replace(query, filters=filters)


def _in_sight(session: Session, item: Filter) -> Filter:
    target = item.field.target
    if target is None or not item.values:
        return item
    # Whole rows: the page shows their names, and finds them here without asking again.
    seen = {row.id for row in session.scalars(sa.select(target).where(target.id.in_(item.values)))}
    return replace(item, values=tuple(key for key in item.values if key in seen))


def _start(query: Query, cursor: Cursor, shown: int) -> int | None:
    if cursor.edge:
        return None
    if cursor.id is None:
        return 1
    if cursor.start is None:
        return None
    return max(1, cursor.start - shown) if cursor.backward else cursor.start


def _fetch(session: Session, query: Query, cursor: Cursor, relations: Sequence[str]) -> tuple[list[Any], int]:
    """Read one row more than the page, from the runs of filled and then empty sort values, and the count."""
    runs = [False, True] if _sort_column(query).property.columns[0].nullable else [False]
    if cursor.backward:
        runs.reverse()
    if cursor.id is not None:
        runs = runs[runs.index(cursor.is_null) :] if cursor.is_null in runs else runs
    found: list[Any] = []
    count: int | None = None
    for number, is_null in enumerate(runs):
        key = cursor if number == 0 and cursor.id is not None else None
        statement = _run(query, is_null, key, cursor.backward, relations, nullable=len(runs) > 1 or cursor.is_null)
        statement = statement.limit(query.size + 1 - len(found))
        if count is None:
            rows = session.execute(statement.add_columns(_capped_count(query))).all()
            count = rows[0][1] if rows else None
            found += [row[0] for row in rows]
        else:
            found += session.scalars(statement).all()
        if len(found) > query.size:
            break
    if count is None:
        count = session.scalar(sa.select(_capped_count(query))) if cursor.id is not None else 0
    return found, count or 0


def _run(
    query: Query, is_null: bool, key: Cursor | None, backward: bool, relations: Sequence[str], *, nullable: bool
) -> Any:
    entity, column = query.entity, _sort_column(query)
    statement = sa.select(entity).where(*conditions(query)).order_by(*ordering(query, backward=backward))
    statement = statement.options(*(_with_its_name(entity, name) for name in relations))
    if nullable:
        statement = statement.where(column.is_(None) if is_null else column.is_not(None))
    if key is None:
        return statement
    down = query.descending != backward
    if is_null:
        return statement.where(entity.id < key.id if down else entity.id > key.id)
    place = sa.tuple_(column, entity.id)
    bound = sa.tuple_(sa.literal(key.value, column.type), sa.literal(key.id, sa.Integer))
    return statement.where(place < bound if down else place > bound)


def _capped_count(query: Query) -> Any:
    """Return the number of rows, counted up to the cap along the same index as the page."""
    inside = sa.select(sa.literal(1).label("one")).select_from(query.entity).where(*conditions(query))
    inside = inside.order_by(*ordering(query)).limit(COUNT_CAP + 1)
    return sa.select(sa.func.count()).select_from(inside.subquery()).scalar_subquery()


__all__ = ["Page", "Query", "find_counts", "find_page", "naming_options", "read_query", "sortable"]
