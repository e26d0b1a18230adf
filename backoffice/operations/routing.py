"""The team a ticket goes to: that of the closest rule of its queue, unless somebody chose one (CC-08)."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload
from sqlalchemy.orm.attributes import get_history

from backoffice.access import INTERNAL, as_product
from backoffice.actors import Actor
from backoffice.operations.plain import after_write, before_save
from models.routing_rule import RoutingRule
from models.ticket import Ticket, TicketState

#: Keys of the tickets that the save under way has sorted.
_SORTED = "tickets_sorted"


def route(session: Session, ticket: Ticket) -> None:
    """Give a ticket the team of the rule that fits it most closely, else that of its queue.

    The rule stands on the ticket, so that the history says which one chose.
    """
    ticket.routing_rule = find_rule(session, ticket)
    ticket.team = ticket.routing_rule.team if ticket.routing_rule is not None else ticket.queue.team


def find_rule(session: Session, ticket: Ticket) -> RoutingRule | None:
    """Return the rule that names most of a ticket; of several that name as much the first in order. One statement.

    Rules count for whoever opens a ticket, whether or not they may look at rules.
    """
    kind = ticket.request_type.id if ticket.request_type is not None else None
    own = {RoutingRule.request_type_id: kind, RoutingRule.urgency: ticket.requested_urgency or ticket.priority}
    fits = [sa.or_(column.is_(None), column == value) for column, value in own.items()]
    named = sum((sa.case((column.is_(None), 0), else_=1) for column in own), sa.literal(0))
    wanted = sa.select(RoutingRule).where(RoutingRule.queue_id == ticket.queue.id, RoutingRule.active, *fits)
    closest = wanted.order_by(named.desc(), RoutingRule.priority, RoutingRule.id).limit(1)
    with session.no_autoflush:
        rows = session.scalars(closest.options(joinedload(RoutingRule.team)), execution_options=INTERNAL)
        return rows.one_or_none()


@before_save(Ticket)
def _notice(session: Session, ticket: Ticket, *, actor: Actor) -> None:
    if ticket in session and _is_free(ticket) and _is_sorted_now(ticket):
        session.info.setdefault(_SORTED, set()).add(ticket.id)


@after_write(Ticket)
def _follow(session: Session, tickets: Sequence[Ticket], *, actor: Actor) -> None:
    """Route tickets that have just been sorted; by the product, since they may leave whoever sorted them."""
    found = session.info.pop(_SORTED, set())
    for ticket in tickets:
        if ticket.id in found:
            with as_product(session):
                route(session, ticket)


def _is_free(ticket: Ticket) -> bool:
    """Say whether nobody has chosen a team: it is that of the queue, or of an earlier rule."""
    by_itself = {None, ticket.queue.team_id, ticket.routing_rule.team_id if ticket.routing_rule is not None else None}
    is_untouched = not get_history(ticket, "team").has_changes() and ticket.team_id in by_itself
    return ticket.state is TicketState.qualification and is_untouched


def _is_sorted_now(ticket: Ticket) -> bool:
    """Say whether a change gives the type, or how urgent it is for the client, for the first time."""
    # Of a relation the key is still the old one until the flush.
    has_type = ticket.request_type_id is None and ticket.request_type is not None
    urgency = get_history(ticket, "requested_urgency")
    return has_type or (any(urgency.added) and not any(urgency.deleted))
