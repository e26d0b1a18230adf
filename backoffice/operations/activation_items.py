"""What is decided on each requested service: not activated, against a contribution, free of charge (chapter 4.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.actors import Actor
from backoffice.errors import DomainError
from backoffice.lifecycles import Machine, Transition, register
from backoffice.operations.activation_checks import (
    EVALUATING,
    NotInEvaluation,
    is_own_request,
    require_evaluator,
    require_met,
)
from models.activation_request_item import ActivationRequestItem, RejectReason
from models.activation_request_item import ItemState as S


class NoCharge(DomainError):
    """AR-11: a contribution is asked only where the service foresees one."""

    template = _l("No charge is allowed for this service: it is activated free of charge.")


def _may_decide(session: Session, item: ActivationRequestItem, _values: Mapping[str, Any], actor: Actor) -> None:
    if item.request.state not in EVALUATING:
        raise NotInEvaluation
    require_evaluator(session, item, actor)


def _may_approve(session: Session, item: ActivationRequestItem, values: Mapping[str, Any], actor: Actor) -> None:
    _may_decide(session, item, values, actor)
    require_met(session, item)


def _may_charge(session: Session, item: ActivationRequestItem, values: Mapping[str, Any], actor: Actor) -> None:
    _may_approve(session, item, values, actor)
    if not item.online_service.charge_allowed:
        raise NoCharge(field="yearly_fee")


def _sign(_session: Session, item: ActivationRequestItem, _values: Mapping[str, Any], actor: Actor) -> None:
    """Put a name to the decision, and let go of what belonged to another outcome."""
    if item.state is not S.rejected:
        item.reject_reason = None
    if item.state is not S.approved_paid:
        item.yearly_fee = item.agreement = None
    _put_name_to(item, actor)


def _put_name_to(item: ActivationRequestItem, actor: Actor) -> None:
    item.decided_by_id, item.decided_at = actor.staff_id, clock.now()
    item.is_own_decision = is_own_request(item, actor)


def _forget(session: Session, item: ActivationRequestItem, values: Mapping[str, Any], actor: Actor) -> None:
    _sign(session, item, values, actor)
    item.note = item.decided_by_id = item.decided_at = None
    item.is_own_decision = False


def reject_item(item: ActivationRequestItem, note: str, actor: Actor) -> None:
    """Reject a service because the request as a whole, or its contribution, was turned down. Does not flush."""
    item.state, item.reject_reason, item.note = S.rejected, RejectReason.other, note
    item.yearly_fee = item.agreement = None
    _put_name_to(item, actor)


def _others(state: S) -> tuple[S, ...]:
    return tuple(other for other in S if other is not state)


ITEMS = register(
    Machine(
        ActivationRequestItem,
        "state",
        (
            Transition(
                name="approve_free",
                label=_l("Activate free of charge"),
                sources=_others(S.approved_free),
                target=S.approved_free,
                icon="gift",
                tone="primary",
                inputs=("note",),
                optional=("note",),
                guard=_may_approve,
                effect=_sign,
            ),
            Transition(
                name="approve_paid",
                label=_l("Activate against a contribution"),
                sources=_others(S.approved_paid),
                target=S.approved_paid,
                icon="cash-coin",
                tone="primary",
                inputs=("yearly_fee", "agreement", "note"),
                optional=("agreement", "note"),
                guard=_may_charge,
                effect=_sign,
            ),
            Transition(
                name="reject",
                label=_l("Do not activate"),
                sources=_others(S.rejected),
                target=S.rejected,
                icon="x-circle",
                tone="danger",
                inputs=("reject_reason", "note"),
                guard=_may_decide,
                effect=_sign,
            ),
            Transition(
                name="reconsider",
                label=_l("Decide anew"),
                sources=_others(S.pending),
                target=S.pending,
                icon="arrow-counterclockwise",
                guard=_may_decide,
                effect=_forget,
            ),
        ),
    )
)
