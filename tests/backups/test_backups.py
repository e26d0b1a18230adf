"""One file holds all that an installation knows: taken while people work, restored anywhere, never half."""

from __future__ import annotations

import itertools
import json
import os
import signal
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Condition, Event
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

import config
from backoffice import migrate
from backoffice.access import INTERNAL
from backoffice.actors import SYSTEM, Actor, Context, Door
from backoffice.app import create_application
from backoffice.backups.archive import Manifest, verify
from backoffice.backups.refusal import Refused
from backoffice.backups.restoring import count_rows, restore
from backoffice.backups.saving import back_up
from backoffice.backups.tables import count_and_sum, read_last_keys, read_tables, snapshot
from backoffice.cli import main
from backoffice.database import RecordSession, begin_writing, make_engine, open_session
from backoffice.files.store import FolderStore, digest
from backoffice.identity import load_actor
from backoffice.operations.attachments import attach_file
from backoffice.operations.plain import create_record, update_record
from backoffice.schema_text import describe, differences
from bench.generate import generate
from bench.rows import Sizes
from models.company import Company
from models.staff import Staff
from tests.clients import DESK, DeskClient
from tests.conftest import settings_for
from tests.servers import Databases
from tests.serving import KEYS, RUN, environment
from tests.views.programs import make_company

Elsewhere = Callable[[str], sa.URL]
ODD = "tab\tline\nreturn\rback\\slash \\N \\. quote' \" euro € nul-like \x01 vt\v"


def plain(url: sa.URL | str) -> str:
    return sa.make_url(url).render_as_string(hide_password=False)


def run(*arguments: str, var: Path, url: str, answer: str | None = None) -> Result:
    return CliRunner(env=environment(var, url, **KEYS)).invoke(main, arguments, input=answer)


@contextmanager
def opened(url: sa.URL | str) -> Iterator[sa.Engine]:
    engine = make_engine(url)
    yield engine
    engine.dispose()


def sums(engine: sa.Engine) -> dict[str, str]:
    """Return the sum of every table."""
    with snapshot(engine) as connection:
        return {name: count_and_sum(connection, table).sum for name, table in read_tables(connection).items()}


def last_keys(engine: sa.Engine) -> dict[str, int]:
    """Return the last key of each table that has given any: SQLite knows no other difference."""
    with engine.connect() as connection:
        return {name: key for name, key in read_last_keys(connection).items() if key}


def stored_sums(manifest: Manifest) -> dict[str, str]:
    return {name: content.sha256 for name, content in manifest.tables.items()}


@pytest.fixture
def files(tmp_path: Path) -> FolderStore:
    """A store with two files, where the commands look for it."""
    store = FolderStore(tmp_path / "files")
    for content in (b"%PDF-1.7", os.urandom(70_000)):
        store.put(digest(content), content)
    return store


@pytest.fixture
def odd_company(session: RecordSession) -> Company:
    """A company with all that a text format could trip over; the newest company was deleted, key and all."""
    company = make_company(session, "Stranezze srl", notes=ODD, city="")
    gone = make_company(session, "Andata srl")
    session.execute(sa.text("DELETE FROM company WHERE id = :id"), {"id": gone.id}, execution_options=INTERNAL)
    session.commit()
    return company


@pytest.mark.databases("sqlite", "postgresql", long=("sqlite",))
@pytest.mark.parametrize("kind", [pytest.param("sqlite", marks=pytest.mark.long), "postgresql"])
def test_what_is_restored_is_what_was_there(
    kind: str, engine: sa.Engine, odd_company: Company, files: FolderStore, elsewhere: Elsewhere, tmp_path: Path
) -> None:
    """Whichever kind it comes from and goes to: rows, keys to come, triggers, files; and people can work with it."""
    backup = tmp_path / "all.backup"
    url, before = plain(engine.url), sums(engine)
    saved = run("backup", str(backup), var=tmp_path, url=url)
    assert saved.exit_code == 0, saved.output
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    manifest = verify(backup)
    assert stored_sums(manifest) == before
    assert (manifest.database, len(manifest.files)) == (engine.dialect.name, 2)
    assert manifest.rows > 2_000

    target, var = plain(elsewhere(kind)), tmp_path / "elsewhere"
    restored = run("restore", str(backup), var=var, url=target)
    assert restored.exit_code == 0, restored.output
    with opened(target) as other:
        assert sums(other) == before
        if kind == engine.dialect.name:
            assert last_keys(other) == last_keys(engine)
            assert differences(describe(other), describe(engine)) == []
        with open_session(other, Context(SYSTEM, Door.job)) as own, begin_writing():
            assert own.get_one(Company, odd_company.id).notes == ODD
            assert make_company(own, "Nuova srl").id == odd_company.id + 2, "the key of the deleted one stays unused"
            with pytest.raises(sa.exc.IntegrityError, match="append-only"):
                own.execute(sa.text("DELETE FROM history_entry"), execution_options=INTERNAL)
            own.rollback()
    for found in files.kept():
        assert FolderStore(var / "files").get(found.key) == files.get(found.key)
    serve_a_record(target, var, odd_company.id)


