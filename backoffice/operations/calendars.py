"""From stored calendars to the arithmetic of ``backoffice.working_time``."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, time

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from backoffice.errors import NotFound
from backoffice.working_time import MIDNIGHT, Interval, WorkingCalendar
from models.calendar_interval import Weekday
from models.holiday import Holiday
from models.service_calendar import ServiceCalendar
from models.sla_policy import SlaPolicy
from models.support_queue import SupportQueue
from models.ticket import Ticket
from models.ticket_clock import TicketClock

_NUMBERS = {weekday: number for number, weekday in enumerate(Weekday)}


def working_calendar(session: Session, calendar_id: int) -> WorkingCalendar:
    """Return a stored calendar ready to count with; its exceptions and holidays as they are now.

    :raises NotFound: there is no such calendar.
    """
    calendar = session.get(ServiceCalendar, calendar_id)
    if calendar is None:
        raise NotFound
    weekly: defaultdict[int, list[Interval]] = defaultdict(list)
    for row in calendar.intervals:
        weekly[_NUMBERS[row.weekday]].append(_interval(row.from_time, row.to_time))
    exceptions: defaultdict[date, list[Interval]] = defaultdict(list)
    for day in calendar.exceptions:
        hours = exceptions[day.day]
        if not day.closed and day.from_time is not None:
            hours.append(_interval(day.from_time, day.to_time))
    return WorkingCalendar(
        {weekday: tuple(sorted(hours)) for weekday, hours in weekly.items()},
        exceptions={day: tuple(sorted(hours)) for day, hours in exceptions.items()},
        holidays=_holidays(session, calendar),
    )


def _interval(opens: time, closes: time | None) -> Interval:
    return opens, closes or MIDNIGHT


def _holidays(session: Session, calendar: ServiceCalendar) -> frozenset[date]:
    if not calendar.excludes_holidays:
        return frozenset()
    statement = sa.select(Holiday.day).where(Holiday.holiday_set_id == calendar.holiday_set_id)
    return frozenset(session.scalars(statement))


def changed_since_fitted() -> sa.ColumnElement[bool]:
    """Build the condition that service level, hours or holidays of a ticket's clock changed since it was worked out."""
    fitted, policy = TicketClock.fitted_at, aliased(SlaPolicy)
    queue_calendar = (
        sa.select(SupportQueue.calendar_id)
        .join(Ticket, Ticket.queue_id == SupportQueue.id)
        .where(Ticket.id == TicketClock.ticket_id)
        .scalar_subquery()
    )
    changed_policy = sa.exists().where(policy.id == TicketClock.policy_id, policy.updated_at > fitted)
    used = sa.func.coalesce(
        sa.select(policy.calendar_id).where(policy.id == TicketClock.policy_id).scalar_subquery(), queue_calendar
    )
    calendar = sa.exists().where(ServiceCalendar.id == used, ServiceCalendar.updated_at > fitted)
    day = sa.exists().where(
        ServiceCalendar.id == used,
        Holiday.holiday_set_id == ServiceCalendar.holiday_set_id,
        Holiday.updated_at > fitted,
    )
    return sa.or_(changed_policy, calendar, day)
