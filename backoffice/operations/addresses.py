"""Addresses that mail servers refuse for good: marked on whose they are, until they change or take mail (NT-02)."""

from __future__ import annotations

from datetime import datetime
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import get_history

from backoffice import clock
from backoffice.access import INTERNAL
from backoffice.actors import Actor
from backoffice.operations.plain import before_save
from models.account import Account, AccountState
from models.contact import Contact
from models.outbox_mail import OutboxMail


def mark_refused(session: Session, mail: OutboxMail) -> None:
    """Write down that the address of a mail takes none, on the contacts and accounts of its corporate group."""
    _write(session, mail, clock.now())


def mark_taken(session: Session, mail: OutboxMail) -> None:
    """Take back that an address refuses mail: it has just taken one."""
    _write(session, mail, None)


def _write(session: Session, mail: OutboxMail, value: datetime | None) -> None:
    """Not as a change of the record: it is something the product has noticed, like the last sign-in."""
    for entity in (Account, Contact):
        table = cast("sa.Table", entity.__table__)
        theirs = sa.and_(table.c.email == mail.recipient, table.c.group_id == mail.group_id)
        if entity is Account:
            theirs = sa.and_(theirs, table.c.state != AccountState.deleted)
        other = table.c.unreachable_since.is_(None) if value is not None else table.c.unreachable_since.is_not(None)
        statement = sa.update(table).where(theirs, other).values(unreachable_since=value)
        session.execute(statement, execution_options=INTERNAL)


@before_save(Account)
@before_save(Contact)
def _forget(_session: Session, record: Account | Contact, *, actor: Actor) -> None:
    """A new address has refused nothing yet."""
    if get_history(record, "email").deleted:
        record.unreachable_since = None


__all__ = ["mark_refused", "mark_taken"]
