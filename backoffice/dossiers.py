"""Papers about records: the dossier of a ticket or of an activation, the report of a visit, the statement of hours.

A dossier says who decided what and when, each message with its Message-ID and the mail server's answer, each file with
its SHA-256. It holds what its reader may see of the record, and no more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from backoffice import clock
from backoffice.access import INTERNAL
from backoffice.actors import Action, Actor
from backoffice.database import RecordSession
from backoffice.paper import Block, Facts, Grid, Heading, Paper, Prose, Signatures
from backoffice.records import show, timeline
from models.activation_check import ActivationCheck
from models.activation_request import ActivationRequest
from models.attachment import Attachment
from models.base import Recorded
from models.catalogue import Field, fields
from models.escalation import Escalation
from models.inbound_mail import InboundMail
from models.intervention import Intervention
from models.outbox_mail import OutboxMail
from models.package_movement import PackageMovement
from models.support_package import SupportPackage
from models.ticket import Ticket
from models.ticket_clock import TicketClock
from models.ticket_message import Direction, TicketMessage, Visibility
from models.time_entry import TimeEntry
from models.values import Minutes

#: Entries of the history read for one paper.
MOST_ENTRIES = 2000
_TICKET_FACTS = (
    *("company", "contact", "queue", "request_type", "channel", "requested_urgency", "priority", "assistance_kind"),
    *("state", "created_at", "taken_at", "first_closed_at", "closed_at", "reopen_count", "contract", "service"),
)
_REQUEST_FACTS = (
    *("company", "requester_name", "email", "phone", "channel", "state", "created_at", "question", "answer"),
    *("proposal", "accepted_by", "acceptance_evidence", "refusal", "answer_text"),
)
_VISIT_FACTS = (
    *("company", "ticket", "mode", "site", "team", "requested_by", "requested_at", "planned_at"),
    *("arrived_at", "ended_at", "state", "entitlement"),
)


def ticket_dossier(session: RecordSession, ticket: Ticket, actor: Actor) -> Paper:
    """Return everything about a ticket, in the order in which it happened."""
    own = Attachment.ticket_id == ticket.id
    of_messages = Attachment.ticket_message_id.in_(
        sa.select(TicketMessage.id).where(TicketMessage.ticket_id == ticket.id).scalar_subquery()
    )
    blocks: list[Block] = [
        Facts(_facts(ticket, _TICKET_FACTS, actor)),
        Heading(_("Request")),
        Prose(_seen(ticket, "description", actor)),
        *_if_any(_("Solution"), [Prose(_seen(ticket, "solution", actor))] if ticket.solution else []),
        *_if_any(_("Messages"), list(_messages(session, ticket, actor))),
        *_if_any(_("Second level"), list(_escalations(session, ticket, actor))),
        *_if_any(_("Promises"), [_clocks(session, ticket, actor)]),
        *_if_any(_("Working time"), [_entries(session, ticket, actor)]),
        *_around(session, ticket, actor, sa.or_(own, of_messages)),
    ]
    return Paper(f"{ticket.number} {ticket.subject}", _made(ticket), blocks)


def request_dossier(session: RecordSession, request: ActivationRequest, actor: Actor) -> Paper:
    """Return everything about an activation request: the checks, what was decided on what, and what was answered."""
    found = sa.select(ActivationCheck).where(ActivationCheck.request_id == request.id).order_by(ActivationCheck.id)
    checks = [
        (str(check.item.online_service), str(check.kind.label), str(check.state.label), check.detail or "")
        for check in session.scalars(found)
    ]
    decided = [(str(item.online_service), str(item.state.label), _seen(item, "note", actor)) for item in request.items]
    blocks: list[Block] = [
        Facts(_facts(request, _REQUEST_FACTS, actor)),
        *_if_any(_("Decisions"), [Grid((_("Service"), _("Decision"), _("Note")), decided, (3, 2, 4))]),
        *_if_any(
            _("Checks"), [Grid((_("Service"), _("Check"), _("Outcome"), _("What it rests on")), checks, (2, 2, 2, 5))]
        ),
        *_around(session, request, actor, Attachment.activation_request_id == request.id),
    ]
    return Paper(str(request), _made(request), blocks)


def visit_report(session: RecordSession, visit: Intervention, actor: Actor) -> Paper:
    """Return the report of an intervention, with room for two signatures (OS-05)."""
    files = Attachment.intervention_id == visit.id
    blocks: list[Block] = [
        Facts(_facts(visit, _VISIT_FACTS, actor)),
        Heading(_("Request")),
        Prose(_seen(visit.ticket, "description", actor)),
        Heading(_("What was done")),
        Prose(visit.outcome or "\n\n\n\n"),
        *_if_any(_("Files"), [_files(session, files)]),
        Signatures((_("For the client"), _("For us"), _("Day"))),
    ]
    return Paper(_("Report of intervention %(name)s", name=visit), _made(visit), blocks)


def hours_statement(session: RecordSession, package: SupportPackage, actor: Actor) -> Paper:
    """Return the movements of a support package with the balance after each (PK-12, PK-15)."""
    rows, balance, hidden = [], 0, "ticket" in actor.masked(PackageMovement)
    wanted = sa.select(PackageMovement).where(PackageMovement.package_id == package.id).order_by(PackageMovement.id)
    for movement in session.scalars(wanted):
        balance += movement.minutes
        ticket = "" if hidden else show.cell(movement, fields(PackageMovement)["ticket"], actor).text
        told = (_moment(movement.created_at), str(movement.kind.label), ticket, movement.note or "")
        rows.append((*told, _time(movement.minutes), _time(balance)))
    names = ("type", "state", "purchased_minutes", "residual_minutes", "valid_from", "valid_to")
    headings = (_("When"), _("Kind"), _("Ticket"), _("Note"), _("Time"), _("Left"))
    blocks: list[Block] = [
        # Their own name is masked from nobody: the paper goes to their office.
        Facts([(str(fields(SupportPackage)["company"].label), str(package.company)), *_facts(package, names, actor)]),
        Heading(_("Movements")),
        Grid(headings, rows, (3, 2, 2, 5, 2, 2), right=(4, 5)),
    ]
    return Paper(_("Statement of hours %(name)s", name=package), _made(package), blocks)


def _around(session: RecordSession, record: Recorded, actor: Actor, files: Any) -> Iterator[Block]:
    """Yield what every dossier ends with: files, mails and the history."""
    yield from _if_any(_("Files"), [_files(session, files)])
    yield from _if_any(_("Mails"), [_mails(session, record, actor)])
    yield from _if_any(_("History"), [_history(session, record, actor)])


def _if_any(heading: str, blocks: Sequence[Block]) -> list[Block]:
    kept = [block for block in blocks if not isinstance(block, Grid) or block.rows]
    return [Heading(heading), *kept] if kept else []


def _messages(session: RecordSession, ticket: Ticket, actor: Actor) -> Iterator[Block]:
    wanted = sa.select(TicketMessage).where(TicketMessage.ticket_id == ticket.id)
    for message in session.scalars(wanted.order_by(TicketMessage.created_at, TicketMessage.id)):
        internal = message.visibility is Visibility.internal
        who = _("Client") if message.direction is Direction.incoming else _("Internal note") if internal else _("We")
        yield Prose(_seen(message, "body", actor), f"{_moment(message.created_at)} · {who} · {message.channel.label}")


def _escalations(session: RecordSession, ticket: Ticket, actor: Actor) -> Iterator[Block]:
    names = ("to_team", "reason", "state", "description", "actions", "workaround", "missing", "outcome", "ended_at")
    if not actor.may(Action.read, Escalation):
        return
    for row in session.scalars(sa.select(Escalation).where(Escalation.ticket_id == ticket.id).order_by(Escalation.id)):
        yield Facts(_facts(row, names, actor))


def _clocks(session: RecordSession, ticket: Ticket, actor: Actor) -> Grid:
    known = fields(TicketClock)
    names = ("kind", "policy", "started_at", "due_at", "met_at", "state")
    wanted = sa.select(TicketClock).where(TicketClock.ticket_id == ticket.id).order_by(TicketClock.id)
    rows = [[_text(row, known[name], actor) for name in names] for row in session.scalars(wanted)]
    return Grid([str(known[name].label) for name in names], rows, (2, 3, 3, 3, 3, 2))


def _entries(session: RecordSession, ticket: Ticket, actor: Actor) -> Grid:
    wanted = sa.select(TimeEntry).where(TimeEntry.ticket_id == ticket.id).order_by(TimeEntry.day, TimeEntry.id)
    entries = session.scalars(wanted).all() if actor.may(Action.read, TimeEntry) else []
    rows = []
    for row in entries:
        told = (f"{row.day:%d/%m/%Y}", str(row.category.label), row.activity or "")
        rows.append((*told, _time(row.minutes), _time(row.charged_minutes)))
    return Grid((_("Day"), _("Category"), _("Activity"), _("Time"), _("Charged")), rows, (2, 3, 6, 2, 2), right=(3, 4))


def _files(session: RecordSession, condition: Any) -> Grid:
    wanted = sa.select(Attachment).where(condition).order_by(Attachment.id)
    files = session.scalars(wanted).all()
    rows = [(file.name, str(file.size_bytes), file.sha256, _moment(file.created_at)) for file in files]
    return Grid((_("File"), _("Bytes"), "SHA-256", _("Added")), rows, (4, 1.5, 7, 2.5), right=(1,))


def _mails(session: RecordSession, record: Recorded, actor: Actor) -> Grid:
    """Return the mails out and in, each with its Message-ID and, of ours, what the mail server answered."""
    table = OutboxMail.__table__
    about = sa.and_(table.c.cause_entity == record.__table__.name, table.c.cause_id == record.id)
    hidden = any(field.personal and field.name in actor.masked(type(record)) for field in fields(type(record)).values())
    rows = [
        (
            _moment(row.sent_at or row.created_at),
            show.MASK if hidden else row.recipient,
            row.subject,
            row.message_id,
            row.last_answer or str(row.state.label),
        )
        for row in session.execute(sa.select(table).where(about).order_by(table.c.id), execution_options=INTERNAL)
    ]
    if isinstance(record, Ticket):
        came = sa.select(InboundMail).where(InboundMail.ticket_id == record.id).order_by(InboundMail.id)
        rows += [
            (_moment(mail.received_at), _("from %(sender)s", sender=mail.sender_address or "–"), mail.subject,
             mail.message_id or "–", str(mail.state.label))
            for mail in session.scalars(came)
        ]  # fmt: skip
    headings = (_("When"), _("To"), _("Subject"), "Message-ID", _("Answer of the mail server"))
    return Grid(headings, rows, (2.4, 3, 3.5, 3.5, 3))


def _history(session: RecordSession, record: Recorded, actor: Actor) -> Grid:
    rows: list[tuple[str, str, str]] = []
    before: int | None = None
    while len(rows) < MOST_ENTRIES:
        entries = timeline.find_entries(session, record, actor, before=before)
        for entry in entries[: timeline.SIZE]:
            told = [
                f"{change.label}: {change.old or '–'} → {change.new or '–'}"
                for change in entry.changes
                if change.old != change.new
            ]
            rows.append((_moment(entry.at), entry.who, "\n".join([entry.sentence, "; ".join(told)]).strip()))
        if len(entries) <= timeline.SIZE:
            break
        before = entries[timeline.SIZE - 1].id
    return Grid((_("When"), _("Who"), _("What happened")), list(reversed(rows)), (2.5, 3, 9))


def _facts(record: Any, names: Sequence[str], actor: Actor) -> list[tuple[str, str]]:
    known, masked = fields(type(record)), actor.masked(type(record))
    seen = [name for name in names if name in known and name not in masked]
    return [(str(known[name].label), _text(record, known[name], actor)) for name in seen]


def _text(record: Any, field: Field, actor: Actor) -> str:
    """Return a value as paper says it: "today at 17:52" means nothing there tomorrow."""
    value = getattr(record, field.name)
    return _moment(value) if isinstance(value, datetime) else show.cell(record, field, actor).text


def _seen(record: Any, name: str, actor: Actor) -> str:
    if name in actor.masked(type(record)):
        return show.MASK
    return str(getattr(record, name, None) or "")


def _made(record: Recorded) -> str:
    when = _moment(clock.now())
    return _("%(kind)s · made on %(when)s", kind=record.__admin__.label, when=when)


def _moment(at: datetime | None) -> str:
    return f"{at.astimezone(clock.ROME):%d/%m/%Y %H:%M}" if at is not None else ""


def _time(minutes: int) -> str:
    return Minutes().show(minutes)
