"""What the pages show on which records are found to be there twice, compared, merged and taken apart again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import ngettext

from backoffice.actors import Action, Actor
from backoffice.database import RecordSession
from backoffice.errors import DomainError, InvalidRecord
from backoffice.operations import merge_undo, merging
from backoffice.operations.merge_plan import Fold, Mark, Plan, count_moved, make_plan
from backoffice.operations.merge_steps import chunks
from backoffice.records import show
from backoffice.records.duplicates import Pair, find_duplicates
from backoffice.records.lookup import find_options, hint
from models.base import ENTITIES, Recorded
from models.catalogue import Field, Kind, fields
from models.values import show_number
from views import addresses

#: So many pairs on a page: the surest ones.
PAIRS = 100
#: So many of the rows that are there on both sides are named.
NAMED = 20


def root(entity: type[Recorded]) -> str:
    """Return the address that all pages of an entity begin with."""
    return addresses.list_url(entity).rstrip("/")


def merge_url(keep: Any, drop: Any) -> str:
    """Return the address of the page that compares two records before they become one."""
    return f"{root(type(keep))}/merge?keep={keep.id}&drop={drop.id}"


def undo_url(entity: type[Recorded], merge_id: int) -> str:
    return f"{root(entity)}/merges/{merge_id}/undo"


def list_page(session: RecordSession, entity: type[Recorded], actor: Actor) -> dict[str, Any]:
    """Return what ``duplicates.html`` shows."""
    pairs = find_duplicates(session, entity, actor)
    shown = pairs[:PAIRS]
    rows = _rows(session, entity, {key for pair in shown for key in (pair.first, pair.second)})
    admin = entity.__admin__
    count = len(pairs)
    return {
        "title": _("Duplicates: %(entities)s", entities=show.in_sentence(admin.plural)),
        "count_text": ngettext("%(count)s probable pair", "%(count)s probable pairs", count, count=show_number(count))
        + (" · " + _("the first %(count)s are shown", count=PAIRS) if count > PAIRS else ""),
        "icon": admin.icon,
        "pairs": [_pair(rows[pair.first], rows[pair.second], pair, actor) for pair in shown],
        "merges": _merges(session, entity, actor),
        "list_url": addresses.list_url(entity),
        "empty": {
            "icon": "check2-circle",
            "title": _("No duplicates found"),
            "text": _("No two records have the same number or address, or names that are alike."),
        },
    }


def _rows(session: RecordSession, entity: type[Recorded], keys: Collection[int]) -> dict[int, Any]:
    found: dict[int, Any] = {}
    for some in chunks(sorted(keys)):
        found |= {row.id: row for row in session.scalars(sa.select(entity).where(entity.id.in_(some)))}
    return found


def _pair(first: Any, second: Any, pair: Pair, actor: Actor) -> dict[str, Any]:
    return {
        "rows": [row_of(first, actor), row_of(second, actor)],
        "reasons": pair.reasons,
        "sure": bool(pair.same) or pair.likeness == 100,
        "url": merge_url(first, second),
        "label": _(
            "Compare “%(first)s” and “%(second)s”", first=show.label(first, actor), second=show.label(second, actor)
        ),
    }


def row_of(record: Any, actor: Actor) -> dict[str, Any]:
    """Return how a record is shown where it stands beside others of its name."""
    return {
        "label": show.label(record, actor),
        "hint": " · ".join(filter(None, (hint(record, actor), f"#{record.id}"))),
        "url": addresses.record_url(record),
    }


def _merges(session: RecordSession, entity: type[Recorded], actor: Actor) -> list[dict[str, Any]]:
    """Return the latest merges that stand."""
    found = []
    for merge in merge_undo.find_merges(session, entity, actor=actor, limit=10):
        kept, dropped = merge_undo.both_of(session, merge)
        if kept is not None and dropped is not None and kept.deleted_at is None:
            found.append(
                {
                    "kept": show.label(kept, actor),
                    "dropped": show.label(dropped, actor),
                    "url": addresses.record_url(kept),
                    "told": f"{merge.actor_name or '–'} · {show.when(merge.at)}",
                    "undo_url": undo_url(entity, merge.id),
                }
            )
    return found


def choose_page(session: RecordSession, record: Any, term: str, actor: Actor) -> dict[str, Any]:
    """Return what ``merge_with.html`` shows: what is probably the same, or what a search finds."""
    entity = type(record)
    if term:
        found: Sequence[Any] = find_options(session, entity, term, actor)
    else:
        pairs = [pair for pair in find_duplicates(session, entity, actor) if record.id in (pair.first, pair.second)]
        keys = [pair.first + pair.second - record.id for pair in pairs]
        rows = _rows(session, entity, keys)
        found = [rows[key] for key in keys]
    return {
        "title": _("Merge “%(name)s” with another record", name=show.label(record, actor)),
        "action": addresses.action_url(record, "merge"),
        "term": term,
        "found": [
            {**row_of(other, actor), "merge_url": merge_url(record, other)}
            for other in found
            if other.id != record.id and _may_become_one(record, other)
        ],
        "cancel_url": addresses.record_url(record),
    }


def _may_become_one(record: Any, other: Any) -> bool:
    try:
        merging.require_pair(record, other)
    except DomainError:
        return False
    return True


def compare_page(
    session: RecordSession,
    keep: Any,
    drop: Any,
    actor: Actor,
    *,
    taken: Collection[str] | None = None,
    problem: DomainError | None = None,
) -> dict[str, Any]:
    """Return what ``merge.html`` shows: both records, what differs, and what would happen.

    ``taken``: the fields for which the value of ``drop`` was chosen; None where nobody has chosen yet.
    """
    entity = type(keep)
    may = merging.choosable(keep, drop, actor)
    proposed = {name for name, field in may.items() if _is_empty(keep, field) and not _is_empty(drop, field)}
    chosen = proposed if taken is None else taken
    plan = make_plan(session, entity.__table__, drop.id, keep.id)
    moved = count_moved(session, entity, drop.id, plan)
    told = problem.problems.values() if isinstance(problem, InvalidRecord) else [problem] if problem else []
    if plan.blocked and problem is None:
        told = [merging.BothHave(records=merging.names_of(plan.blocked))]
    return {
        "heading": _("Merge two records: %(entities)s", entities=show.in_sentence(entity.__admin__.plural)),
        "keep": row_of(keep, actor),
        "drop": row_of(drop, actor),
        "swap_url": merge_url(drop, keep),
        "rows": [_compared(keep, drop, field, actor, field.name in chosen) for field in may.values()],
        "fixed": _fixed(keep, drop, may, actor),
        "moved": [_counted(other, count) for other, count in moved.items()],
        "both": _both(session, plan, actor),
        "marks": [_lost(session, mark, actor) for mark in plan.marks[:NAMED]],
        "problems": [str(text) for text in told],
        "blocked": bool(plan.blocked),
        "action": merge_url(keep, drop),
        "versions": {"keep_version": keep.version, "drop_version": drop.version},
        "cancel_url": f"{root(entity)}/duplicates",
    }


def _is_empty(record: Any, field: Field) -> bool:
    return getattr(record, field.column or field.name) in (None, "")


def _compared(keep: Any, drop: Any, field: Field, actor: Actor, is_taken: bool) -> dict[str, Any]:
    return {
        "name": field.name,
        "label": field.label,
        "keep": show.cell(keep, field, actor),
        "drop": show.cell(drop, field, actor),
        "taken": is_taken,
    }


def _fixed(keep: Any, drop: Any, may: Mapping[str, Field], actor: Actor) -> list[dict[str, Any]]:
    """Return what differs and is nobody's choice: what only verbs write, for example."""
    entity = type(keep)
    shown = [f for f in fields(entity).values() if f.name in entity.__admin__.form_columns or f.name == "state"]
    masked = actor.masked(entity)
    return [
        _compared(keep, drop, field, actor, False)
        for field in shown
        if field.name not in may
        and field.name not in masked
        and field.kind not in (Kind.children, Kind.relations)
        and getattr(keep, field.column or field.name) != getattr(drop, field.column or field.name)
    ]


