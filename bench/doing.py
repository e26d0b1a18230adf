"""Doing things in a browser as somebody with a role, and keeping how long each took and what it cost."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from playwright.sync_api import Browser
from playwright.sync_api import TimeoutError as TookTooLong

from backoffice.database import make_engine
from bench.accessibility import find_violations
from bench.deeds import BOTH, DEEDS, Deed, Visit, many_of
from bench.filling import Facts
from bench.installation import DESK
from bench.running import StatementCounter

#: Milliseconds after which a person wants to see that something is happening; and after which it is given up.
SOON, LATE = 1_000, 30_000
#: What tells that something is happening.
PROGRESS = "progress, [role=progressbar], [aria-busy=true], [data-combo-word]"
WINDOW = {"width": 1440, "height": 900}
API = "the same list by the API, next page by key"


@dataclass
class Outcome:
    """What came of one thing that somebody with a role did several times."""

    name: str
    role: str
    awaited: str
    milliseconds: list[float] = field(default_factory=list)
    #: Each time; with what a worker asks beside, so that the fewest count.
    statements: list[int] = field(default_factory=list)
    #: Bytes that came over the wire.
    weight: int = 0
    #: Whether something told, after a second, that it was under way; None where it never took so long.
    told: bool | None = None
    #: What axe-core finds on the page it ends on; None where it is no page.
    violations: list[Any] | None = None

    @property
    def median(self) -> float:
        return statistics.median(self.milliseconds)


@dataclass
class Circumstances:
    """What is known of the installation, and how often everything is done."""

    address: str
    password: str
    facts: Facts
    runs: int = 3
    counter: StatementCounter | None = None
    #: Waits until nothing is done beside the pages any more.
    idle: Callable[[], None] = lambda: None
    #: Tells whoever waits how far it has come.
    say: Callable[[str], None] = lambda _text: None
    #: Where one more time, which is not measured, is recorded.
    record: Path | None = None


def measure(browser: Browser, given: Circumstances) -> list[Outcome]:
    """Do everything so many times in each role, and once more to judge the pages; return what came of it."""
    places = {deed.name: place for place, deed in enumerate(DEEDS)}
    found = [outcome for role in BOTH for outcome in _as_somebody(browser, given, role)]
    numbers = {"company_tickets": f"{given.facts.company_tickets:,}", "many": f"{many_of(given.facts):,}"}
    found.sort(key=lambda outcome: places.get(outcome.name, len(DEEDS)))
    for outcome in found:
        outcome.name = outcome.name.format(**numbers)
    return found


def _as_somebody(browser: Browser, given: Circumstances, role: str) -> list[Outcome]:
    context = browser.new_context(
        base_url=given.address,
        locale="it-IT",
        timezone_id="Europe/Rome",
        viewport=WINDOW,  # type: ignore[arg-type]
    )
    visit = Visit(context.new_page(), role, given.password, given.facts, _company_name(given.facts))
    visit.sign_in()
    mine = [(deed, Outcome(deed.name, role, deed.shown)) for deed in DEEDS if role in deed.roles]
    hand = _Hand(visit, given)
    for _run in range(given.runs):
        for deed, outcome in mine:
            hand.do(deed, outcome)
            given.say(f"{outcome.milliseconds[-1]:6.0f} ms  {deed.name}")
    api = hand.ask_api(Outcome(API, role, "the answer"))
    if given.record is not None:
        context.tracing.start(screenshots=True, snapshots=True)
    for deed, outcome in mine:
        hand.do(deed, Outcome(deed.name, role, deed.shown))
        outcome.violations = find_violations(visit.page)
    if given.record is not None:
        context.tracing.stop(path=given.record / f"{role}.zip")
    context.close()
    return [*(outcome for _deed, outcome in mine), api]


class _Hand:
    """Does things in somebody's browser."""

    def __init__(self, visit: Visit, given: Circumstances) -> None:
        self.visit, self.page, self.given = visit, visit.page, given
        self._bytes = 0
        self._files: list[Any] = []
        self._wire = self.page.context.new_cdp_session(self.page)
        self._wire.send("Network.enable")
        self._wire.on("Network.loadingFinished", self._received)
        self.page.on("download", lambda file: self._files.append(file))

    def do(self, deed: Deed, outcome: Outcome) -> None:
        """Do one thing once more, and note what it took."""
        self.visit.go(deed.start)
        self.page.wait_for_load_state()
        deed.ready(self.visit)
        self.page.wait_for_load_state()
        # What is awaited must stand on another page than the one that is left.
        self.page.evaluate("document.documentElement.dataset.left = ''")
        shown = self.page.locator(deed.shown if deed.stays else f"html:not([data-left]) :is({deed.shown})").first
        self._begin()
        began = time.perf_counter()
        try:
            deed.act(self.visit)
            self._wait(deed, shown, outcome)
        except TookTooLong as error:
            raise RuntimeError(f"“{deed.name}” led to {self.page.url}: {self.page.inner_text('main')[:500]}") from error
        outcome.milliseconds.append((time.perf_counter() - began) * 1000)
        self.page.wait_for_load_state()
        self._end(outcome)
        self.given.idle()

    def ask_api(self, outcome: Outcome) -> Outcome:
        """Ask for the second page of the list as a program does, with a key made at the desk."""
        key, path = self.visit.make_key(), f"{DESK}/api/v1/ticket/"
        ask = self.page.context.request
        headers = {"Authorization": f"Bearer {key}"}
        following = ask.get(path, headers=headers).json()["next"]
        for _run in range(self.given.runs):
            self._begin()
            began = time.perf_counter()
            answer = ask.get(following, headers=headers)
            outcome.milliseconds.append((time.perf_counter() - began) * 1000)
            if not answer.ok:
                raise RuntimeError(f"{following} is answered with {answer.status}")
            self._bytes = len(answer.body())
            self._end(outcome)
        return outcome

    def _wait(self, deed: Deed, shown: Any, outcome: Outcome) -> None:
        """Wait until it is visible, or a file comes; look after a second whether anything tells that it is coming."""
        until = time.monotonic() + SOON / 1000
        while deed.sends and not self._files and not shown.is_visible() and time.monotonic() < until:
            self.page.wait_for_timeout(5)
        if self._files:
            return
        try:
            shown.wait_for(timeout=SOON)
        except TookTooLong:
            is_told = self._is_told()
            outcome.told = is_told and outcome.told is not False
            shown.wait_for(timeout=LATE)

    def _is_told(self) -> bool:
        # Asked of the browser itself: Playwright answers only when no page is on its way any more.
        look = f"[...document.querySelectorAll('{PROGRESS}')].some((one) => one.checkVisibility())"
        answer = self._wire.send("Runtime.evaluate", {"expression": look, "returnByValue": True})
        return answer["result"].get("value") is True

    def _begin(self) -> None:
        self._bytes = 0
        self._files.clear()
        if self.given.counter is not None:
            self.given.counter.begin()

    def _end(self, outcome: Outcome) -> None:
        if self.given.counter is not None:
            outcome.statements.append(self.given.counter.count() or 0)
        # What is saved as a file is no answer of the page's own.
        outcome.weight = self._bytes + sum(file.path().stat().st_size for file in self._files)

    def _received(self, event: dict[str, Any]) -> None:
        self._bytes += round(event["encodedDataLength"])


def _company_name(facts: Facts) -> str:
    engine = make_engine(facts.url)
    with engine.connect() as connection:
        query = sa.text("SELECT legal_name FROM company WHERE id = :key")
        name = connection.execute(query, {"key": facts.company}).scalar_one()
    engine.dispose()
    return str(name)
