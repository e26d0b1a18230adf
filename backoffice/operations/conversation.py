"""What a client says about a ticket, on whatever channel it comes: added to the conversation, which goes on by it."""

from __future__ import annotations

from typing import cast

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.actors import SYSTEM
from backoffice.errors import DomainError
from backoffice.operations.plain import create_record
from backoffice.operations.verbs import perform
from models.ticket import Channel, Ticket
from models.ticket import TicketState as S
from models.ticket_message import Direction, TicketMessage, Visibility

#: Nothing more is said about these: somebody looks at what comes.
OVER = (S.closed_final, S.archived, S.rejected)


class NotOpenAnyMore(DomainError):
    template = _l("Ticket %(number)s is closed for good: make a new one.")
    status = 409


class OtherCompany(DomainError):
    template = _l("Ticket %(number)s is another client's: look whether this belongs there.")
    status = 409


def may_reopen(ticket: Ticket) -> bool:
    """Say whether the client may still reopen the ticket, or need not."""
    return ticket.state is not S.closed_provisional or (ticket.reopen_until or clock.now()) >= clock.now()


def say_for_client(session: Session, ticket: Ticket, body: str, channel: Channel) -> TicketMessage:
    """Write what a client said on some channel into a conversation; what waited for it goes on, or is reopened.

    Needs a session in which the product itself acts.
    """
    values = {
        "ticket": ticket.id,
        "visibility": Visibility.public.value,
        "direction": Direction.incoming.value,
        "channel": channel.value,
        "body": body,
    }
    made = create_record(session, TicketMessage, values, actor=SYSTEM, known={"account": ticket.account})
    if ticket.state is S.waiting_customer:
        perform(session, ticket, "resume", actor=SYSTEM)
    elif ticket.state is S.closed_provisional and may_reopen(ticket):
        perform(session, ticket, "reopen", {"body": body[:4000]}, actor=SYSTEM)
    return cast("TicketMessage", made)


def require_open(ticket: Ticket, company_id: int | None) -> None:
    """Raise unless what a client says may be added to a ticket.

    :raises NotOpenAnyMore: the ticket is over.
    :raises OtherCompany: it is another client's.
    """
    if ticket.state in OVER:
        raise NotOpenAnyMore(field="ticket", number=ticket.number)
    if company_id is not None and ticket.company_id not in (None, company_id):
        raise OtherCompany(field="ticket", number=ticket.number)
