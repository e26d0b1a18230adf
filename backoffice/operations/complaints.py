"""Complaints: recorded from a ticket, a call or by themselves, analysed, decided on and answered (TK-27, N-45)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import force_locale
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import INTERNAL, as_product, context_of, next_number
from backoffice.actors import Action, Actor
from backoffice.errors import DomainError, Text
from backoffice.lifecycles import Machine, Transition, register, seen
from backoffice.mail.rendering import Audience, register_template
from backoffice.operations.notices import Recipient, person_of, tell
from backoffice.operations.plain import after_create, before_create, create_record
from backoffice.setting_keys import COMPLAINT_ANSWER_DAYS
from backoffice.settings import setting_value
from models.call import Call, CallState
from models.complaint import ActionKind, Complaint, ComplaintState
from models.ticket import Ticket, TicketState
from models.ticket_message import Direction, TicketMessage

S = ComplaintState
#: So much of what was said last is proposed as the complaint.
_PROPOSED = 4000


class ActionMissing(DomainError):
    template = _l("Say what is done because of it.")


class ComplaintThere(DomainError):
    """One complaint a ticket: what is said later belongs to it."""

    template = _l("Complaint %(number)s is about this ticket already.")
    status = 409


@before_create(Complaint)
def _complete(session: Session, complaint: Complaint, *, actor: Actor) -> None:
    """Give a new complaint its number, and what follows from ticket, call or contract."""
    ticket, call = complaint.ticket, complaint.call
    sources = [row for row in (ticket, call, complaint.contract, complaint.contact) if row is not None]
    if complaint.company is None:
        complaint.company = next((row.company for row in sources if row.company is not None), None)
    for row in (ticket, call):
        if row is not None:
            complaint.contact = complaint.contact or row.contact
            complaint.contract = complaint.contract or row.contract
    if call is not None:
        complaint.complainant = complaint.complainant or call.caller_name
        complaint.email = complaint.email or call.caller_email
    if ticket is not None and complaint.account is None:
        complaint.account_id = ticket.account_id
    owner = next((row for row in (*sources, complaint.company) if row is not None), None)
    group_id = owner.group_id if owner is not None else context_of(session).actor.group_id
    assert group_id is not None
    complaint.group_id = group_id
    if complaint.received_on is None:
        complaint.received_on = clock.today()  # type: ignore[unreachable]  # a new one may have none yet
    if complaint.answer_by is None and (days := setting_value(session, COMPLAINT_ANSWER_DAYS, group_id)):
        complaint.answer_by = complaint.received_on + timedelta(days=days)
    complaint.number = complaint.number or draw_number(session, group_id)


def draw_number(session: Session, group_id: int) -> str:
    """Return the next number of the group's complaints, such as ``RE-12``; two at once never get the same."""
    return f"RE-{next_number(session, 'corporate_group', group_id, 'last_complaint_number')}"


@after_create(Complaint)
def _confirm(session: Session, complaint: Complaint, *, actor: Actor) -> None:
    _tell(session, complaint, "complaint_received", {"text": complaint.description})


def _complainant(session: Session, complaint: Complaint) -> Recipient | None:
    """Return where the answer goes: the contact's address, else the one that was given; the actor may see neither."""
    with as_product(session):
        known = person_of(complaint.contact)
    if known is not None or complaint.email is None:
        return known
    return Recipient(complaint.complainant or complaint.email, complaint.email)


def _tell(session: Session, complaint: Complaint, event: str, values: Mapping[str, Any]) -> None:
    tell(session, event, _complainant(session, complaint), {"number": complaint.number, **values}, about=complaint)


def _needs_action(_session: Session, _complaint: Complaint, values: Mapping[str, Any], _actor: Actor) -> None:
    if values["action_kind"] is not ActionKind.none and values.get("corrective_action") is None:
        raise ActionMissing(field="corrective_action")


def _decide(_session: Session, complaint: Complaint, _values: Mapping[str, Any], actor: Actor) -> None:
    complaint.decided_by_id, complaint.decided_at = actor.staff_id, clock.now()


def _answer(session: Session, complaint: Complaint, values: Mapping[str, Any], _actor: Actor) -> None:
    complaint.answered_at = clock.now()
    recipient = _complainant(session, complaint)
    if recipient is None or complaint.action_kind is None:
        return
    with force_locale(recipient.language.value):
        action = str(complaint.action_kind.label)
    _tell(session, complaint, "complaint_answered", {"text": values["outcome"], "action": action})


def _how_answered(session: Session, complaint: Complaint) -> Text:
    if _complainant(session, complaint) is None:
        return _l("There is no address: tell the person, and write here what was said.")
    return _l("The answer leaves by mail, with what is done because of the complaint.")


def _close(_session: Session, complaint: Complaint, _values: Mapping[str, Any], _actor: Actor) -> None:
    complaint.closed_at = clock.now()


