"""The same done to several tickets: each by the very verb it would be done with alone, under its own rules (TK-12).

Whoever does it has looked at the tickets some time before: what has changed since then is left alone and reported.
One call is one ticket, so that doors commit each by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice.access import hold
from backoffice.actors import Actor
from backoffice.errors import DomainError
from backoffice.lifecycles import get_transition
from backoffice.operations.plain import update_record
from backoffice.operations.quick_replies import fill, missing_word, words_of
from backoffice.operations.ticket_states import closing_gap, worked_on
from backoffice.operations.ticket_talk import SILENT, SaidAndDone, say
from backoffice.operations.verbs import NotInThisState, perform
from models.ticket import ClosureReason, Ticket
from models.ticket_message import TicketMessage

#: What a closed ticket must have and many have not yet: given for those alone that lack it.
GAPS = ("request_type", "assistance_kind")


class ChangedMeanwhile(DomainError):
    template = _l("Somebody changed it, or wrote, after you chose it: look at it first.")
    status = 409


class NothingToSay(DomainError):
    """A text for several has a placeholder for which one of them has no word: a client would read the gap."""

    template = _l("Nothing is known to put in place of {%(name)s}: answer it by itself.")


@dataclass(frozen=True)
class Seen:
    """What somebody had before them when they chose a ticket: its version and the key of its last message, or 0."""

    version: int
    message: int

    def __str__(self) -> str:
        return f"{self.version}.{self.message}"


def look_at(session: Session, tickets: Collection[Ticket]) -> dict[int, Seen]:
    """Return by key what there is to see of tickets at present. One statement."""
    keys = [ticket.id for ticket in tickets]
    newest = sa.select(TicketMessage.ticket_id, sa.func.max(TicketMessage.id)).where(TicketMessage.ticket_id.in_(keys))
    found = {row[0]: row[1] for row in session.execute(newest.group_by(TicketMessage.ticket_id))}
    return {ticket.id: Seen(ticket.version, found.get(ticket.id, 0)) for ticket in tickets}


def take(session: Session, ticket: Ticket, seen: str) -> None:
    """Keep others from a ticket until the transaction ends.

    :raises ChangedMeanwhile: it is not as it was ``seen``.
    """
    hold(session, ticket)
    if str(look_at(session, [ticket])[ticket.id]) != seen:
        raise ChangedMeanwhile


def answer(session: Session, ticket: Ticket, text: str, *, actor: Actor, waits: bool = False) -> None:
    """Write the text to the client of one ticket, its words in place of the placeholders. Flushes; raises as ``say``.

    With ``waits`` the ticket then waits for the client.

    :raises NothingToSay: there is no word for a placeholder.
    """
    words = words_of(ticket, actor)
    if (name := missing_word(text, words)) is not None:
        raise NothingToSay(name=name)
    say(session, ticket, fill(text, words), actor=actor, waits=waits)


def close(session: Session, ticket: Ticket, values: Mapping[str, Any], *, actor: Actor) -> None:
    """Close one ticket; type and kind of assistance are given to it first where it has none. Flushes.

    Raises as the verb does.
    """
    gaps = {name: values[name] for name in GAPS if values.get(name) and getattr(ticket, name) is None}
    if gaps:
        update_record(session, ticket, gaps, version=None, actor=actor)
    asked = {name: values.get(name) for name in ("solution", "closure_reason")}
    perform(session, ticket, "close", asked, actor=actor)


def entrust(session: Session, ticket: Ticket, values: Mapping[str, Any], *, actor: Actor) -> None:
    """Assign one ticket to somebody; its type is taken from ``values`` where it has none. Flushes; raises as the verb.

    All else that the verb asks for stays as it is.
    """
    kept = {name: getattr(ticket, name) for name in ("priority", "assistance_kind", "estimated_minutes", "team")}
    kept["request_type"] = ticket.request_type or values.get("request_type") or None
    perform(session, ticket, "assign", {**kept, "assignee": values["assignee"]}, actor=actor)


def unanswerable(ticket: Ticket, text: str, actor: Actor, *, waits: bool = False) -> DomainError | None:
    """Return why a ticket would not be answered now, as far as can be told before; else None."""
    name = missing_word(text, words_of(ticket, actor))
    if ticket.state in SILENT:
        return SaidAndDone()
    if waits and (problem := wrong_state(ticket, "ask_customer")) is not None:
        return problem
    return NothingToSay(name=name) if name is not None else None


def unclosable(session: Session, tickets: Collection[Ticket], values: Mapping[str, Any]) -> dict[int, DomainError]:
    """Return by key why tickets would not be closed now, as far as can be told before. At most one statement."""
    worked = worked_on(session, [ticket.id for ticket in tickets])
    reason = ClosureReason.__members__.get(str(values.get("closure_reason")))
    found = {}
    for ticket in tickets:
        given = {name: getattr(ticket, name) or values.get(name) for name in GAPS}
        gap = closing_gap(ticket, reason, given, has_time=lambda key=ticket.id: key in worked)  # type: ignore[misc]
        if (problem := wrong_state(ticket, "close") or gap) is not None:
            found[ticket.id] = problem
    return found


def wrong_state(ticket: Ticket, verb: str) -> DomainError | None:
    """Return why a verb is not open to a ticket in its state; None where it is."""
    transition = get_transition(Ticket, verb)
    if ticket.state in transition.sources:
        return None
    return NotInThisState(verb=transition.label, state=ticket.state.label)
