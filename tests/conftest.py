"""What every test may ask for; see servers.py for where the databases come from.

A test that asks for ``database_url``, or for anything built on it, runs once on each kind of database
(``--database sqlite`` for one), on a fresh copy of the migrated and seeded template.
"""

from __future__ import annotations

import ipaddress
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_jwt_extended import create_access_token
from playwright.sync_api import BrowserContext, ConsoleMessage, Page

import config
from backoffice.actors import SYSTEM, Context, Door
from backoffice.app import create_application
from backoffice.database import RecordSession, make_engine, open_session
from bench.chromium import ARGUMENTS, find_chromium
from models.staff import Staff
from tests.clients import DESK, DeskClient, session_cookie
from tests.seeded import PASSWORD, build
from tests.servers import KINDS, Databases, clear, make_run_folder, web_server
from tests.visitors import Visitor

_FOLDER = pytest.StashKey[Path]()
_LOOPBACK_NAMES = {None, "", "localhost", b"localhost"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database", choices=KINDS, action="append", help="kind of database to test on (default: all)")


def pytest_configure(config: pytest.Config) -> None:
    """Close the network, and give the run its folder, which workers learn from the process that started them."""
    sys.addaudithook(_refuse_network)
    shared = getattr(config, "workerinput", {}).get("folder")
    config.stash[_FOLDER] = Path(shared) if shared else make_run_folder()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput["folder"] = str(node.config.stash[_FOLDER])


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        clear(config.stash[_FOLDER])


#: Examples, as opposed to sweeps, run on one kind of database every day and on both among the tests that take minutes:
#: a fresh database is most of what each costs.
_DAILY_ON = {
    **dict.fromkeys(("imports", "operations", "records", "seed"), "sqlite"),
    **dict.fromkeys(("attachments", "mail", "security", "tests", "views", "work"), "postgresql"),
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database_url" in metafunc.fixturenames:
        marker = metafunc.definition.get_closest_marker("databases")
        wanted = metafunc.config.getoption("--database") or KINDS
        found = [kind for kind in wanted if not marker or kind in marker.args]
        slow = marker.kwargs.get("long", ()) if marker else ()
        daily = _DAILY_ON.get(metafunc.definition.path.parent.name)
        if marker is None and daily is not None:
            slow = [kind for kind in KINDS if kind != daily]
        cases = [pytest.param(kind, marks=[pytest.mark.long] if kind in slow else []) for kind in found]
        metafunc.parametrize("database_url", cases, indirect=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")


@pytest.fixture(scope="session")
def databases(pytestconfig: pytest.Config) -> Iterator[Databases]:
    """The databases of this worker."""
    databases = Databases(pytestconfig.stash[_FOLDER], os.environ.get("PYTEST_XDIST_WORKER", "only"), build)
    yield databases
    databases.close()


@pytest.fixture
def database_url(request: pytest.FixtureRequest, databases: Databases) -> str:
    """The address of a fresh database with reference data, the demonstration set and its users."""
    return databases.fresh(request.param).render_as_string(hide_password=False)


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    """An engine on the fresh database."""
    engine = make_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def session(engine: sa.Engine) -> Iterator[RecordSession]:
    """A session in which the product itself acts and sees every row."""
    with open_session(engine, Context(SYSTEM, Door.job)) as session:
        yield session


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> config.Settings:
    """The settings of an installation on the fresh database."""
    return settings_for(database_url, tmp_path)


def settings_for(database_url: str, var: Path, **changes: Any) -> config.Settings:
    """Return settings for an installation on any database."""
    keys = {name: name.ljust(48, "k") for name in ("secret_key", "client_secret_key", "jwt_secret_key")}
    return config.Settings(database_url=database_url, var=var, **keys, **changes)


@pytest.fixture(scope="session")
def applications() -> Iterator[dict[str, Any]]:
    """The applications made so far: making one takes most of a second, and a worker's addresses stay the same."""
    made: dict[str, Any] = {}
    yield made
    for application in made.values():
        application.app.extensions["engine"].dispose()


@pytest.fixture
def application(settings: config.Settings, applications: dict[str, Any]) -> Any:
    """Desk and client area as one WSGI application, on the fresh database, with nobody near a rate limit."""
    if settings.database_url not in applications:
        applications[settings.database_url] = create_application(settings)
    application = applications[settings.database_url]
    for app in (application.app, *application.mounts.values()):
        for limiter in app.extensions.get("limiter", ()):
            limiter.reset()
    return application


@pytest.fixture
def desk(application: Any) -> Flask:
    """The staff desk."""
    desk: Flask = application.mounts[DESK]
    return desk


@pytest.fixture
def staff(session: RecordSession) -> Callable[[str], Staff]:
    """A function that finds the demonstration user of a role, or any user by their whole name."""

    def find(role: str) -> Staff:
        name = role if role == "admin" or "." in role else f"demo.{role}"
        return session.scalars(sa.select(Staff).where(Staff.username == name)).one()

    return find


@pytest.fixture
def desk_client(application: Any, desk: Flask, staff: Callable[[str], Staff]) -> Callable[..., DeskClient]:
    """A function that returns a client signed in with a role; without one, a client of a stranger."""

    def sign_in(role: str | None = None) -> DeskClient:
        return DeskClient(application, desk, staff(role) if role else None)

    return sign_in


@pytest.fixture
def person(
    desk_client: Callable[..., DeskClient], staff: Callable[[str], Staff], desk: Flask
) -> Callable[[str], Visitor]:
    """A function that puts somebody with a role at every door at once."""

    def find(role: str) -> Visitor:
        with desk.app_context():
            token = create_access_token(staff(role).get_id())
        return Visitor(desk_client(role), token)

    return find


@pytest.fixture
def admin(person: Callable[[str], Visitor]) -> Visitor:
    """The administrator of the first corporate group, at every door at once."""
    return person("administrator")


@pytest.fixture
def live_server(application: Any) -> Iterator[str]:
    """The address of a real web server with the application."""
    with web_server(application) as address:
        yield address


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Debian's Chromium: no browser is ever downloaded."""
    return {**browser_type_launch_args, "executable_path": find_chromium(), "args": ARGUMENTS}


@pytest.fixture
def browser_context(new_context: Callable[..., BrowserContext], live_server: str) -> BrowserContext:
    """A browser window in Italy, opened on the live server."""
    return new_context(base_url=live_server, locale="it-IT", timezone_id="Europe/Rome")


@pytest.fixture
def page(browser_context: BrowserContext) -> Iterator[Page]:
    """An empty page; the test fails if a script breaks or the Content-Security-Policy is violated in it."""
    page = browser_context.new_page()
    faults: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            faults.append(message.text)

    page.on("console", listen)
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    assert not faults


@pytest.fixture
def desk_page(page: Page, desk: Flask, live_server: str, staff: Callable[[str], Staff]) -> Callable[[str], Page]:
    """A function that signs the page's browser in with a role and opens the desk's home."""

    def sign_in(role: str) -> Page:
        name, value = session_cookie(desk, staff(role))
        page.context.add_cookies([{"name": name, "value": value, "url": f"{live_server}{DESK}/"}])
        page.goto(f"{DESK}/")
        return page

    return sign_in


@pytest.fixture(scope="session")
def password() -> str:
    """The password of admin and of every demonstration user."""
    return PASSWORD


def _refuse_network(event: str, arguments: tuple[Any, ...]) -> None:
    """Let Python code reach nothing but this machine: an audit hook sees every way there."""
    if event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        # Unix sockets have a path for an address.
        if isinstance(address, tuple) and not _is_loopback(address[0]):
            raise RuntimeError(f"The network is closed to tests: {address[0]}")
    elif event == "socket.getaddrinfo" and not _is_loopback(arguments[0]):
        raise RuntimeError(f"The network is closed to tests: {arguments[0]}")


def _is_loopback(host: str | bytes | None) -> bool:
    if host in _LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(host.decode() if isinstance(host, bytes) else str(host)).is_loopback
    except ValueError:
        return False
