"""The records that history entries speak of, under their present names: one statement a kind, never one an entry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from backoffice.access import INTERNAL
from backoffice.actors import Action, Actor, ScopeKind
from backoffice.records.show import who
from models.base import ENTITIES, Recorded
from models.catalogue import Kind, fields
from models.history_entry import ActorSort, HistoryEntry, HistoryPersonal, SignInEntry

#: Kinds of record looked up for one page, those with most entries first; others keep the name the entry has stored.
MOST_KINDS = 6
#: By kind of actor, what finds out how they are called now, by their keys.
Names = Callable[[Session, set[int]], dict[int, str]]
_names: dict[ActorSort, Names] = {}


def set_names(kind: ActorSort, names: Names) -> None:
    """Have ``names(session, keys)`` say what actors of a kind are called, whose entries hold no name."""
    _names[kind] = names


def look_up(session: Session, rows: Sequence[Any], actor: Actor) -> None:
    """Complete ledger rows among ``rows`` by what they do not hold themselves; other rows stay as they are.

    A history entry gets its record, where the actor may see it, else what it was called; and who acted.
    """
    entries = [row for row in rows if isinstance(row, HistoryEntry)]
    found = find(session, [(entry.entity, entry.record_id) for entry in entries], actor)
    for entry in entries:
        entry.subject = found.get((entry.entity, entry.record_id))
    _give_titles(session, [entry for entry in entries if entry.subject is None and _may_know(entry, actor)])
    names = client_names(session, entries)
    for entry in entries:
        entry.doer = doer(entry, names)
    sign_ins = [row for row in rows if isinstance(row, SignInEntry) and row.account_id is not None]
    known = _called(session, ActorSort.account, {row.account_id or 0 for row in sign_ins})
    for row in sign_ins:
        row.account_name = known.get(row.account_id or 0)


def _may_know(entry: HistoryEntry, actor: Actor) -> bool:
    """Say whether the actor would see the record an entry speaks of, if it were there: its name may be a person's."""
    entity = ENTITIES.get(entry.entity)
    return actor.is_system or (entity is not None and ScopeKind.group in actor.scopes(Action.read, entity))


def client_names(session: Session, rows: Iterable[Any]) -> dict[int, str]:
    """Return what the accounts that acted in rows of the history are called now, by their keys."""
    keys = {row.actor_id for row in rows if row.actor_kind is ActorSort.account}
    return _called(session, ActorSort.account, keys)


def doer(row: Any, names: Mapping[int, str]) -> str:
    """Return who acted in a row of the history; ``names`` are those of ``client_names``."""
    is_client = row.actor_kind is ActorSort.account
    return who(row.actor_kind, names.get(row.actor_id, row.actor_name) if is_client else row.actor_name)


def _called(session: Session, kind: ActorSort, keys: set[int]) -> dict[int, str]:
    return _names[kind](session, keys) if keys and kind in _names else {}


def _give_titles(session: Session, entries: Sequence[HistoryEntry]) -> None:
    """Put on entries whose record is not there what it was called, where that is kept apart and not erased."""
    if not entries:
        return
    wanted = sa.select(HistoryPersonal.entry_id, HistoryPersonal.record_title).where(
        HistoryPersonal.entry_id.in_([entry.id for entry in entries])
    )
    found = session.execute(wanted, execution_options=INTERNAL)
    titles = {row.entry_id: row.record_title for row in found}
    for entry in entries:
        entry.erasable_title = titles.get(entry.id)


def find(
    session: Session, keys: Iterable[tuple[str, int]], actor: Actor, *, every: bool = False
) -> dict[tuple[str, int], Recorded]:
    """Return the records with these tables and keys that the actor may see.

    Records whose name takes further statements to tell, such as lines, are looked up only alone, or with ``every``.
    """
    wanted: dict[str, set[int]] = {}
    keys = list(keys)
    for table, key in keys:
        if table in ENTITIES and actor.may(Action.read, ENTITIES[table]):
            wanted.setdefault(table, set()).add(key)
    if len(keys) > 1 and not every:
        wanted = {table: ids for table, ids in wanted.items() if _names_itself(ENTITIES[table])}
    often = [table for table, _count in Counter(table for table, _key in keys).most_common() if table in wanted]
    found: dict[tuple[str, int], Recorded] = {}
    for table in often[:MOST_KINDS]:
        entity = ENTITIES[table]
        named = [selectinload(getattr(entity, name)) for name in _named_by(entity)]
        rows = session.scalars(sa.select(entity).where(entity.id.in_(wanted[table])).options(*named))
        found |= {(table, row.id): row for row in rows}
    return found


def _names_itself(entity: type[Recorded]) -> bool:
    return not _named_by(entity)


def _named_by(entity: type[Recorded]) -> list[str]:
    """Return the relations that an entity's records are named after."""
    known = fields(entity)
    return [name for name in entity.__admin__.title if known[name].kind is Kind.relation]
