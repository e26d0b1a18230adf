"""Training records rest on a contract or an agreement, and deadlines follow from them (ED-03 to ED-10)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from backoffice import clock
from backoffice.actors import SYSTEM
from backoffice.database import RecordSession
from backoffice.errors import InvalidRecord
from backoffice.operations.deadlines import advance_deadlines, plan_missing_updates
from backoffice.operations.plain import create_record, delete_record, update_record
from backoffice.operations.verbs import perform
from backoffice.working_time import add_months
from models.contract import Contract, ContractState
from models.course import Course
from models.course_credit import CourseCredit, CreditType
from models.deadline import Deadline, DeadlineKind
from models.deadline import DeadlineState as S
from models.import_batch import ImportBatch, ImportMode
from models.training_record import TrainingOutcome, TrainingRecord
from models.worker import Worker
from tests.imports.conftest import actor, records, upload  # noqa: F401  # fixtures
from tests.imports.register import csv_bytes
from tests.imports.test_imports import counts, sentences
from tests.operations.world import World, day


def taught(world: World, **changes: Any) -> TrainingRecord:
    """Enter our own training of one person."""
    values = {"worker": None, "course": None, "completed_on": day(-20), "delivery_mode": "residential", **changes}
    values["worker"] = values["worker"] or world.worker()
    values["course"] = values["course"] or world.course()
    return create_record(world.session, TrainingRecord, values, actor=SYSTEM)  # type: ignore[return-value]


def refused(world: World, **changes: Any) -> set[str]:
    with pytest.raises(InvalidRecord) as refusal, world.session.begin_nested():
        taught(world, **changes)
    return set(refusal.value.problems)


def due(session: RecordSession, worker: Worker) -> list[tuple[date, S]]:
    found = session.scalars(sa.select(Deadline).where(Deadline.worker == worker).order_by(Deadline.due_on))
    return [(deadline.due_on, deadline.state) for deadline in found]


def test_our_training_needs_a_contract_that_covers_it(session: RecordSession) -> None:
    world = World(session)
    assert refused(world) == {"source"}
    contract = world.teaching()
    assert taught(world).contract is contract
    assert refused(world, completed_on=day(-301)) == {"source"}
    assert refused(world, contract=world.contract(ContractState.active)) == {"contract"}
    assert refused(world, delivery_mode="") == {"delivery_mode"}
    assert refused(world, completed_on=day(1)) == {"completed_on"}
    world.add(contract).state = ContractState.cancelled
    session.flush()
    assert refused(world) == {"source"}


def test_what_others_held_needs_an_agreement_and_its_provider(session: RecordSession) -> None:
    world = World(session)
    contract = world.teaching()
    for source in ("prior", "other_provider"):
        values = {"source": source, "completed_on": day(-2000), "delivery_mode": "", "provider_name": "Ente Esempio"}
        contract.data_entry_on = None
        session.flush()
        assert refused(world, **values) == {"source"}
        contract.data_entry_on = day(0)
        session.flush()
        assert refused(world, **{**values, "provider_name": ""}) == {"provider_name"}
        record = taught(world, **values)
        assert (record.contract, record.delivery_mode) == (contract, None)


def test_elearning_follows_an_agreement_of_the_state_and_the_regions(session: RecordSession) -> None:
    world = World(session)
    world.teaching()
    course = world.course()
    assert refused(world, course=course, delivery_mode="elearning") == {"delivery_mode"}
    course.agreement_reference = "Accordo 7/7/2016"
    taught(world, course=course, delivery_mode="elearning")


def test_credits_are_earned_by_passing(session: RecordSession) -> None:
    world = World(session)
    world.teaching()
    course = world.course()
    for kind, order in ((CreditType.csp_cse, None), (CreditType.order, "Ordine degli Ingegneri")):
        world.add(CourseCredit(course=course, credit_type=kind, professional_order=order, amount=Decimal(4)))
    session.refresh(course)
    assert taught(world, course=course).credits == "CSP-CSE 4, Ordine degli Ingegneri 4"
    assert taught(world, course=course, outcome="failed").credits is None
    assert taught(world, course=course, credits="CSP-CSE 2").credits == "CSP-CSE 2"


def test_a_deadline_follows_from_passing(session: RecordSession) -> None:
    world = World(session)
    world.teaching(starts_on=date(2019, 1, 1), ends_on=None, signed_on=date(2018, 12, 1))
    course, worker = world.course(update_period_months=60), world.worker()
    record = taught(world, course=course, worker=worker, completed_on=date(2020, 5, 1))
    assert due(session, worker) == [(date(2025, 5, 1), S.overdue)]
    update_record(session, record, {"completed_on": day(-10)}, version=None, actor=SYSTEM)
    assert due(session, worker) == [(add_months(day(-10), 60), S.open)]
    course_changed = {"update_period_months": "1"}
    update_record(session, course, course_changed, version=None, actor=SYSTEM)
    assert due(session, worker) == [(add_months(day(-10), 1), S.due_soon)]
    deadline = session.scalars(sa.select(Deadline).where(Deadline.worker == worker)).one()
    assert (deadline.kind, deadline.course, deadline.training_record) == (DeadlineKind.training_update, course, record)
    update_record(session, record, {"outcome": TrainingOutcome.failed}, version=None, actor=SYSTEM)
    assert due(session, worker) == []


def test_who_attends_again_has_done_it(session: RecordSession) -> None:
    world = World(session)
    world.teaching()
    course, worker = world.course(update_period_months=12), world.worker()
    taught(world, course=course, worker=worker, completed_on=day(-200))
    later = taught(world, course=course, worker=worker, completed_on=day(-5), kind="update")
    # What is entered afterwards and lies before changes nothing.
    taught(world, course=course, worker=worker, completed_on=day(-280))
    states = [(add_months(day(-200), 12), S.fulfilled), (add_months(day(-5), 12), S.open)]
    assert due(session, worker) == states
    delete_record(session, later, version=None, actor=SYSTEM)
    session.expire_all()
    assert due(session, worker) == states[:1]
    assert plan_missing_updates(session, actor=SYSTEM) == 0, "the earlier one has had its deadline"


def test_the_night_makes_what_is_missing_and_lets_time_pass(session: RecordSession) -> None:
    world = World(session)
    while plan_missing_updates(session, actor=SYSTEM) or advance_deadlines(session, clock.today(), actor=SYSTEM):
        pass
    course, worker = world.course(update_period_months=12), world.worker()
    gone = world.worker(is_employed=False)
    for person in (worker, gone):
        for days in (-100, -40):
            values = {"course": course, "completed_on": day(days), "delivery_mode": "residential"}
            world.add(TrainingRecord(worker=person, **values))
    assert plan_missing_updates(session, actor=SYSTEM) == 1
    assert plan_missing_updates(session, actor=SYSTEM) == 0
    ends = add_months(day(-40), 12)
    assert (due(session, worker), due(session, gone)) == ([(ends, S.open)], [])
    for offset, state in ((-61, S.open), (-60, S.due_soon), (0, S.due_soon), (1, S.overdue)):
        advance_deadlines(session, ends + timedelta(days=offset), actor=SYSTEM)
        assert due(session, worker) == [(ends, state)], offset


def test_cancelled_deadlines_stay_cancelled(session: RecordSession) -> None:
    world = World(session)
    world.teaching()
    course, worker = world.course(update_period_months=12), world.worker()
    record = taught(world, course=course, worker=worker)
    deadline = session.scalars(sa.select(Deadline).where(Deadline.worker == worker)).one()
    perform(session, deadline, "cancel", {"cancelled_because": "Mansione cambiata"}, actor=SYSTEM)
    update_record(session, record, {"completed_on": day(-19)}, version=None, actor=SYSTEM)
    assert plan_missing_updates(session, actor=SYSTEM) == 0
    assert [state for _day, state in due(session, worker)] == [S.cancelled]


def test_one_completion_a_day(session: RecordSession) -> None:
    world = World(session)
    world.teaching()
    same = {"course": world.course(), "worker": world.worker()}
    taught(world, **same)
    assert refused(world, **same) == {"completed_on"}


def test_a_bulk_load_is_blocked_without_agreement_and_makes_deadlines_with_it(
    session: RecordSession, upload: Callable[..., ImportBatch], records: RecordSession  # noqa: F811
) -> None:  # fmt: skip
    worker = session.scalars(sa.select(Worker).where(Worker.is_employed).order_by(Worker.id)).first()
    assert worker is not None
    course = Course(group_id=worker.group_id, code="NUOVO", title="Corso nuovo", update_period_months=60)
    session.add(course)
    agreed = sa.update(Contract).where(Contract.company_id == worker.company_id)
    session.execute(agreed.values(data_entry_on=None, data_entry_hours=None, data_entry_price=None))
    session.commit()
    row = {"chi": f"#{worker.id}", "corso": "NUOVO", "quando": "03/05/2021", "fonte": "prior", "ente": "Ente Esempio"}
    mapping = {"chi": "worker", "corso": "course", "quando": "completed_on", "fonte": "source", "ente": "provider_name"}
    told: dict[str, Any] = {"mapping": mapping, "mode": ImportMode.create, "matched_by": None}
    blocked = upload(TrainingRecord, csv_bytes(row), apply=False, **told)
    assert counts(blocked) == (0, 0, 0, 0, 1)
    assert "No contract of the client agrees on entering earlier training" in sentences(records, blocked)[2]
    records.execute(agreed.values(data_entry_on=day(-1)))
    records.commit()
    assert counts(upload(TrainingRecord, csv_bytes(row), **told)) == (1, 0, 0, 0, 0)
    made = sa.select(Deadline.due_on).where(Deadline.worker_id == worker.id, Deadline.course_id == course.id)
    assert records.scalars(made).all() == [date(2026, 5, 3)]
