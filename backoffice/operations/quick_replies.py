"""Quick replies: their placeholders are known, and stand for the names of one ticket (TK-09)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice.actors import Actor
from backoffice.errors import DomainError
from backoffice.operations.plain import before_save
from backoffice.records import show
from models.catalogue import fields
from models.quick_reply import QuickReply
from models.ticket import Ticket

PLACEHOLDERS = ("name", "number", "subject", "company", "me")
_BRACED = re.compile(r"\{([^{}\n]{0,40})\}")


class UnknownPlaceholder(DomainError):
    template = _l("“{%(name)s}” stands for nothing: known are {name}, {number}, {subject}, {company} and {me}.")


@before_save(QuickReply)
def _check(_session: Session, reply: QuickReply, *, actor: Actor) -> None:
    """Refuse placeholders that stand for nothing: a client would read the braces."""
    require_known(reply.body)


def require_known(body: str) -> None:
    """Raise ``UnknownPlaceholder`` where a text has a placeholder that stands for nothing."""
    for name in _BRACED.findall(body):
        if name not in PLACEHOLDERS:
            raise UnknownPlaceholder(field="body", name=name)


def words_of(ticket: Ticket, actor: Actor) -> dict[str, str]:
    """Return what the placeholders stand for on a ticket; nothing for what the actor may not name."""
    return {
        "name": _word(ticket, "contact", actor),
        "number": ticket.number,
        "subject": _word(ticket, "subject", actor),
        "company": _word(ticket, "company", actor),
        "me": actor.name,
    }


def _word(ticket: Ticket, name: str, actor: Actor) -> str:
    field = fields(Ticket)[name]
    cell = show.cell(ticket, field, actor)
    hidden = cell.masked or cell.unavailable or (field.target is not None and not show.may_name(field.target, actor))
    return "" if hidden else cell.text


def missing_word(body: str, words: Mapping[str, str]) -> str | None:
    """Return the first placeholder of a text for which there is no word; None where there is one for each."""
    return next((name for name in _BRACED.findall(body) if not words.get(name)), None)


def fill(body: str, words: Mapping[str, str]) -> str:
    """Return a text with the words of a ticket in place of its placeholders; what is in the words is left as it is."""
    return _BRACED.sub(lambda found: words.get(found[1], found[0]), body)
