"""Quick replies: their placeholders are known, and stand for the names of one ticket (TK-09)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice.actors import Actor
from backoffice.errors import DomainError
from backoffice.operations.plain import before_save
from models.quick_reply import QuickReply

PLACEHOLDERS = ("name", "number", "subject", "company", "me")
_BRACED = re.compile(r"\{([^{}\n]{0,40})\}")


class UnknownPlaceholder(DomainError):
    template = _l("“{%(name)s}” stands for nothing: known are {name}, {number}, {subject}, {company} and {me}.")


@before_save(QuickReply)
def _check(_session: Session, reply: QuickReply, *, actor: Actor) -> None:
    """Refuse placeholders that stand for nothing: a client would read the braces."""
    for name in _BRACED.findall(reply.body):
        if name not in PLACEHOLDERS:
            raise UnknownPlaceholder(field="body", name=name)


def fill(body: str, words: Mapping[str, str]) -> str:
    """Return a text with the words of a ticket in place of its placeholders; what is in the words is left as it is."""
    return _BRACED.sub(lambda found: words.get(found[1], found[0]), body)
