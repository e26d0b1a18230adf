"""What was promised for the ticket in hand: how much of its time has passed, and which pauses do not count."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from backoffice import clock
from backoffice.access import INTERNAL
from backoffice.actors import Actor
from backoffice.database import RecordSession
from backoffice.operations.clocks import calendar_of, counted_pauses
from backoffice.records import show
from backoffice.working_time import WorkingCalendar, time_between
from models.catalogue import fields
from models.ticket import Ticket
from models.ticket_clock import OPEN, TicketClock, TicketPause
from models.values import Minutes


def clocks_of(session: RecordSession, record: Ticket, actor: Actor) -> list[dict[str, Any]]:
    """Return the promises, each with how much of its time has passed and the pauses that do not count.

    Promises and pauses in one statement, because every look at a ticket asks.
    """
    wanted = sa.select(TicketClock, TicketPause).where(TicketClock.ticket_id == record.id)
    wanted = wanted.outerjoin(TicketPause, TicketPause.ticket_id == TicketClock.ticket_id)
    wanted = wanted.order_by(TicketClock.id, TicketPause.since).options(joinedload(TicketClock.policy))
    # Whoever may see the ticket may know what was promised, whether or not they look after service levels.
    found = session.execute(wanted, execution_options=INTERNAL).all()
    rows = list(dict.fromkeys(row for row, _pause in found))
    pauses = list(dict.fromkeys(filter(None, (pause for _row, pause in found))))
    # Most promises of a ticket count in the same hours.
    calendars = {_hours_key(row): row.policy for row in rows}
    hours = {key: calendar_of(session, record, policy) for key, policy in calendars.items()}
    return [_clock(row, hours[_hours_key(row)], pauses, actor) for row in rows]


def _hours_key(row: TicketClock) -> tuple[Any, ...]:
    return row.policy.clock, row.policy.calendar_id


def _clock(
    row: TicketClock, calendar: WorkingCalendar | None, pauses: list[TicketPause], actor: Actor
) -> dict[str, Any]:
    until = row.met_at or clock.now()
    counted = counted_pauses(row.policy, pauses, row.met_at)
    passed = time_between(calendar, row.started_at, until, counted)
    left = row.target_minutes - passed
    return {
        "label": row.kind.label,
        "state": show.cell(row, fields(TicketClock)["state"], actor),
        "is_open": row.state in OPEN,
        "due": show.when(row.due_at) if row.due_at else None,
        "due_iso": row.due_at.isoformat() if row.due_at else "",
        "late": row.breached_at is not None or left < 0,
        "target": row.target_minutes,
        "passed": max(min(passed, row.target_minutes), 0),
        "words": _("%(passed)s of %(target)s", passed=span(passed), target=span(row.target_minutes)),
        "left": span(left) if left >= 0 else _("%(time)s too late", time=span(-left)),
        "hours": _("Opening hours") if calendar else _("Round the clock"),
        "pauses": [_pause(calendar, since, end or until, pauses) for since, end in counted],
    }


def _pause(calendar: Any, since: datetime, until: datetime, pauses: list[TicketPause]) -> dict[str, str]:
    state = next(pause.state for pause in pauses if pause.since == since)
    return {
        "why": str(state.label),
        "when": f"{show.when(since)} – {show.when(until)}",
        "time": span(time_between(calendar, since, until)),
    }


def span(minutes: int) -> str:
    """Return a length of time as people read it."""
    return Minutes().show(minutes)
