"""What a new contract covers again is proposed to be brought back, and the gap is kept (AC-21)."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from backoffice.actors import SYSTEM
from backoffice.database import RecordSession
from backoffice.operations.returns import NothingProposed, propose_returns
from backoffice.operations.verbs import perform
from models.company_service import CompanyService
from models.company_service import GrantState as S
from models.contract import ContractState
from models.contract_line import ContractLine, WithdrawalMode
from models.notice import Notice
from models.outbox_mail import OutboxMail
from models.staff import Staff
from tests.operations.test_grants import withdrawing
from tests.operations.world import World, day


@pytest.fixture
def world(session: RecordSession) -> World:
    """A world in which nothing that was there before is proposed."""
    while propose_returns(session, actor=SYSTEM):
        pass
    session.execute(sa.delete(Notice.__table__))  # type: ignore[arg-type]
    return World(session)


def covered_again(world: World, line: ContractLine, state: ContractState = ContractState.active) -> ContractLine:
    return world.add(ContractLine(contract=world.contract(state), service=line.service))


@pytest.mark.parametrize("mode", WithdrawalMode)
def test_a_new_contract_proposes_to_bring_access_back(
    world: World, session: RecordSession, mode: WithdrawalMode
) -> None:
    line, grant, _access = withdrawing(world, mode)
    grant.return_proposed_on = None
    world.company.account_manager = session.scalars(sa.select(Staff).where(Staff.username == "demo.sales")).one()
    perform(session, line, "withdraw", actor=SYSTEM)
    assert propose_returns(session, actor=SYSTEM) == 0
    covered_again(world, line, ContractState.draft)
    assert propose_returns(session, actor=SYSTEM) == 0
    covered_again(world, line)
    assert propose_returns(session, actor=SYSTEM) == 1
    assert propose_returns(session, actor=SYSTEM) == 0
    assert grant.return_proposed_on == day(0)
    (mail,) = session.scalars(
        sa.select(OutboxMail).where(OutboxMail.cause_id == grant.id, OutboxMail.template == "return_proposed")
    )
    assert (mail.recipient, mail.cause_id) == ("demo.sales@backoffice.example", grant.id)
    assert [row.event for row in session.scalars(sa.select(Notice))] == ["return_proposed"]
    grant.frozen_from = day(-40)
    back = {"suspend": "resume", "keep": "thaw", "remove": "propose"}[mode.value]
    perform(session, grant, back, actor=SYSTEM)
    assert grant.return_proposed_on is None
    if back != "propose":
        assert (grant.state, grant.frozen_from, grant.gap_from, grant.gap_to) == (S.active, None, day(-40), day(0))


def test_left_as_it_is_it_waits_for_a_newer_contract(world: World, session: RecordSession) -> None:
    line, grant, _access = withdrawing(world, WithdrawalMode.suspend)
    grant.return_proposed_on = None
    perform(session, line, "withdraw", actor=SYSTEM)
    with pytest.raises(NothingProposed):
        perform(session, grant, "leave", actor=SYSTEM)
    covered_again(world, line)
    assert propose_returns(session, actor=SYSTEM) == 1
    perform(session, grant, "leave", actor=SYSTEM)
    assert (grant.state, grant.return_proposed_on) == (S.suspended, None)
    assert propose_returns(session, actor=SYSTEM) == 0
    covered_again(world, line)
    assert propose_returns(session, actor=SYSTEM) == 1


def test_what_people_suspended_under_a_contract_is_not_proposed(world: World, session: RecordSession) -> None:
    service = world.covered()
    grant = world.company_service(S.active, service)
    grant.frozen_from = grant.return_proposed_on = None
    perform(session, grant, "suspend", {"frozen_from": day(0)}, actor=SYSTEM)
    assert propose_returns(session, actor=SYSTEM) == 0
    assert session.scalars(sa.select(CompanyService).where(CompanyService.return_proposed_on.is_not(None))).all() != [
        grant
    ]
