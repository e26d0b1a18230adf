"""The database busy, gone or damaged: a page with a sentence, what was typed still there, and no trace."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from tests.clients import DeskClient
from tests.test_bad_input import Desk, form_of, person  # noqa: F401

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
def impatient(desk: Any) -> Iterator[None]:
    """Have the desk's connections wait for locks for a moment only."""

    def shorten(connection: Any, _record: Any, _proxy: Any) -> None:
        with closing(connection.cursor()) as cursor:
            sqlite = isinstance(connection, sqlite3.Connection)
            cursor.execute("PRAGMA busy_timeout = 50" if sqlite else "SET lock_timeout = 50")

    pool = desk.extensions["engine"].pool
    sa.event.listen(pool, "checkout", shorten)
    try:
        yield
    finally:
        sa.event.remove(pool, "checkout", shorten)
        desk.extensions["engine"].dispose()


@pytest.fixture
def busy(engine: sa.Engine, desk: Any) -> Callable[[str, int], Any]:
    """A function that keeps a row from being written, for whoever asks at the desk."""

    @contextmanager
    def hold(table: str, key: int) -> Iterator[None]:
        lock = writing_elsewhere(engine) if engine.dialect.name == "sqlite" else row_locked_elsewhere(engine, table, key)
        with impatient(desk), lock:
            yield

    return hold


def test_a_form_keeps_what_was_typed_while_the_database_is_busy(person: Callable[[str], Desk], busy: Any) -> None:  # noqa: F811
    admin = person("administrator")
    sent = form_of(admin, "/company/1/edit") | {"notes": WORDS}
    with busy("company", 1):
        answer = admin.submit("/company/1/edit", sent)
        assert (answer.status_code, WORDS in answer.text) == (503, True)
        assert admin.get("/company/1").status_code == 200, "reading goes on"
        delete = admin.submit("/company/1/delete", {"version": sent["version"]})
        cell = admin.cell("company", 1, "city", "Ala", sent["version"])
        api = admin.api("PUT", "company/1", json={"city": "Ala"}, headers={"If-Match": f'"{sent["version"]}"'})
        assert {a.status_code for a in (cell, api)} == {503}
        assert delete.status_code in (409, 503)
    assert admin.submit("/company/1/edit", sent).status_code == 303
