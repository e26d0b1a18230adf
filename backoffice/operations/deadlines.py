"""Deadlines of clients: what follows from training, what the calendar brings, what people do (ED-06, J-08, J-23)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session, aliased

from backoffice import clock
from backoffice.access import acting
from backoffice.actors import SYSTEM, Action, Actor
from backoffice.errors import Forbidden
from backoffice.lifecycles import Machine, Transition, register
from backoffice.operations.plain import after_write, before_save
from backoffice.operations.verbs import perform
from backoffice.setting_keys import DEADLINE_LEAD_DAYS
from backoffice.settings import setting_value
from backoffice.working_time import add_months
from models.corporate_group import CorporateGroup
from models.course import Course
from models.deadline import TO_DO, Deadline, DeadlineKind
from models.deadline import DeadlineState as S
from models.training_record import TrainingOutcome, TrainingRecord
from models.worker import Worker

DEADLINES = register(
    Machine(
        Deadline,
        "state",
        (
            Transition(
                name="fulfil",
                label=_l("Record that it is done"),
                sources=TO_DO,
                target=S.fulfilled,
                icon="check-circle",
                tone="primary",
                inputs=("fulfilled_on",),
                right=Action.update,
            ),
            Transition(
                name="cancel",
                label=_l("Cancel the deadline"),
                sources=TO_DO,
                target=S.cancelled,
                icon="x-circle",
                inputs=("cancelled_because",),
                right=Action.update,
                confirm=_l("Nothing has to be done any more: say why."),
            ),
            Transition(name="come_near", label=_l("Come near"), sources=(S.open,), target=S.due_soon, automatic=True),
            Transition(
                name="pass_by", label=_l("Pass by"), sources=(S.open, S.due_soon), target=S.overdue, automatic=True
            ),
        ),
    )
)


def standing_of(session: Session, due_on: date, group_id: int | None) -> S:
    """Return where a deadline stands that nobody has done anything about."""
    left = (due_on - clock.today()).days
    if left < 0:
        return S.overdue
    lead = setting_value(session, DEADLINE_LEAD_DAYS, group_id) if group_id else DEADLINE_LEAD_DAYS.default
    return S.due_soon if left <= lead else S.open


@before_save(Deadline)
def _place(session: Session, deadline: Deadline, *, actor: Actor) -> None:
    """Say where a new or moved deadline stands by its day; of a new day people are reminded anew."""
    if sa.inspect(deadline).attrs.due_on.history.deleted:
        deadline.reminded_days = None
    if deadline.state in (None, *TO_DO):
        deadline.state = standing_of(session, deadline.due_on, deadline.company.group_id)


@after_write(TrainingRecord)
def _plan(session: Session, records: Sequence[TrainingRecord], *, actor: Actor) -> None:
    """Make, move and fulfil the deadlines that follow from training records just written."""
    _plan_updates(session, sorted({(record.worker_id, record.course_id) for record in records}))


@after_write(Course)
def _replan(session: Session, courses: Sequence[Course], *, actor: Actor) -> None:
    """Move what follows from a course whose period has changed."""
    ids = [course.id for course in courses]
    pairs = sa.select(Deadline.worker_id, Deadline.course_id).where(
        Deadline.course_id.in_(ids), Deadline.state.in_(TO_DO), Deadline.training_record_id.is_not(None)
    )
    _plan_updates(session, session.execute(pairs.distinct()).all())


def _plan_updates(session: Session, pairs: Iterable[Any]) -> None:
    # What follows from a record is part of saving it: also where a deadline is taken back with what it rested on.
    with acting(session, Action.update):
        for worker_id, course_id in pairs:
            plan_update(session, worker_id, course_id)
        session.flush()


def plan_update(session: Session, worker_id: int, course_id: int) -> None:
    """Have one deadline say when a person must attend a course again: so long after they last passed it.

    A later completion fulfils the deadline of an earlier one. Does not flush what it adds.
    """
    last = _last_passed(session, worker_id, course_id)
    due_on = _due_on(last) if last is not None else None
    mine = Deadline.worker_id == worker_id, Deadline.course_id == course_id
    is_update = Deadline.kind == DeadlineKind.training_update
    found = session.scalars(sa.select(Deadline).where(*mine, is_update)).all()
    for deadline in (deadline for deadline in found if deadline.state in TO_DO):
        _bring_up_to_date(session, deadline, last, due_on)
    if last is not None and due_on is not None and last not in [deadline.training_record for deadline in found]:
        session.add(_new_deadline(session, last, due_on))


def _last_passed(session: Session, worker_id: int, course_id: int) -> TrainingRecord | None:
    passed = (
        sa.select(TrainingRecord)
        .join(TrainingRecord.worker)
        .where(
            TrainingRecord.worker_id == worker_id,
            TrainingRecord.course_id == course_id,
            TrainingRecord.outcome == TrainingOutcome.passed,
            Worker.is_employed,
        )
    )
    latest = passed.order_by(TrainingRecord.completed_on.desc(), TrainingRecord.id.desc()).limit(1)
    return session.scalars(latest).first()


def _due_on(record: TrainingRecord) -> date | None:
    months = record.course.update_period_months
    return add_months(record.completed_on, months) if months else None


def _bring_up_to_date(session: Session, deadline: Deadline, last: TrainingRecord | None, due_on: date | None) -> None:
    """Move an open deadline, have it fulfilled by a later completion, or take it back with what it rested on."""
    origin = deadline.training_record
    if origin is not None and origin is last and due_on is not None:
        if deadline.due_on != due_on:
            deadline.due_on, deadline.reminded_days = due_on, None
            deadline.state = standing_of(session, due_on, deadline.group_id)
        return
    counts = origin is None or origin.outcome is TrainingOutcome.passed
    if last is not None and counts and (origin is None or origin.completed_on < last.completed_on):
        perform(session, deadline, "fulfil", {"fulfilled_on": last.completed_on}, actor=SYSTEM)
    elif origin is not None:
        session.delete(deadline)


def _new_deadline(session: Session, record: TrainingRecord, due_on: date) -> Deadline:
    worker: Worker = record.worker
    return Deadline(
        company=worker.company,
        kind=DeadlineKind.training_update,
        title=record.course.title[:160],
        due_on=due_on,
        state=standing_of(session, due_on, worker.group_id),
        worker=worker,
        course=record.course,
        site=worker.site,
        training_record=record,
        is_demo=record.is_demo,
    )


def plan_missing_updates(session: Session, *, actor: Actor, limit: int = 200) -> int:
    """Make the deadlines that no save has made: of records that were restored, or whose successor is gone (J-23).

    Return how many were made, at most ``limit`` a call.

    :raises Forbidden: ``actor`` is not the product itself.
    """
    _require_system(actor)
    later: Any = aliased(TrainingRecord)
    is_last = ~sa.exists().where(
        later.worker_id == TrainingRecord.worker_id,
        later.course_id == TrainingRecord.course_id,
        later.outcome == TrainingOutcome.passed,
        sa.or_(
            later.completed_on > TrainingRecord.completed_on,
            sa.and_(later.completed_on == TrainingRecord.completed_on, later.id > TrainingRecord.id),
        ),
    )
    statement = (
        sa.select(TrainingRecord)
        .join(TrainingRecord.course)
        .join(TrainingRecord.worker)
        .where(
            Course.update_period_months.is_not(None),
            TrainingRecord.outcome == TrainingOutcome.passed,
            Worker.is_employed,
            is_last,
            ~sa.exists().where(Deadline.training_record_id == TrainingRecord.id),
        )
    )
    records = session.scalars(statement.order_by(TrainingRecord.id).limit(limit)).all()
    _plan_updates(session, [(record.worker_id, record.course_id) for record in records])
    return len(records)


def advance_deadlines(session: Session, today: date, *, actor: Actor, limit: int = 500) -> int:
    """Let deadlines come near and pass by; return how many, at most ``limit`` a call (J-08).

    :raises Forbidden: ``actor`` is not the product itself.
    """
    _require_system(actor)
    late = sa.and_(Deadline.state.in_((S.open, S.due_soon)), Deadline.due_on < today)
    rows = [(row, "pass_by") for row in _due(session, late, limit)]
    for group_id in session.scalars(sa.select(CorporateGroup.id)).all():
        last = today + timedelta(days=setting_value(session, DEADLINE_LEAD_DAYS, group_id))
        near = sa.and_(Deadline.group_id == group_id, Deadline.state == S.open, Deadline.due_on.between(today, last))
        rows += [(row, "come_near") for row in _due(session, near, limit - len(rows))]
    for deadline, verb in rows:
        perform(session, deadline, verb, actor=actor)
    return len(rows)


def _due(session: Session, which: Any, limit: int) -> Sequence[Deadline]:
    statement = sa.select(Deadline).where(which).order_by(Deadline.id).limit(limit)
    return session.scalars(statement).all() if limit > 0 else ()


def _require_system(actor: Actor) -> None:
    if not actor.is_system:
        raise Forbidden
