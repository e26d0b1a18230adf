"""What requesters and colleagues are told of a ticket (N-25 to N-31, N-56; TK-05, TK-09, TK-12, TK-15)."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask_babel import force_locale
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import INTERNAL
from backoffice.actors import Actor
from backoffice.mail.rendering import Audience, register_template
from backoffice.operations.client_links import client_path
from backoffice.operations.notices import Recipient, colleague, tell
from backoffice.operations.package_ledger import time_left
from backoffice.operations.plain import after_create
from backoffice.operations.preferences import language_of
from models.account import Account, AccountState
from models.contact import Contact
from models.outbox_mail import MailLanguage, OutboxMail
from models.support_queue import SupportQueue
from models.ticket import Ticket, TicketState
from models.ticket_message import Direction, TicketMessage, Visibility
from models.time_entry import TimeEntry
from models.values import Minutes

_CHARGED = _l("%(real)s, of which the package was charged %(charged)s")
#: So many activities the last mail names.
_NAMED = 40


@after_create(Ticket)
def _opened(session: Session, ticket: Ticket, *, actor: Actor) -> None:
    """Confirm a new request with its number, to whoever asked, and tell the one it is entrusted to (N-25, N-56)."""
    if ticket.state is not TicketState.qualification:
        return  # it was being worked on before it came here
    by_client = actor.account_id is not None or actor.is_system
    event = "ticket_opened" if by_client else "ticket_opened_for_you"
    _tell_requester(session, ticket, event, {"text": ticket.description})
    tell_assignee(session, ticket, "ticket_assigned")


@after_create(TicketMessage)
def _said(session: Session, message: TicketMessage, *, actor: Actor) -> None:
    tell_of_message(session, message)


def tell_of_message(session: Session, message: TicketMessage, *, event: str = "ticket_message") -> None:
    """Tell the requester of a public message of ours, and the assignee of one of the client's; nobody of a note."""
    if message.visibility is not Visibility.public:
        return
    if message.direction is Direction.incoming:
        tell_assignee(session, message.ticket, "ticket_answered")
    else:
        _tell_requester(session, message.ticket, event, {"text": message.body})


def tell_of_closing(session: Session, ticket: Ticket) -> None:
    """Tell the requester how it was solved, and until when it may be reopened (N-28)."""
    until = f"{ticket.reopen_until.astimezone(clock.ROME):%d/%m/%Y %H:%M}" if ticket.reopen_until else "–"
    _tell_requester(session, ticket, "ticket_closed", {"text": ticket.solution or "", "until": until})


def tell_of_end(session: Session, ticket: Ticket) -> None:
    """Send the official mail of the end: what was done, how long it took, and what is left of the packages (N-30)."""
    entries = _entries(session, ticket)
    lines = [
        f"{row.day:%d/%m/%Y} {Minutes().show(row.minutes)}{f' {row.activity}' if row.activity else ''}"
        for row in entries
    ]
    # Closed without a time to reopen it, it has had no mail that says how it was solved.
    lines = [*([ticket.solution] if ticket.solution and ticket.reopen_until is None else []), *lines]
    left = (
        Minutes().show(time_left(session, ticket.company_id, clock.today()))
        if _works_by_packages(session, ticket)
        else "–"
    )
    worked, charged = (sum(getattr(row, name) for row in entries) for name in ("minutes", "charged_minutes"))
    values = {
        "activities": "\n".join([*lines[:_NAMED], "…"] if len(lines) > _NAMED else lines) or "–",
        "time": _time(session, ticket, worked, charged),
        "residual": left if _works_by_packages(session, ticket) else "–",
    }
    _tell_requester(session, ticket, "ticket_ended", values)


def tell_of_rejection(session: Session, ticket: Ticket) -> None:
    """Tell the requester why nothing will be done (N-26)."""
    requester = _requester(session, ticket)
    if requester is not None:
        with force_locale(requester.language.value):
            reason = str(ticket.closure_reason.label) if ticket.closure_reason else "–"
        _tell_requester(session, ticket, "ticket_rejected", {"text": reason})


def tell_of_missing_package(session: Session, ticket: Ticket) -> None:
    """Tell the requester that the request is kept, and waits for a package (N-31)."""
    left = Minutes().show(time_left(session, ticket.company_id, clock.today()))
    _tell_requester(session, ticket, "ticket_waits_for_package", {"residual": left})


def tell_assignee(session: Session, ticket: Ticket, event: str) -> None:
    """Tell whoever works on it, unless it is they who do this."""
    values = {"number": ticket.number, "subject": ticket.subject, "company": _company_name(ticket)}
    tell(session, event, colleague(session, ticket.assignee_id), values, about=ticket)


def _tell_requester(session: Session, ticket: Ticket, event: str, values: dict[str, Any]) -> None:
    address = _queue_address(session, ticket)
    told = {"number": ticket.number, "subject": ticket.subject, **values}
    tell(session, event, _requester(session, ticket), told, about=ticket, sender=address, reply_to=address)


