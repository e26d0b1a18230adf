"""Drive a browser through 25 things that people do, on a large database, and tell how long each takes.

``python -m bench.actions`` fills a PostgreSQL database of its own, serves it with gunicorn as in production, has jobs
done beside it, and does each thing (``bench/deeds.py``) as an administrator and as an operator, several times over. It
ends by itself, prints a table, and with ``--write`` puts it into docs/performance.md. Called again, it measures what is
there. What is timed is what a person waits for: from the click or the key until what they wanted to see is visible.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa
from playwright.sync_api import Browser, sync_playwright

import config
from backoffice import clock, jobs
from backoffice.database import make_engine
from backoffice.files.s3 import file_store
from bench.chromium import ARGUMENTS, find_chromium
from bench.deeds import ADMINISTRATOR, OPERATOR
from bench.document import put_between
from bench.doing import SOON, Circumstances, Outcome, measure
from bench.filling import find_facts, sizes_for
from bench.installation import environment, fill, free_port, postgresql, served
from bench.report import machine
from bench.running import StatementCounter, administration

REPORT = config.ROOT / "docs" / "performance.md"
_BEGIN, _END = "<!-- bench.actions -->", "<!-- bench.actions end -->"
_WHO = {ADMINISTRATOR: "administrator", OPERATOR: "operator"}
_OPEN_JOBS = sa.text("SELECT count(*) FROM job WHERE state IN ('waiting', 'running')")


def table(outcomes: list[Outcome], facts: list[str]) -> str:
    """Return what was found, as Markdown."""
    lines = [
        "| Action | Awaited | Role | Time | Page | Statements | Progress told | axe |",
        "|---|---|---|--:|--:|--:|---|--:|",
    ]
    for outcome in outcomes:
        awaited = outcome.awaited if outcome.awaited.startswith("the ") else f"`{outcome.awaited}`"
        told = "–" if outcome.told is None else "yes" if outcome.told else "**no**"
        axe = "–" if outcome.violations is None else str(len(outcome.violations))
        statements = str(min(outcome.statements)) if outcome.statements else "–"
        cells = [
            outcome.name,
            awaited,
            _WHO[outcome.role],
            f"{outcome.median:.0f} ms",
            f"{outcome.weight / 1000:.0f} kB",
        ]
        lines.append(f"| {' | '.join([*cells, statements, told, axe])} |")
    return "\n".join([*(f"- {fact}" for fact in facts), "", *lines])


def failures(outcomes: list[Outcome]) -> list[str]:
    """Return what is not as it should be: slow without a word, or hard to use for some."""
    slow = [
        f"{o.name}, {o.role}: {o.median:.0f} ms and nothing to see" for o in outcomes if o.median > SOON and not o.told
    ]
    return slow + [f"{o.name}, {o.role}: {o.violations}" for o in outcomes if o.violations]


@contextmanager
def counting_postgresql(folder: Path) -> Iterator[sa.URL]:
    """Run the folder's PostgreSQL with its own settings, but for counting statements."""
    with postgresql(folder) as url, administration(url) as connection:
        connection.execute("ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'")
    with postgresql(folder) as url:  # it counts from the next start
        yield url


@contextmanager
def done_beside(settings: config.Settings) -> Iterator[Callable[[], None]]:
    """Do the jobs that pages ask for, as ``run.py work`` does; yield what waits until none is left.

    Only those: what else is due in a database that was filled just now would take hours.
    """
    engine = make_engine(settings.database_url)

    def wait() -> None:
        while True:
            with engine.connect() as connection:
                if not connection.scalar(_OPEN_JOBS):
                    return
            time.sleep(0.2)

    with jobs.working(engine, (jobs.bulk_task(), jobs.export_task(file_store(settings)))):
        yield wait
    engine.dispose()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run the browser until the block ends."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        yield browser
        browser.close()


@click.command()
@click.option("--tickets", default=1_000_000, show_default=True, help="Tickets of the group that is looked at.")
@click.option("--runs", default=3, show_default=True, help="How often each thing is done; the median counts.")
@click.option("--folder", type=click.Path(path_type=Path), default=config.ROOT / "var" / "large", show_default=True)
@click.option("--record", type=click.Path(path_type=Path), help="Keep a trace of one more time in this folder.")
@click.option("--most", default=90, show_default=True, help="Minutes after which it gives up.")
@click.option("--write", is_flag=True, help="Put the table into docs/performance.md.")
def main(tickets: int, runs: int, folder: Path, record: Path | None, most: int, write: bool) -> None:
    """Measure what people do in a browser, each thing from the click until its result is visible."""
    if record is not None and record.resolve().is_relative_to(config.ROOT):
        raise click.BadParameter("recordings do not belong into the project", param_hint="--record")
    signal.alarm(most * 60)
    signal.signal(signal.SIGALRM, _give_up)
    about, folder = machine(), folder.absolute()
    sizes = sizes_for(tickets)
    with counting_postgresql(folder) as url:
        env = environment(folder, url, free_port())
        fill(folder, env, sizes)
        facts, counter = find_facts(url), StatementCounter(url)
        with served(env, folder) as port, done_beside(config.load(env)) as idle, chromium() as browser:
            given = Circumstances(
                f"http://127.0.0.1:{port}", env["BACKOFFICE_DEMO_PASSWORD"], facts, runs, counter, idle, _say, record
            )
            outcomes = measure(browser, given)
        counter.close()
    text = table(outcomes, [
        f"{clock.today():%d/%m/%Y}, {about}, {os.getloadavg()[0]:.1f} after",
        f"PostgreSQL with {facts.tickets:,} tickets of the group, {sizes.messages:,} messages, {sizes.calls:,} calls, "
        f"{sizes.companies:,} companies; median of {runs}",
    ])  # fmt: skip
    click.echo(text)
    for failure in failures(outcomes):
        click.echo(failure, err=True)
    if write:
        put_between(REPORT, _BEGIN, _END, text)


def _say(text: str) -> None:
    click.echo(text, err=True)


def _give_up(_number: int, _frame: Any) -> None:
    raise SystemExit("It took too long.")


if __name__ == "__main__":
    main()
