"""Reading the ticket in hand with what its page shows of it, and the quick replies to choose from."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa

from backoffice.access import joined
from backoffice.database import RecordSession
from backoffice.errors import NotFound
from models.quick_reply import QuickReply
from models.ticket import Ticket

#: So many quick replies are offered at once.
_OFFERED = 50


def load_ticket(session: RecordSession, pk: int) -> Ticket:
    """Return a ticket with what its page shows of it, in one statement.

    :raises NotFound: it is not there for the actor.
    """
    related = (Ticket.queue, Ticket.company, Ticket.contact, Ticket.request_type, Ticket.contract, Ticket.service)
    others = (Ticket.asset, Ticket.account, Ticket.assignee)
    wanted = sa.select(Ticket).where(Ticket.id == pk).options(*joined(session, *related, *others))
    record = session.scalars(wanted).one_or_none() if pk < 2**31 else None
    if record is None:
        raise NotFound
    return record


def find_replies(session: RecordSession, queues: Collection[int]) -> Sequence[Any]:
    """Return key, name and text of the quick replies that are good in each of the queues."""
    own = QuickReply.queue_id.in_(queues) if len(queues) == 1 else sa.false()
    wanted = sa.select(QuickReply.id, QuickReply.name, QuickReply.body).where(
        QuickReply.active, sa.or_(QuickReply.queue_id.is_(None), own)
    )
    return session.execute(wanted.order_by(QuickReply.name).limit(_OFFERED)).all()
