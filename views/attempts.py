"""Trying to enter by name and password: the same three steps at the desk, at the API and in the client area."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from flask import Response, request

from backoffice.actors import SYSTEM, Context, Door
from backoffice.database import RecordSession, begin_writing, open_session
from backoffice.errors import DomainError
from backoffice.operations.attempt_counters import TooManyAttempts
from backoffice.operations.sign_in import (
    Attempt,
    Realm,
    WrongCredentials,
    begin_attempt,
    finish_attempt,
)
from backoffice.passwords import is_right
from views.door import engine

Found = TypeVar("Found")


def try_to_enter(
    realm: Realm,
    name: str,
    password: str,
    door: Door,
    let_in: Callable[[RecordSession, Attempt], Found | None],
    *,
    entering: bool = True,
    waits: Callable[[RecordSession, Attempt], bool] = lambda _records, _attempt: False,
) -> Found:
    """Return what ``let_in`` makes of an attempt that proved right, in the transaction that writes it down.

    Each of the three steps is committed, so that attempts running at once all count. ``entering``: False where
    somebody who is in already shows once more who they are. ``waits``: whether something else is asked for first.

    :raises WrongCredentials: without saying what was wrong.
    :raises TooManyAttempts: the password was not even looked at.
    """
    context = Context(SYSTEM, door)
    with begin_writing(), open_session(engine(), context) as records, records.begin():
        attempt = begin_attempt(records, realm, name, request.remote_addr or "?", door=door)
    if attempt.wait is not None:
        raise TooManyAttempts(attempt.wait)
    right = is_right(attempt.password_hash, password)
    with begin_writing(), open_session(engine(), context) as records, records.begin():
        enters = entering and not (right and waits(records, attempt))
        finish_attempt(records, attempt, right=right, entering=enters)
        found = let_in(records, attempt) if right else None
    if found is None:
        raise WrongCredentials
    return found


def with_wait(response: Response, error: DomainError | None) -> Response:
    """Tell programs how long further attempts are refused."""
    if isinstance(error, TooManyAttempts):
        response.headers["Retry-After"] = str(error.seconds)
    return response


__all__ = ["try_to_enter", "with_wait"]
