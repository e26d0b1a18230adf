"""Deadlines as a calendar that other programs subscribe to, under an address that can be revoked (ED-06)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import selectinload

from backoffice.actors import Action, Actor, Context, Door
from backoffice.database import begin_writing, open_session
from backoffice.operations.calendar_feeds import make_feed, revoke_feed
from backoffice.passwords import digest_of
from backoffice.portals import find_subscriber
from models.account import Account
from models.deadline import TO_DO, Deadline
from views.calendars import MOST, Entry, calendar_response
from views.client_area import door, limits
from views.client_area.blueprint import area
from views.door import current_actor, engine
from views.generated.section import set_list_link


@area.route("/calendar/", methods=["GET", "POST"])
def calendar() -> Any:
    """Show whether there is a calendar; make its address, which is shown this once, or revoke it."""
    client = door.client()
    if client is None:
        return door.sign_in_first()
    current_actor().require(Action.read, Deadline)
    address = ""
    if request.method == "POST":
        with door.as_product(writes=True, account_id=client.actor.account_id) as records:
            account = records.get_one(Account, client.actor.id)
            if "revoke" in request.form:
                revoke_feed(records, account)
            else:
                address = url_for("clients.feed", token=make_feed(records, account), _external=True)
        if not address:
            flash(_("The address leads nowhere any more."), "good")
            return redirect(url_for("clients.calendar"), 303)
    with door.as_product() as records:
        has_one = records.get_one(Account, client.actor.id).feed_digest is not None
    page = {"address": address, "has_one": has_one, "back_url": url_for("clients.dashboard")}
    return render_template("client_calendar.html", page=page)


@area.route("/calendar/<token>.ics")
def feed(token: str) -> Any:
    """Send the open deadlines as a calendar to whoever has its address, for as long as the account may see them."""
    limits.count("calendar")
    with door.as_product() as records:
        actor = find_subscriber(records, digest_of(token[:100]), door.portal())
    if actor is None or not actor.may(Action.read, Deadline):
        abort(404)
    name = _("Deadlines · %(portal)s", portal=door.portal().name)
    return calendar_response(name, door.portal().code.lower(), _entries(actor))


def _entries(actor: Actor) -> list[Entry]:
    with begin_writing(False), open_session(engine(), Context(actor, Door.client_area)) as records:
        wanted = sa.select(Deadline).where(Deadline.state.in_(TO_DO)).order_by(Deadline.due_on, Deadline.id)
        along = (selectinload(Deadline.worker), selectinload(Deadline.site))
        return [_entry(deadline) for deadline in records.scalars(wanted.limit(MOST).options(*along))]


def _entry(deadline: Deadline) -> Entry:
    who = f" · {deadline.worker}" if deadline.worker is not None else ""
    return Entry(
        key=f"deadline-{deadline.id}",
        title=f"{deadline.title}{who}",
        start=deadline.due_on,
        end=deadline.due_on + timedelta(days=1),
        changed=deadline.updated_at,
        place=str(deadline.site) if deadline.site is not None else "",
    )


set_list_link(
    Deadline,
    lambda: {"label": _("Calendar"), "icon": "calendar-plus", "url": url_for("clients.calendar")},
)
