"""Invented work around tickets: time spent, passages to the second level, visits, what is looked after, and figures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

import sqlalchemy as sa

from backoffice.operations.assets import make_token
from backoffice.operations.clocks import OVER, PAUSING, fit
from backoffice.operations.interventions import due_of
from backoffice.operations.time_entries import outside_of
from models.asset import Asset, AssetKind
from models.contract import Contract, ContractState
from models.entitlement import Entitlement, EntitlementKind
from models.escalation import Escalation, EscalationReason, EscalationState
from models.intervention import Intervention, InterventionMode, InterventionState
from models.sla_policy import SlaClock, SlaKind, SlaPolicy
from models.ticket import AssistanceKind, Ticket, TicketState, Urgency
from models.ticket_clock import ClockState, TicketClock, TicketPause
from models.time_entry import ActivityCategory, TimeEntry
from seed.invented import texts
from seed.invented.support import DUE, UNTAKEN
from seed.invented.world import World

S = TicketState
#: What is looked after: kind, what its codes begin with, and where it may stand.
PIECES = (
    (AssetKind.light_point, "P-", ("Via Roma", "Piazza del Municipio", "Viale della Stazione", "Via dei Mille")),
    (AssetKind.panel, "Q-", ("Via Roma, presso la cabina", "Parcheggio del palazzetto")),
    (AssetKind.device, "D-", ("Parcometro di Piazza del Municipio", "Parcometro di Viale della Stazione")),
)
#: Service levels that the sources state, and one that every queue needs: name, what, urgency, minutes, days, clock.
LEVELS = (
    ("Pericolo: squadra sul posto", SlaKind.on_site, Urgency.emergency, 120, None, SlaClock.wall),
    ("Intervento sul posto", SlaKind.on_site, None, None, 1, SlaClock.calendar),
    ("Presa in carico", SlaKind.take_charge, None, 240, None, SlaClock.calendar),
    ("Prima risposta", SlaKind.answer, None, 480, None, SlaClock.calendar),
    *(
        (f"Soluzione: {name}", SlaKind.close, urgency, DUE[urgency], None, SlaClock.calendar)
        for name, urgency in zip(("bassa", "normale", "alta", "emergenza"), Urgency, strict=True)
    ),
)


def invent_field_work(world: World, contracts: Sequence[Contract], tickets: Sequence[Ticket]) -> None:
    """Make what happens around the tickets of one corporate group."""
    for name, kind, urgency, minutes, days, clock in LEVELS:
        level = SlaPolicy(group_id=world.group.id, name=name, kind=kind, urgency=urgency, clock=clock)
        level.target_minutes, level.target_days = minutes, days
        world.add(level)
    in_force = [contract for contract in contracts if contract.state is ContractState.active]
    assets = {contract.company_id: _assets(world, contract) for contract in in_force[:3]}
    for ticket in tickets:
        _place(world, ticket, assets)
        _time(world, ticket)
        if ticket.state is S.waiting_l2:
            _escalate(world, ticket)
    _visits(world, [ticket for ticket in tickets if ticket.contract is not None])
    world.session.flush()
    for ticket in tickets:
        if ticket.state not in OVER:
            _run_clocks(world, ticket)


def _run_clocks(world: World, ticket: Ticket) -> None:
    """Let the clocks of an open ticket run, with the time it has been waiting."""
    if ticket.state in PAUSING:
        since = ticket.first_closed_at or min((ticket.taken_at or ticket.created_at) + timedelta(hours=2), world.now)
        world.session.add(TicketPause(ticket_id=ticket.id, state=ticket.state, since=since))
    fit(world.session, ticket)
    for clock in world.session.scalars(sa.select(TicketClock).where(TicketClock.ticket_id == ticket.id)):
        _remember_alarms(world, clock)


def _remember_alarms(world: World, clock: TicketClock) -> None:
    """Let what is late, or nearly, have been told when it was: nobody is told on the first day."""
    if clock.state is not ClockState.running or clock.due_at is None:
        return
    if clock.due_at <= world.now:
        clock.breached_at = clock.warned_at = clock.due_at
    elif clock.warn_at is not None and clock.warn_at <= world.now:
        clock.warned_at = clock.warn_at


def _assets(world: World, contract: Contract) -> list[Asset]:
    found = []
    for kind, prefix, places in PIECES:
        for number, place in enumerate(places):
            asset = Asset(contract=contract, kind=kind, code=f"{prefix}{1001 + number}", location=place)
            asset.latitude = Decimal(world.rng.randint(45_900_000, 46_200_000)) / 1_000_000
            asset.longitude = Decimal(world.rng.randint(10_900_000, 11_300_000)) / 1_000_000
            asset.qr_token = make_token()
            found.append(world.add(asset))
    return found


def _place(world: World, ticket: Ticket, assets: dict[int, list[Asset]]) -> None:
    known = assets.get(ticket.company_id or 0, ())
    if known and world.chance(0.5):
        ticket.asset = world.rng.choice(known)


def _time(world: World, ticket: Ticket) -> None:
    """Log some working time where somebody has taken charge; what a quote covers takes no hours from packages."""
    if ticket.state in UNTAKEN or ticket.taken_at is None or ticket.assignee is None:
        return
    extraordinary = ticket.assistance_kind is AssistanceKind.extraordinary
    for number in range(world.rng.choice((0, 1, 1, 2))):
        day = min((ticket.taken_at + timedelta(days=number)).date(), world.today)
        minutes, billable = world.rng.choice((15, 30, 45, 60, 90)), not ticket.covered_by_quote
        entry = world.add(
            TimeEntry(
                ticket=ticket, day=day, minutes=minutes, person=ticket.assignee,
                category=ActivityCategory.extraordinary if extraordinary else ActivityCategory.ordinary,
                activity=world.rng.choice(texts.ACTIVITIES), billable=billable,
                charged_minutes=minutes if billable and ticket.queue.requires_package else 0,
            )
        )  # fmt: skip
        entry.outside_minutes = outside_of(world.session, entry)


def _escalate(world: World, ticket: Ticket) -> None:
    assert ticket.team is not None
    ticket.problem = ticket.problem or texts.PROBLEM
    escalation = Escalation(
        ticket=ticket, from_team=ticket.queue.team, to_team=ticket.team, description=ticket.problem,
        actions=texts.TRIED, workaround=ticket.workaround or texts.WORKAROUND,
        reason=world.rng.choice(tuple(EscalationReason)),
        state=world.rng.choice((EscalationState.requested, EscalationState.accepted, EscalationState.in_progress)),
    )  # fmt: skip
    world.add(escalation)


def _visits(world: World, tickets: Sequence[Ticket]) -> None:
    """Agree on thirty visits with one client, some used; plan one for each ticket that waits for a visit."""
    planned = [ticket for ticket in tickets if ticket.state is S.on_site_planned]
    ended = [ticket for ticket in tickets if ticket.state in (S.closed_final, S.archived) and ticket.closed_at]
    for ticket in planned:
        visit = world.add(
            Intervention(
                ticket=ticket, requested_at=ticket.created_at, state=InterventionState.scheduled,
                planned_at=world.instant(world.rng.randint(1, 6)), team=ticket.team,
            )
        )  # fmt: skip
        visit.due_at = due_of(world.session, visit)
    if not ended:
        return
    contract = ended[0].contract
    assert contract is not None
    agreed = Entitlement(
        contract=contract, kind=EntitlementKind.onsite, valid_from=world.day(-720), max_count=30,
        valid_to=world.day(180),
    )  # fmt: skip
    world.add(agreed)
    world.add(Entitlement(contract=contract, kind=EntitlementKind.second_level, valid_from=world.day(-180)))
    used = [ticket for ticket in ended if ticket.contract is contract][:12]
    agreed.used_count = len(used)
    for ticket in used:
        came = ticket.created_at + timedelta(hours=world.rng.randint(1, 30))
        visit = world.add(
            Intervention(
                ticket=ticket, entitlement=agreed, requested_at=ticket.created_at, planned_at=came, arrived_at=came,
                ended_at=came + timedelta(minutes=world.rng.randint(20, 180)), state=InterventionState.done,
                mode=InterventionMode.on_site, team=ticket.team, outcome=world.rng.choice(texts.OUTCOMES),
            )
        )  # fmt: skip
        visit.due_at = due_of(world.session, visit)
