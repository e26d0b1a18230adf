"""What the call screen shows: who is calling, what is open for them, and what whoever takes the call chooses from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import url_for
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from backoffice.actors import Action, Actor
from backoffice.database import RecordSession
from backoffice.operations.assistance import is_due, judge
from backoffice.operations.callers import Caller, earlier_calls
from backoffice.records import show
from models.account import Account
from models.call import Call, CallState
from models.catalogue import fields
from models.company import Company
from models.contact import Contact
from models.contract import Contract
from models.request_type import RequestType
from models.support_queue import SupportQueue
from models.team_member import TeamMember
from models.ticket import OPEN_STATES, Ticket
from views import addresses
from views.generated.listing import dressed

#: Open tickets that are offered; the list has them all.
_OFFERED = 8
_WAITING = 8
_MOST_TYPES = 300


@dataclass(frozen=True)
class QueueShown:
    """A queue to choose, whether it is one of the actor's teams', and whether their last call came in to it."""

    row: SupportQueue
    is_mine: bool
    was_last: bool


def callers_shown(callers: Sequence[Caller], company: str, contact: str, actor: Actor) -> list[dict[str, Any]]:
    """Return who is known under the number, and which of them was chosen."""
    return [
        {
            "key": caller.key,
            "name": show.label(caller.contact or caller.company, actor),
            "about": _about(caller, actor),
            "icon": "person" if caller.contact is not None else "building",
            "current": str(caller.company.id) == company
            and (str(caller.contact.id) if caller.contact is not None else "") == contact,
        }
        for caller in callers
    ]


def _about(caller: Caller, actor: Actor) -> str:
    if caller.contact is None:
        return show.label(caller.site, actor) if caller.site is not None else _("Switchboard")
    job = show.cell(caller.contact, fields(Contact)["job_title"], actor)
    return ", ".join(text for text in (job.text, show.label(caller.company, actor)) if text)


def client_facts(
    session: RecordSession, actor: Actor, company: Company | None, contact: Contact | None, queue: SupportQueue | None
) -> dict[str, Any] | None:
    """Return who the client is, whether assistance is due, and what colleagues noted; None for strangers."""
    if company is None:
        return None
    known = fields(Company)
    names = ("city", "phone", "account_manager")
    cells = [(known[name], dressed(show.cell(company, known[name], actor))) for name in names]
    may_read_notes = "notes" not in actor.masked(Company) and actor.may(Action.read, Company)
    reasons = judge(session, Ticket(queue=queue, company=company, company_id=company.id)) if queue is not None else []
    return {
        "name": show.label(company, actor),
        "url": addresses.record_url(company),
        "state": show.cell(company, known["state"], actor),
        "contact": _contact(session, contact, actor),
        "rows": [{"label": field.label, "cell": cell} for field, cell in cells if not cell.empty],
        "notes": company.notes if may_read_notes else None,
        "reasons": reasons,
        "is_due": is_due(reasons) if reasons else None,
    }


def _contact(session: RecordSession, contact: Contact | None, actor: Actor) -> dict[str, Any] | None:
    if contact is None:
        return None
    account = None
    if actor.may(Action.read, Account):
        wanted = sa.select(Account).where(Account.contact_id == contact.id).order_by(Account.id).limit(1)
        account = session.scalars(wanted).first()
    return {
        "name": show.label(contact, actor),
        "url": addresses.record_url(contact),
        "account": dressed(show.cell(account, fields(Account)["state"], actor)) if account is not None else None,
        "account_url": addresses.record_url(account) if account is not None else "",
    }


def open_tickets(session: RecordSession, actor: Actor, company: Company | None) -> dict[str, Any]:
    """Return the newest open tickets of the client, each to be joined with one click, and where the others are."""
    if company is None or not actor.may(Action.read, Ticket):
        return {"rows": [], "count": "", "all_url": None}
    wanted = sa.select(Ticket).where(Ticket.company_id == company.id, Ticket.state.in_(OPEN_STATES))
    rows = session.scalars(
        wanted.options(joinedload(Ticket.assignee))
        .order_by(Ticket.created_at.desc(), Ticket.id.desc())
        .limit(_OFFERED + 1)
    ).all()
    known = fields(Ticket)
    shown = [
        {
            "key": row.id,
            "number": row.number,
            "subject": row.subject,
            "url": addresses.record_url(row),
            "state": show.cell(row, known["state"], actor),
            "due": show.cell(row, known["due_at"], actor),
            "updated": show.when(row.updated_at),
            "assignee": show.cell(row, known["assignee"], actor).text,
        }
        for row in rows[:_OFFERED]
    ]
    all_of_them = [f"company:in:{company.id}", "state:in:" + ",".join(OPEN_STATES)]
    return {
        "rows": shown,
        "count": _("more than %(number)s", number=_OFFERED) if len(rows) > _OFFERED else str(len(rows)),
        "all_url": addresses.list_url(Ticket, f=all_of_them) if len(rows) > _OFFERED else None,
    }


def calls_before(
    session: RecordSession, actor: Actor, number: str | None, company: Company | None, current: int | None
) -> list[dict[str, Any]]:
    """Return the last calls of the client, or from the number."""
    rows = earlier_calls(session, number, company.id if company is not None else None, actor=actor)
    return [_call(row, actor) for row in rows if row.id != current]


def _call(row: Call, actor: Actor) -> dict[str, Any]:
    known = fields(Call)
    words = show.cell(row, known["description"], actor).text
    return {
        "url": addresses.record_url(row),
        "key": row.id,
        "when": show.when(row.started_at),
        "when_iso": row.started_at.isoformat(),
        "type": show.cell(row, known["request_type"], actor).text,
        "ticket": show.cell(row, known["ticket"], actor).text,
        "state": show.cell(row, known["state"], actor),
        "words": f"{words[:140]}…" if len(words) > 140 else words,
    }


def waiting_calls(session: RecordSession, actor: Actor) -> list[dict[str, Any]]:
    """Return who is to be called back, what is due first on top."""
    wanted = sa.select(Call).where(Call.state.in_((CallState.voicemail, CallState.callback_due)))
    wanted = wanted.options(joinedload(Call.company), joinedload(Call.contact), joinedload(Call.request_type))
    rows = session.scalars(wanted.order_by(Call.callback_due_at, Call.id).limit(_WAITING)).all()
    known = fields(Call)
    return [
        _call(row, actor)
        | {
            "go": url_for("CallDesk.go_on", pk=row.id),
            "name": _name(row, actor),
            "phone": show.cell(row, known["caller_phone"], actor).text,
            "due": show.cell(row, known["callback_due_at"], actor),
            "attempts": row.callback_attempts,
        }
        for row in rows
    ]


def _name(row: Call, actor: Actor) -> str:
    known = fields(Call)
    cells = (show.cell(row, known[name], actor) for name in ("contact", "caller_name", "company"))
    return next((cell.text for cell in cells if not cell.empty), _("Unknown caller"))


def types_shown(
    session: RecordSession, company: Company | None, chosen: str
) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the types a call may be of, by their scheme: general ones, and those of the client's contracts."""
    of_client = sa.select(Contract.id).where(Contract.company_id == (company.id if company is not None else 0))
    usable = sa.or_(RequestType.contract_id.is_(None), RequestType.contract_id.in_(of_client))
    wanted = sa.select(RequestType.id, RequestType.name, RequestType.parent_id, RequestType.active).where(usable)
    rows = session.execute(wanted.order_by(RequestType.name_key).limit(_MOST_TYPES)).all()
    names, parents = {row.id: row.name for row in rows}, {row.parent_id for row in rows}
    found: dict[str, list[tuple[str, str]]] = {"": []}
    for row in rows:
        if str(row.id) == chosen or (row.active and row.id not in parents):
            found.setdefault(names.get(row.parent_id, ""), []).append((str(row.id), row.name))
    return [(label, options) for label, options in found.items() if options]


def queues_shown(session: RecordSession, actor: Actor) -> list[QueueShown]:
    """Return the queues in use: those of the actor's teams first, then that of the call they took last."""
    me = actor.staff_id or 0
    mine = sa.exists().where(TeamMember.team_id == SupportQueue.team_id, TeamMember.staff_id == me)
    last = sa.select(Call.queue_id).where(Call.operator_id == me).order_by(Call.started_at.desc(), Call.id.desc())
    is_last = SupportQueue.id == last.limit(1).scalar_subquery()
    wanted = sa.select(SupportQueue, mine, sa.func.coalesce(is_last, False)).where(SupportQueue.active)
    rows = session.execute(wanted.order_by(SupportQueue.code).limit(100)).all()
    found = [QueueShown(row, bool(is_mine), bool(was_last)) for row, is_mine, was_last in rows]
    return sorted(found, key=lambda shown: (not shown.is_mine, not shown.was_last))
