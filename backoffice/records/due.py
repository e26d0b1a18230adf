"""How late something is, or how soon it must be done, in words."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from flask_babel import gettext as _
from flask_babel import ngettext

from backoffice import clock
from models.base import Recorded
from models.catalogue import Field

#: The column in which records say where they stand.
STATE = "state"


def standing(record: Recorded, field: Field) -> tuple[str, str]:
    """Return ``("late", "overdue by 2 days")``, ``("soon", "in 25 minutes")``, or two empty texts.

    Only for a deadline, and only while the record is in a state in which it counts.
    """
    value = getattr(record, field.name)
    if value is None or not is_open(record, field):
        return "", ""
    if isinstance(value, datetime):
        return _instant(value - clock.now(), value)
    return _day((value - clock.today()).days, field.days_left)


def is_open(record: Recorded, field: Field) -> bool:
    """Say whether the record is in a state in which the field is a deadline."""
    return bool(field.due_while) and getattr(record, STATE) in field.due_while


def _instant(left: timedelta, value: datetime) -> tuple[str, str]:
    minutes = int(left.total_seconds() // 60)
    if 0 <= minutes < 60:
        return "soon", ngettext("in %(num)s minute", "in %(num)s minutes", max(minutes, 1))
    if minutes >= 0:
        return "", ""
    days = (clock.today() - _local_day(value)).days
    if minutes < -24 * 60 and days:
        return "late", _late_days(days)
    if minutes <= -60:
        return "late", ngettext("overdue by %(num)s hour", "overdue by %(num)s hours", -minutes // 60)
    return "late", ngettext("overdue by %(num)s minute", "overdue by %(num)s minutes", -minutes)


def _day(days: int, said_from: int = 0) -> tuple[str, str]:
    if days < 0:
        return "late", _late_days(-days)
    if days == 0:
        return "soon", _("due today")
    return ("soon", ngettext("%(num)s day left", "%(num)s days left", days)) if days <= said_from else ("", "")


def _late_days(days: int) -> str:
    return str(ngettext("overdue by %(num)s day", "overdue by %(num)s days", days))


def _local_day(value: datetime) -> date:
    return value.astimezone(clock.ROME).date()
