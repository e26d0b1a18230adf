"""What happens to tickets outside their lifecycle: their number, their place, their final closing."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice.access import INTERNAL, hold, next_number, reach_number
from backoffice.actors import SYSTEM, Actor
from backoffice.errors import DomainError
from backoffice.operations.plain import before_create
from backoffice.operations.routing import route
from backoffice.operations.ticket_states import S
from backoffice.operations.verbs import perform
from models.account import Account
from models.business_unit import BusinessUnit
from models.reading import LARGEST_INTEGER
from models.ticket import Ticket
from models.ticket_archive import TicketArchive
from models.ticket_message import TicketMessage


class QueueClosed(DomainError):
    template = _l("This queue takes no new tickets.")


@before_create(Ticket)
def _complete(session: Session, ticket: Ticket, *, actor: Actor) -> None:
    """Give a new ticket its number, and what follows from what was typed.

    :raises QueueClosed: the queue is no longer in use.
    """
    if not ticket.queue.active:
        raise QueueClosed(field="queue")
    if ticket.company is None:
        ticket.company = next((r.company for r in (ticket.contract, ticket.contact) if r is not None), None)
    if ticket.team is None:
        route(session, ticket)
    ticket.business_unit = ticket.business_unit or _unit_of(ticket)
    if ticket.number:
        _pass_number(session, ticket)
    else:
        ticket.number = draw_number(session, ticket)


@before_create(TicketMessage)
def _take_turn(session: Session, message: TicketMessage, *, actor: Actor) -> None:
    """Lock the ticket: of several who write about it at once each finds its clocks as the one before has left them."""
    hold(session, message.ticket)


def _pass_number(session: Session, ticket: Ticket) -> None:
    """Let the queue go on counting after a number that a ticket brought along, where it is one of the queue's."""
    code, _, count = ticket.number.rpartition("-")
    if code == ticket.queue.code and count.isascii() and count.isdigit() and int(count) <= LARGEST_INTEGER:
        reach_number(session, "support_queue", ticket.queue.id, int(count))


def draw_number(session: Session, ticket: Ticket) -> str:
    """Return the next number of the ticket's queue, such as ``GP-123``; two at once never get the same."""
    return f"{ticket.queue.code}-{next_number(session, 'support_queue', ticket.queue.id)}"


def _unit_of(ticket: Ticket) -> BusinessUnit | None:
    owners = (ticket.contract, ticket.service, ticket.company)
    return next((row.business_unit for row in owners if row is not None and row.business_unit is not None), None)


def close_tickets_for_good(session: Session, moment: datetime, *, actor: Actor, limit: int = 500) -> int:
    """Close the tickets whose window for reopening is over; return how many, at most ``limit`` a call (TK-14).

    They stay locked until the end. Those that somebody else is working on, or closing, are left to the next call.

    :raises Forbidden: ``actor`` is not the product itself.
    """
    due = sa.and_(Ticket.state == S.closed_provisional, Ticket.reopen_until <= moment)
    wanted = sa.select(Ticket).where(due).order_by(Ticket.id).limit(limit).with_for_update(skip_locked=True)
    rows = session.scalars(wanted).all()
    for ticket in rows:
        perform(session, ticket, "close_for_good", actor=actor)
    return len(rows)


def archive_anew(session: Session, account: Account) -> None:
    """Let go of the archives of a person's tickets, so that they are made again of what is there now. Flushes.

    Needs a session in which the product itself acts.
    """
    theirs = sa.select(Ticket).where(Ticket.account_id == account.id, Ticket.state == S.archived)
    archive: Any = TicketArchive.__table__
    for ticket in session.scalars(theirs.order_by(Ticket.id)).all():
        session.execute(sa.delete(archive).where(archive.c.ticket_id == ticket.id), execution_options=INTERNAL)
        perform(session, ticket, "archive_anew", actor=SYSTEM)
