"""Tickets of people who withdraw their consent wait, and go on when it is given again (TK-36, PR-10)."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice.access import as_product
from backoffice.actors import SYSTEM, Actor
from backoffice.mail.rendering import Audience, register_template
from backoffice.operations.ticket_mails import tell_assignee
from backoffice.operations.ticket_states import OPEN
from backoffice.operations.verbs import after_verb, perform
from models.account import Account, AccountState
from models.outbox_mail import OutboxMail
from models.support_queue import SupportQueue
from models.ticket import Ticket, TicketState


@after_verb(Account)
def _follow(session: Session, account: Account, *, actor: Actor) -> None:
    """Put the open tickets of the account on hold, or take them off.

    Those that it opened, since whoever withdrew may not read an answer; of its contact's, those whose queue asks for
    consent.
    """
    if account.state is AccountState.consent_revoked:
        wanted: Any = Ticket.state.in_(OPEN)
    elif account.state is AccountState.active:
        wanted = Ticket.state == TicketState.on_hold_consent
    else:
        return
    theirs = sa.select(Ticket).join(SupportQueue, SupportQueue.id == Ticket.queue_id)
    own: Any = Ticket.account_id == account.id
    if account.contact_id is not None:
        own = sa.or_(own, sa.and_(SupportQueue.requires_consent, Ticket.contact_id == account.contact_id))
    theirs = theirs.where(own, wanted)
    if account.state is AccountState.active:  # what somebody else's withdrawal holds stays held
        other = Account.__table__.alias()
        whose = sa.or_(other.c.id == Ticket.account_id, other.c.contact_id == Ticket.contact_id)
        theirs = theirs.where(~sa.exists().where(whose, other.c.state == AccountState.consent_revoked))
    with as_product(session):
        for ticket in session.scalars(theirs.order_by(Ticket.id)).all():
            if account.state is AccountState.active:
                perform(session, ticket, "release", actor=SYSTEM)
            else:
                perform(session, ticket, "hold", actor=SYSTEM)
                tell_assignee(session, ticket, "ticket_on_hold")


def _to_ticket(_session: Session, mail: OutboxMail) -> str:
    return f"/ticket/{mail.cause_id}"


register_template(
    "ticket_on_hold",
    _l("Ticket on hold: consent withdrawn"),
    {"name": "Elena", "number": "SUP-123", "subject": "Impossibile accedere", "company": "Galvanica Orobica"},
    mint=_to_ticket,
    bell=Audience.staff,
)
