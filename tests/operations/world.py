"""Rows to try operations on: one client of one group with everything that records of every lifecycle point at."""

from __future__ import annotations

import itertools
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.actors import Action, Actor, ActorKind, Grant
from backoffice.operations.consents import find_consent
from backoffice.operations.licenses import make_code
from models.account import Account, AccountState
from models.account_deletion import AccountDeletion, DeletionState
from models.account_service import AccountService
from models.account_session import AccountSession
from models.activation_check import ActivationCheck, CheckKind, CheckState
from models.activation_request import ActivationRequest, RequestState
from models.activation_request_item import ActivationRequestItem, ItemState, RejectReason
from models.analysis import Analysis, AnalysisState
from models.analysis_result import AnalysisResult, ResultState
from models.annual_fee import AnnualFee, FeeState
from models.api_key import ApiKey, ApiKeyState
from models.attachment import Attachment
from models.business_unit import BusinessUnit
from models.call import Call, CallState
from models.certificate import Certificate, CertificateState
from models.change_request import ChangeKind, ChangeRequest, ChangeState
from models.client_document import ClientDocument, DocumentArea, DocumentState
from models.company import Company, CompanyState
from models.company_service import CompanyService, GrantState
from models.complaint import ActionKind, Complaint, ComplaintState
from models.consent import Consent
from models.contact import Contact
from models.contract import Contract, ContractState
from models.contract_handover import CHECKLIST, ContractHandover, HandoverState
from models.contract_line import ContractLine, LineState
from models.corporate_group import CorporateGroup
from models.course import Course
from models.customer_order import CustomerOrder, OrderState
from models.deadline import Deadline, DeadlineState
from models.entitlement import Entitlement
from models.escalation import Escalation, EscalationReason, EscalationState
from models.group_company import GroupCompany
from models.inbound_mail import Disposition, InboundMail
from models.intervention import Intervention, InterventionState
from models.job import Job, JobState
from models.license import License, LicenseState
from models.mailbox import Mailbox
from models.on_call_alert import AlertState, OnCallAlert
from models.on_call_shift import OnCallShift
from models.onboarding import AddressMatch, Onboarding, OnboardingState
from models.online_service import OnlineService
from models.order_line import OrderLine
from models.outbox_mail import HoldReason, MailLanguage, MailState, OutboxMail
from models.penalty import Penalty, PenaltyState
from models.penalty_rule import PenaltyRule
from models.platform import Platform, PlatformState
from models.portal import Portal
from models.request_type import RequestType
from models.service import Service, ServiceState
from models.sla_policy import SlaKind, SlaPolicy
from models.staff import Staff
from models.support_package import PackageState, SupportPackage
from models.support_queue import SupportQueue
from models.support_team import SupportTeam
from models.terms_version import TermsKind, TermsState, TermsVersion
from models.ticket import ClosureReason, Ticket, TicketState
from models.ticket_archive import TicketArchive
from models.ticket_clock import TicketClock
from models.ticket_follower import TicketFollower
from models.waste_movement import UNWEIGHED, MovementState, WasteMovement
from models.worker import Worker

#: What the second level is told.
PASSED_ON = {"reason": "technical", "description": "Guasto", "actions": "Riavviato", "workaround": "Nessuno"}
#: Never the same number or code twice in a run.
_serial = itertools.count(1)


def day(offset: int) -> date:
    """Return the date so many days from now."""
    return clock.today() + timedelta(days=offset)


