"""How many rows come and go each week, and whether more or fewer than before: the pictures of the start page.

As filters of lists, so that what is counted is what the list behind a number shows, within scope and masks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from backoffice.actors import Actor
from backoffice.records.filters import filterable
from backoffice.records.pages import Query, read_query
from models.base import Flow, Recorded

#: Weeks of a picture, the present one included; they begin on Monday.
WEEKS = 8
#: A number counts so many days up to today, and is compared with as many before them.
DAYS = 28


@dataclass(frozen=True)
class Span:
    """The rows of a flow in some days, both included, as its list is asked for them."""

    flow: Flow
    first: date
    last: date
    query: Query


@dataclass(frozen=True)
class Course:
    """A flow in time: week by week, and the last days beside those before."""

    flow: Flow
    weeks: tuple[Span, ...]
    now: Span
    before: Span

    @property
    def spans(self) -> tuple[Span, ...]:
        return (*self.weeks, self.now, self.before)


def courses(entity: type[Recorded], actor: Actor, today: date) -> Iterator[Course]:
    """Yield the flows of an entity as far as the actor sees the fields that they are counted by."""
    known = filterable(entity, actor)
    for flow in entity.__admin__.flows:
        if {flow.day, *(text.partition(":")[0] for text in flow.filters)} <= known.keys():
            yield _course(entity, flow, actor, today)


def _course(entity: type[Recorded], flow: Flow, actor: Actor, today: date) -> Course:
    def span(first: date, days: int) -> Span:
        last = first + timedelta(days=days - 1)
        asked = f"{flow.day}:between:{first:%d/%m/%Y}..{last:%d/%m/%Y}"
        return Span(flow, first, last, read_query(entity, actor, filters=[*flow.filters, asked]))

    monday = today - timedelta(days=today.weekday() + 7 * (WEEKS - 1))
    since = today - timedelta(days=DAYS - 1)
    return Course(
        flow,
        tuple(span(monday + timedelta(days=7 * week), 7) for week in range(WEEKS)),
        span(since, DAYS),
        span(since - timedelta(days=DAYS), DAYS),
    )


__all__ = ["DAYS", "WEEKS", "Course", "Span", "courses"]
