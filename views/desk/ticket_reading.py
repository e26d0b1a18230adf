"""Reading the ticket in hand with what its page shows of it."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from backoffice.database import RecordSession
from backoffice.errors import NotFound
from models.ticket import Ticket


def load_ticket(session: RecordSession, pk: int) -> Ticket:
    """Return a ticket with what its page shows of it, in one statement.

    :raises NotFound: it is not there for the actor.
    """
    related = (Ticket.queue, Ticket.company, Ticket.contact, Ticket.request_type, Ticket.contract, Ticket.service)
    wanted = sa.select(Ticket).where(Ticket.id == pk).options(*(joinedload(name) for name in related))
    record = session.scalars(wanted.options(joinedload(Ticket.assignee))).one_or_none() if pk < 2**31 else None
    if record is None:
        raise NotFound
    return record
