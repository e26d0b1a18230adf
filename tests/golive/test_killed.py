"""Going live on PostgreSQL while web processes and workers are killed at random: nothing is lost, nothing is twice."""

from __future__ import annotations

import http.client
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any

import psutil
import pytest
import sqlalchemy as sa

import config
from backoffice.actors import SYSTEM
from backoffice.database import RecordSession, begin_writing
from backoffice.operations.overrides import change_setting
from backoffice.setting_keys import IMPORT_ROWS
from models.import_batch import ImportBatch, ImportState
from models.job import Job, JobState
from tests.clients import DESK, DeskClient, session_cookie
from tests.golive.files import messy_files
from tests.golive.test_golive import HOUSE, check, empty, sums
from tests.golive.walking import bring_in, form, undo
from tests.serving import GUNICORN, RUN, environment, free_port, serving

pytestmark = [pytest.mark.databases("postgresql"), pytest.mark.long, pytest.mark.timeout(3600)]
#: How long a page may take to come back once its process was killed.
PATIENCE = 120
COMPANIES = 2_000
#: So often the worker at one job is killed before it may finish: whoever never gets to the end proves nothing.
KILLS_A_JOB = 3
#: Seconds between two kills.
OFTEN = (0.7, 3.0)


class OverTheNetwork:
    """A browser whose connection breaks now and then: whoever sits there loads the page again, or sends it again."""

    def __init__(self, port: int, client: DeskClient, cookie: tuple[str, str]) -> None:
        self.port, self.token = port, client.csrf_token
        self.cookie = "=".join(cookie)
        self.broken = 0
        self._pause = threading.Event()

    def read(self, path: str) -> str:
        status, location, text = self._ask("GET", path)
        while status in (301, 302, 303):
            status, location, text = self._ask("GET", location)
        assert status == 200, (path, status, text)
        if 'http-equiv="refresh"' in text:
            self._pause.wait(0.3)
        return text

    def send(self, path: str, values: dict[str, Any]) -> str:
        body, kind = form(self.token, values)
        broken = self.broken
        status, location, text = self._ask("POST", path, body, {"Content-Type": kind})
        if status == 409 and self.broken > broken:
            # It had been done before the connection broke: the import says where it stands.
            return re.sub(r"(/import/\d+).*", r"\1", path)
        assert status == 303, (path, status, text)
        return location

    def _ask(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, str, str]:
        for _again in range(PATIENCE * 5):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
            try:
                connection.request(method, DESK + path, body, {"Cookie": self.cookie, **(headers or {})})
                answer = connection.getresponse()
                location = (answer.headers["Location"] or "").removeprefix(DESK)
                return answer.status, location, answer.read().decode()
            except (OSError, http.client.HTTPException):
                self.broken += 1
                self._pause.wait(0.2)
            finally:
                connection.close()
        raise AssertionError("The server does not come back")


