"""Long files are tried and applied beside the page, and nothing of them is lost or written twice."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from datetime import timedelta
from random import Random

import pytest
import sqlalchemy as sa

from backoffice import clock
from backoffice.actors import SYSTEM, Actor, Context, Door
from backoffice.background import work_off
from backoffice.database import RecordSession, begin_writing, open_session
from backoffice.jobs import import_task, run_if_due
from backoffice.operations import imports
from backoffice.operations.import_requests import APPLICATION, TRIAL, UNDOING, request_step
from backoffice.operations.jobs import IMPORTS
from backoffice.operations.overrides import change_setting
from backoffice.setting_keys import IMPORT_ROWS
from models.company import Company
from models.history_entry import HistoryEntry
from models.import_batch import ImportBatch, ImportMode, ImportState
from models.import_row import ImportRow
from models.job import Job, JobState
from tests.clients import DESK, DeskClient
from tests.imports.register import body, csv_bytes
from tests.imports.test_pages import CHOICES, REGISTER, send
from tests.work.conftest import Ask, counted, found
from tests.work.counting import LANE, LEASE, work


def start(engine: sa.Engine, actor: Actor, rows: int) -> int:
    """Upload a file with so many companies and match its columns; return the key of the batch."""
    content = csv_bytes(*(body(number) for number in range(1, rows + 1)))
    with begin_writing(), open_session(engine, Context(actor, Door.spreadsheet)) as own, own.begin():
        batch = imports.start_import(own, Company, "enti.csv", content, actor=actor)
        chosen = {name.removeprefix("column."): target for name, target in REGISTER.items()}
        options = {"mode": ImportMode.both, "matched_by": "external_code", "source_system": "Registro"}
        imports.map_columns(own, batch, chosen, actor=actor, **options)  # type: ignore[arg-type]
        return batch.id


def request(engine: sa.Engine, actor: Actor, key: int, kind: str) -> None:
    with begin_writing(), open_session(engine, Context(actor, Door.spreadsheet)) as own, own.begin():
        request_step(own, own.get_one(ImportBatch, key), kind, language="it")


def batch_of(session: RecordSession, key: int) -> ImportBatch:
    session.rollback()
    session.expire_all()
    batch = session.get_one(ImportBatch, key)
    session.rollback()
    return batch


def made(session: RecordSession) -> list[str]:
    session.rollback()
    return list(session.scalars(sa.select(Company.legal_name).where(Company.legal_name.like("Comune di Prova %"))))


def killed_workers(database_url: str, lane: str, kills: int, random: Random, life: float) -> int:
    """Start workers one after the other and kill each within ``life`` seconds of beginning; return how many had not
    ended by themselves."""
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["tests.work.counting"])
    killed = 0
    for _number in range(kills):
        begun = processes.Event()
        process = processes.Process(target=work, args=(database_url, lane, begun))
        process.start()
        assert begun.wait(60)
        process.join(random.uniform(0, life))
        killed += process.is_alive()
        process.kill()
        process.join()
        process.close()
    return killed


@pytest.fixture
def short(session: RecordSession, engine: sa.Engine) -> None:
    """Files beyond a hundred rows are long, and somebody is at work."""
    session.rollback()
    with begin_writing():
        change_setting(session, IMPORT_ROWS, "100", version=0, actor=SYSTEM)
        session.commit()
    run_if_due(engine, import_task())


@pytest.mark.usefixtures("short")
def test_a_long_file_goes_all_the_way_beside_the_page(
    session: RecordSession, engine: sa.Engine, desk_client: Callable[..., DeskClient]
) -> None:
    client = desk_client("administrator")
    rows = [body(number) for number in range(1, 120)] + [body(500, email="comunit")]
    columns = send(client, csv_bytes(*rows)).location.removeprefix(DESK)
    trial = client.submit(columns, REGISTER | CHOICES).location.removeprefix(DESK)
    waiting = client.get(trial)
    assert "Il file attende il suo turno." in waiting.text
    assert '<meta http-equiv="refresh"' in waiting.text
    # While it waits nothing else can be done with it, and asking again changes nothing.
    assert client.submit(columns, REGISTER | CHOICES).location.endswith("/trial")
    assert client.submit(trial, {}).location.endswith("/trial")
    assert client.submit(trial.replace("trial", "discard"), {}).location.endswith("/trial")
    assert work_off(engine, IMPORTS) == 1
    page = client.get(trial)
    assert "Importa 119 righe" in page.text
    assert "comunit" in page.text
    client.submit(trial.replace("trial", "apply"), {})
    assert "Il file attende il suo turno." in client.get(trial).text
    assert run_if_due(engine, import_task())
    assert client.get(trial).location.endswith("/done")
    assert len(made(session)) == 119
    undo = trial.replace("trial", "undo")
    assert client.submit(undo, {}).location.endswith("/trial")
    assert client.get(undo).location.endswith("/trial")
    assert run_if_due(engine, import_task())
    assert "Questa importazione è stata annullata." in client.get(client.get(trial).location.removeprefix(DESK)).text
    assert made(session) == []
    jobs = session.scalars(sa.select(Job).order_by(Job.id)).all()
    assert [(job.kind, job.state, job.done_count, job.total_count) for job in jobs] == [
        (TRIAL, JobState.done, 120, 120),
        (APPLICATION, JobState.done, 119, 119),
        (UNDOING, JobState.done, 119, 119),
    ]
    assert jobs[2].result == "119 tolte, 0 come prima"
    assert jobs[0].result == "119 nuove, 0 da modificare, 0 già uguali, 1 respinte"
    assert "enti.csv" in client.get("/work/").text


def test_without_a_worker_the_page_does_it_itself(
    session: RecordSession, short: None, desk_client: Callable[..., DeskClient]
) -> None:
    with begin_writing():
        session.execute(sa.text("UPDATE work_task SET seen_at = NULL"))
        session.commit()
    client = desk_client("administrator")
    columns = send(client, csv_bytes(*(body(number) for number in range(1, 120)))).location.removeprefix(DESK)
    trial = client.submit(columns, REGISTER | CHOICES).location.removeprefix(DESK)
    assert "Importa 119 righe" in client.get(trial).text
    assert session.scalar(sa.select(sa.func.count(Job.id))) == 0


def test_sentences_are_in_the_language_of_who_asked(session: RecordSession, engine: sa.Engine, actor: Actor) -> None:
    session.rollback()
    key = start(engine, actor, 1)
    with begin_writing():
        session.execute(sa.update(ImportRow).values(cells=["x"] + [""] * 30))
        session.commit()
    request(engine, actor, key, TRIAL)
    work_off(engine, IMPORTS)
    (row,) = session.scalars(sa.select(ImportRow)).all()
    assert any("obbligatorio" in sentence for _heading, _value, sentence in row.findings), row.findings


def test_an_end_that_nobody_wrote_down_is_no_second_trial(
    session: RecordSession, engine: sa.Engine, actor: Actor
) -> None:
    session.rollback()
    key = start(engine, actor, 3)
    request(engine, actor, key, TRIAL)
    work_off(engine, IMPORTS)
    tried_at = batch_of(session, key).tried_at
    with begin_writing():
        past = clock.now() - timedelta(seconds=1)
        lost = {"state": JobState.running, "lease_token": "dead", "lease_until": past}
        session.execute(sa.update(Job).values(lost))
        session.commit()
    work_off(engine, IMPORTS)
    assert (batch_of(session, key).state, batch_of(session, key).tried_at) == (ImportState.tried, tried_at)
    # Asked for again, it is tried again.
    request(engine, actor, key, TRIAL)
    work_off(engine, IMPORTS)
    assert batch_of(session, key).tried_at != tried_at


@pytest.mark.parametrize(
    ("rows", "kills", "life"),
    [(100, 3, 0.2), pytest.param(2_000, 50, 0.8, marks=(pytest.mark.long, pytest.mark.timeout(1800)))],
)
def test_killed_at_random_an_import_writes_each_row_once_and_takes_it_back(
    session: RecordSession, engine: sa.Engine, database_url: str, actor: Actor, rows: int, kills: int, life: float
) -> None:
    session.rollback()
    key = start(engine, actor, rows)
    engine.dispose()
    random = Random(11)
    for kind, expected in ((TRIAL, 0), (APPLICATION, rows), (UNDOING, 0)):
        request(engine, actor, key, kind)
        assert killed_workers(database_url, IMPORTS, kills, random, life)
        while work_off(engine, IMPORTS, lease=LEASE) or any_open(session):
            pass  # until the leases of the killed ones have ended
        names = made(session)
        assert len(names) == len(set(names)) == expected
    assert batch_of(session, key).state is ImportState.undone
    told = sa.select(HistoryEntry.record_id, HistoryEntry.event).where(HistoryEntry.entity == "company")
    deleted = [number for number, event in session.execute(told) if event == "deleted"]
    assert len(deleted) == len(set(deleted)) == rows


@pytest.mark.parametrize(
    ("jobs", "kills"), [(6, 6), pytest.param(40, 100, marks=(pytest.mark.long, pytest.mark.timeout(1800)))]
)
def test_killed_at_random_jobs_do_no_step_twice(
    session: RecordSession, engine: sa.Engine, database_url: str, ask: Ask, jobs: int, kills: int
) -> None:
    asked = [ask(steps=40) for _number in range(jobs)]
    engine.dispose()
    assert killed_workers(database_url, LANE, kills, Random(13), 0.6)
    while work_off(engine, LANE, lease=LEASE) or any_open(session):
        pass
    assert [(found(session, job.id).state, counted(session, job)) for job in asked] == [(JobState.done, 40)] * jobs


def any_open(session: RecordSession) -> bool:
    session.rollback()
    open_ = sa.select(Job.id).where(Job.state.in_((JobState.waiting, JobState.running))).limit(1)
    left = session.scalar(open_) is not None
    session.rollback()
    return left
