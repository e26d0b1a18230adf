"""The hand-over at the end of a contract: opened as the end comes near, done when the checklist is (CT-13)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.actors import Actor
from backoffice.errors import DomainError
from backoffice.lifecycles import Machine, Transition, register
from backoffice.operations.plain import before_create
from models.catalogue import fields
from models.contract import Contract
from models.contract_handover import CHECKLIST, ContractHandover
from models.contract_handover import HandoverState as S


class ChecklistOpen(DomainError):
    template = _l("Still to be done: %(missing)s.")


@before_create(ContractHandover)
def _complete(_session: Session, handover: ContractHandover, *, actor: Actor) -> None:
    """Take from the contract what was left empty."""
    handover.due_on = handover.due_on or handover.contract.ends_on
    handover.responsible = handover.responsible or handover.contract.company.account_manager


def open_handover(session: Session, contract: Contract, due_on: date | None) -> None:
    """Open the hand-over of a contract that is about to end, unless it has one. Does not flush."""
    if session.scalar(sa.select(ContractHandover.id).where(ContractHandover.contract_id == contract.id)) is not None:
        return
    responsible = contract.company.account_manager
    session.add(ContractHandover(contract=contract, due_on=due_on, responsible=responsible, is_demo=contract.is_demo))


def _is_ticked_off(_session: Session, handover: ContractHandover, _values: Mapping[str, Any], _actor: Actor) -> None:
    known = fields(ContractHandover)
    missing = [str(known[name].label) for name in CHECKLIST if not getattr(handover, name)]
    if missing:
        raise ChecklistOpen(missing=", ".join(missing))


def _conclude(_session: Session, handover: ContractHandover, _values: Mapping[str, Any], _actor: Actor) -> None:
    handover.done_at = clock.now()


def _begin_anew(_session: Session, handover: ContractHandover, _values: Mapping[str, Any], _actor: Actor) -> None:
    handover.done_at = handover.dropped_because = None


HANDOVERS = register(
    Machine(
        ContractHandover,
        "state",
        (
            Transition(
                name="complete",
                label=_l("Conclude the hand-over"),
                sources=(S.open,),
                target=S.done,
                icon="check-circle",
                tone="primary",
                guard=_is_ticked_off,
                effect=_conclude,
                confirm=_l("The checklist is closed with it."),
            ),
            Transition(
                name="drop",
                label=_l("No hand-over needed"),
                sources=(S.open,),
                target=S.not_needed,
                icon="slash-circle",
                inputs=("dropped_because",),
                effect=_conclude,
            ),
            Transition(
                name="reopen",
                label=_l("Reopen the hand-over"),
                sources=(S.done, S.not_needed),
                target=S.open,
                icon="arrow-counterclockwise",
                effect=_begin_anew,
            ),
        ),
    )
)
