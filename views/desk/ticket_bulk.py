"""Several tickets at once: chosen in the queue, asked once, confirmed, and reported one by one (TK-12).

Each ticket is a transaction of its own, by the verb and the rules it has alone: one that fails stops no other. What
was seen of each goes along from the first page, so that a step sent twice finds every ticket changed and does nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from backoffice.access import joined
from backoffice.database import UNREACHABLE, RecordSession, refusal_of
from backoffice.errors import DomainError, Forbidden, NotFound
from backoffice.operations.ticket_batches import ChangedMeanwhile, entrust, look_at, take
from backoffice.records import show
from backoffice.records.lookup import get_record, parse_key
from backoffice.setting_keys import BULK_TICKETS
from backoffice.settings import setting_value
from models.catalogue import fields
from models.ticket import Ticket
from views import interrupted
from views.desk.ticket_batches import KINDS, Batch, said
from views.desk.ticket_entry import refused
from views.desk.ticket_queue import kept
from views.door import commit, current_actor, current_session, fresh_session, read_again
from views.frame import set_place

#: Never more, whatever the setting says: the queue shows no more at once.
_MOST_SENT = 200
#: What the form carries beside the values of the step.
_OWN = ("csrf_token", "group", "step", "key", "resumed")


class TooMany(DomainError):
    template = _l("At most %(most)s tickets in one step: untick some.")


@dataclass
class Outcome:
    """What became of one ticket."""

    key: str
    number: str
    title: str
    problem: str = ""


class TicketBulkView(BaseView):
    """One step for several tickets."""

    route_base = "/support/bulk"
    default_view = "step"

    @expose("/<name>", methods=["GET", "POST"])
    def step(self, name: str) -> Any:
        """Ask what the step needs, show what it will do, do it: as the form says how far one is."""
        if (answer := refused()) is not None:
            return answer
        kind = KINDS.get(name)
        if kind is None:
            raise NotFound
        if not kind.is_open(current_actor()):
            raise Forbidden
        keys = _keys()
        if request.method != "POST" or not keys:
            flash(_("Tick the tickets first."), "wait")
            return redirect(url_for("TicketView.list", **kept()), 303)
        step = "" if interrupted.resumed() else request.form.get("step", "")
        return _report(kind, keys) if step == "do" else _page(kind, keys, step)

    @expose("/take", methods=["POST"])
    def take(self) -> Any:
        """Entrust the ticked tickets to oneself, in the state they are in; say how many, and why not the others."""
        if (answer := refused()) is not None:
            return answer
        if interrupted.resumed():  # the queue may be another one by now
            return redirect(url_for("TicketView.list", **kept()), 303)
        actor = current_actor()
        values = {"assignee": actor.staff_id}
        outcomes = _each(_keys(), lambda session, ticket: entrust(session, ticket, values, actor=actor))
        failed = [outcome for outcome in outcomes if outcome.problem]
        done = len(outcomes) - len(failed)
        flash(_("Entrusted to you: %(count)s.", count=done), "good" if done else "wait")
        for outcome in failed[:10]:
            flash(f"{outcome.number}: {outcome.problem}", "bad")
        return redirect(url_for("TicketView.list", **kept()), 303)


def _keys() -> list[str]:
    return list(dict.fromkeys(request.form.getlist("key")))[:_MOST_SENT]


def _each(keys: Sequence[str], act: Callable[[RecordSession, Ticket], None]) -> list[Outcome]:
    """Do something to each ticket in a transaction of its own; what fails is kept with the reason."""
    found = []
    for key in keys:
        outcome = Outcome(key, f"#{key[:10]}", "")
        found.append(outcome)
        try:
            ticket: Ticket = get_record(current_session(), Ticket, key)
            outcome.number, outcome.title = ticket.number, ticket.subject
            act(current_session(), ticket)
            commit()
        except DomainError as error:
            outcome.problem = said(error)
            fresh_session()
        except UNREACHABLE as error:
            outcome.problem = str(refusal_of(error))
            fresh_session()
    return found


def _report(kind: type[Batch], keys: list[str]) -> Any:
    """Do it, and say of each ticket what was done or why not."""
    batch = kind(current_session(), current_actor())
    try:
        values = batch.values()
        _require_few(keys)
    except DomainError:
        return _page(kind, keys, "check")

    def act(session: RecordSession, ticket: Ticket) -> None:
        take(session, ticket, request.form.get(f"seen-{ticket.id}", ""))
        batch.act(session, ticket, values)

    outcomes = _each(keys, act)
    read_again()
    failed = [outcome for outcome in outcomes if outcome.problem]
    page = _around(kind) | {
        "step": "report",
        "outcomes": [_told(outcome) for outcome in outcomes],
        "done": len(outcomes) - len(failed),
        "failed": len(failed),
        "again": [outcome.key for outcome in failed],
        "carried": _carried(),
    }
    return render_template("ticket_bulk.html", page=page)


def _told(outcome: Outcome) -> dict[str, Any]:
    key = parse_key(outcome.key)
    return {
        "number": outcome.number,
        "title": outcome.title,
        "problem": outcome.problem,
        "url": url_for("TicketView.show", pk=key) if outcome.title and key else None,
    }


def _page(kind: type[Batch], keys: list[str], step: str) -> Any:
    """Show the form of the step or, where all it asks for is there, what it will do."""
    session = current_session()
    batch, tickets = kind(session, current_actor()), _tickets(session, keys)
    problem: DomainError | None = None
    values: dict[str, Any] = {}
    try:
        _require_few(keys)
        if step == "check":
            values = batch.values()
    except DomainError as error:
        problem = error
    checks = step == "check" and problem is None
    rows = _rows(batch, tickets, values if checks else None)
    page = _around(kind) | {
        "step": "check" if checks else "form",
        "problem": str(problem) if problem is not None else None,
        "rows": rows,
        "carried": _carried() if checks else [],
        "form": batch.form(tickets),
        "count": sum(not row["problem"] for row in rows),
        "missing": len(keys) - len(tickets),
    }
    page["question"] = batch.question(page["count"])
    return render_template("ticket_bulk.html", page=page), problem.status if problem is not None else 200


def _require_few(keys: Sequence[str]) -> None:
    most = setting_value(current_session(), BULK_TICKETS, current_actor().group_id)
    if len(keys) > most:
        raise TooMany(most=most)


def _tickets(session: RecordSession, keys: Sequence[str]) -> list[Ticket]:
    """Return those of the chosen tickets that are there for the actor, in the order of the choice. One statement."""
    wanted = [key for key in map(parse_key, keys) if key is not None]
    related = (Ticket.queue, Ticket.company, Ticket.contact, Ticket.request_type, Ticket.assignee)
    statement = sa.select(Ticket).where(Ticket.id.in_(wanted)).options(*joined(session, *related))
    found = {ticket.id: ticket for ticket in session.scalars(statement)}
    return [found[key] for key in wanted if key in found]


def _rows(batch: Batch, tickets: Sequence[Ticket], values: dict[str, Any] | None) -> list[dict[str, Any]]:
    """Return the tickets as the page shows them; with ``values``, what will become of each."""
    actor, known = current_actor(), fields(Ticket)
    now = look_at(current_session(), tickets)
    foreseen = batch.foresee(tickets, values) if values is not None else {}
    rows = []
    for ticket in tickets:
        seen = request.form.get(f"seen-{ticket.id}") or str(now[ticket.id])
        problem = ChangedMeanwhile() if seen != str(now[ticket.id]) else foreseen.get(ticket.id)
        rows.append(
            {
                "key": ticket.id,
                "seen": seen,
                "number": ticket.number,
                "title": ticket.subject,
                "url": url_for("TicketView.show", pk=ticket.id),
                "company": show.cell(ticket, known["company"], actor).text or _("Company not known yet"),
                "state": show.cell(ticket, known["state"], actor),
                "to": show.cell(ticket, known["contact"], actor),
                "problem": said(problem) if problem is not None else "",
                "preview": batch.preview(ticket, values) if values is not None and problem is None else "",
            }
        )
    return rows


def _carried() -> list[tuple[str, str]]:
    """Return what was typed into the step, to be sent along with its confirmation."""
    pairs = request.form.items(multi=True)
    return [(name, text) for name, text in pairs if name not in _OWN and not name.startswith("seen-")]


def _around(kind: type[Batch]) -> dict[str, Any]:
    set_place(kind.label(), "")
    return {
        "title": kind.label(),
        "icon": kind.icon,
        "action": url_for("TicketBulkView.step", name=kind.name, **kept()),
        "back_url": url_for("TicketView.list", **kept()),
    }
