"""Invented milestones of contracts, components of their lines, and hand-overs of those that end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import cycle

from models.contract import Contract, ContractState
from models.contract_handover import CHECKLIST, ContractHandover, HandoverState
from models.contract_line import Component
from models.contract_milestone import ContractMilestone, MilestoneKind, Precision
from seed.invented.world import World

#: Contracts in these have been announced to end, so their hand-over is open.
ENDING = frozenset({ContractState.expiring, ContractState.withdrawal_notified})
#: Contracts in these are over.
ENDED = frozenset({ContractState.expired, ContractState.withdrawn})


def invent_contract_ends(world: World, contracts: Sequence[Contract]) -> None:
    """Give contracts with public bodies their milestones and components, and those that end their hand-over."""
    components = cycle(Component)
    for contract in contracts:
        if contract.cig and contract.signed_on:
            _milestones(world, contract)
            first, *others = contract.lines
            for line in others[:3]:
                line.part_of, line.component = first, next(components)
    ended = cycle((HandoverState.done, HandoverState.done, HandoverState.not_needed))
    for contract in contracts:
        if contract.state in ENDING:
            _handover(world, contract, HandoverState.open)
        elif contract.state in ENDED:
            _handover(world, contract, next(ended))
    world.session.flush()


def _milestones(world: World, contract: Contract) -> None:
    """Make those that have come: the minutes at the start, and in some contracts the final acceptance."""
    days = {
        MilestoneKind.start_minutes: contract.starts_on,
        MilestoneKind.service_start: contract.starts_on + timedelta(days=15),
        MilestoneKind.final_acceptance: contract.starts_on + timedelta(days=180),
    }
    for number, (kind, day) in enumerate(days.items(), 1):
        if day <= world.today:
            month = kind is MilestoneKind.final_acceptance and world.chance(0.3)
            world.add(
                ContractMilestone(
                    contract=contract, kind=kind, reached_on=day, document=f"Verbale {number}/{day.year}",
                    precision=Precision.month if month else Precision.day,
                )
            )  # fmt: skip


def _handover(world: World, contract: Contract, state: HandoverState) -> None:
    handover = ContractHandover(
        contract=contract, state=state, due_on=contract.withdrawal_on or contract.ends_on,
        responsible=contract.company.account_manager,
    )  # fmt: skip
    for name in CHECKLIST:
        setattr(handover, name, state is HandoverState.done or (state is HandoverState.open and world.chance(0.4)))
    if state is HandoverState.open:
        handover.minutes_signed = False
    else:
        late = (handover.due_on - world.today).days if handover.due_on else 0
        handover.done_at = world.instant(min(late, 0) - world.rng.randint(1, 5))
    if state is HandoverState.not_needed:
        handover.dropped_because = "Consulenza conclusa: nulla da riconsegnare."
    world.add(handover)
