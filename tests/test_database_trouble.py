"""The database busy, gone or damaged: a page with a sentence, what was typed still there, and no trace."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from models.company import Company
from tests.clients import DeskClient
from tests.visitors import INSIDES, Visitor, form_of

WORDS = "Molto lavoro, da non perdere"


@contextmanager
def writing_elsewhere(engine: sa.Engine) -> Iterator[None]:
    """Hold the write lock of the SQLite file for longer than anybody waits."""
    with closing(sqlite3.connect(str(engine.url.database), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def row_locked_elsewhere(engine: sa.Engine, table: str, key: int) -> Iterator[None]:
    """Hold a row of the PostgreSQL database for longer than anybody waits."""
    with psycopg.connect(engine.url.set(drivername="postgresql").render_as_string(hide_password=False)) as other:
        other.execute(f"SELECT * FROM {table} WHERE id = %s FOR UPDATE", (key,))
        yield
        other.rollback()


@contextmanager
def settings_of(desk: Any, sqlite: str, postgresql: str) -> Iterator[None]:
    """Have the desk's connections run a statement each time they are taken."""

    def shorten(connection: Any, _record: Any, _proxy: Any) -> None:
        with closing(connection.cursor()) as cursor:
            cursor.execute(sqlite if isinstance(connection, sqlite3.Connection) else postgresql)

    pool = desk.extensions["engine"].pool
    sa.event.listen(pool, "checkout", shorten)
    try:
        yield
    finally:
        sa.event.remove(pool, "checkout", shorten)
        desk.extensions["engine"].dispose()


def impatient(desk: Any) -> Any:
    """Have the desk wait for locks for a moment only."""
    return settings_of(desk, "PRAGMA busy_timeout = 50", "SET lock_timeout = 50")


def hasty(desk: Any) -> Any:
    """Have the desk wait for answers for a moment only."""
    return settings_of(desk, "SELECT 1", "SET statement_timeout = 100")


@pytest.fixture
def busy(engine: sa.Engine, desk: Any) -> Callable[[str, int], Any]:
    """A function that keeps a row from being written, for whoever asks at the desk."""

    @contextmanager
    def hold(table: str, key: int) -> Iterator[None]:
        lock = (
            writing_elsewhere(engine) if engine.dialect.name == "sqlite" else row_locked_elsewhere(engine, table, key)
        )
        with impatient(desk), lock:
            yield

    return hold


def test_a_form_keeps_what_was_typed_while_the_database_is_busy(person: Callable[[str], Visitor], busy: Any) -> None:
    admin = person("administrator")
    sent = form_of(admin, "/company/1/edit") | {"notes": WORDS}
    with busy("company", 1):
        answer = admin.submit("/company/1/edit", sent)
        assert (answer.status_code, WORDS in answer.text) == (503, True)
        assert "da correggere" not in answer.text, "nothing of it is theirs to correct"
        assert admin.get("/company/1").status_code == 200, "reading goes on"
        delete = admin.submit("/company/1/delete", {"version": sent["version"]})
        cell = admin.cell("company", 1, "city", "Ala", sent["version"])
        api = admin.api("PUT", "company/1", json={"city": "Ala"}, headers={"If-Match": f'"{sent["version"]}"'})
        assert {(a.status_code, a.mimetype) for a in (cell, api)} == {(503, "application/problem+json")}
        assert delete.status_code in (409, 503)
    assert admin.submit("/company/1/edit", sent).status_code == 303


@pytest.mark.databases("postgresql")
def test_connections_that_were_ended_are_replaced(
    person: Callable[[str], Visitor], engine: sa.Engine, session: Any
) -> None:
    admin = person("administrator")
    session.close()
    sent = form_of(admin, "/company/1/edit") | {"notes": WORDS}
    end_connections(engine)
    assert admin.get("/company/").status_code == 200
    end_connections(engine)
    assert admin.submit("/company/1/edit", sent).status_code == 303


def end_connections(engine: sa.Engine) -> None:
    address = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.mark.databases("postgresql")
def test_a_connection_ended_in_the_middle(
    person: Callable[[str], Visitor], engine: sa.Engine, desk: Any, session: Any
) -> None:
    admin = person("administrator")
    session.close()
    for place in range(12):
        for path in ("/company/", "/company/1", "/company/1/edit", "/"):
            with ended_at(place, engine, desk):
                assert admin.get(path).status_code in (200, 503)
        with ended_at(place, engine, desk):
            assert admin.api("GET", "company/1").status_code in (200, 503)
        with ended_at(place, engine, desk):
            assert admin.cell("company", 1, "city", f"Ala {place}", "1").status_code in (200, 409, 503)
    assert admin.get("/company/").status_code == 200


