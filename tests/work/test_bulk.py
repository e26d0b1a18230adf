"""Many records at once are done beside the page: in whole steps, once each, whoever is killed meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa

from backoffice.access import INTERNAL
from backoffice.actors import SYSTEM, Actor, Context, Door
from backoffice.background import work_off
from backoffice.database import RecordSession, begin_writing, open_session
from backoffice.jobs import advance, bulk_task, run_if_due
from backoffice.operations import bulk, bulk_deeds
from backoffice.operations.jobs import BULK
from backoffice.operations.overrides import change_setting
from backoffice.records.pages import read_query
from backoffice.setting_keys import BULK_ROWS
from models.bulk_run import BulkAction, BulkOutcome, BulkRow, BulkRun
from models.company import Company
from models.history_entry import Entrance, HistoryEntry
from models.job import Job, JobState
from models.staff import Staff
from tests.clients import DESK, DeskClient
from tests.views.programs import as_stored, make_company
from tests.work.counting import LEASE
from tests.work.test_imports import any_open, killed_workers

_row: Any = BulkRow.__table__
CITY = "Molveno"


@pytest.fixture
def worked(session: RecordSession, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than ten records are many, they are done five at a time, and somebody is at work."""
    monkeypatch.setattr(bulk_deeds, "CHUNK", 5)
    session.rollback()
    with begin_writing():
        change_setting(session, BULK_ROWS, "10", version=0, actor=SYSTEM)
        session.commit()
    run_if_due(engine, bulk_task())


def make_many(session: RecordSession, count: int) -> list[int]:
    """Store so many companies in one transaction; return their keys."""
    group = make_company(session, "La prima di tante srl").group_id
    with begin_writing():
        rows = [Company(legal_name=f"Tante {number:04} srl", group_id=group) for number in range(count)]
        session.add_all(rows)
        session.commit()
    return [row.id for row in rows]


def ask(engine: sa.Engine, actor: Actor) -> int:
    """Confirm that all of them get the city, and have that done beside the page; return the key of the run."""
    with begin_writing(), open_session(engine, Context(actor, Door.desk)) as own, own.begin():
        query = read_query(Company, actor, filters=["legal_name:starts:Tante"])
        key = bulk.prepare_run(own, query, bulk.BulkChoice(BulkAction.edit), None, address="", actor=actor)
        run = bulk.get_run(own, Company, key, actor=actor)
        bulk.begin_run(own, run, {"city": CITY}, actor=actor)
        bulk_deeds.request_run(own, run, language="it")
    return key


def changed(session: RecordSession) -> int:
    return as_stored(session).scalar(sa.select(sa.func.count(Company.id)).where(Company.city == CITY)) or 0


def told(session: RecordSession) -> int:
    """Return how many records are reported as done."""
    done = sa.select(sa.func.count()).where(_row.c.outcome == BulkOutcome.done)
    return as_stored(session).scalar(done, execution_options=INTERNAL) or 0


def the_job(session: RecordSession) -> Job:
    return as_stored(session).scalars(sa.select(Job).order_by(Job.id.desc()).limit(1)).one()


@pytest.mark.usefixtures("worked")
def test_many_go_all_the_way_beside_the_page(
    session: RecordSession, engine: sa.Engine, desk_client: Callable[..., DeskClient], staff: Callable[[str], Staff]
) -> None:
    keys = make_many(session, 12)
    client = desk_client("administrator")
    question = client.submit(
        "/company/bulk", {"action": "edit", "everything": "1", "address": "f=legal_name:starts:Tante"}
    ).location.removeprefix(DESK)
    assert "Modifica: 12 aziende" in client.get(f"{question}?field=city").text
    assert client.submit(question, {"field": "city", "city": CITY}).location == DESK + question
    waiting = client.get(question).text
    assert "Attende il suo turno" in waiting
    assert '<meta http-equiv="refresh"' in waiting
    session.rollback()
    with begin_writing():  # between the count and the deed
        session.get_one(Company, keys[3]).notes = "Somebody was quicker"
        session.commit()
    assert run_if_due(engine, bulk_task())
    assert client.get(question).location.endswith("/report")
    report = client.get(f"{question}/report").text
    assert "11 su 12 sono fatte" in report
    assert (changed(session), told(session)) == (11, 11)
    job = the_job(session)
    assert (job.state, job.done_count, job.total_count) == (JobState.done, 12, 12)
    assert job.result == "11 fatte, 1 modificate da altri nel frattempo, 0 non possibili"
    assert f"{question}" in client.get(f"/job/{job.id}").text
    entries = sa.select(HistoryEntry).where(HistoryEntry.entity == "company", HistoryEntry.event == "updated")
    mine = [row for row in session.scalars(entries) if row.door is Entrance.job and row.actor_id is not None]
    assert {entry.record_id for entry in mine} == set(keys) - {keys[3]}
    assert {entry.actor_id for entry in mine} == {staff("administrator").id}


