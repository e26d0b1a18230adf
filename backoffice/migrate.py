"""Bring a database to a revision of the schema, write the next revision, or say where one stands.

``python -m backoffice.migrate`` has the commands; ``run.py`` offers those that an installation needs.
"""

from __future__ import annotations

import subprocess
import sys
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event
from sqlalchemy.pool import NullPool, StaticPool

import models  # noqa: F401 - declares the tables
from backoffice.schema_text import describe, differences
from models.base import Model

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"

#: The number all migrating processes agree on; any constant does.
_LOCK = 4_120_260_101
#: How long a process waits for another that is migrating the same SQLite file.
_PATIENCE_MS = 600_000


def upgrade(engine: sa.Engine, revision: str = "head") -> None:
    """Bring the database to ``revision``; any number of processes may try at once, and one does it.

    Raises a ``ClickException`` with one sentence when a newer program has migrated the database.
    """
    at = current(engine)
    if revision == "head" and at == head():
        return
    if at is not None and not knows(at):
        raise click.ClickException(
            f"The database is at revision {at}, which this version of the program does not know."
        )
    with _configured(engine) as config:
        command.upgrade(config, revision)


def rebuild(connection: sa.Connection, revision: str) -> None:
    """Make the tables of ``revision`` within the transaction of a connection that sees none (``postgresql_alone``)."""
    command.upgrade(_config(connection), revision)


def knows(revision: str) -> bool:
    """Say whether this program has the migration that made ``revision``."""
    return revision in {script.revision for script in ScriptDirectory.from_config(_config(None)).walk_revisions()}


def downgrade(engine: sa.Engine, revision: str) -> None:
    """Take the database back to ``revision`` (``base`` empties it)."""
    with _configured(engine) as config:
        command.downgrade(config, revision)


def current(engine: sa.Engine) -> str | None:
    """Return the revision the database is at, or None where it was never migrated."""
    with engine.connect() as connection:
        return revision_of(connection)


def revision_of(connection: sa.Connection) -> str | None:
    """Return the same as a connection sees it within its transaction."""
    return MigrationContext.configure(connection).get_current_revision()


def head() -> str | None:
    """Return the newest revision this program knows."""
    return ScriptDirectory.from_config(_config(None)).get_current_head()


@contextmanager
def held_still(connection: sa.Connection) -> Iterator[None]:
    """Keep every process from migrating a PostgreSQL database meanwhile; any number may ask for that at once."""
    connection.execute(sa.select(sa.func.pg_advisory_lock_shared(_LOCK)))
    connection.commit()
    try:
        yield
    finally:
        connection.rollback()
        connection.execute(sa.select(sa.func.pg_advisory_unlock_shared(_LOCK)))
        connection.commit()


def drift(engine: sa.Engine) -> list[str]:
    """Return a sentence for each difference between what the migrations and what the declarations make.

    ``engine`` says where: both are made in memory for SQLite, and as two databases, dropped
    afterwards, on the server of a PostgreSQL engine.
    """
    with _empty_database(engine) as migrated, _empty_database(engine) as declared:
        upgrade(migrated)
        Model.metadata.create_all(declared)
        return differences(describe(migrated), describe(declared))


def write_revision(message: str) -> Path:
    """Write the migration that leads from the present revisions to the declared schema; return its file."""
    scratch = sa.create_engine("sqlite://", poolclass=StaticPool)
    with _configured(scratch) as config, warnings.catch_warnings():
        # Tables refer to each other in circles; ``migrations/writing.py`` puts them in order.
        warnings.filterwarnings("ignore", "Cannot correctly sort tables", sa.exc.SAWarning)
        command.upgrade(config, "head")
        script: Any = command.revision(config, message, autogenerate=True)
    path = Path(script.path)
    if find_spec("ruff"):  # a tool of development, like writing migrations
        subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", path], check=True)
    return path


def rewrite_baseline() -> Path:
    """Replace the only migration by one of the present declarations; refuse once there are others.

    Meant for the time before the first release: afterwards databases exist that have run it.
    """
    versions = sorted((MIGRATIONS / "versions").glob("*.py"))
    if len(versions) > 1:
        raise click.ClickException("There are migrations after the baseline: write a new one instead.")
    for version in versions:
        version.unlink()
    return write_revision("baseline")


