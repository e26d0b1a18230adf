"""From an activation request to what it makes: checked, decided by the right person, fulfilled whole (chapter 4.3)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
import sqlalchemy as sa

from backoffice import clock
from backoffice.actors import SYSTEM, Action, Actor, ActorKind, Context, Door, Grant, ScopeKind
from backoffice.database import RecordSession, begin_writing, open_session
from backoffice.operations.activation import (
    NotAllDecided,
    NothingRequested,
    OthersDecide,
    add_weekdays,
    close_answered_requests,
)
from backoffice.operations.activation_checks import CheckFailed, CheckOpen, NotYourUnit, OwnRequest
from backoffice.operations.activation_evidence import evidence_of
from backoffice.operations.activation_fulfilment import AddressTaken
from backoffice.operations.activation_items import NoCharge
from backoffice.operations.plain import create_record
from backoffice.operations.verbs import NotInThisState, perform
from models.account import Account, AccountState
from models.account_service import AccountService
from models.activation_check import ActivationCheck, CheckKind, CheckState
from models.activation_request import ActivationRequest
from models.activation_request import RequestState as S
from models.activation_request_item import ActivationRequestItem, ItemState
from models.annual_fee import AnnualFee, FeeState
from models.business_unit import BusinessUnit
from models.company import SizeClass
from models.company_service import CompanyService, GrantState
from models.contact_role import ContactRole, ContactRoleKind
from models.deadline import Deadline
from models.online_service import OnlineService
from models.staff import Staff
from tests.operations.world import World, day

AREAS = (
    "companies", "contacts", "activation", "grants", "fees", "accounts", "services", "contracts", "organisation",
    "staff", "settings",
)  # fmt: skip


@contextmanager
def desk(session: RecordSession, actor: Actor) -> Iterator[RecordSession]:
    """Commit the world and give a session in which ``actor`` works."""
    session.commit()
    assert isinstance(session.bind, sa.Engine)
    with begin_writing(), open_session(session.bind, Context(actor, Door.desk)) as opened:
        yield opened


def somebody(session: RecordSession, world: World, username: str = "demo.sales") -> Actor:
    """Return a member of staff who exists, so that decisions can name them, with every right in the areas."""
    person = session.scalars(sa.select(Staff).where(Staff.username == username)).one()
    return replace(world.staff(*AREAS), id=person.id, kind=ActorKind.staff)


def checks(session: RecordSession, request: ActivationRequest) -> dict[CheckKind, CheckState]:
    found = session.scalars(sa.select(ActivationCheck).where(ActivationCheck.request_id == request.id))
    return {check.kind: check.state for check in found}


def only(request: ActivationRequest) -> ActivationRequestItem:
    (item,) = request.items
    return item


def test_a_new_request_is_numbered_and_proposes_its_company(session: RecordSession) -> None:
    world = World(session)
    world.company.vat_number, service = "00743110157", world.covered(answer_days=3)
    asked = {"requester_name": "Ada", "email": "ada@prova.example", "vat_number": "00743110157"}
    with desk(session, somebody(session, world)) as here:
        actor = here.info["context"].actor
        with pytest.raises(NothingRequested):
            create_record(here, ActivationRequest, asked, actor=actor)
        lines = {"items": [{"online_service": service.id}]}
        first = create_record(here, ActivationRequest, asked | lines, actor=actor)
        second = create_record(here, ActivationRequest, asked | lines, actor=actor)
        assert isinstance(first, ActivationRequest)
        assert isinstance(second, ActivationRequest)
        assert (first.number, second.number) == ("RA-1", "RA-2")
        assert (first.company_id, first.company_name) == (world.company.id, "Comune di Prova")
        assert first.answer_by == add_weekdays(clock.today(), 3)


def test_weekends_do_not_count() -> None:
    friday = date(2026, 5, 15)
    assert add_weekdays(friday, 1) == date(2026, 5, 18)
    assert add_weekdays(friday, 5) == date(2026, 5, 22)


def test_taking_a_request_up_checks_it(session: RecordSession) -> None:
    world = World(session)
    service = world.covered(large_clients_only=True, habitual_clients_only=True, requires_records=True)
    world.company.size_class = SizeClass.small
    request = world.request(S.received, service)
    for check in session.scalars(sa.select(ActivationCheck).where(ActivationCheck.request_id == request.id)):
        session.delete(check)
    perform(session, request, "take", {"company": world.company}, actor=SYSTEM)
    assert checks(session, request) == {
        CheckKind.client: CheckState.passed,
        CheckKind.contract: CheckState.passed,
        CheckKind.records: CheckState.open,
        CheckKind.size: CheckState.failed,
        CheckKind.frequency: CheckState.failed,
    }
    with pytest.raises(CheckOpen):
        perform(session, only(request), "approve_free", actor=SYSTEM)
    session.add(CompanyService(company=world.company, online_service=service, records_count=4))
    perform(session, request, "check_again", actor=SYSTEM)
    # Size and frequency are advice: the evaluator decides.
    perform(session, only(request), "approve_free", actor=SYSTEM)


def test_what_is_kept_here_of_a_client_counts_by_itself(session: RecordSession) -> None:
    """Nobody has to count what lies in the service's own tables (AR-14)."""
    world = World(session)
    session.scalars(sa.select(OnlineService).where(OnlineService.code == "EDUPLAN")).one().code = "EDUPLAN_PRIMA"
    session.flush()
    request = world.request(S.in_evaluation, world.covered(code="EDUPLAN", requires_records=True))
    perform(session, request, "check_again", actor=SYSTEM)
    assert checks(session, request)[CheckKind.records] is CheckState.open
    for days in (3, 9):
        last = world.add(Deadline(company=world.company, title="Aggiornamento", due_on=day(days)))
    perform(session, request, "check_again", actor=SYSTEM)
    assert checks(session, request)[CheckKind.records] is CheckState.passed
    (evidence,) = evidence_of(session, request)[only(request).id][CheckKind.records]
    assert (evidence.entity, evidence.record_id, evidence.count) == (Deadline, last.id, 2)
    # They lie ahead: what is known of them is as of today.
    assert (evidence.title, evidence.ends) == ("Deadlines", day(0))
    perform(session, only(request), "approve_free", actor=SYSTEM)
    for verb in ("decide", "fulfil"):
        perform(session, request, verb, actor=SYSTEM)
    grant = session.scalars(sa.select(CompanyService).where(CompanyService.company_id == world.company.id)).one()
    assert (grant.records_count, grant.last_data_at) == (2, last.updated_at)