@contextmanager
def ended_at(place: int, engine: sa.Engine, desk: Any) -> Iterator[None]:
    """End all connections just before the statement of that number."""
    product, count = desk.extensions["engine"], itertools.count()

    def end(*_arguments: Any) -> None:
        if next(count) == place:
            end_connections(engine)

    sa.event.listen(product, "before_cursor_execute", end)
    try:
        yield
    finally:
        sa.event.remove(product, "before_cursor_execute", end)


PATHS = (
    "/",
    "/company/",
    "/company/1",
    "/company/1/edit",
    "/company/export.csv",
    "/company/export.xlsx",
    "/login/",
    "/nothing",
)


def test_no_database_at_all(
    person: Callable[[str], Visitor], desk_client: Callable[..., DeskClient], desk: Any
) -> None:
    admin = person("administrator")
    product = desk.extensions["engine"]

    def refuse(*_arguments: Any) -> None:
        raise sqlite3.OperationalError("unable to open database file") if sqlite else psycopg.OperationalError("gone")

    sqlite = product.dialect.name == "sqlite"
    product.dispose()
    sa.event.listen(product, "do_connect", refuse)
    try:
        for path in PATHS:
            assert admin.get(path).status_code in ((503, 200) if path == "/login/" else (503, 404)), path
            assert Visitor(desk_client(), "x.y.z").get(path).status_code in (200, 302, 404, 503)
        assert admin.submit("/company/1/edit", {"version": "1"}).status_code == 503
        assert admin.submit("/login/", {"username": "x", "password": "y"}).status_code == 503
        assert admin.submit("/logout/", {}).status_code in (303, 503)
        assert admin.api("GET", "company/").status_code == 503
        assert admin.api("POST", "security/login", json={"username": "x", "password": "y"}).status_code == 503
        assert admin.cell("company", 1, "city", "x", "1").status_code == 503
    finally:
        sa.event.remove(product, "do_connect", refuse)
    assert admin.get("/company/").status_code == 200


@pytest.mark.databases("sqlite")
def test_a_damaged_file(person: Callable[[str], Visitor], desk: Any, engine: sa.Engine, session: Any) -> None:
    admin = person("administrator")
    session.close()
    file = Path(str(engine.url.database))
    product = desk.extensions["engine"]
    with closing(sqlite3.connect(file)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    kept = file.read_bytes()
    for damaged in (b"This is no database. " * 500, kept[:4096] + b"\xff" * (len(kept) - 4096), b""):
        product.dispose()
        engine.dispose()
        for suffix in ("-wal", "-shm"):
            Path(f"{file}{suffix}").unlink(missing_ok=True)
        file.write_bytes(damaged)
        for path in PATHS[:5]:
            answer = admin.client.get(path)
            assert answer.status_code in (500, 503), path
            assert not [word for word in INSIDES if word in answer.text]
    product.dispose()
    file.write_bytes(kept)
    assert admin.get("/company/").status_code == 200


@pytest.mark.databases("postgresql")
def test_a_question_that_takes_too_long(
    person: Callable[[str], Visitor], engine: sa.Engine, desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = person("administrator")
    monkeypatch.setitem(desk.config, "STATEMENT_TIMEOUT_MS", 100)
    with locked_table(engine, "company"):
        answers = [admin.get(path) for path in ("/company/", "/grid/company/")] + [admin.api("GET", "company/")]
        with hasty(desk):
            answers += [admin.get("/company/export.csv"), admin.get("/company/export.xlsx")]
    assert [answer.status_code for answer in answers] == [503] * 5
    assert all("dura troppo" in (answer.json["detail"] if answer.is_json else answer.text) for answer in answers)
    assert admin.get("/company/").status_code == 200


@contextmanager
def locked_table(engine: sa.Engine, table: str) -> Iterator[None]:
    with psycopg.connect(engine.url.set(drivername="postgresql").render_as_string(hide_password=False)) as other:
        other.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield
        other.rollback()


def test_logs_hold_no_values(
    person: Callable[[str], Visitor], busy: Any, caplog: pytest.LogCaptureFixture, session: Any
) -> None:
    admin, version = person("administrator"), session.get_one(Company, 1).version
    session.close()
    with busy("company", 1):
        put = admin.api("PUT", "company/1", json={"city": WORDS}, headers={"If-Match": f'"{version}"'})
    assert put.status_code == 503
    assert "The database did not answer" in caplog.text
    assert WORDS not in caplog.text
