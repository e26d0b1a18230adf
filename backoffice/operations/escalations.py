"""What the second level does with a ticket passed on to it (chapter 4.11); passing it on is a verb of the ticket."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.actors import Action, Actor
from backoffice.lifecycles import Machine, Transition, register
from backoffice.operations.verbs import perform
from models.escalation import Escalation, EscalationState
from models.ticket import Ticket, TicketState

S = EscalationState


def _give_back(session: Session, escalation: Escalation, _values: Mapping[str, Any], actor: Actor) -> None:
    """End the escalation, and let the ticket go on where it came from."""
    escalation.ended_at = clock.now()
    ticket = escalation.ticket
    if ticket.state is TicketState.waiting_l2:
        team = escalation.from_team or ticket.queue.team or escalation.to_team
        perform(session, ticket, "return", {"team": team}, actor=actor)


ESCALATIONS = register(
    Machine(
        Escalation,
        "state",
        (
            Transition(
                name="accept",
                label=_l("Accept"),
                sources=(S.requested,),
                target=S.accepted,
                icon="check2-square",
                tone="primary",
                confirm=_l("The description is complete: the second level takes it on."),
            ),
            Transition(
                name="start",
                label=_lp("escalation", "Begin work"),
                sources=(S.accepted,),
                target=S.in_progress,
                icon="play-circle",
                tone="primary",
            ),
            Transition(
                name="return",
                label=_l("Return as incomplete"),
                sources=(S.requested, S.accepted, S.in_progress),
                target=S.returned,
                icon="arrow-down-circle",
                inputs=("missing",),
                effect=_give_back,
                confirm=_l("The ticket goes back to the first level with the list of what is missing."),
                also=((Action.transition, Ticket),),
                may_leave=(Ticket, Escalation),
            ),
            Transition(
                name="solve",
                label=_lp("escalation", "Record the solution"),
                sources=(S.accepted, S.in_progress),
                target=S.solved,
                icon="check-circle",
                tone="primary",
                inputs=("outcome",),
                effect=_give_back,
                confirm=_l("The ticket goes back to the first level, which tells the client."),
                also=((Action.transition, Ticket),),
                may_leave=(Ticket, Escalation),
            ),
        ),
    )
)
