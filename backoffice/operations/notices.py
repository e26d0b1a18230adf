"""Telling people what has happened to something of theirs: colleagues, and the referents of clients.

Whoever can sign in finds it under their bell, and hears of it by mail as they have chosen; others get a mail. Whoever
causes a notice need not see whom it goes to. Nobody is told of what they did themselves, and an address that cannot
receive mail must not undo what the mail tells of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.access import INTERNAL
from backoffice.errors import DomainError
from backoffice.identity import RoleRow, UserRole
from backoffice.mail.rendering import TEMPLATES
from backoffice.operations import bell
from backoffice.operations.referents import first_referent
from backoffice.outbox import queue_mail
from models.account import Account, AccountState
from models.base import Recorded
from models.contact import Contact
from models.corporate_group import CorporateGroup
from models.notice import NoticeWay
from models.outbox_mail import MailLanguage
from models.staff import Staff


@dataclass(frozen=True)
class Recipient:
    """Whom a mail goes to, as values: the actor may not see the row."""

    name: str
    email: str
    language: MailLanguage = MailLanguage.it
    staff_id: int | None = None


def tell(
    session: Session,
    event: str,
    recipient: Recipient | None,
    arguments: Mapping[str, Any],
    *,
    about: Recorded,
    sender: str | None = None,
    reply_to: str | None = None,
) -> None:
    """Tell somebody, by their bell and by mail; its ``name`` is theirs.

    Nobody is told of what they do themselves, except by mails that prove it, such as that a request has arrived.
    """
    if recipient is None:
        return
    reader = bell.reader_at(session, recipient.email, about, staff_id=recipient.staff_id)
    is_own = reader is not None and reader.is_acting(session)
    if is_own and not TEMPLATES[event].always_mailed:
        return
    if reader is not None and not is_own and bell.ring(session, event, reader, about=about) is not NoticeWay.mail:
        return
    values = {"name": recipient.name, **arguments}
    try:
        queue_mail(
            session,
            event,
            values,
            to=recipient.email,
            about=about,
            language=recipient.language,
            sender=sender,
            reply_to=reply_to,
        )
    except DomainError:
        return


def colleague(session: Session, staff_id: int | None) -> Recipient | None:
    """Return a member of staff who is still at work."""
    table = Staff.__table__
    found = _first(session, sa.select(*_STAFF).where(table.c.id == staff_id, table.c.active)) if staff_id else None
    return _of_staff(found) if found is not None else None


def evaluators(session: Session, unit_id: int) -> Sequence[Recipient]:
    """Return who decides for a business unit (RO-05)."""
    table = Staff.__table__
    statement = sa.select(*_STAFF).where(table.c.business_unit_id == unit_id, table.c.active).order_by(table.c.id)
    return [_of_staff(row) for row in session.execute(statement, execution_options=INTERNAL)]


def with_role(session: Session, role: str, group_id: int | None) -> Sequence[Recipient]:
    """Return who has a role in a corporate group and is still at work; for None, in the whole installation."""
    table = Staff.__table__
    statement = (
        sa.select(*_STAFF)
        .join(UserRole, UserRole.c.user_id == table.c.id)
        .join(RoleRow, RoleRow.c.id == UserRole.c.role_id)
        .where(RoleRow.c.name == role, table.c.active)
        .where(table.c.may_switch_group if group_id is None else table.c.group_id == group_id)
        .order_by(table.c.id)
    )
    return [_of_staff(row) for row in session.execute(statement, execution_options=INTERNAL)]


def person_of(contact: Contact | None) -> Recipient | None:
    """Return a contact that has an address."""
    if contact is None or contact.email is None:
        return None
    return Recipient(str(contact), contact.email, contact.language or MailLanguage.it)


def referent_of(session: Session, company_id: int) -> Recipient | None:
    """Return whom the group turns to at a client: the main referent, else a usual one, else an account (A-04)."""
    contact, account = Contact.__table__, Account.__table__
    of_contact = sa.select(contact.c.first_name, contact.c.last_name, contact.c.email, contact.c.language).where(
        contact.c.id == first_referent(company_id).scalar_subquery()
    )
    if (row := _first(session, of_contact)) is not None:
        return Recipient(f"{row.first_name} {row.last_name}", row.email, row.language or MailLanguage.it)
    of_account = (
        sa.select(account.c.full_name, account.c.email)
        .where(account.c.company_id == company_id, account.c.is_referent, account.c.state == AccountState.active)
        .order_by(account.c.id)
    )
    row = _first(session, of_account)
    return Recipient(row.full_name, row.email) if row is not None else None


def group_name(session: Session, group_id: int | None) -> str:
    """Return what a corporate group is called: the signature under its mails."""
    table = CorporateGroup.__table__
    found = session.scalar(sa.select(table.c.name).where(table.c.id == group_id), execution_options=INTERNAL)
    return found or ""


_STAFF = [Staff.__table__.c[name] for name in ("id", "first_name", "last_name", "email")]


def _of_staff(row: Any) -> Recipient:
    return Recipient(row.first_name, row.email, staff_id=row.id)


def _first(session: Session, statement: sa.Select[Any]) -> Any:
    return session.execute(statement.limit(1), execution_options=INTERNAL).one_or_none()
