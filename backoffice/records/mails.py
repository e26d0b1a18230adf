"""The mails about one record, as whoever works on it may read them (NT-02).

The record was read within the actor's scope, and that is what opens its mails: like its history, they are part of it.
The outbox as a whole is another matter, for those who look after the installation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.access import INTERNAL
from backoffice.actors import Action, Actor
from backoffice.mail.rendering import TEMPLATES, TemplateError
from backoffice.outbox import letter_of
from backoffice.records.show import MASK
from models.base import Recorded
from models.catalogue import fields
from models.outbox_mail import MailState, OutboxMail

#: Mails shown of one record, the newest.
SIZE = 50


@dataclass(frozen=True)
class Mail:
    """One mail about a record; ``at`` is when it was sent or, until then, queued."""

    id: int
    recipient: str
    subject: str
    state: MailState
    at: datetime
    text: str


def may_read_mails(record: Recorded, actor: Actor) -> bool:
    """Say whether somebody reads the mails about a record: whoever works on it, or looks after the outbox."""
    entity = type(record)
    works = actor.may(Action.update, entity) or actor.may(Action.transition, entity)
    return works or actor.may(Action.read, OutboxMail)


def mail_count(record: Recorded) -> sa.ScalarSelect[int]:
    """Build the number of mails about a record, for the statement that counts what else belongs to it."""
    return sa.select(sa.func.count()).select_from(OutboxMail.__table__).where(_about(record)).scalar_subquery()


def find_mails(session: Session, record: Recorded, actor: Actor) -> Sequence[Mail]:
    """Return the mails about a record, newest first; masked for whoever sees people's data as masks there."""
    table = OutboxMail.__table__
    statement = sa.select(table).where(_about(record)).order_by(table.c.id.desc()).limit(SIZE)
    rows = session.execute(statement, execution_options=INTERNAL).all()
    masked = actor.masked(type(record))
    hidden = any(field.personal and field.name in masked for field in fields(type(record)).values())
    return [_mail(session, row, hidden) for row in rows]


def _mail(session: Session, row: Any, hidden: bool) -> Mail:
    at = row.sent_at or row.created_at
    if hidden:
        return Mail(row.id, MASK, MASK, row.state, at, MASK)
    return Mail(row.id, row.recipient, row.subject, row.state, at, row.sent_text or _text(session, row))


def _text(session: Session, row: Any) -> str:
    if row.template not in TEMPLATES:
        return ""
    try:
        return letter_of(session, cast("OutboxMail", row)).text
    except TemplateError:
        return ""


def _about(record: Recorded) -> Any:
    table = OutboxMail.__table__
    return sa.and_(table.c.cause_entity == record.__table__.name, table.c.cause_id == record.id)
