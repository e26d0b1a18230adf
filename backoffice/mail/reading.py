"""Reading a message that came in: whatever it is like, something is read and nothing raised (MC-01 to MC-08)."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import nh3
from imap_tools import MailMessage
from mailparser_reply import EmailReplyParser

#: Text beyond this is not shown; the message itself is kept whole.
MOST_CHARACTERS = 100_000
#: So many files of one message are taken.
MOST_FILES = 50
_BREAKS = re.compile(r"(?i)<br\s*/?>|</(?:p|div|tr|li|h[1-6]|blockquote)>")
_WRAPPED = re.compile(r"(?m)\n[ \t]*(?=ha scritto:|scritto:|wrote:)")
_ORIGINAL = re.compile(r"(?mi)^[ \t>]*-{2,} ?(?:messaggio originale|original message) ?-{2,}.*\Z", re.DOTALL)
_SIGNATURE = re.compile(r"(?m)^-- \n.*\Z", re.DOTALL)
_IDS = re.compile(r"<[^<>\s]+>")
#: Characters a database or a page cannot hold.
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
#: What programs, not people, put on what they send: nothing is ever answered to these.
_BULK = frozenset({"bulk", "junk", "list", "auto_reply"})


@dataclass(frozen=True)
class Incoming:
    """What can be told of a message."""

    message_id: str | None = None
    sender_name: str = ""
    sender_address: str | None = None
    subject: str = ""
    #: Without what it quotes.
    text: str = ""
    #: The Message-IDs it answers.
    answers: tuple[str, ...] = ()
    files: tuple[tuple[str, bytes], ...] = field(default=(), repr=False)
    is_automatic: bool = False


def read_message(raw: bytes) -> Incoming:
    """Return what can be told of a message; where a part cannot be read, the rest is."""
    try:
        message = MailMessage.from_bytes(raw)
    except Exception:  # noqa: BLE001  # whatever the parser trips over: the raw message is kept, and a person reads it
        return Incoming(text=_clean(_decode(raw, None))[:MOST_CHARACTERS])
    sender = _try(lambda: message.from_values, None)
    return Incoming(
        message_id=next(iter(_IDS.findall(_header(message, "message-id"))), None),
        sender_name=_line(sender.name if sender else "")[:200],
        sender_address=_address(sender.email if sender else ""),
        subject=_line(_try(lambda: message.subject, ""))[:300],
        text=without_quotes(_text(message))[:MOST_CHARACTERS],
        answers=tuple(_IDS.findall(f"{_header(message, 'in-reply-to')} {_header(message, 'references')}"))[-50:],
        files=_files(message),
        is_automatic=_is_automatic(message),
    )


def without_quotes(text: str) -> str:
    """Return an answer without the message it quotes, or the whole where nothing else would be left."""
    whole = _clean(text).strip()
    joined = _WRAPPED.sub(" ", _ORIGINAL.sub("", whole))
    answer = _try(lambda: EmailReplyParser(languages=["it", "en", "de", "fr"]).parse_reply(joined), joined) or ""
    return _SIGNATURE.sub("", answer).strip() or whole


def _text(message: MailMessage) -> str:
    """Return the text of a message, decoded again where its own words on that are wrong; else its HTML as text."""
    plain = _parts(message, "text/plain")
    if plain.strip():
        return plain
    marked = _parts(message, "text/html")
    return html.unescape(nh3.clean(_BREAKS.sub("\n", marked), tags=set())) if marked else ""


def _parts(message: MailMessage, kind: str) -> str:
    found = []
    for part in message.obj.walk():
        if part.get_content_type() != kind or _try(part.get_content_disposition, None) == "attachment":
            continue
        payload = _try(partial(part.get_payload, decode=True), None)
        if isinstance(payload, bytes):
            found.append(_decode(payload, _try(part.get_content_charset, None)))
    return "\n".join(found)


def _decode(payload: bytes, charset: str | None) -> str:
    """Decode as declared, else as UTF-8, else as what Windows writes, which has a letter for nearly every byte."""
    # Latin-1 with the bytes between its two halves is Windows-1252, whatever it calls itself.
    named = "cp1252" if (charset or "").lower() in ("iso-8859-1", "latin-1", "us-ascii", "ascii") else charset
    for name in (named, "utf-8", "cp1252"):
        try:
            return payload.decode(name or "utf-8")
        except (UnicodeDecodeError, LookupError, ValueError):
            continue
    return payload.decode("latin-1")


def _files(message: MailMessage) -> tuple[tuple[str, bytes], ...]:
    found = []
    for number, file in enumerate(_try(lambda: message.attachments, [])[:MOST_FILES], 1):
        content = _try(partial(getattr, file, "payload"), b"")
        if content:
            name = _line(_try(partial(getattr, file, "filename"), "")).replace("/", "_")[:200]
            found.append((name or f"allegato-{number}", content))
    return tuple(found)


def _is_automatic(message: MailMessage) -> bool:
    auto = _header(message, "auto-submitted").strip().lower()
    no_sender = "return-path" in message.headers and _header(message, "return-path").strip() == "<>"
    return (
        (auto not in ("", "no"))
        or no_sender
        or _header(message, "precedence").strip().lower() in _BULK
        or any(name in message.headers for name in ("list-id", "list-unsubscribe", "x-autoreply", "x-autorespond"))
        or message.obj.get_content_type() == "multipart/report"
    )


def _header(message: MailMessage, name: str) -> str:
    return _clean(" ".join(str(value) for value in _try(lambda: message.headers.get(name, ()), ())))


def _address(text: str) -> str | None:
    found = _clean(text or "").strip().lower()
    return found if 3 <= len(found) <= 254 and found.count("@") == 1 and not re.search(r"\s", found) else None


def _line(text: str) -> str:
    return " ".join(_clean(text or "").split())


def _clean(text: str) -> str:
    return _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def _try(read: Callable[[], Any], otherwise: Any) -> Any:
    try:
        return read()
    except Exception:  # noqa: BLE001  # one part that cannot be read takes nothing from the others
        return otherwise
