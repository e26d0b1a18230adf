"""Handing mails to the server: Flask-Mail, with what it lacks for a sender that nobody watches.

Its own connection waits for ever on a mute server, asks for no certificate, and raises a second time while it closes
a connection that is already gone.
"""

from __future__ import annotations

import enum
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from email.utils import formataddr, parseaddr
from pathlib import Path
from typing import Any

import flask_mail
from flask import Flask
from flask_babel import Babel

from backoffice.mail.rendering import Letter

#: Of each step of the conversation with the server, in seconds.
TIMEOUT = 20.0
#: Answers about us, not about the mail: the next attempt may find a mended password.
_ABOUT_US = frozenset({530, 534, 535, 538})
_TRANSLATIONS = Path(__file__).resolve().parent.parent / "translations"
_HEADERS = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}


@dataclass(frozen=True)
class MailServer:
    """Where mails are handed in, and by whom. ``tls``: ``starttls``, ``tls`` from the first byte, or ``none``."""

    host: str
    port: int
    sender: str
    username: str = ""
    password: str = field(default="", repr=False)
    tls: str = "starttls"
    timeout: float = TIMEOUT
    #: In which our own remarks on a mail are written.
    language: str = "it"


class Outcome(enum.Enum):
    sent = enum.auto()
    #: Perhaps later: the server is away, busy or broke off. It may even have taken the mail.
    postponed = enum.auto()
    #: Never, as the mail is.
    refused = enum.auto()


@dataclass(frozen=True)
class Answer:
    """What came of one attempt, in the server's words. ``unreachable``: the next mail would fare no better now."""

    outcome: Outcome
    text: str
    unreachable: bool = False
    #: Whether it is the address that no mail will reach, whatever it says.
    address_refused: bool = False


@dataclass(frozen=True)
class Envelope:
    """What stands around the text of a mail."""

    recipient: str
    message_id: str
    sender: str | None = None
    reply_to: str | None = None
    #: Under which name it comes; empty for the bare address.
    name: str = ""


class Post:
    """A conversation with the mail server, opened for the first mail and kept for the next ones."""

    def __init__(self, server: MailServer) -> None:
        self.server = server
        self._app = Flask("mail", root_path=str(Path(__file__).parent), static_folder=None)
        self._app.config.update(_application_settings(server))
        Babel(self._app)
        self._mail = flask_mail.Mail(self._app)
        self._connection: _Connection | None = None

    def send(self, envelope: Envelope, letter: Letter) -> Answer:
        """Hand one mail in; whatever goes wrong is an answer, never an error."""
        try:
            with self._app.app_context():
                self._connected().send(_message(envelope, letter, self.server.sender))
        except (OSError, smtplib.SMTPException, flask_mail.BadHeaderError, UnicodeError) as error:
            answer = _judged(error)
            if answer.unreachable:
                self.close()
            return answer
        return Answer(Outcome.sent, "250")

    def say(self, text: object) -> str:
        """Return one of our own sentences in the language of the installation."""
        with self._app.app_context():
            return str(text)

    def _connected(self) -> _Connection:
        if self._connection is None:
            connection = _Connection(self._mail.state, self.server)
            connection.__enter__()
            self._connection = connection
        return self._connection

    def close(self) -> None:
        """End the conversation, if there is one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.__exit__(None, None, None)


@contextmanager
def open_post(server: MailServer) -> Iterator[Post]:
    """Open a conversation for the length of a block."""
    post = Post(server)
    try:
        yield post
    finally:
        post.close()


class _Connection(flask_mail.Connection):
    def __init__(self, mail: Any, server: MailServer) -> None:
        super().__init__(mail)
        self._server = server

    def configure_host(self) -> smtplib.SMTP:
        server, context = self._server, ssl.create_default_context()
        if server.tls == "tls":
            host: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=server.timeout, context=context)
        else:
            host = smtplib.SMTP(server.host, server.port, timeout=server.timeout)
        try:
            if server.tls == "starttls":
                host.starttls(context=context)
            if server.username:
                host.login(server.username, server.password)
        except BaseException:
            host.close()
            raise
        return host

    def __exit__(self, *_error: Any) -> None:
        if self.host is None:
            return
        try:
            self.host.quit()
        except (OSError, smtplib.SMTPException):
            self.host.close()  # it was gone already


def _application_settings(server: MailServer) -> dict[str, Any]:
    return {
        "MAIL_SERVER": server.host,
        "MAIL_PORT": server.port,
        "MAIL_SUPPRESS_SEND": False,
        "BABEL_DEFAULT_LOCALE": server.language,
        "BABEL_TRANSLATION_DIRECTORIES": str(_TRANSLATIONS),
    }


def _message(envelope: Envelope, letter: Letter, sender: str) -> flask_mail.Message:
    message = flask_mail.Message(
        letter.subject,
        recipients=[envelope.recipient],
        body=letter.text,
        html=letter.html,
        sender=_named(envelope, sender),
        reply_to=envelope.reply_to,
        extra_headers=_HEADERS,
    )
    message.msgId = envelope.message_id
    return message


def _named(envelope: Envelope, sender: str) -> str:
    """Return who the mail is from, as headers write it: a name that the installation gives its address comes first."""
    given, address = parseaddr(envelope.sender or sender)
    return formataddr((given or " ".join(envelope.name.split()), address))


def _judged(error: Exception) -> Answer:
    """Tell by the server's code whether another attempt makes sense; anything without a code may pass."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, said = next(iter(error.recipients.values()))
        answer = _by_code(code, said)
        return replace(answer, address_refused=answer.outcome is Outcome.refused)
    if isinstance(error, smtplib.SMTPSenderRefused | smtplib.SMTPDataError):
        return _by_code(error.smtp_code, error.smtp_error)
    if isinstance(error, smtplib.SMTPResponseException):
        # The server does not want us at all: no mail is at fault.
        return Answer(Outcome.postponed, _text(error.smtp_code, error.smtp_error), unreachable=True)
    if isinstance(error, flask_mail.BadHeaderError | UnicodeError):
        return Answer(Outcome.refused, f"{type(error).__name__}: {error}"[:500])
    return Answer(Outcome.postponed, f"{type(error).__name__}: {error}"[:500], unreachable=True)


def _by_code(code: int, said: bytes | str) -> Answer:
    about_us = code in _ABOUT_US
    outcome = Outcome.refused if code >= 500 and not about_us else Outcome.postponed
    # After 421 the server hangs up.
    return Answer(outcome, _text(code, said), unreachable=about_us or code == 421)


def _text(code: int, said: bytes | str) -> str:
    words = said.decode(errors="replace") if isinstance(said, bytes) else said
    return f"{code} {' '.join(words.split())}"[:500]
