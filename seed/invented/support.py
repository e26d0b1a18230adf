"""Invented tickets with what was said about them, in every state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from backoffice.access import INTERNAL
from backoffice.operations.calendars import working_calendar
from backoffice.working_time import WorkingCalendar
from models.account import Account, AccountState
from models.company import CompanyState
from models.contract import Contract, ContractState
from models.request_type import RequestType
from models.staff import Staff
from models.support_package import PackageState, SupportPackage
from models.support_queue import SupportQueue
from models.support_team import SupportTeam
from models.team_member import TeamMember
from models.ticket import (
    AssistanceKind,
    Channel,
    ClosureReason,
    RequesterCategory,
    Ticket,
    TicketState,
    Urgency,
)
from models.ticket_message import Direction, TicketMessage, Visibility
from seed.invented import texts
from seed.invented.clients import Client
from seed.invented.world import World

S = TicketState
STATES = {
    S.closed_final: 60, S.archived: 30, S.in_progress: 36, S.assigned: 20, S.qualification: 22, S.waiting_customer: 14,
    S.closed_provisional: 12, S.rejected: 8, S.waiting_package: 6, S.waiting_quote: 5, S.waiting_l2: 7,
    S.waiting_change: 5, S.on_site_planned: 5, S.on_hold_consent: 3, S.reopened: 5,
}  # fmt: skip
CLOSED = frozenset({S.closed_final, S.archived})
#: What a queue must ask for, or allow, to have tickets in a state.
NEEDS = {
    S.waiting_package: ("requires_package",), S.on_hold_consent: ("requires_consent",),
    S.closed_provisional: ("reopen_window_hours",), S.reopened: ("reopen_window_hours",),
}  # fmt: skip
#: States in which nobody has taken charge yet.
UNTAKEN = frozenset({S.qualification, S.waiting_package, S.waiting_quote, S.assigned, S.rejected})
#: Working minutes within which a ticket is due, by priority; invented, the sources state none.
DUE = {Urgency.low: 4800, Urgency.normal: 2400, Urgency.high: 480, Urgency.emergency: 120}
URGENCIES = (Urgency.low, Urgency.normal, Urgency.normal, Urgency.normal, Urgency.high, Urgency.high, Urgency.emergency)
CHANNELS = (
    *(Channel.web,) * 6, *(Channel.email,) * 5, *(Channel.phone,) * 3,
    Channel.pec, Channel.voicemail, Channel.qr, Channel.on_site,
)  # fmt: skip
REJECTIONS = (ClosureReason.duplicate, ClosureReason.not_competent, ClosureReason.spam)
SOLUTIONS = (ClosureReason.solved, ClosureReason.solved, ClosureReason.answered, ClosureReason.third_party)


class Askers:
    """Who may ask for what: people with their contracts, accounts and packages."""

    def __init__(
        self,
        clients: Sequence[Client],
        contracts: Sequence[Contract],
        accounts: Sequence[Account],
        packages: Sequence[SupportPackage],
    ) -> None:
        reachable = [client for client in clients if client.contacts]
        covered = {package.company_id for package in packages if package.state is PackageState.active}
        self.current = [client for client in reachable if client.company.state is CompanyState.client]
        self.former = [client for client in reachable if client.company.state is CompanyState.former]
        self.covered = [client for client in self.current if client.company.id in covered]
        self.uncovered = [client for client in self.current if client.company.id not in covered]
        in_force = (ContractState.active, ContractState.expiring)
        self.contracts = {row.company_id: row for row in contracts if row.state in in_force}
        self.accounts = {row.contact_id: row for row in accounts if row.state is AccountState.active}
        self.revoked = [row for row in accounts if row.state is AccountState.consent_revoked]

    def choose(self, world: World, queue: SupportQueue, state: TicketState) -> Client:
        """Return a client who may have a ticket in such a queue and state."""
        if state is S.waiting_package:
            return world.rng.choice(self.uncovered)
        if queue.requires_package:
            return world.rng.choice(self.covered)
        return world.rng.choice([*self.current, *self.former] if state in CLOSED else self.current)


def invent_tickets(world: World, askers: Askers) -> list[Ticket]:
    """Make tickets with messages; their numbers go on from those of their queues."""
    topics = (texts.ECOOPERA_TOPICS, texts.TORINO_TOPICS)[world.number]
    tickets = []
    used: Counter[int] = Counter()
    for state in world.deck(STATES):
        ticket = _ticket(world, askers, state, world.rng.choice(topics))
        used[ticket.queue.id] += 1
        ticket.number = f"{ticket.queue.code}-{ticket.queue.last_number + used[ticket.queue.id]}"
        tickets.append(world.add(ticket))
    _forget_two_companies(tickets)
    world.session.flush()
    _count_up(world, used)
    for ticket in tickets:
        _add_messages(world, ticket)
    world.session.flush()
    return tickets


def _ticket(world: World, askers: Askers, state: TicketState, topic: texts.Topic) -> Ticket:
    queue = _queue(world, state)
    client = askers.choose(world, queue, state)
    # Most open requests are recent, as where people work.
    age = world.rng.randint(40, 700) if state in CLOSED else world.rng.randint(0, 30) ** 3 // 900
    contact = world.rng.choice(client.contacts)
    ticket = Ticket(
        queue=queue, company=client.company, contact=contact, subject=topic.subject, description=topic.description,
        request_type=world.by_code(RequestType, topic.kind), affected_system=topic.system, state=state,
        channel=world.rng.choice(CHANNELS), priority=world.rng.choice(URGENCIES),
        requested_urgency=world.rng.choice(URGENCIES), team=queue.team,
        requester_category=RequesterCategory.technical_staff if world.chance(0.2) else RequesterCategory.end_user,
    )  # fmt: skip
    _identify(ticket, askers)
    ticket.created_at = world.instant(-age)
    ticket.due_at = _due_at(world, ticket)
    if state not in (S.qualification, S.rejected):
        ticket.assistance_kind = world.rng.choice(tuple(AssistanceKind))
        ticket.covered_by_quote = world.chance(0.2)
    _take(world, ticket)
    _close(world, ticket, topic)
    return ticket


def _queue(world: World, state: TicketState) -> SupportQueue:
    """Choose a queue whose rules allow the state."""
    queues: list[SupportQueue] = world.all_of(SupportQueue)
    allowed = [queue for queue in queues if all(getattr(queue, rule) for rule in NEEDS.get(state, ()))]
    return world.rng.choice(allowed or queues)


def _identify(ticket: Ticket, askers: Askers) -> None:
    """Set contract, account and unit; a ticket on hold is that of somebody who withdrew the consent."""
    if ticket.state is S.on_hold_consent and askers.revoked:
        ticket.account = askers.revoked.pop()
        ticket.company, ticket.contact, ticket.channel = ticket.account.company, ticket.account.contact, Channel.web
    elif ticket.channel is Channel.web and ticket.contact is not None:
        ticket.account = askers.accounts.get(ticket.contact.id)
    assert ticket.company is not None
    ticket.contract = askers.contracts.get(ticket.company.id)
    ticket.business_unit = ticket.contract.business_unit if ticket.contract else ticket.company.business_unit


def _due_at(world: World, ticket: Ticket) -> datetime:
    """Return when it should be solved, by the hours of its queue where it has some."""
    minutes = DUE[ticket.priority]
    calendar_id = ticket.queue.calendar_id
    if calendar_id is None:
        return ticket.created_at + timedelta(minutes=minutes * 3)
    calendar: WorkingCalendar = world.kept(
        ("calendar", calendar_id), lambda: working_calendar(world.session, calendar_id)
    )
    return calendar.add_working_time(ticket.created_at, minutes)


def _take(world: World, ticket: Ticket) -> None:
    if ticket.state in (S.qualification, S.rejected, S.waiting_quote, S.waiting_package):
        return
    second = ticket.state is S.waiting_l2
    if second:
        teams = [team for team in world.all_of(SupportTeam) if team.level == 2]
        ticket.team = world.rng.choice(teams) if teams else ticket.team
        ticket.workaround = texts.WORKAROUND
    ticket.assignee = _assignee(world, ticket)
    ticket.problem = "Comportamento riprodotto in ambiente di prova." if world.chance(0.5) else None
    if ticket.state not in UNTAKEN:
        ticket.taken_at = min(ticket.created_at + timedelta(minutes=world.rng.randint(10, 900)), world.now)
    if ticket.state is S.on_hold_consent:
        ticket.state_before = S.in_progress


def _assignee(world: World, ticket: Ticket) -> Staff | None:
    """Return a member of the ticket's team, else somebody of the secretariat or a consultant."""
    found: list[Staff] = world.kept(("members", ticket.team and ticket.team.id), lambda: _members(world, ticket.team))
    if found and world.entrusting.random() < 0.8:
        return world.entrusting.choice(found)
    return world.staff(world.entrusting.choice(("secretariat", "consultant")))


