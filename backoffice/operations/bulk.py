"""One action on many records: what may be done, counting which ones are meant, and confirming it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import INTERNAL
from backoffice.actors import Action, Actor
from backoffice.errors import DomainError, Forbidden, InvalidRecord, NotFound, Text
from backoffice.lifecycles import MACHINES, Transition, get_transition, may_perform
from backoffice.operations.cleaning import REQUIRED, clean_value, writable_fields
from backoffice.records.lookup import parse_key
from backoffice.records.pages import Query, conditions, in_sight
from models.base import ENTITIES, Recorded
from models.bulk_run import BulkAction, BulkRow, BulkRun
from models.catalogue import Field, Kind, fields
from models.reading import BadValue

#: More records than this nobody changes at once.
MOST = 100_000
_run: Any = cast("sa.Table", BulkRun.__table__)
_row: Any = cast("sa.Table", BulkRow.__table__)


class NothingChosen(DomainError):
    template = _l("No record is chosen: tick some, or take all that the list finds.")


class TooManyRecords(DomainError):
    template = _l("At most %(limit)s records at once: narrow the list with a filter.")


class AlreadyBegun(DomainError):
    template = _l("This has been confirmed already.")
    status = 409


@dataclass(frozen=True)
class BulkChoice:
    """Something that the actor may do to many records of a kind at once."""

    action: BulkAction
    transition: Transition | None = None

    @property
    def label(self) -> Text:
        return self.transition.label if self.transition is not None else self.action.label

    @property
    def icon(self) -> str:
        return self.transition.icon if self.transition is not None else self.action.icon

    @property
    def tone(self) -> str:
        return self.transition.tone if self.transition is not None else self.action.tone


def takes_many(entity: type[Recorded]) -> bool:
    """Say whether records of the entity change at all, so that there is something to do to many of them."""
    admin = entity.__admin__
    by_verbs = any(not transition.automatic for transition in _transitions(entity))
    return not admin.append_only and (by_verbs or not admin.written_by_verbs)


def choices_open(entity: type[Recorded], actor: Actor) -> list[BulkChoice]:
    """Return what the actor's roles allow them to do to many records of the entity."""
    admin = entity.__admin__
    by_hand = not (admin.append_only or admin.written_by_verbs)
    found = []
    if by_hand and actor.may(Action.update, entity) and editable_fields(entity, actor):
        found.append(BulkChoice(BulkAction.edit))
    found += [
        BulkChoice(BulkAction.verb, transition)
        for transition in _transitions(entity)
        if not transition.automatic and may_perform(transition, entity, actor)
    ]
    is_kept = admin.deletion is not None and not admin.deletion.states
    if by_hand and not is_kept and actor.may(Action.delete, entity):
        found.append(BulkChoice(BulkAction.delete))
    return found


def _transitions(entity: type[Recorded]) -> tuple[Transition, ...]:
    machine = MACHINES.get(entity)
    return machine.transitions if machine is not None else ()


def editable_fields(entity: type[Recorded], actor: Actor) -> dict[str, Field]:
    """Return the fields that many records may be given one value in: no lines, and nothing that names a record."""
    alone = {key[0] for key in entity.__admin__.natural_keys if len(key) == 1}
    writable = writable_fields(entity, actor)
    return {name: f for name, f in writable.items() if f.kind is not Kind.children and name not in alone}