class World:
    """One client and its surroundings, flushed; the methods make one record each, in any state."""

    def __init__(self, session: Session, *, group_id: int | None = None) -> None:
        self.session = session
        n = next(_serial)
        known = session.get(CorporateGroup, group_id) if group_id else None
        self.group = known or self.add(CorporateGroup(name=f"Gruppo Prova {n}"))
        mark = str(n) if known else ""  # among what is there already
        self.house = self.add(GroupCompany(group_id=self.group.id, legal_name=f"Prova{mark} S.r.l."))
        self.company = self.add(
            Company(
                group_id=self.group.id,
                legal_name="Comune di Prova",
                state=CompanyState.client,
                phone="+390461123456",
                street="Via Roma 1",
                city="Trento",
            )
        )
        self.contact = self.add(
            Contact(company=self.company, first_name="Ada", last_name="Rossi", email="ada@prova.example")
        )
        self.first_level = self.add(SupportTeam(name=f"Primo livello{mark}", group_company=self.house))
        self.second_level = self.add(SupportTeam(name=f"Secondo livello{mark}", group_company=self.house, level=2))
        self.queue = self.add(
            SupportQueue(code=f"PR{mark}", name=f"Prova{mark}", group_company=self.house, team=self.first_level)
        )
        self.type = self.add(RequestType(group_id=self.group.id, code=f"GUASTO{mark}", name="Guasto"))
        self.tool = self.service(ServiceState.offered, is_licensed=True)

    def add(self, row: Any) -> Any:
        self.session.add(row)
        self.session.flush()
        return row

    def staff(self, *areas: str, actions: frozenset[Action] = frozenset(Action)) -> Actor:
        """Return a member of staff of the group who may do everything in the areas."""
        grants = {area: (Grant(actions),) for area in areas}
        return Actor(ActorKind.staff, name="Prova", group_id=self.group.id, grants=grants)

    def client(self, state: CompanyState = CompanyState.prospect, **values: Any) -> Company:
        values = {"legal_name": f"Cliente {next(_serial)}", "group_id": self.group.id, "state": state, **values}
        return self.add(Company(**values))  # type: ignore[no-any-return]

    def service(self, state: ServiceState = ServiceState.proposed, **values: Any) -> Service:
        n = next(_serial)
        values = {"code": f"S{n}", "name": f"Servizio {n}", "group_company": self.house, "state": state, **values}
        return self.add(Service(**values))  # type: ignore[no-any-return]

    def contract(self, state: ContractState = ContractState.draft, **values: Any) -> Contract:
        withdrawn = state in (ContractState.withdrawal_notified, ContractState.withdrawn)
        row = Contract(
            company=self.company,
            group_company=self.house,
            state=state,
            **{
                "number": f"C/{next(_serial)}",
                "starts_on": day(-30),
                "ends_on": day(200),
                "withdrawal_on": day(0) if withdrawn else None,
                "signed_on": None if state in (ContractState.draft, ContractState.cancelled) else day(-40),
                **values,
            },
        )
        row.lines = [ContractLine(service=self.tool)]
        return self.add(row)  # type: ignore[no-any-return]

    def contract_line(self, state: LineState = LineState.in_force, **values: Any) -> ContractLine:
        (line,) = self.contract(ContractState.active, **values).lines
        line.state, line.withdrawal_on = state, None if state is LineState.in_force else day(0)
        return self.add(line)  # type: ignore[no-any-return]

    def order(self, state: OrderState = OrderState.draft, *, quantity: int = 3, generated: int = 0) -> CustomerOrder:
        row = CustomerOrder(
            company=self.company, number=f"O/{next(_serial)}", ordered_on=day(0), referent=self.contact, state=state
        )
        row.lines = [OrderLine(service=self.tool, quantity=quantity, generated=generated, license_expires_on=day(365))]
        return self.add(row)  # type: ignore[no-any-return]

    def license(self, state: LicenseState = LicenseState.generated, **values: Any) -> License:
        (line,) = self.order(OrderState.confirmed).lines
        values = {"order_line": line, "contact": self.contact, "expires_on": day(365), **values}
        row = License(code=make_code(), state=state, **values)
        row.sent_at = row.first_used_at = clock.now()
        row.revocation_reason = "Perduta"
        return self.add(row)  # type: ignore[no-any-return]

    def package(
        self, state: PackageState = PackageState.requested, *, minutes: int = 600, **values: Any
    ) -> SupportPackage:
        bought = state not in (PackageState.requested, PackageState.quoted, PackageState.cancelled)
        left = bought and state is not PackageState.exhausted
        row = SupportPackage(
            company=self.company,
            number=f"P/{next(_serial)}",
            purchased_minutes=minutes,
            residual_minutes=minutes if left else 0,
            state=state,
            **{"valid_from": day(-1) if bought else None, **values},
        )
        return self.add(row)  # type: ignore[no-any-return]

    def account(self, state: AccountState = AccountState.provisioned, **values: Any) -> Account:
        n = next(_serial)
        row = Account(
            group_id=self.group.id,
            state=state,
            state_before=AccountState.active if state is AccountState.deletion_requested else None,
            **{
                "company": self.company,
                "username": f"utente{n}",
                "email": f"utente{n}@prova.example",
                "full_name": "Ada Rossi",
                **values,
            },
        )
        if state is AccountState.active:
            self.add(Consent(account=row, granted_at=clock.now()))
        return self.add(row)  # type: ignore[no-any-return]

    def ticket(self, state: TicketState = TicketState.qualification, **values: Any) -> Ticket:
        row = Ticket(
            queue=self.queue,
            company=self.company,
            number=f"PR-9{next(_serial):06}",
            subject="Non funziona",
            description="Da stamattina non funziona niente.",
            request_type=self.type,
            state=state,
            reopen_until=clock.now() + timedelta(hours=1) if state is TicketState.closed_provisional else None,
            closure_reason=ClosureReason.spam if state is TicketState.rejected else None,
            state_before=TicketState.in_progress if state is TicketState.on_hold_consent else None,
        )
        for name, value in values.items():
            setattr(row, name, value)
        return self.add(row)  # type: ignore[no-any-return]

    def inbound(self, state: Disposition = Disposition.to_sort, **values: Any) -> InboundMail:
        n = next(_serial)
        box = Mailbox(
            code=f"M{n}", queue=self.queue, address=f"m{n}@casa.example", host="imap.example", username=f"m{n}"
        )
        row = InboundMail(
            mailbox=self.add(box), digest=f"{n:064}", message_id=f"<{n}@prova.example>", received_at=clock.now(),
            sender_address="ada@prova.example", subject="Non va", body="Da stamattina.", company_id=self.company.id,
            state=state,
        )  # fmt: skip
        for name, value in values.items():
            setattr(row, name, value)
        return self.add(row)  # type: ignore[no-any-return]

    def timed(self) -> TicketClock:
        """A clock that runs on a ticket of its own."""
        policy = SlaPolicy(group_id=self.group.id, name=f"Prova {next(_serial)}", kind=SlaKind.close, target_minutes=60)
        now = clock.now()
        row = TicketClock(ticket=self.ticket(TicketState.in_progress), kind=SlaKind.close, policy=self.add(policy))
        row.started_at, row.due_at, row.target_minutes, row.fitted_at = now, now, 60, now
        return self.add(row)  # type: ignore[no-any-return]

    def clause(self) -> PenaltyRule:
        contract = self.contract(ContractState.active)
        row = PenaltyRule(contract=contract, reference="par. 6.0", trigger="contact_centre", base="signature")
        return self.add(row)  # type: ignore[no-any-return]

    def penalty(self, state: PenaltyState = PenaltyState.proposed) -> Penalty:
        row = Penalty(rule=self.clause(), due_on=day(-3), days_late=3, computation="3 d", state=state, reason="Accordo")
        return self.add(row)  # type: ignore[no-any-return]

    def follower(self) -> TicketFollower:
        person = self.session.scalars(sa.select(Staff).order_by(Staff.id)).first()
        return self.add(TicketFollower(ticket=self.ticket(TicketState.in_progress), staff=person))  # type: ignore[no-any-return]

    def api_key(self, state: ApiKeyState = ApiKeyState.active) -> ApiKey:
        n, person = next(_serial), self.session.scalars(sa.select(Staff).order_by(Staff.id)).first()
        row = ApiKey(staff=person, name=f"Programma {n}", begins="bo_prova", digest=f"{n:064}", expires_on=day(30))
        row.group_id = self.group.id
        row.state = state
        return self.add(row)  # type: ignore[no-any-return]

    def alert(self, state: AlertState = AlertState.sent) -> OnCallAlert:
        """An alert, with somebody else on call besides whom it goes to."""
        people = list(self.session.scalars(sa.select(Staff).order_by(Staff.id).limit(2)))
        for turn, person in enumerate(people, 1):
            shift = OnCallShift(team=self.first_level, person=person, turn=turn)
            shift.starts_at, shift.ends_at = clock.now() - timedelta(hours=1), clock.now() + timedelta(hours=1)
            self.add(shift)
        ticket = self.ticket(TicketState.in_progress, team=self.first_level)
        return self.add(  # type: ignore[no-any-return]
            OnCallAlert(ticket=ticket, person=people[0], next_at=clock.now(), state=state)
        )

    def archived(self) -> TicketArchive:
        ticket = self.ticket(TicketState.archived)
        return self.add(TicketArchive(ticket=ticket, sha256="0" * 64, size_bytes=1))  # type: ignore[no-any-return]

    def escalation(self, state: EscalationState = EscalationState.requested, **values: Any) -> Escalation:
        over = state in (EscalationState.returned, EscalationState.solved)
        row = Escalation(
            ticket=self.ticket(TicketState.waiting_l2, team=self.second_level),
            from_team=self.first_level,
            to_team=self.second_level,
            state=state,
            missing="Versione" if over else None,
            ended_at=clock.now() if over else None,
            **{**PASSED_ON, "reason": EscalationReason.technical, **values},
        )
        return self.add(row)  # type: ignore[no-any-return]

    def entitlement(self, **values: Any) -> Entitlement:
        values = {"contract": self.contract(ContractState.active), "valid_from": day(-10), **values}
        return self.add(Entitlement(**values))  # type: ignore[no-any-return]

    def intervention(self, state: InterventionState = InterventionState.requested, **values: Any) -> Intervention:
        came = state in (InterventionState.arrived, InterventionState.done)
        row = Intervention(
            ticket=self.ticket(TicketState.in_progress),
            requested_at=clock.now(),
            planned_at=clock.now(),
            arrived_at=clock.now() if came else None,
            ended_at=clock.now() if state is InterventionState.done else None,
            state=state,
            **values,
        )
        return self.add(row)  # type: ignore[no-any-return]

    def job(self, state: JobState = JobState.waiting, **values: Any) -> Job:
        row = Job(
            group_id=self.group.id,
            kind="import_trial",
            lane="imports",
            subject=f"prova{next(_serial)}.csv",
            arguments={"language": "it"},
            state=state,
            lease_token="someone",  # a name
        )
        for name, value in values.items():
            setattr(row, name, value)
        return self.add(row)  # type: ignore[no-any-return]

    def mail(self, state: MailState = MailState.waiting, **values: Any) -> OutboxMail:
        n = next(_serial)
        row = OutboxMail(
            group_id=self.group.id,
            recipient="ada@prova.example",
            subject=f"Prova {n}",
            template="staff_password",
            arguments={"name": "Ada", "username": "ada", "hours": 24},
            language=MailLanguage.it,
            message_id=f"<prova-{n}@outbox.internal>",
            state=state,
            held_because=HoldReason.demonstration,
            due_at=clock.now(),
            lease_token="prova",
            cause_entity="contact",
            cause_id=self.contact.id,
            **values,
        )
        return self.add(row)  # type: ignore[no-any-return]

    def online_service(self, **values: Any) -> OnlineService:
        n = next(_serial)
        return self.add(  # type: ignore[no-any-return]
            OnlineService(**{"code": f"ON{n}", "name": f"Sezione {n}", "group_company": self.house, **values})
        )

    def covered(self, **values: Any) -> OnlineService:
        """Return an online service that a contract in force of the company covers."""
        found = self.online_service(**values)
        contract = self.contract(ContractState.active)
        self.add(ContractLine(contract=contract, service=self.service(ServiceState.offered, online_service=found)))
        return found

    def request(self, state: RequestState = RequestState.received, *services: OnlineService) -> ActivationRequest:
        """Make a request for the services, or for one that is covered; every hard check of it is met."""
        row = ActivationRequest(
            group_id=self.group.id,
            company=self.company,
            company_name="Comune di Prova",
            number=f"RA/{next(_serial)}",
            requester_name="Ada Rossi",
            email="ada@prova.example",
            state=state,
            question="Per quali sedi?",
            state_before=RequestState.in_evaluation if state is RequestState.info_requested else None,
        )
        row.items = [ActivationRequestItem(online_service=service) for service in services or (self.covered(),)]
        self.add(row)
        for item in row.items:
            for kind in CheckKind:
                self.add(ActivationCheck(item=item, request=row, kind=kind, state=CheckState.passed))
        return row

    def item(self, state: ItemState = ItemState.pending, **values: Any) -> ActivationRequestItem:
        (item,) = self.request(RequestState.in_evaluation).items
        item.state = state
        item.yearly_fee = Decimal(100) if state is ItemState.approved_paid else None
        if state is ItemState.rejected:
            item.reject_reason, item.note = RejectReason.other, "Non serve"
        for name, value in values.items():
            setattr(item, name, value)
        return self.add(item)  # type: ignore[no-any-return]

    def check(self, state: CheckState = CheckState.open) -> ActivationCheck:
        item = self.item()
        of_records = (ActivationCheck.item_id == item.id, ActivationCheck.kind == CheckKind.records)
        check = self.session.scalars(sa.select(ActivationCheck).where(*of_records)).one()
        check.state = state
        return self.add(check)  # type: ignore[no-any-return]

    def company_service(
        self, state: GrantState = GrantState.proposed, service: OnlineService | None = None
    ) -> CompanyService:
        """Make a grant whose request was approved, and which a contract covers."""
        if service is None:
            (item,) = self.request(RequestState.decided).items
            item.state, item.decided_at, service = ItemState.approved_free, clock.now(), item.online_service
        row = CompanyService(company=self.company, online_service=service, state=state)
        row.active_from, row.frozen_from, row.return_proposed_on = day(-20), day(-1), day(0)
        return self.add(row)  # type: ignore[no-any-return]

    def account_service(
        self, state: GrantState = GrantState.proposed, grant: CompanyService | None = None
    ) -> AccountService:
        grant = grant or self.company_service(GrantState.active)
        account = self.account(AccountState.active)
        return self.add(AccountService(account=account, company_service=grant, state=state))  # type: ignore[no-any-return]

    def fee(self, state: FeeState = FeeState.due, **values: Any) -> AnnualFee:
        grant = self.company_service(GrantState.active)
        values = {"year": clock.today().year, "amount": Decimal(100), "agreement": "Offerta 12", **values}
        return self.add(AnnualFee(company_service=grant, state=state, **values))  # type: ignore[no-any-return]

    def terms(self, state: TermsState = TermsState.in_force) -> TermsVersion:
        """A version of conditions in a language that has none in force."""
        portal = self.session.scalars(sa.select(Portal).order_by(Portal.id)).first()
        assert portal is not None
        known = sa.select(TermsVersion).where(TermsVersion.portal_id == portal.id)
        for other in self.session.scalars(known.where(TermsVersion.state == TermsState.in_force)):
            other.state = TermsState.superseded
        number = len(self.session.scalars(known).all()) + 1
        published = None if state is TermsState.draft else clock.now()
        return self.add(  # type: ignore[no-any-return]
            TermsVersion(
                portal=portal,
                kind=TermsKind.conditions,
                language=MailLanguage.it,
                number=number,
                body="Le condizioni.",
                state=state,
                published_at=published,
            )
        )

    def signed_in(self, account: Account) -> None:
        """A session, a consent and a deletion request of an account."""
        now = clock.now()
        self.add(AccountSession(account=account, digest="0" * 64, seen_at=now, address="127.0.0.1"))
        if find_consent(self.session, account.id) is None:
            self.add(Consent(account=account, granted_at=now))
        self.add(AccountDeletion(account=account, due_on=day(30)))

    def account_deletion(self, state: DeletionState = DeletionState.requested) -> AccountDeletion:
        is_open = state in (DeletionState.requested, DeletionState.blocked, DeletionState.scheduled)
        account = self.account(AccountState.deletion_requested if is_open else AccountState.active)
        return self.add(  # type: ignore[no-any-return]
            AccountDeletion(
                account=account,
                state=state,
                due_on=day(30),
                execute_on=day(7) if state is DeletionState.scheduled else None,
                reason="Non viene da lei" if state is DeletionState.refused else None,
                executed_at=clock.now() if state is DeletionState.executed else None,
            )
        )

    def platform(self, state: PlatformState = PlatformState.prepared) -> Platform:
        n = next(_serial)
        return self.add(Platform(group_id=self.group.id, code=f"PI{n}", name="Piattaforma", state=state))  # type: ignore[no-any-return]

    def handover(self, state: HandoverState = HandoverState.open, *, ticked: bool = True) -> ContractHandover:
        row = ContractHandover(contract=self.contract(ContractState.expiring), state=state, dropped_because="No")
        for name in CHECKLIST:
            setattr(row, name, ticked)
        return self.add(row)  # type: ignore[no-any-return]

    def onboarding(self, state: OnboardingState = OnboardingState.order_entered) -> Onboarding:
        row = Onboarding(order=self.order(OrderState.confirmed), state=state)
        row.received_address, row.address_match = "altra@prova.example", AddressMatch.mismatch
        row.cancelled_because = "Rinuncia"
        return self.add(row)  # type: ignore[no-any-return]

    def call(self, state: CallState = CallState.received, **values: Any) -> Call:
        row = Call(
            group_id=self.group.id,
            company=self.company,
            description="Chiede quando arrivano.",
            request_type=self.type,
            state=state,
            callback_due_at=clock.now(),
            referred_to="Comune",
            **values,
        )
        return self.add(row)  # type: ignore[no-any-return]

    def complaint(self, state: ComplaintState = ComplaintState.received, **values: Any) -> Complaint:
        row = Complaint(
            company=self.company, group_id=self.group.id, number=f"RE/{next(_serial)}", description="Troppo lento.",
            state=state,
        )  # fmt: skip
        if state not in (ComplaintState.received, ComplaintState.in_analysis):
            row.analysis, row.action_kind, row.outcome = "Confermato", ActionKind.none, "Ce ne scusiamo."
        for name, value in values.items():
            setattr(row, name, value)
        return self.add(row)  # type: ignore[no-any-return]

    def change(self, state: ChangeState = ChangeState.proposed, **values: Any) -> ChangeRequest:
        row = ChangeRequest(
            company=self.company, group_id=self.group.id, number=f"MO/{next(_serial)}", subject="Somma sbagliata",
            description="Le righe annullate contano.", reason="Errore", kind=ChangeKind.correction, state=state,
        )  # fmt: skip
        if state is not ChangeState.proposed:
            row.decided_at, row.decision_reason, row.released_at = clock.now(), "Accertato", clock.now()
        for name, value in values.items():
            setattr(row, name, value)
        return self.add(row)  # type: ignore[no-any-return]

    def file(self, content: str = "a" * 64, **parent: Any) -> Attachment:
        """Put a file for the client to a record, whose content nobody reads."""
        row = Attachment(name="a.pdf", media_type="application/pdf", size_bytes=1, sha256=content, **parent)
        row.group_id, row.client_visible = self.group.id, True
        return self.add(row)  # type: ignore[no-any-return]

    def worker(self, **values: Any) -> Worker:
        values = {"company": self.company, "first_name": "Ugo", "last_name": "Bianchi", **values}
        return self.add(Worker(**values))  # type: ignore[no-any-return]

    def course(self, **values: Any) -> Course:
        n = next(_serial)
        values = {"group_id": self.group.id, "code": f"CORSO-{n}", "title": f"Corso {n}", **values}
        return self.add(Course(**values))  # type: ignore[no-any-return]

    def teaching(self, **values: Any) -> Contract:
        """Make a contract in force that covers training."""
        known = self.session.scalars(
            sa.select(OnlineService).where(OnlineService.code == "EDUPLAN", OnlineService.group_id == self.group.id)
        ).first()
        online = known or self.online_service(code="EDUPLAN")
        contract = self.contract(ContractState.active, **{"starts_on": day(-300), **values})
        self.add(ContractLine(contract=contract, service=self.service(ServiceState.offered, online_service=online)))
        return contract

    def deadline(self, state: DeadlineState = DeadlineState.open, **values: Any) -> Deadline:
        row = Deadline(company=self.company, title="Prova di evacuazione", due_on=day(20), state=state)
        row.fulfilled_on = day(-1) if state is DeadlineState.fulfilled else None
        row.cancelled_because = "Sede chiusa" if state is DeadlineState.cancelled else None
        for name, value in values.items():
            setattr(row, name, value)
        return self.add(row)  # type: ignore[no-any-return]

    def document(self, state: DocumentState = DocumentState.uploaded, **values: Any) -> ClientDocument:
        values = {"title": "Piano di emergenza", "area": DocumentArea.safety, "dated_on": day(-3), **values}
        row = ClientDocument(company=self.company, state=state, published_at=clock.now(), **values)
        row.withdrawn_because = "Sbagliato"
        self.add(row)
        self.file(client_document=row)
        return row

    def unit(self, name: str = "Laboratorio") -> BusinessUnit:
        return self.add(BusinessUnit(name=f"{name} {next(_serial)}", group_company=self.house))  # type: ignore[no-any-return]

    def analysis(self, state: AnalysisState = AnalysisState.registered, **values: Any) -> Analysis:
        is_validated = state in (AnalysisState.validated, AnalysisState.certified)
        values = {"company": self.company, "business_unit": self.unit(), "sampled_on": day(-3), **values}
        row = Analysis(number=f"A/{next(_serial)}", matrix="Acque reflue", state=state, **values)
        row.validated_at = clock.now() if is_validated else None
        row.results = [AnalysisResult(parameter="COD", value=Decimal(85), unit="mg/l", limit_value=Decimal(160))]
        row.results[0].state = ResultState.validated if is_validated else ResultState.preliminary
        return self.add(row)  # type: ignore[no-any-return]

    def certificate(self, state: CertificateState = CertificateState.draft, **values: Any) -> Certificate:
        analysis = values.pop("analysis", None) or self.analysis(AnalysisState.validated)
        row = Certificate(analysis=analysis, number=f"RP/{next(_serial)}", signer="Ada Rossi", state=state, **values)
        row.signed_at = clock.now()
        if state is not CertificateState.draft:
            row.issued_at, row.sha256 = clock.now(), "a" * 64
        self.add(row)
        self.file(certificate=row)
        return row

    def movement(self, state: MovementState = MovementState.picked_up, **values: Any) -> WasteMovement:
        row = WasteMovement(
            company=self.company,
            business_unit=self.unit("Rifiuti"),
            state=state,
            **{
                "form_number": f"FIR {next(_serial)}",
                "picked_up_at": clock.now() - timedelta(days=3),
                "waste_code": "150106",
                "quantity": Decimal(1000),
                "register_due_on": day(7),
                **values,
            },
        )
        if state not in UNWEIGHED:
            row.destination_kg, row.weighed_at = Decimal(990), clock.now()
        if state is MovementState.disposed:
            row.disposed_at = clock.now()
        return self.add(row)  # type: ignore[no-any-return]
