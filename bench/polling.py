"""Measure the ticket workspace on a large database, alone and with many open pages asking for changes beside.

``python -m bench.polling`` fills a PostgreSQL database of its own, serves it with gunicorn as in production, and
measures from this machine over the loopback interface. It takes as long as filling takes and four minutes, ends by
itself, prints a table, and with ``--write`` puts it into docs/performance.md. Called again, it measures what is there.

Phases with and without pollers take turns, so that whatever else the machine does falls on both alike.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import platform
import re
import signal
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import click
import sqlalchemy as sa

import config
from backoffice.app import create_application
from backoffice.clock import now
from bench.document import put_between
from bench.filling import sizes_for
from bench.installation import DESK, ask, environment, fill, free_port, postgresql, served, sign_in
from bench.pollers import EVERY, Polls, keep_asking
from bench.rows import Sizes
from bench.watching import watched

#: Sees every ticket of the first corporate group: nobody has more to look at.
WHO = "demo.administrator"
#: Tickets opened by turns, so that no page is always in memory.
OPENED = 200
#: Seconds somebody waits between two pages.
PAUSE = 0.05
REPORT = config.ROOT / "docs" / "performance.md"
_BEGIN, _END = "<!-- bench.polling -->", "<!-- bench.polling end -->"


@dataclass
class Times:
    """How long the answers to one kind of page took, in milliseconds."""

    name: str
    paths: list[str]
    statements: int = 0
    alone: list[float] = field(default_factory=list)
    beside: list[float] = field(default_factory=list)

    def rise(self) -> float:
        """Return by how many per cent the 95th percentile is higher with pollers beside."""
        return (percentile(self.beside, 95) / percentile(self.alone, 95) - 1) * 100


def percentile(values: list[float], share: int) -> float:
    """Return the smallest of ``values`` that so many per cent do not exceed."""
    return sorted(values)[max(0, math.ceil(len(values) * share / 100) - 1)]


@contextmanager
def polled(port: int, cookie: str, path: str, pollers: int) -> Iterator[Polls]:
    """Have so many open pages ask whether anything has changed, from a process of its own, until the block ends."""
    found = Polls()
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=keep_asking, args=(there, port, cookie, path, pollers), daemon=True)
    process.start()
    here.recv()  # each has asked once
    try:
        yield found
    finally:
        here.send("enough")
        found.milliseconds, found.refused = here.recv()
        process.join()


def measure(port: int, cookie: str, pages: list[Times], seconds: float, *, beside: bool) -> None:
    """Open the pages by turns for so many seconds; an answer other than a page ends the program."""
    until, turn = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        for page in pages:
            path = page.paths[turn % len(page.paths)]
            began = time.perf_counter()
            answer = ask(port, path, cookie)
            took = (time.perf_counter() - began) * 1000
            if answer.status != 200:
                raise SystemExit(f"{path} was answered with {answer.status}.")
            (page.beside if beside else page.alone).append(took)
            time.sleep(PAUSE)
        turn += 1


def count_statements(env: dict[str, str], cookie: str, paths: list[str]) -> list[int]:
    """Return how many statements each page takes, asked of the application within this process."""
    application = create_application(config.load(env))
    engine = application.mounts[DESK].extensions["engine"]
    counts = []
    for path in paths:
        with watched(engine) as seen:
            status = _within(application, path, cookie)
        if status not in (200, 204):
            raise SystemExit(f"{path} was answered with {status}.")
        counts.append(len(seen))
    engine.dispose()
    return counts


def _within(application: Any, path: str, cookie: str) -> int:
    from werkzeug.test import Client

    with Client(application, use_cookies=False).get(DESK + path, headers={"Cookie": cookie}) as answer:
        return answer.status_code


def tickets_of(url: sa.URL) -> list[int]:
    """Return keys of tickets of the first group, from all over the years."""
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        first, last = connection.execute(sa.text("SELECT min(id), max(id) FROM ticket")).one()
        wanted = sorted({Random(7).randint(first, last) for _ in range(OPENED * 2)})
        found = sa.text("SELECT id FROM ticket WHERE group_id = 1 AND id = ANY(:keys)")
        keys = list(connection.scalars(found, {"keys": wanted}))[:OPENED]
    engine.dispose()
    return keys


def report(pages: list[Times], polls: Polls, quiet: int, facts: list[str]) -> str:
    """Return what was found, as Markdown."""
    lines = [
        "| Page | Statements | Median | 95th percentile | With pollers: median | 95th percentile | Rise of the 95th |",
        "|---|---|---|---|---|---|---|",
    ]
    for page in pages:
        figures = [
            f"{value:.0f} ms"
            for times in (page.alone, page.beside)
            for value in (statistics.median(times), percentile(times, 95))
        ]
        lines.append(f"| {page.name} | {page.statements} | {' | '.join(figures)} | {page.rise():+.0f} % |")
    asked = polls.milliseconds
    median, most = statistics.median(asked), percentile(asked, 95)
    lines.append(f"| A quiet poll | {quiet} | – | – | {median:.0f} ms | {most:.0f} ms | – |")
    return "\n".join([*(f"- {fact}" for fact in facts), "", *lines])


def facts_of(sizes: Sizes, pollers: int, pages: list[Times], polls: Polls, busy: tuple[float, ...]) -> list[str]:
    """Return under which circumstances it was measured."""
    opened = f"{sum(len(page.alone) for page in pages):,} pages alone, {sum(len(page.beside) for page in pages):,} with"
    return [
        f"{now():%d/%m/%Y}; {platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}; "
        f"load before: {', '.join(f'{load:.1f}' for load in busy)} (1, 5, 15 minutes)",
        f"{sizes.tickets:,} tickets, {sizes.messages:,} messages, {sizes.companies:,} companies; PostgreSQL and "
        "gunicorn with the settings they are shipped with, on the same machine as those who ask",
        f"{opened} {pollers} pages open beside, each asking every {EVERY:.0f} s; {len(polls.milliseconds):,} polls, "
        f"{polls.refused} of them not answered as quiet",
    ]


@click.command()
@click.option("--tickets", default=1_000_000, show_default=True, help="Tickets of the group that is looked at.")
@click.option("--pollers", default=200, show_default=True)
@click.option("--rounds", default=3, show_default=True, help="How often both phases take turns.")
@click.option("--seconds", default=40.0, show_default=True, help="How long each phase of a round takes.")
@click.option("--port", default=0, help="Port to serve on; any free one if left out.")
@click.option("--folder", type=click.Path(path_type=Path), default=config.ROOT / "var" / "large", show_default=True)
@click.option("--most", default=90, show_default=True, help="Minutes after which it gives up.")
@click.option("--write", is_flag=True, help="Put the table into docs/performance.md.")
def main(
    tickets: int, pollers: int, rounds: int, seconds: float, port: int, folder: Path, most: int, write: bool
) -> None:  # fmt: skip
    """Measure queue view and ticket view, alone and with many pages polling beside."""
    signal.alarm(most * 60)
    signal.signal(signal.SIGALRM, _give_up)
    sizes = sizes_for(tickets)
    busy = os.getloadavg()
    with postgresql(folder.absolute()) as url:
        env = environment(folder.absolute(), url, port or free_port())
        fill(folder, env, sizes)
        with served(env, folder) as serving:
            cookie = sign_in(serving, WHO, env["BACKOFFICE_DEMO_PASSWORD"])
            page = ask(serving, "/support/?show=all", cookie).text
            poll = _poll_of(page)
            opened = [f"/support/{key}" for key in tickets_of(url)]
            pages = [
                Times("Queue view, all tickets", ["/support/?show=all"]),
                Times("Queue view, unassigned", ["/support/?show=free"]),
                Times("Ticket view", opened),
            ]
            *counts, quiet = count_statements(env, cookie, [*(times.paths[-1] for times in pages), poll])
            for times, count in zip(pages, counts, strict=True):
                times.statements = count
            measure(serving, cookie, pages, min(seconds, 10), beside=False)
            for times in pages:  # what was measured while everything was cold
                times.alone.clear()
            polls = Polls()
            for _round in range(rounds):
                measure(serving, cookie, pages, seconds, beside=False)
                with polled(serving, cookie, poll, pollers) as asked:
                    measure(serving, cookie, pages, seconds, beside=True)
                polls.add(asked)
    text = report(pages, polls, quiet, facts_of(sizes, pollers, pages, polls, busy))
    click.echo(text)
    if write:
        put_between(REPORT, _BEGIN, _END, text)


def _poll_of(page: str) -> str:
    address, since = (re.search(f'{name}="([^"]+)"', page) for name in ("data-poll", "data-since"))
    if address is None or since is None:
        raise SystemExit("The queue view does not say where to poll.")
    return f"{address[1].removeprefix(DESK)}?since={since[1]}"


def _give_up(_number: int, _frame: Any) -> None:
    raise SystemExit("It took too long.")


if __name__ == "__main__":
    main()
