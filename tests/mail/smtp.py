"""A real SMTP server on the loopback interface, which refuses, breaks off or keeps silent when it is told to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from backoffice.mail.sending import MailServer


class Inbox:
    """What the server took, and how it is to behave. Safe to read while the server runs."""

    def __init__(self) -> None:
        self.taken: list[EmailMessage] = []
        #: By address of a recipient: the answer in place of 250.
        self.refusals: dict[str, str] = {}
        #: How many mails are taken and then not answered for: the connection breaks instead.
        self.breaks = 0
        self.connections = 0
        self._changed = threading.Condition()

    @property
    def ids(self) -> list[str]:
        """The Message-IDs of what was taken, in order."""
        return [str(message["Message-ID"]) for message in self.taken]

    def wait_for_connection(self, count: int) -> None:
        """Wait until so many senders have introduced themselves."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.connections >= count, timeout=60)

    def wait_for_mail(self, message_id: str) -> None:
        """Wait until the mail of that Message-ID was taken."""
        with self._changed:
            assert self._changed.wait_for(lambda: message_id in self.ids, timeout=60)

    async def handle_EHLO(  # noqa: N802  # aiosmtpd's names
        self, server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        with self._changed:
            self.connections += 1
            self._changed.notify_all()
        session.host_name = hostname
        return responses

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        with self._changed:
            self.taken.append(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]
            self._changed.notify_all()
        if self.breaks:
            self.breaks -= 1
            transport: Any = server.transport
            transport.abort()
        return "250 taken"


class _OnAnyPort(Controller):
    """Takes a free port and knows which."""

    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def smtp_server(inbox: Inbox) -> Iterator[MailServer]:
    """Run the server while the block lasts; yield how to reach it."""
    controller = _OnAnyPort(inbox, hostname="127.0.0.1", port=0)
    controller.start()
    try:
        yield server_at(controller.port)
    finally:
        controller.stop()


def server_at(port: int, timeout: float = 10) -> MailServer:
    """Return the settings of a server without encryption on this machine."""
    return MailServer("127.0.0.1", port, "Prova <desk@prova.example>", tls="none", timeout=timeout)
