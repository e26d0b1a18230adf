"""How often strangers may send the forms of the client area (AR-24)."""

from __future__ import annotations

from datetime import timedelta

from flask import request

from backoffice import clock
from backoffice.operations.attempt_counters import TooManyAttempts, count_within, network_of
from views.client_area import door

#: So many forms of one kind an address may send within a minute, and may be sent for one e-mail within an hour.
PER_MINUTE, PER_EMAIL = 10, 5
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
