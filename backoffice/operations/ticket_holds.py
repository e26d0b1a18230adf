"""Tickets of people who withdraw their consent wait, and go on when it is given again (TK-36, PR-10)."""

from __future__ import annotations

from datetime import datetime, timedelta
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
from backoffice.setting_keys import CONSENT_HOLD_DAYS
from backoffice.settings import setting_value
from models.account import Account, AccountState
from models.consent import Consent
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


def close_held_tickets(session: Session, moment: datetime, *, actor: Actor, limit: int = 500) -> int:
    """Close the tickets that have waited long enough for consent to be given again; return how many, at most
    ``limit`` a call (A-38).

    :raises Forbidden: ``actor`` is not the product itself.
    """
    held = sa.select(Ticket.group_id).where(Ticket.state == TicketState.on_hold_consent).distinct()
    closed = 0
    for group_id in session.scalars(held).all():
        since = moment - timedelta(days=setting_value(session, CONSENT_HOLD_DAYS, group_id))
        for ticket in session.scalars(_held_since(since, group_id).limit(limit - closed)).all():
            perform(session, ticket, "end_hold", actor=actor)
            closed += 1
    return closed


def _held_since(moment: datetime, group_id: int) -> sa.Select[Any]:
    """Return the statement for the tickets of a group held by somebody who withdrew consent before ``moment``."""
    other, consent = Account.__table__.alias(), Consent.__table__
    whose = sa.or_(other.c.id == Ticket.account_id, other.c.contact_id == Ticket.contact_id)
    withdrawn = sa.exists().where(consent.c.account_id == other.c.id, consent.c.revoked_at <= moment)
    given = sa.exists().where(consent.c.account_id == other.c.id, consent.c.revoked_at.is_(None))
    return (
        sa.select(Ticket)
        .where(Ticket.state == TicketState.on_hold_consent, Ticket.group_id == group_id)
        .where(sa.exists().where(whose, withdrawn, ~given))
        .order_by(Ticket.id)
        .with_for_update(skip_locked=True)
    )


def _to_ticket(_session: Session, mail: OutboxMail) -> str:
    return f"/ticket/{mail.cause_id}"


register_template(
    "ticket_on_hold",
    _l("Ticket on hold: consent withdrawn"),
    {"name": "Elena", "number": "SUP-123", "subject": "Impossibile accedere", "company": "Galvanica Orobica"},
    mint=_to_ticket,
    bell=Audience.staff,
)

__all__ = ["close_held_tickets"]
