"""Taking messages from mailboxes: each is kept, and committed, before anything is done with it (MC-01, MC-05, J-01).

A mailbox is read by one process at a time, from the last message that was taken; the server's copy is neither changed
nor deleted. What was kept and not yet sorted, because a process died in between, is sorted the next time.
"""

from __future__ import annotations

import imaplib
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from imap_tools import BaseMailBox, ImapToolsError, MailBox, MailBoxStartTls, MailBoxUnencrypted

from backoffice import clock
from backoffice.actors import SYSTEM, Context, Door
from backoffice.database import RecordSession, begin_writing, open_session
from backoffice.files.store import FileStore
from backoffice.operations.inbound import keep_mail, sort_mail
from models.inbound_mail import Disposition, InboundMail
from models.mailbox import Mailbox, MailboxSecurity

#: How long a mail server may take to answer, in seconds.
PATIENCE = 30
#: Messages taken in one run of one mailbox: the others wait for the next minute.
AT_ONCE = 200
#: Larger ones stay in the mailbox, in bytes.
LARGEST = 30 * 1024 * 1024
_CLIENTS = {
    MailboxSecurity.tls: MailBox,
    MailboxSecurity.starttls: MailBoxStartTls,
    MailboxSecurity.none: MailBoxUnencrypted,
}
#: What a mail server, or the way to it, may come up with.
_TROUBLE = (OSError, ImapToolsError, imaplib.IMAP4.error, ValueError)
_log = logging.getLogger(__name__)

Stopped = Callable[[], bool]


@dataclass(frozen=True)
class Capture:
    """What is needed to read mailboxes on this machine."""

    store: FileStore
    limit_mb: int
    #: By the code of the mailbox.
    passwords: Mapping[str, str] = field(repr=False)


def capture_mail(engine: sa.Engine, capture: Capture, stopped: Stopped = lambda: False) -> int:
    """Read every mailbox in use whose password is known; return how many messages were new."""
    with _session(engine) as session:
        wanted = sa.select(Mailbox.id, Mailbox.code).where(Mailbox.active).order_by(Mailbox.id)
        boxes = [(key, code) for key, code in session.execute(wanted) if code in capture.passwords]
    taken = 0
    for key, code in boxes:
        if not stopped():
            taken += read_mailbox(engine, capture, key, capture.passwords[code], stopped)
    _sort_all(engine)
    return taken


def read_mailbox(engine: sa.Engine, capture: Capture, key: int, password: str, stopped: Stopped = lambda: False) -> int:
    """Take what is new in one mailbox; trouble is written down where administrators see it, and stops no others."""
    taken, trouble = 0, None
    with _session(engine) as session:
        box = session.get_one(Mailbox, key)
        place = (box.host, box.port, box.security, box.username, box.folder, box.uid_validity, box.last_uid)
    host, port, security, username, folder, validity, last = place
    try:
        with _signed_in(_CLIENTS[security](host, port, timeout=PATIENCE), username, password, folder) as client:
            stated = int(client.folder.status(folder, ["UIDVALIDITY"])["UIDVALIDITY"])
            last = last if stated == validity else 0
            for uid, raw in _messages(client, last):
                if stopped():
                    break
                taken += _keep(engine, capture, key, raw, uid, stated)
    except _TROUBLE as error:
        # What a server says may be long, and may hold what was sent to it.
        trouble = f"{type(error).__name__}: {str(error).replace(password, '***')}"[:300]
        _log.warning("Mailbox %s cannot be read: %s", key, type(error).__name__)
    with _working(engine) as session:
        box = session.get_one(Mailbox, key)
        box.polled_at, box.trouble = clock.now(), trouble
    return taken


@contextmanager
def _signed_in(client: BaseMailBox, username: str, password: str, folder: str) -> Iterator[BaseMailBox]:
    """Sign in, and let go of the connection whatever comes of it."""
    try:
        client.login(username, password, folder)
        yield client
    finally:
        with suppress(*_TROUBLE):
            client.client.shutdown() if client.client.state == "NONAUTH" else client.logout()


def _messages(client: BaseMailBox, last: int) -> Iterator[tuple[int, bytes]]:
    """Yield number and content of the messages after ``last``, the oldest first, leaving them unread."""
    # "n:*" answers with the last message even where its number is below n.
    uids = sorted(int(uid) for uid in client.uids(f"UID {last + 1}:*") if int(uid) > last)
    for uid in uids[:AT_ONCE]:
        status, answer = client.client.uid("FETCH", str(uid), "(RFC822.SIZE)")
        size = _size(answer) if status == "OK" else 0
        if size > LARGEST:
            _log.warning("A message of %s bytes stays in its mailbox", size)
            continue
        status, answer = client.client.uid("FETCH", str(uid), "(BODY.PEEK[])")
        parts = [part[1] for part in answer if isinstance(part, tuple)] if status == "OK" else []
        if parts:
            yield uid, parts[0]


def _size(answer: Any) -> int:
    digits = "".join(chr(byte) for byte in bytes(answer[0] or b"").partition(b"RFC822.SIZE ")[2][:12])
    return int(digits.partition(")")[0].split()[0]) if digits.strip() else 0


def _keep(engine: sa.Engine, capture: Capture, key: int, raw: bytes, uid: int, validity: int) -> int:
    """Keep one message in a transaction of its own, with how far the mailbox has been read; then sort it."""
    with _working(engine) as session:
        box = session.get_one(Mailbox, key)
        mail = keep_mail(session, box, raw, store=capture.store, limit_mb=capture.limit_mb)
        box.uid_validity, box.last_uid = validity, uid
        session.flush()
        mail_id = mail.id if mail is not None else None
    if mail_id is not None:
        _sort(engine, mail_id)
    return int(mail_id is not None)


def _sort(engine: sa.Engine, mail_id: int) -> None:
    with _working(engine) as session:
        sort_mail(session, session.get_one(InboundMail, mail_id))


def _sort_all(engine: sa.Engine) -> None:
    """Sort what was kept by a process that did not come to sorting it."""
    with _session(engine) as session:
        wanted = sa.select(InboundMail.id).where(InboundMail.state == Disposition.received)
        keys = session.scalars(wanted.order_by(InboundMail.id).limit(AT_ONCE)).all()
    for key in keys:
        _sort(engine, key)


def _session(engine: sa.Engine) -> RecordSession:
    return open_session(engine, Context(SYSTEM, Door.mail))


@contextmanager
def _working(engine: sa.Engine) -> Iterator[RecordSession]:
    with begin_writing(), _session(engine) as session, session.begin():
        yield session
