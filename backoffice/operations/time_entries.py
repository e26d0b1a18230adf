"""Working time on tickets: what may be entered, and what follows from what was typed (TK-29)."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import cast

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import INTERNAL, as_product, hold
from backoffice.actors import Actor
from backoffice.errors import DomainError
from backoffice.operations.calendars import working_calendar
from backoffice.operations.plain import before_create, before_save
from models.ticket import Ticket, TicketState
from models.time_entry import TimeEntry
from models.values import Minutes

#: Minutes of a day.
_DAY = 24 * 60
#: What was worked on these is settled: the client has had the official mail.
_LOCKED = (TicketState.closed_final, TicketState.archived)


class TicketSettled(DomainError):
    """Chapter 4.6: with the final closing the time entries are locked."""

    template = _l("Ticket %(number)s is closed for good: its working time can no longer change.")
    status = 409


class DayAhead(DomainError):
    template = _l("This day is yet to come.")


class HourAhead(DomainError):
    template = _l("This hour is yet to come.")


class DayFull(DomainError):
    """TK-29: one person, one day."""

    template = _l("With %(known)s entered already this makes more than 24 hours on one day.")


@before_create(TimeEntry)
def _complete(_session: Session, entry: TimeEntry, *, actor: Actor) -> None:
    """Enter whoever writes it where nobody is named; a quote pays for its tickets, no package does (PK-05)."""
    if entry.person is None and entry.person_id is None:
        entry.person_id = actor.staff_id
    entry.is_demo = entry.ticket.is_demo
    if entry.ticket.covered_by_quote:
        entry.billable = False


@before_save(TimeEntry)
def _may_be_entered(session: Session, entry: TimeEntry, *, actor: Actor) -> None:
    """Refuse what cannot have been worked, and what is settled.

    The ticket is locked first: it may not be closed meanwhile, and of several entries at once each charges in its turn.

    :raises TicketSettled: the ticket is closed for good.
    :raises DayAhead: the day is in the future; HourAhead: its beginning is.
    :raises DayFull: the person has worked more than 24 hours on that day.
    """
    in_sight = _look_up_ticket(session, entry)
    hold(session, entry.ticket)
    if entry.ticket.state in _LOCKED:
        raise TicketSettled(field="ticket", number=entry.ticket.number if in_sight else "…")
    if entry.day > clock.today():
        raise DayAhead(field="day")
    if entry.began_at is not None and _start(entry) > clock.now():
        raise HourAhead(field="began_at")
    _fits_into_the_day(session, entry)
    entry.outside_minutes = outside_of(session, entry)


def _start(entry: TimeEntry) -> datetime:
    return datetime.combine(entry.day, entry.began_at or time(), clock.ROME)


def _fits_into_the_day(session: Session, entry: TimeEntry) -> None:
    """Refuse more work of one person on one day than a day has."""
    if not _grows(entry):
        return
    table, person = TimeEntry.__table__, _person_of(entry)
    others = sa.select(sa.func.coalesce(sa.func.sum(table.c.minutes), 0)).where(
        table.c.person_id == person, table.c.day == entry.day
    )
    if entry.id is not None:
        others = others.where(table.c.id != entry.id)
    # A spreadsheet brings several at once, which are written together.
    beside = (one for one in session.new if isinstance(one, TimeEntry) and one is not entry)
    waiting = sum(one.minutes for one in beside if one.day == entry.day and _person_of(one) == person)
    known = (session.scalar(others, execution_options=INTERNAL) or 0) + waiting
    if known + entry.minutes > _DAY:
        raise DayFull(field="minutes", known=Minutes().show(known))


def _person_of(entry: TimeEntry) -> int | None:
    return entry.person.id if entry.person is not None else entry.person_id


def _grows(entry: TimeEntry) -> bool:
    """Say whether an entry makes its day longer; one that is corrected downwards may stay on a day that is too long."""
    changed = sa.inspect(entry).attrs
    before = changed.minutes.history.deleted
    moved = any(changed[name].history.has_changes() for name in ("day", "person", "person_id"))
    is_new = not sa.inspect(entry).persistent
    return is_new or moved or bool(before and entry.minutes > before[0])


def _look_up_ticket(session: Session, entry: TimeEntry) -> bool:
    """Have the ticket of an entry at hand, also where whoever corrects their own work no longer sees the ticket.

    Return whether they see it: else nothing may name it.
    """
    if cast("Ticket | None", entry.ticket) is not None:
        return True
    with as_product(session):
        session.refresh(entry, ["ticket"])
        session.refresh(entry.ticket, ["queue"])
    return False


def outside_of(session: Session, entry: TimeEntry) -> int | None:
    """Return how many minutes of an entry lay outside the hours of its ticket's queue; None where none are agreed.

    Where it is not known when the work began: so much as cannot have lain within them, such as all of it on a day on
    which the service is closed.
    """
    calendar_id = entry.ticket.queue.calendar_id
    if calendar_id is None:
        return None
    calendar = working_calendar(session, calendar_id)
    start = _start(entry)
    end = start.astimezone(UTC) + timedelta(minutes=entry.minutes)
    if entry.began_at is None:
        end = datetime.combine(entry.day + timedelta(days=1), time(), clock.ROME)
    return max(entry.minutes - calendar.working_minutes_between(start, end), 0)
