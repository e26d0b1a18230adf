"""The ground the other tests stand on."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import BrowserContext
from playwright.sync_api import Error as PlaywrightError

from tests.servers import KINDS, Databases, clear, make_run_folder, web_server


def build(url: sa.URL) -> None:
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        key = "SERIAL" if url.get_backend_name() == "postgresql" else "INTEGER"
        connection.exec_driver_sql(f"CREATE TABLE thing (id {key} PRIMARY KEY, name TEXT)")
        connection.exec_driver_sql("INSERT INTO thing (name) VALUES ('seeded')")
    engine.dispose()


@pytest.fixture(scope="module")
def databases() -> Iterator[Databases]:
    folder = make_run_folder()
    databases = Databases(folder, "one", build)
    yield databases
    databases.close()
    clear(folder)


def names(engine: sa.Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.exec_driver_sql("SELECT name FROM thing ORDER BY name").scalars())


@pytest.mark.parametrize("kind", KINDS)
def test_each_copy_starts_from_the_template(databases: Databases, kind: str) -> None:
    engine = sa.create_engine(databases.fresh(kind), pool_pre_ping=True)
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO thing (name) VALUES ('written')")
    assert names(engine) == ["seeded", "written"]

    assert str(databases.fresh(kind)) == str(engine.url)

    # The same engine, its pooled connections included, now sees the fresh copy.
    assert names(engine) == ["seeded"]
    engine.dispose()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE thing SET name = 'changed'",
        "DELETE FROM thing",
        "ALTER TABLE thing ADD COLUMN more TEXT",
        "DROP TABLE thing",
        "CREATE TABLE other (id INTEGER)",
    ],
)
def test_whatever_was_done_to_it_is_undone(databases: Databases, kind: str, change: str) -> None:
    for _ in range(2):
        engine = sa.create_engine(databases.fresh(kind))
        with engine.begin() as connection:
            assert sa.inspect(connection).get_table_names() == ["thing"]
            assert connection.exec_driver_sql("SELECT * FROM thing").all() == [(1, "seeded")]
            connection.exec_driver_sql(change)
        engine.dispose()


@pytest.mark.parametrize("kind", KINDS)
def test_keys_begin_again(databases: Databases, kind: str) -> None:
    for _ in range(2):
        engine = sa.create_engine(databases.fresh(kind))
        with engine.begin() as connection:
            connection.exec_driver_sql("INSERT INTO thing (name) VALUES ('next')")
            assert connection.exec_driver_sql("SELECT max(id) FROM thing").scalar() == 2
        engine.dispose()


def test_a_test_may_cut_every_connection(databases: Databases) -> None:
    engine = sa.create_engine(databases.fresh("postgresql"))
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM thing")
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    engine.dispose()
    engine = sa.create_engine(databases.fresh("postgresql"))
    assert names(engine) == ["seeded"]
    engine.dispose()


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_database_has_no_tables(databases: Databases, kind: str) -> None:
    engine = sa.create_engine(databases.empty(kind))
    assert sa.inspect(engine).get_table_names() == []
    engine.dispose()


def test_another_worker_shares_the_template_but_not_the_copy(databases: Databases) -> None:
    other = Databases(databases.folder, "two", build)
    assert other.template("postgresql") == databases.template("postgresql")
    assert other.fresh("postgresql") != databases.fresh("postgresql")
    other.close()


def test_postgresql_has_the_trigram_extension(databases: Databases) -> None:
    engine = sa.create_engine(databases.fresh("postgresql"))
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE EXTENSION pg_trgm")
        assert connection.exec_driver_sql("SELECT similarity('duomo', 'duomi')").scalar_one() > 0.3
    engine.dispose()


def hello(_environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
    return [b"<!doctype html><title>here</title><p>hello"]


def test_the_web_server_answers_and_stops() -> None:
    with web_server(hello) as address:
        assert b"hello" in urllib.request.urlopen(address).read()

    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(address)


def test_the_browser_reaches_the_web_server_and_nothing_else(new_context: Callable[..., BrowserContext]) -> None:
    page = new_context().new_page()
    with web_server(hello) as address:
        page.goto(address)
        assert page.title() == "here"
        with pytest.raises(PlaywrightError, match="ERR_NAME_NOT_RESOLVED"):
            page.goto("http://www.example/")


def test_the_network_is_closed() -> None:
    with pytest.raises(RuntimeError, match="closed to tests"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
    with pytest.raises(RuntimeError, match="closed to tests"):
        socket.getaddrinfo("www.example", 80)


def test_a_run_leaves_nothing_behind() -> None:
    folder = make_run_folder()
    Databases(folder, "one", build).fresh("sqlite")
    clear(folder)
    assert not Path(folder).exists()


@pytest.mark.parametrize("number", ["ours", "nobody's"])
def test_what_a_killed_run_left_is_cleared_and_its_number_harms_nobody(number: str) -> None:
    folder = make_run_folder()
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], stdout=subprocess.PIPE, check=True)
    (folder / "pg").mkdir()
    (folder / "pg" / "postmaster.pid").write_text(f"{os.getpid() if number == 'ours' else int(ended.stdout)}\n")
    clear(folder)
    assert not folder.exists()
