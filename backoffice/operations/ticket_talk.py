"""What staff say on tickets: answers, questions and notes, one by one or the same to several (TK-09, TK-12)."""

from __future__ import annotations

from typing import cast

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice.actors import Action, Actor
from backoffice.errors import DomainError
from backoffice.operations.plain import before_create, create_record
from backoffice.operations.verbs import perform
from models.ticket import Channel, Ticket, TicketState
from models.ticket_message import Direction, TicketMessage, Visibility

#: Nothing is added to what was said any more.
SILENT = (TicketState.closed_final, TicketState.archived)


class NothingWritten(DomainError):
    template = _l("Write something first.")


class SaidAndDone(DomainError):
    template = _l("The ticket is closed for good: nothing is added to it any more.")
    status = 409


def say(
    session: Session, ticket: Ticket, text: str, *, actor: Actor, is_note: bool = False, waits: bool = False
) -> TicketMessage:
    """Write an answer to the client, or a note for colleagues; with ``waits`` the ticket waits for the answer. Flushes.

    :raises Forbidden: the actor may not write messages.
    :raises NothingWritten: there is no text.
    :raises SaidAndDone: the ticket is closed for good.
    :raises NotInThisState: it is not being worked on, and cannot wait for the client.
    """
    actor.require(Action.create, TicketMessage)
    body = text.strip()
    if not body:
        raise NothingWritten(field="body")
    if ticket.state in SILENT:
        raise SaidAndDone
    if waits and not is_note:
        perform(session, ticket, "ask_customer", {"body": body}, actor=actor)
        newest = sa.select(TicketMessage).where(TicketMessage.ticket_id == ticket.id).order_by(TicketMessage.id.desc())
        return session.scalars(newest.limit(1)).one()
    visibility = Visibility.internal if is_note else Visibility.public
    values = {
        "ticket": ticket.id,
        "body": body,
        "visibility": visibility.value,
        "direction": Direction.outgoing.value,
    }
    return cast("TicketMessage", create_record(session, TicketMessage, values, actor=actor))


@before_create(TicketMessage)
def _as_its_ticket(_session: Session, message: TicketMessage, *, actor: Actor) -> None:
    """What is said on an invented ticket goes with it: it is never deleted otherwise, and would keep it for good."""
    message.is_demo = message.ticket.is_demo


def add_request(session: Session, ticket: Ticket, text: str, channel: str, *, actor: Actor) -> TicketMessage:
    """Write down on a ticket what its client has just told somebody of ours who was about to open another. Flushes.

    :raises Forbidden: the actor may not write messages.
    :raises NothingWritten: there is no text.
    :raises SaidAndDone: the ticket is closed for good.
    """
    body = text.strip()
    if not body:
        raise NothingWritten(field="description")
    if ticket.state in SILENT:
        raise SaidAndDone
    values = {
        "ticket": ticket.id,
        "body": body,
        "visibility": Visibility.public.value,
        "direction": Direction.incoming.value,
        "channel": channel if channel in Channel.__members__ else ticket.channel.value,
    }
    return cast("TicketMessage", create_record(session, TicketMessage, values, actor=actor))
