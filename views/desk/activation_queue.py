"""The queue of the activation workspace: what waits for whom, the oldest and late first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy.orm import selectinload

from backoffice.access import joined
from backoffice.actors import Action, Actor
from backoffice.database import RecordSession
from backoffice.errors import Text
from backoffice.records import show
from backoffice.records.pages import Page, find_counts, read_query
from models.activation_request import ActivationRequest
from models.activation_request import RequestState as S
from models.activation_request_item import ActivationRequestItem
from models.catalogue import fields
from views import addresses
from views.generated.listing import count_text

#: Requests shown at once; the list has them all.
SIZE = 40


@dataclass(frozen=True)
class Part:
    """One part of the queue: its name in addresses, what people call it, and the states it holds."""

    name: str
    label: Text
    states: tuple[S, ...]
    empty: Text

    @property
    def filter(self) -> str:
        return "state:in:" + ",".join(self.states)


PARTS = (
    Part(
        "evaluate",
        _lp("requests", "To evaluate"),
        (S.received, S.in_evaluation, S.bu_evaluation),
        _l("No request waits to be evaluated."),
    ),
    Part(
        "waiting",
        _lp("requests", "With the client"),
        (S.info_requested, S.awaiting_acceptance),
        _l("No client has to answer a question or a proposal."),
    ),
    Part(
        "finish",
        _lp("requests", "To finish"),
        (S.decided, S.fulfilled, S.withdrawn),
        _l("Nothing decided waits to be fulfilled or answered."),
    ),
    Part("answered", _lp("requests", "Answered"), (S.answered, S.closed), _l("No request has been answered yet.")),
)


def queue(session: RecordSession, actor: Actor, *, current: int | None = None) -> dict[str, Any]:
    """Return what ``_activation_queue.html`` shows: the parts with their numbers, and the rows of the chosen one."""
    part, mine = _chosen(), request.args.get("mine") == "1"
    counts = find_counts(
        session, [read_query(ActivationRequest, actor, filters=_filters(p, actor, mine)) for p in PARTS]
    )
    rows = session.scalars(_statement(session, part, actor, mine)).all()
    shown = [_row(row, actor, current) for row in rows[:SIZE]]
    late = [row for row in shown if row["late"]]
    rest = [row for row in shown if not row["late"]]
    return {
        "parts": [_tab(p, p is part, count, mine) for p, count in zip(PARTS, counts, strict=True)],
        "mine": {"url": _url(part, not mine), "current": mine},
        "new_url": addresses.add_url(ActivationRequest) if actor.may(Action.create, ActivationRequest) else None,
        "sections": [
            {"title": _("Late"), "tone": "bad", "rows": late},
            {"title": _("On time") if late and part.name != "answered" else "", "tone": "neutral", "rows": rest},
        ],
        "empty": part.empty,
        "all_url": addresses.list_url(ActivationRequest, f=_filters(part, actor, mine)) if len(rows) > SIZE else None,
    }


def kept() -> dict[str, Any]:
    """Return how the queue is filtered, as addresses within the workspace carry it along."""
    return {name: value for name, value in request.args.items() if name in ("show", "mine")}


def _chosen() -> Part:
    wanted = request.args.get("show", "")
    return next((part for part in PARTS if part.name == wanted), PARTS[0])


def _filters(part: Part, actor: Actor, mine: bool) -> list[str]:
    return [part.filter, *([f"assignee:in:{actor.staff_id}"] if mine and actor.staff_id else [])]


def _statement(session: RecordSession, part: Part, actor: Actor, mine: bool) -> sa.Select[Any]:
    """Build the query of one part: by the day an answer is due, those answered by when they came in."""
    table = ActivationRequest
    order: tuple[Any, ...] = (table.answer_by.is_(None), table.answer_by, table.id)
    if part.name == "answered":
        order = (table.created_at.desc(), table.id.desc())
    found = sa.select(table).where(table.state.in_(part.states)).order_by(*order).limit(SIZE + 1)
    found = found.options(selectinload(table.items).options(*joined(session, ActivationRequestItem.online_service)))
    return found.where(table.assignee_id == actor.staff_id) if mine else found


def _row(record: ActivationRequest, actor: Actor, current: int | None) -> dict[str, Any]:
    due = show.cell(record, fields(ActivationRequest)["answer_by"], actor)
    return {
        "url": url_for("ActivationView.show", pk=record.id, **kept()),
        "title": record.company_name or record.number,
        "number": record.number,
        "services": ", ".join(item.online_service.code for item in record.items) or str(record.kind.label),
        "state": show.cell(record, fields(ActivationRequest)["state"], actor),
        "due": due,
        "late": due.due == "late",
        "current": record.id == current,
    }


def _tab(part: Part, current: bool, count: int, mine: bool) -> dict[str, Any]:
    text = count_text(Page((), count))
    return {"label": part.label, "count": text, "url": _url(part, mine), "current": current}


def _url(part: Part, mine: bool) -> str:
    return url_for("ActivationView.list", show=part.name, mine="1" if mine else None)
