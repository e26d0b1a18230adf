"""The page of work in the background: what each task does, how it stands, and whether anybody works at all."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

import config
from backoffice import clock
from backoffice.background import KINDS
from backoffice.cli import _tasks
from backoffice.database import RecordSession, begin_writing
from backoffice.jobs import Task, calendar_task, run_if_due
from backoffice.operations.tasks import TASKS
from models.work_task import WorkTask
from tests.clients import DeskClient
from tests.visitors import Visitor
from tests.work.counting import COUNTING

NOBODY = "Nessun processo è al lavoro"


def change(session: RecordSession, **values: object) -> None:
    session.rollback()
    with begin_writing():
        session.execute(sa.update(WorkTask.__table__).values(values))
        session.commit()


def row(session: RecordSession) -> WorkTask:
    session.rollback()
    session.expire_all()
    return session.scalars(sa.select(WorkTask)).one()


def test_every_task_has_its_words(settings: config.Settings) -> None:
    with_mail = dataclasses.replace(
        settings, mail_server="127.0.0.1", mail_sender="a@b.example", mailbox_passwords="A:b"
    )
    assert {task.name for task in _tasks(with_mail)} == set(TASKS)


def test_the_page_says_how_each_task_stands(
    session: RecordSession, engine: sa.Engine, person: Callable[[str], Visitor]
) -> None:
    owner = person("admin")
    assert NOBODY in owner.get("/work/").text
    assert run_if_due(engine, calendar_task())
    page = owner.get("/work/").text
    assert NOBODY not in page
    assert "Il lavoro della notte" in page
    assert "state-good" in page
    assert "Prossima volta" in page
    now = clock.now()
    change(session, lease_token="x", lease_until=now + timedelta(minutes=1), worker="macchina:42")
    page = owner.get("/work/").text
    assert "In corso" in page
    assert "macchina:42" in page
    change(session, lease_until=None, last_failed=True, seen_at=now - timedelta(minutes=10))
    page = owner.get("/work/").text
    assert "state-bad" in page
    assert NOBODY in page


def test_run_now_makes_a_task_due(session: RecordSession, engine: sa.Engine, person: Callable[[str], Visitor]) -> None:
    run_if_due(engine, calendar_task())
    assert not run_if_due(engine, calendar_task())
    owner = person("admin")
    assert owner.submit("/work/advance/now", {}).status_code == 303
    assert run_if_due(engine, calendar_task())
    assert owner.submit("/work/nothing/now", {}).status_code == 404
    assert owner.get("/work/advance/now").status_code == 405
    assert person("administrator").submit("/work/advance/now", {}).status_code == 403


def test_who_only_looks_leaves_a_sign(session: RecordSession, engine: sa.Engine) -> None:
    task = Task("advance", lambda _engine, _stopped: "done", lambda _session, now: now + timedelta(hours=1))
    assert run_if_due(engine, task)
    long_ago = clock.now() - timedelta(minutes=3)
    change(session, seen_at=long_ago)
    assert not run_if_due(engine, task)
    seen = row(session).seen_at
    assert seen is not None
    assert seen > long_ago


def test_strangers_sign_in_first(desk_client: Callable[..., DeskClient]) -> None:
    assert desk_client().get("/work/").status_code == 302


@pytest.mark.databases("sqlite")
def test_who_only_serves_calls_every_kind_of_job_by_its_name() -> None:
    """Where web processes and workers are apart, no web process loads what does the jobs."""
    code = (
        "import sys, backoffice.app, models.job as job; "
        "assert 'backoffice.background' not in sys.modules; print(*job.JobName.words)"
    )
    told = subprocess.run([sys.executable, "-c", code], cwd=config.ROOT, capture_output=True, text=True, check=True)
    assert {kind for kind in KINDS if kind != COUNTING} <= set(told.stdout.split())
