"""Rows into tables as fast as either database takes them: no indexes and no key checks while they come in.

Values are ready for the database: numbers, texts, None, 0 and 1 for booleans, instants as UTC text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

Row = tuple[Any, ...]
_CHUNK = 2_000


class Loader(Protocol):
    """What both databases can do for us."""

    def load(self, table: str, columns: Iterable[str], rows: Iterable[Row]) -> None:
        """Append rows to a table."""

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


class _Sqlite:
    def __init__(self, connection: Any) -> None:
        self.connection = connection

    def load(self, table: str, columns: Iterable[str], rows: Iterable[Row]) -> None:
        names = list(columns)
        marks = ", ".join("?" * len(names))
        self.connection.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", rows)

    def ids(self, query: str) -> list[Any]:
        return [row[0] for row in self.connection.execute(query)]

    def run(self, statement: str) -> None:
        self.connection.execute(statement)


@contextmanager
def _open_sqlite(engine: sa.Engine, tables: list[str]) -> Iterator[Loader]:
    connection: Any = sa.create_engine(engine.url, poolclass=NullPool).raw_connection()
    driver = connection.driver_connection
    driver.isolation_level = None
    for pragma in ("foreign_keys=OFF", "synchronous=OFF", "cache_size=-400000", "temp_store=MEMORY"):
        driver.execute(f"PRAGMA {pragma}")
    marks = ", ".join("?" * len(tables))
    query = f"SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ({marks})"
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
    connection.close()


class _Postgresql:
    def __init__(self, connection: Any) -> None:
        self.connection = connection

    def load(self, table: str, columns: Iterable[str], rows: Iterable[Row]) -> None:
        statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
        lines = iter(_line(row) for row in rows)
        with self.connection.cursor().copy(statement) as copy:
            while chunk := "".join(islice(lines, _CHUNK)):
                copy.write(chunk)
        self.run(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT coalesce(max(id), 1) FROM {table}))")

    def ids(self, query: str) -> list[Any]:
        return [row[0] for row in self.connection.execute(query)]

    def run(self, statement: str) -> None:
        self.connection.execute(statement)


def _line(row: Row) -> str:
    # No value holds a tab or a backslash: the generator writes none.
    return "\t".join(["\\N" if value is None else str(value) for value in row]).replace("\n", "\\n") + "\n"


@contextmanager
def _open_postgresql(engine: sa.Engine, tables: list[str]) -> Iterator[Loader]:
    import psycopg

    address = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, options="-c timezone=utc -c maintenance_work_mem=512MB") as connection:
        if connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone() == (True,):
            connection.execute("SET session_replication_role = replica")  # no key checks
        indexes = connection.execute(
            "SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i "
            "LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.contype IN ('p', 'u', 'x') "
            "WHERE c.oid IS NULL AND i.indrelid::regclass::text = ANY(%s)",
            (tables,),
        ).fetchall()
        for name, _definition in indexes:
            connection.execute(f"DROP INDEX {name}")  # type: ignore[call-overload]
        yield _Postgresql(connection)
        for _name, definition in indexes:
            connection.execute(definition)
        connection.commit()
        connection.autocommit = True
        connection.execute("VACUUM (ANALYZE)")
