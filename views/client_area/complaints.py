"""Complaining in the client area, about one ticket or about us as a whole (TK-27)."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from backoffice.actors import Action, Actor
from backoffice.errors import DomainError, InvalidRecord
from backoffice.operations.attempt_counters import TooManyAttempts
from backoffice.operations.client_complaints import complain
from backoffice.operations.complaints import ComplaintThere
from backoffice.records.lookup import get_record
from models.account import Account
from models.complaint import Complaint
from models.ticket import Ticket, TicketState
from views import addresses, interrupted
from views.client_area import door, limits
from views.client_area.blueprint import area
from views.door import current_actor, current_session
from views.generated.section import add_section_link, set_list_link


@area.route("/complaints/new/", methods=["GET", "POST"])
def new_complaint() -> Any:
    """Complain: about us, or about the ticket that the address names."""
    client = door.client()
    if client is None:
        return door.sign_in_first()
    current_actor().require(Action.create, Complaint)
    about = request.args.get("ticket", "")
    ticket: Ticket | None = get_record(current_session(), Ticket, about) if about else None
    if request.method != "POST" or interrupted.resumed():
        return _form(ticket)
    limits.count("complaint")
    key = ticket.id if ticket is not None else None
    try:
        with door.as_product(writes=True, account_id=client.actor.account_id) as records:
            found = records.get_one(Ticket, key) if key is not None else None
            made = complain(
                records, records.get_one(Account, client.actor.id), request.form.get("description", ""), found
            )
            limits.count_taken(records, "complaint", client.email, most=limits.PER_ACCOUNT)
            made_key, number = made.id, made.number
    except (InvalidRecord, ComplaintThere, TooManyAttempts) as error:
        return _form(ticket, error), error.status
    flash(_("Your complaint has the number %(number)s. We confirm it by mail.", number=number), "good")
    return redirect(url_for(addresses.endpoint(Complaint, "record"), pk=made_key), 303)


def _form(ticket: Ticket | None, problem: DomainError | None = None) -> str:
    problems = getattr(problem, "problems", {"description": problem} if problem is not None else {})
    page = {
        "ticket": {"number": ticket.number, "subject": ticket.subject} if ticket is not None else None,
        "typed": {"description": request.form.get("description", "")},
        "problems": {name: str(text) for name, text in problems.items()},
        "resumed": interrupted.resumed(),
        "back_url": addresses.record_url(ticket) if ticket is not None else addresses.list_url(Complaint),
    }
    return render_template("client_complaint_new.html", page=page)


def _of_ticket(ticket: Ticket, actor: Actor) -> dict[str, Any] | None:
    if not actor.may(Action.create, Complaint) or ticket.state is TicketState.archived:
        return None
    return {"label": _("Complain"), "icon": "megaphone", "url": url_for("clients.new_complaint", ticket=ticket.id)}


def _new_link() -> dict[str, Any] | None:
    return {"label": _("Make a complaint"), "icon": "plus-lg", "url": url_for("clients.new_complaint")}


add_section_link(Ticket, _of_ticket)
set_list_link(Complaint, _new_link)
