"""The address of an account's calendar of deadlines: made, shown once, and taken back (issue 4)."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.history import recording
from backoffice.passwords import digest_of, new_token
from models.account import Account
from models.history_entry import EventName

_MAKE, _REVOKE = "account.make_calendar", "account.revoke_calendar"
EventName.words.update({_MAKE: _l("Make a calendar address"), _REVOKE: _l("Revoke the calendar address")})


def make_feed(session: Session, account: Account) -> str:
    """Give an account a new secret for its calendar and return it: it is stored nowhere. An earlier one is void.

    Records ``account.make_calendar``. Needs a session in which the system acts, on behalf of the person.
    """
    token = new_token()
    _set(session, account, digest_of(token), _MAKE)
    return token


def revoke_feed(session: Session, account: Account) -> None:
    """Let the address of an account's calendar lead nowhere. Records ``account.revoke_calendar``."""
    _set(session, account, None, _REVOKE)


def _set(session: Session, account: Account, digest: str | None, event: str) -> None:
    account.feed_digest, account.updated_at = digest, clock.now()
    with recording(session, account, event):
        session.flush()


__all__ = ["make_feed", "revoke_feed"]
