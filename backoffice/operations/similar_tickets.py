"""Open tickets that are probably about the same thing as one that is about to be opened (TK-01).

Found by the words of the subject, and by what they concern: the same asset, or words in common and the same service,
system or place. Within the scope of who asks, so that nobody learns of a ticket in this way.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.reading import fold
from models.ticket import OPEN_STATES, Ticket

#: More than anybody looks through before sending.
MOST = 5
#: So many of the newest open tickets of a company are compared.
_COMPARED = 200
#: Words agree by their beginning, since Italian changes their end: registro, registri.
_STEM = 5
_WORDS = re.compile(r"[^\W_]{4,}|\d{3,}")
#: Beginnings of words that nearly every request has, and that tell none from another.
_COMMON = frozenset(
    fold(word)[:_STEM]
    for word in """
    aiuto assistenza chiarimento come dalla dalle della delle errore funziona funzionano informazione nella nelle
    non perché problema problemi questa questo quando richiesta segnalazione sono stata stato ticket urgente
    about cannot does error from help issue please problem question request that this urgent what when with work working
    """.split()  # noqa: SIM905 - words are easier to read than a list of them
)


@dataclass(frozen=True)
class Asked:
    """What a new ticket would be about."""

    company_id: int | None
    subject: str
    service_id: int | None = None
    asset_id: int | None = None
    #: Where it is, in words: the system or the place.
    place: str = ""


def find_similar(session: Session, asked: Asked) -> list[Ticket]:
    """Return the open tickets of the same company that are most like it, the likeliest first. One statement."""
    if asked.company_id is None:
        return []
    theirs = sa.select(Ticket).where(Ticket.company_id == asked.company_id, Ticket.state.in_(OPEN_STATES))
    newest = session.scalars(theirs.order_by(Ticket.created_at.desc(), Ticket.id.desc()).limit(_COMPARED)).all()
    scored = [(likeness(asked, ticket), ticket) for ticket in newest]
    found = sorted((pair for pair in scored if pair[0]), key=lambda pair: -pair[0])
    return [ticket for _score, ticket in found[:MOST]]


def likeness(asked: Asked, ticket: Ticket) -> int:
    """Return how much a ticket is like what is asked: 0 where it is probably about something else."""
    mine, other = stems(asked.subject), stems(ticket.subject)
    shared = len(mine & other)
    same_asset = asked.asset_id is not None and asked.asset_id == ticket.asset_id
    places = {fold(text) for text in (ticket.affected_system, ticket.place_code) if text}
    same_thing = fold(asked.place) in places or (asked.service_id is not None and asked.service_id == ticket.service_id)
    is_like = same_asset or shared >= 2 or (shared == 1 and (same_thing or len(mine) == 1 or len(other) == 1))
    return shared + same_thing + 3 * same_asset if is_like else 0


def stems(subject: str) -> frozenset[str]:
    """Return the beginnings of the words of a subject that tell it from others."""
    return frozenset(word[:_STEM] for word in _WORDS.findall(fold(subject))) - _COMMON