def _counted(entity: type[Recorded], count: int) -> str:
    admin = entity.__admin__
    return f"{show_number(count)} {show.in_sentence(admin.plural if count > 1 else admin.label)}"


def _both(session: RecordSession, plan: Plan, actor: Actor) -> list[str]:
    told = [_folded(session, fold, actor) for fold in reversed(plan.folds[-NAMED:])]
    more = len(plan.folds) - len(told)
    return [*told, ngettext("and %(count)s more", "and %(count)s more", more, count=more)] if more else told


def _folded(session: RecordSession, fold: Fold, actor: Actor) -> str:
    stays, goes = (_named(session, fold.table, key, actor) for key in (fold.stays, fold.goes))
    label = ENTITIES[fold.table.name].__admin__.label
    return _("%(entity)s: %(stays)s stays, %(goes)s becomes part of it", entity=label, stays=stays, goes=goes)


def _named(session: RecordSession, table: sa.Table, key: int, actor: Actor) -> str:
    """Return the name of a row with its state, where the actor may see it; else its number."""
    entity = ENTITIES[table.name]
    record = session.get(entity, key) if actor.may(Action.read, entity) else None
    if record is None:
        return f"#{key}"
    state = fields(entity).get("state")
    told = f", {show.in_sentence(show.cell(record, state, actor).text)}" if state is not None else ""
    return f"“{show.label(record, actor)}” (#{key}{told})"


def _lost(session: RecordSession, mark: Mark, actor: Actor) -> str:
    field = fields(ENTITIES[mark.table.name])[mark.column]
    return _(
        "%(record)s is no longer “%(mark)s”", record=_named(session, mark.table, mark.keys[0], actor), mark=field.label
    )


def undo_page(session: RecordSession, entity: type[Recorded], merge: Any, actor: Actor) -> dict[str, Any]:
    """Return what ``confirm.html`` shows before a merge is undone, or instead when it cannot be."""
    kept, dropped = merge_undo.both_of(session, merge)
    obstacle = merge_undo.find_obstacle(session, merge)
    names = {
        "kept": show.label(kept, actor) if kept is not None else merge.kept_id,
        "dropped": show.label(dropped, actor) if dropped is not None else merge.dropped_id,
    }
    back = kept is not None and kept.deleted_at is None
    return {
        "heading": _("Undo the merge of “%(dropped)s” into “%(kept)s”?", **names),
        "text": _(
            "“%(dropped)s” is there again, with all that referred to it before the merge. “%(kept)s” has the values it "
            "had. What was added since stays with “%(kept)s”.",
            **names,
        ),
        "problem": str(obstacle) if obstacle is not None else None,
        "fields": [],
        "action": undo_url(entity, merge.id),
        "version": None,
        "submit_label": _("Undo the merge"),
        "tone": "neutral",
        "cancel_url": addresses.record_url(kept) if back else f"{root(entity)}/duplicates",
        "blocked": obstacle is not None,
        "referrers": [],
    }
