"""How often the forms of the client area may be sent, and that the time of an answer tells nothing (AR-24)."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any

from flask import current_app, request

from backoffice import clock
from backoffice.database import RecordSession
from backoffice.operations.attempt_counters import TooManyAttempts, count_within, network_of
from views.client_area import door

#: So many forms of one kind an address may send within a minute, and may be sent for one e-mail within an hour.
PER_MINUTE, PER_EMAIL = 10, 5
#: So many of one kind somebody who is signed in may have taken within an hour.
PER_ACCOUNT = 30
#: Stands for every network, where the e-mail alone is counted.
_ANYWHERE = "*"


def evenly(view: Callable[[], Any]) -> Callable[[], Any]:
    """Have every answer to a form leave no sooner than ``LEAST_ANSWER_SECONDS`` after it came.

    What is done for somebody known and for somebody unknown takes longer or shorter; whoever waits for it must not be
    able to tell. By then no transaction of the form is open.
    """

    @wraps(view)
    def timed() -> Any:
        began = time.monotonic()
        answer = view()
        if request.method == "POST":
            time.sleep(max(0, current_app.config["LEAST_ANSWER_SECONDS"] - (time.monotonic() - began)))
        return answer

    return timed


def count(form: str, email: str = "") -> None:
    """Count a form that was sent, in a transaction of its own.

    :raises TooManyAttempts: this network, or this e-mail, has had its number for now.
    """
    now, place = clock.now(), network_of(request.remote_addr or "?")
    with door.as_product(writes=True) as records:
        wait = count_within(records, form, "", place, now, most=PER_MINUTE, window=timedelta(minutes=1))
        if wait is None and email:
            name = email.lower()[:128]
            wait = count_within(records, form, name, _ANYWHERE, now, most=PER_EMAIL, window=timedelta(hours=1))
    if wait is not None:
        raise TooManyAttempts(wait)


def count_taken(records: RecordSession, form: str, email: str, *, most: int = PER_EMAIL) -> None:
    """Count a form for an e-mail in the transaction that takes it: one that is refused, and sent again, is not counted.

    :raises TooManyAttempts: this e-mail has had its number for now; nothing of the transaction lasts.
    """
    wait = count_within(
        records, form, email.lower()[:128], _ANYWHERE, clock.now(), most=most, window=timedelta(hours=1)
    )
    if wait is not None:
        raise TooManyAttempts(wait)
