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
from sqlalchemy.orm import joinedload

from backoffice import clock
from backoffice.actors import Actor
from backoffice.database import RecordSession
from backoffice.errors import Text
from backoffice.operations.clocks import PAUSING
from backoffice.records import show
from backoffice.records.pages import Page, find_counts, read_query
from models.catalogue import fields
from models.support_queue import SupportQueue
from models.ticket import OPEN_STATES, Ticket
from models.ticket import TicketState as S
from views import addresses
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
    wanted = [_filters(p, actor, chosen) for p in PARTS] + ([beside] if beside else [])
    changes = change_columns(actor.group_id)
    queries = [read_query(Ticket, actor, filters=filters) for filters in wanted]
    found: list[Any] = find_counts(session, queries, beside=changes)
    counts, instants = found[: len(wanted)], found[len(wanted) :]
    rows = _rows(session, part, actor, chosen)
    # With a ticket in hand its own page says so, and the page has statements enough.
    visits = visits_due(session, rows[:SIZE], actor) if current is None else {}
    shown = [(_row(row, actor, current) | {"visit": visits.get(row.id)}, row) for row in rows[:SIZE]]
    return {
        "parts": [_tab(p, p is part, count) for p, count in zip(PARTS, counts, strict=False)],
        "beside": counts[-1] if beside else 0,
        # With a ticket in hand the queue stays as it was chosen.
        "queues": _queues(session, chosen) if current is None else [],
        "queue": chosen,
        "since": change_word(instants),
        "show": part.name,
        "sections": _sections(shown),
        "empty": part.empty,
        "all_url": addresses.list_url(Ticket, f=_filters(part, actor, chosen)) if len(rows) > SIZE else None,
    }


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
    found = sa.select(Ticket).where(is_open).options(joinedload(Ticket.company), joinedload(Ticket.assignee))
    if part.name == "mine":
        found = found.where(Ticket.assignee_id == actor.staff_id)
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