def _requester(session: Session, ticket: Ticket) -> Recipient | None:
    """Return whoever asked: the account it was opened with, else the contact; the actor may see neither."""
    account, contact = Account.__table__, Contact.__table__
    if ticket.account_id is not None:
        wanted = sa.select(account.c.full_name, account.c.email).where(
            account.c.id == ticket.account_id, account.c.state != AccountState.deleted
        )
        row = session.execute(wanted, execution_options=INTERNAL).one_or_none()
        return Recipient(row.full_name, row.email, language_of(session, ticket.account_id)) if row else None
    wanted = sa.select(contact.c.first_name, contact.c.last_name, contact.c.email, contact.c.language).where(
        contact.c.id == ticket.contact_id, contact.c.email.is_not(None), contact.c.deleted_at.is_(None)
    )
    row = session.execute(wanted, execution_options=INTERNAL).one_or_none()
    return Recipient(f"{row.first_name} {row.last_name}", row.email, row.language or MailLanguage.it) if row else None


def _queue_address(session: Session, ticket: Ticket) -> str | None:
    queue = SupportQueue.__table__
    wanted = sa.select(queue.c.email).where(queue.c.id == ticket.queue_id)
    return session.scalar(wanted, execution_options=INTERNAL)


def _works_by_packages(session: Session, ticket: Ticket) -> bool:
    queue = SupportQueue.__table__
    wanted = sa.select(queue.c.requires_package).where(queue.c.id == ticket.queue_id)
    return bool(session.scalar(wanted, execution_options=INTERNAL)) and not ticket.covered_by_quote


def _time(session: Session, ticket: Ticket, worked: int, charged: int) -> str:
    """Say how long it really took, and how much of that was charged where packages paid for another number."""
    real = Minutes().show(worked)
    if charged in (0, worked) or (requester := _requester(session, ticket)) is None:
        return real
    with force_locale(requester.language.value):
        return str(_CHARGED) % {"real": real, "charged": Minutes().show(charged)}


def _entries(session: Session, ticket: Ticket) -> Any:
    entry = TimeEntry.__table__
    wanted = sa.select(entry.c.day, entry.c.minutes, entry.c.charged_minutes, entry.c.activity).where(
        entry.c.ticket_id == ticket.id
    )
    return session.execute(wanted.order_by(entry.c.day, entry.c.id), execution_options=INTERNAL).all()


def _company_name(ticket: Ticket) -> str:
    return str(ticket.company) if ticket.company is not None else "–"


def _to_ticket(session: Session, mail: OutboxMail) -> str:
    """Lead the requester to the ticket in their own client area."""
    return client_path(session, mail, f"ticket/{mail.cause_id}")


def _to_desk(_session: Session, mail: OutboxMail) -> str:
    return f"/ticket/{mail.cause_id}"


_REQUEST = {"name": "Beatrice Togni", "number": "SUP-123", "subject": "Impossibile accedere"}
_COLLEAGUE = {"name": "Elena", "number": "SUP-123", "subject": "Impossibile accedere", "company": "Galvanica Orobica"}


def _for_clients(event: str, label: Any, *, always: bool = False, **values: str) -> None:
    examples = _REQUEST | values
    register_template(
        event, label, examples, mint=_to_ticket, for_clients=True, bell=Audience.clients, always_mailed=always
    )


_for_clients("ticket_opened", _l("Ticket opened"), always=True, text="Compare un errore all’accesso.")
_for_clients("ticket_opened_for_you", _l("Ticket opened on your behalf"), always=True, text="Chiede una copia.")
_for_clients("ticket_message", _l("Ticket: a message"), text="Provi ora con il nuovo collegamento.")
_for_clients("ticket_question", _l("Ticket: a question"), always=True, text="Da quale computer succede?")
_for_clients("ticket_waits_for_package", _l("Ticket waits for a package"), always=True, residual="0:00")
_for_clients("ticket_rejected", _l("Ticket rejected"), always=True, text="Fuori dalla nostra competenza")
_for_clients(
    "ticket_closed",
    _l("Ticket closed, may be reopened"),
    always=True,
    text="Password rifatta.",
    until="01/12/2026 10:00",
)
_for_clients(
    "ticket_ended",
    _l("Ticket closed for good"),
    always=True,
    activities="28/11/2026 1:30 Accesso ripristinato",
    time="1:30",
    residual="1:30",
)
register_template("ticket_assigned", _l("Ticket assigned"), _COLLEAGUE, mint=_to_desk, bell=Audience.staff)
register_template("ticket_answered", _l("Client answered a ticket"), _COLLEAGUE, mint=_to_desk, bell=Audience.staff)
register_template("ticket_reopened", _l("Ticket reopened"), _COLLEAGUE, mint=_to_desk, bell=Audience.staff)

__all__ = [
    "tell_assignee",
    "tell_of_closing",
    "tell_of_end",
    "tell_of_message",
    "tell_of_missing_package",
    "tell_of_rejection",
]
