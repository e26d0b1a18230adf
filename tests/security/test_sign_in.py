"""Attempts to sign in are counted in rows, by account and address together, with growing waits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from backoffice.actors import Door
from backoffice.database import RecordSession, begin_writing
from backoffice.operations.sign_in import (
    ATTEMPTS_PER_MINUTE,
    DESK,
    Attempt,
    begin_attempt,
    finish_attempt,
    network_of,
    wait_after,
)
from backoffice.passwords import is_right
from backoffice.setting_keys import SIGN_IN_FAILURES
from models.history_entry import SignInEntry, SignInEvent
from models.sign_in_failure import SignInFailure

FREE_FAILURES = SIGN_IN_FAILURES.default
HERE, ELSEWHERE = "192.0.2.7", "198.51.100.9"
START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class Clock:
    """Time that passes only when a test says so."""

    def __init__(self) -> None:
        self.now = START

    def pass_by(self, **time: float) -> None:
        self.now += timedelta(**time)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def _try(session: RecordSession, clock: Clock, name: str, *, right: bool = False, address: str = HERE) -> Attempt:
    """Make one whole attempt, as the door does."""
    with begin_writing():
        attempt = begin_attempt(session, DESK, name, address, door=Door.desk, now=clock.now)
        session.commit()
        if attempt.wait is None:
            finish_attempt(session, attempt, right=right, now=clock.now)
            session.commit()
    return attempt


def _fail(session: RecordSession, clock: Clock, name: str, times: int, address: str = HERE) -> None:
    for _ in range(times):
        assert _try(session, clock, name, address=address).wait is None
        clock.pass_by(seconds=3)


def test_name_and_address_find_the_same_person_whatever_the_case(
    session: RecordSession, clock: Clock, password: str
) -> None:
    for name in ("demo.sales", "DEMO.Sales", " demo.sales ", "Demo.Sales@Backoffice.Example"):
        attempt = _try(session, clock, name, right=True)
        assert attempt.written == "demo.sales"
        assert is_right(attempt.password_hash, password)


@pytest.mark.parametrize("name", ["", "nobody", "demo.%", "nobody\x00", "x" * 5000, "' OR 1=1 --", "\udcff"])
def test_unknown_names_are_counted_and_never_right(session: RecordSession, clock: Clock, name: str) -> None:
    attempt = _try(session, clock, name)
    assert attempt.staff_id is None
    assert attempt.password_hash is None


def test_the_waits_double_up_to_an_hour(session: RecordSession) -> None:
    assert wait_after(session, FREE_FAILURES - 1) is None
    minutes = [wait_after(session, FREE_FAILURES + n) for n in range(9)]
    assert minutes == [timedelta(minutes=m) for m in (1, 2, 4, 8, 16, 32, 60, 60, 60)]
    assert wait_after(session, 10_000) == timedelta(hours=1)


def test_after_five_failures_even_the_right_password_waits(session: RecordSession, clock: Clock) -> None:
    _fail(session, clock, "demo.sales", FREE_FAILURES)
    refused = _try(session, clock, "demo.sales", right=True)
    assert refused.wait is not None
    assert timedelta(seconds=50) < refused.wait <= timedelta(minutes=1)
    clock.pass_by(minutes=1)
    assert _try(session, clock, "demo.sales").wait is None, "the sixth failure is looked at, and waits twice as long"
    clock.pass_by(seconds=90)
    again = _try(session, clock, "demo.sales")
    assert again.wait is not None
    assert again.wait < timedelta(minutes=1)


def test_a_success_clears_the_failures(session: RecordSession, clock: Clock) -> None:
    _fail(session, clock, "demo.sales", FREE_FAILURES - 1)
    _try(session, clock, "demo.sales", right=True)
    _fail(session, clock, "demo.sales", FREE_FAILURES - 1)
    assert _try(session, clock, "demo.sales", right=True).wait is None


def test_old_failures_are_forgotten(session: RecordSession, clock: Clock) -> None:
    _fail(session, clock, "demo.sales", FREE_FAILURES - 1)
    clock.pass_by(hours=25)
    _fail(session, clock, "demo.sales", FREE_FAILURES - 1)
    assert _try(session, clock, "demo.sales", right=True).wait is None


def test_nobody_elsewhere_locks_the_administrator_out(session: RecordSession, clock: Clock) -> None:
    _fail(session, clock, "admin", FREE_FAILURES, address=ELSEWHERE)
    assert _try(session, clock, "admin", address=ELSEWHERE).wait is not None
    assert _try(session, clock, "admin", right=True, address=HERE).wait is None


def test_name_and_e_mail_share_one_counter(session: RecordSession, clock: Clock) -> None:
    _fail(session, clock, "demo.sales", 3)
    _fail(session, clock, "demo.sales@backoffice.example", 2)
    assert _try(session, clock, "Demo.Sales").wait is not None


def test_an_unknown_name_is_locked_like_a_known_one(session: RecordSession, clock: Clock) -> None:
    _fail(session, clock, "nobody.at.all", FREE_FAILURES)
    assert _try(session, clock, "nobody.at.all").wait is not None


def test_an_address_has_a_limited_number_of_attempts_a_minute(session: RecordSession, clock: Clock) -> None:
    for number in range(ATTEMPTS_PER_MINUTE):
        assert _try(session, clock, f"name{number}").wait is None
    assert _try(session, clock, "another").wait is not None
    assert _try(session, clock, "another", address=ELSEWHERE).wait is None
    clock.pass_by(seconds=61)
    assert _try(session, clock, "another").wait is None


def test_attempts_at_once_all_count(session: RecordSession, clock: Clock) -> None:
    """Many guesses sent together must not all be looked at because none has failed yet."""
    with begin_writing():
        looked_at = [begin_attempt(session, DESK, "admin", HERE, door=Door.api, now=clock.now) for _ in range(20)]
        session.commit()
    assert sum(attempt.wait is None for attempt in looked_at) == FREE_FAILURES


def test_every_outcome_is_written_down(session: RecordSession, clock: Clock) -> None:
    before = session.scalar(sa.select(sa.func.max(SignInEntry.id))) or 0
    _fail(session, clock, "demo.sales", FREE_FAILURES)
    _try(session, clock, "demo.sales")
    _try(session, clock, "admin", right=True)
    _try(session, clock, "Secret-typed-as-name")
    entries = session.scalars(sa.select(SignInEntry).where(SignInEntry.id > before).order_by(SignInEntry.id)).all()
    assert [(entry.event, entry.username) for entry in entries] == [
        *[(SignInEvent.failed, "demo.sales")] * FREE_FAILURES,
        (SignInEvent.locked, "demo.sales"),
        (SignInEvent.signed_in, "admin"),
        (SignInEvent.failed, "Sec…"),
    ]
    assert {entry.address for entry in entries} == {HERE}


def test_success_sweeps_counters_of_the_past(session: RecordSession, clock: Clock) -> None:
    _fail(session, clock, "long.ago", 2)
    clock.pass_by(hours=30)
    _try(session, clock, "admin", right=True)
    left = session.scalars(sa.select(SignInFailure.account).where(SignInFailure.account == "long.ago")).all()
    assert not left


def test_a_passive_user_is_nobody(session: RecordSession, clock: Clock, staff: object) -> None:
    person = staff("sales")  # type: ignore[operator]
    with begin_writing():
        person.active = False
        session.commit()
    assert _try(session, clock, "demo.sales").password_hash is None


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::9%eth0", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("?", "?"),
    ],
)
def test_an_ipv6_household_is_one_address(address: str, network: str) -> None:
    assert network_of(address) == network
