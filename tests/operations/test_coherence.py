"""Rows that point at each other belong to the same company, whichever the door and whenever it is changed."""

from __future__ import annotations

import pytest

from backoffice.actors import SYSTEM
from backoffice.coherence import LEFT_BEHIND, OTHER_COMPANY
from backoffice.database import RecordSession
from backoffice.errors import InvalidRecord
from backoffice.operations.cleaning import FIXED
from backoffice.operations.plain import create_record, update_record
from models.account import AccountState
from models.base import Recorded
from models.contact import Contact
from models.contract import ContractState
from models.customer_order import OrderState
from models.support_package import PackageState
from models.ticket import TicketState
from tests.operations.world import World, day


@pytest.fixture
def world(session: RecordSession) -> World:
    return World(session)


@pytest.fixture
def stranger(world: World) -> Contact:
    """A contact of another company of the same group."""
    return world.add(Contact(company=world.client(), first_name="Ugo", last_name="Altrui"))  # type: ignore[no-any-return]


def refused(session: RecordSession, record: Recorded, **values: object) -> dict[str, object]:
    """Return the problems with which a change is refused."""
    with pytest.raises(InvalidRecord) as refusal:
        update_record(session, record, values, version=record.version, actor=SYSTEM)
    session.rollback()
    return refusal.value.problems


def test_no_change_points_at_another_company(session: RecordSession, world: World, stranger: Contact) -> None:
    records = (world.ticket(TicketState.assigned), world.account(AccountState.active), world.license())
    session.commit()
    for record in records:
        assert refused(session, record, contact=stranger) == {"contact": OTHER_COMPANY}, record
    draft = world.order()
    session.commit()
    assert refused(session, draft, referent=stranger) == {"referent": OTHER_COMPANY}


def test_nothing_new_points_at_another_company(session: RecordSession, world: World, stranger: Contact) -> None:
    contract = world.contract()
    contract.company = stranger.company
    session.flush()
    for entity, name in ((type(world.package()), "contract"), (type(world.order()), "contract")):
        values = {"company": world.company, "number": "X/1", "ordered_on": day(0), "purchased_minutes": 60}
        asked = {key: value for key, value in values.items() if key in entity.__admin__.form_columns}
        with pytest.raises(InvalidRecord) as refusal:
            create_record(session, entity, {**asked, name: contract}, actor=SYSTEM)
        assert refusal.value.problems == {name: OTHER_COMPANY}


def test_a_company_that_others_rely_on_stays(session: RecordSession, world: World, stranger: Contact) -> None:
    ticket = world.ticket(TicketState.assigned, contact=world.contact)
    contract, order = world.contract(ContractState.active), world.order(OrderState.confirmed)
    package = world.package(PackageState.active)
    session.commit()
    assert refused(session, contract, company=stranger.company) == {"company": FIXED}
    assert refused(session, order, company=stranger.company) == {"company": FIXED}
    assert refused(session, package, company=stranger.company) == {"company": FIXED}
    assert refused(session, world.contact, company=stranger.company) == {"company": LEFT_BEHIND}
    assert refused(session, ticket, company=stranger.company) == {"contact": OTHER_COMPANY}


def test_a_row_that_moves_takes_what_hangs_below_it_along(session: RecordSession, world: World) -> None:
    contract, other = world.contract(), world.client()
    update_record(session, contract, {"company": other}, version=contract.version, actor=SYSTEM)
    session.expire_all()
    assert {line.company_id for line in contract.lines} == {other.id}


def test_facts_that_others_rest_on_are_fixed(session: RecordSession, world: World) -> None:
    package, license_, contract = (
        world.package(PackageState.active),
        world.license(),
        world.contract(ContractState.active),
    )
    (line,) = world.order(OrderState.confirmed).lines
    session.commit()
    assert refused(session, package, purchased_minutes="999:00") == {"purchased_minutes": FIXED}
    assert refused(session, license_, order_line=line) == {"order_line": FIXED}
    assert refused(session, contract, starts_on=day(300)) == {"starts_on": FIXED}
    update_record(session, package, {"purchased_minutes": "10:00"}, version=package.version, actor=SYSTEM)