class Killer(threading.Thread):
    """Kills a web process or a worker now and then, and starts workers anew, until told to stop."""

    def __init__(self, env: dict[str, str], master: int, engine: sa.Engine) -> None:
        super().__init__(name="killer")
        self.env, self.master, self.engine = env, master, engine
        self.over = threading.Event()
        self.killed = {"web": 0, "worker": 0}
        self.workers = [self._start_worker() for _number in range(3)]

    def run(self) -> None:
        random = Random(29)
        while not self.over.wait(random.uniform(*OFTEN)):
            if random.random() < 0.2:
                self._kill_web(random)
            else:
                self._kill_worker(random.randrange(len(self.workers)))

    def stop(self) -> None:
        self.over.set()
        self.join()
        for worker in self.workers:
            worker.kill()
            worker.wait()

    def _start_worker(self) -> subprocess.Popen[bytes]:
        command = [*RUN, "work"]
        return subprocess.Popen(command, env=self.env, cwd=config.ROOT, stdout=subprocess.DEVNULL)

    def _kill_web(self, random: Random) -> None:
        with suppress(psutil.NoSuchProcess):
            children = psutil.Process(self.master).children()
            if children:
                random.choice(children).send_signal(signal.SIGKILL)
                self.killed["web"] += 1

    def _kill_worker(self, place: int) -> None:
        worker = self.workers[place]
        if self._attempts(worker.pid) > KILLS_A_JOB:
            return
        worker.kill()
        worker.wait()
        self.killed["worker"] += 1
        self._let_lease_end(worker.pid)
        self.workers[place] = self._start_worker()

    def _attempts(self, pid: int) -> int:
        """Return how often the job that a worker is doing has been begun; 0 for an idle one."""
        with self.engine.connect() as connection:
            return connection.scalar(sa.select(_jobs.c.attempts).where(_done_by(pid))) or 0

    def _let_lease_end(self, pid: int) -> None:
        """Let the two minutes pass that a job waits for a worker which is gone."""
        with self.engine.begin() as connection:
            connection.execute(sa.update(_jobs).where(_done_by(pid)).values(lease_until=sa.func.now()))


_jobs: Any = Job.__table__


def _done_by(pid: int) -> sa.ColumnElement[bool]:
    return sa.and_(_jobs.c.worker.like(f"%:{pid}"), _jobs.c.state == JobState.running)


@contextmanager
def installation(env: dict[str, str], engine: sa.Engine) -> Iterator[Killer]:
    """Run two web processes and three workers, and have them killed until the block ends."""
    with serving(*GUNICORN, until="Booting worker", times=2, env=env) as said:
        master = int(next(found[1] for line in said if (found := re.search(r"\[(\d+)\] \[INFO\] Starting", line))))
        killer = Killer(env, master, engine)
        killer.start()
        try:
            yield killer
        finally:
            killer.stop()


def test_going_live_survives_everything(
    desk_client: Callable[..., DeskClient], session: RecordSession, database_url: str, engine: sa.Engine,
    desk: Any, settings: config.Settings, staff: Callable[[str], Any], tmp_path: Path,
) -> None:  # fmt: skip
    empty(session)
    with begin_writing():
        change_setting(session, IMPORT_ROWS, "100", version=0, actor=SYSTEM)
        session.commit()
    keys = {
        f"BACKOFFICE_{name.upper()}": getattr(settings, name)
        for name in ("secret_key", "client_secret_key", "jwt_secret_key")
    }
    port = free_port()
    env = environment(tmp_path, database_url, PORT=str(port), BACKOFFICE_WORKERS="2", **keys)
    browser = OverTheNetwork(port, desk_client(), session_cookie(desk, staff("admin")))
    session.rollback()
    files = messy_files(COMPANIES, HOUSE)
    with installation(env, engine) as killer:
        for round_ in ("first", "again"):
            brought = []
            for file in files:
                brought.append(bring_in(browser, file))
                check(file, brought[-1])
            assert sums(session) == (files[3].total, files[5].total, files[5].total)
            if round_ == "first":
                for one in reversed(brought):
                    undo(browser, one)
                assert sums(session) == (0, 0, 0)
    assert min(killer.killed["web"], killer.killed["worker"] / 3) >= 5, killer.killed
    session.rollback()
    for file in files:
        table: Any = file.entity.__table__
        alive = [table.c.deleted_at.is_(None)] if "deleted_at" in table.c else []
        stored = sa.select(sa.func.count()).select_from(table).where(*alive)
        with engine.connect() as connection:
            assert (file.name, connection.scalar(stored)) == (file.name, file.good)
    states = sa.select(ImportBatch.state, sa.func.count()).where(ImportBatch.done_row > 0).group_by(ImportBatch.state)
    assert dict(session.execute(states).all()) == {ImportState.applied: len(files), ImportState.undone: len(files)}
    assert session.scalars(sa.select(Job.state).distinct()).all() == [JobState.done]
