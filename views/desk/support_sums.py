"""The parts of the page of figures that add up: hours of packages, penalties, work outside service hours.

All sums are one statement; beside each stands how many rows it is made of, with the list of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp

from backoffice.actors import Action, Actor, ScopeKind
from backoffice.database import RecordSession
from backoffice.records.breakdowns import Sum, find_sums
from models.catalogue import fields
from models.package_movement import MovementKind, PackageMovement
from models.penalty import Penalty, PenaltyState
from models.support_package import PackageState, SupportPackage
from models.time_entry import TimeEntry
from views.desk.support_choices import Period
from views.desk.support_sections import Count, number, query_of, span

_WORDS = {
    MovementKind.purchase: _lp("hours", "Sold"),
    MovementKind.opening: _lp("hours", "Taken over"),
    MovementKind.charge: _lp("hours", "Used"),
    MovementKind.correction: _lp("hours", "Corrected"),
}
_LEFT = Count(SupportPackage, _l("Left in packages in use"), (f"state:in:{PackageState.active}",))


def sums(session: RecordSession, actor: Actor, period: Period) -> dict[str, Any]:
    """Return hours, penalties and work outside service hours of a time; None in place of what somebody may not see.

    Whoever sees their own time entries only is shown no sum of them: it would be the figure of one person.
    """
    in_time = period.within("created_at")
    moves = [Count(PackageMovement, word, (f"kind:in:{kind}", in_time)) for kind, word in _WORDS.items()]
    cases = [Count(Penalty, state.label, (f"state:in:{state}", in_time)) for state in PenaltyState]
    outside = Count(TimeEntry, _("Entries"), (period.within("day"), "outside_minutes:min:1"))
    sees_hours = actor.may(Action.read, PackageMovement) and actor.may(Action.read, SupportPackage)
    sees_penalties = actor.may(Action.read, Penalty)
    sees_work = bool(actor.scopes(Action.read, TimeEntry) - {ScopeKind.own})
    asked = [(count, "minutes") for count in moves if sees_hours]
    asked += [(_LEFT, "residual_minutes")] if sees_hours else []
    asked += [(count, "amount") for count in cases if sees_penalties]
    asked += [(outside, "outside_minutes")] if sees_work else []
    found = iter(find_sums(session, [(query_of(count, actor), of) for count, of in asked]))
    return {
        "hours": _hours(moves, found) if sees_hours else None,
        "penalties": _penalties(cases, found, actor) if sees_penalties else None,
        "outside": _row(outside, next(found)) if sees_work else None,
    }


def _hours(moves: list[Count], found: Iterator[Sum]) -> dict[str, Any]:
    ledger = {kind: next(found) for kind in _WORDS}
    rows = []
    for count, (kind, sum_) in zip(moves, ledger.items(), strict=True):
        if sum_.count or kind in (MovementKind.purchase, MovementKind.charge):
            # What was used is taken from a package: people read it without the sign.
            rows.append(
                _row(count, Sum(sum_.count, -(sum_.total or Decimal(0))) if kind is MovementKind.charge else sum_)
            )
    rows.append(_row(_LEFT, next(found)))
    sold, used = (abs(int(ledger[kind].total or 0)) for kind in (MovementKind.purchase, MovementKind.charge))
    return {"rows": rows, "sold": sold, "used": used}


def _row(count: Count, sum_: Sum) -> dict[str, Any]:
    return {"label": count.label, "text": span(int(sum_.total or 0)), "number": number(count, sum_.count)}


def _penalties(cases: list[Count], found: Iterator[Sum], actor: Actor) -> list[dict[str, Any]]:
    each, amount = [next(found) for _case in cases], fields(Penalty)["amount"]
    most, is_masked = max(sum_.count for sum_ in each), amount.name in actor.masked(Penalty)
    return [
        {
            "label": count.label,
            "text": "–" if sum_.total is None or is_masked else amount.show(sum_.total),
            "number": number(count, sum_.count),
            "width": 100 * sum_.count // most if most else 0,
        }
        for count, sum_ in zip(cases, each, strict=True)
    ]
