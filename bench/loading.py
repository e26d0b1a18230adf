"""Rows into tables as fast as either database takes them: no indexes and no key checks while they come in.

Values are ready for the database: numbers, texts, None, dates, 0 and 1 for booleans, instants as UTC text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from itertools import chain, islice
from typing import Any, Protocol

import psycopg
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

Rows = Iterable[dict[str, Any]]
_CHUNK = 2_000


class Loader(Protocol):
    """What both databases can do for us."""

    def load(self, table: str, rows: Rows) -> None:
        """Append rows to a table; all have the columns of the first."""

    def fill(self, table: str, columns: str, query: str) -> None:
        """Append to a table what a query of the database itself finds."""

    def ids(self, query: str) -> list[Any]:
        """Return the first column of a query."""

    def run(self, statement: str) -> None:
        """Run one statement."""


@contextmanager
def open_loader(engine: sa.Engine, tables: Iterable[str]) -> Iterator[Loader]:
    """Yield a loader; the indexes of ``tables`` are put back at the end, and everything is committed at once."""
    opened = _open_sqlite if engine.dialect.name == "sqlite" else _open_postgresql
    with opened(engine, list(tables)) as loader:
        yield loader


def _with_columns(rows: Rows) -> tuple[list[str], Rows]:
    found = iter(rows)
    first = next(found, None)
    return ([], ()) if first is None else (list(first), chain([first], found))


class _Sqlite:
    def __init__(self, connection: Any) -> None:
        self.connection = connection

    def load(self, table: str, rows: Rows) -> None:
        columns, rows = _with_columns(rows)
        if columns:
            marks = ", ".join("?" * len(columns))
            statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"
            self.connection.executemany(statement, (tuple(row.values()) for row in rows))

    def fill(self, table: str, columns: str, query: str) -> None:
        self.run(f"INSERT INTO {table} ({columns}) {query}")

    def ids(self, query: str) -> list[Any]:
        return [row[0] for row in self.connection.execute(query)]

    def run(self, statement: str) -> None:
        self.connection.execute(statement)


@contextmanager
def _open_sqlite(engine: sa.Engine, tables: list[str]) -> Iterator[Loader]:
    with closing(sa.create_engine(engine.url, poolclass=NullPool).raw_connection()) as connection:
        driver: Any = connection.driver_connection
        driver.isolation_level = None
        for pragma in ("foreign_keys=OFF", "synchronous=OFF", "cache_size=-400000", "temp_store=MEMORY"):
            driver.execute(f"PRAGMA {pragma}")
        marks = ", ".join("?" * len(tables))
        query = (
            f"SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ({marks})"
        )
        indexes = driver.execute(query, tables).fetchall()
        driver.execute("BEGIN IMMEDIATE")
        for name, _sql in indexes:
            driver.execute(f"DROP INDEX {name}")
        yield _Sqlite(driver)
        for _name, sql in indexes:
            driver.execute(sql)
        driver.execute("COMMIT")
        driver.execute("PRAGMA analysis_limit=10000")
        driver.execute("ANALYZE")


class _Postgresql:
    def __init__(self, connection: Any) -> None:
        self.connection = connection

    def load(self, table: str, rows: Rows) -> None:
        columns, rows = _with_columns(rows)
        if columns:
            lines = map(_line, rows)
            with self.connection.cursor().copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
                while chunk := "".join(islice(lines, _CHUNK)):
                    copy.write(chunk)
            self._count_on(table)

    def fill(self, table: str, columns: str, query: str) -> None:
        self.run(f"INSERT INTO {table} ({columns}) {query}")
        self._count_on(table)

    def ids(self, query: str) -> list[Any]:
        return [row[0] for row in self.connection.execute(query)]

    def run(self, statement: str) -> None:
        self.connection.execute(statement)

    def _count_on(self, table: str) -> None:
        self.run(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")


def _line(row: dict[str, Any]) -> str:
    # No value holds a tab or a backslash: the generator writes none.
    cells = ["\\N" if value is None else str(value) for value in row.values()]
    return "\t".join(cells).replace("\n", "\\n") + "\n"


@contextmanager
def _open_postgresql(engine: sa.Engine, tables: list[str]) -> Iterator[Loader]:
    address = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, options="-c timezone=utc -c maintenance_work_mem=512MB") as connected:
        connection: Any = connected
        if connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone() == (True,):
            connection.execute("SET session_replication_role = replica")  # no key checks
        indexes = connection.execute(
            "SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i "
            "LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.contype IN ('p', 'u', 'x') "
            "WHERE c.oid IS NULL AND i.indrelid::regclass::text = ANY(%s)",
            (tables,),
        ).fetchall()
        for name, _definition in indexes:
            connection.execute(f"DROP INDEX {name}")
        yield _Postgresql(connection)
        for _name, definition in indexes:
            connection.execute(definition)
        connection.commit()
        connection.autocommit = True
        connection.execute("VACUUM (ANALYZE)")
