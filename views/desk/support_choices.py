"""What the page of figures was asked for: by what tickets are told apart, and which time counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from backoffice import clock
from backoffice.actors import Actor
from backoffice.errors import DomainError
from backoffice.records.filters import filterable
from models.catalogue import Field
from models.reading import BadValue, parse_date
from models.ticket import Ticket
from models.values import show_date

#: By what tickets are told apart; never by who works on them (art. 4 L. 300/1970).
WAYS = ("queue", "team", "company", "channel", "contract", "business_unit")
#: How many days count where none are chosen, and at most.
DAYS, MOST_DAYS = 90, 1_100


class NoSuchTime(DomainError):
    template = _l("The time begins after its end, or is longer than %(days)s days: the last %(usual)s days are shown.")


@dataclass(frozen=True)
class Period:
    """The days that count, and whether for what was opened or for what was closed in them."""

    start: date
    end: date
    closed: bool = False

    def within(self, name: str) -> str:
        """Return the filter that the day of a field is one of them."""
        return f"{name}:between:{self.start:%d/%m/%Y}..{self.end:%d/%m/%Y}"


@dataclass(frozen=True)
class Choices:
    """What was chosen, and what there is to choose from; ``problem`` says why a time was not taken."""

    by: Field
    ways: tuple[Field, ...]
    period: Period
    problem: str = ""

    def page(self) -> dict[str, Any]:
        """Return what the form of the page shows."""
        return {
            "ways": [{"name": way.name, "label": way.label, "current": way is self.by} for way in self.ways],
            "from": request.args.get("from", "") if self.problem else self.period.start.isoformat(),
            "to": request.args.get("to", "") if self.problem else self.period.end.isoformat(),
            "closed": self.period.closed,
            "words": _words(self.period),
            "problem": self.problem,
        }


def _words(period: Period) -> str:
    days = {"start": show_date(period.start), "end": show_date(period.end)}
    if period.closed:
        return _("What was closed from %(start)s to %(end)s", **days)
    return _("What was opened from %(start)s to %(end)s", **days)


def read_choices(actor: Actor, ways: tuple[str, ...] = WAYS) -> Choices:
    """Return what the address of this request asks for; what cannot be read counts as not chosen."""
    known = filterable(Ticket, actor)
    offered = tuple(known[name] for name in ways if name in known)
    wanted, closed = request.args.get("by", ""), request.args.get("when", "") == "closed"
    by = next((field for field in offered if field.name == wanted), offered[0])
    try:
        return Choices(by, offered, _period(closed))
    except (BadValue, NoSuchTime) as error:
        return Choices(by, offered, _usual(closed), str(error))


def _usual(closed: bool) -> Period:
    today = clock.today()
    return Period(today - timedelta(days=DAYS - 1), today, closed)


def _period(closed: bool) -> Period:
    usual = _usual(closed)
    first, last = (request.args.get(name, "").strip() for name in ("from", "to"))
    end = parse_date(last) if last else usual.end
    start = parse_date(first) if first else end - timedelta(days=DAYS - 1)
    if not timedelta(0) <= end - start < timedelta(days=MOST_DAYS):
        raise NoSuchTime(days=MOST_DAYS, usual=DAYS)
    return Period(start, end, closed)


__all__ = ["WAYS", "Choices", "Period", "read_choices"]
