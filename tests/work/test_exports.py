"""Long workbooks are made beside the page, for whoever asked, and are gone after some days."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from python_calamine import CalamineWorkbook

from backoffice import clock
from backoffice.actors import SYSTEM
from backoffice.database import RecordSession, begin_writing
from backoffice.files.store import FileStore
from backoffice.jobs import export_task, run_if_due, sweep_files
from backoffice.operations.exports import MOST_OPEN
from backoffice.operations.overrides import change_setting
from backoffice.setting_keys import EXPORT_ROWS
from models.export_entry import ExportEntry
from models.job import Job, JobState
from models.staff import Staff
from tests.clients import DESK, DeskClient

LIST = "/ticket/export.xlsx?f=subject:contains:a&s=-created_at"


@pytest.fixture
def store(desk: Flask, session: RecordSession, engine: sa.Engine) -> FileStore:
    """Where the files go; a hundred rows are long here, and somebody is at work."""
    with begin_writing():
        change_setting(session, EXPORT_ROWS, "100", version=0, actor=SYSTEM)
        session.commit()
    files: FileStore = desk.extensions["files"]
    run_if_due(engine, export_task(files))
    return files


def jobs(session: RecordSession) -> list[Job]:
    session.rollback()
    session.expire_all()
    return list(session.scalars(sa.select(Job).order_by(Job.id)))


def rows_of(content: bytes, sheet: int = 0) -> list[list[object]]:
    return CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(sheet).to_python()


def test_a_long_list_waits_for_whoever_asked(
    session: RecordSession, engine: sa.Engine, store: FileStore, desk_client: Callable[..., DeskClient]
) -> None:
    client = desk_client("administrator")
    page = client.get(LIST)
    assert (page.status_code, page.location) == (303, f"{DESK}/work/")
    assert client.get(LIST).status_code == 303  # asked twice, made once
    assert "è in preparazione" in client.get("/work/").text
    assert run_if_due(engine, export_task(store))
    (job,) = jobs(session)
    assert (job.state, job.problem) == (JobState.done, None)
    saved = client.get(f"/work/{job.id}/file")
    assert saved.status_code == 200
    assert "Ticket" in saved.headers["Content-Disposition"]
    rows = rows_of(saved.data)
    line = session.scalars(sa.select(ExportEntry).order_by(ExportEntry.id.desc()).limit(1)).one()
    assert len(rows) - 1 == line.row_count > 100
    assert (line.entity, line.format, line.is_complete) == ("ticket", "xlsx", True)
    assert "subject" in line.conditions
    # The rows and their order are those of the list.
    csv = client.get(LIST.replace(".xlsx", ".csv")).text.splitlines()
    assert len(csv) == len(rows)
    assert f"/work/{job.id}/file" in client.get("/work/").text
    assert f"/work/{job.id}/file" in client.get(f"/job/{job.id}").text


def test_nobody_else_saves_it_and_it_does_not_stay(
    session: RecordSession,
    engine: sa.Engine,
    store: FileStore,
    desk_client: Callable[..., DeskClient],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = desk_client("secretariat")
    client.get(LIST)
    run_if_due(engine, export_task(store))
    (job,) = jobs(session)
    path = f"/work/{job.id}/file"
    assert client.get(path).status_code == 200
    assert desk_client("administrator").get(path).status_code == 404
    later = clock.now() + timedelta(days=6)
    monkeypatch.setattr(clock, "now", lambda: later)
    sweep_files(engine, store)
    assert store.get(job.file_sha256 or "") is not None
    later += timedelta(days=2)
    sweep_files(engine, store)
    assert store.get(job.file_sha256 or "") is None
    monkeypatch.undo()
    session.rollback()
    with begin_writing():
        session.execute(sa.update(Job.__table__).values(file_until=clock.now()))  # type: ignore[arg-type]
        session.commit()
    assert client.get(path).status_code == 404
    assert path not in client.get("/work/").text


def test_short_lists_come_at_once_and_rights_are_those_of_now(
    session: RecordSession, engine: sa.Engine, store: FileStore, desk_client: Callable[..., DeskClient]
) -> None:
    client = desk_client("secretariat")
    with client.get("/company/export.xlsx") as short:
        assert short.status_code == 200
    client.get(LIST)
    session.rollback()
    with begin_writing():
        session.execute(sa.update(Staff).where(Staff.username == "demo.secretariat").values(active=False))
        session.commit()
    run_if_due(engine, export_task(store))
    (job,) = jobs(session)
    assert (job.state, job.file_name) == (JobState.failed, None)


def test_few_are_made_for_one_person_at_once(
    session: RecordSession, store: FileStore, desk_client: Callable[..., DeskClient]
) -> None:
    client = desk_client("administrator")
    for letter in "aeior":
        assert client.get(f"/ticket/export.xlsx?f=subject:contains:{letter}").status_code == 303
    refused = client.get("/ticket/export.xlsx")
    assert refused.status_code == 429
    assert len(jobs(session)) == MOST_OPEN == 5


def test_everything_at_once_is_long_too(
    session: RecordSession, engine: sa.Engine, store: FileStore, desk_client: Callable[..., DeskClient]
) -> None:
    client = desk_client("administrator")
    assert client.get("/everything/export.xlsx").location == f"{DESK}/work/"
    run_if_due(engine, export_task(store))
    (job,) = jobs(session)
    assert job.state is JobState.done, job.problem
    assert job.total_count >= job.done_count > 100
    saved = client.get(f"/work/{job.id}/file")
    names = CalamineWorkbook.from_filelike(io.BytesIO(saved.data)).sheet_names
    assert len(names) > 20
    assert saved.status_code == 200
