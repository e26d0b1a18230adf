"""A download that breaks half-way is seen to be broken, and the export log says that it is not complete."""

from __future__ import annotations

import http.client
import re
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from models.export_entry import ExportEntry
from tests.clients import DESK
from tests.seeded import PASSWORD
from tests.serving import GUNICORN, KEYS, environment, free_port, serving

pytestmark = pytest.mark.databases("postgresql")
#: 60 MB as a file: more than servers and sockets between them can hold, so that whoever stops reading stops the server.
LONG = """
    INSERT INTO company (group_id, legal_name, legal_name_key, state, notes, created_at, updated_at)
    SELECT 1, 'Lunga ' || n, 'lunga ' || n, 'client', repeat('x', 40000), now(), now() FROM generate_series(1, 1500) n
"""
#: Tells who listens that a line of the log has been written.
TELLING = """
    CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_notify('log', ''); RETURN NEW; END $$;
    CREATE TRIGGER tell AFTER INSERT ON export_entry FOR EACH ROW EXECUTE FUNCTION tell()
"""


class Reader:
    """Somebody who has signed in with a program that speaks HTTP/1.1 and nothing more."""

    def __init__(self, address: str) -> None:
        self.desk = address + DESK
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        with self.opener.open(f"{self.desk}/login/") as page:
            token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.read().decode())
        assert token
        sent = {"username": "demo.administrator", "password": PASSWORD, "csrf_token": token[1]}
        self.opener.open(f"{self.desk}/login/", urllib.parse.urlencode(sent).encode()).close()

    def download(self, query: str) -> http.client.HTTPResponse:
        answer: http.client.HTTPResponse = self.opener.open(f"{self.desk}/company/export.csv?{query}")
        assert (answer.status, answer.headers["Transfer-Encoding"]) == (200, "chunked")
        return answer


@pytest.fixture
def other(engine: sa.Engine) -> Iterator[psycopg.Connection[Any]]:
    """Another connection to the database, which now holds more than is sent at once."""
    with engine.begin() as connection:
        connection.exec_driver_sql(LONG)
        connection.exec_driver_sql(TELLING)
    address = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as other:
        other.execute("LISTEN log")
        yield other


@pytest.fixture(params=["waitress", "gunicorn"])
def reader(request: pytest.FixtureRequest, database_url: str, other: Any, tmp_path: Path) -> Iterator[Reader]:
    """The administrator at either server."""
    if request.param == "waitress":
        yield Reader(request.getfixturevalue("live_server"))
        return
    port = str(free_port())
    env = environment(tmp_path, database_url, PORT=port, BACKOFFICE_WORKERS="1", **KEYS)
    with serving(*GUNICORN, until="Booting worker", env=env):
        yield Reader(f"http://127.0.0.1:{port}")


@pytest.fixture
def logged(other: psycopg.Connection[Any], session: Any) -> Callable[[], ExportEntry]:
    """A function that waits for the next line of the export log."""

    def wait() -> ExportEntry:
        assert next(other.notifies(timeout=60, stop_after=1), None), "nothing is logged"
        with session.begin():
            return session.scalars(sa.select(ExportEntry).order_by(ExportEntry.id.desc()).limit(1)).one()

    return wait


def test_a_download_that_does_not_arrive_whole(
    reader: Reader, other: psycopg.Connection[Any], logged: Callable[[], ExportEntry]
) -> None:
    with reader.download("f=state:in:former") as whole:
        rows = whole.read().count(b"\r\n") - 1
    entry = logged()
    assert (entry.row_count, entry.is_complete) == (rows, True)

    with reader.download("all=1") as stopped:
        assert stopped.read(10_000)
    entry = logged()
    assert (0 < entry.row_count < 1500, entry.is_complete) == (True, False), "whoever reads it has gone"

    with reader.download("all=1") as broken:
        assert broken.read(10_000)
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        with pytest.raises(http.client.IncompleteRead):
            broken.read()
    entry = logged()
    assert (0 < entry.row_count < 1500, entry.is_complete) == (True, False), "the database has gone"
