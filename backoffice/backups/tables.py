"""The tables of a database, read and filled, alike on SQLite and PostgreSQL.

What there is is asked of the database, not of the declarations: a backup may be older than the program.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from backoffice import migrate
from backoffice.backups.refusal import Refused
from backoffice.backups.rows import NULL, Column, Kind, Tally, reader_of, writer_of
from backoffice.database import begin_writing

#: How PostgreSQL writes what it would write in another way than SQLite.
_EXPRESSIONS = {
    Kind.boolean: "{0}::integer",
    Kind.instant: "to_char({0} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')",
    Kind.time: "to_char({0}, 'HH24:MI:SS.US')",
}
_COPY = "(FORMAT text, ENCODING 'UTF8')"
_NOT_OURS = ("alembic_version",)


@dataclass(frozen=True)
class Table:
    """A table as it stands in a database: its columns, and those that its rows are put in order by."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]

    @property
    def column_list(self) -> str:
        return ", ".join(f'"{column.name}"' for column in self.columns)


@contextmanager
def snapshot(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Yield a connection to which the database stands still, while others go on writing and none migrates it."""
    if engine.dialect.name == "sqlite":
        with begin_writing(False), engine.connect() as connection:
            connection.exec_driver_sql("SELECT count(*) FROM sqlite_master")  # from here on it stands still
            yield connection
        return
    with engine.connect() as connection, migrate.held_still(connection):
        connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with connection.begin():
            connection.exec_driver_sql("SET LOCAL datestyle = 'ISO, YMD'")
            yield connection


def read_tables(connection: sa.Connection) -> dict[str, Table]:
    """Return every table of the product by name.

    :raises Refused: a column is of a type that backups do not know.
    """
    inspector = sa.inspect(connection)
    found = {}
    for name in sorted(inspector.get_table_names()):
        if name in _NOT_OURS:
            continue
        columns = tuple(_column(name, column) for column in inspector.get_columns(name))
        key = inspector.get_pk_constraint(name)["constrained_columns"]
        found[name] = Table(name, columns, tuple(key) or tuple(column.name for column in columns))
    return found


_KINDS: tuple[tuple[Any, Kind], ...] = (
    (sa.Boolean, Kind.boolean),
    (sa.Integer, Kind.integer),
    (sa.JSON, Kind.json),
    (sa.String, Kind.text),
    (sa.DateTime, Kind.instant),
    (sa.Date, Kind.date),
    (sa.Time, Kind.time),
    (sa.LargeBinary, Kind.binary),
)


def _column(table: str, found: Any) -> Column:
    name, type_ = found["name"], found["type"]
    if isinstance(type_, sa.Numeric) and type_.scale is not None:
        return Column(name, Kind.number, type_.scale)
    kind = next((kind for class_, kind in _KINDS if isinstance(type_, class_)), None)
    if kind is None:
        raise Refused(f"Column {name} of table {table} is of type {type_}, which backups do not know.")
    return Column(name, kind)


def read_lines(connection: sa.Connection, table: Table) -> Iterator[bytes]:
    """Yield the rows of a table in the order of its key, each as a line of text; never more than a few at a time."""
    return _read_sqlite(connection, table) if connection.dialect.name == "sqlite" else _read_copy(connection, table)


def _read_sqlite(connection: sa.Connection, table: Table) -> Iterator[bytes]:
    order = ", ".join(f'"{name}"' for name in table.key)
    rows = _driver(connection).execute(f'SELECT {table.column_list} FROM "{table.name}" ORDER BY {order}')  # noqa: S608
    writers = [writer_of(column) for column in table.columns]
    for row in rows:
        fields = (NULL if value is None else write(value) for write, value in zip(writers, row, strict=True))
        yield ("\t".join(fields) + "\n").encode()


def _read_copy(connection: sa.Connection, table: Table) -> Iterator[bytes]:
    # Columns with a time zone and without hold UTC both; only the former may be converted.
    zoned = {
        column["name"]
        for column in sa.inspect(connection).get_columns(table.name)
        if getattr(column["type"], "timezone", False)
    }
    kinds = {column.name: column.kind for column in table.columns}
    values = []
    for name, kind in kinds.items():
        expression = _EXPRESSIONS.get(kind, "{0}")
        if kind is Kind.instant and name not in zoned:
            expression = expression.replace(" AT TIME ZONE 'UTC'", "")
        values.append(expression.format(f'"{name}"'))
    order = ", ".join(f'"{name}"' + (' COLLATE "C"' if kinds[name] is Kind.text else "") for name in table.key)
    query = f'SELECT {", ".join(values)} FROM "{table.name}" ORDER BY {order}'  # noqa: S608 - names of the database
    with _driver(connection).cursor() as cursor, cursor.copy(f"COPY ({query}) TO STDOUT {_COPY}") as copy:
        rest = b""
        for block in copy:  # a row as a rule, though nobody promises it
            *lines, rest = (rest + bytes(block)).split(b"\n")
            for line in lines:
                yield line + b"\n"


def fill(connection: sa.Connection, table: Table, lines: Iterable[bytes]) -> None:
    """Write lines into an empty table whose foreign keys do not hold for the moment."""
    if connection.dialect.name == "sqlite":
        readers = [reader_of(column) for column in table.columns]
        marks = ", ".join("?" * len(table.columns))
        insert = f'INSERT INTO "{table.name}" ({table.column_list}) VALUES ({marks})'  # noqa: S608
        _driver(connection).executemany(insert, (_values(readers, line) for line in lines))
        return
    with (
        _driver(connection).cursor() as cursor,
        cursor.copy(f'COPY "{table.name}" ({table.column_list}) FROM STDIN {_COPY}') as copy,
    ):
        for line in lines:
            copy.write(line)


def _values(readers: list[Any], line: bytes) -> list[Any]:
    fields = line.decode().removesuffix("\n").split("\t")
    return [read(field) for read, field in zip(readers, fields, strict=True)]


def count_and_sum(connection: sa.Connection, table: Table) -> Tally:
    """Return the number of rows of a table, and their sum."""
    tally = Tally(table.columns)
    for line in read_lines(connection, table):
        tally.add(line)
    return tally


def read_last_keys(connection: sa.Connection) -> dict[str, int]:
    """Return the last key that was ever given, by table: the next row must not get it again."""
    if connection.dialect.name == "sqlite":
        rows = connection.exec_driver_sql("SELECT name, seq FROM sqlite_sequence")
    else:
        # Outside of any snapshot, so rather too high than too low.
        rows = connection.exec_driver_sql(
            "SELECT regexp_replace(sequencename, '_id_seq$', ''), last_value FROM pg_sequences "
            "WHERE schemaname = 'public' AND last_value IS NOT NULL"
        )
    return {name: key for name, key in rows if name not in _NOT_OURS}


def write_last_keys(connection: sa.Connection, keys: dict[str, int]) -> None:
    """Have the next row of every table get a key beyond the last that was ever given."""
    if connection.dialect.name == "sqlite":
        counted = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%'")
        connection.exec_driver_sql("DELETE FROM sqlite_sequence")
        for name in counted.scalars().all():
            last = f'SELECT max(?, coalesce(max(id), 0)) FROM "{name}"'  # noqa: S608 - a name of the database
            key = connection.exec_driver_sql(last, (keys.get(name, 0),)).scalar_one()
            if key:
                connection.exec_driver_sql("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (name, key))
        return
    sequences = connection.exec_driver_sql("SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'")
    for sequence in sequences.scalars().all():
        table = sequence.removesuffix("_id_seq")
        last = f'SELECT greatest(%s, max(id)) FROM "{table}"'  # noqa: S608 - a name of the database
        key = connection.exec_driver_sql(last, (keys.get(table, 0),)).scalar_one()
        if key:
            connection.exec_driver_sql("SELECT setval(%s, %s, true)", (sequence, key))


def _driver(connection: sa.Connection) -> Any:
    connection.execute(sa.select(1)).scalar()  # begins the transaction, which the driver knows nothing of
    return connection.connection.driver_connection
