"""The mails about a record, as its page and workspaces show them."""

from __future__ import annotations

from typing import Any

from backoffice.actors import Action, Actor
from backoffice.database import RecordSession
from backoffice.records import mails, show
from models.base import ENTITIES, Recorded
from views import addresses

#: The entity whose rows mails are, for those who may open them there.
_OUTBOX = "outbox_mail"


def mail_list(record: Recorded, actor: Actor, session: RecordSession) -> list[dict[str, Any]]:
    """Return what ``_mails.html`` shows of the mails about a record, newest first."""
    outbox = ENTITIES[_OUTBOX]
    opens = actor.may(Action.read, outbox)
    return [
        {
            "recipient": mail.recipient,
            "subject": mail.subject,
            "state": {"text": mail.state.label, "tone": mail.state.tone, "icon": mail.state.icon},
            "at": mail.at,
            "when": show.when(mail.at),
            "when_iso": mail.at.isoformat(),
            "text": mail.text,
            "url": addresses.list_url(outbox) + str(mail.id) if opens else None,
        }
        for mail in mails.find_mails(session, record, actor)
    ]
