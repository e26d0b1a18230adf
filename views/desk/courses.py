"""What comes and goes, as small pictures: the last weeks side by side, and the last days beside those before."""

from __future__ import annotations

from typing import Any

from flask_babel import format_date, ngettext
from flask_babel import gettext as _

from backoffice.records.flows import DAYS, WEEKS, Course, Span
from backoffice.records.pages import COUNT_CAP, Page
from models.base import Recorded
from models.values import show_number
from views import addresses
from views.generated.listing import count_text

#: The picture in its own units: its height, how far weeks are apart, and how wide the columns of one are together.
_HEIGHT, _STEP, _WIDTH = 72, 40, 30


def picture(entity: type[Recorded], found: list[Course], counts: list[int]) -> dict[str, Any]:
    """Return what ``_course.html`` shows of the flows of an entity; ``counts`` are those of their spans, in order."""
    numbers = iter(counts)
    told = [(course, [next(numbers) for _span in course.spans]) for course in found]
    largest = max((count for _course, counts in told for count in counts[:WEEKS]), default=0)
    weeks = [str(format_date(span.first, "d/M")) for span in found[0].weeks]
    return {
        "label": entity.__admin__.plural,
        "icon": entity.__admin__.icon,
        "name": entity.__table__.name,
        "numbers": [_number(entity, course, *counts[WEEKS:]) for course, counts in told],
        "shapes": [
            {
                **_column(week, place, len(told), counts[week], largest),
                "title": _title(course, weeks[week], counts[week]),
            }
            for place, (course, counts) in enumerate(told)
            for week in range(WEEKS)
        ],
        "words": [{"x": week * _STEP + _WIDTH // 2, "text": text} for week, text in enumerate(weeks) if week % 2 == 0],
        "rows": [
            {"label": weeks[week], "cells": [_cell(entity, c.weeks[week], counts[week]) for c, counts in told]}
            for week in range(WEEKS)
        ],
        "width": WEEKS * _STEP,
        "height": _HEIGHT,
        "is_empty": not any(counts for _course, counts in told if any(counts)),
    }


def _number(entity: type[Recorded], course: Course, now: int, before: int) -> dict[str, Any]:
    return {**_cell(entity, course.now, now), "label": course.flow.label, "days": DAYS, "trend": _trend(now, before)}


def _cell(entity: type[Recorded], span: Span, count: int) -> dict[str, Any]:
    filters = [str(item) for item in span.query.filters]
    return {"text": count_text(Page((), count)), "url": addresses.list_url(entity, f=filters)}


def _trend(now: int, before: int) -> dict[str, str]:
    """Say how the last days compare with as many before; beyond what is counted, nobody knows."""
    if max(now, before) > COUNT_CAP:
        return {"icon": "", "text": ""}
    more = now - before
    if not more:
        return {"icon": "arrow-right", "text": _("as many as before")}
    amount = show_number(abs(more))
    if more > 0:
        return {"icon": "arrow-up-right", "text": ngettext("%(amount)s more", "%(amount)s more", more, amount=amount)}
    return {"icon": "arrow-down-right", "text": ngettext("%(amount)s fewer", "%(amount)s fewer", -more, amount=amount)}


def _column(week: int, place: int, of: int, count: int, largest: int) -> dict[str, Any]:
    """Return one column of the picture: those of a week stand side by side."""
    height = round(_HEIGHT * count / largest, 1) if largest else 0
    width = _WIDTH / of
    shape = {"x": week * _STEP + place * width, "y": round(_HEIGHT - height, 1), "height": height, "width": width - 2}
    return {**shape, "series": place + 1}


def _title(course: Course, week: str, count: int) -> str:
    label = course.flow.label
    return _("%(label)s in the week from %(day)s: %(count)s", label=label, day=week, count=show_number(count))


__all__ = ["picture"]
