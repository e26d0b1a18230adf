"""How assistance stands: what is open and late, which promises were kept, what hours are left, what lateness costs.

Every number is a count of rows that the list behind its link shows, within the reader's row scope. There is no figure
for a person: whoever works is not measured here (art. 4 L. 300/1970).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import render_template
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from flask_login import current_user

from backoffice.actors import Action, Actor
from backoffice.database import RecordSession
from backoffice.errors import Forbidden, Text
from backoffice.records.pages import COUNT_CAP, Page, find_counts, read_query
from models.base import Category, Recorded
from models.penalty import Penalty
from models.sla_policy import SlaKind
from models.support_package import PackageState, SupportPackage
from models.support_queue import SupportQueue
from models.ticket import OPEN_STATES, Ticket
from models.ticket import TicketState as S
from models.ticket_clock import TicketClock
from models.values import Minutes
from views import addresses, interrupted
from views.door import current_actor, current_session
from views.frame import OwnPage, add_page
from views.generated.guarding import require_same_group
from views.generated.listing import count_text

#: Promises made in so many days are looked at.
DAYS = 90
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


#: What is counted of the tickets of each queue, too.
COLUMNS = (
    Count(Ticket, _lp("tickets", "Open"), (_OPEN,)),
    Count(Ticket, _lp("tickets", "Late"), ("due_at:past:", _AT_WORK), "bad"),
    Count(Ticket, _lp("tickets", "Unassigned"), ("assignee:empty:", _OPEN), "wait"),
    Count(Ticket, _l("Waiting for the client"), (f"state:in:{S.waiting_customer}",)),
    Count(Ticket, _l("Waiting for a package"), (f"state:in:{S.waiting_package}",)),
    Count(Ticket, _lp("tickets", "Reopened"), (f"state:in:{S.reopened}",), "wait"),
)
ONES = (
    Count(Penalty, _l("Penalties to decide on"), ("state:in:proposed",), "wait"),
    Count(Penalty, _l("Penalties confirmed"), ("state:in:confirmed",), "bad"),
    Count(SupportPackage, _l("Packages in use"), (f"state:in:{PackageState.active}",)),
    Count(SupportPackage, _l("Packages used up"), (f"state:in:{PackageState.exhausted}",)),
)
_KEPT, _LATE = ("state:in:met",), ("state:in:late,running", "breached_at:filled:")


def promises(kind: SlaKind) -> tuple[Count, Count]:
    """Return how often a promise of the last days was kept, and how often it was not or is late by now."""
    made = (f"kind:in:{kind}", f"created_at:last:{DAYS}")
    return Count(TicketClock, _l("Kept"), (*made, *_KEPT), "good"), Count(
        TicketClock, _l("Not kept"), (*made, *_LATE), "bad"
    )


def may_look(actor: Actor) -> bool:
    """Say whether somebody sees how assistance stands."""
    return actor.may(Action.read, Ticket)


class SupportFiguresView(BaseView):
    """Numbers of tickets, promises, hours and penalties."""

    route_base = "/support-figures"
    default_view = "show"

    @expose("/")
    def show(self) -> Any:
        """Show all numbers, counted in one statement."""
        if not current_user.is_authenticated:
            return interrupted.sign_in_first()
        if not may_look(current_actor()):
            raise Forbidden
        require_same_group()
        return render_template("support_figures.html", page=_page(current_session(), current_actor()))


def _page(session: RecordSession, actor: Actor) -> dict[str, Any]:
    queues = session.execute(
        sa.select(SupportQueue.id, SupportQueue.code, SupportQueue.name)
        .where(SupportQueue.active)
        .order_by(SupportQueue.code)
    ).all()
    ones = [count for count in ONES if actor.may(Action.read, count.entity)]
    pairs = [promises(kind) for kind in SlaKind]
    of_queues = [
        [Count(Ticket, c.label, (*c.filters, f"queue:in:{key}"), c.tone) for c in COLUMNS]
        for key, _code, _name in queues
    ]
    asked = [*COLUMNS, *ones, *(count for pair in pairs for count in pair), *(c for row in of_queues for c in row)]
    found = find_counts(session, [read_query(count.entity, actor, filters=list(count.filters)) for count in asked])
    numbers = iter([_number(count, number) for count, number in zip(asked, found, strict=True)])
    tiles = [next(numbers) for _count in (*COLUMNS, *ones)]
    kept = [_promise(kind, next(numbers), next(numbers)) for kind in SlaKind]
    rows: list[tuple[str, list[dict[str, Any]]]] = [
        (f"{code} {name}", [next(numbers) for _count in COLUMNS]) for _key, code, name in queues
    ]
    longest = max([row[0]["count"] for _name, row in rows], default=0)
    return {
        "tiles": tiles,
        "promises": [row for row in kept if row["kept"]["count"] or row["late"]["count"]],
        "days": DAYS,
        "columns": [count.label for count in COLUMNS],
        "queues": [
            {"label": name, "numbers": row, "width": 100 * row[0]["count"] // longest if longest else 0}
            for name, row in rows
        ],
        "hours": _hours(session, actor),
    }


def _number(count: Count, number: int) -> dict[str, Any]:
    return {
        "label": count.label,
        "count": number,
        "text": count_text(Page((), number)) if number <= COUNT_CAP else f"{COUNT_CAP}+",
        "url": addresses.list_url(count.entity, f=list(count.filters)),
        "tone": count.tone if number else "none",
        "icon": count.entity.__admin__.icon,
    }


def _promise(kind: SlaKind, kept: dict[str, Any], late: dict[str, Any]) -> dict[str, Any]:
    whole = kept["count"] + late["count"]
    return {"label": kind.label, "kept": kept, "late": late, "share": 100 * kept["count"] // whole if whole else 0}


def _hours(session: RecordSession, actor: Actor) -> dict[str, Any] | None:
    """Return the hours sold, used and left of the packages in use, for those who may see them."""
    if not actor.may(Action.read, SupportPackage):
        return None
    bought, left = SupportPackage.purchased_minutes, SupportPackage.residual_minutes
    wanted = sa.select(sa.func.coalesce(sa.func.sum(bought), 0), sa.func.coalesce(sa.func.sum(left), 0))
    sold, rest = session.execute(wanted.where(SupportPackage.state == PackageState.active)).one()
    return {
        "rows": [
            (_("Sold"), Minutes().show(sold)),
            (_("Used"), Minutes().show(sold - rest)),
            (_("Left"), Minutes().show(rest)),
        ],
        "sold": sold,
        "used": sold - rest,
        "url": addresses.list_url(SupportPackage, f=f"state:in:{PackageState.active}"),
    }


add_page(
    OwnPage("support-figures", _l("How assistance stands"), "bar-chart", "SupportFiguresView.show", may_look,
            Category.support, rank=2)
)  # fmt: skip
