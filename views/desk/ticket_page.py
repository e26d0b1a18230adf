"""The ticket in hand: what was said, what was promised, what is left, what can be done next."""

from __future__ import annotations

from typing import Any, NamedTuple

import sqlalchemy as sa
from flask import url_for
from flask_babel import gettext as _
from sqlalchemy.orm import aliased

from backoffice import clock
from backoffice.actors import Action, Actor
from backoffice.database import RecordSession
from backoffice.lifecycles import transitions_open
from backoffice.operations.assistance import is_due, questions, weigh
from backoffice.operations.package_ledger import usable
from backoffice.operations.quick_replies import fill, words_of
from backoffice.operations.ticket_talk import SILENT
from backoffice.records import show, subjects
from models.attachment import Attachment
from models.call import Call
from models.catalogue import fields
from models.change_request import ChangeRequest
from models.company import Company
from models.complaint import Complaint
from models.quick_reply import QuickReply
from models.staff import Staff
from models.support_package import SupportPackage
from models.ticket import OPEN_STATES, Ticket
from models.ticket import TicketState as S
from models.ticket_message import Direction, TicketMessage, Visibility
from models.time_entry import ActivityCategory, TimeEntry
from views import addresses
from views.desk.ticket_clocks import clocks_of, span
from views.desk.ticket_deeds import Deed, deed_url
from views.desk.ticket_reading import find_replies
from views.desk.ticket_visits import has_visits, visits_of
from views.generated.listing import dressed

#: More than anybody reads on one page; the list of messages has them all.
_SHOWN = 200
#: The keys of the verbs people need most.
_KEYS = {"assign": "a", "escalate": "e", "close": "c", "take_charge": "x"}
#: So many calls, complaints and changes stand beside a ticket; its tabs have them all.
_BESIDE = 5
_FACTS = ("contact", "request_type", "affected_system", "asset", "place_code", "contract", "service", "channel")


class Worked(NamedTuple):
    """The work on a ticket: minutes of all, minutes charged, and whether somebody has yet to go there."""

    minutes: int
    charged: int
    visits: bool


def ticket_page(session: RecordSession, record: Ticket, actor: Actor, deed: Deed | None) -> dict[str, Any]:
    """Return what ``_ticket.html`` shows; ``deed`` is the verb whose form is open."""
    subjects.look_up(session, [record], actor)
    messages, files = _messages(session, record)
    asked = questions(record, clock.today()) if record.state in OPEN_STATES else {}
    around, worked, answers = _around(session, record, actor, list(asked.values()))
    reasons = weigh(record, dict(zip(asked, answers, strict=True))) if record.state in OPEN_STATES else []
    return {
        "key": record.id,
        "title": record.subject,
        "number": record.number,
        "url": addresses.record_url(record),
        **{name: _cell(record, name, actor) for name in ("state", "priority", "assignee", "company", "created_at")},
        "channel": _cell(record, "channel", actor),
        "description": record.description if "description" not in actor.masked(Ticket) else show.MASK,
        "requested": _cell(record, "requested_urgency", actor),
        "verbs": _verbs(record, actor, deed),
        "deed": deed.page() if deed is not None else None,
        "messages": messages,
        "files": files,
        "last_message": messages[-1]["key"] if messages else 0,
        "can_wait": record.state is S.in_progress,
        "may_write": actor.may(Action.create, TicketMessage) and record.state not in SILENT,
        "may_split": actor.may(Action.create, Ticket),
        "replies": _replies(session, record, actor),
        "clocks": clocks_of(session, record, actor),
        "time": _time(record, actor, worked),
        "packages": _packages(session, record, actor),
        "visits": visits_of(session, record, actor) if worked.visits else [],
        "reasons": reasons,
        "is_due": is_due(reasons),
        "client": _client(session, record, actor),
        "around": around,
    }


def _cell(record: Ticket, name: str, actor: Actor) -> show.Cell:
    return dressed(show.cell(record, fields(Ticket)[name], actor))


def _verbs(record: Ticket, actor: Actor, deed: Deed | None) -> list[dict[str, Any]]:
    """Return what can be done, the usual next step first; the form that is open is no choice."""
    shown = deed.transition.name if deed is not None else None
    found = [
        {
            "label": t.label,
            "icon": t.icon,
            "url": deed_url(record, t.name) + "#next",
            "key": _KEYS.get(t.name, ""),
            "is_primary": t.tone == "primary",
        }
        for t in transitions_open(record, actor)
        if t.name != shown and (t.name != "wait_for_package" or record.queue.requires_package)
    ]
    return sorted(found, key=lambda verb: (not verb["is_primary"], not verb["key"]))


def _messages(session: RecordSession, record: Ticket) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """Return what was said, the oldest first, and the files that came with the request itself."""
    staff = Staff.__table__
    name = sa.func.trim(staff.c.first_name + " " + staff.c.last_name)
    newest = (
        sa.select(TicketMessage, name)
        .outerjoin(staff, staff.c.id == TicketMessage.created_by_id)
        .where(TicketMessage.ticket_id == record.id)
        .order_by(TicketMessage.created_at.desc(), TicketMessage.id.desc())
        .limit(_SHOWN)
    )
    rows = list(reversed(session.execute(newest).all()))
    wanted = sa.select(Attachment).where(
        sa.or_(Attachment.ticket_message_id.in_([row.id for row, _name in rows]), Attachment.ticket_id == record.id)
    )
    files: dict[int | None, list[dict[str, str]]] = {}
    for file in session.scalars(wanted.order_by(Attachment.id)):
        shown = {"name": file.name, "url": url_for("AttachmentView.file", pk=file.id)}
        files.setdefault(file.ticket_message_id, []).append(shown)
    return [_message(row, author or "", files.get(row.id, [])) for row, author in rows], files.get(None, [])


