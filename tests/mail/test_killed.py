"""The sender is killed again and again, wherever it is: every mail arrives, and what arrives twice is recognisable."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from random import Random

import pytest
import sqlalchemy as sa

from backoffice.database import RecordSession
from backoffice.delivery import send_due
from backoffice.mail.sending import MailServer
from models.outbox_mail import MailState, OutboxMail
from tests.mail.conftest import ROOTS, Queue
from tests.mail.sender import LEASE, send
from tests.mail.smtp import Inbox

#: Longer than a mail takes, so that no step of it is spared.
LONGEST_LIFE = 0.12


@pytest.mark.long
@pytest.mark.usefixtures("no_demonstration")
@pytest.mark.parametrize(
    ("mails", "kills"), [(20, 4), pytest.param(500, 100, marks=(pytest.mark.long, pytest.mark.timeout(1800)))]
)
def test_killing_the_sender_loses_nothing(
    session: RecordSession,
    engine: sa.Engine,
    database_url: str,
    queue: Queue,
    inbox: Inbox,
    server: MailServer,
    mails: int,
    kills: int,
) -> None:
    ids = {queue().message_id for _number in range(mails)}
    session.close()
    engine.dispose()
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["tests.mail.sender"])
    random, killed = Random(7), 0
    for _number in range(kills):
        before = inbox.connections
        process = processes.Process(target=send, args=(database_url, server))
        process.start()
        inbox.wait_for_connection(before + 1)
        process.join(random.uniform(0, LONGEST_LIFE))
        killed += process.is_alive()
        process.kill()
        process.join()
        process.close()
    assert killed >= kills // 2

    unsent = sa.select(sa.func.count(OutboxMail.id)).where(OutboxMail.state != MailState.sent)
    while send_all(session, engine, server, unsent):
        pass  # until the leases of the killed ones have ended
    counts = Counter(inbox.ids)
    assert set(counts) == ids
    assert len(inbox.taken) - mails <= killed
    assert session.scalar(sa.select(sa.func.sum(OutboxMail.attempts))) <= mails + killed


def send_all(session: RecordSession, engine: sa.Engine, server: MailServer, unsent: sa.Select[tuple[int]]) -> int:
    """Send what is due by now; return how many mails are left."""
    send_due(engine, server, ROOTS, lease=LEASE)
    left = session.scalar(unsent) or 0
    session.rollback()
    return left
