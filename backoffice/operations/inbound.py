"""What becomes of incoming mail: added to its ticket where tag or thread and the sender say so, else sorted by hand.

A message is kept whole first, in a transaction of its own; sorting comes after, and may come again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any, cast

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import INTERNAL, as_product
from backoffice.actors import SYSTEM, Action, Actor
from backoffice.errors import DomainError
from backoffice.files.store import FileStore, StoreUnavailable
from backoffice.lifecycles import Machine, Transition, register
from backoffice.mail.reading import Incoming, read_message
from backoffice.operations.attachments import attach_file, copy_files
from backoffice.operations.conversation import (
    OVER,
    NotOpenAnyMore,
    OtherCompany,
    may_reopen,
    require_open,
    say_for_client,
)
from backoffice.operations.plain import create_record
from backoffice.operations.verbs import perform
from models.account import Account, AccountState
from models.contact import Contact
from models.inbound_mail import Disposition, InboundMail, InboundMailSource
from models.mailbox import Mailbox
from models.outbox_mail import OutboxMail
from models.support_queue import SupportQueue
from models.ticket import Channel, Ticket
from models.ticket_message import TicketMessage

D = Disposition
#: ``[GP-123]`` in a subject.
_TAG = re.compile(r"\[([A-Z0-9]{1,8}-[0-9]{1,9})\]", re.IGNORECASE)
_MOST_SUBJECT = 200


def keep_mail(session: Session, mailbox: Mailbox, raw: bytes, *, store: FileStore, limit_mb: int) -> InboundMail | None:
    """Keep a message as it came, with its files; None where the same was kept before (MC-05). Flushes, never commits.

    Needs a session in which the product itself acts.
    """
    digest = hashlib.sha256(raw).hexdigest()
    read = read_message(raw)
    message_id = read.message_id[:500] if read.message_id else None
    same = sa.or_(InboundMail.digest == digest, InboundMail.message_id == message_id)
    known = sa.select(InboundMail.id).where(InboundMail.mailbox_id == mailbox.id, same)
    if session.scalar(known.limit(1)) is not None:
        return None
    mail = InboundMail(
        mailbox=mailbox,
        digest=digest,
        message_id=message_id,
        received_at=clock.now(),
        sender_name=read.sender_name or None,
        sender_address=read.sender_address,
        subject=read.subject or str(_NO_SUBJECT),
        body=read.text,
    )
    session.add(mail)
    session.flush()
    session.execute(sa.insert(InboundMailSource).values(mail_id=mail.id, content=raw), execution_options=INTERNAL)
    _take_files(session, mail, read, store, limit_mb)
    return mail


def sort_mail(session: Session, mail: InboundMail) -> None:
    """Add a kept message to its ticket, or leave it to be sorted by hand (MC-02, MC-06, MC-08, MC-09).

    Needs a session in which the product itself acts; does nothing with what is sorted.
    """
    if mail.state is not D.received:
        return
    read = read_message(source_of(session, mail))
    if read.is_automatic or _is_ours(session, mail.sender_address):
        perform(session, mail, "set_aside", actor=SYSTEM)
        return
    mail.company_id = company_of(session, mail)
    ticket = _ticket_meant(session, mail, read.answers)
    if ticket is None or ticket.state in OVER or not _belongs(session, mail, ticket) or not may_reopen(ticket):
        perform(session, mail, "leave_to_people", actor=SYSTEM)
        return
    mail.ticket = ticket
    say_by_mail(session, mail, ticket)
    perform(session, mail, "append", actor=SYSTEM)


def say_by_mail(session: Session, mail: InboundMail, ticket: Ticket) -> TicketMessage:
    """Write a message into a ticket's conversation, with its files; what waited for it goes on, or is reopened."""
    with as_product(session):
        message = say_for_client(session, ticket, mail.body or str(_NO_TEXT), Channel.email)
        _pass_files(session, mail, message)
    return message


def open_by_mail(session: Session, mail: InboundMail) -> Ticket:
    """Make a ticket of a message in the queue of its mailbox, and whose it is as far as the address tells."""
    with as_product(session):
        account, contact = _known_people(session, mail)
        values = {
            "queue": mail.mailbox.queue_id,
            "company": mail.company_id,
            "contact": contact.id if contact is not None else None,
            "subject": mail.subject[:_MOST_SUBJECT],
            "description": mail.body or str(_NO_TEXT),
            "channel": Channel.email.value,
        }
        # Whose request it is may be seen from the ticket; what the account may do is decided when it signs in.
        made = create_record(session, Ticket, values, actor=SYSTEM, known={"account": account})
        ticket = cast("Ticket", made)
        _pass_files(session, mail, ticket)
    return ticket


def _take_files(session: Session, mail: InboundMail, read: Incoming, store: FileStore, limit_mb: int) -> None:
    """Attach the files of a message to it, and write down which were refused, for their size or their kind."""
    refused = []
    for name, content in read.files:
        try:
            with session.begin_nested():
                attach_file(session, mail, name, content, store=store, limit_mb=limit_mb, actor=SYSTEM)
        except StoreUnavailable:
            raise
        except DomainError as error:
            refused.append(f"{name}: {error}")
    mail.not_taken = "\n".join(refused)[:4000] or None
    session.flush()


def _pass_files(session: Session, mail: InboundMail, target: Any) -> None:
    copy_files(session, mail, target, client_visible=True)
    if mail.not_taken:
        ticket = target if isinstance(target, Ticket) else target.ticket
        body = f"{_NOT_TAKEN}\n{mail.not_taken}"
        session.add(TicketMessage(ticket=ticket, body=body, is_demo=ticket.is_demo))
        session.flush()