@pytest.mark.parametrize("lacking", ["client", "contract", "reserved"])
def test_whoever_does_not_meet_a_hard_condition_is_not_activated(session: RecordSession, lacking: str) -> None:
    world, other = World(session), World(session)
    service = world.covered() if lacking == "client" else world.online_service()
    if lacking == "reserved":
        service = world.covered(eligible_group_company=other.house)
    request = world.request(S.received, service)
    company = None if lacking == "client" else world.company
    perform(session, request, "take", {"company": company}, actor=SYSTEM)
    with pytest.raises(CheckFailed):
        perform(session, only(request), "approve_free", actor=SYSTEM)
    perform(session, only(request), "reject", {"reject_reason": "no_contract", "note": "Manca"}, actor=SYSTEM)
    assert only(request).state is ItemState.rejected


def test_what_people_found_out_stays_until_they_hand_it_back(session: RecordSession) -> None:
    world = World(session)
    request = world.request(S.received, world.covered(requires_records=True))
    for check in session.scalars(sa.select(ActivationCheck).where(ActivationCheck.request_id == request.id)):
        session.delete(check)
    perform(session, request, "take", {"company": world.company}, actor=SYSTEM)
    with desk(session, somebody(session, world)) as here:
        actor = here.info["context"].actor
        request = here.get_one(ActivationRequest, request.id)
        of_records = sa.select(ActivationCheck).where(
            ActivationCheck.request_id == request.id, ActivationCheck.kind == CheckKind.records
        )
        check = here.scalars(of_records).one()
        perform(here, check, "pass", {"detail": "Visto sulla piattaforma"}, actor=actor)
        perform(here, request, "check_again", actor=actor)
        assert (check.state, check.checked_by_id) == (CheckState.passed, actor.id)
        perform(here, check, "hand_back", actor=actor)
        assert (check.state, check.detail, check.checked_by_id) == (CheckState.open, None, None)


