"""How often the forms of the client area may be sent (AR-24)."""

from __future__ import annotations

from datetime import timedelta

from flask import request

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
