"""A sender as a process of its own, which may be killed at any moment."""

from __future__ import annotations

from datetime import timedelta

from backoffice.database import make_engine
from backoffice.delivery import send_due
from backoffice.mail.sending import MailServer
from tests.mail.conftest import ROOTS

#: Short, so that what a killed sender had is soon taken by the next.
LEASE = timedelta(seconds=2)


def send(url: str, server: MailServer) -> None:
    """Send what is due."""
    engine = make_engine(url)
    send_due(engine, server, ROOTS, lease=LEASE)
    engine.dispose()