def prepare_run(
    session: Session,
    query: Query,
    choice: BulkChoice,
    chosen: Mapping[int, int] | None,
    *,
    address: str,
    actor: Actor,
) -> int:
    """Count what is meant, and write down in which version each record is now; return the key of the run.

    ``chosen``: versions by key, as the page showed them; None for all that ``query`` finds. Nothing happens to any
    record before ``begin_run``.

    :raises Forbidden: the actor's roles do not allow it.
    :raises NothingChosen: no record is meant.
    :raises TooManyRecords: they are more than ``MOST``.
    """
    entity: Any = query.entity
    if choice not in choices_open(entity, actor):
        raise Forbidden
    where = conditions(in_sight(session, query)) if chosen is None else [entity.id.in_(chosen)]
    wanted = sa.select(entity.id, entity.version).where(*where).order_by(entity.id).limit(MOST + 1)
    stored: Sequence[Any] = session.execute(wanted).all()
    if not stored:
        raise NothingChosen
    if len(stored) > MOST:
        raise TooManyRecords(limit=MOST)
    values = {
        "group_id": actor.group_id,
        "actor_id": actor.staff_id,
        "entity": entity.__table__.name,
        "action": choice.action,
        "verb": choice.transition.name if choice.transition is not None else None,
        "values": {},
        "address": address,
        "row_count": len(stored),
        "at": clock.now(),
    }
    run_id = session.execute(sa.insert(_run).values(values).returning(_run.c.id), execution_options=INTERNAL)
    key: int = run_id.scalar_one()
    seen = chosen or {}
    rows = [{"run_id": key, "record_id": id_, "version": seen.get(id_, version)} for id_, version in stored]
    session.execute(sa.insert(_row), rows, execution_options=INTERNAL)
    return key


def get_run(session: Session, entity: type[Recorded], key: int, *, actor: Actor) -> BulkRun:
    """Return a run that the actor asked for in their present group; raise ``NotFound`` for any other."""
    if parse_key(str(key)) is None:
        raise NotFound
    mine = (_run.c.actor_id == actor.staff_id, _run.c.group_id == actor.group_id)
    wanted = sa.select(BulkRun).where(_run.c.id == key, _run.c.entity == entity.__table__.name, *mine)
    run: BulkRun | None = session.scalars(wanted, execution_options=INTERNAL).one_or_none()
    if run is None:
        raise NotFound
    return run


def choice_of(run: BulkRun) -> BulkChoice:
    """Return what a run does."""
    return BulkChoice(run.action, get_transition(ENTITIES[run.entity], run.verb) if run.verb else None)


def asked_fields(run: BulkRun) -> dict[str, Field]:
    """Return the fields that the verb of a run asks for."""
    transition = choice_of(run).transition
    if transition is None:
        return {}
    known = fields(transition.asks or ENTITIES[run.entity])
    return {name: known[name] for name in transition.inputs}


def begin_run(session: Session, run: BulkRun, values: Mapping[str, Any], *, actor: Actor) -> None:
    """Take a run as confirmed, with what was typed; it is done by ``carry_out``.

    :raises AlreadyBegun: it was, by a double click perhaps.
    :raises InvalidRecord: a value could be stored in no record at all.
    """
    if run.started_at is not None:
        raise AlreadyBegun
    _require_readable(session, run, values, actor)
    first = sa.update(_run).where(_run.c.id == run.id, _run.c.started_at.is_(None))
    begun = first.values(values=dict(values), started_at=clock.now()).returning(_run.c.id)
    if session.execute(begun, execution_options=INTERNAL).one_or_none() is None:
        raise AlreadyBegun
    session.refresh(run)


def _require_readable(session: Session, run: BulkRun, values: Mapping[str, Any], actor: Actor) -> None:
    """Refuse at once what would be refused for each record."""
    choice = choice_of(run)
    optional = choice.transition.optional if choice.transition is not None else ()
    known = editable_fields(ENTITIES[run.entity], actor) if run.action is BulkAction.edit else asked_fields(run)
    problems: dict[str, Text] = {}
    for name, raw in values.items():
        try:
            value = clean_value(session, known[name], raw)
        except BadValue as error:
            problems[name] = str(error)
            continue
        needed = known[name].required if run.action is BulkAction.edit else name not in optional
        if value is None and needed:
            problems[name] = REQUIRED
    if run.action is BulkAction.edit and not values:
        problems[""] = _l("Choose at least one field to change.")
    if problems:
        raise InvalidRecord(problems)


__all__ = [
    "MOST",
    "AlreadyBegun",
    "BulkChoice",
    "NothingChosen",
    "TooManyRecords",
    "asked_fields",
    "begin_run",
    "choice_of",
    "choices_open",
    "editable_fields",
    "get_run",
    "prepare_run",
    "takes_many",
]
