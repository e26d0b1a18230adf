"""Times, sizes and statements of pages, each several times over, none longer than its cut."""

from __future__ import annotations

import statistics
import threading
import time
from dataclasses import asdict, dataclass
from typing import Any

from bench.running import StatementCounter
from bench.sites import Visit
from bench.visiting import Browser, TooSlow, form_with, local

#: The pages, in the order of the table.
PAGES = {
    "first": "list, first page",
    "deep": "list, nine tenths down",
    "filtered": "of a state and a company, newest first",
    "search": "contains a word that is frequent",
    "rare": "contains part of a number",
    "form": "edit form",
    "save": "save",
    "company": "company with {company_tickets} tickets",
    "home": "dashboard",
}
CLIENTS = 8


@dataclass
class Measure:
    """One cell of a table. ``seconds`` is the median; None where there is no such thing."""

    seconds: float | None = None
    size: int | None = None
    statements: int | None = None
    #: Bytes that the largest process held at once, and at rest before.
    memory: int | None = None
    resting: int | None = None
    rows: int | None = None
    #: A second, for throughput.
    rate: float | None = None
    #: The step was cut after so many seconds.
    cut: float | None = None
    note: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {key: value for key, value in asdict(self).items() if value not in (None, "")}


def measure_pages(visit: Visit, runs: int, counter: StatementCounter) -> dict[str, dict[str, Any]]:
    """Measure every page of a site."""
    found: dict[str, dict[str, Any]] = {}
    for name in PAGES:
        measured = _save(visit, runs) if name == "save" else _page(visit, name, runs, counter)
        if measured is not None:
            found[name] = measured.as_dict()
    return found


def _page(visit: Visit, name: str, runs: int, counter: StatementCounter) -> Measure | None:
    address = visit.address(name)
    if address is None:
        return None
    browser = visit.browser()
    try:
        answer = browser.get(address)
        if answer.status != 200:
            return Measure(note=f"answers {answer.status}")
        counter.begin()
        answer = browser.get(address)
        statements = counter.count()
        # One that takes seconds need not be asked so often to know that.
        times = [browser.get(address).seconds for _run in range(runs if answer.seconds < 1 else 2)]
    except TooSlow:
        visit.restart()
        return Measure(cut=visit.cut)
    finally:
        browser.close()
    return Measure(
        statistics.median([answer.seconds, *times][1 if len(times) > 2 else 0 :]), len(answer.body), statements
    )


def _save(visit: Visit, runs: int) -> Measure | None:
    """Change the subject of a ticket, each time from a form just opened; only the saving is timed."""
    address = visit.address("form")
    if address is None:
        return None
    browser, times = visit.browser(), []
    try:
        for run in range(runs + 1):
            values = form_with(browser.get(address).text, "subject")
            values["subject"] = f"{values['subject'].partition(' (')[0]} ({run})"
            answer = browser.post(local(address), values)
            if answer.status not in (302, 303):
                return Measure(note=f"answers {answer.status}")
            times.append(answer.seconds)
    except TooSlow:
        visit.restart()
        return Measure(cut=visit.cut)
    finally:
        browser.close()
    return Measure(statistics.median(times[1:]))


def measure_crowd(visit: Visit, seconds: float) -> Measure:
    """Return how many list pages a second eight clients get, who ask for first, deep and filtered ones in turn."""
    addresses = [address for name in ("first", "deep", "filtered") if (address := visit.address(name))]
    people = [visit.browser() for _client in range(CLIENTS)]
    counts, until = [0] * CLIENTS, time.monotonic() + seconds

    def ask(place: int, browser: Browser) -> None:
        try:
            while time.monotonic() < until:
                browser.get(addresses[(place + counts[place]) % len(addresses)])
                counts[place] += 1
        except TooSlow:
            pass
        finally:
            browser.close()

    began = time.monotonic()
    threads = [threading.Thread(target=ask, args=(place, browser)) for place, browser in enumerate(people)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rate = sum(counts) / (time.monotonic() - began)
    if not sum(counts):
        visit.restart()
        return Measure(cut=visit.cut)
    return Measure(rate=rate)


def measure_start(visit: Visit, runs: int) -> Measure:
    """Return the median time from starting the server until it has answered its first page."""
    times = [visit.start_seconds]
    for _run in range(runs - 1):
        visit.restart()
        times.append(visit.start_seconds)
    return Measure(statistics.median(times))
