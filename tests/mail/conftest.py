"""Rows in the outbox and a server to send them to."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa

from backoffice.database import RecordSession, begin_writing
from backoffice.delivery import Roots
from backoffice.mail.sending import MailServer
from backoffice.outbox import queue_mail
from models.company import Company
from models.outbox_mail import MailLanguage, OutboxMail
from models.staff import Staff
from tests.mail.smtp import Inbox, smtp_server

#: The address of the desk in links.
DESK_URL = "https://desk.prova.example/backoffice"
ROOTS = Roots(DESK_URL, "https://clienti.prova.example")
#: Queues a mail to the demonstration user of a role; returns its row.
Queue = Callable[..., OutboxMail]


@pytest.fixture
def no_demonstration(session: RecordSession) -> None:
    """Take the invented companies for real ones, so that mail may leave."""
    with begin_writing():
        session.execute(sa.update(Company).values(is_demo=False))
        session.commit()


@pytest.fixture
def queue(session: RecordSession, staff: Callable[[str], Staff]) -> Queue:
    """A function that queues a mail to a role's demonstration user and returns its row."""

    def write(role: str = "sales", *, language: MailLanguage = MailLanguage.it) -> OutboxMail:
        someone = staff(role)
        arguments = {"name": someone.first_name, "username": someone.username, "hours": 24}
        session.rollback()
        with begin_writing():
            queued = queue_mail(
                session, "staff_password", arguments, to=someone.email, about=someone, language=language
            )
            session.commit()
        found = session.get_one(OutboxMail, queued.id)
        session.rollback()
        return found

    return write


@pytest.fixture
def inbox() -> Inbox:
    """What the server takes, and how it behaves."""
    return Inbox()


@pytest.fixture
def server(inbox: Inbox) -> Iterator[MailServer]:
    """A running mail server."""
    with smtp_server(inbox) as running:
        yield running


def stored(session: RecordSession, mail: OutboxMail) -> OutboxMail:
    """Return the row as it is stored now."""
    session.rollback()
    session.expire_all()
    found = session.get_one(OutboxMail, mail.id)
    session.rollback()
    return found
