"""The ledger of hours: what is left is always the sum of the movements."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from backoffice import clock
from backoffice.actors import SYSTEM, Context, Door
from backoffice.database import RecordSession, begin_writing, open_session
from backoffice.errors import InvalidRecord
from backoffice.operations.package_ledger import NotEnoughLeft, NothingToCharge
from backoffice.operations.packages import OutsideItsDates, advance_packages
from backoffice.operations.verbs import NotInThisState, perform
from models.package_movement import PackageMovement
from models.support_package import PackageState, SupportPackage
from models.support_package_type import SupportPackageType
from tests.operations.world import World, day

S = PackageState


def movements(session: RecordSession, package: SupportPackage) -> list[int]:
    statement = sa.select(PackageMovement.minutes).where(PackageMovement.package_id == package.id)
    return list(session.scalars(statement.order_by(PackageMovement.id)))


def activated(session: RecordSession, minutes: int = 600) -> SupportPackage:
    package = World(session).package(minutes=minutes)
    perform(session, package, "activate", actor=SYSTEM)
    return package


def test_activation_puts_the_time_on_account(session: RecordSession) -> None:
    package = activated(session)
    assert (package.residual_minutes, movements(session, package)) == (600, [600])
    assert package.valid_from == clock.today()


def test_activation_takes_the_validity_of_the_type(session: RecordSession) -> None:
    world = World(session)
    kind = SupportPackageType(
        group_id=world.group.id, code="ORE10", name="10 ore", included_minutes=600, validity_months=12
    )
    package = world.package(type=kind)
    perform(session, package, "activate", actor=SYSTEM)
    assert package.valid_to is not None
    assert package.valid_to.year == clock.today().year + 1


@pytest.mark.parametrize("dates", [{"valid_from": 1}, {"valid_from": -9, "valid_to": -1}])
def test_no_activation_outside_its_dates(session: RecordSession, dates: dict[str, int]) -> None:
    package = World(session).package(**{name: day(offset) for name, offset in dates.items()})
    with pytest.raises(OutsideItsDates):
        perform(session, package, "activate", actor=SYSTEM)


def test_charges_use_the_package_up_and_no_more(session: RecordSession) -> None:
    package = activated(session, 60)
    perform(session, package, "charge", {"minutes": "0:45", "note": "Ripristino"}, actor=SYSTEM)
    with pytest.raises(NotEnoughLeft) as refused:
        perform(session, package, "charge", {"minutes": "0:16"}, actor=SYSTEM)
    assert "15 min" in str(refused.value)
    with pytest.raises(NothingToCharge):
        perform(session, package, "charge", {"minutes": "0:00"}, actor=SYSTEM)
    perform(session, package, "charge", {"minutes": "-0:15"}, actor=SYSTEM)
    assert (package.state, package.residual_minutes) == (S.exhausted, 0)
    assert movements(session, package) == [60, -45, -15]
    with pytest.raises(NotInThisState):
        perform(session, package, "charge", {"minutes": "0:01"}, actor=SYSTEM)


def test_a_correction_brings_a_package_back(session: RecordSession) -> None:
    package = activated(session, 60)
    perform(session, package, "charge", {"minutes": "1:00"}, actor=SYSTEM)
    perform(session, package, "correct", {"minutes": "0:20", "note": "Contati due volte"}, actor=SYSTEM)
    assert (package.state, package.residual_minutes) == (S.active, 20)
    with pytest.raises(InvalidRecord):
        perform(session, package, "correct", {"minutes": "0:20"}, actor=SYSTEM)


def test_a_correction_outside_its_dates_leaves_a_package_expired(session: RecordSession) -> None:
    package = activated(session, 60)
    perform(session, package, "charge", {"minutes": "1:00"}, actor=SYSTEM)
    package.valid_from, package.valid_to = day(-9), day(-1)
    session.flush()
    perform(session, package, "correct", {"minutes": "0:20", "note": "Contati due volte"}, actor=SYSTEM)
    assert (package.state, package.residual_minutes) == (S.expired, 20)


def test_charges_at_once_never_overdraw(session: RecordSession, engine: sa.Engine) -> None:
    package = activated(session, 90)
    session.commit()

    def charge(_attempt: int) -> bool:
        with begin_writing(), open_session(engine, Context(SYSTEM, Door.job)) as own:
            try:
                perform(own, own.get_one(SupportPackage, package.id), "charge", {"minutes": 15}, actor=SYSTEM)
            except (NotEnoughLeft, NotInThisState):
                return False
            own.commit()
            return True

    with ThreadPoolExecutor(6) as threads:
        assert sum(threads.map(charge, range(10))) == 6
    session.expire_all()
    assert (package.state, package.residual_minutes, sum(movements(session, package))) == (S.exhausted, 0, 0)


def test_packages_expire_after_their_last_day(session: RecordSession) -> None:
    world = World(session)
    over, last = world.package(S.active, valid_to=day(-1)), world.package(S.active, valid_to=day(0))
    while advance_packages(session, clock.today(), actor=SYSTEM):
        pass
    assert (over.state, last.state) == (S.expired, S.active)
