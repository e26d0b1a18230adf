"""Onboarding of referents, hand-overs, and lines that are parts of others (chapter 4.4, CT-13, SV-15)."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from backoffice.actors import SYSTEM
from backoffice.database import RecordSession
from backoffice.errors import InvalidRecord
from backoffice.operations.handovers import ChecklistOpen
from backoffice.operations.licenses import ReferentNotConfirmed
from backoffice.operations.onboarding import AddressDiffers
from backoffice.operations.plain import delete_record
from backoffice.operations.verbs import perform
from models.contract import Contract, ContractState
from models.contract_handover import CHECKLIST, ContractHandover
from models.contract_line import Component, ContractLine
from models.customer_order import OrderState
from models.license import License, LicenseState
from models.onboarding import AddressMatch
from models.onboarding import OnboardingState as S
from models.order_line import OrderLine
from tests.operations.world import World, day


def test_missing_data_are_named_and_asked_for(session: RecordSession) -> None:
    world = World(session)
    row = world.onboarding()
    world.contact.email = None
    perform(session, row, "check_data", actor=SYSTEM)
    assert (row.state, row.missing) == (S.data_incomplete, "E-mail of the referent")
    perform(session, row, "ask", actor=SYSTEM)
    world.contact.email = "ada@prova.example"
    perform(session, row, "take_data", actor=SYSTEM)
    assert (row.state, row.missing) == (S.data_complete, None)
    assert row.data_given_at is not None


def test_licenses_come_after_the_registration(session: RecordSession) -> None:
    world = World(session)
    row = world.onboarding(S.data_complete)
    row.received_address = row.address_match = None
    with pytest.raises(ReferentNotConfirmed):
        perform(session, row.order, "generate_licenses", actor=SYSTEM)
    perform(session, row, "contact", {"channel": "phone"}, actor=SYSTEM)
    perform(session, row, "send_registration", actor=SYSTEM)
    perform(session, row, "confirm", actor=SYSTEM)
    assert world.contact.email_verified_at == row.confirmed_at
    perform(session, row, "receive_address", {"received_address": "altra@prova.example"}, actor=SYSTEM)
    perform(session, row, "generate", actor=SYSTEM)
    with pytest.raises(AddressDiffers):
        perform(session, row, "send", actor=SYSTEM)
    perform(session, row, "accept_address", actor=SYSTEM)
    perform(session, row, "send", actor=SYSTEM)
    assert row.address_match is AddressMatch.accepted
    of_order = sa.select(License).join(License.order_line).where(OrderLine.order_id == row.order_id)
    assert [found.state for found in session.scalars(of_order)] == [LicenseState.sent] * 3


def test_the_same_address_needs_no_decision(session: RecordSession) -> None:
    row = World(session).onboarding(S.confirmed)
    perform(session, row, "receive_address", {"received_address": "ADA@prova.example"}, actor=SYSTEM)
    assert row.address_match is AddressMatch.match


def test_orders_without_onboarding_are_licensed_as_before(session: RecordSession) -> None:
    order = World(session).order(OrderState.confirmed)
    perform(session, order, "generate_licenses", actor=SYSTEM)
    assert order.lines[0].generated == 3


def test_an_announced_end_opens_the_hand_over(session: RecordSession) -> None:
    contract = World(session).contract(ContractState.active, ends_on=day(30))
    perform(session, contract, "announce_end", actor=SYSTEM)
    handover = session.scalars(sa.select(ContractHandover).where(ContractHandover.contract_id == contract.id)).one()
    assert handover.due_on == day(30)
    with pytest.raises(ChecklistOpen):
        perform(session, handover, "complete", actor=SYSTEM)
    for name in CHECKLIST:
        setattr(handover, name, True)
    perform(session, handover, "complete", actor=SYSTEM)
    assert handover.done_at is not None
    # A withdrawal from the same contract opens no second one.
    perform(session, contract, "notify_withdrawal", {"withdrawal_on": day(10)}, actor=SYSTEM)


def parts(world: World, state: ContractState = ContractState.draft) -> Contract:
    """Return a contract whose second line is a part of its first."""
    contract = world.contract(state)
    (whole,) = contract.lines
    part = ContractLine(service=world.service(), position=1, part_of=whole, component=Component.release)
    contract.lines.append(part)
    world.session.flush()
    return contract


def test_a_line_is_part_of_a_line_of_the_same_contract(session: RecordSession) -> None:
    world = World(session)
    contract, other = parts(world), world.contract()
    contract.lines[1].part_of = other.lines[0]
    with pytest.raises(InvalidRecord) as refused:
        session.flush()
    assert set(refused.value.problems) == {"part_of"}


def test_parts_stay_parts_in_the_contract_that_follows(session: RecordSession) -> None:
    contract = parts(World(session), ContractState.expired)
    perform(session, contract, "restart", {"number": "NUOVO/9", "starts_on": day(1)}, actor=SYSTEM)
    following = session.scalars(sa.select(Contract).where(Contract.previous_contract_id == contract.id)).one()
    whole, part = following.lines
    assert (part.part_of, part.component, whole.part_of) == (whole, Component.release, None)


def test_a_draft_goes_with_its_parts(session: RecordSession) -> None:
    contract = parts(World(session))
    delete_record(session, contract, version=None, actor=SYSTEM)
    assert session.get(Contract, contract.id) is None
