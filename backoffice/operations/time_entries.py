"""Working time on tickets: what follows from what was typed."""

from __future__ import annotations

from sqlalchemy.orm import Session

from backoffice.actors import Actor
from backoffice.operations.plain import before_create
from models.time_entry import TimeEntry


@before_create(TimeEntry)
def _complete(_session: Session, entry: TimeEntry, *, actor: Actor) -> None:
    """Enter whoever writes it where nobody is named; a quote pays for its tickets, no package does (PK-05)."""
    if entry.person is None and entry.person_id is None:
        entry.person_id = actor.staff_id
    if entry.ticket.covered_by_quote:
        entry.billable = False
