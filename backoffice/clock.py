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


def month_in_italy(stored: str | None) -> str | None:
    """Return the month of an instant, such as ``2026-11``, from the form that SQLite stores it in."""
    if stored is None:
        return None
    return f"{datetime.fromisoformat(stored).replace(tzinfo=UTC).astimezone(ROME):%Y-%m}"
