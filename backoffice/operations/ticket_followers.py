"""Following tickets: who does hears of what is said and where it stands, as long as they may see it (TK-09).

Whoever a ticket is assigned to is told without following it, and never of the same thing twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from flask_babel import force_locale
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice.access import INTERNAL, as_product, hold, reading_as, within_scope
from backoffice.actors import Action, Actor
from backoffice.errors import Forbidden
from backoffice.identity import find_identity
from backoffice.mail.rendering import Audience, register_template
from backoffice.operations.notices import Recipient, colleague, tell
from backoffice.operations.plain import after_create
from backoffice.operations.ticket_links import called_by
from backoffice.operations.verbs import after_move
from backoffice.records import show
from models.catalogue import fields
from models.outbox_mail import OutboxMail
from models.ticket import Ticket, TicketState
from models.ticket_follower import TicketFollower
from models.ticket_message import Direction, TicketMessage, Visibility


def is_followed(ticket_id: int, actor: Actor) -> sa.Exists:
    """Build the condition that the actor follows a ticket."""
    mine = sa.and_(TicketFollower.ticket_id == ticket_id, TicketFollower.staff_id == actor.staff_id)
    return sa.select(TicketFollower.id).where(mine).exists()


def is_following(session: Session, ticket: Ticket, actor: Actor) -> bool:
    """Say whether the actor follows a ticket."""
    return _find(session, ticket, actor) is not None


def follow(session: Session, ticket: Ticket, *, actor: Actor) -> None:
    """Have the actor hear of what happens to a ticket from now on; nothing changes where they do already. Flushes.

    :raises Forbidden: no member of staff who may read tickets.
    """
    _require_reader(actor)
    hold(session, ticket)
    if _find(session, ticket, actor) is not None:
        return
    with as_product(session):
        session.add(TicketFollower(ticket=ticket, staff_id=actor.staff_id, is_demo=ticket.is_demo))


def stop_following(session: Session, ticket: Ticket, *, actor: Actor) -> None:
    """Have the actor hear no more of a ticket; nothing changes where they do not follow it. Flushes.

    :raises Forbidden: no member of staff who may read tickets.
    """
    _require_reader(actor)
    hold(session, ticket)
    with as_product(session):
        found = _find(session, ticket, actor)
        if found is not None:
            session.delete(found)


def _require_reader(actor: Actor) -> None:
    actor.require(Action.read, Ticket)
    if actor.staff_id is None:
        raise Forbidden


def _find(session: Session, ticket: Ticket, actor: Actor) -> TicketFollower | None:
    mine = sa.and_(TicketFollower.ticket_id == ticket.id, TicketFollower.staff_id == actor.staff_id)
    return session.scalars(sa.select(TicketFollower).where(mine)).one_or_none()


@after_create(TicketMessage)
def _said(session: Session, message: TicketMessage, *, actor: Actor) -> None:
    """Tell of a message, but not whom it is told anyway: the assignee of a client's, colleagues called by a note."""
    told: set[int | None] = set(called_by(session, message))
    if message.visibility is Visibility.public and message.direction is Direction.incoming:
        told.add(message.ticket.assignee_id)
    for recipient, values in _followers(session, message.ticket, told):
        tell(session, "ticket_followed_message", recipient, values, about=message.ticket)


@after_move(Ticket)
def _moved(session: Session, ticket: Ticket, before: TicketState, *, actor: Actor) -> None:
    """Tell of a new state, but not the assignee of what was just entrusted to them; the archive is nobody's news."""
    if TicketState.archived in (before, ticket.state):
        return
    told = {ticket.assignee_id} if ticket.state in (TicketState.assigned, TicketState.reopened) else set()
    for recipient, values in _followers(session, ticket, told):
        with force_locale(recipient.language.value):
            state = str(ticket.state.label)
        tell(session, "ticket_followed_state", recipient, {**values, "state": state}, about=ticket)


def _followers(session: Session, ticket: Ticket, told: set[int | None]) -> Iterator[tuple[Recipient, dict[str, Any]]]:
    """Yield the followers who may still see the ticket, with what they may know of it; those in ``told`` left out."""
    table = TicketFollower.__table__
    wanted = sa.select(table.c.staff_id).where(table.c.ticket_id == ticket.id).order_by(table.c.id)
    for key in session.scalars(wanted, execution_options=INTERNAL).all():
        recipient = colleague(session, key) if key not in told else None
        if recipient is None:
            continue
        with as_product(session):
            identity = find_identity(session, key)
        if identity is not None and _sees(session, ticket, identity.actor):
            subject = show.cell(ticket, fields(Ticket)["subject"], identity.actor).text
            yield recipient, {"number": ticket.number, "subject": subject}


def _sees(session: Session, ticket: Ticket, actor: Actor) -> bool:
    with reading_as(session, actor):
        return ticket.id in within_scope(session, Ticket, [ticket.id], Action.read)


def _to_ticket(_session: Session, mail: OutboxMail) -> str:
    return f"/ticket/{mail.cause_id}"


_FOLLOWED = {"name": "Elena", "number": "SUP-123", "subject": "Impossibile accedere"}
register_template(
    "ticket_followed_message", _l("Followed ticket: a message"), _FOLLOWED, mint=_to_ticket, bell=Audience.staff
)
register_template(
    "ticket_followed_state",
    _l("Followed ticket: a new state"),
    {**_FOLLOWED, "state": "In lavorazione"},
    mint=_to_ticket,
    bell=Audience.staff,
)
