"""Invented platforms, activation requests with their checks, and what came of them: grants and contributions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from itertools import cycle

import sqlalchemy as sa

from backoffice.operations.activation_checks import run_checks
from backoffice.operations.activation_letters import draft_proposal
from models.account import Account, AccountState
from models.account_preference import AccountPreference, PreferenceKey
from models.account_service import AccountService
from models.activation_check import ActivationCheck, CheckKind, CheckState
from models.activation_request import ActivationRequest, RequestChannel, RequestKind, RequestOrigin
from models.activation_request import RequestState as S
from models.activation_request_item import ActivationRequestItem, ItemState, RejectReason
from models.annual_fee import AnnualFee, FeeState
from models.company import Company, CompanyState, SizeClass
from models.company_service import CompanyService, GrantState
from models.contact import Contact
from models.contract import IN_FORCE, Contract
from models.contract_line import LineState
from models.online_service import Charge, OnlineService
from models.platform import AccessMode, Platform, PlatformState
from seed.invented.clients import Client
from seed.invented.world import World

#: Requests that have come to their end, which left grants behind.
DONE = {S.closed: 26, S.answered: 3, S.fulfilled: 4}
UNDER_WAY = {
    S.received: 6, S.in_evaluation: 4, S.bu_evaluation: 3, S.info_requested: 3, S.decided: 3,
    S.awaiting_acceptance: 3, S.withdrawn: 2,
}  # fmt: skip
#: What became of the grants since.
GRANTS = (GrantState.active,) * 7 + (GrantState.suspended, GrantState.removed)
FEES = (FeeState.paid, FeeState.invoiced, FeeState.due, FeeState.paid, FeeState.waived)
REJECTED = {
    RejectReason.no_contract: "Nessun contratto attivo per il servizio: il commerciale vi contatterà.",
    RejectReason.not_large_client: "Il servizio è riservato ai grandi clienti.",
    RejectReason.little_relevance: "I servizi in corso non comportano dati da consultare.",
}


def invent_platforms(world: World) -> None:
    """Make platforms in every state; of one the agreement has expired."""
    rows = (
        ("DEMO-FAD", "Corsi in rete", PlatformState.active, -40),
        ("DEMO-FIRMA", "Firma digitale remota", PlatformState.active, 300),
        ("DEMO-ARCHIVIO", "Conservazione a norma", PlatformState.prepared, None),
        ("DEMO-INVENTARIO", "Inventario dei beni", PlatformState.prepared, None),
        ("DEMO-BACHECA", "Bacheca dei corsi", PlatformState.retired, -700),
        ("DEMO-FAX", "Fax in rete", PlatformState.retired, -900),
    )
    for code, name, state, ends in rows:
        platform = Platform(code=code, name=name, state=state, access_mode=AccessMode.link, group_id=world.group.id)
        platform.owner = platform.developer = "Esempio Informatica S.r.l."
        if ends is not None:
            platform.agreement, platform.agreement_to = f"Accordo {code[5:]}", world.day(ends)
            platform.agreement_from = world.day(ends - 730)
        if ends is not None and ends > 0:
            platform.security_statement, platform.reviewed_on = "Dati in Italia, accessi registrati.", world.day(-60)
        world.add(platform)
    world.session.flush()


#: The contacts of each client.
People = Mapping[Company, Sequence[Contact]]


@dataclass
class Case:
    """A client, a service its contracts cover, the contract's number, and the accounts that may use it."""

    company: Company
    service: OnlineService
    contract: str
    accounts: list[Account] = field(default_factory=list)


#: Which cases suit a state.
WANTED: dict[S, Callable[[Case], bool]] = {
    S.bu_evaluation: lambda case: case.service.business_unit is not None,
    S.awaiting_acceptance: lambda case: case.service.default_charge is Charge.paid,
}


def invent_activation(
    world: World, clients: Sequence[Client], contracts: Sequence[Contract], accounts: Sequence[Account]
) -> None:
    """Make requests in every state with grants and contributions, where the group has online services."""
    cases = sorted(_cases(contracts, accounts), key=lambda case: not case.accounts)
    people = {client.company: client.contacts for client in clients}
    cases = [case for case in cases if people.get(case.company)]
    if not cases:
        return
    first = cases[0].service
    for state in world.deck(UNDER_WAY):
        if (case := _take(cases, WANTED.get(state, lambda case: case.service.business_unit is None))) is not None:
            _under_way(world, _request(world, case, people, state), case)
    fates, fees = cycle(GRANTS), cycle(FEES)
    for state in world.deck(DONE):
        if cases:
            case = cases.pop(0)
            request = _request(world, case, people, state)
            item = _item(world, request, case)
            _approve(world, item)
            _grant(world, case, item, next(fates), fees)
    _refused(world, first, people)
    for account in [account for account in accounts if account.state is AccountState.active][:12]:
        world.add(AccountPreference(account=account, key=PreferenceKey.theme, value="dark"))
    world.session.flush()


