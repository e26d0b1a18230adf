"""What clients do with tickets in their area: open one, answer, reopen (TK-01 to TK-05, TK-08, TK-13, TK-30)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, cast

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.actors import SYSTEM
from backoffice.errors import DomainError, InvalidRecord
from backoffice.files.kinds import recognise
from backoffice.files.store import FileStore
from backoffice.operations.attachments import attach_file
from backoffice.operations.cleaning import REQUIRED
from backoffice.operations.package_ledger import has_active_package
from backoffice.operations.plain import create_record
from backoffice.operations.verbs import perform
from models.account import Account
from models.base import Recorded
from models.portal import Portal
from models.request_type import RequestType
from models.support_queue import SupportQueue
from models.ticket import Channel, Ticket
from models.ticket import TicketState as S
from models.ticket_message import Direction, TicketMessage, Visibility

#: What the form asks for: in the end somebody must know how urgent it really is (TK-03).
ASKED = ("request_type", "subject", "description", "affected_system", "requested_urgency")
#: States in which nothing more is said about a ticket.
OVER = (S.closed_final, S.archived, S.rejected)
#: Within this time the same request from the same account is the same ticket: somebody has sent the form twice.
_TWICE = timedelta(minutes=10)


class NoQueue(DomainError):
    template = _l("No requests are taken here: write to whoever looks after you.")
    status = 404


class FileMissing(DomainError):
    """TK-04: a request of this kind comes with a picture of what is wrong."""

    template = _l("Attach a picture or a file that shows the problem.")


class TicketOver(DomainError):
    template = _l("This ticket is closed for good: open a new one.")
    status = 409


class NothingSaid(DomainError):
    template = _l("Write something first.")


Files = Sequence[tuple[str, bytes]]


def types_for(session: Session, portal: Portal) -> Sequence[RequestType]:
    """Return the kinds of request that clients of a portal may choose; needs a session in which the system acts."""
    offered = sa.and_(RequestType.active, RequestType.for_clients, RequestType.contract_id.is_(None))
    usable = sa.and_(RequestType.group_id == portal.group_id, offered)
    return session.scalars(sa.select(RequestType).where(usable).order_by(RequestType.name_key)).all()


def open_ticket(
    session: Session,
    account: Account,
    portal: Portal,
    typed: Mapping[str, str],
    files: Files,
    *,
    store: FileStore,
    limit_mb: int,
) -> Ticket:
    """Write down a client's request, with its files; without a package where one is needed, it waits for it (TK-02).

    Sent twice, it is one ticket. Needs a session in which the system acts, on behalf of the account.

    :raises NoQueue: the portal has no queue in use.
    :raises InvalidRecord: something is missing or refused, with a sentence per field.
    """
    queue, values = require_complete(session, portal, typed, files, limit_mb=limit_mb)
    if (same := sent_before(session, account, values)) is not None:
        return same
    kind = _type_of(session, portal, values["request_type"])
    asked = {**values, "request_type": kind.id if kind is not None else values["request_type"]}
    known = {"account": account, "company": account.company, "contact": account.contact}
    made = create_record(
        session,
        Ticket,
        {**asked, "queue": queue.id, "channel": Channel.web.value},
        actor=SYSTEM,
        known=known,
    )
    ticket = cast("Ticket", made)
    _attach(session, ticket, files, store, limit_mb)
    needs_package = queue.requires_package and not ticket.covered_by_quote
    if needs_package and not has_active_package(session, ticket.company_id, clock.today()):
        perform(session, ticket, "wait_for_package", actor=SYSTEM)
    return ticket


def require_complete(
    session: Session, portal: Portal, typed: Mapping[str, str], files: Files, *, limit_mb: int
) -> tuple[SupportQueue, dict[str, str]]:
    """Return the queue a request goes to, and what was typed of it; needs a session in which the system acts.

    :raises NoQueue: the portal has no queue in use.
    :raises InvalidRecord: something is missing, or a file is refused, with a sentence per field.
    """
    queue = portal.queue
    if queue is None or not queue.active:
        raise NoQueue
    values = {name: typed.get(name, "").strip() for name in ASKED}
    problems: dict[str, Any] = {name: REQUIRED for name, value in values.items() if not value}
    kind = _type_of(session, portal, values["request_type"])
    if (queue.requires_attachment or (kind is not None and kind.requires_attachment)) and not files:
        problems["file"] = str(FileMissing())
    for name, content in files:
        try:
            recognise(name, content, limit_mb=limit_mb)
        except DomainError as error:
            problems["file"] = str(error)
    if problems:
        raise InvalidRecord(problems)
    return queue, values


def answer_ticket(
    session: Session, account: Account, ticket: Ticket, text: str, files: Files, *, store: FileStore, limit_mb: int
) -> TicketMessage:
    """Write down what a client says about a ticket; one that waited for it goes on, a closed one is reopened (TK-30).

    Needs a session in which the system acts, on behalf of the account.

    :raises NothingSaid: there is neither text nor file.
    :raises TicketOver: it is closed for good.
    :raises WindowOver: the time for reopening is over.
    """
    body = text.strip()
    if not body and not files:
        raise NothingSaid(field="body")
    if ticket.state in OVER:
        raise TicketOver
    values = {
        "ticket": ticket.id,
        "visibility": Visibility.public.value,
        "direction": Direction.incoming.value,
        "channel": Channel.web.value,
        "body": body or ", ".join(name for name, _content in files),
    }
    made = create_record(session, TicketMessage, values, actor=SYSTEM, known={"account": account})
    message = cast("TicketMessage", made)
    _attach(session, message, files, store, limit_mb)
    if ticket.state is S.waiting_customer:
        perform(session, ticket, "resume", actor=SYSTEM)
    elif ticket.state is S.closed_provisional:
        perform(session, ticket, "reopen", {"body": message.body[:4000]}, actor=SYSTEM)
    return message


def _attach(session: Session, parent: Recorded, files: Files, store: FileStore, limit_mb: int) -> None:
    for name, content in files:
        try:
            attach_file(
                session, parent, name, content, store=store, limit_mb=limit_mb, actor=SYSTEM, client_visible=True
            )
        except DomainError as error:
            raise InvalidRecord({"file": str(error)}) from error


def _type_of(session: Session, portal: Portal, key: str) -> RequestType | None:
    return next((kind for kind in types_for(session, portal) if str(kind.id) == key), None)


def sent_before(session: Session, account: Account, values: Mapping[str, str]) -> Ticket | None:
    """Return the ticket that the very same request has become a moment ago, or None."""
    same = sa.and_(
        Ticket.account_id == account.id,
        Ticket.subject == values["subject"],
        Ticket.description == values["description"],
        Ticket.created_at > clock.now() - _TWICE,
    )
    return session.scalars(sa.select(Ticket).where(same).order_by(Ticket.id.desc()).limit(1)).first()


__all__ = [
    "ASKED",
    "OVER",
    "FileMissing",
    "NoQueue",
    "NothingSaid",
    "TicketOver",
    "answer_ticket",
    "open_ticket",
    "require_complete",
    "sent_before",
    "types_for",
]
