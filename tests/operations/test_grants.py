"""What clients and their accounts may use, what it costs, and how it ends (chapter 4.2, SV-03 to SV-05)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
import sqlalchemy as sa

from backoffice import clock
from backoffice.actors import SYSTEM
from backoffice.database import RecordSession
from backoffice.errors import InvalidRecord
from backoffice.operations.fees import lapse_fees, roll_over_fees
from backoffice.operations.grants import CompanyLacksIt, FeeMissing, NoContract, NotApproved
from backoffice.operations.plain import add_record, flush
from backoffice.operations.verbs import perform
from backoffice.records.lookup import find_options
from models.account import AccountState
from models.account_service import AccountService
from models.activation_request import RequestState
from models.activation_request_item import ItemState
from models.annual_fee import AnnualFee
from models.annual_fee import FeeState as F
from models.company_service import CompanyService
from models.company_service import GrantState as S
from models.contract import ContractState
from models.contract_line import ContractLine, LineState, WithdrawalMode
from models.online_service import OnlineService
from models.service import Service, ServiceState
from tests.operations.world import World, day


def withdrawing(world: World, mode: WithdrawalMode) -> tuple[ContractLine, CompanyService, AccountService]:
    """Return a line whose withdrawal is due, and the access it covers: active for company and account."""
    service = world.online_service()
    contract = world.contract(ContractState.active)
    line = world.add(
        ContractLine(
            contract=contract,
            service=world.service(ServiceState.offered, online_service=service),
            state=LineState.withdrawal_notified,
            withdrawal_on=day(0),
            withdrawal_mode=mode,
        )
    )
    grant = world.company_service(S.active, service)
    grant.frozen_from = None
    return line, grant, world.account_service(S.active, grant)


def test_access_begins_with_an_approved_request(session: RecordSession) -> None:
    world = World(session)
    grant = world.company_service(S.proposed, world.online_service())
    with pytest.raises(NotApproved):
        perform(session, grant, "activate", actor=SYSTEM)
    (item,) = world.request(RequestState.decided, grant.online_service).items
    item.state, item.yearly_fee, item.agreement = ItemState.approved_paid, Decimal(90), "Offerta 1"
    item.decided_at = clock.now()
    session.flush()
    with pytest.raises(FeeMissing):
        perform(session, grant, "activate", actor=SYSTEM)
    world.add(AnnualFee(company_service=grant, year=clock.today().year, amount=Decimal(90)))
    perform(session, grant, "activate", actor=SYSTEM)
    assert (grant.state, grant.active_from, grant.frozen_from) == (S.active, day(0), None)


def test_a_withdrawal_suspends_company_and_accounts(session: RecordSession) -> None:
    world = World(session)
    line, grant, access = withdrawing(world, WithdrawalMode.suspend)
    alone = world.account_service(S.active, grant)
    perform(session, alone, "suspend", actor=SYSTEM)
    perform(session, line, "withdraw", actor=SYSTEM)
    assert (grant.state, grant.frozen_from, access.state) == (S.suspended, day(0), S.suspended)
    with pytest.raises(NoContract):
        perform(session, grant, "resume", actor=SYSTEM)
    again = world.contract(ContractState.active)
    world.add(ContractLine(contract=again, service=line.service))
    perform(session, grant, "resume", actor=SYSTEM)
    assert (grant.state, grant.frozen_from, access.state) == (S.active, None, S.active)
    # What was suspended for its own sake stays so.
    assert (alone.state, access.suspended_with_company) == (S.suspended, False)


def test_the_line_says_what_becomes_of_access(session: RecordSession) -> None:
    world = World(session)
    line, grant, access = withdrawing(world, WithdrawalMode.remove)
    perform(session, line, "withdraw", actor=SYSTEM)
    assert (grant.state, access.state) == (S.removed, S.removed)
    line, grant, access = withdrawing(world, WithdrawalMode.keep)
    perform(session, line, "withdraw", actor=SYSTEM)
    assert (grant.state, grant.frozen_from, access.state) == (S.active, day(0), S.active)


def test_access_stays_while_another_line_covers_it(session: RecordSession) -> None:
    world = World(session)
    line, grant, _access = withdrawing(world, WithdrawalMode.remove)
    world.add(ContractLine(contract=world.contract(ContractState.active), service=line.service))
    perform(session, line, "withdraw", actor=SYSTEM)
    assert (grant.state, grant.frozen_from) == (S.active, None)


def test_a_withdrawal_from_the_whole_contract_ends_access(session: RecordSession) -> None:
    world = World(session)
    line, grant, access = withdrawing(world, WithdrawalMode.suspend)
    line.state, line.withdrawal_on, line.withdrawal_mode = LineState.in_force, None, None
    line.contract.state, line.contract.withdrawal_on = ContractState.withdrawal_notified, day(0)
    perform(session, line.contract, "withdraw", actor=SYSTEM)
    assert (grant.state, access.state) == (S.suspended, S.suspended)


def test_an_account_has_no_more_than_its_company(session: RecordSession) -> None:
    world = World(session)
    grant = world.company_service(S.suspended)
    access = world.account_service(S.proposed, grant)
    with pytest.raises(CompanyLacksIt):
        perform(session, access, "activate", actor=SYSTEM)
    stranger = world.account(AccountState.active, company=world.client())
    session.add(AccountService(account=stranger, company_service=grant))
    with pytest.raises(InvalidRecord) as refused:
        session.flush()
    assert set(refused.value.problems) == {"account"}


def test_a_contribution_covers_its_calendar_year(session: RecordSession) -> None:
    world = World(session)
    grant = world.company_service(S.active)
    values = {"company_service": grant, "year": 2024, "amount": Decimal(100)}
    fee = add_record(session, AnnualFee, values, actor=SYSTEM)
    flush(session, fee)
    assert isinstance(fee, AnnualFee)
    assert (fee.valid_from, fee.valid_to) == (date(2024, 1, 1), date(2024, 12, 31))
    for other, field in (
        ({"valid_from": date(2025, 5, 1)}, "override_reason"),
        ({"valid_from": date(2024, 5, 1), "override_reason": "Da maggio"}, "valid_from"),
    ):
        with pytest.raises(InvalidRecord) as refused, session.begin_nested():
            flush(session, add_record(session, AnnualFee, {**values, "year": 2025, **other}, actor=SYSTEM))
        assert set(refused.value.problems) == {field}
    agreed = {"year": 2025, "valid_from": date(2025, 5, 1), "override_reason": "Da maggio"}
    flush(session, add_record(session, AnnualFee, {**values, **agreed}, actor=SYSTEM))


def test_a_new_year_brings_a_new_contribution_where_data_are_kept_up(session: RecordSession) -> None:
    world = World(session)
    year = clock.today().year + 1
    kept = world.fee(F.paid)
    kept.company_service.frozen_from = None
    frozen, owed = world.fee(F.paid), world.fee(F.invoiced)
    owed.company_service.state = S.removed
    ids = {fee.company_service_id: fee for fee in (kept, frozen, owed)}
    session.flush()
    new_year = date(year, 1, 1)
    lapse_fees(session, new_year, actor=SYSTEM)
    assert (kept.state, frozen.state, owed.state) == (F.lapsed, F.lapsed, F.invoiced)
    assert roll_over_fees(session, new_year, actor=SYSTEM)
    assert roll_over_fees(session, new_year, actor=SYSTEM) == 0
    made = session.scalars(
        sa.select(AnnualFee).where(AnnualFee.company_service_id.in_(ids), AnnualFee.year == year)
    ).all()
    assert [(fee.company_service_id, fee.amount, fee.state) for fee in made] == [
        (kept.company_service_id, kept.amount, F.due)
    ]


def test_the_unit_of_a_service_is_copied_to_what_is_asked_of_it(session: RecordSession) -> None:
    """Rows are seen by the unit of their service; when that changes, they follow."""
    world = World(session)
    (item,) = world.request().items
    assert item.business_unit_id is None
    unit = session.scalars(sa.select(Service.business_unit_id).where(Service.business_unit_id.is_not(None))).first()
    service = session.get_one(OnlineService, item.online_service_id)
    service.business_unit_id = unit
    session.flush()
    session.refresh(item)
    assert item.business_unit_id == unit


def test_grants_are_found_by_what_their_client_is_called_now(session: RecordSession) -> None:
    world = World(session)
    grant = world.company_service(S.active)
    world.company.legal_name = "Cantiere Órmeggi S.p.A."
    session.flush()
    assert list(find_options(session, CompanyService, "ormeggi cantiere", SYSTEM)) == [grant]
    assert list(find_options(session, CompanyService, f"ormeggi {grant.online_service.code}", SYSTEM)) == [grant]
    assert list(find_options(session, CompanyService, "ormeggi altro", SYSTEM)) == []