def test_a_unit_decides_on_its_services_and_nobody_on_their_own_request(session: RecordSession) -> None:
    world = World(session)
    unit = world.add(BusinessUnit(name="Rifiuti di prova", group_company=world.house))
    request = world.request(S.received, world.covered(business_unit=unit))
    both = world.request(S.bu_evaluation, request.items[0].online_service, world.covered())
    both.business_unit = unit
    perform(session, request, "take", {"company": world.company}, actor=SYSTEM)
    assert (request.state, request.business_unit) == (S.bu_evaluation, unit)
    mine = world.request(S.in_evaluation)
    sales = somebody(session, world)
    mine.created_by_id = sales.id
    evaluator = replace(
        somebody(session, world, "demo.evaluator"),
        unit_ids=(unit.id,),
        grants={
            "activation": (Grant(frozenset({Action.read, Action.transition}), ScopeKind.unit),),
            "services": (Grant(frozenset({Action.read}), ScopeKind.unit),),
            "organisation": (Grant(frozenset({Action.read})),),
        },
    )
    with desk(session, sales) as here:
        with pytest.raises(NotYourUnit):
            perform(here, only(here.get_one(ActivationRequest, request.id)), "approve_free", actor=sales)
        with pytest.raises(OwnRequest):
            perform(here, only(here.get_one(ActivationRequest, mine.id)), "approve_free", actor=sales)
    with desk(session, evaluator) as here:
        # The evaluator sees neither the client nor its contracts, and decides all the same.
        seen = here.get_one(ActivationRequest, request.id)
        assert here.get(ActivationRequest, mine.id) is None
        perform(here, seen, "check_again", actor=evaluator)
        perform(here, only(seen), "approve_free", actor=evaluator)
        perform(here, seen, "decide", actor=evaluator)
        assert (only(seen).decided_by_id, seen.state) == (evaluator.id, S.decided)
        # Of a request for several services they see their own, and do not end it for the others.
        shared = here.get_one(ActivationRequest, both.id)
        perform(here, only(shared), "approve_free", actor=evaluator)
        with pytest.raises(NotAllDecided):
            perform(here, shared, "decide", actor=evaluator)
        with pytest.raises(OthersDecide):
            perform(here, shared, "refuse", {"refusal": "No"}, actor=evaluator)


def test_a_contribution_is_asked_only_where_foreseen(session: RecordSession) -> None:
    world = World(session)
    request = world.request(S.in_evaluation, world.covered(charge_allowed=False))
    with pytest.raises(NoCharge):
        perform(session, only(request), "approve_paid", {"yearly_fee": "100"}, actor=SYSTEM)


def test_every_service_is_decided_before_the_evaluation_ends(session: RecordSession) -> None:
    world = World(session)
    request = world.request(S.in_evaluation, world.covered(), world.covered())
    perform(session, request.items[0], "approve_free", actor=SYSTEM)
    with pytest.raises(NotAllDecided):
        perform(session, request, "decide", actor=SYSTEM)
    with pytest.raises(NotInThisState):  # AR-08: nothing is answered before it was fulfilled
        perform(session, request, "answer", actor=SYSTEM)


def test_who_has_not_agreed_to_pay_is_asked_first(session: RecordSession) -> None:
    world = World(session)
    paid, free = world.covered(), world.covered()
    request = world.request(S.in_evaluation, paid, free)
    perform(session, request.items[0], "approve_paid", {"yearly_fee": "250"}, actor=SYSTEM)
    perform(session, request.items[1], "approve_free", actor=SYSTEM)
    perform(session, request, "decide", actor=SYSTEM)
    assert request.state is S.awaiting_acceptance
    perform(session, request, "decline", {"refusal": "Troppo caro"}, actor=SYSTEM)
    assert [item.state for item in request.items] == [ItemState.rejected, ItemState.approved_free]
    perform(session, request, "fulfil", actor=SYSTEM)
    granted = session.scalars(sa.select(CompanyService).where(CompanyService.company_id == world.company.id)).all()
    assert [grant.online_service for grant in granted] == [free]


