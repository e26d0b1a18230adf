"""Before staff open a ticket on somebody's behalf: open ones of the client that it may be about (TK-01).

One of them takes what was typed as a message of the client's, instead of a second ticket about the same thing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import flash, redirect, request, url_for
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _

from backoffice.actors import Action, Actor
from backoffice.database import RecordSession
from backoffice.errors import DomainError
from backoffice.operations.cleaning import clean_value
from backoffice.operations.similar_tickets import Asked, find_similar
from backoffice.operations.ticket_talk import add_request
from backoffice.records import show
from backoffice.records.lookup import get_record
from models.catalogue import fields
from models.reading import BadValue
from models.ticket import Ticket
from models.ticket_message import TicketMessage
from views import addresses
from views.desk.ticket_entry import may_work, refused
from views.door import commit, current_actor, current_session
from views.generated.pages import set_question


class TicketOpeningView(BaseView):
    """What was typed for a new ticket, added to an open one."""

    route_base = "/support/join"
    default_view = "join"

    @expose("/<pk>", methods=["POST"])
    def join(self, pk: str) -> Any:
        """Add what the client said to the ticket it is about; nothing of it is lost."""
        if (answer := refused(readers=True)) is not None:
            return answer
        session, actor = current_session(), current_actor()
        ticket: Ticket = get_record(session, Ticket, pk)
        subject, text = (request.form.get(name, "").strip() for name in ("subject", "description"))
        add_request(session, ticket, f"{subject}\n\n{text}".strip(), request.form.get("channel", ""), actor=actor)
        back = url_for("TicketView.show", pk=ticket.id) if may_work(actor) else addresses.record_url(ticket)
        told = _("The message is added to %(number)s.", number=ticket.number)
        commit()
        flash(told, "good")
        return redirect(back, 303)


def _ask(sent: Mapping[str, str], actor: Actor, session: RecordSession) -> dict[str, Any] | None:
    """Return the open tickets of the client that the one in the form may be about."""
    chosen = {name: _related(sent, name, session) for name in ("company", "contact", "contract", "service", "asset")}
    company = chosen["company"] or next(
        (row.company for row in (chosen["contract"], chosen["contact"], chosen["asset"]) if row is not None), None
    )
    asked = Asked(
        company.id if company is not None else None,
        sent.get("subject", ""),
        service_id=chosen["service"].id if chosen["service"] is not None else None,
        asset_id=chosen["asset"].id if chosen["asset"] is not None else None,
        place=sent.get("affected_system", "") or sent.get("place_code", ""),
    )
    rows = [_row(ticket, actor) for ticket in find_similar(session, asked)]
    return {"text": _("Is it one of the client’s open tickets?"), "rows": rows} if rows else None


def _related(sent: Mapping[str, str], name: str, session: RecordSession) -> Any:
    """Return the row chosen in a field of the form; what cannot be understood is told when it is saved."""
    raw = sent.get(name, "") or sent.get(f"{name}-text", "")
    try:
        return clean_value(session, fields(Ticket)[name], int(raw) if raw.isascii() and raw.isdigit() else raw)
    except (BadValue, DomainError):
        return None


def _row(ticket: Ticket, actor: Actor) -> dict[str, Any]:
    known = fields(Ticket)
    told = [show.cell(ticket, known[name], actor).text for name in ("subject", "state", "created_at")]
    may_add = actor.may(Action.create, TicketMessage)
    return {
        "label": ticket.number,
        "url": addresses.record_url(ticket),
        "detail": " · ".join(text for text in told if text),
        "action": url_for("TicketOpeningView.join", pk=ticket.id) if may_add else None,
        "action_label": _("Add the message there"),
    }


set_question(Ticket, _ask)