def serve_a_record(url: str, var: Path, key: int) -> None:
    """Open a record at the desk of the restored installation, as the administrator of before."""
    application: Any = create_application(settings_for(url, var))
    try:
        with opened(url) as engine, open_session(engine, Context(SYSTEM, Door.job)) as own:
            somebody = own.scalars(sa.select(Staff).where(Staff.username == "demo.administrator")).one()
            client = DeskClient(application, application.mounts[DESK], somebody)
        assert "Stranezze srl" in client.get(f"/company/{key}").text
    finally:
        application.app.extensions["engine"].dispose()


@pytest.mark.long
@pytest.mark.databases("sqlite", "postgresql", long=("sqlite",))
def test_a_backup_is_one_moment_while_people_write(
    engine: sa.Engine, elsewhere: Elsewhere, files: FolderStore, somebody: Actor, tmp_path: Path
) -> None:
    """Each save changes a company and writes an entry of its history: no backup has one without the other."""
    work_and_back_up(engine, elsewhere, files, somebody, tmp_path, backups=2, people=3)


@pytest.mark.long
@pytest.mark.timeout(3_000)
def test_a_large_backup_is_one_moment_while_people_write(
    engine: sa.Engine, elsewhere: Elsewhere, files: FolderStore, somebody: Actor, tmp_path: Path
) -> None:
    """Hundreds of thousands of rows, and people who write at all times; memory does not grow with the rows."""
    small = memory_of_a_backup(engine, tmp_path / "small.backup")
    generate(
        engine, Sizes(companies=20_000, contacts=60_000, contracts=40_000, tickets=200_000, calls=100_000, messages=0)
    )
    assert memory_of_a_backup(engine, tmp_path / "large.backup") < small + 30_000
    work_and_back_up(engine, elsewhere, files, somebody, tmp_path, backups=3, people=8)
    assert verify(tmp_path / "2.backup").rows > 400_000


def memory_of_a_backup(engine: sa.Engine, path: Path) -> int:
    """Take a backup in a process of its own; return the most memory it had, in kB.

    Started by a small process: what is started inherits the figure of whoever starts it.
    """
    env = environment(path.parent, plain(engine.url), **KEYS)
    told = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL); "
    told += "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    command = [sys.executable, "-c", told, *RUN, "backup", str(path)]
    return int(subprocess.run(command, env=env, cwd=config.ROOT, check=True, stdout=subprocess.PIPE).stdout)


@pytest.fixture
def somebody(session: RecordSession, staff: Callable[[str], Staff]) -> Actor:
    """The administrator of the first corporate group, as operations know them."""
    actor = load_actor(session, staff("administrator").id)
    session.rollback()
    assert actor is not None
    return actor