def _take(cases: list[Case], is_wanted: Callable[[Case], bool]) -> Case | None:
    """Take a case that is wanted out of those that are left, without accounts if possible; None where there is none."""
    case = next((case for case in reversed(cases) if is_wanted(case)), None)
    if case is not None:
        cases.remove(case)
    return case


def _cases(contracts: Sequence[Contract], accounts: Sequence[Account]) -> Iterator[Case]:
    """Yield every pair of client and online service that a contract in force covers."""
    seen: set[tuple[Company, OnlineService]] = set()
    for contract in contracts:
        for line in contract.lines if contract.state in IN_FORCE else ():
            service = line.service.online_service
            if service is None or line.state is LineState.withdrawn or (contract.company, service) in seen:
                continue
            seen.add((contract.company, service))
            active = [a for a in accounts if a.company is contract.company and a.state is AccountState.active]
            yield Case(contract.company, service, contract.number, active)


def _request(world: World, case: Case, people: People, state: S) -> ActivationRequest:
    """Make a request whose times tell the same story as its state."""
    world.group.last_request_number += 1
    person = next((a.contact for a in case.accounts if a.contact), people[case.company][0])
    asked = state not in DONE and world.chance(0.6)
    request = ActivationRequest(
        group_id=world.group.id, number=f"RA-{world.group.last_request_number}", state=state, company=case.company,
        company_name=case.company.legal_name, vat_number=case.company.vat_number, requester_name=str(person),
        email=person.email, kind=RequestKind.service, assignee=case.company.account_manager,
        origin=RequestOrigin.client_request if asked else RequestOrigin.group_initiative,
        channel=RequestChannel.login_page if asked else RequestChannel.commercial,
    )  # fmt: skip
    days = world.rng.randint(60, 500) if state in (S.closed, S.answered) else world.rng.randint(1, 9)
    request.created_at = at = world.instant(-days)
    request.answer_by = at.date() + timedelta(days=7)
    if case.service.business_unit is not None and state is not S.received:
        request.business_unit = case.service.business_unit
    if state in (S.decided, S.awaiting_acceptance, *DONE):
        request.evaluated_at = _within(world, at + timedelta(hours=20))
    if state in DONE:
        request.fulfilled_at = _within(world, at + timedelta(hours=21))
    if state in (S.closed, S.answered):
        request.answered_at = _within(world, at + timedelta(hours=22))
    return world.add(request)  # type: ignore[no-any-return]


def _within(world: World, at: datetime) -> datetime:
    return min(at, world.now)


def _item(world: World, request: ActivationRequest, case: Case) -> ActivationRequestItem:
    item: ActivationRequestItem = world.add(
        ActivationRequestItem(request=request, online_service=case.service, created_at=request.created_at)
    )
    if request.state is not S.received:
        _check(world, item, case)
    return item


def _check(world: World, item: ActivationRequestItem, case: Case) -> None:
    """Write down what the product would find: the client has a contract, and some advice is against it."""
    service = item.online_service
    small = case.company.size_class is not SizeClass.large
    found = {
        CheckKind.client: (CheckState.passed, None),
        CheckKind.contract: (CheckState.passed, case.contract),
        CheckKind.records: (CheckState.open if service.requires_records else CheckState.not_needed, None),
        CheckKind.size: (_advice(not small) if service.large_clients_only else CheckState.not_needed, None),
        CheckKind.frequency: (
            _advice(case.company.lab_habitual) if service.habitual_clients_only else CheckState.not_needed, None,
        ),
    }  # fmt: skip
    for kind, (state, detail) in found.items():
        check = ActivationCheck(item=item, request=item.request, kind=kind, state=state, detail=detail)
        check.created_at = check.checked_at = _within(world, item.request.created_at + timedelta(hours=1))
        if state is CheckState.open and item.request.state not in (S.in_evaluation, S.info_requested, S.bu_evaluation):
            check.state, check.detail = CheckState.passed, "Verificato sulla piattaforma."
            check.checked_by = world.staff("sales")
        world.add(check)


def _advice(is_met: bool) -> CheckState:
    return CheckState.passed if is_met else CheckState.failed


def _approve(world: World, item: ActivationRequestItem, *, agreed: bool = True) -> None:
    paid = item.online_service.default_charge is Charge.paid
    item.state = ItemState.approved_paid if paid else ItemState.approved_free
    if paid:
        item.yearly_fee = Decimal(world.rng.randrange(8, 40) * 25)
        item.agreement = f"Offerta {world.rng.randint(100, 999)}/{world.today.year}" if agreed else None
    _sign(world, item)


