"""The call screen: one page for whoever has somebody on the telephone (CC-06, CC-15, CC-18, CC-30, TK-17).

The number, typed or in the address, says who is calling; what is typed once becomes the call and, with the same click,
its ticket. One form with several buttons, so that nothing needs a script and nothing is typed twice.
"""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from markupsafe import Markup

from backoffice import clock
from backoffice.actors import Action, Actor
from backoffice.database import UNREACHABLE, refusal_of
from backoffice.errors import DomainError, Forbidden, NotFound
from backoffice.operations.call_taking import Way, take_call
from backoffice.records import show
from backoffice.records.lookup import parse_key
from backoffice.texts import in_language
from models.base import Category
from models.call import Call
from models.catalogue import fields
from models.ticket import Ticket, Urgency
from views import addresses, interrupted
from views.desk import call_page
from views.desk.call_form import LONGEST_SUBJECT, MORE, PENDING, Taking
from views.door import commit, current_actor, current_session, read_again
from views.frame import OwnPage, add_page, set_place
from views.generated.form_pages import form_version
from views.generated.guarding import require_same_group


def may_take(actor: Actor) -> bool:
    """Say whether somebody takes calls."""
    return actor.may(Action.create, Call) and actor.may(Action.update, Call)


class CallDesk(BaseView):
    """Calls as they are taken."""

    route_base = "/take-call"
    default_view = "take"

    @expose("/", methods=["GET", "POST"])
    def take(self) -> Any:
        """Show the screen for a call that comes in; write it down when one of its buttons is pressed."""
        return _refused() or _answer(None)

    @expose("/<int:pk>", methods=["GET", "POST"])
    def go_on(self, pk: int) -> Any:
        """Show the screen for a call that waits, such as one to be returned, and go on with it."""
        return _refused() or _answer(pk)


def _refused() -> Any:
    if not current_user.is_authenticated:
        return interrupted.sign_in_first()
    if not may_take(current_actor()):
        raise Forbidden
    require_same_group()
    return None


def _answer(pk: int | None) -> Any:
    way = _way()
    if way is None:
        return _page(Taking(pk))
    try:
        told = _take(Taking(pk), way)
        commit()
    except (NotFound, Forbidden):
        raise
    except DomainError as error:
        problem = error
    except UNREACHABLE as error:
        problem = refusal_of(error)
    else:
        flash(told, "good")
        return redirect(url_for("CallDesk.take"), 303)
    read_again()
    taking = Taking(pk)
    taking.refuse(problem)
    return _page(taking), problem.status


def _way() -> Way | None:
    """Return what the pressed button asks for; None where it only looks somebody up."""
    if request.method != "POST" or interrupted.resumed():
        return None
    if request.form.get("join"):
        return Way.join
    wanted = request.form.get("then", "")
    return Way(wanted) if wanted in Way.__members__ else None


def _take(taking: Taking, way: Way) -> str | Markup:
    """Do what the button says; return what became of the call."""
    values = taking.form.values()
    if way is Way.join and (key := parse_key(request.form.get("join", ""))):
        values["ticket"] = key
    call = take_call(
        current_session(),
        values,
        way,
        actor=current_actor(),
        call=taking.call,
        version=form_version() if taking.call is not None else None,
        subject=taking.subject[:LONGEST_SUBJECT],
        read=request.form.get("emergency_read", ""),
    )
    return _told(call, way)


def _told(call: Call, way: Way) -> str | Markup:
    if way in (Way.ticket, Way.join) and call.ticket is not None:
        words = _("The call is ticket %(number)s.") if way is Way.ticket else _("The call is added to %(number)s.")
        link = Markup('<a href="{}">{}</a>').format(addresses.record_url(call.ticket), call.ticket.number)
        return Markup.escape(words) % {"number": link}
    if way in (Way.voicemail, Way.unreached) and call.callback_due_at is not None:
        due = call.callback_due_at.astimezone(clock.ROME)
        return _("To be called back by %(when)s.", when=f"{due:%d/%m/%Y %H:%M}")
    return _("The call is closed.") if way is Way.close else _("The call is kept.")


def _page(taking: Taking) -> str:
    session, actor = current_session(), current_actor()
    company, contact = taking.rows["company"], taking.rows["contact"]
    call, asked = taking.call, taking.form.fields
    if call is not None:
        set_place(str(call), url_for("CallDesk.go_on", pk=call.id))
    is_fresh = call is None and taking.number is None and company is None and request.method != "POST"
    chosen = {name: str(asked[name].data or "") if name in asked else "" for name in ("company", "contact")}
    page = {
        "title": _("Take a call"),
        "action": request.script_root + request.full_path.rstrip("?") if call is not None else url_for("CallDesk.take"),
        "version": taking.version,
        "fields": asked,
        "more": [asked[name] for name in MORE if name in asked],
        "more_open": any(asked[name].errors for name in MORE if name in asked),
        "subject": taking.subject,
        "problems": taking.problems,
        "emergency": _emergency(taking),
        "number": taking.number or "",
        "callers": call_page.callers_shown(taking.callers, chosen["company"], chosen["contact"], actor),
        "who": call_page.client_facts(session, actor, company, contact, taking.queue),
        "tickets": call_page.open_tickets(session, actor, company),
        "calls": call_page.calls_before(session, actor, taking.number, company, call.id if call is not None else None),
        "types": call_page.types_shown(session, company, str(asked["request_type"].data or ""))
        if "request_type" in asked
        else [],
        "urgencies": [("", [(urgency.value, urgency.label) for urgency in Urgency])],
        "queues": [("", [(str(shown.row.id), str(shown.row)) for shown in taking.queues])],
        "waiting": call_page.waiting_calls(session, actor) if is_fresh else [],
        "waiting_url": addresses.list_url(Call, f="state:in:voicemail,callback_due", s="callback_due_at"),
        "call": _waits(call, actor),
        "is_fresh": is_fresh,
        "may_open": actor.may(Action.create, Ticket),
    }
    return render_template("call_desk.html", page=page)


def _emergency(taking: Taking) -> dict[str, Any] | None:
    """Return what the operator has to tell whoever reports an emergency, and whether they have."""
    script = taking.script()
    if script is None:
        return None
    key, text = str(script.id), in_language(script, "text") or ""
    is_read = request.form.get("emergency_read") == key
    return {"key": key, "text": text, "is_read": is_read, "is_wrong": taking.is_unread and not is_read}


def _waits(call: Call | None, actor: Actor) -> dict[str, Any] | None:
    """Return what is said on top of a call that one goes on with."""
    if call is None:
        return None
    known = fields(Call)
    cells = {name: show.cell(call, known[name], actor) for name in ("state", "callback_due_at", "started_at")}
    return {"url": addresses.record_url(call), "is_pending": call.state in PENDING, **cells}


add_page(OwnPage("take-call", _l("Take a call"), "telephone-plus", "CallDesk.take", may_take, Category.support, rank=0))
