"""The parts of the page of figures that count: tickets by what they point at, promises, and how long they took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from flask_babel import ngettext

from backoffice.actors import Action, Actor
from backoffice.database import RecordSession
from backoffice.errors import Text
from backoffice.records.breakdowns import Spread, count_by, names_of, spread_by
from backoffice.records.pages import COUNT_CAP, Page, Query, read_query
from backoffice.records.show import in_sentence
from models.base import Recorded
from models.catalogue import Field, fields
from models.sla_policy import SlaKind, SlaPolicy
from models.ticket import OPEN_STATES, Ticket
from models.ticket import TicketState as S
from models.ticket_clock import TicketClock
from models.values import Minutes, show_number
from views import addresses
from views.desk.support_choices import Choices, Period
from views.generated.listing import count_text

#: So many clients, contracts and the like are shown: those with most open tickets.
MOST_ROWS = 25
_OPEN = "state:in:" + ",".join(OPEN_STATES)
_AT_WORK = "state:in:" + ",".join(
    (S.qualification, S.assigned, S.in_progress, S.waiting_l2, S.waiting_change, S.on_site_planned, S.reopened)
)


@dataclass(frozen=True)
class Count:
    """A number of rows: what it is called, and the filters of the list behind it."""

    entity: type[Recorded]
    label: Text
    filters: tuple[str, ...]
    tone: str = "neutral"


#: How tickets stand now; all of these are open.
NOW = (
    Count(Ticket, _lp("tickets", "Open"), (_OPEN,)),
    Count(Ticket, _lp("tickets", "Late"), ("due_at:past:", _AT_WORK), "bad"),
    Count(Ticket, _l("Due in 7 days"), ("due_at:next:7", _AT_WORK), "wait"),
    Count(Ticket, _lp("tickets", "Unassigned"), ("assignee:empty:", _OPEN), "wait"),
    Count(Ticket, _l("Waiting for the client"), (f"state:in:{S.waiting_customer}",)),
    Count(Ticket, _l("Waiting for a package"), (f"state:in:{S.waiting_package}",)),
)


def meanwhile(period: Period) -> tuple[Count, ...]:
    """Return what became of the tickets that were opened, or closed, in the time that counts."""
    again = ("reopen_count:min:1",)
    if period.closed:
        base = (period.within("closed_at"),)
        return Count(Ticket, _lp("tickets", "Closed"), base), Count(Ticket, _l("Of these reopened"), base + again)
    base = (period.within("created_at"),)
    return (
        Count(Ticket, _lp("tickets", "Opened"), base),
        Count(Ticket, _l("Of these closed"), (*base, "closed_at:filled:")),
        Count(Ticket, _l("Of these reopened"), base + again),
    )


def number(count: Count, many: int) -> dict[str, Any]:
    """Return a count as the page shows it, with the list behind it."""
    return {
        "label": count.label,
        "count": many,
        "text": count_text(Page((), min(many, COUNT_CAP + 1))),
        "url": addresses.list_url(count.entity, f=list(count.filters)),
        "tone": count.tone if many else "none",
        "icon": count.entity.__admin__.icon,
    }


def query_of(count: Count, actor: Actor) -> Query:
    """Return the list behind a count, as whoever looks sees it."""
    return read_query(count.entity, actor, filters=list(count.filters))


def _counted(
    session: RecordSession, actor: Actor, by: Field, counts: Sequence[Count], *, halves: Sequence[Any] = (sa.true(),)
) -> dict[Any, list[int]]:
    """Return each count by the values of a field; the first is of what all others are parts of."""
    queries = [query_of(count, actor) for count in counts]
    return count_by(session, queries[0], by.name, queries, halves=halves)


def _open_halves() -> tuple[Any, Any]:
    """Return the open tickets with and without a due time, as their partial index has them."""
    states: sa.BindParameter[Any] = sa.bindparam("open_states", list(OPEN_STATES), expanding=True, literal_execute=True)
    is_open = Ticket.state.in_(states)
    return sa.and_(is_open, Ticket.due_at.is_not(None)), sa.and_(is_open, Ticket.due_at.is_(None))


def breakdown(session: RecordSession, actor: Actor, chosen: Choices) -> dict[str, Any]:
    """Return how tickets stand, and what became of those of a time, by what was chosen. Four statements."""
    by, later = chosen.by, meanwhile(chosen.period)
    now = _counted(session, actor, by, NOW, halves=_open_halves())
    then = _counted(session, actor, by, later)
    found = {key: [*now.get(key, [0] * len(NOW)), *then.get(key, [0] * len(later))] for key in {**now, **then}}
    names: dict[Any, str] = names_of(session, by, list(found), actor) | {None: _("(empty)")}
    seen = sorted((key for key in found if key in names), key=lambda key: _place(found[key], names[key]))
    shown = seen[:MOST_ROWS]
    longest = max((found[key][0] for key in shown), default=0)
    return {
        "by": by.label,
        "heading": _("Tickets by %(by)s", by=in_sentence(by.label)),
        "columns": [count.label for count in NOW],
        "later": [count.label for count in later],
        "rows": [
            {
                "label": names[key],
                "width": 100 * found[key][0] // longest if longest else 0,
                "numbers": [part_of(c, by, key, n) for c, n in zip((*NOW, *later), found[key], strict=True)],
            }
            for key in shown
        ],
        "most": MOST_ROWS if len(seen) > MOST_ROWS else 0,
        "some_hidden": len(seen) < len(found),
        "months_url": url_for(addresses.endpoint(Ticket, "figures"), by="created_at"),
    }


def _place(numbers: list[int], name: str) -> tuple[int, int, str]:
    return -numbers[0], -numbers[len(NOW)], name.casefold()


def part_of(count: Count, by: Field, key: Any, many: int) -> dict[str, Any]:
    """Return a count of the tickets that point at one thing."""
    return number(Count(count.entity, count.label, (*count.filters, _only(by, key)), count.tone), many)


def _only(by: Field, key: Any) -> str:
    return f"{by.name}:empty:" if key is None else f"{by.name}:in:{key}"


def _of_clocks(period: Period) -> str:
    return period.within("met_at" if period.closed else "started_at")


def promises(session: RecordSession, actor: Actor, period: Period) -> list[dict[str, Any]]:
    """Return how often promises of the time were kept, and how often they were not or are late by now."""
    base, by = (_of_clocks(period),), fields(TicketClock)["kind"]
    kept = Count(TicketClock, _l("Kept"), (*base, "state:in:met"), "good")
    late = Count(TicketClock, _l("Not kept"), (*base, "state:in:late,running", "breached_at:filled:"), "bad")
    found = _counted(session, actor, by, [Count(TicketClock, "", base), kept, late])
    rows = []
    for kind in SlaKind:
        _all, well, badly = found.get(kind, (0, 0, 0))
        if well or badly:
            share = round(Decimal(100 * well) / (well + badly), 1)
            numbers = [part_of(kept, by, kind, well), part_of(late, by, kind, badly)]
            rows.append(
                {"label": kind.label, "numbers": numbers, "share": share, "share_text": f"{show_number(share)} %"}
            )
    return rows


def times(session: RecordSession, actor: Actor, period: Period) -> list[dict[str, Any]] | None:
    """Return by service level how long it took in the time, against what it allows; None for whoever sees no levels.

    A level counts in one unit, so that what is compared is alike: working time, or every hour.
    """
    known = fields(TicketClock)
    if not actor.may(Action.read, SlaPolicy) or "policy" in actor.masked(TicketClock):
        return None
    base = Count(TicketClock, _l("Measured"), (_of_clocks(period), "taken_minutes:filled:"))
    found = spread_by(session, query_of(base, actor), "policy", "taken_minutes")
    policies = session.scalars(sa.select(SlaPolicy).where(SlaPolicy.id.in_(list(found)))).all()
    order = list(SlaKind)
    rows = sorted(policies, key=lambda policy: (order.index(policy.kind), policy.name))
    return [_time(policy, found[policy.id], part_of(base, known["policy"], policy.id, 0)["url"]) for policy in rows]


def _time(policy: SlaPolicy, spread: Spread, url: str) -> dict[str, Any]:
    allowed = policy.target_minutes
    longest = max(spread.ninetieth, allowed or 0, 1)
    days = policy.target_days or 0
    return {
        "label": policy.name,
        "kind": policy.kind.label,
        "unit": policy.clock.label,
        "target": span(allowed) if allowed else ngettext("%(num)s working day", "%(num)s working days", days),
        "median": span(spread.median),
        "ninetieth": span(spread.ninetieth),
        "late": allowed is not None and spread.ninetieth > allowed,
        "count": count_text(Page((), min(spread.count, COUNT_CAP + 1))),
        "url": url,
        "half": 100 * spread.median // longest,
        "most": 100 * spread.ninetieth // longest,
        "mark": 100 * allowed // longest if allowed else None,
    }


def span(minutes: int) -> str:
    """Return a length of time in words."""
    return Minutes().show(minutes)