def test_fulfilling_makes_grant_account_and_contribution_together(session: RecordSession) -> None:
    world = World(session)
    request = world.request(S.in_evaluation)
    approval = {"yearly_fee": "250", "agreement": "Offerta 7"}
    perform(session, only(request), "approve_paid", approval, actor=SYSTEM)
    perform(session, request, "decide", actor=SYSTEM)
    perform(session, request, "fulfil", actor=SYSTEM)
    grant = session.scalars(sa.select(CompanyService).where(CompanyService.company_id == world.company.id)).one()
    fee = session.scalars(sa.select(AnnualFee).where(AnnualFee.company_service_id == grant.id)).one()
    access = session.scalars(sa.select(AccountService).where(AccountService.company_service_id == grant.id)).one()
    year = clock.today().year
    assert (grant.state, grant.active_from, access.state) == (GrantState.active, clock.today(), GrantState.active)
    assert (fee.amount, fee.valid_from, fee.valid_to) == (Decimal(250), date(year, 1, 1), date(year, 12, 31))
    account = access.account
    assert (account.email, account.contact, account.state) == (
        "ada@prova.example", world.contact, AccountState.provisioned,
    )  # fmt: skip
    assert not account.is_referent
    perform(session, request, "answer", actor=SYSTEM)
    assert close_answered_requests(session, actor=SYSTEM) >= 1
    assert request.state is S.closed


def test_the_account_of_whom_the_group_turns_to_is_a_referent_s(session: RecordSession) -> None:
    world = World(session)
    session.add(ContactRole(contact=world.contact, role=ContactRoleKind.main_referent))
    request = world.request(S.in_evaluation)
    perform(session, only(request), "approve_paid", {"yearly_fee": "250", "agreement": "Offerta 7"}, actor=SYSTEM)
    perform(session, request, "decide", actor=SYSTEM)
    perform(session, request, "fulfil", actor=SYSTEM)
    account = session.scalars(sa.select(Account).where(Account.company_id == world.company.id)).one()
    assert (account.contact, account.is_referent) == (world.contact, True)


def test_nothing_to_pay_by_agreement_is_a_waived_contribution(session: RecordSession) -> None:
    world = World(session)
    request = world.request(S.in_evaluation)
    perform(session, only(request), "approve_paid", {"yearly_fee": "0", "agreement": "Accordo quadro"}, actor=SYSTEM)
    perform(session, request, "decide", actor=SYSTEM)
    perform(session, request, "fulfil", actor=SYSTEM)
    fee = session.scalars(sa.select(AnnualFee).where(AnnualFee.company_id == world.company.id)).one()
    assert (fee.state, fee.agreement) == (FeeState.waived, "Accordo quadro")


def test_a_refused_request_makes_nothing(session: RecordSession) -> None:
    world = World(session)
    request = world.request(S.in_evaluation)
    perform(session, request, "refuse", {"refusal": "Poco rilevante"}, actor=SYSTEM)
    assert (only(request).state, only(request).note) == (ItemState.rejected, "Poco rilevante")
    perform(session, request, "fulfil", actor=SYSTEM)
    perform(session, request, "answer", actor=SYSTEM)
    of_company = sa.select(CompanyService).where(CompanyService.company_id == world.company.id)
    assert session.scalars(of_company).all() == []


def test_an_account_of_another_company_is_not_taken(session: RecordSession) -> None:
    world = World(session)
    world.account(AccountState.active, company=world.client(), email="ada@prova.example")
    request = world.request(S.in_evaluation)
    perform(session, only(request), "approve_free", actor=SYSTEM)
    perform(session, request, "decide", actor=SYSTEM)
    with pytest.raises(AddressTaken):
        perform(session, request, "fulfil", actor=SYSTEM)


def test_information_comes_back_to_where_it_was_asked(session: RecordSession) -> None:
    request = World(session).request(S.bu_evaluation)
    perform(session, request, "ask", {"question": "Per quali sedi?"}, actor=SYSTEM)
    perform(session, request, "record_answer", {"answer": "Trento"}, actor=SYSTEM)
    assert (request.state, request.answer) == (S.bu_evaluation, "Trento")


def test_another_account_gets_the_services_it_was_asked_for(session: RecordSession) -> None:
    world = World(session)
    request = world.request(S.decided)
    request.kind = "additional_account"  # type: ignore[assignment]
    request.account_name, request.account_email = "Bruno Neri", "bruno@prova.example"
    only(request).state, only(request).decided_at = ItemState.approved_free, clock.now()
    session.flush()
    session.refresh(request)
    perform(session, request, "fulfil", actor=SYSTEM)
    account = session.scalars(sa.select(Account).where(Account.email == "bruno@prova.example")).one()
    assert (account.full_name, account.company) == ("Bruno Neri", world.company)
