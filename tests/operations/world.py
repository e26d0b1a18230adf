"""Rows to try operations on: one client of one group with everything that records of every lifecycle point at."""

from __future__ import annotations

import itertools
from datetime import date, timedelta
from typing import Any

from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.actors import Action, Actor, ActorKind, Grant
from backoffice.operations.licenses import make_code
from models.account import Account, AccountState
from models.call import Call, CallState
from models.company import Company, CompanyState
from models.contact import Contact
from models.contract import Contract, ContractState
from models.contract_line import ContractLine, LineState
from models.corporate_group import CorporateGroup
from models.customer_order import CustomerOrder, OrderState
from models.group_company import GroupCompany
from models.job import Job, JobState
from models.license import License, LicenseState
from models.order_line import OrderLine
from models.outbox_mail import HoldReason, MailLanguage, MailState, OutboxMail
from models.request_type import RequestType
from models.service import Service, ServiceState
from models.support_package import PackageState, SupportPackage
from models.support_queue import SupportQueue
from models.support_team import SupportTeam
from models.ticket import ClosureReason, Ticket, TicketState

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
            company=self.company,
            state=state,
            state_before=AccountState.active if state is AccountState.deletion_requested else None,
            **{"username": f"utente{n}", "email": f"utente{n}@prova.example", "full_name": "Ada Rossi", **values},
        )
        return self.add(row)  # type: ignore[no-any-return]

    def ticket(self, state: TicketState = TicketState.qualification, **values: Any) -> Ticket:
        row = Ticket(
            queue=self.queue,
            company=self.company,
            number=f"PR-9{next(_serial):06}",
            subject="Non funziona",
            description="Da stamattina non funziona niente.",
            state=state,
            reopen_until=clock.now() + timedelta(hours=1) if state is TicketState.closed_provisional else None,
            closure_reason=ClosureReason.spam if state is TicketState.rejected else None,
            state_before=TicketState.in_progress if state is TicketState.on_hold_consent else None,
        )
        for name, value in values.items():
            setattr(row, name, value)
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