def _message(message: TicketMessage, author: str, files: list[dict[str, str]]) -> dict[str, Any]:
    incoming = message.direction is Direction.incoming
    return {
        "key": message.id,
        "kind": "theirs" if incoming else "note" if message.visibility is Visibility.internal else "ours",
        "who": _("Client") if incoming else author,
        "via": message.channel.label,
        "when": show.when(message.created_at),
        "when_iso": message.created_at.isoformat(),
        "lines": message.body.splitlines(),
        "files": files,
    }


def _replies(session: RecordSession, record: Ticket, actor: Actor) -> list[dict[str, str]]:
    """Return the quick replies of the ticket's queue, with its names in them."""
    if not actor.may(Action.read, QuickReply):
        return []
    words = words_of(record, actor)
    rows = find_replies(session, [record.queue_id])
    return [{"name": name, "text": fill(body, words)} for _key, name, body in rows]


def _time(record: Ticket, actor: Actor, worked: Worked) -> dict[str, Any]:
    readable = actor.may(Action.read, TimeEntry)
    return {
        "worked": span(worked.minutes),
        "charged": span(worked.charged) if worked.charged not in (0, worked.minutes) else None,
        "may_add": actor.may(Action.create, TimeEntry) and record.state not in (S.closed_final, S.archived, S.rejected),
        "categories": [(category.value, category.label) for category in ActivityCategory],
        "list_url": addresses.record_url(record, tab="time_entry.ticket") if readable else None,
    }


def _packages(session: RecordSession, record: Ticket, actor: Actor) -> list[dict[str, Any]]:
    """Return the packages that would pay, in the order in which they do."""
    if not record.queue.requires_package or record.company_id is None or not actor.may(Action.read, SupportPackage):
        return []
    order = (SupportPackage.valid_to.is_(None), SupportPackage.valid_to, SupportPackage.id)
    rows = session.scalars(sa.select(SupportPackage).where(usable(record.company_id, clock.today())).order_by(*order))
    return [
        {
            "number": row.number,
            "url": addresses.record_url(row),
            "left": span(row.residual_minutes),
            "bought": row.purchased_minutes,
            "used": row.purchased_minutes - row.residual_minutes,
            "until": show.cell(row, fields(SupportPackage)["valid_to"], actor).text,
        }
        for row in rows
    ]


def _around(
    session: RecordSession, record: Ticket, actor: Actor, asked: list[Any]
) -> tuple[list[dict[str, Any]], Worked, list[Any]]:
    """Return calls, complaints and changes of the ticket, as far as the actor sees them, the work of all, and the
    answers to what is ``asked``.

    In one statement, because every look at a ticket asks.
    """
    table = TimeEntry.__table__
    sums: list[Any] = [
        sa.select(sa.func.coalesce(sa.func.sum(column), 0)).where(table.c.ticket_id == Ticket.id).scalar_subquery()
        for column in (table.c.minutes, table.c.charged_minutes)
    ]
    kinds: tuple[tuple[Any, str], ...] = (
        (Call, _("Calls")),
        (Complaint, _("Complaints")),
        (ChangeRequest, _("Change requests")),
    )
    sums.append(has_visits(record))
    before = len(sums) + len(asked)
    wanted = sa.select(*sums, *asked, *(entity for entity, _title in kinds))
    wanted = wanted.select_from(Ticket).where(Ticket.id == record.id)
    for entity, _title in kinds:
        other = aliased(entity)
        newest = sa.select(other.id).where(other.ticket_id == record.id).order_by(other.id.desc()).limit(_BESIDE)
        wanted = wanted.outerjoin(entity, sa.and_(entity.ticket_id == Ticket.id, entity.id.in_(newest)))
    found = session.execute(wanted.order_by(*(entity.id.desc() for entity, _title in kinds))).all()
    parts = []
    for place, (kind, title) in enumerate(kinds, before):
        rows = dict.fromkeys(row[place] for row in found if row[place] is not None)
        if rows and actor.may(Action.read, kind):
            parts.append({"title": title, "rows": [_beside(row, actor) for row in rows]})
    return parts, Worked(*found[0][: len(sums)]), list(found[0][len(sums) : before])


def _beside(row: Any, actor: Actor) -> dict[str, Any]:
    return {
        "name": show.label(row, actor),
        "url": addresses.record_url(row),
        "state": show.cell(row, fields(type(row))["state"], actor),
        "when": show.when(row.created_at),
    }


def others_of(record: Ticket) -> list[str]:
    """Return the filters of all open tickets of the same client."""
    return [f"company:in:{record.company_id}", "state:in:" + ",".join(OPEN_STATES)]


def _client(session: RecordSession, record: Ticket, actor: Actor) -> dict[str, Any]:
    known = ((fields(Ticket)[name], _cell(record, name, actor)) for name in _FACTS)
    rows = [{"label": field.label, "cell": cell} for field, cell in known if not cell.empty]
    company = record.company
    found: dict[str, Any] = {"rows": rows, "notes": None, "others_url": None}
    if company is None:
        return found
    if "notes" in fields(Company) and "notes" not in actor.masked(Company) and actor.may(Action.read, Company):
        found["notes"] = company.notes
    found["others_url"] = addresses.list_url(Ticket, f=others_of(record))
    return found
