"""Mails to be sorted: read, and made a ticket or added to one with one click (MC-06, MC-09)."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from backoffice.access import joined
from backoffice.actors import Action, Actor
from backoffice.database import RecordSession
from backoffice.errors import DomainError, Forbidden
from backoffice.operations.verbs import perform
from backoffice.records import show
from backoffice.records.lookup import get_record, parse_key
from models.base import Category
from models.catalogue import fields
from models.inbound_mail import Disposition, InboundMail
from models.ticket import OPEN_STATES, Ticket
from views import addresses, interrupted
from views.door import commit, current_actor, current_session, read_again
from views.frame import OwnPage, add_page
from views.generated.guarding import require_same_group

#: Mails shown at once; the list has them all.
SIZE = 25
#: Open tickets of the same client that are offered.
OFFERED = 5
_VERBS = ("open", "join", "discard")


def may_sort(actor: Actor) -> bool:
    """Say whether somebody sorts incoming mail."""
    return actor.may(Action.update, InboundMail)


class InboundView(BaseView):
    """What came by mail and belongs to no ticket yet."""

    route_base = "/to-sort"
    default_view = "list"

    @expose("/")
    def list(self) -> Any:
        """Show the mails, the oldest first, each with what can be done with it."""
        if (refused := _refused()) is not None:
            return refused
        return _page()

    @expose("/<pk>/<verb>", methods=["POST"])
    def do(self, pk: str, verb: str) -> Any:
        """Make a ticket of a mail, add it to one, or discard it."""
        if (refused := _refused()) is not None:
            return refused
        if verb not in _VERBS:
            raise Forbidden
        mail: InboundMail = get_record(current_session(), InboundMail, pk)
        values = {"ticket": parse_key(request.form.get("ticket", ""))} if verb == "join" else {}
        try:
            perform(current_session(), mail, verb, values, actor=current_actor())
            told = _told(mail, verb)
            commit()
        except Forbidden:
            raise
        except DomainError as error:
            read_again()
            return _page({int(pk) if pk.isdigit() else 0: str(error)}), error.status
        flash(told, "good")
        return redirect(url_for("InboundView.list"), 303)


def _told(mail: InboundMail, verb: str) -> str:
    if verb == "discard":
        return _("“%(subject)s” is discarded.", subject=mail.subject)
    number = mail.ticket.number if mail.ticket is not None else ""
    if verb == "open":
        return _("“%(subject)s” is ticket %(number)s.", subject=mail.subject, number=number)
    return _("“%(subject)s” is added to %(number)s.", subject=mail.subject, number=number)


def _refused() -> Any:
    if not current_user.is_authenticated:
        return interrupted.sign_in_first()
    if not may_sort(current_actor()):
        raise Forbidden
    require_same_group()
    return None


def _page(problems: dict[int, str] | None = None) -> str:
    session, actor = current_session(), current_actor()
    wanted = sa.select(InboundMail).where(InboundMail.state == Disposition.to_sort)
    wanted = wanted.options(*joined(session, InboundMail.company, InboundMail.mailbox))
    mails = session.scalars(wanted.order_by(InboundMail.received_at, InboundMail.id).limit(SIZE + 1)).all()
    offered = _offered(session, [mail.company_id for mail in mails if mail.company_id is not None])
    page = {
        "mails": [_shown(mail, actor, offered, problems or {}) for mail in mails[:SIZE]],
        "all_url": addresses.list_url(InboundMail, f="state:in:to_sort") if len(mails) > SIZE else None,
        "kept_url": addresses.list_url(InboundMail),
    }
    return render_template("to_sort.html", page=page)


def _shown(
    mail: InboundMail, actor: Actor, offered: dict[int, list[Ticket]], problems: dict[int, str]
) -> dict[str, Any]:
    known, near = fields(InboundMail), offered.get(mail.company_id or 0, [])
    return {
        "key": mail.id,
        "url": addresses.record_url(mail),
        "subject": mail.subject,
        "sender": mail.sender_name or mail.sender_address or _("Unknown sender"),
        "address": mail.sender_address,
        "company": show.cell(mail, known["company"], actor),
        "mailbox": str(mail.mailbox),
        "when": show.when(mail.received_at),
        "when_iso": mail.received_at.isoformat(),
        "text": mail.body[:2000],
        "problem": problems.get(mail.id),
        "tickets": [{"key": row.id, "label": f"{row.number} {row.subject}"} for row in near],
    }


def _offered(session: RecordSession, companies: list[int]) -> dict[int, list[Ticket]]:
    """Return the newest open tickets by client."""
    if not companies:
        return {}
    wanted = sa.select(Ticket).where(Ticket.company_id.in_(companies), Ticket.state.in_(OPEN_STATES))
    found: dict[int, list[Ticket]] = {}
    for ticket in session.scalars(wanted.order_by(Ticket.id.desc()).limit(OFFERED * SIZE)):
        rows = found.setdefault(ticket.company_id or 0, [])
        if len(rows) < OFFERED:
            rows.append(ticket)
    return found


add_page(OwnPage("to-sort", _l("Mails to be sorted"), "inbox", "InboundView.list", may_sort, Category.support, rank=0))