@pytest.mark.usefixtures("worked")
def test_a_stopped_one_stays_stopped_until_it_is_told_to_go_on(
    session: RecordSession, engine: sa.Engine, actor: Actor, desk_client: Callable[..., DeskClient]
) -> None:
    session.rollback()
    make_many(session, 20)
    key = ask(engine, actor)
    steps = iter([False, False, True])
    work_off(engine, BULK, lambda: next(steps, True))
    assert (the_job(session).state, the_job(session).done_count) == (JobState.waiting, changed(session))
    done = changed(session)
    assert 0 < done < 20
    assert done % 5 == 0
    client = desk_client("administrator")
    job = the_job(session)
    assert f"/job/{job.id}/do/cancel" in client.get(f"/company/bulk/{key}").text
    assert client.submit(f"/job/{job.id}/do/cancel", {"version": job.version}).status_code == 303
    work_off(engine, BULK)
    page = client.get(f"/company/bulk/{key}").text
    assert (changed(session), "data-continue" in page, "Continua" in page) == (done, False, True)
    client.submit(f"/company/bulk/{key}/go", {})
    assert (changed(session), told(session)) == (20, 20)


@pytest.mark.usefixtures("worked")
def test_a_step_that_is_overtaken_leaves_nothing(session: RecordSession, engine: sa.Engine, actor: Actor) -> None:
    """A worker that was taken for dead goes on: what it does then does not last, and its successor does it once."""
    session.rollback()
    make_many(session, 20)
    ask(engine, actor)
    overtaken: list[int] = []

    def overtake() -> bool:
        if the_job(session).state is JobState.running and not overtaken:
            overtaken.append(changed(session))
            session.rollback()
            with begin_writing():
                session.execute(sa.update(Job.__table__).values(lease_token="another"))  # type: ignore[arg-type]
                session.commit()
        return False

    work_off(engine, BULK, overtake)
    assert overtaken == [5]
    assert (changed(session), told(session)) == (5, 5)
    with begin_writing():
        session.execute(sa.text("UPDATE job SET lease_until = created_at"))
        session.commit()
    work_off(engine, BULK)
    assert (changed(session), told(session), the_job(session).state) == (20, 20, JobState.done)


@pytest.mark.databases("sqlite", "postgresql", long=("sqlite",))
@pytest.mark.parametrize(
    ("rows", "kills", "life"),
    [
        pytest.param(60, 4, 0.4, marks=pytest.mark.long),
        pytest.param(1_000, 40, 1.0, marks=(pytest.mark.long, pytest.mark.timeout(1800))),
    ],
)
def test_killed_at_random_each_record_is_written_once(
    session: RecordSession, engine: sa.Engine, database_url: str, actor: Actor, rows: int, kills: int, life: float
) -> None:
    session.rollback()
    make_many(session, rows)
    key = ask(engine, actor)
    engine.dispose()
    random, killed = Random(17), 0
    for _number in range(kills):
        killed += killed_workers(database_url, BULK, 1, random, life)
        # Whatever lasts is whole: what the job counts is what is reported is what is written.
        assert the_job(session).done_count == told(session) == changed(session)
        assert changed(session) % 5 == 0 or changed(session) == rows
        session.rollback()
    assert killed
    while work_off(engine, BULK, lease=LEASE) or any_open(session):
        pass  # until the leases of the killed ones have ended
    assert (changed(session), told(session), the_job(session).state) == (rows, rows, JobState.done)
    versions = set(session.scalars(sa.select(Company.version).where(Company.city == CITY)))
    assert versions == {2}, "none twice"
    assert as_stored(session).get_one(BulkRun, key).values == {"city": None}


def test_reports_are_forgotten_after_some_days(session: RecordSession, engine: sa.Engine, actor: Actor) -> None:
    session.rollback()
    make_many(session, 3)
    ask(engine, actor)
    runs = sa.select(sa.func.count()).select_from(BulkRow.__table__)
    advance(engine)
    assert as_stored(session).scalar(runs, execution_options=INTERNAL) == 3
    with begin_writing():
        session.execute(sa.text("UPDATE bulk_run SET at = '2026-01-01 00:00:00+00:00'"))
        session.commit()
    advance(engine)
    assert as_stored(session).scalar(runs, execution_options=INTERNAL) == 0
