"""Files out and in: every row of the ticket list as CSV and workbook, and contacts from a spreadsheet."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from backoffice.database import make_engine
from bench.measuring import Measure
from bench.running import RIVALS, ROOT, Process, clean_environment
from bench.sites import OURS, Visit, environment_of
from bench.visiting import Browser, TooSlow, form_with, local


def measure_limit(visit: Visit, kind: str, cut: float) -> Measure:
    """Measure COPY, or plain xlsxwriter, with the same rows."""
    url = visit.facts.url.set(drivername="postgresql").render_as_string(hide_password=False)
    command = [str(RIVALS), "-m", "bench.limits", kind, url]
    env = {**clean_environment(), "PYTHONPATH": str(ROOT), "BENCH_URL": str(visit.facts.url)}
    try:
        ended = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=cut, check=True)
    except subprocess.TimeoutExpired:
        return Measure(cut=cut)
    seconds, memory, rows = ended.stdout.split()
    return Measure(float(seconds), memory=int(memory), rows=int(rows))


def measure_export(visit: Visit, kind: str, cut: float) -> Measure | None:
    """Measure the ticket list as a file, by the page's own button; what is made beside the page is waited for."""
    address = visit.address(kind)
    if address is None:
        return None
    visit.restart()  # with nothing left over from the pages
    browser = visit.browser(cut)
    with _at_work(visit) as worker:
        done = visit.process
        at_rest = {id(process): process.forget_peaks() for process in (visit.process, worker)}
        began = time.perf_counter()
        try:
            answer = browser.get(address, keep=False)
            if answer.status == 303:
                done = worker
                answer = browser.get(_file_of(browser, local(answer.headers["Location"]), cut), keep=False)
        except TooSlow:
            return Measure(cut=cut)
        finally:
            browser.close()
        seconds = time.perf_counter() - began
        if answer.status != 200:
            return Measure(note=f"answers {answer.status}")
        return Measure(seconds, memory=done.peak_memory(), resting=at_rest[id(done)], rows=visit.facts.tickets)


def _file_of(browser: Browser, page: str, cut: float) -> str:
    """Wait for the file that is being made, and return its address."""
    until = time.monotonic() + cut
    while time.monotonic() < until:
        if found := re.search(r'"([^"]*/work/\d+/file)"', browser.get(page).text):
            return found[1]
        time.sleep(0.25)
    raise TooSlow


@contextmanager
def _at_work(visit: Visit) -> Iterator[Process]:
    """Run the process that does what takes long, where the site has one."""
    if visit.site is not OURS:
        yield visit.process
        return
    env = environment_of(OURS, visit.facts, visit.folder, visit.port)
    worker = Process([sys.executable, "run.py", "work"], env, visit.folder / "work.log")
    try:
        while worker.running and b"At work" not in (visit.folder / "work.log").read_bytes():
            time.sleep(0.1)
        time.sleep(2)  # until it has said in the database that somebody is at work
        yield worker
    finally:
        worker.stop()
        (visit.folder / "work.log").unlink()


def measure_import(visit: Visit, rows: int, cut: float) -> Measure:
    """Measure contacts from a spreadsheet, from the upload until all are stored: read, mapped, tried and applied."""
    browser = visit.browser(cut)
    with _at_work(visit) as worker:
        resting, began = worker.forget_peaks(), time.perf_counter()
        try:
            _import(browser, _contacts(visit, rows), cut)
        except TooSlow:
            return Measure(cut=cut, rows=rows)
        finally:
            browser.close()
        seconds = time.perf_counter() - began
        return Measure(seconds, memory=worker.peak_memory(), resting=resting, rows=rows)


def _import(browser: Browser, content: bytes, cut: float) -> None:
    place, until = "/backoffice/contact/import/", time.monotonic() + cut
    answer = browser.upload(place, form_with(browser.get(place).text, "csrf_token"), "contatti.csv", content)
    columns = _next(answer.headers, answer.status)
    values = form_with(browser.get(columns).text, "column.0")
    answer = browser.post(columns, values)
    for pressed in ("/apply", "/done"):
        page = _next(answer.headers, answer.status)
        while True:
            shown = browser.get(page)
            if shown.status in (302, 303):
                page = local(shown.headers["Location"])
                if page.endswith(pressed):
                    return
                continue
            if pressed == "/apply" and f'{pressed}"' in shown.text:
                break
            if time.monotonic() > until:
                raise TooSlow
            time.sleep(0.25)
        action = re.search(r'action="([^"]*/apply)"', shown.text)
        assert action is not None
        token = form_with(shown.text, "csrf_token")["csrf_token"]
        answer = browser.post(action[1], {"csrf_token": token})


def _next(headers: dict[str, str], status: int) -> str:
    if status not in (302, 303):
        raise RuntimeError(f"The import stops with {status}")
    return local(headers["Location"])


def _contacts(visit: Visit, rows: int) -> bytes:
    """Return a spreadsheet of new contacts, of companies that are there, named by their VAT number."""
    engine = make_engine(visit.facts.url)
    with engine.connect() as connection:
        statement = sa.text("SELECT vat_number FROM company WHERE group_id = 1 AND NOT is_demo ORDER BY id LIMIT :rows")
        numbers = list(connection.execute(statement, {"rows": rows}).scalars())
    engine.dispose()
    lines = ["Azienda;Nome;Cognome;E-mail"]
    lines += [f"{numbers[n % len(numbers)]};Nuova {n};Persona {n};nuova{n}@import.example" for n in range(rows)]
    return "\n".join(lines).encode()
