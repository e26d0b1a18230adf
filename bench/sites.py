"""What is measured side by side: how each site is started and signed in to, and where its pages are."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.filling import Facts
from bench.rivals.tables import NAME, PASSWORD
from bench.running import RIVALS, ROOT, Process, administration, clean_environment, free_port
from bench.visiting import Browser, TooSlow, form_with

#: Processes of each site, and threads of each process.
WORKERS, THREADS = 2, 8
#: The word most looked for on lists: it stands in the subject of every eleventh ticket.
WORD = "portale"


def _stay_out(_browser: Browser) -> None:
    """Sites without users let everybody in."""


def _sign_in(path: str, username: str) -> Callable[[Browser], None]:
    def enter(browser: Browser) -> None:
        page = browser.get(path).text
        values = form_with(page, "username") | {"username": username, "password": PASSWORD}
        answer = browser.post(path, values)
        if answer.status not in (302, 303):
            raise RuntimeError(f"{path} answers {answer.status} to signing in")

    return enter


@dataclass(frozen=True)
class Site:
    """One of those that are compared."""

    key: str
    name: str
    #: The application as gunicorn finds it, and the interpreter that has it.
    application: str
    python: Path
    enter: Callable[[Browser], None] = _stay_out
    #: Where it answers as soon as it is up.
    door: str = "/"
    #: By measure: the address, made of ``Facts.places``.
    pages: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    #: Commands of its interpreter that make its own tables and a user, in a schema of their own.
    prepare: tuple[tuple[str, ...], ...] = ()
    schema: str = ""

    @property
    def is_rival(self) -> bool:
        return self.key not in ("ours", "bare")


OURS = Site(
    "ours",
    "this desk",
    "",  # gunicorn.conf.py says
    Path(sys.executable),
    _sign_in("/backoffice/login/", "demo.administrator"),
    "/backoffice/login/",
    {
        "first": "/backoffice/ticket/",
        "deep": "/backoffice/ticket/?k={cursor}",
        "filtered": "/backoffice/ticket/?f=state:in:{state}&f=company:in:{company}&s=-created_at",
        "search": f"/backoffice/ticket/?q={WORD}",
        "rare": "/backoffice/ticket/?q={number}",
        "form": "/backoffice/ticket/{ticket}/edit",
        "company": "/backoffice/company/{company}?tab=ticket.company",
        "home": "/backoffice/",
        "csv": "/backoffice/ticket/export.csv",
        "xlsx": "/backoffice/ticket/export.xlsx",
    },
)
BARE = Site(
    "bare",
    "bare page",
    "bench.rivals.bare:app",
    RIVALS,
    pages={
        "first": "/",
        "deep": "/?before={before}",
        "filtered": "/?state={state}&company={company}",
        "search": f"/?q={WORD}",
        "rare": "/?q={number}",
        "form": "/ticket/{ticket}/edit",
        "company": "/company/{company}",
    },
)
_FAB_PAGES = {
    "first": "/ticketview/list/",
    "deep": "/ticketview/list/?page_TicketView={page}",
    "filtered": "/ticketview/list/?_flt_3_state={state}&_flt_0_company={company}",
    "search": f"/ticketview/list/?_flt_2_subject={WORD}",
    "rare": "/ticketview/list/?_flt_2_number={number}",
    "form": "/ticketview/edit/{ticket}",
    "company": "/companyview/show/{company}",
    "home": "/",
}
_GRID_PAGES = {
    "first": "/admin/ticket/",
    "deep": "/admin/ticket/?page={page}",
    "filtered": "/admin/ticket/?flt0_state_equals={state}&flt1_company_id_equals={company}",
    "search": f"/admin/ticket/?search={WORD}",
    "rare": "/admin/ticket/?search={number}",
    "form": "/admin/ticket/edit/?id={ticket}",
    "company": "/admin/ticket/?flt0_company_id_equals={company}",
    "home": "/admin/",
    "csv": "/admin/ticket/export/csv/",
    "xlsx": "/admin/ticket/export/xlsx/",
}


def _fab(key: str, name: str, tuned: str) -> Site:
    return Site(
        key,
        name,
        "bench.rivals.appbuilder:create_app()",
        RIVALS,
        _sign_in("/login/", NAME),
        "/login/",
        _FAB_PAGES,
        {"BENCH_TUNED": tuned},
        (("-m", "bench.rivals.appbuilder"),),
        "bench_fab",
    )


def _grid(key: str, name: str, tuned: str) -> Site:
    return Site(
        key,
        name,
        "bench.rivals.grid:create_app()",
        RIVALS,
        door="/admin/",
        pages=_GRID_PAGES,
        environment={"BENCH_TUNED": tuned},
    )


DJANGO = Site(
    "django",
    "Django's admin",
    "django.core.wsgi:get_wsgi_application()",
    RIVALS,
    _sign_in("/admin/login/", NAME),
    "/admin/login/",
    {
        "first": "/admin/django_desk/ticket/",
        "deep": "/admin/django_desk/ticket/?p={page}",
        "filtered": "/admin/django_desk/ticket/?state__exact={state}&company__id__exact={company}",
        "search": f"/admin/django_desk/ticket/?q={WORD}",
        "rare": "/admin/django_desk/ticket/?q={number}",
        "form": "/admin/django_desk/ticket/{ticket}/change/",
        "company": "/admin/django_desk/company/{company}/change/",
        "home": "/admin/",
    },
    {
        "DJANGO_SETTINGS_MODULE": "bench.rivals.django_desk.settings",
        "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
    },
    (
        ("-m", "django", "migrate", "-v0"),
        ("-m", "django", "createsuperuser", "--noinput", "--username", NAME, "--email", "bench@bench.example"),
    ),
    "bench_django",
)
RIVAL_SITES = (
    _fab("fab", "Flask-AppBuilder, stock", "0"),
    _fab("fab_tuned", "Flask-AppBuilder, tuned", "1"),
    _grid("grid", "Flask-Admin, stock", "0"),
    _grid("grid_tuned", "Flask-Admin, tuned", "1"),
    DJANGO,
)


class Visit:
    """A site that runs on a database, started anew whenever a step was cut."""

    def __init__(self, site: Site, facts: Facts, folder: Path, cut: float) -> None:
        self.site, self.facts, self.folder, self.cut = site, facts, folder, cut
        self.port = free_port()
        self.start_seconds = 0.0
        self._cookies: dict[str, str] = {}
        self.process = self._start()

    def _start(self) -> Process:
        python, env = str(self.site.python), environment_of(self.site, self.facts, self.folder, self.port)
        command = [python, "-m", "gunicorn"]
        if self.site.application:
            command += ["-c", "python:bench.rivals.serving", self.site.application]
        began = time.perf_counter()
        process = Process(command, env, self.folder / f"{self.site.key}.log")
        _wait_for(process, self.port, self.site.door)
        self.start_seconds = time.perf_counter() - began
        return process

    def browser(self, timeout: float | None = None) -> Browser:
        """Return a browser that is signed in."""
        browser = Browser(self.port, timeout or self.cut)
        if not self._cookies:
            entering = Browser(self.port, 60)
            self.site.enter(entering)
            self._cookies = entering.cookies
            entering.close()
        browser.cookies = dict(self._cookies)
        return browser

    def address(self, measure: str) -> str | None:
        """Return where a measure is taken; None where the site has no such page."""
        pattern = self.site.pages.get(measure)
        return pattern.format(**self.facts.places) if pattern else None

    def restart(self) -> None:
        """Start it anew: nothing that was left unfinished disturbs the next step."""
        self.process.stop()
        self.process = self._start()

    def stop(self) -> None:
        self.process.stop()


@contextmanager
def visiting(site: Site, facts: Facts, folder: Path, cut: float) -> Iterator[Visit]:
    """Run a site while the block lasts."""
    _make_own_tables(site, facts, folder)
    visit = Visit(site, facts, folder, cut)
    try:
        yield visit
    finally:
        visit.stop()


def environment_of(site: Site, facts: Facts, folder: Path, port: int) -> dict[str, str]:
    """Return the environment a site starts in: the product as in production, but for its address and keys."""
    url = facts.url.render_as_string(hide_password=False)
    if site.key != "ours":
        serving = {"BENCH_PORT": str(port), "BENCH_WORKERS": str(WORKERS), "BENCH_THREADS": str(THREADS)}
        return {**clean_environment(), "BENCH_URL": url, "PYTHONPATH": str(ROOT), **serving, **site.environment}
    keys = {f"BACKOFFICE_{name}": "k" * 48 for name in ("SECRET_KEY", "CLIENT_SECRET_KEY", "JWT_SECRET_KEY")}
    return {
        **clean_environment(),
        **keys,
        "BACKOFFICE_VAR": str(folder),
        "BACKOFFICE_DATABASE_URL": url,
        "BACKOFFICE_WORKERS": str(WORKERS),
        "BACKOFFICE_THREADS": str(THREADS),
        "BACKOFFICE_PORT": str(port),
    }


def _make_own_tables(site: Site, facts: Facts, folder: Path) -> None:
    if not site.prepare:
        return
    with administration(facts.url) as connection:
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {site.schema}")
    env, log = environment_of(site, facts, folder, 0), folder / f"{site.key}.log"
    for command in site.prepare:
        process = Process([str(site.python), *command], env, log)
        while process.running:
            time.sleep(0.1)


def _wait_for(process: Process, port: int, door: str) -> None:
    until = time.monotonic() + 300  # a start that takes so long is measured too
    while process.running and time.monotonic() < until:
        try:
            if Browser(port, 60).get(door).status < 500:
                return
        except (OSError, TooSlow):
            time.sleep(0.02)
    process.stop()
    raise RuntimeError(f"A server did not start:\n{process.log.read_text()[-2_000:]}")
