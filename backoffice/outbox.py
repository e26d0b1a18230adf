"""The way out for every mail: a row, written in the transaction that causes the mail.

Nothing is sent here. ``backoffice.delivery`` sends what is due, and ``backoffice.operations.mails`` says what may
become of a row.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import INTERNAL, context_of
from backoffice.errors import DomainError
from backoffice.mail.rendering import LINK, TEMPLATES, Letter, Wording, render
from models.account import Account
from models.base import Model, Recorded
from models.company import Company
from models.mail_template import MailTemplate
from models.outbox_mail import HoldReason, MailLanguage, MailState, OutboxMail
from models.portal import Portal
from models.reading import BadValue, fold
from models.values import Email

#: The right half of a Message-ID: a domain that is nobody's, because the left half alone is unique.
_DOMAIN = "outbox.internal"


class NoAddress(DomainError):
    """Mail servers would not even take the address: told where the mail is caused, not days later."""

    template = _l("No mail can be sent to “%(address)s”: %(reason)s")


class WrongArguments(Exception):
    """A mail was queued with other arguments than its template names: a mistake in the program."""


@dataclass(frozen=True)
class Queued:
    """What ``queue_mail`` wrote: the key of the row, and whether it waits for somebody to release it."""

    id: int
    is_held: bool


def queue_mail(
    session: Session,
    template: str,
    arguments: Mapping[str, Any],
    *,
    to: str,
    about: Recorded,
    language: MailLanguage,
    sender: str | None = None,
    reply_to: str | None = None,
    due_at: datetime | None = None,
) -> Queued:
    """Queue a mail in the session's own transaction. It belongs to whom ``about`` belongs to.

    Whoever causes a mail need not have any right to the outbox. While demonstration data is loaded the mail is held
    back. Mails to clients come from their portal and answers go there, where nothing else is said. Arguments hold what
    JSON can, and never a token: what the template's ``mint`` makes is stored nowhere.

    :raises NoAddress: the address cannot receive mail.
    :raises WrongArguments: the template asks for others.
    """
    if set(arguments) != TEMPLATES[template].arguments:
        raise WrongArguments(f"{template} asks for {sorted(TEMPLATES[template].arguments)}, not {sorted(arguments)}")
    recipient = _address(to)
    owner = _owner(session, about)
    if TEMPLATES[template].for_clients and (sender is None or reply_to is None):
        portal = portal_of(session, owner["cause_entity"], owner["cause_id"], owner["group_id"])
        if portal is not None:
            sender, reply_to = sender or portal.sender, reply_to or portal.reply_to
    wording = find_wording(session, owner["group_id"], template, language, sender)
    subject = render(template, language.value, arguments, wording=wording).subject[:300]
    held = has_demonstration(session)
    values = {
        "recipient": recipient,
        "subject": subject,
        "template": template,
        "arguments": dict(arguments),
        "language": language,
        "sender": sender,
        "reply_to": reply_to,
        "state": MailState.held if held else MailState.waiting,
        "held_because": HoldReason.demonstration if held else None,
        "due_at": due_at or clock.now(),
        "is_demo": about.is_demo,
        **owner,
    }
    return Queued(insert_mail(session, values), held)


def portal_of(session: Session, entity: str, record_id: int, group_id: int | None) -> Portal | None:
    """Return where clients find a record: in the portal it names, else that of its account, else their group's first.

    An account that names none may sign in to every portal of its group.
    """
    table, account = Model.metadata.tables[entity], Account.__table__
    named: list[sa.ColumnElement[Any]] = [table.c.portal_id] if "portal_id" in table.c else []
    if "account_id" in table.c:
        of_account = sa.select(account.c.portal_id).where(account.c.id == table.c.account_id)
        named.append(of_account.scalar_subquery())
    own = sa.select(sa.func.coalesce(*named, 0, 0)).where(table.c.id == record_id).scalar_subquery()
    wanted = sa.select(Portal).where(Portal.group_id == group_id).order_by(Portal.id != own, Portal.id).limit(1)
    return session.scalar(wanted, execution_options=INTERNAL)


def insert_mail(session: Session, values: Mapping[str, Any]) -> int:
    """Write a row of the outbox under a Message-ID of its own; return its key."""
    now, staff_id = clock.now(), context_of(session).actor.staff_id
    message_id = f"<{uuid.uuid4().hex}@{_DOMAIN}>"
    row = {
        **values,
        "message_id": message_id,
        "search_key": "\n".join(fold(word) for word in (values["recipient"], values["subject"], message_id)),
        "created_at": now,
        "updated_at": now,
        "created_by_id": staff_id,
        "updated_by_id": staff_id,
    }
    table = cast("sa.Table", OutboxMail.__table__)
    statement = sa.insert(table).values(row).returning(table.c.id)
    return session.execute(statement, execution_options=INTERNAL).scalar_one()  # type: ignore[no-any-return]


def letter_of(session: Session, mail: OutboxMail, *, link: str = LINK) -> Letter:
    """Return the text of a mail in the words of today; by default as everybody but its recipient may see it.

    :raises TemplateError: an argument is missing.
    """
    wording = find_wording(session, mail.group_id, mail.template, mail.language, mail.sender)
    return render(mail.template, mail.language.value, mail.arguments, link=link, wording=wording)


def find_wording(
    session: Session, group_id: int | None, event: str, language: MailLanguage, sender: str | None
) -> Wording:
    """Return a corporate group's own words for such mails: those for this sender before those for every sender."""
    table = cast("sa.Table", MailTemplate.__table__)
    of_sender = sa.or_(table.c.sender.is_(None), table.c.sender == sender)
    wanted = sa.select(table.c.subject, table.c.body).where(
        table.c.group_id == group_id, table.c.event == event, table.c.language == language, of_sender
    )
    rows = session.execute(wanted.order_by(table.c.sender.is_(None)), execution_options=INTERNAL).all()
    return Wording(_first(row.subject for row in rows), _first(row.body for row in rows))


def demonstration_left() -> sa.Exists:
    """Build the condition that demonstration data is loaded: as long as it is, no mail leaves."""
    company = Company.__table__
    return sa.exists(sa.select(company.c.id).where(company.c.is_demo))


def has_demonstration(session: Session) -> bool:
    """Say whether demonstration data is loaded."""
    return bool(session.scalar(sa.select(demonstration_left()), execution_options=INTERNAL))


def _address(typed: str) -> str:
    try:
        return Email().parse(typed)
    except BadValue as error:
        raise NoAddress(address=typed, reason=error) from error


def _first(texts: Iterable[str | None]) -> str | None:
    return next((text for text in texts if text is not None), None)


def _owner(session: Session, about: Recorded) -> dict[str, Any]:
    """Return whose row the mail is, and what it is about."""
    is_company = about.__admin__.scope.company == "id"
    return {
        "group_id": getattr(about, "group_id", None) or context_of(session).actor.group_id,
        "company_id": about.id if is_company else getattr(about, "company_id", None),
        "cause_entity": about.__table__.name,
        "cause_id": about.id,
    }


__all__ = [
    "NoAddress",
    "Queued",
    "WrongArguments",
    "demonstration_left",
    "find_wording",
    "has_demonstration",
    "insert_mail",
    "letter_of",
    "portal_of",
    "queue_mail",
]
