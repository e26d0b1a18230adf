"""The only place that asks what time it is."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

#: The service groups work in Italy; instants are stored in UTC and shown here.
ROME = ZoneInfo("Europe/Rome")


def now() -> datetime:
    """Return the present instant, aware, in UTC."""
    return datetime.now(UTC)


def today() -> date:
    """Return the date it is in Italy."""
    return datetime.now(ROME).date()
