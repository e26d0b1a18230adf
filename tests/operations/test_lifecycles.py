"""Every verb from every state of every lifecycle: those declared work, all others are refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from backoffice import clock
from backoffice.actors import SYSTEM, Context, Door
from backoffice.database import RecordSession, open_session
from backoffice.errors import Forbidden
from backoffice.lifecycles import MACHINES, Machine
from backoffice.operations import (  # noqa: F401
    accounts,
    calls,
    companies,
    contracts,
    jobs,
    licenses,
    mails,
    orders,
    packages,
    services,
    tickets,
)
from backoffice.operations.verbs import NotInThisState, perform
from models.account import Account, AccountState
from models.call import Call
from models.columns import Choice
from models.company import Company
from models.contract import Contract
from models.contract_line import ContractLine
from models.customer_order import CustomerOrder
from models.job import Job
from models.license import License
from models.outbox_mail import OutboxMail
from models.service import Service
from models.support_package import PackageState, SupportPackage
from models.ticket import Ticket, TicketState
from tests.operations.world import World, day

#: What makes a record of each entity in a given state.
MAKERS: dict[type, Callable[[World, Any], Any]] = {
    Account: World.account,
    Call: World.call,
    Company: World.client,
    Contract: World.contract,
    ContractLine: World.contract_line,
    CustomerOrder: World.order,
    Job: World.job,
    License: World.license,
    OutboxMail: World.mail,
    Service: World.service,
    SupportPackage: World.package,
    Ticket: World.ticket,
}
#: Where a verb without a target leads, where it does not stay.
LEADS_TO: dict[tuple[Choice, str], Choice] = {
    (AccountState.deletion_requested, "cancel_deletion"): AccountState.active,
    (PackageState.exhausted, "correct"): PackageState.active,
    (TicketState.on_hold_consent, "release"): TicketState.in_progress,
}


def inputs(world: World, entity: type, verb: str) -> dict[str, Any]:
    """Return acceptable answers to what the verb asks."""
    answers: dict[tuple[type, str], dict[str, Any]] = {
        (Account, "validate"): {"company": world.company, "contact": world.contact},
        (Account, "reject"): {"validation_notes": "Sconosciuto"},
        (Call, "classify"): {"request_type": world.type},
        (Call, "route"): {"team": world.first_level},
        (Call, "plan_callback"): {"callback_due_at": clock.now()},
        (Call, "handle"): {"request_type": world.type},
        (Call, "decline"): {"request_type": world.type},
        (Call, "refer"): {"referred_to": "Comune"},
        (Contract, "sign"): {"signed_on": day(0)},
        (Contract, "notify_withdrawal"): {"withdrawal_on": day(30)},
        (Contract, "restart"): {"number": "NUOVO/1", "starts_on": day(1)},
        (ContractLine, "notify_withdrawal"): {"withdrawal_on": day(30), "withdrawal_mode": "suspend"},
        (License, "replace"): {"revocation_reason": "Perduta"},
        (License, "revoke"): {"revocation_reason": "Perduta"},
        (License, "renew"): {},
        (SupportPackage, "quote"): {"price": "500,00"},
        (SupportPackage, "charge"): {"minutes": "1:30"},
        (SupportPackage, "correct"): {"minutes": "0:30", "note": "Conteggio sbagliato"},
        (Ticket, "assign"): {"request_type": world.type, "priority": "high", "team": world.first_level},
        (Ticket, "reject"): {"closure_reason": "spam"},
        (Ticket, "ask_customer"): {"body": "Quale programma?"},
        (Ticket, "plan_visit"): {"due_at": clock.now()},
        (Ticket, "escalate"): {"problem": "Guasto", "workaround": "Nessuno", "team": world.second_level},
        (Ticket, "return"): {"team": world.first_level},
        (Ticket, "close"): {"solution": "Riavviato", "closure_reason": "solved"},
        (Ticket, "reopen"): {"body": "Non va ancora"},
    }
    return answers.get((entity, verb), {})


@pytest.mark.parametrize("machine", MACHINES.values(), ids=lambda machine: machine.entity.__name__)
def test_declared_verbs_work_and_others_are_refused(session: RecordSession, machine: Machine) -> None:
    world = World(session)
    # As long as invented companies are there, no mail leaves.
    session.execute(sa.update(Company).values(is_demo=False))
    states: type[Choice] = machine.entity.__table__.c[machine.column].type.enum_class  # type: ignore[attr-defined]
    for state in states:
        for verb in machine.named:
            with session.begin_nested() as savepoint:
                _try(world, machine, state, verb)
                savepoint.rollback()


def _try(world: World, machine: Machine, state: Choice, verb: str) -> None:
    transition = machine.named[verb]
    record = MAKERS[machine.entity](world, state)
    answers = inputs(world, machine.entity, verb)
    if (machine.entity, verb) == (CustomerOrder, "complete"):
        record.lines[0].generated = record.lines[0].quantity
    if (machine.entity, verb) == (License, "renew"):
        answers = {"order_line": record.order_line}
    if state not in transition.sources:
        with pytest.raises(NotInThisState):
            perform(world.session, record, verb, answers, actor=SYSTEM)
        assert record.state is state
        return
    perform(world.session, record, verb, answers, actor=SYSTEM)
    expected = transition.target or LEADS_TO.get((state, verb), state)
    assert record.state is expected, f"{state} --{verb}--> {record.state}"


def test_states_can_all_be_reached() -> None:
    # A charge that takes the last minute leads there by itself.
    by_effect = {SupportPackage: {PackageState.exhausted}}
    for machine in MACHINES.values():
        column = machine.entity.__table__.c[machine.column]
        reached = {transition.target for transition in machine.transitions} | {column.default.arg}  # type: ignore[union-attr]
        reached |= by_effect.get(machine.entity, set())
        assert reached >= set(column.type.enum_class), machine.entity.__name__  # type: ignore[attr-defined]


def test_automatic_verbs_are_for_the_product_alone(session: RecordSession, engine: Any) -> None:
    world = World(session)
    contract = world.contract(contracts.S.active)
    session.commit()
    staff = world.staff("contracts")
    with open_session(engine, Context(staff, Door.desk)) as desk, pytest.raises(Forbidden):
        perform(desk, desk.get_one(Contract, contract.id), "expire", actor=staff)
