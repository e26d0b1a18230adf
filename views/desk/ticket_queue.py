"""The queue of the ticket workspace: what waits for whom, what is late first, then what is due today."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from flask import request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp

from backoffice import clock
from backoffice.access import joined
from backoffice.actors import Actor
from backoffice.database import RecordSession
from backoffice.errors import Text
from backoffice.lifecycles import transitions_open
from backoffice.operations.clocks import PAUSING
from backoffice.operations.ticket_followers import is_followed
from backoffice.records import show
from backoffice.records.pages import COUNT_CAP, Page, find_counts, read_query
from models.catalogue import fields
from models.support_queue import SupportQueue
from models.ticket import OPEN_STATES, Ticket
from models.ticket import TicketState as S
from models.ticket_follower import TicketFollower
from models.ticket_message import TicketMessage
from views import addresses
from views.desk.ticket_batches import KINDS, Batch
from views.desk.ticket_changes import change_columns, change_word
from views.desk.ticket_visits import visits_due
from views.generated.listing import count_text

#: Tickets shown at once; the list has them all.
SIZE = 60


@dataclass(frozen=True)
class Part:
    """One part of the queue: its name in addresses, what people call it, and the filters of its tickets."""

    name: str
    label: Text
    filters: tuple[str, ...]
    empty: Text


_OPEN = "state:in:" + ",".join(OPEN_STATES)
PARTS = (
    Part("mine", _lp("tickets", "Mine"), ("assignee:in:{me}", _OPEN), _l("No open ticket is entrusted to you.")),
    Part("free", _lp("tickets", "Unassigned"), ("assignee:empty:", _OPEN), _l("Every open ticket has somebody.")),
    Part("followed", _lp("tickets", "Followed"), (_OPEN,), _l("You follow no open ticket.")),
    Part("all", _lp("tickets", "All"), (_OPEN,), _l("There is no open ticket.")),
    Part(
        "closing",
        _lp("tickets", "Just closed"),
        (f"state:in:{S.closed_provisional}",),
        _l("No ticket waits for the end of its window."),
    ),
)


def queue(
    session: RecordSession, actor: Actor, *, current: int | None = None, beside: list[str] | None = None
) -> dict[str, Any]:
    """Return what ``_ticket_queue.html`` shows: the parts with their numbers, and the rows of the chosen one.

    ``beside``: filters whose tickets are counted too, in the same statement.
    """
    part, chosen = _chosen(), _chosen_queue()
    counted = [p for p in PARTS if p.name != "followed"]
    wanted = [_filters(p, actor, chosen) for p in counted] + ([beside] if beside else [])
    queries = [read_query(Ticket, actor, filters=filters) for filters in wanted]
    besides = (_count_followed(actor, chosen), *_in_hand(current or 0, actor), *change_columns(actor.group_id))
    found: list[Any] = find_counts(session, queries, beside=besides)
    counts, (followed, *hand), instants = found[: len(wanted)], found[len(wanted) : -2], found[-2:]
    numbers = {p.name: count for p, count in zip(counted, counts, strict=False)} | {"followed": followed}
    rows = _rows(session, part, actor, chosen)
    # With a ticket in hand its own page says so, and the page has statements enough.
    visits = visits_due(session, rows[:SIZE], actor) if current is None else {}
    shown = [(_row(row, actor, current) | {"visit": visits.get(row.id)}, row) for row in rows[:SIZE]]
    return {
        "parts": [_tab(p, p is part, numbers[p.name]) for p in PARTS],
        "beside": counts[-1] if beside else 0,
        # With a ticket in hand the queue stays as it was chosen.
        "queues": _queues(session, chosen) if current is None else [],
        "queue": chosen,
        "since": change_word(instants),
        # What the ticket in hand is like now, so that the page knows whether it shows an older one.
        "hand": "{}.{}".format(*hand[1:]) if current else "",
        "is_followed": bool(hand[0]),
        "next": _next(rows, actor),
        "bulk": [_step(kind) for kind in KINDS.values() if kind.is_open(actor)],
        "may_take": KINDS["assign"].is_open(actor),
        "show": part.name,
        "sections": _sections(shown),
        "empty": part.empty,
        "all_url": _list_url(part, actor, chosen) if len(rows) > SIZE else None,
    }


def _in_hand(key: int, actor: Actor) -> tuple[Any, ...]:
    """Build whether the actor follows a ticket, its version, and the key of its last message."""
    said = sa.select(sa.func.max(TicketMessage.id)).where(TicketMessage.ticket_id == key)
    version = sa.select(Ticket.version).where(Ticket.id == key)
    return is_followed(key, actor), version.scalar_subquery(), said.scalar_subquery()


def _count_followed(actor: Actor, chosen: int | None) -> sa.ScalarSelect[int]:
    """Build the number of open tickets that the actor follows, counted as far as the others."""
    one = sa.select(sa.literal(1).label("one")).select_from(Ticket).where(*_followed_by(actor))
    one = one.where(Ticket.state.in_(OPEN_STATES), *([Ticket.queue_id == chosen] if chosen else []))
    return sa.select(sa.func.count()).select_from(one.limit(COUNT_CAP + 1).subquery()).scalar_subquery()


def _followed_by(actor: Actor) -> list[Any]:
    mine = sa.select(TicketFollower.ticket_id).where(TicketFollower.staff_id == actor.staff_id)
    return [Ticket.id.in_(mine)]


def _list_url(part: Part, actor: Actor, chosen: int | None) -> str:
    if part.name == "followed":
        return addresses.list_url(TicketFollower, f=[f"staff:in:{actor.staff_id}"])
    return addresses.list_url(Ticket, f=_filters(part, actor, chosen))


def _next(rows: list[Ticket], actor: Actor) -> dict[str, str] | None:
    """Return what is to be done next: the usual step of the first ticket that has one and does not wait."""
    for row in rows:
        step = next((found for found in transitions_open(row, actor) if found.tone == "primary"), None)
        if step is not None and row.state not in PAUSING:
            url = url_for("TicketView.do", pk=row.id, verb=step.name, **kept()) + "#next"
            return {"label": str(step.label), "icon": step.icon, "number": row.number, "url": url}
    return None


def _step(kind: type[Batch]) -> dict[str, str]:
    url = url_for("TicketBulkView.step", name=kind.name, **kept())
    return {"label": kind.label(), "icon": kind.icon, "url": url}


def kept() -> dict[str, Any]:
    """Return how the queue is filtered, as addresses within the workspace carry it along."""
    return {name: value for name, value in request.args.items() if name in ("show", "queue")}


def _chosen() -> Part:
    wanted = request.args.get("show", "")
    return next((part for part in PARTS if part.name == wanted), PARTS[0])


def _chosen_queue() -> int | None:
    wanted = request.args.get("queue", "")
    return int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 10 else None


def _filters(part: Part, actor: Actor, chosen: int | None) -> list[str]:
    found = [text.replace("{me}", str(actor.staff_id or 0)) for text in part.filters]
    return [*found, *([f"queue:in:{chosen}"] if chosen else [])]


def _rows(session: RecordSession, part: Part, actor: Actor, chosen: int | None) -> list[Ticket]:
    """Return the tickets of one part by when they are due, then those without a due time, the oldest first.

    In two statements, so that each walks a partial index in its order; their conditions are written out for it.
    """
    states = [S.closed_provisional] if part.name == "closing" else list(OPEN_STATES)
    is_open = Ticket.state.in_(sa.bindparam("states", states, expanding=True, literal_execute=True))
    found = sa.select(Ticket).where(is_open).options(*joined(session, Ticket.company, Ticket.assignee))
    if part.name == "mine":
        found = found.where(Ticket.assignee_id == actor.staff_id)
    if part.name == "followed":
        found = found.where(*_followed_by(actor))
    if part.name == "free":
        found = found.where(Ticket.assignee_id.is_(None))
    if chosen:
        found = found.where(Ticket.queue_id == chosen)
    due = found.where(Ticket.due_at.is_not(None)).order_by(Ticket.due_at, Ticket.id).limit(SIZE + 1)
    rows = list(session.scalars(due))
    if len(rows) <= SIZE:
        rest = found.where(Ticket.due_at.is_(None)).order_by(Ticket.id).limit(SIZE + 1 - len(rows))
        rows += session.scalars(rest)
    return rows


def _sections(shown: list[tuple[dict[str, Any], Ticket]]) -> list[dict[str, Any]]:
    now = clock.now()
    tonight = (now.astimezone(clock.ROME) + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in ("late", "today", "later", "waiting")}
    for row, ticket in shown:
        if ticket.state in PAUSING:
            found["waiting"].append(row)
        elif ticket.due_at is None or ticket.due_at >= tonight:
            found["later"].append(row)
        else:
            found["late" if ticket.due_at < now else "today"].append(row)
    words = {
        "late": (_("Late"), "bad", "exclamation-circle-fill"),
        "today": (_("Today"), "neutral", "clock"),
        "later": (_("Later"), "neutral", "calendar3"),
        "waiting": (_("Paused"), "neutral", "pause-circle"),
    }
    return [
        {"title": words[name][0], "tone": words[name][1], "icon": words[name][2], "rows": rows}
        for name, rows in found.items()
    ]


def _row(record: Ticket, actor: Actor, current: int | None) -> dict[str, Any]:
    known = fields(Ticket)
    return {
        "key": record.id,
        "url": url_for("TicketView.show", pk=record.id, **kept()),
        "title": record.subject,
        "number": record.number,
        "company": show.cell(record, known["company"], actor).text or _("Company not known yet"),
        "state": show.cell(record, known["state"], actor),
        "due": show.cell(record, known["due_at"], actor),
        "priority": show.cell(record, known["priority"], actor),
        "is_urgent": record.priority in ("high", "emergency"),
        "paused": record.state in PAUSING,
        "assignee": str(record.assignee) if record.assignee is not None else None,
        "reminders": record.reminder_count,
        "current": record.id == current,
    }


def _tab(part: Part, current: bool, count: int) -> dict[str, Any]:
    url = url_for("TicketView.list", **(kept() | {"show": part.name}))
    return {"label": part.label, "count": count_text(Page((), count)), "url": url, "current": current}


def _queues(session: RecordSession, chosen: int | None) -> list[dict[str, Any]]:
    """Return the queues in use, where there is more than one to choose from."""
    wanted = sa.select(SupportQueue.id, SupportQueue.code, SupportQueue.name).where(SupportQueue.active)
    rows = session.execute(wanted.order_by(SupportQueue.code)).all()
    return [{"key": key, "label": f"{code} {name}", "current": key == chosen} for key, code, name in rows]
