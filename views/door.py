"""The desk's door: whose request it is, its one session, and the one commit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from flask import Flask, current_app, g, request
from flask_login import current_user

from backoffice.actors import ANONYMOUS, SYSTEM, Actor, Context, Door
from backoffice.database import UNREACHABLE, RecordSession, begin_writing, open_session, will_write

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def install(app: Flask, engine: sa.Engine) -> None:
    """Give every request of ``app`` its context and session, and close them after it."""
    app.extensions["engine"] = engine
    app.before_request(_enter)
    app.teardown_request(_leave)


def _enter() -> None:
    # SQLite must be told before the first statement of a transaction that it is going to write.
    will_write(request.method not in _SAFE)


def _leave(_error: BaseException | None) -> None:
    close_session()
    will_write(False)  # whatever runs next in this thread says so itself


def engine() -> sa.Engine:
    """Return the engine of the running application."""
    return current_app.extensions["engine"]  # type: ignore[no-any-return]


def current_actor() -> Actor:
    """Return who makes this request: a member of staff with their rights, or nobody."""
    if "actor" not in g:
        g.actor = getattr(current_user, "actor", ANONYMOUS)
    return g.actor  # type: ignore[no-any-return]


def door() -> Door:
    """Return the door this request came in by, set by the surface it belongs to."""
    return getattr(g, "door", Door.desk)


def current_session() -> RecordSession:
    """Return the request's session, within the actor's scope."""
    if "record_session" not in g:
        g.record_session = open_session(engine(), Context(current_actor(), door()))
    return g.record_session  # type: ignore[no-any-return]


def commit() -> None:
    """Make the request's changes last: once a request, by the view that asked for them."""
    current_session().commit()


def fresh_session() -> Any:
    """Return the request's session as if new: after a refusal, what is stored and nothing of what was tried."""
    close_session()
    return current_session()


def close_session() -> None:
    """Let go of the request's session and of what it holds: what was read stays readable."""
    session: RecordSession | None = g.pop("record_session", None)
    if session is None:
        return
    try:
        session.close()
    except UNREACHABLE:
        # Nothing is left to roll back where the connection has gone.
        session.invalidate()


def read_again() -> RecordSession:
    """Return a new session for a request that was to write and will only say why it did not: without a write lock."""
    will_write(False)
    return fresh_session()  # type: ignore[no-any-return]


@contextmanager
def reading_as_system() -> Iterator[RecordSession]:
    """Open a second session, in which the product itself reads what nobody's scope decides; it never writes.

    On SQLite it must not ask for the write lock that the request's own session may hold.
    """
    with begin_writing(False), open_session(engine(), Context(SYSTEM, door())) as session:
        yield session
