"""The lifecycle of calls, from their receipt to their closing (chapter 4.11)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice.actors import Action, Actor
from backoffice.lifecycles import Machine, Transition, register
from backoffice.operations.call_tickets import CALL_TICKETS
from backoffice.operations.callbacks import CALLBACKS, queue_of, require_sorted
from backoffice.operations.complaints import COMPLAIN_OF_CALL
from backoffice.operations.plain import before_create
from models.call import Call, CallOutcome, CallState
from models.ticket import Channel

S = CallState


@before_create(Call)
def _complete(session: Session, call: Call, *, actor: Actor) -> None:
    """Fill in what follows from what was typed; a voicemail starts as one to call back."""
    if call.channel is Channel.voicemail:
        call.state, call.outcome = S.voicemail, call.outcome or CallOutcome.voicemail
    if call.operator is None:
        call.operator_id = actor.staff_id
    if call.company is None:
        sources = (call.ticket, call.contract, call.contact)
        call.company = next((r.company for r in sources if r is not None and r.company is not None), None)
    if call.business_unit is None:
        owners = (call.contract, call.company)
        call.business_unit = next((r.business_unit for r in owners if r is not None and r.business_unit), None)
    if call.queue is None:
        call.queue_id = queue_of(session, call)


def _is_sorted(session: Session, call: Call, values: Mapping[str, Any], _actor: Actor) -> None:
    require_sorted(session, call, values)


def _verb(name: str, label: Any, sources: tuple[CallState, ...], target: CallState, **options: Any) -> Transition:
    """Return a verb of calls: whoever may change calls may move them on, since taking one is both."""
    return Transition(name=name, label=label, sources=sources, target=target, right=Action.update, **options)


CALLS = register(
    Machine(
        Call,
        "state",
        (
            _verb(
                "classify",
                _l("Classify"),
                (S.received,),
                S.classified,
                icon="tags",
                tone="primary",
                inputs=("request_type", "urgency"),
                optional=("urgency",),
                guard=_is_sorted,
            ),
            _verb(
                "route",
                _l("Route to a team"),
                (S.classified,),
                S.routed,
                icon="signpost",
                tone="primary",
                inputs=("team", "ticket"),
                optional=("ticket",),
            ),
            *CALLBACKS,
            _verb(
                "handle",
                _l("Mark as handled"),
                (S.classified, S.routed, S.callback_due),
                S.handled,
                icon="check-circle",
                tone="primary",
                inputs=("request_type", "outcome", "handled_minutes"),
                optional=("outcome", "handled_minutes"),
            ),
            *CALL_TICKETS,
            _verb(
                "decline",
                _l("Mark as outside our competence"),
                (S.received, S.classified),
                S.out_of_scope,
                icon="slash-circle",
                inputs=("request_type",),
            ),
            _verb(
                "refer",
                _l("Refer elsewhere"),
                (S.out_of_scope,),
                S.referred,
                icon="box-arrow-up-right",
                tone="primary",
                inputs=("referred_to",),
            ),
            _verb(
                "close",
                _l("Close the call"),
                (S.handled, S.referred),
                S.closed,
                icon="check-circle-fill",
                tone="primary",
            ),
            COMPLAIN_OF_CALL,
        ),
    )
)
