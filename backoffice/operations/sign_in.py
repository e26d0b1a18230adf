"""Signing in: who is meant, whether the attempt is looked at at all, and what is remembered of it.

An attempt has three steps with a commit after each, because every attempt must count even while many run at
once: ``begin_attempt`` counts it, the door compares the password (slow, without a transaction),
``finish_attempt`` writes down what came of it. Counters are rows by account and address together, so that
whoever guesses from elsewhere never locks the owner out.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import INTERNAL
from backoffice.actors import Actor, Door
from backoffice.errors import DomainError
from backoffice.setting_keys import SIGN_IN_FAILURES, SIGN_IN_LONGEST_WAIT
from backoffice.settings import setting_value
from models.history_entry import Entrance, SignInEntry, SignInEvent
from models.reading import fold
from models.sign_in_failure import SignInFailure
from models.staff import Staff

#: The first wait, after as many failures as the settings allow; it doubles up to the longest one there.
FIRST_WAIT = timedelta(minutes=1)
#: Failures this old no longer count.
FORGOTTEN_AFTER = timedelta(hours=24)
#: Attempts an address may make within a minute, for whatever accounts.
ATTEMPTS_PER_MINUTE = 30
DESK = "desk"


class WrongCredentials(DomainError):
    """Unknown name, wrong password or passive user: nobody learns which."""

    template = _l("User name or password are not right.")
    status = 401


class TooManyAttempts(DomainError):
    """Further attempts are not looked at for ``seconds``."""

    template = _l("Too many attempts: try again in %(minutes)s min.")
    status = 429

    def __init__(self, wait: timedelta) -> None:
        self.seconds = max(1, -int(-wait.total_seconds() // 1))
        super().__init__(minutes=-(-self.seconds // 60))


@dataclass(frozen=True)
class Attempt:
    """One try to sign in, on its way through the three steps."""

    #: The account's name, or the beginning of what was typed: it may be a password in the wrong field.
    written: str
    account: str
    address: str
    door: Door
    staff_id: int | None = None
    group_id: int | None = None
    #: None for unknown and passive users, whose passwords are never right.
    password_hash: str | None = None
    #: How long attempts are refused; None when this one is looked at.
    wait: timedelta | None = None


def begin_attempt(session: Session, name: str, address: str, *, door: Door, now: datetime | None = None) -> Attempt:
    """Count an attempt and return what is needed to judge it; commit afterwards, whatever comes of it."""
    now = now or clock.now()
    # Only what a database can hold: no control characters, no lone surrogates.
    typed = "".join(character for character in name[:1000] if character.isprintable()).strip()
    staff = _find_staff(session, typed)
    account = fold(staff.username if staff else typed)[:128] or "?"
    written = staff.username if staff else f"{typed[:3]}…"
    place = network_of(address)
    wait = _count_in_minute(session, place, now) or _count_failure(session, account, place, now)
    attempt = Attempt(written, account, address, door, wait=wait)
    if staff is None:
        return attempt
    stored = staff.password if staff.active else None
    return replace(attempt, staff_id=staff.id, group_id=staff.group_id, password_hash=stored)


def finish_attempt(
    session: Session, attempt: Attempt, *, right: bool, entering: bool = True, now: datetime | None = None
) -> None:
    """Write down what came of an attempt that was looked at; a right one clears its failures.

    ``entering``: whether the person comes in by it, or is in already and only shows who they are.
    """
    now = now or clock.now()
    counter = _counter(attempt.account, network_of(attempt.address))
    if right:
        old = _table.c.last_at < now - FORGOTTEN_AFTER
        session.execute(sa.delete(_table).where(sa.or_(sa.and_(*counter), old)), execution_options=INTERNAL)
        if entering:
            _write(session, SignInEvent.signed_in, attempt, now)
        return
    _write(session, SignInEvent.failed, attempt, now)
    until = session.scalar(sa.select(_table.c.locked_until).where(*counter), execution_options=INTERNAL)
    if until and until > now:
        _write(session, SignInEvent.locked, attempt, now)


def record_sign_out(session: Session, actor: Actor, username: str, address: str, *, door: Door) -> None:
    """Write down that a member of staff left."""
    attempt = Attempt(username, fold(username), address, door, actor.staff_id, actor.group_id)
    _write(session, SignInEvent.signed_out, attempt, clock.now())


def wait_after(session: Session, failures: int) -> timedelta | None:
    """Return how long the next attempt must wait after so many failures in a row, or None."""
    free = setting_value(session, SIGN_IN_FAILURES)
    if failures < free:
        return None
    longest = timedelta(minutes=setting_value(session, SIGN_IN_LONGEST_WAIT))
    return min(FIRST_WAIT * (1 << min(failures - free, 16)), longest)


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


_table: Any = SignInFailure.__table__


def _counter(account: str, place: str) -> tuple[Any, ...]:
    return _table.c.realm == DESK, _table.c.account == account, _table.c.address == place


def _count_in_minute(session: Session, place: str, now: datetime) -> timedelta | None:
    """Count an attempt of an address; return the wait when it has had its number for this minute."""
    _ensure_counter(session, "", place, now)
    expired = _table.c.last_at <= now - timedelta(minutes=1)
    values = {
        "attempts": sa.case((expired, 1), else_=_table.c.attempts + 1),
        "last_at": sa.case((expired, now), else_=_table.c.last_at),
    }
    statement = sa.update(_table).where(*_counter("", place)).values(values)
    row = session.execute(statement.returning(_table.c.attempts, _table.c.last_at), execution_options=INTERNAL).one()
    until: datetime = row.last_at + timedelta(minutes=1)
    return until - now if row.attempts > ATTEMPTS_PER_MINUTE else None


def _count_failure(session: Session, account: str, place: str, now: datetime) -> timedelta | None:
    """Count an attempt as a failure until it proves right; return the wait when it is not looked at."""
    _ensure_counter(session, account, place, now)
    counter = _counter(account, place)
    old = _table.c.last_at < now - FORGOTTEN_AFTER
    unlocked = sa.or_(_table.c.locked_until.is_(None), _table.c.locked_until <= now)
    statement = (
        sa.update(_table)
        .where(*counter, unlocked)
        .values(attempts=sa.case((old, 1), else_=_table.c.attempts + 1), last_at=now)
        .returning(_table.c.attempts)
    )
    attempts = session.scalar(statement, execution_options=INTERNAL)
    if attempts is None:
        locked: datetime | None = session.scalar(
            sa.select(_table.c.locked_until).where(*counter), execution_options=INTERNAL
        )
        return locked - now if locked else FIRST_WAIT
    wait = wait_after(session, attempts)
    until = now + wait if wait else None
    session.execute(sa.update(_table).where(*counter).values(locked_until=until), execution_options=INTERNAL)
    return None


def _ensure_counter(session: Session, account: str, place: str, now: datetime) -> None:
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = insert(_table).values(realm=DESK, account=account, address=place, attempts=0, last_at=now)
    session.execute(statement.on_conflict_do_nothing(), execution_options=INTERNAL)


def _find_staff(session: Session, name: str) -> Staff | None:
    """Return who signs in by that user name or e-mail, whatever the case: both are kept in small letters."""
    wanted = name.lower()
    same = sa.or_(Staff.username == wanted, Staff.email == wanted)
    return session.scalars(sa.select(Staff).where(same)).one_or_none()


def _write(session: Session, event: SignInEvent, attempt: Attempt, now: datetime) -> None:
    values = {
        "at": now,
        "event": event,
        "username": attempt.written[:254],
        "staff_id": attempt.staff_id,
        "group_id": attempt.group_id,
        "address": attempt.address[:64],
        "door": Entrance[attempt.door.name],
    }
    session.execute(sa.insert(SignInEntry.__table__).values(values), execution_options=INTERNAL)
