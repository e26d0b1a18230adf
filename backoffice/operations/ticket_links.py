"""Tickets that belong together: one merged into another, one split off a message, colleagues called by a note."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import INTERNAL, as_product, hold
from backoffice.actors import SYSTEM, Action, Actor
from backoffice.errors import DomainError
from backoffice.lifecycles import Transition
from backoffice.mail.rendering import Audience, register_template
from backoffice.operations.notices import colleague, tell
from backoffice.operations.plain import after_create, create_record
from models.attachment import Attachment
from models.inbound_mail import InboundMail
from models.outbox_mail import OutboxMail
from models.staff import Staff
from models.ticket import OPEN_STATES, ClosureReason, Ticket, TicketState
from models.ticket_follower import TicketFollower
from models.ticket_message import Direction, TicketMessage, Visibility
from models.time_entry import TimeEntry

#: What was said and done about a ticket, and goes with it.
_MOVED: tuple[type[Any], ...] = (TicketMessage, TimeEntry, Attachment, InboundMail)
_MENTION = re.compile(r"(?<![\w@.])@([a-z0-9][a-z0-9._-]{1,60})", re.IGNORECASE)
#: So many colleagues one note calls.
_MOST_CALLED = 20


class NotIntoItself(DomainError):
    template = _l("A ticket cannot be merged into itself.")


class NotOpenToMerge(DomainError):
    template = _l("Ticket %(number)s is over: nothing can be merged into it.")


def _may_merge(session: Session, ticket: Ticket, values: Mapping[str, Any], _actor: Actor) -> None:
    """Raise unless the other ticket is open; that it is of the same client is proven of every relation."""
    other = values["linked_ticket"]
    if other.id == ticket.id:
        raise NotIntoItself(field="linked_ticket")
    hold(session, other)
    if other.state not in OPEN_STATES:
        raise NotOpenToMerge(field="linked_ticket", number=other.number)


def _merge(session: Session, ticket: Ticket, _values: Mapping[str, Any], _actor: Actor) -> None:
    """Move all that was said and done to the other ticket, this one's request first; nothing is lost."""
    other = ticket.linked_ticket
    assert other is not None
    ticket.closure_reason, ticket.closed_at = ClosureReason.duplicate, clock.now()
    with as_product(session):
        body = f"[{ticket.number}] {ticket.subject}\n\n{ticket.description}"
        request = TicketMessage(ticket=other, body=body, visibility=Visibility.public, direction=Direction.incoming)
        request.channel, request.account, request.is_demo = ticket.channel, ticket.account, other.is_demo
        session.add(request)
        for entity in _MOVED:
            for row in session.scalars(sa.select(entity).where(entity.ticket_id == ticket.id)).all():
                row.ticket = other
        _pass_followers_on(session, ticket, other)


def _pass_followers_on(session: Session, ticket: Ticket, other: Ticket) -> None:
    """Let whoever follows a ticket follow the one it was merged into."""
    there = sa.select(TicketFollower.staff_id).where(TicketFollower.ticket_id == other.id)
    wanted = sa.select(TicketFollower.staff_id).where(
        TicketFollower.ticket_id == ticket.id, TicketFollower.staff_id.not_in(there)
    )
    for staff_id in session.scalars(wanted).all():
        session.add(TicketFollower(ticket=other, staff_id=staff_id, is_demo=other.is_demo))


MERGE = Transition(
    name="merge",
    label=_l("Merge into another ticket"),
    sources=OPEN_STATES,
    target=TicketState.rejected,
    icon="sign-merge-left",
    inputs=("linked_ticket",),
    guard=_may_merge,
    effect=_merge,
    confirm=_l("Messages, files and time go to the other ticket; this one ends as a duplicate of it."),
    may_leave=(Ticket,),
)


def split_off(session: Session, message: TicketMessage, *, actor: Actor) -> Ticket:
    """Make a ticket of its own of a message, which stays where it is; each of the two names the other. Flushes.

    :raises Forbidden: the actor may not open tickets.
    """
    actor.require(Action.create, Ticket)
    old = message.ticket
    words = " ".join(message.body.split())
    values = {
        "queue": old.queue_id,
        "company": old.company_id,
        "contact": old.contact_id,
        "subject": words[:120] or old.subject,
        "description": message.body,
        "request_type": old.request_type_id,
        "channel": message.channel.value,
        "linked_ticket": old.id,
    }
    ticket = cast("Ticket", create_record(session, Ticket, values, actor=actor, known={"account": old.account}))
    with as_product(session):
        note = str(_SPLIT_OFF) % {"number": ticket.number}
        create_record(session, TicketMessage, {"ticket": old.id, "body": note}, actor=SYSTEM)
    return ticket


@after_create(TicketMessage)
def _call(session: Session, message: TicketMessage, *, actor: Actor) -> None:
    """Tell the colleagues whom an internal note mentions by their user name, such as @elena.rossi."""
    values = {
        "number": message.ticket.number,
        "subject": message.ticket.subject,
        "company": str(message.ticket.company) if message.ticket.company is not None else "–",
    }
    for key in called_by(session, message):
        tell(session, "ticket_mention", colleague(session, key), values, about=message.ticket)


def called_by(session: Session, message: TicketMessage) -> Sequence[int]:
    """Return the keys of the colleagues at work whom an internal note mentions; nobody for other messages."""
    names = {name.rstrip(".-_").lower() for name in _MENTION.findall(message.body)}
    if message.visibility is not Visibility.internal or not names:
        return ()
    staff = Staff.__table__
    wanted = sa.select(staff.c.id).where(
        sa.func.lower(staff.c.username).in_(sorted(names)[:_MOST_CALLED]),
        staff.c.group_id == message.ticket.group_id,
        staff.c.active,
    )
    return session.scalars(wanted.order_by(staff.c.id), execution_options=INTERNAL).all()


def _to_ticket(_session: Session, mail: OutboxMail) -> str:
    return f"/support/{mail.cause_id}"


_SPLIT_OFF = _l("Of a message of this ticket a ticket of its own was made: %(number)s.")

register_template(
    "ticket_mention",
    _l("Mentioned in a note"),
    {"name": "Elena", "number": "SUP-123", "subject": "Impossibile accedere", "company": "Galvanica Orobica"},
    mint=_to_ticket,
    bell=Audience.staff,
)
