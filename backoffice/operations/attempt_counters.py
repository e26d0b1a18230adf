"""Counting what strangers try: rows by what is tried, for whom and from where, so that all processes count together."""

from __future__ import annotations

import ipaddress
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from backoffice.access import INTERNAL
from backoffice.errors import DomainError
from models.sign_in_failure import SignInFailure

table: Any = SignInFailure.__table__


class TooManyAttempts(DomainError):
    """Further attempts are not looked at for ``seconds``."""

    template = _l("Too many attempts: try again in %(minutes)s min.")
    status = 429

    def __init__(self, wait: timedelta) -> None:
        self.seconds = max(1, -int(-wait.total_seconds() // 1))
        super().__init__(minutes=-(-self.seconds // 60))


def network_of(address: str) -> str:
    """Return what one person can hardly change: an IPv4 address, or the first half of an IPv6 one."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if parsed.version == 6:
        mapped = parsed.ipv4_mapped
        return str(mapped) if mapped else str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def counter(realm: str, account: str, place: str) -> tuple[Any, ...]:
    """Return the conditions that find one counter."""
    return table.c.realm == realm, table.c.account == account, table.c.address == place


def ensure_counter(session: Session, realm: str, account: str, place: str, now: datetime) -> None:
    """Make a counter where there is none yet."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = insert(table).values(realm=realm, account=account, address=place, attempts=0, last_at=now)
    session.execute(statement.on_conflict_do_nothing(), execution_options=INTERNAL)


def count_within(
    session: Session, realm: str, account: str, place: str, now: datetime, *, most: int, window: timedelta
) -> timedelta | None:
    """Count an attempt; return how long to wait where there were more than ``most`` within ``window``, else None."""
    ensure_counter(session, realm, account, place, now)
    expired = table.c.last_at <= now - window
    values = {
        "attempts": sa.case((expired, 1), else_=table.c.attempts + 1),
        "last_at": sa.case((expired, now), else_=table.c.last_at),
    }
    statement = sa.update(table).where(*counter(realm, account, place)).values(values)
    row = session.execute(statement.returning(table.c.attempts, table.c.last_at), execution_options=INTERNAL).one()
    until: datetime = row.last_at + window
    return until - now if row.attempts > most else None


def forget_count(session: Session, realm: str, account: str, place: str) -> None:
    """Begin counting anew: an attempt was right."""
    session.execute(sa.delete(table).where(*counter(realm, account, place)), execution_options=INTERNAL)


__all__ = ["TooManyAttempts", "count_within", "counter", "ensure_counter", "forget_count", "network_of", "table"]
