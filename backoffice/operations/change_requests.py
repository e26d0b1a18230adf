"""Changes of systems: asked for from a ticket, decided on, made by maintenance and released (TK-20, TK-25)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import INTERNAL, as_product, context_of, next_number
from backoffice.actors import SYSTEM, Action, Actor
from backoffice.errors import DomainError
from backoffice.lifecycles import Machine, Transition, register, seen
from backoffice.operations.plain import before_create, create_record
from backoffice.operations.verbs import perform
from models.change_request import PENDING, ChangeRequest, ChangeState
from models.ticket import Ticket, TicketState

S = ChangeState
_PROPOSED = 4000


class ChangeMissing(DomainError):
    """A ticket waits for a change only where one is on its way (chapter 4.6)."""

    template = _l("Request the change first: nothing is on its way that the ticket could wait for.")


@before_create(ChangeRequest)
def _complete(session: Session, change: ChangeRequest, *, actor: Actor) -> None:
    """Give a new change request its number, and what follows from its ticket, contract or service."""
    ticket = change.ticket
    if change.company is None:
        clients = (row.company for row in (ticket, change.contract) if row is not None)
        change.company = next((company for company in clients if company is not None), None)
    if ticket is not None:
        change.contract = change.contract or ticket.contract
        change.service = change.service or ticket.service
    sources = (ticket, change.contract, change.service, change.company)
    if change.business_unit is None:
        units = (row.business_unit for row in sources if row is not None)
        change.business_unit = next((unit for unit in units if unit is not None), None)
    owner = next((row for row in sources if row is not None), None)
    group_id = owner.group_id if owner is not None else context_of(session).actor.group_id
    assert group_id is not None
    change.group_id = group_id
    change.number = change.number or draw_number(session, group_id)


def draw_number(session: Session, group_id: int) -> str:
    """Return the next number of the group's changes, such as ``MO-7``; two at once never get the same."""
    return f"MO-{next_number(session, 'corporate_group', group_id, 'last_change_number')}"


def require_pending(session: Session, ticket: Ticket) -> None:
    """Raise ``ChangeMissing`` unless a change of the ticket is to be decided on or made."""
    if not _is_pending(session, ticket.id):
        raise ChangeMissing


def _is_pending(session: Session, ticket_id: int) -> bool:
    table = ChangeRequest.__table__
    wanted = sa.select(table.c.id).where(table.c.ticket_id == ticket_id, table.c.state.in_(PENDING)).limit(1)
    return session.scalar(wanted, execution_options=INTERNAL) is not None


def _decide(session: Session, change: ChangeRequest, values: Mapping[str, Any], actor: Actor) -> None:
    change.decided_by_id, change.decided_at = actor.staff_id, clock.now()
    if change.state is S.declined:
        _go_on(session, change)


def _release(session: Session, change: ChangeRequest, _values: Mapping[str, Any], _actor: Actor) -> None:
    change.released_at = clock.now()
    _go_on(session, change)


def _go_on(session: Session, change: ChangeRequest) -> None:
    """Let the ticket that waits for the change go on, once no other of its changes is on its way."""
    with as_product(session):
        ticket = change.ticket
        if ticket is not None and ticket.state is TicketState.waiting_change and not _is_pending(session, ticket.id):
            perform(session, ticket, "resume", actor=SYSTEM)


CHANGES = register(
    Machine(
        ChangeRequest,
        "state",
        (
            Transition(
                name="accept",
                label=_l("Approve the change"),
                sources=(S.proposed,),
                target=S.accepted,
                icon="check2-square",
                tone="primary",
                inputs=("decision_reason",),
                effect=_decide,
                confirm=_l("Say why; maintenance takes it on."),
            ),
            Transition(
                name="decline",
                label=_l("Refuse the change"),
                sources=(S.proposed,),
                target=S.declined,
                icon="x-circle",
                inputs=("decision_reason",),
                effect=_decide,
                confirm=_l("Say why; a ticket that waits for it goes on."),
            ),
            Transition(
                name="start",
                label=_lp("change", "Begin work"),
                sources=(S.accepted,),
                target=S.in_maintenance,
                icon="tools",
                tone="primary",
            ),
            Transition(
                name="release",
                label=_lp("change", "Record the release"),
                sources=(S.in_maintenance,),
                target=S.released,
                icon="box-seam",
                tone="primary",
                inputs=("release",),
                effect=_release,
                confirm=_l("Say what it came out with; a ticket that waits for it goes on."),
            ),
        ),
    )
)


def _of_ticket(session: Session, ticket: Ticket) -> Mapping[str, Any]:
    words = seen(session, ticket, "problem") or seen(session, ticket, "description") or ""
    return {"subject": ticket.subject, "description": words[:_PROPOSED]}


def _request(session: Session, ticket: Ticket, values: Mapping[str, Any], actor: Actor) -> None:
    create_record(session, ChangeRequest, {**values, "ticket": ticket.id}, actor=actor)


#: The verb with which a ticket gives rise to a change.
REQUEST_CHANGE = Transition(
    name="request_change",
    label=_l("Request a change"),
    sources=tuple(state for state in TicketState if state not in (TicketState.archived, TicketState.rejected)),
    target=None,
    icon="tools",
    asks=ChangeRequest,
    inputs=("kind", "subject", "description", "reason", "impact"),
    optional=("impact",),
    propose=_of_ticket,
    effect=_request,
    confirm=_l("It gets a number of its own and stays linked to the ticket; the second level decides on it."),
    right=Action.update,
    also=((Action.create, ChangeRequest),),
)
