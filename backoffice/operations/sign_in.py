"""Signing in: who is meant, whether the attempt is looked at at all, and what is remembered of it.

An attempt has three steps with a commit after each, because every attempt must count even while many run at
once: ``begin_attempt`` counts it, the door compares the password (slow, without a transaction),
``finish_attempt`` writes down what came of it. Counters are rows by account and address together, so that
whoever guesses from elsewhere never locks the owner out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import INTERNAL
from backoffice.actors import Actor, Door
from backoffice.errors import DomainError
from backoffice.operations.attempt_counters import (
    count_within,
    counter,
    ensure_counter,
    network_of,
    table,
)
from backoffice.setting_keys import SIGN_IN_FAILURES, SIGN_IN_LONGEST_WAIT
from backoffice.settings import setting_value
from models.history_entry import Entrance, SignInEntry, SignInEvent
from models.reading import fold
from models.staff import Staff

#: The first wait, after as many failures as the settings allow; it doubles up to the longest one there.
FIRST_WAIT = timedelta(minutes=1)
#: Failures this old no longer count.
FORGOTTEN_AFTER = timedelta(hours=24)
#: Attempts an address may make within a minute, for whatever accounts.
ATTEMPTS_PER_MINUTE = 30


@dataclass(frozen=True)
class Candidate:
    """Whoever a typed name means, as far as an attempt needs to know."""

    username: str
    group_id: int | None
    #: None for those whose password is never right, such as passive users.
    password_hash: str | None
    staff_id: int | None = None
    account_id: int | None = None


@dataclass(frozen=True)
class Realm:
    """Where people sign in: the desk or the client area, whose names have nothing to do with each other."""

    code: str
    find: Callable[[Session, str], Candidate | None]


class WrongCredentials(DomainError):
    """Unknown name, wrong password or passive user: nobody learns which."""

    template = _l("User name or password are not right.")
    status = 401


@dataclass(frozen=True)
class Attempt:
    """One try to sign in, on its way through the three steps."""

    #: The account's name, or the beginning of what was typed: it may be a password in the wrong field.
    written: str
    account: str
    address: str
    door: Door
    realm: str
    staff_id: int | None = None
    account_id: int | None = None
    group_id: int | None = None
    #: None for unknown and passive users, whose passwords are never right.
    password_hash: str | None = None
    #: How long attempts are refused; None when this one is looked at.
    wait: timedelta | None = None


def begin_attempt(
    session: Session, realm: Realm, name: str, address: str, *, door: Door, now: datetime | None = None
) -> Attempt:
    """Count an attempt and return what is needed to judge it; commit afterwards, whatever comes of it."""
    now = now or clock.now()
    # Only what a database can hold: no control characters, no lone surrogates.
    typed = "".join(character for character in name[:1000] if character.isprintable()).strip()
    found = realm.find(session, typed)
    account = fold(found.username if found else typed)[:128] or "?"
    written = found.username if found else f"{typed[:3]}…"
    place = network_of(address)
    wait = _count_in_minute(session, realm.code, place, now) or _count_failure(session, realm.code, account, place, now)
    attempt = Attempt(written, account, address, door, realm.code, wait=wait)
    if found is None:
        return attempt
    return replace(
        attempt,
        staff_id=found.staff_id,
        account_id=found.account_id,
        group_id=found.group_id,
        password_hash=found.password_hash,
    )


def finish_attempt(
    session: Session, attempt: Attempt, *, right: bool, entering: bool = True, now: datetime | None = None
) -> None:
    """Write down what came of an attempt that was looked at; a right one clears its failures.

    ``entering``: whether the person comes in by it, or is in already and only shows who they are.
    """
    now = now or clock.now()
    own = counter(attempt.realm, attempt.account, network_of(attempt.address))
    if right:
        old = table.c.last_at < now - FORGOTTEN_AFTER
        session.execute(sa.delete(table).where(sa.or_(sa.and_(*own), old)), execution_options=INTERNAL)
        if entering:
            _write(session, SignInEvent.signed_in, attempt, now)
        return
    _write(session, SignInEvent.failed, attempt, now)
    until = session.scalar(sa.select(table.c.locked_until).where(*own), execution_options=INTERNAL)
    if until and until > now:
        _write(session, SignInEvent.locked, attempt, now)


def record_sign_out(session: Session, actor: Actor, username: str, address: str, *, door: Door) -> None:
    """Write down that somebody left."""
    record_event(session, SignInEvent.signed_out, actor, username, address, door=door)


def record_event(
    session: Session, event: SignInEvent, actor: Actor, username: str, address: str, *, door: Door
) -> None:
    """Write down what somebody known did at a door."""
    attempt = Attempt(
        username,
        fold(username),
        address,
        door,
        realm="",
        staff_id=actor.staff_id,
        account_id=actor.account_id,
        group_id=actor.group_id,
    )
    _write(session, event, attempt, clock.now())


def wait_after(session: Session, failures: int) -> timedelta | None:
    """Return how long the next attempt must wait after so many failures in a row, or None."""
    free = setting_value(session, SIGN_IN_FAILURES)
    if failures < free:
        return None
    longest = timedelta(minutes=setting_value(session, SIGN_IN_LONGEST_WAIT))
    return min(FIRST_WAIT * (1 << min(failures - free, 16)), longest)


def _count_in_minute(session: Session, realm: str, place: str, now: datetime) -> timedelta | None:
    """Count an attempt of an address; return the wait when it has had its number for this minute."""
    return count_within(session, realm, "", place, now, most=ATTEMPTS_PER_MINUTE, window=timedelta(minutes=1))


def _count_failure(session: Session, realm: str, account: str, place: str, now: datetime) -> timedelta | None:
    """Count an attempt as a failure until it proves right; return the wait when it is not looked at."""
    ensure_counter(session, realm, account, place, now)
    own = counter(realm, account, place)
    old = table.c.last_at < now - FORGOTTEN_AFTER
    unlocked = sa.or_(table.c.locked_until.is_(None), table.c.locked_until <= now)
    statement = (
        sa.update(table)
        .where(*own, unlocked)
        .values(attempts=sa.case((old, 1), else_=table.c.attempts + 1), last_at=now)
        .returning(table.c.attempts)
    )
    attempts = session.scalar(statement, execution_options=INTERNAL)
    if attempts is None:
        locked: datetime | None = session.scalar(
            sa.select(table.c.locked_until).where(*own), execution_options=INTERNAL
        )
        return locked - now if locked else FIRST_WAIT
    wait = wait_after(session, attempts)
    until = now + wait if wait else None
    session.execute(sa.update(table).where(*own).values(locked_until=until), execution_options=INTERNAL)
    return None


def _find_staff(session: Session, name: str) -> Candidate | None:
    """Return who signs in by that user name or e-mail, whatever the case: both are kept in small letters."""
    wanted = name.lower()
    same = sa.or_(Staff.username == wanted, Staff.email == wanted)
    staff = session.scalars(sa.select(Staff).where(same)).one_or_none()
    if staff is None:
        return None
    return Candidate(staff.username, staff.group_id, staff.password if staff.active else None, staff_id=staff.id)


#: Members of staff, at the desk and through the API.
DESK = Realm("desk", _find_staff)


def _write(session: Session, event: SignInEvent, attempt: Attempt, now: datetime) -> None:
    values = {
        "at": now,
        "event": event,
        "username": attempt.written[:254] if attempt.account_id is None else "",
        "staff_id": attempt.staff_id,
        "account_id": attempt.account_id,
        "group_id": attempt.group_id,
        "address": attempt.address[:64],
        "door": Entrance[attempt.door.name],
    }
    session.execute(sa.insert(SignInEntry.__table__).values(values), execution_options=INTERNAL)