@contextmanager
def _empty_database(engine: sa.Engine) -> Iterator[sa.Engine]:
    if engine.dialect.name == "sqlite":
        memory = sa.create_engine("sqlite://", poolclass=StaticPool)
        yield memory
        memory.dispose()
        return
    name = f"drift_{uuid.uuid4().hex[:12]}"
    server = sa.create_engine(engine.url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE template0")
        try:
            yield sa.create_engine(engine.url.set(database=name), poolclass=NullPool)
        finally:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


def _config(connection: sa.Connection | None) -> Config:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.set_main_option("file_template", "%%(year)d%%(month).2d%%(day).2d_%%(hour).2d%%(minute).2d_%%(slug)s")
    return config


@contextmanager
def _configured(engine: sa.Engine) -> Iterator[Config]:
    """Yield what Alembic's commands need: a connection that no other process can migrate beside."""
    opened = _sqlite_alone if engine.dialect.name == "sqlite" else postgresql_alone
    with opened(engine) as connection:
        yield _config(connection)


@contextmanager
def postgresql_alone(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Yield a connection of its own, while no other process migrates, backs up or restores the database."""
    # A connection of its own: the application's have time limits that a migration may exceed.
    own = sa.create_engine(engine.url, poolclass=NullPool)
    with own.connect() as connection:
        # Of the session, not of the transaction, so that it also covers what must run outside of one.
        connection.execute(sa.select(sa.func.pg_advisory_lock(_LOCK)))
        connection.commit()
        try:
            yield connection
        finally:
            connection.rollback()
            connection.execute(sa.select(sa.func.pg_advisory_unlock(_LOCK)))
            connection.commit()


@contextmanager
def _sqlite_alone(engine: sa.Engine) -> Iterator[sa.Connection]:
    with _sqlite_connection(engine) as connection, connection.begin():
        yield connection
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        if broken:
            problem = ValueError(f"{len(broken)} broken references, first: {broken[0]}")
            raise sa.exc.IntegrityError("PRAGMA foreign_key_check", None, problem)


@contextmanager
def _sqlite_connection(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Yield a connection whose transactions are ours alone and may rebuild tables that others refer to."""
    if engine.url.database in (None, "", ":memory:"):
        with engine.connect() as borrowed:  # a database in memory lives in this one connection
            driver: Any = borrowed.connection.driver_connection
            own = sa.create_engine("sqlite://", creator=lambda: driver, poolclass=StaticPool)
            foreign_keys = driver.execute("PRAGMA foreign_keys").fetchone()[0]
            with _prepared(own).connect() as connection:
                yield connection
            driver.execute(f"PRAGMA foreign_keys={foreign_keys}")
            driver.execute("PRAGMA legacy_alter_table=OFF")
    else:
        with _prepared(sa.create_engine(engine.url, poolclass=NullPool)).connect() as connection:
            yield connection


def _prepared(engine: sa.Engine) -> sa.Engine:
    @event.listens_for(engine, "connect")
    def prepare(driver: Any, _record: Any) -> None:
        driver.isolation_level = None
        # A rebuilt table is dropped and renamed: nothing may cascade, no trigger may be rewritten meanwhile.
        for pragma in ("foreign_keys=OFF", "legacy_alter_table=ON", f"busy_timeout={_PATIENCE_MS}"):
            driver.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN EXCLUSIVE")

    return engine


@click.group()
def main() -> None:
    """Revisions of the schema."""


@main.command()
@click.argument("message")
def new(message: str) -> None:
    """Write the migration from the present revisions to the declared schema."""
    click.echo(write_revision(message))


@main.command()
def baseline() -> None:
    """Write the first migration anew (before the first release only)."""
    click.echo(rewrite_baseline())


@main.command("drift")
@click.option("--url", default="sqlite://", help="Server to compare on; nothing that is there is touched.")
def show_drift(url: str) -> None:
    """Compare what the migrations make with what the declarations make."""
    found = drift(sa.create_engine(url))
    for line in found:
        click.echo(line)
    raise SystemExit(1 if found else 0)


if __name__ == "__main__":
    main()
