"""Putting back what a backup holds: the whole of it, or nothing."""

from __future__ import annotations

import os
import sqlite3
import uuid
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa

from backoffice import migrate
from backoffice.backups.archive import Manifest, file_name, lines_of
from backoffice.backups.refusal import Refused
from backoffice.backups.tables import Table, count_and_sum, fill, read_tables, write_last_keys
from backoffice.database import begin_writing, make_engine
from backoffice.files.store import FileStore, digest

#: How long the file of an SQLite database may be in use by others: so many tries of 100 ms.
_TRIES = 100


def count_rows(engine: sa.Engine) -> dict[str, int]:
    """Return how many rows each table has, the largest first, tables without rows left out."""
    quote = engine.dialect.identifier_preparer.quote
    with engine.connect() as connection:
        names = (name for name in sa.inspect(connection).get_table_names() if name != "alembic_version")
        counts = {
            name: connection.exec_driver_sql(f"SELECT count(*) FROM {quote(name)}").scalar_one()  # noqa: S608
            for name in names
        }
    return dict(sorted(((n, c) for n, c in counts.items() if c), key=lambda pair: (-pair[1], pair[0])))


def restore(engine: sa.Engine, files: FileStore, path: Path, manifest: Manifest) -> None:
    """Make the database what the backup holds, whatever it held before, and bring it to the newest revision.

    ``manifest`` is what verifying the backup returned. Sums are compared before anything becomes visible.

    :raises Refused: the database is in use, or does not take the backup; it is as it was before then.
    """
    with _told_in_a_sentence(), zipfile.ZipFile(path) as archive:
        # Files first, so that no row ever misses its file.
        for key, sum_ in manifest.files.items():
            _restore_file(archive, files, key, sum_)
        if engine.dialect.name == "sqlite":
            _restore_sqlite(engine, archive, manifest)
        else:
            _restore_postgresql(engine, archive, manifest)


@contextmanager
def _told_in_a_sentence() -> Iterator[None]:
    try:
        yield
    except (sa.exc.DBAPIError, psycopg.Error, sqlite3.Error) as error:
        reason = str(getattr(error, "orig", None) or error).partition("\n")[0]
        raise Refused(
            f"The database is as it was before, because it did not take the backup: {reason}. "
            "Is it in use? Stop everything that serves from it first."
        ) from error


def _restore_file(archive: zipfile.ZipFile, files: FileStore, key: str, sum_: str) -> None:
    there = files.get(key)
    if there is None or digest(there) != sum_:
        files.delete(key)
        files.put(key, archive.read(file_name(key)))


def _restore_postgresql(engine: sa.Engine, archive: zipfile.ZipFile, manifest: Manifest) -> None:
    """Do it all in one transaction; without the foreign keys, which are made again when all rows are there."""
    with migrate.postgresql_alone(engine) as connection, connection.begin():
        for setting in ("timezone = 'UTC'", "datestyle = 'ISO, YMD'", "lock_timeout = '10s'"):
            connection.exec_driver_sql(f"SET LOCAL {setting}")
        _drop_everything(connection)
        migrate.rebuild(connection, manifest.revision)
        constraints = connection.exec_driver_sql(
            "SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint "
            "WHERE contype = 'f' AND connamespace = 'public'::regnamespace"
        ).all()
        for table, name, _definition in constraints:
            connection.exec_driver_sql(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        _fill(connection, archive, manifest)
        for table, name, definition in constraints:
            connection.exec_driver_sql(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
        connection.exec_driver_sql("ANALYZE")
    migrate.upgrade(engine)


def _drop_everything(connection: sa.Connection) -> None:
    kinds = (("TABLE", "pg_tables", "tablename"), ("SEQUENCE", "pg_sequences", "sequencename"))
    for kind, catalogue, column in kinds:
        query = f"SELECT quote_ident({column}) FROM {catalogue} WHERE schemaname = 'public'"  # noqa: S608
        names = connection.exec_driver_sql(query).scalars().all()
        if names:
            connection.exec_driver_sql(f"DROP {kind} {', '.join(names)} CASCADE")


def _restore_sqlite(engine: sa.Engine, archive: zipfile.ZipFile, manifest: Manifest) -> None:
    """Build a database beside it, and copy that into its place in one transaction when it is whole."""
    place = Path(str(engine.url.database))
    draft = place.with_name(f".{place.name}.{uuid.uuid4().hex[:8]}.restoring")
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL, 0o600))
    own = make_engine(engine.url.set(database=str(draft)))
    try:
        migrate.upgrade(own, manifest.revision)
        with begin_writing(), own.connect() as connection:
            driver: Any = connection.connection.driver_connection
            driver.execute("PRAGMA foreign_keys=OFF")  # only outside of a transaction
            _fill(connection, archive, manifest)
            if connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                raise Refused("The backup holds references to rows that are not in it: nothing was restored.")
            connection.commit()
        migrate.upgrade(own)
        own.dispose()
        engine.dispose()
        _copy(draft, place)
    finally:
        own.dispose()
        for suffix in ("", "-wal", "-shm"):
            Path(f"{draft}{suffix}").unlink(missing_ok=True)


def _copy(draft: Path, place: Path) -> None:
    """Through SQLite, not as a file: processes that have the database open see the new one, and never half of it."""
    tries = iter(range(_TRIES))

    def give_up(status: int, _remaining: int, _total: int) -> None:
        if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) and next(tries, None) is None:
            raise sqlite3.OperationalError("database is locked")

    with closing(sqlite3.connect(draft)) as source, closing(sqlite3.connect(place, timeout=0.1)) as target:
        source.backup(target, progress=give_up, sleep=0.1)


def _fill(connection: sa.Connection, archive: zipfile.ZipFile, manifest: Manifest) -> None:
    """Fill the empty tables of the backup's revision, and compare them with the manifest."""
    there = read_tables(connection)
    if there.keys() != manifest.tables.keys():
        names = ", ".join(sorted(there.keys() ^ manifest.tables.keys()))
        raise Refused(f"The tables of the backup are not those of its revision ({names}): nothing was restored.")
    for name, content in manifest.tables.items():
        table = Table(name, content.columns, there[name].key)
        if set(content.columns) != set(there[name].columns):
            raise Refused(f"Table {name} of the backup has other columns than at its revision: nothing was restored.")
        connection.exec_driver_sql(f'DELETE FROM "{name}"')  # noqa: S608 - what a migration may have put there
        fill(connection, table, lines_of(archive, name))
        tally = count_and_sum(connection, table)
        if (tally.rows, tally.sum) != (content.rows, content.sha256):
            raise Refused(f"Table {name} has not become what the backup holds: nothing was restored.")
    write_last_keys(connection, {name: content.last_key or 0 for name, content in manifest.tables.items()})