def _reject(world: World, item: ActivationRequestItem, reason: RejectReason) -> None:
    item.state, item.reject_reason, item.note = ItemState.rejected, reason, REJECTED[reason]
    _sign(world, item)


def _sign(world: World, item: ActivationRequestItem) -> None:
    unit = item.online_service.business_unit_id is not None
    item.decided_by = world.staff("evaluator" if unit else "administrator")
    item.decided_at = item.request.evaluated_at or _within(world, item.request.created_at + timedelta(hours=2))


def _under_way(world: World, request: ActivationRequest, case: Case) -> None:
    item = _item(world, request, case)
    if request.state is S.info_requested:
        request.question, request.state_before = "Per quali sedi serve l’accesso?", S.in_evaluation
    if request.state is S.withdrawn:
        request.refusal = "Il cliente attende il nuovo contratto."
    if request.state is S.decided:
        _approve(world, item)
    if request.state is S.in_evaluation:
        _ask_for_more(world, request, case)
    if request.state is S.awaiting_acceptance:
        _approve(world, item, agreed=False)
        world.session.flush()
        request.proposal, request.proposed_at = draft_proposal(world.session, request), request.evaluated_at


def _ask_for_more(world: World, request: ActivationRequest, case: Case) -> None:
    """Have the client ask for the group's other services too; what is found of them is what the product finds."""
    others = sa.select(OnlineService).where(
        OnlineService.group_id == world.group.id,
        OnlineService.id != case.service.id,
        OnlineService.business_unit_id.is_(None),
    )
    for service in world.session.scalars(others.order_by(OnlineService.id)):
        world.add(ActivationRequestItem(request=request, online_service=service, created_at=request.created_at))
    world.session.flush()
    world.session.refresh(request, ["items"])
    run_checks(world.session, request)


def _refused(world: World, service: OnlineService, people: People) -> None:
    """Make requests that were turned down, and one of a company that nobody knows."""
    others = [company for company in people if company.state is not CompanyState.client and people[company]]
    for company, reason in zip(others, (*REJECTED, *REJECTED), strict=False):
        case = Case(company, service, "")
        request = _request(world, case, people, S.closed)
        request.fulfilled_at = request.evaluated_at
        item = world.add(ActivationRequestItem(request=request, online_service=service, created_at=request.created_at))
        _reject(world, item, reason)
    stranger = _request(world, Case(others[0], service, ""), people, S.received)
    stranger.company, stranger.vat_number, stranger.assignee = None, None, None
    stranger.company_name, stranger.requester_name = "Officina Esempio di Verdi", "Nino Verdi"
    stranger.email, stranger.channel = "nino@officina-verdi.example", RequestChannel.login_page
    world.add(ActivationRequestItem(request=stranger, online_service=service, created_at=stranger.created_at))


def _grant(world: World, case: Case, item: ActivationRequestItem, state: GrantState, fees: Iterator[FeeState]) -> None:
    """Make what fulfilling the request left behind, and what has become of it since."""
    assert item.request.fulfilled_at is not None
    begun = item.request.fulfilled_at
    grant = CompanyService(company=case.company, online_service=case.service, state=state, created_at=begun)
    grant.active_from, grant.records_count = begun.date(), world.rng.randrange(3, 900)
    grant.last_data_at = world.instant(-world.rng.randint(1, 70))
    if state is not GrantState.active:
        grant.frozen_from = max(world.day(-world.rng.randint(5, 50)), grant.active_from)
        grant.last_data_at = min(grant.last_data_at, datetime.combine(grant.frozen_from, time(8), UTC))
    world.add(grant)
    for account in case.accounts:
        access = AccountService(account=account, company_service=grant, state=state, created_at=begun)
        access.suspended_with_company = state is GrantState.suspended
        world.add(access)
    if item.state is ItemState.approved_paid:
        for year in range(begun.year, world.today.year + 1):
            _fee(world, grant, item, year, next(fees))


def _fee(world: World, grant: CompanyService, item: ActivationRequestItem, year: int, state: FeeState) -> None:
    fee = AnnualFee(company_service=grant, year=year, amount=item.yearly_fee, agreement=item.agreement, state=state)
    if year < world.today.year:
        fee.state = FeeState.lapsed
    if fee.state in (FeeState.invoiced, FeeState.paid, FeeState.lapsed):
        fee.invoiced_on = fee.paid_on = grant.active_from
    if fee.state is FeeState.invoiced:
        fee.paid_on = None
    if fee.state is FeeState.waived:
        fee.override_reason = "Compreso nell’accordo quadro."
    world.add(fee)