def _members(world: World, team: SupportTeam | None) -> list[Staff]:
    statement = sa.select(Staff).join(TeamMember, TeamMember.staff_id == Staff.id).where(TeamMember.team == team)
    return list(world.session.scalars(statement.order_by(Staff.id)))


def _close(world: World, ticket: Ticket, topic: texts.Topic) -> None:
    """Set what an ended, or once ended, ticket has: solution, reason and times in their order."""
    if ticket.state is S.rejected:
        ticket.closure_reason = world.rng.choice(REJECTIONS)
        ticket.closed_at = min(ticket.created_at + timedelta(hours=3), world.now)
    elif ticket.state in (*CLOSED, S.closed_provisional, S.reopened):
        window = timedelta(hours=ticket.queue.reopen_window_hours)
        ticket.solution = topic.solution
        ticket.closure_reason = world.rng.choice(SOLUTIONS)
        assert ticket.taken_at is not None
        if ticket.state in CLOSED:
            ticket.first_closed_at = ticket.taken_at + timedelta(hours=world.rng.randint(2, 400))
            ticket.closed_at = ticket.first_closed_at + window
        else:
            ticket.first_closed_at = max(ticket.taken_at, world.now - timedelta(hours=world.rng.randint(1, 70)))
        ticket.reopen_until = ticket.first_closed_at + window
        if ticket.state is S.reopened:
            ticket.reopen_count, ticket.closure_reason, ticket.reopen_until = 1, None, None
    ticket.reminder_count = world.rng.choice((0,) * 8 + (1, 2))


