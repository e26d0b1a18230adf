"""The results of a run as tables, printed and put into a document between two marks."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path
from typing import Any

from backoffice import clock
from bench.document import put_between
from bench.measuring import CLIENTS, PAGES
from bench.sites import BARE, OURS, RIVAL_SITES

BEGIN, END = "<!-- measured: written by make bench -->", "<!-- end of what is measured -->"
_NAMES = {site.key: site.name for site in (OURS, BARE, *RIVAL_SITES)}
Cell = dict[str, Any]


def machine() -> str:
    """Return what it ran on, in a line, with the load that was there before."""
    load = os.getloadavg()[0]
    return f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}, load before {load:.1f}"


def write(results: dict[str, Any], document: Path) -> None:
    """Put the tables into the document, in place of those of the run before.

    :raises ValueError: the document has no place for them.
    """
    picture = "![Times beside the rivals, and as tickets grow](performance.svg)"
    put_between(document, BEGIN, END, f"\n{tables(results)}\n\n{picture}\n")


def tables(results: dict[str, Any]) -> str:
    """Return everything that was measured, as Markdown."""
    when = f"{clock.today():%d/%m/%Y}, {results['seconds'] // 60} minutes on {results['machine']}."
    parts = [when]
    if results["pages"]:
        parts.append(_title(f"PostgreSQL, {results['tickets']:,} tickets") + _page_table(results["pages"], results))
        parts.append(_title("Statements and size of a page") + _weight_table(results["pages"]))
    if results["files"]:
        parts.append(_title("Files out and in") + _file_table(results["files"]))
    if len(results["growth"]) > 1:
        parts.append(_title("As tickets grow, PostgreSQL") + _growth_table(results["growth"]))
    if results["sqlite"]:
        parts.append(_title(f"SQLite, {results['tickets']:,} tickets") + _page_table(results["sqlite"], results))
    return "\n\n".join(parts)


def _title(text: str) -> str:
    return f"### {text}\n\n"


def _table(heading: list[str], rows: list[list[str]]) -> str:
    lines = [heading, ["---", *["---:"] * (len(heading) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _page_table(sites: dict[str, Any], results: dict[str, Any]) -> str:
    keys = [key for key in _NAMES if key in sites]
    rows = []
    for name, label in PAGES.items():
        many = label.format(company_tickets="500")
        rows.append([many, *(_time(sites[key].get(name), _limit(sites, key, name)) for key in keys)])
    if any("crowd" in sites[key] for key in keys):
        rows.append([f"list pages a second, {CLIENTS} clients", *(_rate(sites, key) for key in keys)])
        rows.append(["cold start", *(_time(sites[key].get("start"), None) for key in keys)])
    note = f"Median of {results['runs']}; in brackets times the bare page; “>” was given up."
    return _table(["", *(_NAMES[key] for key in keys)], rows) + f"\n\n{note}"


def _limit(sites: dict[str, Any], key: str, name: str) -> float | None:
    return sites.get("bare", {}).get(name, {}).get("seconds") if key == "ours" else None


def _time(cell: Cell | None, limit: float | None) -> str:
    if not cell:
        return "–"
    if "cut" in cell:
        return f"> {cell['cut']:.0f} s"
    if "seconds" not in cell:
        return str(cell.get("note", "–"))
    text = _duration(cell["seconds"])
    return f"{text} ({cell['seconds'] / limit:.1f}×)" if limit else text


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def _rate(sites: dict[str, Any], key: str) -> str:
    cell = sites[key].get("crowd", {})
    if "rate" not in cell:
        return f"none in {cell['cut']:.0f} s" if "cut" in cell else "–"
    bare = sites.get("bare", {}).get("crowd", {}).get("rate")
    return f"{cell['rate']:.0f}" + (f" ({cell['rate'] / bare:.2f}×)" if key == "ours" and bare else "")


def _weight_table(sites: dict[str, Any]) -> str:
    keys = [key for key in _NAMES if key in sites]
    rows = []
    for name, label in PAGES.items():
        if name != "save":
            rows.append([label.format(company_tickets="500"), *(_weight(sites[key].get(name)) for key in keys)])
    return _table(["", *(_NAMES[key] for key in keys)], rows)


def _weight(cell: Cell | None) -> str:
    if not cell or "size" not in cell:
        return "–"
    size = f"{cell['size'] / 1000:.0f} kB"
    return f"{cell['statements']} · {size}" if "statements" in cell else size


def _file_table(sizes: dict[str, Any]) -> str:
    rows = []
    for size, found in sizes.items():
        for kind, limit in (("csv", "COPY"), ("xlsx", "xlsxwriter")):
            cells = found.get(kind, {})
            ours, least = cells.get("ours", {}), cells.get("limit", {})
            ratio = f"{ours['seconds'] / least['seconds']:.2f}×" if "seconds" in ours and "seconds" in least else "–"
            named = f"{int(size):,} rows as {kind.upper()}"
            rows.append([named, *map(_file, (ours, least)), limit, ratio, _file(cells.get("grid"))])
        if "import" in found:
            ours = found["import"]["ours"]
            rows.append([f"{ours['rows']:,} contacts in", _file(ours), "–", "", "–", "–"])
    return _table(["", _NAMES["ours"], "the limit", "which is", "times the limit", "Flask-Admin"], rows)


def _file(cell: Cell | None) -> str:
    if not cell:
        return "–"
    memory = f", {cell['memory'] / 1e6:.0f} MB" if cell.get("memory") else ""
    resting = f" ({cell['resting'] / 1e6:.0f} at rest)" if cell.get("resting") else ""
    return _time(cell, None) + memory + resting


def _growth_table(growth: dict[str, Any]) -> str:
    sizes = sorted(growth, key=int)
    rows = []
    for name, label in PAGES.items():
        label = re.sub(r" with \{company_tickets\}", " with its", label)
        for key in ("ours", "bare"):
            cells = [_time(growth[size].get(key, {}).get(name), None) for size in sizes]
            if any(cell != "–" for cell in cells):
                rows.append([f"{label}, {_NAMES[key]}", *cells])
    return _table(["", *(f"{int(size):,}" for size in sizes)], rows)
