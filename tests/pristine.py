"""A PostgreSQL database that can be put back as it was.

Copying a template of eighty tables takes PostgreSQL three quarters of a second, most of it in the file system. Few
tests change more than a few rows, so the tables they changed are filled again instead, in some hundredths.
"""

from __future__ import annotations

from dataclasses import dataclass

import psycopg
import sqlalchemy as sa
from psycopg import sql

#: Every table whose rows are the shape of the database: tables, columns, constraints, triggers, functions.
_CATALOGUES = ("pg_class", "pg_attribute", "pg_constraint", "pg_trigger", "pg_proc")
_TABLES = "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
_SEQUENCES = "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace"
_OTHERS = """FROM pg_stat_activity WHERE datname = current_database()
             AND pid <> pg_backend_pid() AND backend_type = 'client backend'"""
#: Put back so often, a table holds more dead rows than others; then a fresh copy is the better one.
_TIMES = 100


@dataclass(frozen=True)
class _Table:
    count: int
    rows: bytes


class Pristine:
    """What a database held when this was made, and the way back to it."""

    def __init__(self, url: sa.URL) -> None:
        self.url = url
        self._left = _TIMES
        address = url.set(drivername="postgresql").render_as_string(hide_password=False)
        # Kept open, because it has learnt where eighty tables are.
        self._connection = psycopg.connect(address, autocommit=True)
        connection = self._connection
        with connection.transaction():
            self._since = _number(connection)
            self._shape = _counts(connection, _CATALOGUES, self._since)
            counts = _counts(connection, _names(connection, _TABLES), self._since)
            self._tables = {name: _Table(count, _read(connection, name)) for name, (count, _) in counts.items()}
            self._sequences = _positions(connection, _names(connection, _SEQUENCES))

    def restore(self) -> bool:
        """Cut all connections and put every row back; False if that cannot be done because tables have changed."""
        try:
            return self._restore(self._connection)
        except psycopg.OperationalError:
            return False  # a test that cuts connections cut this one too

    def _restore(self, connection: psycopg.Connection) -> bool:
        self._left -= 1
        with connection.transaction():
            _cut_others(connection)
            if not self._left or _counts(connection, _CATALOGUES, self._since) != self._shape:
                return False
            # Neither triggers nor foreign keys: these rows have satisfied them before.
            connection.execute("SET LOCAL session_replication_role = replica")
            for name, (count, new) in _counts(connection, tuple(self._tables), self._since).items():
                if new or count != self._tables[name].count:
                    _put_back(connection, name, self._tables[name], self._since)
            moved = set(_positions(connection, tuple(self._sequences)).items()) - set(self._sequences.items())
            for name, _ in moved:
                connection.execute("SELECT setval(%s::regclass, %s, %s)", (name, *self._sequences[name]))
            self._since = _number(connection)
        return True

    def close(self) -> None:
        """Let go of the database; it cannot be put back any more."""
        self._connection.close()


def _names(connection: psycopg.Connection, query: str) -> tuple[str, ...]:
    return tuple(name for (name,) in connection.execute(query))  # type: ignore[arg-type]


def _number(connection: psycopg.Connection) -> str:
    """Return the number of this transaction: a row carries that of the transaction that wrote it."""
    row = connection.execute("SELECT pg_current_xact_id()::xid::text").fetchone()
    assert row is not None
    return str(row[0])


def _cut_others(connection: psycopg.Connection) -> None:
    """End all other connections, and wait for those that were in a transaction: the others hold nothing."""
    connection.execute(f"SELECT pg_terminate_backend(pid, 20000) {_OTHERS} AND state <> 'idle'")
    connection.execute(f"SELECT pg_terminate_backend(pid) {_OTHERS}")


def _counts(connection: psycopg.Connection, names: tuple[str, ...], since: str) -> dict[str, tuple[int, int]]:
    """Return how many rows each table has, and how many were written after transaction ``since``.

    The numbers on the rows, unlike statements seen on their way, tell what triggers and other processes wrote too.
    """
    each = f"SELECT {{0}}, count(*), count(*) FILTER (WHERE age(xmin) < age('{since}'::xid)) FROM {{1}}"
    return {name: (count, new) for name, count, new in _of_each(connection, each, names)}


def _put_back(connection: psycopg.Connection, name: str, table: _Table, since: str) -> None:
    """Take out what was written since; if rows are missing then, they were changed or deleted: fill it anew."""
    connection.execute(f"DELETE FROM {name} WHERE age(xmin) < age('{since}'::xid)")  # type: ignore[arg-type]
    ((count,),) = connection.execute(f"SELECT count(*) FROM {name}")  # type: ignore[arg-type]
    if count != table.count:
        connection.execute(f"DELETE FROM {name}")  # type: ignore[arg-type]
        with connection.cursor().copy(f"COPY {name} FROM STDIN (FORMAT binary)") as copy:  # type: ignore[arg-type]
            copy.write(table.rows)


def _positions(connection: psycopg.Connection, names: tuple[str, ...]) -> dict[str, tuple[int, bool]]:
    each = "SELECT {0}, last_value, is_called FROM {1}"
    return {name: (value, called) for name, value, called in _of_each(connection, each, names)}


def _of_each(connection: psycopg.Connection, query: str, names: tuple[str, ...]) -> list[tuple[str, int, int]]:
    """Return the rows of the same query on each of several relations, asked in one statement."""
    if not names:
        return []
    # The database itself has quoted the names where they need it.
    parts = [sql.SQL(query).format(sql.Literal(name), sql.SQL(name)) for name in names]  # type: ignore[arg-type]
    return list(connection.execute(sql.SQL(" UNION ALL ").join(parts)))


def _read(connection: psycopg.Connection, name: str) -> bytes:
    with connection.cursor().copy(f"COPY {name} TO STDOUT (FORMAT binary)") as rows:  # type: ignore[arg-type]
        return b"".join(map(bytes, rows))