def _forget_two_companies(tickets: Sequence[Ticket]) -> None:
    """Leave some new requests without a client: nobody has found out yet whose they are."""
    for ticket in [ticket for ticket in tickets if ticket.state is S.qualification][:3]:
        ticket.company = ticket.contact = ticket.contract = ticket.account = None
        ticket.channel = Channel.email


def _count_up(world: World, used: Counter[int]) -> None:
    """Let the queues go on after the invented numbers, so that none is ever given twice."""
    queue = SupportQueue.__table__
    for queue_id, count in used.items():
        statement = sa.update(queue).where(queue.c.id == queue_id).values(last_number=queue.c.last_number + count)
        world.session.execute(statement, execution_options=INTERNAL)
    for row in world.all_of(SupportQueue):
        world.session.refresh(row)


def _add_messages(world: World, ticket: Ticket) -> None:
    said = []
    if ticket.taken_at is not None:
        said.append((Direction.outgoing, Visibility.public, world.rng.choice(texts.PROGRESS)))
        if world.chance(0.4):
            said.append((Direction.outgoing, Visibility.internal, world.rng.choice(texts.NOTES)))
    if ticket.state is S.waiting_customer or world.chance(0.3):
        number = world.rng.randrange(len(texts.QUESTIONS))
        said.append((Direction.outgoing, Visibility.public, texts.QUESTIONS[number]))
        if ticket.state is not S.waiting_customer:
            said.append((Direction.incoming, Visibility.public, texts.ANSWERS[number]))
    if ticket.solution:
        said.append((Direction.outgoing, Visibility.public, ticket.solution))
    for number, (direction, visibility, body) in enumerate(said):
        message = TicketMessage(ticket=ticket, direction=direction, visibility=visibility, body=body)
        message.channel = ticket.channel if direction is Direction.incoming else Channel.email
        message.account = ticket.account if direction is Direction.incoming else None
        message.created_at = min(ticket.created_at + timedelta(hours=1 + number * 5), world.now)
        message.created_by_id = ticket.assignee_id if direction is Direction.outgoing else None
        world.add(message)
