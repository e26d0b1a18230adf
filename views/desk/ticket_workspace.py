"""The ticket workspace: the queue beside the ticket in hand, worked by keyboard or by hand (TK-06 to TK-33).

What is done goes through the verbs and plain operations that every door uses; each step has an address of its own, so
the pages work without scripts and a refusal comes back beside what was typed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from flask import current_app, flash, redirect, render_template, request, url_for
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from backoffice import clock
from backoffice.actors import Action, Actor
from backoffice.database import UNREACHABLE, refusal_of
from backoffice.errors import DomainError, Forbidden, InvalidRecord, NotFound
from backoffice.files.kinds import KINDS
from backoffice.operations import verbs
from backoffice.operations.attachments import attach_file
from backoffice.operations.plain import create_record
from backoffice.operations.ticket_links import split_off
from backoffice.operations.ticket_talk import say
from backoffice.records.lookup import get_record
from models.attachment import Attachment
from models.base import Category
from models.call import Call
from models.ticket import Ticket
from models.ticket_message import Direction, TicketMessage
from models.time_entry import TimeEntry
from views import interrupted
from views.desk.ticket_changes import poll_token
from views.desk.ticket_deeds import Deed, find_deed
from views.desk.ticket_entry import may_work, refused
from views.desk.ticket_page import others_of, ticket_page
from views.desk.ticket_queue import kept, queue
from views.desk.ticket_reading import load_ticket
from views.door import commit, current_actor, current_session, read_again
from views.frame import OwnPage, add_page, set_place
from views.generated.form_pages import form_version
from views.generated.pages import add_link
from views.uploads import sent_files, storing

#: What is typed into the page itself, and stays there when it is refused.
_TYPED = ("body", "kind", "then", "minutes", "began_at", "activity", "category")


class AnsweredMeanwhile(DomainError):
    """Shown before one sends: the client may have said what one was about to ask, a colleague what one answers."""

    template = _l("Somebody wrote in the meantime: read it above, then send what you have written.")
    status = 409


class TicketView(BaseView):
    """Requests for assistance, worked one after the other."""

    route_base = "/support"
    default_view = "list"

    @expose("/")
    def list(self) -> Any:
        """Show the queue, with nothing in hand yet."""
        if (answer := refused()) is not None:
            return answer
        return render_template("ticket_desk.html", page=_around(None) | {"ticket": None})

    @expose("/queue")
    def part(self) -> Any:
        """Return the queue alone: what the page puts in place of its own when something has changed."""
        if (answer := refused()) is not None:
            return answer
        current = request.args.get("current", "")
        key = int(current) if current.isascii() and current.isdigit() and len(current) < 10 else None
        return render_template("_ticket_queue.html", page=_around(key))

    @expose("/<int:pk>")
    def show(self, pk: int) -> Any:
        """Show one ticket beside the queue."""
        return refused() or _page(pk)

    @expose("/<int:pk>/do/<verb>", methods=["GET", "POST"])
    def do(self, pk: int, verb: str) -> Any:
        """Show the form of a verb beside the conversation; perform it when it is sent."""
        if (answer := refused()) is not None:
            return answer
        if request.method != "POST" or interrupted.resumed():
            return _page(pk, find_deed(current_session(), current_actor(), pk, verb))
        try:
            return _done(find_deed(current_session(), current_actor(), pk, verb))
        except (NotFound, Forbidden):
            raise
        except DomainError as error:
            problem = error
        except UNREACHABLE as error:
            problem = refusal_of(error)
        read_again()
        deed = find_deed(current_session(), current_actor(), pk, verb)
        deed.refuse(problem)
        return _page(pk, deed), problem.status

    @expose("/<int:pk>/say", methods=["POST"])
    def say(self, pk: int) -> Any:
        """Answer the client, or leave a note for colleagues."""
        return refused() or _attempt(pk, _say, "say")

    @expose("/<int:pk>/time", methods=["POST"])
    def time(self, pk: int) -> Any:
        """Enter the time worked."""
        return refused() or _attempt(pk, _enter_time, "time")

    @expose("/<int:pk>/split/<int:message>", methods=["POST"])
    def split(self, pk: int, message: int) -> Any:
        """Make a ticket of its own of a message."""
        if (answer := refused()) is not None:
            return answer
        found: TicketMessage = get_record(current_session(), TicketMessage, message)
        if found.ticket_id != pk:
            raise NotFound
        made = split_off(current_session(), found, actor=current_actor())
        key, number = made.id, made.number
        commit()
        flash(_("Ticket %(number)s is made of the message.", number=number), "good")
        return redirect(url_for("TicketView.show", pk=key, **kept()), 303)


def _done(deed: Deed) -> Any:
    """Perform the verb and go on with the ticket; the queue stays as it was filtered."""
    values, actor = deed.form.values(), current_actor()
    verbs.perform(current_session(), deed.record, deed.transition.name, values, actor=actor, version=form_version())
    still_seen = current_session().get(Ticket, deed.record.id) is not None
    commit()
    flash(_("“%(verb)s”: done.", verb=deed.transition.label), "good")
    if not still_seen:
        return redirect(url_for("TicketView.list", **kept()), 303)
    return redirect(url_for("TicketView.show", pk=deed.record.id, **kept()), 303)


def _attempt(pk: int, act: Callable[[Ticket], str], part: str) -> Any:
    """Do something with a ticket and go on with it; what is refused is said where it was typed."""
    try:
        told = act(get_record(current_session(), Ticket, str(pk)))
        commit()
    except (NotFound, Forbidden):
        raise
    except DomainError as error:
        problem = error
    except UNREACHABLE as error:
        problem = refusal_of(error)
    else:
        flash(told, "good")
        return redirect(url_for("TicketView.show", pk=pk, **kept()) + f"#{part}", 303)
    read_again()
    said = list(problem.problems.values()) if isinstance(problem, InvalidRecord) else [problem]
    return _page(pk, problems={part: [str(text) for text in said]}), problem.status


def _say(ticket: Ticket) -> str:
    """Write the message with its files; a question to the client lets the ticket wait for the answer."""
    actor, session = current_actor(), current_session()
    is_note, files = request.form.get("kind") == "note", sent_files("file")
    _require_read(ticket)
    waits = request.form.get("then") == "wait"
    message = say(session, ticket, request.form.get("body", ""), actor=actor, is_note=is_note, waits=waits)
    for name, content in files:
        attach_file(session, message, name, content, actor=actor, client_visible=not is_note, **storing())
    return _("The note is kept.") if is_note else _("The answer is on its way to the client.")


def _require_read(ticket: Ticket) -> None:
    """Raise where somebody else wrote what the page did not show yet: the client, or a colleague."""
    seen = request.form.get("seen", "")
    by_others = TicketMessage.created_by_id.is_distinct_from(current_actor().staff_id)
    theirs = sa.or_(TicketMessage.direction == Direction.incoming, by_others)
    newest = sa.select(sa.func.max(TicketMessage.id)).where(TicketMessage.ticket_id == ticket.id, theirs)
    if seen.isascii() and seen.isdigit() and (current_session().scalar(newest) or 0) > int(seen):
        raise AnsweredMeanwhile


def _enter_time(ticket: Ticket) -> str:
    actor = current_actor()
    typed = {name: request.form.get(name, "").strip() for name in ("minutes", "began_at", "category", "activity")}
    values = {**typed, "ticket": ticket.id, "day": clock.today(), "billable": request.form.get("free") != "1"}
    if actor.staff_id is not None:
        values["person"] = actor.staff_id
    create_record(current_session(), TimeEntry, values, actor=actor)
    return _("The time is entered.")


def _around(current: int | None, record: Ticket | None = None) -> dict[str, Any]:
    session, actor = current_session(), current_actor()
    beside = others_of(record) if record is not None and record.company_id is not None else None
    shown = queue(session, actor, current=current, beside=beside)
    poll = {"url": url_for("TicketChanges.changes", token=poll_token(actor)), "since": shown["since"]}
    call_url = url_for("CallDesk.take", ticket=current) if actor.may(Action.create, Call) else None
    return {"title": _("Assistance"), "queue": shown, "poll": poll, "call_url": call_url}


def _page(pk: int, deed: Deed | None = None, problems: dict[str, list[str]] | None = None) -> str:
    session, actor = current_session(), current_actor()
    record = deed.record if deed is not None else load_ticket(session, pk)
    set_place(str(record), url_for("TicketView.show", pk=pk))
    page = _around(pk, record) | {
        "title": f"{record.number} {record.subject}",
        "ticket": ticket_page(session, record, actor, deed),
        "problems": problems or {},
        "typed": {name: request.form.get(name, "") for name in _TYPED},
        "files": {
            "accept": ",".join(f".{ending}" for ending in KINDS),
            "may": actor.may(Action.create, Attachment),
            "limit_mb": current_app.config["MAX_ATTACHMENT_MB"],
        },
    }
    return render_template("ticket_desk.html", page=page)


def _work_link(record: Ticket, actor: Actor) -> dict[str, Any] | None:
    if not may_work(actor):
        return None
    return {"label": _("Work on it"), "icon": "headset", "url": url_for("TicketView.show", pk=record.id)}


add_link(Ticket, _work_link)
add_page(OwnPage("support", _l("Assistance"), "headset", "TicketView.list", may_work, Category.support, rank=0))
