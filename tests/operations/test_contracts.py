"""Contracts over time: the calendar moves them on, withdrawal waits for its day, a restart is a new contract."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from backoffice import clock
from backoffice.actors import SYSTEM, Context, Door
from backoffice.database import RecordSession, open_session
from backoffice.errors import InvalidRecord
from backoffice.operations.contract_dates import advance_contracts
from backoffice.operations.contracts import BeforeTheStart, NotYet
from backoffice.operations.verbs import perform
from models.company import CompanyState
from models.contract import Contract, ContractState
from models.contract_line import ContractLine, LineState
from tests.operations.world import World, day

S = ContractState


def advanced(session: RecordSession, contract: Contract) -> ContractState:
    """Let today pass over all contracts and return where this one stands."""
    while advance_contracts(session, clock.today(), actor=SYSTEM, limit=50):
        pass
    return contract.state


@pytest.mark.parametrize(
    ("state", "values", "expected"),
    [
        (S.signed, {"starts_on": 0}, S.active),
        (S.signed, {"starts_on": 1}, S.signed),
        (S.active, {"ends_on": 61}, S.active),
        (S.active, {"ends_on": 60}, S.expiring),
        (S.active, {"ends_on": -1}, S.expired),
        (S.expiring, {"ends_on": 0}, S.expiring),
        (S.expiring, {"ends_on": -1}, S.expired),
        (S.suspended, {"ends_on": -1}, S.expired),
        (S.draft, {"ends_on": -1}, S.draft),
        (S.withdrawal_notified, {"withdrawal_on": 0}, S.withdrawn),
        (S.withdrawal_notified, {"withdrawal_on": 1}, S.withdrawal_notified),
    ],
)
def test_the_calendar_moves_contracts_on(
    session: RecordSession, state: ContractState, values: dict[str, int], expected: ContractState
) -> None:
    contract = World(session).contract(state, **{name: day(offset) for name, offset in values.items()})
    assert advanced(session, contract) is expected


def test_a_contract_that_renews_itself_goes_on_for_a_year(session: RecordSession) -> None:
    contract = World(session).contract(S.expiring, ends_on=day(-1), renews_itself=True)
    assert advanced(session, contract) is S.active
    assert contract.ends_on is not None
    assert contract.ends_on > day(360)


def test_withdrawal_from_one_line_leaves_the_others(session: RecordSession) -> None:
    world = World(session)
    line = world.contract_line()
    perform(session, line, "notify_withdrawal", {"withdrawal_on": day(0), "withdrawal_mode": "keep"}, actor=SYSTEM)
    assert advanced(session, line.contract) is S.active
    assert line.state is LineState.withdrawn


def test_withdrawal_cannot_precede_the_start(session: RecordSession) -> None:
    contract = World(session).contract(S.active)
    with pytest.raises(BeforeTheStart):
        perform(session, contract, "notify_withdrawal", {"withdrawal_on": day(-31)}, actor=SYSTEM)
    with pytest.raises(InvalidRecord) as refused:
        perform(session, contract, "notify_withdrawal", {}, actor=SYSTEM)
    assert set(refused.value.problems) == {"withdrawal_on"}


def test_staff_wait_for_the_day(session: RecordSession, engine: sa.Engine) -> None:
    world = World(session)
    early, due = world.contract(S.signed, starts_on=day(1)), world.contract(S.signed, starts_on=day(0))
    session.commit()
    staff = world.staff("contracts", "companies")
    with open_session(engine, Context(staff, Door.desk)) as desk:
        with pytest.raises(NotYet):
            perform(desk, desk.get_one(Contract, early.id), "activate", actor=staff)
        perform(desk, desk.get_one(Contract, due.id), "activate", actor=staff)


def test_a_restart_drafts_a_linked_contract_with_the_same_lines(session: RecordSession) -> None:
    old = World(session).contract(S.expired)
    perform(session, old, "restart", {"number": "2027/1", "starts_on": day(1)}, actor=SYSTEM)
    new = session.scalars(sa.select(Contract).where(Contract.previous_contract_id == old.id)).one()
    assert (old.state, new.state, new.number, new.starts_on, new.ends_on) == (
        S.restarted,
        S.draft,
        "2027/1",
        day(1),
        None,
    )
    assert [line.service_id for line in new.lines] == [line.service_id for line in old.lines]
    assert (new.group_id, new.lines[0].company_id) == (old.group_id, old.company_id)


def test_a_contract_in_force_makes_its_company_a_client(session: RecordSession) -> None:
    world = World(session)
    company = world.client()
    contract = world.contract(ContractState.signed)
    contract.company = company
    session.flush()
    perform(session, contract, "activate", actor=SYSTEM)
    assert company.state is CompanyState.client
    assert company.client_since == clock.today()


def test_a_restart_takes_along_only_the_lines_nobody_withdrew_from(session: RecordSession) -> None:
    world = World(session)
    contract = world.contract(ContractState.expired)
    gone = world.add(
        ContractLine(contract=contract, service=world.service(), state=LineState.withdrawn, withdrawal_on=day(-5))
    )
    values = {"number": "NUOVO/2", "starts_on": day(1)}
    perform(session, contract, "restart", values, actor=SYSTEM)
    successor = session.scalars(sa.select(Contract).where(Contract.previous_contract_id == contract.id)).one()
    assert gone.service_id not in {line.service_id for line in successor.lines}
    assert len(successor.lines) == 1


def test_a_signature_recorded_by_mistake_is_taken_back(session: RecordSession) -> None:
    contract = World(session).contract()
    perform(session, contract, "sign", {"signed_on": day(0)}, actor=SYSTEM)
    perform(session, contract, "reopen_draft", actor=SYSTEM)
    assert (contract.state, contract.signed_on) == (ContractState.draft, None)
