"""The address of somebody's calendar: made, shown once, and taken back; of clients and of staff (issues 4 and 5)."""

from __future__ import annotations

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.actors import Actor
from backoffice.history import recording
from backoffice.identity import find_identity
from backoffice.passwords import digest_of, new_token
from models.account import Account
from models.history_entry import EventName
from models.staff import Staff

for _table in (Account.__table__.name, Staff.__table__.name):
    EventName.words[f"{_table}.make_calendar"] = _l("Make a calendar address")
    EventName.words[f"{_table}.revoke_calendar"] = _l("Revoke the calendar address")


def make_feed(session: Session, holder: Account | Staff) -> str:
    """Give somebody a new secret for their calendar and return it: it is stored nowhere. An earlier one is void.

    Records ``<table>.make_calendar``. Needs a session in which the system acts, on behalf of the person.
    """
    token = new_token()
    _set(session, holder, digest_of(token), "make_calendar")
    return token


def revoke_feed(session: Session, holder: Account | Staff) -> None:
    """Let the address of somebody's calendar lead nowhere. Records ``<table>.revoke_calendar``."""
    _set(session, holder, None, "revoke_calendar")


def _set(session: Session, holder: Account | Staff, digest: str | None, verb: str) -> None:
    holder.feed_digest, holder.updated_at = digest, clock.now()
    with recording(session, holder, f"{holder.__table__.name}.{verb}"):
        session.flush()


def find_colleague(session: Session, token: str) -> Actor | None:
    """Return whose calendar an address of the desk is, with their rights as they are now; None where it is nobody's, or
    somebody's who may not sign in any more. Needs a session in which the system acts.
    """
    key = session.scalar(sa.select(Staff.id).where(Staff.feed_digest == digest_of(token)))
    identity = find_identity(session, key) if key is not None else None
    return identity.actor if identity is not None and identity.active else None


__all__ = ["find_colleague", "make_feed", "revoke_feed"]
