"""A thousand records are changed by ``run.py work``, killed again and again: each once, and so it is told."""

from __future__ import annotations

import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa

import config
from backoffice import clock
from backoffice.access import INTERNAL
from backoffice.actors import Actor
from backoffice.database import RecordSession, begin_writing
from backoffice.operations.bulk_results import count_outcomes
from models.bulk_run import BulkOutcome, BulkRun
from models.company import Company
from models.history_entry import Entrance, HistoryEntry
from models.job import JobState
from tests.clients import DeskClient
from tests.serving import KEYS, RUN, environment
from tests.views.programs import as_stored
from tests.work.test_bulk import CITY, ask, changed, make_many, the_job, told

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]
ROWS, KILLS = 1_000, 6
#: So many seconds a worker may take to get on with it.
PATIENCE = 120.0
_pause = threading.Event()


@contextmanager
def worker(env: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Have ``run.py work`` running until the block ends, and then killed."""
    process = subprocess.Popen([*RUN, "work"], env=env, cwd=config.ROOT, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_until(holds: Callable[[], bool]) -> None:
    for _again in range(int(PATIENCE / 0.05)):
        if holds():
            return
        _pause.wait(0.05)
    raise AssertionError("The worker does not get on")


def let_lease_end(session: RecordSession) -> None:
    """Let the two minutes pass that a job waits for a worker which is gone."""
    session.rollback()
    with begin_writing():
        ended = sa.text("UPDATE job SET lease_until = :now WHERE state = 'running'")
        session.execute(ended.bindparams(sa.bindparam("now", clock.now(), sa.DateTime(timezone=True))))
        session.commit()


def meddle(session: RecordSession, keys: list[int]) -> tuple[set[int], set[int]]:
    """Change some records after they were counted, and delete others; return which."""
    edited, deleted = set(keys[7::50]), set(keys[11::200])
    session.rollback()
    with begin_writing():
        for key in edited:
            session.get_one(Company, key).notes = "Somebody was quicker"
        for key in deleted:
            session.get_one(Company, key).deleted_at = clock.now()
        session.commit()
    return edited, deleted


def kill_in_the_middle(session: RecordSession, env: dict[str, str], random: Random) -> int:
    """Start a worker and kill it some time after it has got on; return how many records are done with by then."""
    before = the_job(session).done_count
    with worker(env) as process:
        wait_until(lambda: the_job(session).done_count > before)
        _pause.wait(random.uniform(0, 0.6))
        assert process.poll() is None
    job, outcomes = the_job(session), count_outcomes(session, as_stored(session).scalars(sa.select(BulkRun)).one())
    assert job.state is JobState.running, "it was killed in the middle"
    # Whatever lasts is whole: what the job counts is what is reported is what is written.
    assert job.done_count == ROWS - outcomes.get(None, 0)
    assert told(session) == changed(session) == outcomes[BulkOutcome.done]
    let_lease_end(session)
    return int(job.done_count)


def test_each_record_is_changed_once_whoever_is_killed(
    session: RecordSession, engine: sa.Engine, database_url: str, actor: Actor, tmp_path: Path,
    desk_client: Callable[..., DeskClient],
) -> None:  # fmt: skip
    session.rollback()
    keys = make_many(session, ROWS)
    run = ask(engine, actor)
    edited, deleted = meddle(session, keys)
    env, random = environment(tmp_path, database_url, **KEYS), Random(23)
    steps = [kill_in_the_middle(session, env, random) for _number in range(KILLS)]
    assert steps == sorted(set(steps)), "each went on where the one before was killed"
    with worker(env):
        wait_until(lambda: the_job(session).state is JobState.done)
    expected = set(keys) - edited - deleted
    written = sa.select(HistoryEntry.record_id).where(
        HistoryEntry.entity == "company", HistoryEntry.event == "updated", HistoryEntry.door == Entrance.job,
        HistoryEntry.actor_id == actor.staff_id,
    )  # fmt: skip
    entries = Counter(as_stored(session).scalars(written, execution_options=INTERNAL))
    assert (set(entries), set(entries.values())) == (expected, {1})
    table: Any = Company.__table__
    stored = sa.select(table.c.version, table.c.city).where(table.c.id.in_(expected)).distinct()
    assert session.execute(stored, execution_options=INTERNAL).all() == [(2, CITY)]
    assert not session.scalar(sa.select(sa.func.count()).where(Company.id.in_(edited), Company.city == CITY))
    counts = f"{len(expected)} fatte, {len(edited)} modificate da altri nel frattempo, {len(deleted)} non possibili"
    assert the_job(session).result == counts
    report = desk_client("administrator").get(f"/company/bulk/{run}/report").text
    assert f"{len(expected)} su 1.000 sono fatte" in report