def source_of(session: Session, mail: InboundMail) -> bytes:
    """Return a message as it came; nothing where it was erased with the person who wrote it."""
    table = InboundMailSource.__table__
    wanted = sa.select(table.c.content).where(table.c.mail_id == mail.id)
    return session.execute(wanted, execution_options=INTERNAL).scalar() or b""


def company_of(session: Session, mail: InboundMail) -> int | None:
    """Return the client whose contact or account has the sender's address; None where none or several have."""
    account, contact = Account.__table__, Contact.__table__
    mine = (mail.group_id, mail.sender_address)
    found = sa.union(
        sa.select(account.c.company_id).where(
            account.c.group_id == mine[0], account.c.email == mine[1], account.c.company_id.is_not(None)
        ),
        sa.select(contact.c.company_id).where(
            contact.c.group_id == mine[0], contact.c.email == mine[1], contact.c.deleted_at.is_(None)
        ),
    )
    keys = session.scalars(found, execution_options=INTERNAL).all() if mail.sender_address else []
    return keys[0] if len(keys) == 1 else None


def _known_people(session: Session, mail: InboundMail) -> tuple[Account | None, Contact | None]:
    if mail.company_id is None:
        return None, None
    account = sa.select(Account).where(Account.company_id == mail.company_id, Account.email == mail.sender_address)
    contact = sa.select(Contact).where(Contact.company_id == mail.company_id, Contact.email == mail.sender_address)
    found = session.scalars(account.where(Account.state == AccountState.active).limit(1)).first()
    return found, session.scalars(contact.where(Contact.deleted_at.is_(None)).limit(1)).first()


def _ticket_meant(session: Session, mail: InboundMail, answers: tuple[str, ...]) -> Ticket | None:
    """Return the ticket whose tag stands in the subject, else the one whose mail is answered (MC-02)."""
    if (tag := _TAG.search(mail.subject)) is not None:
        wanted = sa.select(Ticket).where(Ticket.group_id == mail.group_id, Ticket.number == tag[1].upper())
        return session.scalars(wanted).one_or_none()
    ours = sa.select(OutboxMail.cause_id).where(
        OutboxMail.message_id.in_(answers), OutboxMail.cause_entity == "ticket", OutboxMail.group_id == mail.group_id
    )
    key = session.scalar(ours.order_by(OutboxMail.id.desc()).limit(1)) if answers else None
    return session.get(Ticket, key) if key is not None else None


def _belongs(session: Session, mail: InboundMail, ticket: Ticket) -> bool:
    """Say whether the sender has to do with the ticket: its requester, or somebody known of its company (MC-09)."""
    sender = mail.sender_address
    people = (ticket.contact, ticket.account)
    if sender is None:
        return False
    if any(person is not None and (person.email or "").lower() == sender for person in people):
        return True
    return ticket.company_id is not None and mail.company_id == ticket.company_id


def _is_ours(session: Session, address: str | None) -> bool:
    """Say whether a mail comes from an address of ours: nothing is answered to oneself (MC-08)."""
    boxes = sa.select(sa.func.lower(Mailbox.address)).union(sa.select(sa.func.lower(SupportQueue.email)))
    return address in session.scalars(boxes, execution_options=INTERNAL).all()


def _takes_it(_session: Session, mail: InboundMail, values: Mapping[str, Any], _actor: Actor) -> None:
    require_open(values["ticket"], mail.company_id)


def _join(session: Session, mail: InboundMail, values: Mapping[str, Any], _actor: Actor) -> None:
    say_by_mail(session, mail, values["ticket"])


def _open(session: Session, mail: InboundMail, _values: Mapping[str, Any], _actor: Actor) -> None:
    mail.ticket = open_by_mail(session, mail)


_NO_SUBJECT, _NO_TEXT = _l("(no subject)"), _l("(no text)")
_NOT_TAKEN = _l("Files of the message that were not taken:")


def _by_itself(name: str, label: Any, target: D) -> Transition:
    """Return a verb with which the product sorts what has just come in."""
    return Transition(name=name, label=label, sources=(D.received,), target=target, automatic=True)


INBOUND = register(
    Machine(
        InboundMail,
        "state",
        (
            Transition(
                name="join",
                label=_l("Add to a ticket"),
                sources=(D.to_sort, D.automatic, D.discarded),
                target=D.joined,
                icon="link-45deg",
                tone="primary",
                inputs=("ticket",),
                guard=_takes_it,
                effect=_join,
                confirm=_l("Its text and its files become part of the conversation."),
                right=Action.update,
            ),
            Transition(
                name="open",
                label=_l("Make a ticket"),
                sources=(D.to_sort, D.automatic, D.discarded),
                target=D.opened,
                icon="ticket-perforated",
                effect=_open,
                confirm=_l("A ticket in the queue of the mailbox; a sender we know gets its number by mail."),
                right=Action.update,
            ),
            Transition(
                name="discard",
                label=_l("Discard"),
                sources=(D.to_sort, D.automatic),
                target=D.discarded,
                icon="trash",
                confirm=_l("Nothing is answered; it can be taken up again."),
                right=Action.update,
            ),
            _by_itself("append", _l("Added"), D.appended),
            _by_itself("leave_to_people", _l("To be sorted"), D.to_sort),
            _by_itself("set_aside", _l("Automatic"), D.automatic),
        ),
    )
)

__all__ = [
    "NotOpenAnyMore",
    "OtherCompany",
    "company_of",
    "keep_mail",
    "open_by_mail",
    "say_by_mail",
    "sort_mail",
    "source_of",
]
