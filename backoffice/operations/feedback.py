"""What visitors of the client area tell about its accessibility: a mail to whoever looks after the portal."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice.errors import DomainError, InvalidRecord
from backoffice.mail.rendering import register_template
from backoffice.operations.cleaning import REQUIRED
from backoffice.operations.notices import with_role
from backoffice.outbox import queue_mail
from backoffice.permissions import ADMINISTRATOR
from models.outbox_mail import MailLanguage
from models.portal import Portal
from models.reading import BadValue, clean_text
from models.values import Email

#: What a message may have of characters.
LONGEST = 4_000


class NobodyReads(DomainError):
    """The portal has neither a queue with an address nor one for answers, and the group no administrator."""

    template = _l("There is no address here to write to at present: use the contacts at the foot of the page.")
    status = 503


def send_feedback(session: Session, portal: Portal, text: str, email: str, *, page: str) -> None:
    """Hand a visitor's message on to whoever looks after the portal, else to the group's administrators. Flushes.

    ``email``: where the answer goes; may be empty. ``page``: what the message is about, as its path.

    :raises InvalidRecord: there is no message, or the address is none.
    :raises NobodyReads: there is none of them.
    """
    problems: dict[str, Any] = {}
    try:
        said = clean_text(text, lines=True)[:LONGEST]
    except BadValue as error:
        said, problems["text"] = "", error
    if not said:
        problems.setdefault("text", REQUIRED)
    answer_to = ""
    if email.strip():
        try:
            answer_to = Email().parse(email)
        except BadValue as error:
            problems["email"] = error
    if problems:
        raise InvalidRecord(problems)
    portal = session.get_one(Portal, portal.id)  # the door's belongs to no session
    address = (portal.queue.email if portal.queue else None) or portal.reply_to
    readers = [address] if address else [person.email for person in with_role(session, ADMINISTRATOR, portal.group_id)]
    if not readers:
        raise NobodyReads
    arguments = {"portal": portal.name, "text": said, "email": answer_to or "–", "page": page[:200]}
    for reader in readers:
        queue_mail(
            session,
            "accessibility_feedback",
            arguments,
            to=reader,
            about=portal,
            language=MailLanguage.it,
            sender=portal.sender,
            reply_to=answer_to or None,
        )


register_template(
    "accessibility_feedback",
    _l("Client area: accessibility, a message of a visitor"),
    {
        "portal": "Area Clienti Ecoopera",
        "text": "Il modulo non si legge.",
        "email": "ada@prova.example",
        "page": "/it/login/",
    },
)

__all__ = ["LONGEST", "NobodyReads", "send_feedback"]
