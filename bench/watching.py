"""Seeing the statements of a page, and the plan of each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

Statement = tuple[str, Any]


@contextmanager
def watched(engine: sa.Engine) -> Iterator[list[Statement]]:
    """Collect the statements that run on ``engine`` meanwhile; what only begins or limits a transaction is none."""
    seen: list[Statement] = []

    def listen(_connection: Any, _cursor: Any, text: str, values: Any, _context: Any, _many: bool) -> None:
        if not text.startswith(("BEGIN", "SHOW", "SET LOCAL")):
            seen.append((text, values))

    event.listen(engine, "before_cursor_execute", listen)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", listen)


def full_scans(engine: sa.Engine, statements: list[Statement], tables: set[str]) -> list[str]:
    """Return the statements whose plan reads one of ``tables`` from end to end."""
    return [
        text
        for text, values in statements
        if text.lstrip().startswith("SELECT") and _scanned(engine, text, values) & tables
    ]


def _scanned(engine: sa.Engine, text: str, values: Any) -> set[str]:
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values).all()
            steps = [row[3].split() for row in rows]
            # An index read in its order, as far as the page needs it, is no full scan.
            return {step[1] for step in steps if step[0] == "SCAN" and "INDEX" not in step}
        plan = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {text}", values).scalar_one()
        plan = json.loads(plan) if isinstance(plan, str) else plan
        return set(_sequential(plan[0]["Plan"]))


def _sequential(node: dict[str, Any]) -> Iterator[str]:
    if node["Node Type"] == "Seq Scan":
        yield node["Relation Name"]
    for child in node.get("Plans", ()):
        yield from _sequential(child)
