"""The program as people start it: the commands of run.py, the built-in server, gunicorn."""

from __future__ import annotations

import re
import socket
import urllib.request
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from backoffice.cli import main
from models.company import Company
from models.staff import Staff
from tests.servers import Databases
from tests.serving import GUNICORN, KEYS, RUN, environment, free_port, serving


def run(*arguments: str, var: Path, url: str, **settings: str) -> Result:
    """Run a command of run.py in this process: a new one takes seconds to import everything."""
    return CliRunner(env=environment(var, url, **settings)).invoke(main, arguments)


def get(url: str) -> tuple[int, str]:
    with urllib.request.urlopen(url) as answer:
        return answer.status, answer.read().decode()


def users(url: str) -> list[str]:
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        names = list(connection.scalars(sa.select(Staff.__table__.c.username)))
    engine.dispose()
    return names


def count_companies(url: str) -> int:
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        count = connection.scalar(sa.select(sa.func.count()).select_from(Company.__table__))
    engine.dispose()
    return int(count or 0)


def test_serve_starts_from_nothing_and_again_without_losing_anything(tmp_path: Path) -> None:
    port = str(free_port())
    url = f"sqlite:///{tmp_path}/new/desk.sqlite"
    env = environment(tmp_path, url, PORT=port, BACKOFFICE_DEMO_PASSWORD="sei-tazze-blu-44")

    with serving(*RUN, "serve", until="Ctrl+C", env=env) as said:
        text = "\n".join(said)
        assert re.search(r"User admin, password \S{12,} \(shown this once\)", text)
        assert "User demo.<role>, demo.referent and demo.client, password as given in the environment" in text
        assert f"http://localhost:{port}/backoffice/" in text
        assert get(f"http://127.0.0.1:{port}/it/login/")[0] == 200
        assert get(f"http://127.0.0.1:{port}/backoffice/")[0] == 200
    assert said[-1] == "Stopped."
    before = count_companies(url)
    assert before > 150

    with serving(*RUN, "serve", until="Ctrl+C", env=env) as said:
        assert "password" not in "\n".join(said)
    assert count_companies(url) == before


@pytest.mark.long
def test_the_demonstration_can_be_left_out(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/desk.sqlite"
    env = environment(tmp_path, url, PORT=str(free_port()), BACKOFFICE_DEMO="0")
    with serving(*RUN, "serve", until="Ctrl+C", env=env):
        pass
    assert users(url) == ["admin"]
    assert count_companies(url) == 0


@pytest.mark.long
def test_the_demonstration_is_removed_and_stays_away(databases: Databases, tmp_path: Path) -> None:
    url = databases.fresh("sqlite").render_as_string()
    removed = run("demo", "remove", var=tmp_path, url=url)
    assert removed.exit_code == 0, removed.output
    assert users(url) == ["admin"]
    with serving(*RUN, "serve", until="Ctrl+C", env=environment(tmp_path, url, PORT=str(free_port()))):
        pass
    assert count_companies(url) == 0


def test_postgresql_does_not_start_without_keys(tmp_path: Path) -> None:
    refused = run("serve", var=tmp_path, url="postgresql://nowhere.example/desk")
    assert refused.exit_code == 1
    assert refused.stderr.startswith("Error: On PostgreSQL the signing keys must be given: set BACKOFFICE_SECRET_KEY")


def test_a_port_that_is_taken_is_said_in_one_sentence(databases: Databases, tmp_path: Path) -> None:
    url = databases.fresh("sqlite").render_as_string()
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        refused = run("serve", var=tmp_path, url=url, PORT=str(port))
    assert refused.exit_code == 1
    assert refused.stderr == f"Error: Cannot listen on 127.0.0.1:{port}: Address already in use.\n"


@pytest.mark.long
def test_every_step_of_a_deployment_by_itself(databases: Databases, tmp_path: Path) -> None:
    url = databases.empty("postgresql").render_as_string(hide_password=False)
    steps = [("migrate",), ("sync-roles",), ("reference",), ("administrator",)]
    for _ in range(2):
        for step in steps:
            done = run(*step, var=tmp_path, url=url, **KEYS)
            assert done.exit_code == 0, done.output
    assert "There is an administrator." in done.stdout
    assert users(url) == ["admin"]


@pytest.mark.long
def test_gunicorn_serves_postgresql_with_four_workers_started_at_once(databases: Databases, tmp_path: Path) -> None:
    url = databases.fresh("postgresql").render_as_string(hide_password=False)
    port = free_port()
    env = environment(tmp_path, url, PORT=str(port), **KEYS)
    with serving(*GUNICORN, until="Booting worker", times=4, env=env):
        status, page = get(f"http://127.0.0.1:{port}/backoffice/")
        assert status == 200
        assert "<form" in page


def test_check_and_routes_answer(databases: Databases, tmp_path: Path) -> None:
    url = databases.fresh("sqlite").render_as_string()
    checked = run("check", var=tmp_path, url=url)
    assert (checked.exit_code, checked.stdout) == (0, "No problems.\n")
    listed = run("routes", var=tmp_path, url=url).stdout
    assert re.search(r"GET,POST\s+/backoffice/company/new", listed)


def test_personal_history_is_erased_by_command(databases: Databases, tmp_path: Path) -> None:
    url = databases.fresh("sqlite").render_as_string()
    erased = run("erase", "contact", "1", "--reason", "Richiesta del 20/11/2026", var=tmp_path, url=url)
    assert (erased.exit_code, "1 history entries" in erased.output) == (0, True)
    nobody = run("erase", "contact", "999999", "--reason", "x", var=tmp_path, url=url)
    assert (nobody.exit_code, "There is no contact 999999" in nobody.output) == (1, True)


def test_sync_roles_shows_what_differs_and_keeps_it(tmp_path: Path, databases: Databases) -> None:
    url = databases.fresh("sqlite").render_as_string(hide_password=False)
    assert run("sync-roles", "--show", var=tmp_path, url=url).output == "The roles are as shipped.\n"
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        sales = "role_id = (SELECT id FROM ab_role WHERE name = 'sales')"
        connection.exec_driver_sql(f"UPDATE role_right SET actions = 'R' WHERE area = 'companies' AND {sales}")
        connection.exec_driver_sql(
            f"UPDATE role_default SET value = 'RX:own' WHERE key = 'right:companies' AND {sales}"
        )
    for _run in range(2):
        output = run("sync-roles", var=tmp_path, url=url).output
        assert re.search(r"sales +right:companies +RX:own +R:group +CRUX:group +changed on both sides: kept", output)
    with engine.begin() as connection:
        right = f"SELECT actions FROM role_right WHERE area = 'companies' AND {sales}"
        assert connection.exec_driver_sql(right).scalar() == "R"
    engine.dispose()
