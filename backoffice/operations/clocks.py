"""Clocks on tickets: started, paused, fitted anew and met by what happens to the ticket (SL-15, SL-16, SL-20 to SL-23).

What a service level promises is looked up when the ticket comes in and whenever it changes; the due time is always
worked out from the beginning, with all pauses, so that nothing can drift.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import clock as now_clock
from backoffice.access import INTERNAL, as_product
from backoffice.actors import Actor
from backoffice.clock import ROME
from backoffice.operations.calendars import working_calendar
from backoffice.operations.plain import after_create, after_write
from backoffice.operations.verbs import after_verb
from backoffice.working_time import Pause, WorkingCalendar, due_time, time_between
from models.intervention import Intervention, InterventionState
from models.sla_policy import SlaClock, SlaKind, SlaPolicy
from models.ticket import Ticket, Urgency
from models.ticket import TicketState as S
from models.ticket_clock import OPEN, ClockState, TicketClock, TicketPause
from models.ticket_message import Direction, TicketMessage, Visibility

#: While a ticket is in one of these, the next move is not ours.
PAUSING = (
    S.waiting_customer,
    S.waiting_package,
    S.waiting_quote,
    S.on_hold_consent,
    S.closed_provisional,
)
#: What is raised so soon was an emergency from the start.
_JUST_OPENED = timedelta(minutes=5)
#: Nothing is promised any more.
OVER = (S.closed_final, S.archived, S.rejected)
#: The promises that begin with the ticket itself.
FROM_THE_START = (SlaKind.answer, SlaKind.take_charge, SlaKind.close)


@after_create(Ticket)
def _begin(session: Session, ticket: Ticket, *, actor: Actor) -> None:
    fit(session, ticket)


@after_write(Ticket)
def _refit(session: Session, tickets: Sequence[Ticket], *, actor: Actor) -> None:
    """Work out the due times of changed tickets anew: priority, contract, queue or type may have changed (SL-21)."""
    for ticket in tickets:
        if ticket.version > 1:  # new ones begin when they are complete
            fit(session, ticket)


@after_verb(Ticket)
def _follow(session: Session, ticket: Ticket, *, actor: Actor) -> None:
    _note_pause(session, ticket)
    fit(session, ticket)


@after_create(TicketMessage)
def _answered(session: Session, message: TicketMessage, *, actor: Actor) -> None:
    if message.visibility is Visibility.public and message.direction is Direction.outgoing:
        fit(session, message.ticket)


@after_create(Intervention)
@after_verb(Intervention)
def _on_site(session: Session, intervention: Intervention, *, actor: Actor) -> None:
    fit(session, intervention.ticket)


def fit(session: Session, ticket: Ticket) -> None:
    """Bring the clocks of a ticket, and its due time, in line with what was promised and what has happened."""
    with as_product(session):
        clocks = _clocks_of(session, ticket)
        started = dict.fromkeys(FROM_THE_START, ticket.created_at) | _on_site_since(session, ticket, clocks)
        policies = find_policies(session, ticket) if ticket.state not in OVER or clocks else {}
        pauses = pauses_of(session, ticket)
        for kind, since in started.items():
            policy, found = policies.get(kind), clocks.get(kind)
            if policy is None or (found is None and ticket.state in OVER):
                if found is not None and found.state in OPEN:
                    found.state, found.due_at, found.warn_at = ClockState.stopped, None, None
                continue
            if found is None:
                found = clocks[kind] = TicketClock(ticket=ticket, kind=kind, started_at=since, is_demo=ticket.is_demo)
                session.add(found)
            _fit_one(session, ticket, found, policy, since, pauses)
        for kind, left in clocks.items():
            if kind not in started and left.state in OPEN:  # nobody is to come any more
                left.state, left.due_at, left.warn_at = ClockState.stopped, None, None
        closing = clocks.get(SlaKind.close)
        if closing is not None and closing.due_at is not None and closing.state is ClockState.running:
            ticket.due_at = closing.due_at


def _fit_one(
    session: Session, ticket: Ticket, found: TicketClock, policy: SlaPolicy, since: datetime, pauses: list[TicketPause]
) -> None:
    calendar = calendar_of(session, ticket, policy)
    met = _met_at(session, ticket, found.kind, pauses)
    counted = counted_pauses(policy, pauses, met)
    minutes = _target(calendar, policy, since)
    due = due_time(calendar, since, minutes, counted)
    found.policy, found.started_at, found.target_minutes = policy, since, minutes
    found.fitted_at, found.met_at = now_clock.now(), met
    found.taken_minutes = None if met is None else time_between(calendar, since, met, counted)
    if met is not None:
        late = due is not None and met > due
        found.state, found.due_at = ClockState.late if late else ClockState.met, due
        found.breached_at, found.warn_at = due if late else None, None
        return
    if ticket.state in OVER:
        found.state, found.due_at, found.warn_at = ClockState.stopped, None, None
        return
    found.state = ClockState.paused if due is None else ClockState.running
    if due != found.due_at and (due is None or due > now_clock.now()):
        found.breached_at = None
    found.due_at = due
    warn = due_time(calendar, since, minutes * policy.warn_percent // 100, counted)
    if warn != found.warn_at:
        found.warn_at, found.warned_at = (warn if due is not None else None), None


def counted_pauses(policy: SlaPolicy, pauses: Sequence[TicketPause], met: datetime | None = None) -> list[Pause]:
    """Return the pauses that a service level does not count: until the promise was kept, those since then are nothing
    to it."""
    if not policy.pauses_while_waiting:
        return []
    return [
        (pause.since, pause.until if met is None else min(pause.until or met, met))
        for pause in pauses
        if met is None or pause.since < met
    ]


def _target(calendar: WorkingCalendar | None, policy: SlaPolicy, since: datetime) -> int:
    """Return how many minutes there are; whole working days end when the service closes on the last (SL-16, A-49)."""
    if policy.target_minutes is not None:
        return policy.target_minutes
    days = policy.target_days or 1
    if calendar is None:
        return days * 24 * 60
    last = calendar.add_working_days(since.astimezone(ROME).date(), days)
    return calendar.working_minutes_between(since, calendar.closing_on(last))


def time_taken(session: Session, kept: TicketClock) -> int:
    """Return how many minutes it took until a promise was kept, in what its service level counts in."""
    assert kept.met_at is not None
    counted = counted_pauses(kept.policy, pauses_of(session, kept.ticket), kept.met_at)
    calendar = calendar_of(session, kept.ticket, kept.policy)
    return time_between(calendar, kept.started_at, kept.met_at, counted)


def promised_by(session: Session, ticket: Ticket, kind: SlaKind, since: datetime) -> datetime | None:
    """Return by when what begins at ``since`` is promised for a ticket; None where nothing is."""
    policy = find_policies(session, ticket).get(kind)
    if policy is None:
        return None
    calendar = calendar_of(session, ticket, policy)
    return due_time(calendar, since, _target(calendar, policy, since))


def calendar_of(session: Session, ticket: Ticket, policy: SlaPolicy) -> WorkingCalendar | None:
    """Return whose opening hours count; None where every hour does, or no hours are agreed."""
    calendar_id = policy.calendar_id or ticket.queue.calendar_id
    if policy.clock is SlaClock.wall or calendar_id is None:
        return None
    return working_calendar(session, calendar_id)


def find_policies(session: Session, ticket: Ticket) -> dict[SlaKind, SlaPolicy]:
    """Return by kind the service level that fits a ticket most closely: the one that names more of it (SL-15)."""
    own = {
        SlaPolicy.contract_id: ticket.contract_id,
        SlaPolicy.request_type_id: ticket.request_type_id,
        SlaPolicy.queue_id: ticket.queue_id,
        SlaPolicy.urgency: ticket.priority,
    }
    fits = [sa.or_(column.is_(None), column == value) for column, value in own.items()]
    wanted = sa.select(SlaPolicy).where(SlaPolicy.group_id == ticket.group_id, SlaPolicy.active, *fits)
    found: dict[SlaKind, SlaPolicy] = {}
    for policy in sorted(session.scalars(wanted, execution_options=INTERNAL).all(), key=_closeness):
        found[policy.kind] = policy
    return found


def _closeness(policy: SlaPolicy) -> tuple[Any, ...]:
    named = (policy.contract_id, policy.request_type_id, policy.queue_id, policy.urgency)
    return (sum(value is not None for value in named), *(value is not None for value in named), policy.id)


def _met_at(session: Session, ticket: Ticket, kind: SlaKind, pauses: Sequence[TicketPause]) -> datetime | None:
    """Return when what was promised happened; None while it has not. A reopened ticket is not solved."""
    closed = None
    if ticket.state in (S.closed_provisional, S.closed_final, S.archived):
        closings = [pause.since for pause in pauses if pause.state is S.closed_provisional]
        closed = closings[-1] if closings else ticket.first_closed_at
    if kind is SlaKind.close:
        return closed
    if kind is SlaKind.take_charge:
        return ticket.taken_at or closed
    if kind is SlaKind.answer:
        return _first_answer(session, ticket) or closed
    table = Intervention.__table__
    arrived = sa.select(sa.func.min(table.c.arrived_at)).where(table.c.ticket_id == ticket.id)
    return session.scalar(arrived, execution_options=INTERNAL)


def _first_answer(session: Session, ticket: Ticket) -> datetime | None:
    table = TicketMessage.__table__
    first = sa.select(sa.func.min(table.c.created_at)).where(
        table.c.ticket_id == ticket.id,
        table.c.visibility == Visibility.public,
        table.c.direction == Direction.outgoing,
    )
    return session.scalar(first, execution_options=INTERNAL)


def _on_site_since(session: Session, ticket: Ticket, clocks: Mapping[SlaKind, TicketClock]) -> dict[SlaKind, datetime]:
    """Return since when somebody is to come: to an emergency from when it is one (SL-15), else since an intervention
    was asked for that was not given up."""
    table = Intervention.__table__
    given_up = (InterventionState.not_done, InterventionState.refused_cap)
    first = sa.select(sa.func.min(table.c.requested_at)).where(
        table.c.ticket_id == ticket.id, table.c.state.not_in(given_up)
    )
    since = session.scalar(first, execution_options=INTERNAL)
    if ticket.priority is Urgency.emergency and (since is not None or ticket.state is not S.closed_provisional):
        known = clocks.get(SlaKind.on_site)
        if known is not None and known.state is not ClockState.stopped:
            since = known.started_at
        else:
            now = now_clock.now()
            became = ticket.created_at if now - ticket.created_at < _JUST_OPENED else now
            since = min(since, became) if since is not None else became
    return {SlaKind.on_site: since} if since is not None else {}


def _clocks_of(session: Session, ticket: Ticket) -> dict[SlaKind, TicketClock]:
    """Return the clocks of a ticket as they are stored now; the job that marks those run out may be at them too."""
    wanted = sa.select(TicketClock).where(TicketClock.ticket_id == ticket.id).with_for_update()
    return {row.kind: row for row in session.scalars(wanted, execution_options={"populate_existing": True})}


def pauses_of(session: Session, ticket: Ticket) -> list[TicketPause]:
    """Return when the ticket waited, in their order."""
    wanted = sa.select(TicketPause).where(TicketPause.ticket_id == ticket.id).order_by(TicketPause.since)
    return list(session.scalars(wanted, execution_options={**INTERNAL, "populate_existing": True}))


def _note_pause(session: Session, ticket: Ticket) -> None:
    """Write down when a ticket begins to wait, and when it goes on."""
    table: Any = TicketPause.__table__
    now = now_clock.now()
    waits = ticket.state if ticket.state in PAUSING else None
    running = sa.select(table.c.id, table.c.state).where(table.c.ticket_id == ticket.id, table.c.until.is_(None))
    row = session.execute(running, execution_options=INTERNAL).one_or_none()
    if row is not None and row.state is not waits:
        session.execute(sa.update(table).where(table.c.id == row.id).values(until=now), execution_options=INTERNAL)
    if waits is not None and (row is None or row.state is not waits):
        values = {"ticket_id": ticket.id, "state": waits, "since": now}
        session.execute(sa.insert(table).values(values), execution_options=INTERNAL)


__all__ = [
    "OVER",
    "PAUSING",
    "calendar_of",
    "counted_pauses",
    "find_policies",
    "fit",
    "pauses_of",
    "promised_by",
    "time_taken",
]
