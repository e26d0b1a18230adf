"""Calendars that other programs subscribe to, under an address that can be revoked: what both applications share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

import icalendar
from flask import Response

from backoffice import clock

#: More entries than anybody plans for.
MOST = 2_000


@dataclass(frozen=True)
class Entry:
    """One entry: ``key`` stays the same whatever changes; from and to are days, or instants."""

    key: str
    title: str
    start: date | datetime
    end: date | datetime
    changed: datetime
    place: str = ""
    notes: str = ""
    #: Whether the time counts as taken in the calendar of whoever subscribes.
    busy: bool = False
    url: str = ""


def calendar_response(name: str, house: str, entries: Iterable[Entry]) -> Response:
    """Return a calendar as programs read it; ``house`` names who publishes it, in the keys of the entries."""
    book = icalendar.Calendar()
    for key, value in {"prodid": "-//Backoffice//Calendario//IT", "version": "2.0", "x-wr-calname": name}.items():
        book.add(key, value)
    for entry in entries:
        book.add_component(_event(entry, house))
    return Response(bytes(book.to_ical()), content_type="text/calendar; charset=utf-8")


def _event(entry: Entry, house: str) -> icalendar.Event:
    event = icalendar.Event()
    event.add("uid", f"{entry.key}@{house}.backoffice.invalid")
    event.add("summary", entry.title)
    event.add("dtstart", entry.start)
    event.add("dtend", entry.end)
    event.add("dtstamp", clock.now())
    event.add("last-modified", entry.changed)
    event.add("transp", "OPAQUE" if entry.busy else "TRANSPARENT")
    for name, text in (("location", entry.place), ("description", entry.notes), ("url", entry.url)):
        if text:
            event.add(name, text)
    return event


__all__ = ["MOST", "Entry", "calendar_response"]
