"""Every verb from every state of every lifecycle: those declared work, all others are refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
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
    activation,
    activation_checks,
    activation_items,
    calls,
    change_requests,
    client_documents,
    companies,
    complaints,
    contracts,
    deadlines,
    escalations,
    fees,
    grants,
    handovers,
    inbound,
    interventions,
    jobs,
    laboratory,
    licenses,
    mails,
    on_call,
    onboarding,
    orders,
    packages,
    penalties,
    platforms,
    services,
    tickets,
    waste,
)
from backoffice.operations.verbs import NotInThisState, perform
from models.account import Account, AccountState, CredentialsRecipient
from models.account_deletion import AccountDeletion, DeletionState
from models.account_service import AccountService
from models.activation_check import ActivationCheck, CheckState
from models.activation_request import ActivationRequest, RequestState
from models.activation_request_item import ActivationRequestItem, ItemState
from models.analysis import Analysis
from models.annual_fee import AnnualFee
from models.api_key import ApiKey
from models.call import Call, CallState
from models.certificate import Certificate
from models.change_request import ChangeRequest
from models.client_document import ClientDocument
from models.columns import Choice
from models.company import Company
from models.company_service import CompanyService
from models.complaint import Complaint
from models.contract import Contract
from models.contract_handover import ContractHandover
from models.contract_line import ContractLine
from models.customer_order import CustomerOrder
from models.deadline import Deadline
from models.escalation import Escalation
from models.inbound_mail import InboundMail
from models.intervention import Intervention
from models.job import Job
from models.license import License
from models.on_call_alert import OnCallAlert
from models.onboarding import AddressMatch, Onboarding, OnboardingState
from models.outbox_mail import OutboxMail
from models.penalty import Penalty
from models.platform import Platform
from models.service import Service
from models.support_package import PackageState, SupportPackage
from models.terms_version import TermsVersion
from models.ticket import Ticket, TicketState
from models.waste_movement import WasteMovement
from tests.operations.world import PASSED_ON, World, day

#: What makes a record of each entity in a given state.
MAKERS: dict[type, Callable[[World, Any], Any]] = {
    ApiKey: World.api_key,
    Account: World.account,
    AccountDeletion: World.account_deletion,
    Analysis: World.analysis,
    Certificate: World.certificate,
    ClientDocument: World.document,
    Deadline: World.deadline,
    WasteMovement: World.movement,
    AccountService: World.account_service,
    ActivationCheck: World.check,
    ActivationRequest: World.request,
    ActivationRequestItem: World.item,
    AnnualFee: World.fee,
    Call: World.call,
    ChangeRequest: World.change,
    Company: World.client,
    Complaint: World.complaint,
    CompanyService: World.company_service,
    Contract: World.contract,
    ContractHandover: World.handover,
    ContractLine: World.contract_line,
    CustomerOrder: World.order,
    Escalation: World.escalation,
    InboundMail: World.inbound,
    Intervention: World.intervention,
    Job: World.job,
    License: World.license,
    OnCallAlert: World.alert,
    Onboarding: World.onboarding,
    OutboxMail: World.mail,
    Penalty: World.penalty,
    Platform: World.platform,
    Service: World.service,
    SupportPackage: World.package,
    TermsVersion: World.terms,
    Ticket: World.ticket,
}
#: Where a verb without a target leads, where it does not stay.
LEADS_TO: dict[tuple[Choice, str], Choice] = {
    (CheckState.passed, "hand_back"): CheckState.not_needed,
    (CheckState.failed, "hand_back"): CheckState.not_needed,
    (CheckState.overridden, "hand_back"): CheckState.not_needed,
    (OnboardingState.order_entered, "check_data"): OnboardingState.data_complete,
    (OnboardingState.data_incomplete, "check_data"): OnboardingState.data_complete,
    (OnboardingState.data_requested, "take_data"): OnboardingState.data_complete,
    (RequestState.info_requested, "record_answer"): RequestState.in_evaluation,
    (AccountState.deletion_requested, "cancel_deletion"): AccountState.active,
    (DeletionState.requested, "verify"): DeletionState.scheduled,
    (DeletionState.blocked, "look_again"): DeletionState.scheduled,
    (PackageState.exhausted, "correct"): PackageState.active,
    (TicketState.on_hold_consent, "release"): TicketState.in_progress,
    (CallState.received, "record_voicemail"): CallState.callback_due,
    (CallState.voicemail, "call_back"): CallState.handled,
    (CallState.callback_due, "call_back"): CallState.handled,
}


def inputs(world: World, entity: type, verb: str) -> dict[str, Any]:
    """Return acceptable answers to what the verb asks."""
    answers: dict[tuple[type, str], dict[str, Any]] = {
        (ClientDocument, "withdraw"): {"withdrawn_because": "Sbagliato"},
        (Deadline, "fulfil"): {"fulfilled_on": day(0)},
        (Deadline, "cancel"): {"cancelled_because": "Sede chiusa"},
        (WasteMovement, "deliver"): {"delivered_at": clock.now()},
        (WasteMovement, "weigh"): {"destination_kg": "1.020", "weighed_at": clock.now()},
        (WasteMovement, "dispose"): {"disposed_at": clock.now()},
        (AccountDeletion, "refuse"): {"reason": "Non viene da lei"},
        (Account, "validate"): {"company": world.company, "contact": world.contact},
        (InboundMail, "join"): {"ticket": world.ticket(TicketState.in_progress)},
        (Ticket, "merge"): {"linked_ticket": world.ticket(TicketState.in_progress)},
        (Penalty, "waive"): {"reason": "Accordo"},
        (Account, "invite"): {"credentials_to": CredentialsRecipient.referent},
        (Account, "send_credentials"): {"credentials_to": CredentialsRecipient.referent},
        (Account, "reject"): {"validation_notes": "Sconosciuto"},
        (ActivationCheck, "pass"): {"detail": "Visto"},
        (ActivationCheck, "fail"): {"detail": "Visto"},
        (ActivationCheck, "override"): {"detail": "Cliente nuovo"},
        (ActivationRequest, "verify"): {"verified_how": "Richiamato al numero noto"},
        (ActivationRequest, "accept"): {"accepted_by": "Ada Rossi"},
        (ActivationRequest, "ask"): {"question": "Per quali sedi?"},
        (ActivationRequest, "record_answer"): {"answer": "Per tutte"},
        (ActivationRequest, "refuse"): {"refusal": "Non serve"},
        (ActivationRequest, "decline"): {"refusal": "Troppo caro"},
        (ActivationRequestItem, "approve_paid"): {"yearly_fee": "250,00"},
        (ActivationRequestItem, "reject"): {"reject_reason": "other", "note": "Non serve"},
        (AnnualFee, "invoice"): {"invoiced_on": day(0)},
        (AnnualFee, "waive"): {"agreement": "Offerta 12"},
        (AnnualFee, "pay"): {"paid_on": day(0)},
        (CompanyService, "suspend"): {"frozen_from": day(0)},
        (CompanyService, "freeze"): {"frozen_from": day(0)},
        (ContractHandover, "drop"): {"dropped_because": "Non serve"},
        (Onboarding, "contact"): {"channel": "phone"},
        (Onboarding, "receive_address"): {"received_address": "ada@prova.example"},
        (Onboarding, "cancel"): {"cancelled_because": "Rinuncia"},
        (Call, "classify"): {"request_type": world.type, "urgency": "normal"},
        (Call, "call_back"): {"outcome": "answered", "request_type": world.type, "urgency": "normal"},
        (Call, "open_ticket"): {"queue": world.queue},
        (Call, "join_ticket"): {"ticket": world.ticket(TicketState.in_progress)},
        (Call, "complain"): {"received_on": day(0), "description": "Troppo lento."},
        (Ticket, "complain"): {"received_on": day(0), "channel": "phone", "description": "Troppo lento."},
        (Ticket, "request_change"): {"kind": "need", "subject": "Somma", "description": "Sommare", "reason": "Errore"},
        (Complaint, "decide"): {"analysis": "Vero", "action_kind": "support", "corrective_action": "Richiamare"},
        (Complaint, "answer"): {"outcome": "Ce ne scusiamo."},
        (ChangeRequest, "accept"): {"decision_reason": "Accertato"},
        (ChangeRequest, "decline"): {"decision_reason": "Fuori contratto"},
        (ChangeRequest, "release"): {"release": "4.2"},
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
        (Ticket, "escalate"): {**PASSED_ON, "to_team": world.second_level},
        (Escalation, "return"): {"missing": "Versione del programma"},
        (Escalation, "solve"): {"outcome": "Corretto nella versione 4.2"},
        (Intervention, "schedule"): {"planned_at": clock.now(), "team": world.first_level},
        (Intervention, "arrive"): {"arrived_at": clock.now() + timedelta(minutes=1)},
        (Intervention, "complete"): {
            "ended_at": clock.now() + timedelta(minutes=2),
            "outcome": "Sostituita la lampada",
        },
        (Intervention, "give_up"): {"outcome": "Nessuno in sede"},
        (Intervention, "refuse"): {"outcome": "Esauriti"},
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
    if isinstance(record, ActivationRequest) and verb in ("decide", "fulfil"):
        record.items[0].state = ItemState.approved_free
        world.session.flush()
    if isinstance(record, ActivationCheck):
        record.item.online_service.records_overridable = True
    if isinstance(record, Ticket) and verb == "wait_for_change":
        world.change(ticket=record)
    if isinstance(record, Onboarding) and verb == "send":
        record.address_match = AddressMatch.accepted
    if state not in transition.sources:
        with pytest.raises(NotInThisState):
            perform(world.session, record, verb, answers, actor=SYSTEM)
        assert record.state is state
        return
    perform(world.session, record, verb, answers, actor=SYSTEM)
    expected = LEADS_TO.get((state, verb), transition.target or state)
    assert record.state is expected, f"{state} --{verb}--> {record.state}"


def test_states_can_all_be_reached() -> None:
    # A charge that takes the last minute leads there by itself.
    by_effect: dict[type, set[Choice]] = {
        SupportPackage: {PackageState.exhausted},
        ActivationRequest: {RequestState.bu_evaluation, RequestState.awaiting_acceptance},
        ActivationCheck: {CheckState.not_needed},
        AccountDeletion: {DeletionState.scheduled},
        Onboarding: {OnboardingState.data_incomplete, OnboardingState.data_complete},
    }
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
