"""From a call to its ticket, a new one or one that is open, without anybody typing anything twice (CC-18, CC-30)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice.access import INTERNAL, as_product
from backoffice.actors import Action, Actor
from backoffice.errors import DomainError
from backoffice.lifecycles import Transition, seen
from backoffice.operations.conversation import require_open, say_for_client
from backoffice.operations.plain import create_record
from models.account import Account, AccountState
from models.call import Call, CallState
from models.support_queue import SupportQueue
from models.ticket import Ticket

S = CallState
#: The beginning of the description serves as subject, where nobody wrote one.
_SUBJECT = 120


class QueueMissing(DomainError):
    template = _l("Choose the queue of the ticket.")


class HasTicket(DomainError):
    template = _l("The call is about ticket %(number)s already.")
    status = 409


def _needs_queue(_session: Session, call: Call, values: Mapping[str, Any], _actor: Actor) -> None:
    if call.ticket is not None:
        raise HasTicket(number=call.ticket.number)
    if values.get("queue") is None and call.queue is None:
        raise QueueMissing(field="queue")


def _open(session: Session, call: Call, values: Mapping[str, Any], actor: Actor) -> None:
    """Make a ticket of what the call says; the client gets its number by mail, where there is an address (TK-17)."""
    queue: SupportQueue | None = values.get("queue") or call.queue
    assert queue is not None
    asked = {
        "queue": queue.id,
        "company": call.company_id,
        "contact": call.contact_id,
        "contract": call.contract_id,
        "asset": call.asset_id,
        "subject": values.get("subject") or subject_of(call.description),
        "description": call.description,
        "request_type": call.request_type_id,
        "channel": call.channel.value,
    }
    if call.urgency is not None:
        asked |= {"priority": call.urgency.value, "requested_urgency": call.urgency.value}
    known = {"account": _account_of(session, call)}
    ticket = cast("Ticket", create_record(session, Ticket, asked, actor=actor, known=known))
    call.ticket, call.queue, call.team = ticket, queue, ticket.team


def _account_of(session: Session, call: Call) -> Account | None:
    """Return the account of whoever called, so that they find the ticket in the client area."""
    table = Account.__table__
    wanted = sa.select(table.c.id).where(
        table.c.contact_id == call.contact_id,
        table.c.company_id == call.company_id,
        table.c.state.in_((AccountState.active, AccountState.consent_revoked)),
    )
    key = session.scalar(wanted.order_by(table.c.id).limit(1), execution_options=INTERNAL) if call.contact_id else None
    if key is None:
        return None
    with as_product(session):
        return session.get(Account, key)


def _may_join(session: Session, call: Call, values: Mapping[str, Any], _actor: Actor) -> None:
    require_open(values["ticket"], call.company_id)


def _join(session: Session, call: Call, _values: Mapping[str, Any], _actor: Actor) -> None:
    """Add what was said to the conversation; a reminder counts as one, and what waited for the client goes on."""
    ticket = call.ticket
    assert ticket is not None
    call.queue, call.team = ticket.queue, ticket.team
    if call.company is None:
        call.company = ticket.company
    with as_product(session):
        if call.request_type is not None and call.request_type.is_reminder:
            ticket.reminder_count += 1
        say_for_client(session, ticket, call.description, call.channel)


def _proposed(session: Session, call: Call) -> Mapping[str, Any]:
    return {"queue": call.queue_id, "subject": subject_of(seen(session, call, "description") or "")}


def subject_of(description: str) -> str:
    """Return the beginning of a description, on one line: the subject where nobody wrote one."""
    return " ".join(description.split())[:_SUBJECT]


CALL_TICKETS = (
    Transition(
        name="open_ticket",
        label=_l("Make a ticket"),
        sources=(S.classified, S.routed, S.handled),
        target=S.handled,
        icon="ticket-perforated",
        asks=Ticket,
        inputs=("queue", "subject"),
        optional=("queue", "subject"),
        propose=_proposed,
        guard=_needs_queue,
        effect=_open,
        confirm=_l("A ticket with what the call says; the client gets its number by mail."),
        right=Action.update,
        also=((Action.create, Ticket),),
    ),
    Transition(
        name="join_ticket",
        label=_l("Add to a ticket"),
        sources=(S.classified, S.routed, S.handled),
        target=S.handled,
        icon="link-45deg",
        inputs=("ticket",),
        guard=_may_join,
        effect=_join,
        confirm=_l("What was said becomes part of the conversation."),
        right=Action.update,
    ),
)
