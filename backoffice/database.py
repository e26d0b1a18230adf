"""Engines for both databases, and the one kind of session everything reads and writes through."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Session

from backoffice import access, bookkeeping, clock
from backoffice.actors import Context
from backoffice.errors import DomainError, TooSlow, Unavailable
from models.reading import fold

#: What is raised when the database is busy or gone, or has no connection left for us.
UNREACHABLE = (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError)

#: Errors are logged with their statement, but never with the values, which may be somebody's.
_QUIET: dict[str, Any] = {"hide_parameters": True}
#: Whether the transaction about to begin will write: SQLite must know before its first statement.
_writing: ContextVar[bool] = ContextVar("writing", default=False)


def will_write(writes: bool) -> None:
    """Say for the rest of this thread's request whether its transactions will write: see ``begin_writing``."""
    _writing.set(writes)


@contextmanager
def begin_writing(writes: bool = True) -> Iterator[None]:
    """Say that transactions begun inside will write (or not).

    On SQLite they begin IMMEDIATE, so that two writers queue instead of one failing half-way;
    PostgreSQL needs nothing.
    """
    token = _writing.set(writes)
    try:
        yield
    finally:
        _writing.reset(token)


def make_engine(url: str | sa.URL, *, statement_timeout_ms: int = 30_000, pool_size: int = 20) -> sa.Engine:
    """Return an engine for ``url``, prepared for our transactions on either database."""
    url = sa.make_url(url)
    if url.get_backend_name() == "sqlite":
        engine = sa.create_engine(
            url, connect_args={"check_same_thread": False, "timeout": 15}, pool_size=pool_size, **_QUIET
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    options = f"-c timezone=utc -c statement_timeout={statement_timeout_ms} -c lock_timeout=10000 -c jit=off"
    engine = sa.create_engine(
        url, connect_args={"options": options}, pool_size=pool_size, max_overflow=2, pool_pre_ping=True, **_QUIET
    )
    engine.update_execution_options(statement_timeout_ms=statement_timeout_ms)
    return engine


@contextmanager
def opened(url: str | sa.URL) -> Iterator[sa.Engine]:
    """Yield an engine for the length of a command; the folder of an SQLite file is made where there is none."""
    address = sa.make_url(url)
    if address.get_backend_name() == "sqlite":
        Path(str(address.database)).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Commands may take their time; only pages are held to the statement timeout.
    engine = make_engine(address, statement_timeout_ms=0)
    try:
        yield engine
    finally:
        engine.dispose()


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver would begin transactions behind our back, too late and of the wrong kind.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=15000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
    connection.create_function("folded", 1, lambda text: None if text is None else fold(text), deterministic=True)
    connection.create_function("month_of_instant", 1, clock.month_in_italy, deterministic=True)


def _begin_sqlite(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE" if _writing.get() else "BEGIN")


class RecordSession(Session):
    """A session that shows and changes only what its context's actor may, and keeps the books while it does."""


event.listen(RecordSession, "do_orm_execute", access.restrict_statement)
event.listen(RecordSession, "before_flush", bookkeeping.before_flush)
event.listen(RecordSession, "after_flush", bookkeeping.after_flush)


def open_session(bind: sa.Engine | sa.Connection, context: Context | None) -> RecordSession:
    """Return a session for the work that ``context`` describes; without one it refuses every statement."""
    return RecordSession(bind, info={"context": context}, expire_on_commit=False, autoflush=False)


@contextmanager
def time_limited(session: Session, milliseconds: int) -> Iterator[None]:
    """Let the statements inside take at most so long; raise ``TooSlow`` when one does not keep to it."""
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        guard = _limit_sqlite(connection, milliseconds)
    else:
        guard = _limit_postgresql(connection, milliseconds)
    with guard:
        try:
            yield
        except sa.exc.OperationalError as error:
            if _was_cut_short(error):
                raise TooSlow from error
            raise


@contextmanager
def _limit_sqlite(connection: sa.Connection, milliseconds: int) -> Iterator[None]:
    # About 10,000 virtual machine steps pass between two calls; a few million pass in a second.
    calls = iter(range(milliseconds * 2))
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.set_progress_handler(lambda: 0 if next(calls, None) is not None else 1, 10_000)
    try:
        yield
    finally:
        driver.set_progress_handler(None, 0)


@contextmanager
def _limit_postgresql(connection: sa.Connection, milliseconds: int) -> Iterator[None]:
    usual = int(connection.get_execution_options()["statement_timeout_ms"])
    if 0 < usual <= milliseconds:
        yield  # every statement of these connections keeps to as much
        return
    connection.exec_driver_sql(f"SET LOCAL statement_timeout = {int(milliseconds)}")
    yield
    connection.exec_driver_sql(f"SET LOCAL statement_timeout = {usual}")


def refusal_of(error: Exception) -> DomainError:
    """Return what people are told about one of ``UNREACHABLE``: the question took too long, or nobody answered."""
    return TooSlow() if _was_cut_short(error) else Unavailable()


def _was_cut_short(error: Exception) -> bool:
    orig = getattr(error, "orig", None)
    return "interrupted" in str(orig) or getattr(orig, "sqlstate", None) == "57014"
