"""Licenses: never more than ordered, codes nobody guesses, replaced and renewed with a link to the earlier one."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from backoffice import clock
from backoffice.actors import SYSTEM, Context, Door
from backoffice.database import RecordSession, begin_writing, open_session
from backoffice.errors import InvalidRecord
from backoffice.operations.licenses import (
    AllGenerated,
    NotLicensed,
    OrderNotConfirmed,
    OtherCompany,
    expire_licenses,
    generate_licenses,
)
from backoffice.operations.plain import create_record, update_record
from backoffice.operations.verbs import perform
from models.customer_order import OrderState
from models.license import License, LicenseState
from models.order_line import OrderLine
from tests.operations.world import World, day


def count(session: RecordSession, line: OrderLine) -> int:
    return session.scalar(sa.select(sa.func.count(License.id)).where(License.order_line_id == line.id)) or 0


def test_the_ordered_quantity_is_generated_once(session: RecordSession) -> None:
    (line,) = World(session).order(OrderState.confirmed, quantity=20).lines
    made = generate_licenses(session, line, actor=SYSTEM)
    assert (len(made), line.generated) == (20, 20)
    assert len({made_one.code for made_one in made}) == 20
    assert all(re.fullmatch(r"(?:[A-HJKMNP-Z2-9]{4}-){3}[A-HJKMNP-Z2-9]{4}", made_one.code) for made_one in made)
    assert {made_one.expires_on for made_one in made} == {line.license_expires_on}
    with pytest.raises(AllGenerated):
        generate_licenses(session, line, actor=SYSTEM)
    assert count(session, line) == 20


def test_by_hand_too_no_more_than_ordered(session: RecordSession) -> None:
    (line,) = World(session).order(OrderState.confirmed, quantity=1).lines
    made_one = create_record(session, License, {"order_line": line.id}, actor=SYSTEM)
    assert made_one.contact is line.order.referent  # type: ignore[attr-defined]
    with pytest.raises(AllGenerated):
        create_record(session, License, {"order_line": line.id}, actor=SYSTEM)
    assert count(session, line) == 1


def test_two_at_once_never_exceed_the_quantity(session: RecordSession, engine: sa.Engine) -> None:
    (line,) = World(session).order(OrderState.confirmed, quantity=5).lines
    session.commit()

    def generate_one(_attempt: int) -> bool:
        with begin_writing(), open_session(engine, Context(SYSTEM, Door.job)) as own:
            try:
                generate_licenses(own, own.get_one(OrderLine, line.id), actor=SYSTEM, count=1)
            except AllGenerated:
                return False
            own.commit()
            return True

    with ThreadPoolExecutor(6) as threads:
        assert sum(threads.map(generate_one, range(12))) == 5
    assert count(session, line) == 5


def test_the_quantity_cannot_fall_below_what_is_generated(session: RecordSession) -> None:
    order = World(session).order(OrderState.confirmed, quantity=3)
    (line,) = order.lines
    generate_licenses(session, line, actor=SYSTEM)
    with pytest.raises(InvalidRecord):
        update_record(session, line, {"quantity": 2}, version=line.version, actor=SYSTEM)


def test_only_confirmed_orders_of_licensed_services(session: RecordSession) -> None:
    world = World(session)
    (draft,) = world.order().lines
    with pytest.raises(OrderNotConfirmed):
        generate_licenses(session, draft, actor=SYSTEM)
    (line,) = world.order(OrderState.confirmed).lines
    line.service = world.service()
    with pytest.raises(NotLicensed):
        generate_licenses(session, line, actor=SYSTEM)


def test_months_count_from_the_day_of_generation(session: RecordSession) -> None:
    (line,) = World(session).order(OrderState.confirmed).lines
    line.license_expires_on, line.license_months = None, 12
    (made_one,) = generate_licenses(session, line, actor=SYSTEM, count=1)
    assert made_one.expires_on is not None
    assert made_one.expires_on.year == clock.today().year + 1


def test_a_replacement_counts_as_the_one_it_replaces(session: RecordSession) -> None:
    old = World(session).license(LicenseState.used)
    perform(session, old, "replace", {"revocation_reason": "Letta da altri"}, actor=SYSTEM)
    new = session.scalars(sa.select(License).where(License.replaces_id == old.id)).one()
    assert (old.state, new.state, new.expires_on) == (LicenseState.revoked, LicenseState.generated, old.expires_on)
    assert new.order_line.generated == 0
    assert new.code != old.code


def test_an_expired_license_is_renewed_once_by_an_order_of_the_same_client(session: RecordSession) -> None:
    world = World(session)
    old = world.license(LicenseState.expired)
    (line,) = world.order(OrderState.confirmed).lines
    with session.begin_nested():
        foreign = World(session).order(OrderState.confirmed).lines[0]
    with pytest.raises(OtherCompany):
        perform(session, old, "renew", {"order_line": foreign}, actor=SYSTEM)
    perform(session, old, "renew", {"order_line": line}, actor=SYSTEM)
    assert line.generated == 1
    with pytest.raises(InvalidRecord):
        perform(session, old, "renew", {"order_line": line}, actor=SYSTEM)


def test_licenses_expire_after_their_last_day(session: RecordSession) -> None:
    world = World(session)
    over = world.license(LicenseState.sent, expires_on=day(-1))
    last = world.license(LicenseState.sent, expires_on=day(0))
    while expire_licenses(session, clock.today(), actor=SYSTEM):
        pass
    assert (over.state, last.state) == (LicenseState.expired, LicenseState.sent)
