"""Two records that are the same become one: all that refers to either refers to the one that stays (issue 3)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import acting, context_of, hold, prove_scope
from backoffice.actors import Action, Actor, ScopeKind
from backoffice.errors import Conflict, DomainError, Forbidden, InvalidRecord, NotFound
from backoffice.history import recording
from backoffice.operations.cleaning import READ_ONLY, is_fixed, writable_fields
from backoffice.operations.merge_plan import Fold, Plan, make_plan
from backoffice.operations.merge_steps import Step, move, references_to, set_mark
from backoffice.operations.plain import delete_record, expect_version, flush
from backoffice.records.show import in_sentence
from models.base import ENTITIES, Recorded, SoftDeleted
from models.catalogue import Field, Kind, fields
from models.record_merge import RecordMerge


class NotMergeable(DomainError):
    """These two are never merged, whatever they have in common."""

    template = _l("A record is not merged with itself.")
    status = 409


class OtherOwner(DomainError):
    """The two belong to different records, whose rows must not mix."""

    template = _l("They do not have the same %(relation)s: merge those first, where they are the same.")
    status = 409


class BothHave(DomainError):
    """Each of the two has a row of which there may be one, and nothing says which is the right one."""

    template = _l("Both have %(records)s of which there may be only one: end or remove one of each first.")
    status = 409


class OutOfReach(DomainError):
    """What is there on both sides would have to go, which the actor may not see or delete."""

    template = _l(
        "%(records)s are there on both sides, and your role does not let you remove those that are one too many."
    )
    status = 409


def may_merge(entity: type[Recorded], actor: Actor) -> bool:
    """Say whether the actor may merge records of the entity: whoever may change and delete any of the whole group."""
    if entity.__admin__.duplicates is None or not issubclass(entity, SoftDeleted):
        return False
    needed = (Action.update, Action.delete)
    return actor.is_system or all(ScopeKind.group in actor.scopes(action, entity) for action in needed)


def choosable(keep: Recorded, drop: Recorded, actor: Actor) -> dict[str, Field]:
    """Return the fields in which the two differ and of which the actor may choose either value.

    What only verbs write, what they see as a mask and what may not change any more stays as it is on the one kept.
    """
    entity = type(keep)
    rule = entity.__admin__.duplicates
    within = rule.within if rule is not None else ""
    return {
        name: field
        for name, field in writable_fields(entity, actor).items()
        if field.kind not in (Kind.children, Kind.relations)
        and name != within
        and _stored(keep, field) != _stored(drop, field)
        and not is_fixed(keep, name)
        and not (field.kind is Kind.relation and _leads_out_of_sight(keep, drop, field))
    }


def _stored(record: Recorded, field: Field) -> Any:
    return getattr(record, field.column or field.name)


def _leads_out_of_sight(keep: Recorded, drop: Recorded, field: Field) -> bool:
    """Say whether either leads to a row that this actor may not see: then it is not theirs to choose."""
    return any(_stored(row, field) is not None and getattr(row, field.name) is None for row in (keep, drop))


def require_pair(keep: Recorded, drop: Recorded) -> None:
    """Raise unless the two may become one.

    :raises NotMergeable: they are the same record.
    :raises NotFound: they are not of one corporate group.
    :raises OtherOwner: they are not within the same record, where their declaration asks for that.
    """
    if keep.id == drop.id:
        raise NotMergeable
    if getattr(keep, "group_id", None) != getattr(drop, "group_id", None):
        raise NotFound
    rule = type(keep).__admin__.duplicates
    if rule is not None and rule.within:
        field = fields(type(keep))[rule.within]
        if _stored(keep, field) != _stored(drop, field):
            raise OtherOwner(relation=in_sentence(field.label))


def merge_records(
    session: Session,
    keep: Recorded,
    drop: Recorded,
    choices: Collection[str],
    *,
    versions: tuple[int | None, int | None] = (None, None),
    actor: Actor,
) -> RecordMerge:
    """Make one record of two. Flushes; records ``merged`` on ``keep``, ``deleted`` on ``drop``, ``moved`` elsewhere.

    ``choices``: the fields whose value is that of ``drop``; all others stay as they are on ``keep``.

    :raises Forbidden: the actor may not merge such records.
    :raises Conflict: either was changed since ``versions``, those of keep and drop; nothing is written.
    :raises InvalidRecord: a choice is not the actor's to make, or the values chosen do not go together.
    :raises BothHave: the two have what only one may have.
    """
    entity = type(keep)
    if not may_merge(entity, actor):
        raise Forbidden
    require_pair(keep, drop)
    for record in sorted((keep, drop), key=lambda record: record.id):
        hold(session, record)
    expect_version(keep, versions[0])
    expect_version(drop, versions[1])
    prove_scope(session, Action.update, [keep])
    prove_scope(session, Action.delete, [drop])
    chosen = _chosen(keep, drop, choices, actor)
    other = f"{drop} (#{drop.id})"
    steps = _move_all(session, keep, drop, make_plan(session, entity.__table__, drop.id, keep.id))
    delete_record(session, drop, version=None, actor=actor)
    _take_over(session, keep, chosen, other)
    return _kept(session, keep, drop, steps)


def _chosen(keep: Recorded, drop: Recorded, choices: Collection[str], actor: Actor) -> dict[str, Any]:
    """Return the chosen values by column."""
    may = choosable(keep, drop, actor)
    differ = [name for name, f in fields(type(keep)).items() if f.column and _stored(keep, f) != _stored(drop, f)]
    refused = [name for name in choices if name not in may and (name in differ or name not in fields(type(keep)))]
    if refused:
        raise InvalidRecord(dict.fromkeys(refused, READ_ONLY))
    return {may[name].column or name: _stored(drop, may[name]) for name in choices if name in may}


def _move_all(session: Session, keep: Recorded, drop: Recorded, plan: Plan) -> list[Step]:
    if plan.blocked:
        raise BothHave(records=names_of(plan.blocked))
    steps: list[Step] = []
    try:
        for fold in plan.folds:
            steps += _move(session, fold.table, fold.goes, fold.stays)
            steps.append(_remove(session, fold))
        for mark in plan.marks:
            steps.append(set_mark(session, mark.table, mark.column, mark.keys, False))
        steps += _move(session, keep.__table__, drop.id, keep.id)
    except sa.exc.IntegrityError as error:
        # Somebody else added, since the plan was made, what stands in the way of what moves.
        raise Conflict from error
    session.expire_all()
    return steps


def _move(session: Session, table: sa.Table, old: int, new: int) -> list[Step]:
    return [step for reference in references_to(table) if (step := move(session, reference, old, new))]


def _remove(session: Session, fold: Fold) -> Step:
    """Delete a row that is there on both sides, as any deletion does: what refers to it has moved already."""
    entity = ENTITIES[fold.table.name]
    session.expire_all()
    row: Any = session.scalars(sa.select(entity).where(entity.id == fold.goes)).one_or_none()
    if row is None:
        raise OutOfReach(records=names_of([fold.table]))
    is_hidden = isinstance(row, SoftDeleted)
    if is_hidden:
        row.deleted_at = clock.now()
    else:
        session.delete(row)
    with acting(session, Action.delete), recording(session, row, "deleted"):
        try:
            flush(session, row)
        except Forbidden as error:
            raise OutOfReach(records=names_of([fold.table])) from error
    return {"do": "remove", "table": fold.table.name, "rows": [[fold.goes, row.version if is_hidden else None]]}


def names_of(tables: Collection[sa.Table]) -> str:
    """Return what people call the rows of some tables."""
    found = dict.fromkeys(table.name for table in tables)
    return ", ".join(str(ENTITIES[name].__admin__.plural) if name in ENTITIES else name for name in found)


def _take_over(session: Session, keep: Recorded, chosen: dict[str, Any], other: str) -> None:
    session.refresh(keep)  # the history knows old values only of what is loaded
    for column, value in chosen.items():
        setattr(keep, column, value)
    keep.updated_at = clock.now()  # even where no value is another: whoever edits it must notice
    with acting(session, Action.update), recording(session, keep, "merged", other=other):
        flush(session, keep)


def _kept(session: Session, keep: Recorded, drop: Recorded, steps: list[Step]) -> RecordMerge:
    """Keep what was done, so that it can be undone."""
    actor = context_of(session).actor
    merge = RecordMerge(
        group_id=keep.group_id,  # type: ignore[attr-defined]  # what is merged belongs to a group
        entity=keep.__table__.name,
        kept_id=keep.id,
        dropped_id=drop.id,
        kept_version=keep.version,
        dropped_version=drop.version,
        steps=steps,
        at=clock.now(),
        actor_id=actor.staff_id,
        actor_name=actor.name,
    )
    session.add(merge)
    session.flush()
    return merge
