"""Interventions as the ticket workspace shows them: what is still to be done, by when, and what is left of what was
agreed (SL-16, OS-06)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from backoffice.actors import Action, Actor
from backoffice.database import RecordSession
from backoffice.lifecycles import transitions_open
from backoffice.records import show
from models.catalogue import fields
from models.intervention import OPEN, Intervention
from models.ticket import Ticket
from views import addresses
from views.generated.listing import dressed


def visits_due(session: RecordSession, tickets: Sequence[Ticket], actor: Actor) -> dict[int, show.Cell]:
    """Return by ticket when its next open intervention is due; one statement, none without tickets."""
    if not tickets or not actor.may(Action.read, Intervention):
        return {}
    wanted = sa.select(Intervention).where(Intervention.ticket_id.in_([ticket.id for ticket in tickets]))
    rows = session.scalars(wanted.where(Intervention.state.in_(OPEN), Intervention.due_at.is_not(None)))
    latest_first = sorted(rows, key=lambda row: row.due_at or row.requested_at, reverse=True)
    return {row.ticket_id: dressed(show.cell(row, fields(Intervention)["due_at"], actor)) for row in latest_first}


def has_visits(record: Ticket) -> Any:
    """Return the condition that a ticket has open interventions, for a statement that is made anyway."""
    table: Any = Intervention.__table__
    return sa.exists().where(table.c.ticket_id == record.id, table.c.state.in_(OPEN)).correlate(None)


def visits_of(session: RecordSession, record: Ticket, actor: Actor) -> list[dict[str, Any]]:
    """Return the open interventions of a ticket with what can be done next; one statement."""
    if not actor.may(Action.read, Intervention):
        return []
    along = (joinedload(Intervention.site), joinedload(Intervention.entitlement))
    wanted = sa.select(Intervention).where(Intervention.ticket_id == record.id, Intervention.state.in_(OPEN))
    rows = session.scalars(wanted.order_by(Intervention.due_at, Intervention.id).limit(20).options(*along))
    return [_visit(row, actor) for row in rows]


def _visit(row: Intervention, actor: Actor) -> dict[str, Any]:
    known = fields(Intervention)
    agreed = row.entitlement
    return {
        "url": addresses.record_url(row),
        **{
            name: dressed(show.cell(row, known[name], actor))
            for name in ("state", "mode", "site", "planned_at", "due_at")
        },
        "left": agreed.max_count - agreed.used_count if agreed is not None and agreed.max_count else None,
        "most": agreed.max_count if agreed is not None else None,
        "beyond": row.beyond_reason,
        "verbs": [
            {"label": t.label, "icon": t.icon, "url": addresses.action_url(row, "do", verb=t.name)}
            for t in transitions_open(row, actor)
            if t.tone == "primary"
        ],
    }


__all__ = ["has_visits", "visits_due", "visits_of"]
