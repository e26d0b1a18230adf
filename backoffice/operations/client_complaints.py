"""Complaints that clients write in their area, about one of their tickets or about us (TK-27, N-45)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.actors import SYSTEM
from backoffice.errors import InvalidRecord
from backoffice.operations.cleaning import REQUIRED
from backoffice.operations.complaints import require_first
from backoffice.operations.plain import create_record
from models.account import Account
from models.complaint import Complaint
from models.ticket import Channel, Ticket

#: Within this time the same words from the same account are the same complaint: somebody has sent the form twice.
_TWICE = timedelta(minutes=10)


def complain(session: Session, account: Account, text: str, ticket: Ticket | None = None) -> Complaint:
    """Record what a client complains of; they get its number by mail. Sent twice, it is one complaint.

    Needs a session in which the system acts, on behalf of the account.

    :raises InvalidRecord: there is no text.
    :raises ComplaintThere: there is a complaint about the ticket already.
    """
    words = text.strip()
    if not words:
        raise InvalidRecord({"description": REQUIRED})
    if (same := _sent_before(session, account, words)) is not None:
        return same
    if ticket is not None:
        require_first(session, ticket)
    values = {"description": words, "channel": Channel.web.value, "ticket": ticket.id if ticket is not None else None}
    known: dict[str, Any] = {"account": account, "company": account.company, "contact": account.contact}
    if account.contact is None or account.contact.email is None:
        known |= {"complainant": account.full_name, "email": account.email}
    return cast("Complaint", create_record(session, Complaint, values, actor=SYSTEM, known=known))


def _sent_before(session: Session, account: Account, words: str) -> Complaint | None:
    recent = Complaint.created_at > clock.now() - _TWICE
    same = sa.and_(Complaint.account_id == account.id, Complaint.description == words, recent)
    return session.scalars(sa.select(Complaint).where(same).order_by(Complaint.id.desc()).limit(1)).first()
