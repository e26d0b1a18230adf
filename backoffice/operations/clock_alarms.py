"""What the product looks at every few minutes: clocks about to run out, run out, or fitted to old hours (J-09)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import INTERNAL
from backoffice.actors import Actor
from backoffice.errors import Forbidden
from backoffice.mail.rendering import Audience, register_template
from backoffice.operations.clocks import fit, time_taken
from backoffice.operations.notices import Recipient, colleague, tell
from models.holiday import Holiday
from models.outbox_mail import OutboxMail
from models.service_calendar import ServiceCalendar
from models.sla_policy import SlaPolicy
from models.support_queue import SupportQueue
from models.team_member import TeamMember
from models.ticket import Ticket
from models.ticket_clock import OPEN, ClockState, TicketClock

#: The states of a promise still to be kept.
_RUNNING = TicketClock.state == ClockState.running


def watch_clocks(session: Session, now: datetime, *, actor: Actor, limit: int = 200) -> int:
    """Warn of clocks about to run out, mark those that have, fit those anew whose hours were changed, and measure.

    Returns how many it warned or told of, at most ``limit`` of each; what is left to be fitted is done the next time.

    :raises Forbidden: ``actor`` is not the product itself.
    """
    if not actor.is_system:
        raise Forbidden
    _refit(session, limit)
    _measure(session, limit)
    return _mark_late(session, now, limit) + _warn(session, now, limit)


def _refit(session: Session, limit: int) -> None:
    fitted, calendar = TicketClock.fitted_at, ServiceCalendar
    holiday = sa.exists().where(Holiday.holiday_set_id == calendar.holiday_set_id, Holiday.updated_at > fitted)
    changed = sa.or_(SlaPolicy.updated_at > fitted, calendar.updated_at > fitted, holiday)
    stale = (
        sa.select(TicketClock)
        .join(SlaPolicy, SlaPolicy.id == TicketClock.policy_id)
        .join(Ticket, Ticket.id == TicketClock.ticket_id)
        .join(SupportQueue, SupportQueue.id == Ticket.queue_id)
        .outerjoin(calendar, calendar.id == sa.func.coalesce(SlaPolicy.calendar_id, SupportQueue.calendar_id))
        .where(TicketClock.state.in_(OPEN), changed)
    )
    clocks = session.scalars(stale.order_by(TicketClock.id).limit(limit)).all()
    for ticket in {row.ticket for row in clocks}:
        fit(session, ticket)


def _measure(session: Session, limit: int) -> None:
    """Write down how long it took where a promise was kept before that was written down at once."""
    unknown = sa.select(TicketClock).where(TicketClock.met_at.is_not(None), TicketClock.taken_minutes.is_(None))
    for row in session.scalars(unknown.order_by(TicketClock.id).limit(limit)).all():
        row.taken_minutes = time_taken(session, row)
    session.flush()


def _mark_late(session: Session, now: datetime, limit: int) -> int:
    over = sa.select(TicketClock).where(_RUNNING, TicketClock.due_at <= now, TicketClock.breached_at.is_(None))
    clocks = session.scalars(over.order_by(TicketClock.due_at).limit(limit).with_for_update(skip_locked=True)).all()
    for row in clocks:
        row.breached_at, row.warned_at = row.due_at, row.warned_at or now
        _tell(session, row, "ticket_overdue", [*_assignee(session, row), *_team(session, row)])
    session.flush()
    return len(clocks)


def _warn(session: Session, now: datetime, limit: int) -> int:
    near = sa.select(TicketClock).where(_RUNNING, TicketClock.warn_at <= now, TicketClock.warned_at.is_(None))
    clocks = session.scalars(near.order_by(TicketClock.warn_at).limit(limit).with_for_update(skip_locked=True)).all()
    for row in clocks:
        row.warned_at = now
        _tell(session, row, "ticket_due_soon", _assignee(session, row) or _team(session, row))
    session.flush()
    return len(clocks)


def _tell(session: Session, row: TicketClock, event: str, recipients: Iterable[Recipient]) -> None:
    due = row.due_at.astimezone(clock.ROME) if row.due_at is not None else None
    values = {
        "number": row.ticket.number,
        "subject": row.ticket.subject,
        "company": str(row.ticket.company) if row.ticket.company is not None else "–",
        "due": f"{due:%d/%m/%Y %H:%M}" if due is not None else "–",
    }
    for recipient in {person.staff_id: person for person in recipients}.values():
        tell(session, event, recipient, values, about=row.ticket)


def _assignee(session: Session, row: TicketClock) -> list[Recipient]:
    found = colleague(session, row.ticket.assignee_id)
    return [found] if found is not None else []


def _team(session: Session, row: TicketClock) -> list[Recipient]:
    table = TeamMember.__table__
    keys = sa.select(table.c.staff_id).where(table.c.team_id == row.ticket.team_id).order_by(table.c.id)
    people = (colleague(session, key) for key in session.scalars(keys, execution_options=INTERNAL).all())
    return [person for person in people if person is not None]


def _to_ticket(_session: Session, mail: OutboxMail) -> str:
    return f"/ticket/{mail.cause_id}"


_EXAMPLE = {
    "name": "Elena",
    "number": "SUP-123",
    "subject": "Impossibile accedere",
    "company": "Galvanica Orobica",
    "due": "01/12/2026 10:00",
}
register_template("ticket_due_soon", _l("Ticket due soon"), _EXAMPLE, mint=_to_ticket, bell=Audience.staff)
register_template("ticket_overdue", _l("Ticket overdue"), _EXAMPLE, mint=_to_ticket, bell=Audience.staff)