def work_and_back_up(
    engine: sa.Engine,
    elsewhere: Elsewhere,
    files: FolderStore,
    somebody: Actor,
    folder: Path,
    *,
    backups: int,
    people: int,
) -> None:
    stop, saves, saved = Event(), [0] * people, Condition()

    def work(person: int) -> None:
        while not stop.is_set():
            with begin_writing(), open_session(engine, Context(somebody, Door.desk)) as own:
                values = {"legal_name": f"Impresa {person} srl", "country": "IT", "notes": "0"}
                company: Any = create_record(own, Company, values, actor=somebody)
                update_record(own, company, {"notes": "1"}, version=1, actor=somebody)
                own.commit()
            with saved:
                saves[person] += 1
                saved.notify()

    def enough(wanted: int) -> bool:
        return sum(saves) >= wanted

    def wait_for(wanted: int) -> None:
        with saved:
            assert saved.wait_for(partial(enough, wanted), timeout=120)

    def pause(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        """Between two tables, every so often, let somebody save first."""
        if statement == "SELECT 1" and next(tables) % 8 == 7:
            wait_for(sum(saves) + 1)

    taken, tables = [], itertools.count()
    with opened(engine.url) as own_engine, ThreadPoolExecutor(people) as threads:
        sa.event.listen(own_engine, "before_cursor_execute", pause)
        workers = [threads.submit(work, person) for person in range(people)]
        try:
            for number in range(backups):
                before = sum(saves)
                wait_for(before + people)
                taken.append(folder / f"{number}.backup")
                back_up(own_engine, files, taken[-1], by="test")
        finally:
            stop.set()
        for worker in workers:
            worker.result()
    with opened(elsewhere(engine.dialect.name)) as other:
        counts = []
        for path in taken:
            restore(other, files, path, verify(path))
            with other.connect() as connection:
                counts.append(connection.exec_driver_sql(_SAVED).one())
                assert connection.exec_driver_sql(_TORN).scalar_one() == 0
        assert [companies * 2 for companies, _entries in counts] == [entries for _companies, entries in counts]
        assert counts == sorted(counts)
        assert counts[0] < counts[-1], "people went on writing"
        assert sums(other) == stored_sums(verify(taken[-1]))


_OURS = "SELECT id FROM company WHERE legal_name LIKE 'Impresa _ srl'"
_SAVED = (
    f"SELECT (SELECT count(*) FROM ({_OURS}) AS ours), "
    "(SELECT count(*) FROM history_entry WHERE entity = 'company' AND record_id >= "
    f"(SELECT min(id) FROM ({_OURS}) AS first))"
)
_TORN = f"SELECT count(*) FROM company WHERE id IN ({_OURS}) AND (version <> 2 OR notes <> '1')"


@pytest.mark.databases("sqlite")
def test_a_damaged_file_is_refused_before_anything_is_touched(
    engine: sa.Engine, files: FolderStore, elsewhere: Elsewhere, tmp_path: Path
) -> None:
    backup, target = tmp_path / "whole.backup", plain(elsewhere("sqlite"))
    back_up(engine, files, backup, by="test")
    whole = backup.read_bytes()
    with zipfile.ZipFile(backup) as archive:
        at = [archive.getinfo(name).header_offset + 120 for name in ("tables/company.copy", "manifest.json")]
    damages = [whole[: len(whole) // 2], whole[:-30], b"", b"PK\x03\x04 not a backup"]
    damages += [whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :] for place in at]
    for number, content in enumerate(damages):
        damaged = tmp_path / f"{number}.backup"
        damaged.write_bytes(content)
        refused = run("restore", str(damaged), var=tmp_path, url=target)
        assert (refused.exit_code, "damaged" in refused.output) == (1, True), (number, refused.output)
        assert "Traceback" not in refused.output
        with opened(target) as other:
            assert count_rows(other) == {}
    missing = run("restore", str(tmp_path / "none.backup"), var=tmp_path, url=target)
    assert "cannot be read: No such file or directory" in missing.output


def test_an_empty_database_is_no_backup(elsewhere: Elsewhere, files: FolderStore, tmp_path: Path) -> None:
    with opened(elsewhere("sqlite")) as empty, pytest.raises(Refused, match="never migrated"):
        back_up(empty, files, tmp_path / "empty.backup", by="test")
    assert not list(tmp_path.glob("*empty.backup*"))


@pytest.mark.databases("sqlite")
def test_rows_that_were_changed_in_the_file_are_refused(engine: sa.Engine, files: FolderStore, tmp_path: Path) -> None:
    backup = tmp_path / "whole.backup"
    back_up(engine, files, backup, by="test")
    for name, refusal in (("tables/company.copy", "table company is not"), ("manifest.json", "newer version")):
        changed = tmp_path / f"{refusal[:5]}.backup"
        with zipfile.ZipFile(backup) as old, zipfile.ZipFile(changed, "w") as new:
            for member in old.namelist():
                content = old.read(member)
                if member == name == "manifest.json":
                    content = json.dumps(json.loads(content) | {"revision": "ffffffffffff"}).encode()
                elif member == name:
                    content = content.replace(b"Trento", b"Trenta", 1)
                new.writestr(member, content)
        with pytest.raises(Refused, match=refusal):
            verify(changed)


@pytest.mark.long
@pytest.mark.databases("sqlite", "postgresql", long=("postgresql",))
def test_a_full_database_is_replaced_only_by_whoever_says_so(
    engine: sa.Engine, files: FolderStore, session: RecordSession, tmp_path: Path
) -> None:
    backup, url = tmp_path / "before.backup", plain(engine.url)
    back_up(engine, files, backup, by="test")
    make_company(session, "Dopo srl")
    session.close()
    there = sums(engine)
    refused = run("restore", str(backup), var=tmp_path, url=url)
    assert refused.exit_code == 1
    assert "with --replace all of that is lost" in refused.output
    doubted = run("restore", "--replace", str(backup), var=tmp_path, url=url, answer="n\n")
    assert doubted.exit_code == 1
    assert "of history_entry" in doubted.output
    assert sums(engine) == there
    again = run("backup", str(backup), var=tmp_path, url=url)
    assert (again.exit_code, "exists already: nothing is overwritten" in again.output) == (1, True)
    replaced = run("restore", "--replace", "--yes", str(backup), var=tmp_path, url=url)
    assert replaced.exit_code == 0, replaced.output
    assert sums(engine) == stored_sums(verify(backup))


@pytest.mark.databases("sqlite")
def test_a_file_that_is_missing_is_told(
    engine: sa.Engine, files: FolderStore, session: RecordSession, tmp_path: Path
) -> None:
    parent = make_company(session, "Con file srl")
    made = attach_file(session, parent, "nota.txt", b"ciao", store=files, limit_mb=1, actor=SYSTEM)
    session.commit()
    files.delete(made.sha256)
    saved = run("backup", str(tmp_path / "a.backup"), var=tmp_path, url=plain(engine.url))
    assert f"File {made.sha256} is missing, though a row speaks of it" in saved.output
    assert made.sha256 in verify(tmp_path / "a.backup").missing


@pytest.mark.databases("sqlite")
def test_a_store_that_does_not_answer_is_told_in_a_sentence(engine: sa.Engine, tmp_path: Path) -> None:
    nowhere = {"BACKOFFICE_FILES": "s3://allegati", "BACKOFFICE_S3_ENDPOINT": "http://127.0.0.1:9"}
    settings = environment(
        tmp_path, plain(engine.url), **KEYS, **nowhere, BACKOFFICE_S3_ACCESS_KEY="a", BACKOFFICE_S3_SECRET_KEY="b"
    )
    refused = CliRunner(env=settings).invoke(main, ["backup", str(tmp_path / "a.backup")])
    assert refused.exit_code == 1
    assert isinstance(refused.exception, SystemExit)
    assert refused.output.startswith("Error: The file store does not answer: ")
    assert not list(tmp_path.glob("*backup*"))


@pytest.mark.long
@pytest.mark.databases("sqlite", "postgresql", long=("postgresql",))
def test_a_restore_that_fails_changes_nothing(
    engine: sa.Engine, files: FolderStore, session: RecordSession, tmp_path: Path
) -> None:
    backup = tmp_path / "before.backup"
    manifest = back_up(engine, files, backup, by="test")
    make_company(session, "Dopo srl")
    session.close()
    there, listed = sums(engine), sorted(Path(tmp_path).iterdir())
    tables = dict(manifest.tables)
    # The last table but one does not come out as the manifest says.
    name = sorted(tables)[-2]
    tables[name] = replace(tables[name], sha256="0" * 64)
    with pytest.raises(Refused, match=f"Table {name} has not become"):
        restore(engine, files, backup, replace(manifest, tables=tables))
    assert sums(engine) == there
    assert sorted(Path(tmp_path).iterdir()) == listed


@pytest.mark.long
def test_a_backup_of_an_older_revision_is_migrated(
    elsewhere: Elsewhere, files: FolderStore, databases: Databases, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Shown on a database at the first revision, with a corporate group in it."""
    kinds = request.config.getoption("--database") or ("sqlite", "postgresql")
    for kind in kinds:
        backup = tmp_path / f"{kind}.backup"
        with opened(elsewhere(kind)) as old:
            migrate.upgrade(old, OLDEST)
            with old.begin() as connection:
                connection.exec_driver_sql(
                    "INSERT INTO corporate_group (name, created_at, updated_at) "
                    "VALUES ('Gruppo', '2026-01-02 03:04:05.000006', '2026-01-02 03:04:05.000006')"
                )
            assert back_up(old, files, backup, by="test").revision == OLDEST
        with opened(elsewhere(kind)) as new:
            restore(new, files, backup, verify(backup))
            assert migrate.current(new) == migrate.head()
            with new.connect() as connection:
                assert connection.exec_driver_sql("SELECT name FROM corporate_group").scalars().all() == ["Gruppo"]


OLDEST = next(
    line.split('"')[1]
    for path in migrate.MIGRATIONS.glob("versions/*_baseline.py")
    for line in path.read_text().splitlines()
    if line.startswith("revision")
)


@pytest.mark.databases("sqlite")
def test_a_killed_backup_leaves_nothing_under_its_name(engine: sa.Engine, tmp_path: Path) -> None:
    """Killed when half of it is written, by a store that never answers."""
    program = (
        "import sys, time; from pathlib import Path; from backoffice.database import make_engine;"
        "from backoffice.backups.saving import back_up\n"
        "class Stuck:\n"
        "    def kept(self):\n"
        "        print('half', flush=True); time.sleep(600)\n"
        "back_up(make_engine(sys.argv[1]), Stuck(), Path(sys.argv[2]), by='test')"
    )
    backup = tmp_path / "killed.backup"
    command = [sys.executable, "-c", program, plain(engine.url), str(backup)]
    with subprocess.Popen(command, cwd=config.ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "half\n"
        assert [path.name.startswith(".killed.backup.") for path in tmp_path.iterdir()] == [True]
        process.send_signal(signal.SIGKILL)
    assert not backup.exists()
    assert back_up(engine, FolderStore(tmp_path / "files"), backup, by="test").rows > 0