COMPLAINTS = register(
    Machine(
        Complaint,
        "state",
        (
            Transition(
                name="analyse",
                label=_lp("complaint", "Begin the analysis"),
                sources=(S.received,),
                target=S.in_analysis,
                icon="search",
                tone="primary",
            ),
            Transition(
                name="decide",
                label=_lp("complaint", "Record analysis and decision"),
                sources=(S.received, S.in_analysis),
                target=S.decided,
                icon="check2-square",
                tone="primary",
                inputs=("analysis", "action_kind", "corrective_action"),
                optional=("corrective_action",),
                guard=_needs_action,
                effect=_decide,
                confirm=_l("Say what was found, and what is done because of it."),
            ),
            Transition(
                name="answer",
                label=_lp("complaint", "Answer"),
                sources=(S.decided,),
                target=S.answered,
                icon="reply",
                tone="primary",
                inputs=("outcome",),
                effect=_answer,
                confirm=_how_answered,
            ),
            Transition(
                name="close",
                label=_lp("complaint", "Close the complaint"),
                sources=(S.decided, S.answered),
                target=S.closed,
                icon="check-circle-fill",
                effect=_close,
            ),
        ),
    )
)


def _is_first(session: Session, ticket: Ticket, _values: Mapping[str, Any], _actor: Actor) -> None:
    require_first(session, ticket)


def require_first(session: Session, ticket: Ticket) -> None:
    """Raise ``ComplaintThere`` where there is a complaint about a ticket already."""
    table = Complaint.__table__
    known = session.scalar(sa.select(table.c.number).where(table.c.ticket_id == ticket.id), execution_options=INTERNAL)
    if known is not None:
        raise ComplaintThere(number=known)


def _of_ticket(session: Session, ticket: Ticket) -> Mapping[str, Any]:
    """Propose what the client said last, else the request itself."""
    said = sa.select(TicketMessage).where(
        TicketMessage.ticket_id == ticket.id, TicketMessage.direction == Direction.incoming
    )
    last = session.scalars(said.order_by(TicketMessage.id.desc()).limit(1)).first()
    words = seen(session, ticket, "description") if last is None else seen(session, last, "body")
    channel = ticket.channel if last is None else last.channel
    return {"description": (words or "")[:_PROPOSED], "channel": channel, "received_on": clock.today()}


def _record(session: Session, ticket: Ticket, values: Mapping[str, Any], actor: Actor) -> None:
    create_record(session, Complaint, {**values, "ticket": ticket.id}, actor=actor)


def _record_call(session: Session, call: Call, values: Mapping[str, Any], actor: Actor) -> None:
    """A call about a ticket is a complaint about that ticket, unless there is one already."""
    table = Complaint.__table__
    known = sa.select(table.c.id).where(table.c.ticket_id == call.ticket_id).limit(1)
    is_free = call.ticket_id is not None and session.scalar(known, execution_options=INTERNAL) is None
    about = {"call": call.id, "channel": call.channel.value, "ticket": call.ticket_id if is_free else None}
    create_record(session, Complaint, {**values, **about}, actor=actor)


def _of_call(session: Session, call: Call) -> Mapping[str, Any]:
    received_on = call.started_at.astimezone(clock.ROME).date()
    return {"description": seen(session, call, "description"), "received_on": received_on}


_NAME: dict[str, Any] = {
    "name": "complain",
    "label": _l("Record a complaint"),
    "icon": "megaphone",
    "asks": Complaint,
    "target": None,
    "right": Action.update,
    "also": ((Action.create, Complaint),),
    "confirm": _l(
        "It gets a number of its own and stays linked; whoever complains is told, where there is an address."
    ),
}
#: The verbs with which a ticket and a call become a complaint.
COMPLAIN = Transition(
    **_NAME,
    sources=tuple(state for state in TicketState if state is not TicketState.archived),
    inputs=("received_on", "channel", "description"),
    propose=_of_ticket,
    guard=_is_first,
    effect=_record,
)
COMPLAIN_OF_CALL = Transition(
    **_NAME,
    sources=tuple(state for state in CallState if state not in (CallState.voicemail, CallState.callback_due)),
    inputs=("received_on", "description"),
    propose=_of_call,
    effect=_record_call,
)

register_template(
    "complaint_received",
    _l("Complaint received"),
    {"name": "Beatrice Togni", "number": "RE-12", "text": "Il guasto dura da una settimana."},
    bell=Audience.clients,
    for_clients=True,
    always_mailed=True,
)
register_template(
    "complaint_answered",
    _l("Complaint answered"),
    {"name": "Beatrice Togni", "number": "RE-12", "text": "Ce ne scusiamo.", "action": "Miglioramento del servizio"},
    bell=Audience.clients,
    for_clients=True,
    always_mailed=True,
)
