"""Asking for assistance, and answering, in the client area (TK-01 to TK-05, TK-08, TK-13)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from flask import current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from backoffice.actors import Action, Actor
from backoffice.database import RecordSession
from backoffice.errors import DomainError, InvalidRecord
from backoffice.files.kinds import KINDS
from backoffice.files.store import FileGone, StoreUnavailable
from backoffice.operations.attempt_counters import TooManyAttempts
from backoffice.operations.client_tickets import (
    ASKED,
    OVER,
    NoQueue,
    TicketOver,
    answer_ticket,
    open_ticket,
    require_complete,
    sent_before,
    types_for,
)
from backoffice.operations.consents import is_to_be_asked
from backoffice.operations.similar_tickets import Asked, find_similar
from backoffice.operations.ticket_states import WindowOver
from backoffice.portals import Client
from backoffice.records import show
from backoffice.records.lookup import get_record
from backoffice.texts import in_language
from models.account import Account
from models.attachment import Attachment
from models.complaint import Complaint
from models.portal import Portal
from models.ticket import Ticket, TicketState, Urgency
from models.ticket_message import Direction, TicketMessage
from views import addresses, interrupted
from views.client_area import door, limits
from views.client_area.blueprint import area
from views.client_area.kept_files import Files, bring_back, keep
from views.door import current_actor, current_session
from views.generated.section import add_section_link, set_list_link, set_section_panel
from views.uploads import sent_files

#: More than anybody reads on one page.
_SHOWN = 200


@area.route("/tickets/new/", methods=["GET", "POST"])
def open_new_ticket() -> Any:
    """Ask for assistance."""
    client = door.client()
    if client is None:
        return door.sign_in_first()
    current_actor().require(Action.create, Ticket)
    if door.portal().queue_id is None:
        raise NoQueue
    if _lacks_consent(client):
        return redirect(url_for("clients.new_notice", next=url_for("clients.open_new_ticket")), 303)
    if request.method != "POST":
        return _form()
    # The page in between is a second form of the same request.
    has_looked = "looked" in request.form
    try:
        files = _kept_files(client)
        if interrupted.resumed():
            return _form(files=files)
        limits.count("ticket")
        files += sent_files("file")
        if "change" in request.form:
            return _form(files=files)
        return _send(client, files, has_looked=has_looked)
    except (StoreUnavailable, FileGone) as error:
        return _form({"file": str(error)}), error.status


def _kept_files(client: Client) -> Files:
    return bring_back(request.form.get("kept", ""), client.actor.id)


def _send(client: Client, files: Files, *, has_looked: bool) -> Any:
    """Open the ticket, add to another, or show what may be the same; else the form with what is wrong.

    :raises StoreUnavailable: the files could not be stored.
    """
    try:
        if "join" in request.form:
            return _join(client, files)
        if not has_looked and (similar := _similar(client, files)):
            return _similar_page(client, similar, files)
        with door.as_product(writes=True, account_id=client.actor.account_id) as records:
            account = records.get_one(Account, client.actor.id)
            portal = records.get_one(Portal, door.portal().id)
            made = open_ticket(records, account, portal, request.form, files, **_storing())
            limits.count_taken(records, "ticket", client.email, most=limits.PER_ACCOUNT)
            key, number = made.id, made.number
    except TooManyAttempts as error:
        return _form({"subject": str(error)}, files), error.status
    except InvalidRecord as error:
        return _form({name: str(text) for name, text in error.problems.items()}, files), error.status
    flash(_("Your request has the number %(number)s. We confirm it by mail.", number=number), "good")
    return redirect(url_for(addresses.endpoint(Ticket, "record"), pk=key), 303)


def _lacks_consent(client: Client) -> bool:
    """Say whether assistance is given with consent only, and the person has not been asked for it yet (PR-03)."""
    with door.as_product() as records:
        queue = records.get_one(Portal, door.portal().id).queue
        return queue is not None and queue.requires_consent and is_to_be_asked(records, client.actor.id or 0)


def _similar(client: Client, files: Files) -> Sequence[Ticket]:
    """Return the open tickets of the client that the request may be about, none where it was just sent.

    :raises InvalidRecord: the request is not complete: that comes first.
    """
    with door.as_product() as records:
        account, portal = records.get_one(Account, client.actor.id), records.get_one(Portal, door.portal().id)
        limit = current_app.config["MAX_ATTACHMENT_MB"]
        _queue, values = require_complete(records, portal, request.form, files, limit_mb=limit)
        if sent_before(records, account, values) is not None:
            return ()
    # With the client's own eyes: what they may not see is not among them.
    asked = Asked(client.actor.company_id, values["subject"], place=values["affected_system"])
    return find_similar(current_session(), asked)


def _similar_page(client: Client, similar: Sequence[Ticket], files: Files) -> str:
    """Ask whether it is one of the open tickets, before another is opened: what was typed and chosen goes along."""
    page = {
        "similar": [
            {
                "key": ticket.id,
                "number": ticket.number,
                "subject": ticket.subject,
                "state": {"text": ticket.state.label, "tone": ticket.state.tone, "icon": ticket.state.icon},
                "when": show.when(ticket.created_at),
                "url": addresses.record_url(ticket),
            }
            for ticket in similar
        ],
        "typed": [(name, request.form.get(name, "")) for name in ASKED],
        "subject": request.form.get("subject", ""),
        "description": request.form.get("description", ""),
        "kept": keep(files, client.actor.id),
        "files": [name for name, _content in files],
    }
    return render_template("client_ticket_similar.html", page=page)


def _join(client: Client, files: Files) -> Any:
    """Add what was typed to the open ticket that it is about; one that was closed meanwhile leads back to the form.

    :raises InvalidRecord: a file is refused.
    """
    ticket: Ticket = get_record(current_session(), Ticket, request.form["join"])
    key, number = ticket.id, ticket.number
    subject, text = (request.form.get(name, "").strip() for name in ("subject", "description"))
    try:
        with door.as_product(writes=True, account_id=client.actor.account_id) as records:
            account, found = records.get_one(Account, client.actor.id), records.get_one(Ticket, key)
            answer_ticket(records, account, found, f"{subject}\n\n{text}".strip(), files, **_storing())
            limits.count_taken(records, "answer", client.email, most=limits.PER_ACCOUNT)
    except (TicketOver, WindowOver) as error:
        return _form({"subject": str(error)}, files), error.status
    flash(_("We have added your message to request %(number)s.", number=number), "good")
    return redirect(url_for(addresses.endpoint(Ticket, "record"), pk=key), 303)


@area.route("/tickets/<pk>/answer/", methods=["GET", "POST"])
def answer(pk: str) -> Any:
    """Say something about a ticket; one that may be reopened is reopened by it."""
    client = door.client()
    if client is None:
        return door.sign_in_first()
    current_actor().require(Action.create, Ticket)
    ticket: Ticket = get_record(current_session(), Ticket, pk)
    if request.method != "POST" or interrupted.resumed():
        return _answer_form(ticket)
    limits.count("answer")
    key, files = ticket.id, sent_files("file")
    try:
        with door.as_product(writes=True, account_id=client.actor.account_id) as records:
            account, found = records.get_one(Account, client.actor.id), records.get_one(Ticket, key)
            answer_ticket(records, account, found, request.form.get("body", ""), files, **_storing())
            limits.count_taken(records, "answer", client.email, most=limits.PER_ACCOUNT)
    except DomainError as error:
        problems = getattr(error, "problems", {error.field or "body": str(error)})
        return _answer_form(ticket, {name: str(text) for name, text in problems.items()}), error.status
    flash(_("We have your message."), "good")
    return redirect(url_for(addresses.endpoint(Ticket, "record"), pk=key), 303)


def _storing() -> dict[str, Any]:
    return {"store": current_app.extensions["files"], "limit_mb": current_app.config["MAX_ATTACHMENT_MB"]}


def _files() -> dict[str, Any]:
    return {
        "accept": ",".join(f".{ending}" for ending in KINDS),
        "limit_mb": current_app.config["MAX_ATTACHMENT_MB"],
    }


def _form(problems: dict[str, str] | None = None, files: Files | None = None) -> str:
    client = door.client()
    kept = files if client is not None and "file" not in (problems or {}) else None
    with door.as_product() as records:
        kinds = [(str(kind.id), in_language(kind, "name")) for kind in types_for(records, door.portal())]
        queue = records.get_one(Portal, door.portal().id).queue
        needs_file = queue is not None and queue.requires_attachment
    page = {
        "typed": {name: request.form.get(name, "") for name in ASKED},
        "problems": problems or {},
        "kinds": kinds,
        "urgencies": [(urgency.value, urgency.label) for urgency in Urgency],
        "needs_file": needs_file and not kept,
        "kept": keep(kept, client.actor.id) if kept and client is not None else "",
        "kept_files": [name for name, _content in kept or ()],
        "files": _files(),
        "resumed": interrupted.resumed(),
        "back_url": addresses.list_url(Ticket),
        "complain_url": url_for("clients.new_complaint") if current_actor().may(Action.create, Complaint) else None,
    }
    return render_template("client_ticket_new.html", page=page)


def _answer_form(ticket: Ticket, problems: dict[str, str] | None = None) -> str:
    page = {
        "number": ticket.number,
        "subject": ticket.subject,
        "reopens": ticket.state is TicketState.closed_provisional,
        "body": request.form.get("body", ""),
        "problems": problems or {},
        "files": _files(),
        "resumed": interrupted.resumed(),
        "back_url": addresses.record_url(ticket),
    }
    return render_template("client_ticket_answer.html", page=page)


def _file(file: Attachment) -> dict[str, str]:
    return {"name": file.name, "url": url_for("clients.file", pk=file.id)}


def _answer_link(ticket: Ticket, actor: Actor) -> dict[str, Any] | None:
    if not actor.may(Action.create, Ticket) or ticket.state in OVER:
        return None
    reopens = ticket.state is TicketState.closed_provisional
    label = _("Reopen the ticket") if reopens else _("Answer")
    icon = "arrow-counterclockwise" if reopens else "reply"
    return {"label": label, "icon": icon, "url": url_for("clients.answer", pk=ticket.id)}


def _new_link() -> dict[str, Any] | None:
    if door.portal().queue_id is None:
        return None
    return {"label": _("Ask for assistance"), "icon": "plus-lg", "url": url_for("clients.open_new_ticket")}


def _conversation(ticket: Ticket, session: RecordSession) -> dict[str, Any]:
    """Return what was said, the oldest first, each message with its files."""
    wanted = sa.select(TicketMessage).where(TicketMessage.ticket_id == ticket.id)
    messages = session.scalars(wanted.order_by(TicketMessage.created_at, TicketMessage.id).limit(_SHOWN)).all()
    of_messages = sa.select(Attachment).where(Attachment.ticket_message_id.in_([m.id for m in messages]))
    files: dict[int | None, list[Attachment]] = {}
    for file in session.scalars(of_messages.order_by(Attachment.id)) if messages else ():
        files.setdefault(file.ticket_message_id, []).append(file)
    return {
        "messages": [
            {
                "ours": message.direction is Direction.outgoing,
                "who": _("We") if message.direction is Direction.outgoing else _("You"),
                "when": show.when(message.created_at),
                "lines": message.body.splitlines(),
                "files": [_file(file) for file in files.get(message.id, ())],
            }
            for message in messages
        ]
    }


set_section_panel(Ticket, "_client_conversation.html", TicketMessage, _conversation)
add_section_link(Ticket, _answer_link)
set_list_link(Ticket, _new_link)
