"""Measure the desk beside its rivals, in one run: ``make bench``, or ``python -m bench --help``.

Everything lies in databases of its own, on a PostgreSQL from a wheel unless an address is given, and is deleted at the
end. The results go into ``docs/performance.md`` and the picture beside it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa

from bench import measuring, report, spreadsheets
from bench.filling import Facts, drop_database, find_facts, make_database
from bench.running import RIVALS, ROOT, StatementCounter, postgresql
from bench.sites import BARE, OURS, RIVAL_SITES, Site, visiting

DOCUMENT = ROOT / "docs" / "performance.md"
PICTURE = ROOT / "docs" / "performance.svg"
PARTS = ("pages", "files", "growth", "sqlite")
#: The sizes that growth is measured over, as parts of the largest.
_GROWTH = (100, 10, 1)
_CROWD_SECONDS = 6.0


class Run:
    """One run: what is measured, how often, and what has come of it."""

    def __init__(self, folder: Path, tickets: int, runs: int, cut: float, long_cut: float) -> None:
        self.folder, self.tickets, self.runs, self.cut, self.long_cut = folder, tickets, runs, cut, long_cut
        self.began = time.monotonic()
        self.results: dict[str, Any] = {"tickets": tickets, "runs": runs, "cut": cut, "pages": {}, "files": {}}
        self.results |= {"growth": {}, "sqlite": {}, "machine": report.machine()}

    def say(self, text: str) -> None:
        print(f"{time.monotonic() - self.began:6.0f} s  {text}", flush=True)

    @contextmanager
    def database(self, server: sa.URL | None, tickets: int) -> Iterator[Facts]:
        """Fill a database, look up what is asked for in it, and delete it afterwards."""
        self.say(f"filling {'SQLite' if server is None else 'PostgreSQL'} with {tickets:,} tickets")
        url = make_database(server, self.folder, tickets)
        try:
            yield find_facts(url)
        finally:
            if server is None:
                for file in self.folder.glob("bench_*.sqlite*"):
                    file.unlink()
            else:
                drop_database(server, url)

    def pages(self, facts: Facts, sites: tuple[Site, ...], into: dict[str, Any], *, whole: bool) -> None:
        """Measure the pages of each site; ``whole``: eight clients and starting as well."""
        counter = StatementCounter(facts.url)
        for site in sites:
            self.say(f"{site.name}: pages")
            with visiting(site, facts, self.folder, self.cut) as visit:
                found = measuring.measure_pages(visit, self.runs, counter)
                if whole:
                    found["crowd"] = measuring.measure_crowd(visit, _CROWD_SECONDS).as_dict()
                    found["start"] = measuring.measure_start(visit, 3).as_dict()
                into[site.key] = found
        counter.close()

    def files(self, facts: Facts, into: dict[str, Any], *, imported: int) -> None:
        """Measure what leaves and comes in as a file, beside COPY and plain xlsxwriter."""
        for site in (OURS, *(site for site in RIVAL_SITES if "csv" in site.pages and "tuned" not in site.key)):
            with visiting(site, facts, self.folder, self.cut) as visit:
                for kind in ("csv", "xlsx"):
                    self.say(f"{site.name}: {facts.tickets:,} rows as {kind}")
                    if found := spreadsheets.measure_export(visit, kind, self.long_cut):
                        into.setdefault(kind, {})[site.key] = found.as_dict()
                if site is OURS:
                    for kind, limit in (("csv", "copy"), ("xlsx", "xlsx")):
                        self.say(f"{limit}: {facts.tickets:,} rows")
                        limited = spreadsheets.measure_limit(visit, limit, self.long_cut)
                        into.setdefault(kind, {})["limit"] = limited.as_dict()
                    if imported:
                        self.say(f"{site.name}: import of {imported:,} rows")
                        into["import"] = {"ours": spreadsheets.measure_import(visit, imported, self.long_cut).as_dict()}


@click.command()
@click.option(
    "--postgresql", "given", help="A PostgreSQL server to use, such as postgresql://postgres@localhost/postgres."
)
@click.option("--tickets", default=1_000_000, show_default=True, help="Tickets of the group that is looked at.")
@click.option("--runs", default=9, show_default=True, help="How often each page is asked for; the median counts.")
@click.option("--cut", default=20.0, show_default=True, help="Seconds after which a page is given up.")
@click.option("--long-cut", default=300.0, show_default=True, help="Seconds after which a file is given up.")
@click.option("--imported", default=100_000, show_default=True, help="Rows of the spreadsheet that comes in.")
@click.option("--part", "parts", multiple=True, type=click.Choice(PARTS), help="Measure these only; all without.")
@click.option("--site", "keys", multiple=True, help="Compare with these rivals only.")
@click.option("--write/--no-write", default=False, help="Put the results into docs/performance.md.")
@click.option("--json", "target", type=click.Path(path_type=Path), help="Keep the results in this file as well.")
def main(
    given: str | None, tickets: int, runs: int, cut: float, long_cut: float, imported: int, parts: tuple[str, ...],
    keys: tuple[str, ...], write: bool, target: Path | None,
) -> None:  # fmt: skip
    """Measure this desk, stock toolkits, Django's admin and a bare page, and print the ratios."""
    parts = parts or PARTS
    rivals = tuple(site for site in RIVAL_SITES if not keys or site.key in keys)
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    run = Run(folder, tickets, runs, cut, long_cut)
    try:
        with postgresql(folder, given) as server:
            _on_postgresql(run, server, parts, rivals, imported)
        if "sqlite" in parts:
            with run.database(None, tickets) as facts:
                run.pages(facts, (OURS, BARE), run.results["sqlite"], whole=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    run.results["seconds"] = round(time.monotonic() - run.began)
    print(report.tables(run.results))
    if target is not None:
        target.write_text(json.dumps(run.results, indent=1))
    if write:
        report.write(run.results, DOCUMENT)
        _draw(run.results)


def _on_postgresql(run: Run, server: sa.URL, parts: tuple[str, ...], rivals: tuple[Site, ...], imported: int) -> None:
    for part in _GROWTH:
        size = max(1_000, run.tickets // part)
        if part > 1 and "growth" not in parts and not ("files" in parts and part == 10):
            continue
        with run.database(server, size) as facts:
            if part > 1:
                if "growth" in parts:
                    run.pages(facts, (OURS, BARE), run.results["growth"].setdefault(str(size), {}), whole=False)
            elif "pages" in parts:
                run.pages(facts, (OURS, BARE, *rivals), run.results["pages"], whole=True)
                same = {key: run.results["pages"][key] for key in ("ours", "bare")}
                run.results["growth"][str(size)] = same
            if "files" in parts and part <= 10:
                into = run.results["files"].setdefault(str(size), {})
                run.files(facts, into, imported=imported if part == 1 else 0)


def _draw(results: dict[str, Any]) -> None:
    command = [str(RIVALS), "-m", "bench.picture", str(PICTURE)]
    subprocess.run(command, cwd=ROOT, input=json.dumps(results), text=True, check=True)


if __name__ == "__main__":
    main()
