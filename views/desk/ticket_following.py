"""Following a ticket, and stopping to: for whoever may see it, whether or not they work on tickets."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _

from backoffice.actors import Actor
from backoffice.operations.ticket_followers import follow, is_following, stop_following
from backoffice.records.lookup import get_record
from models.ticket import Ticket
from models.ticket_follower import TicketFollower
from views import addresses
from views.desk.ticket_entry import refused
from views.desk.ticket_queue import kept
from views.door import commit, current_actor, current_session
from views.generated.pages import add_link, set_record


class TicketFollowingView(BaseView):
    """Whether one hears of a ticket."""

    route_base = "/support/follow"
    default_view = "ticket"

    @expose("/<pk>", methods=["GET", "POST"])
    def ticket(self, pk: str) -> Any:
        """Say what following means and whether one does; begin or end it."""
        if (answer := refused(readers=True)) is not None:
            return answer
        session, actor = current_session(), current_actor()
        ticket: Ticket = get_record(session, Ticket, pk)
        if request.method != "POST":
            return _page(ticket, is_followed=is_following(session, ticket, actor))
        key = ticket.id
        if request.form.get("follow") == "1":
            follow(session, ticket, actor=actor)
            told = _("You follow ticket %(number)s.", number=ticket.number)
        else:
            stop_following(session, ticket, actor=actor)
            told = _("You no longer follow ticket %(number)s.", number=ticket.number)
        back = url_for("TicketView.show", pk=key, **kept()) if "desk" in request.form else addresses.record_url(ticket)
        commit()
        flash(told, "good")
        return redirect(back, 303)


def _page(ticket: Ticket, *, is_followed: bool) -> str:
    set_record(ticket, _("Follow"))
    number = ticket.number
    page = {
        "heading": _("Stop following %(number)s?", number=number)
        if is_followed
        else _("Follow %(number)s?", number=number),
        "text": _(
            "Whoever follows a ticket finds its messages and new states under the bell, and by mail as chosen there;"
            " not what they do themselves."
        ),
        "follow": not is_followed,
        "action": url_for("TicketFollowingView.ticket", pk=ticket.id),
        "back_url": addresses.record_url(ticket),
        "mine_url": addresses.list_url(TicketFollower, f=[f"staff:in:{current_actor().staff_id}"]),
    }
    return render_template("ticket_follow.html", page=page)


def _link(record: Ticket, actor: Actor) -> dict[str, Any] | None:
    if actor.staff_id is None:
        return None
    return {"label": _("Follow"), "icon": "eye", "url": url_for("TicketFollowingView.ticket", pk=record.id)}


add_link(Ticket, _link)
