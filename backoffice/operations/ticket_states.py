"""The lifecycle of tickets, from qualification to the archive (chapter 4.6)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import force_locale
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import get_history

from backoffice import clock
from backoffice.access import INTERNAL, context_of
from backoffice.actors import Action, Actor
from backoffice.errors import DomainError
from backoffice.lifecycles import Machine, Transition, register
from backoffice.operations.change_requests import REQUEST_CHANGE, require_pending
from backoffice.operations.complaints import COMPLAIN
from backoffice.operations.escalation_mails import tell_second_level
from backoffice.operations.package_ledger import time_left
from backoffice.operations.preferences import language_of
from backoffice.operations.ticket_links import MERGE
from backoffice.operations.ticket_mails import (
    tell_assignee,
    tell_of_closing,
    tell_of_end,
    tell_of_message,
    tell_of_missing_package,
    tell_of_rejection,
)
from backoffice.operations.ticket_opening import OPENING
from models.account import Account, AccountState
from models.escalation import Escalation, EscalationState
from models.ticket import ClosureReason, Ticket, TicketState
from models.ticket_message import TicketMessage, Visibility
from models.time_entry import TimeEntry
from models.values import Minutes

S = TicketState

#: States of work not yet done.
OPEN = (
    S.qualification,
    S.waiting_package,
    S.waiting_quote,
    S.assigned,
    S.in_progress,
    S.waiting_customer,
    S.waiting_l2,
    S.waiting_change,
    S.on_site_planned,
    S.reopened,
)


class PackageMissing(DomainError):
    """PK-02: the queue works within support packages, and none is active."""

    template = _l("The company has no active support package: the ticket waits for one.")


class ConsentMissing(DomainError):
    """TK-36: the requester withdrew the consent that assistance needs."""

    template = _l("The requester has withdrawn consent: nothing can be done for now.")


#: What is written as the solution of a ticket that ended so.
_WITHOUT_CONSENT = _l("Closed because the consent that assistance needs was withdrawn.")


class WindowOver(DomainError):
    template = _l("The time for reopening is over: open a new ticket that follows it.")


class NotSecondLevel(DomainError):
    template = _l("This team is no second level.")


class EstimateTooLong(DomainError):
    """PK-03: what the intervention needs beyond the hours in hand takes another package."""

    template = _l("It is estimated at %(estimate)s, and %(left)s are left: the ticket waits for another package.")


class TypeMissing(DomainError):
    template = _l("Say what type of request it was before closing it.")


class KindMissing(DomainError):
    """PK-06: within packages, ordinary and extraordinary assistance are told apart."""

    template = _l("Say whether it was ordinary or extraordinary assistance before closing it.")


class TimeMissing(DomainError):
    """TK-29: this queue closes tickets with the time worked on them."""

    template = _l("Enter the time worked on it before closing it.")


def _may_be_worked(session: Session, ticket: Ticket, _values: Mapping[str, Any], _actor: Actor) -> None:
    """Raise unless consent and package, where the queue asks for them, are there."""
    queue = ticket.queue
    if queue.requires_consent and _has_no_consent(session, ticket):
        raise ConsentMissing
    needs_package = queue.requires_package and not ticket.covered_by_quote
    if not needs_package:
        return
    left = time_left(session, ticket.company_id, clock.today())
    if not left:
        raise PackageMissing
    if ticket.estimated_minutes is not None and ticket.estimated_minutes > left:
        raise EstimateTooLong(estimate=Minutes().show(ticket.estimated_minutes), left=Minutes().show(left))


def _has_no_consent(session: Session, ticket: Ticket) -> bool:
    """Say whether the requester has withdrawn the consent, whether the actor may see their account or not."""
    if ticket.account is not None:
        return ticket.account.state is AccountState.consent_revoked
    account = Account.__table__
    state = sa.select(account.c.state).where(account.c.id == ticket.account_id)
    return session.scalar(state, execution_options=INTERNAL) is AccountState.consent_revoked


#: Closed for one of these, nothing was done that takes time or a category.
_NOTHING_DONE = (ClosureReason.duplicate, ClosureReason.not_competent, ClosureReason.spam)


def _may_be_closed(session: Session, ticket: Ticket, values: Mapping[str, Any], _actor: Actor) -> None:
    """Raise unless type, kind of assistance and time, as far as the queue asks for them, are there."""
    given = {"request_type": ticket.request_type, "assistance_kind": ticket.assistance_kind}
    gap = closing_gap(ticket, values["closure_reason"], given, has_time=lambda: bool(worked_on(session, [ticket.id])))
    if gap is not None:
        raise gap


def closing_gap(
    ticket: Ticket, reason: ClosureReason | None, given: Mapping[str, Any], *, has_time: Callable[[], bool]
) -> DomainError | None:
    """Return what is still missing for a ticket to be closed for ``reason``, or None (TK-29, PK-06).

    ``given``: its type and kind of assistance, as they will be by then.
    """
    if reason in _NOTHING_DONE:
        return None
    if not given["request_type"]:
        return TypeMissing()
    if ticket.queue.requires_package and not given["assistance_kind"]:
        return KindMissing()
    return TimeMissing() if ticket.queue.requires_time and not has_time() else None


def worked_on(session: Session, keys: Collection[int]) -> set[int]:
    """Return those of the tickets, by key, on which time was entered."""
    table = TimeEntry.__table__
    wanted = sa.select(table.c.ticket_id).where(table.c.ticket_id.in_(keys)).distinct()
    return set(session.scalars(wanted, execution_options=INTERNAL))


def _take_charge(_session: Session, ticket: Ticket, _values: Mapping[str, Any], actor: Actor) -> None:
    ticket.taken_at = ticket.taken_at or clock.now()
    if actor.staff_id is not None:
        ticket.assignee_id = actor.staff_id


def _ask_client(session: Session, ticket: Ticket, values: Mapping[str, Any], _actor: Actor) -> None:
    body, public = values["body"], Visibility.public
    question = TicketMessage(ticket=ticket, visibility=public, body=body, is_demo=ticket.is_demo)
    session.add(question)
    tell_of_message(session, question, event="ticket_question")


def _note(session: Session, ticket: Ticket, values: Mapping[str, Any], _actor: Actor) -> None:
    session.add(TicketMessage(ticket=ticket, body=values["body"], is_demo=ticket.is_demo))


def _has_change(session: Session, ticket: Ticket, _values: Mapping[str, Any], _actor: Actor) -> None:
    require_pending(session, ticket)


def _is_second_level(_session: Session, _ticket: Ticket, values: Mapping[str, Any], _actor: Actor) -> None:
    if values["to_team"].level < 2:
        raise NotSecondLevel(field="to_team")


def _pass_on(session: Session, ticket: Ticket, values: Mapping[str, Any], _actor: Actor) -> None:
    """Leave the ticket to the second level, with all that is known and was tried (ES-05)."""
    escalation = Escalation(ticket=ticket, from_team=ticket.team, is_demo=ticket.is_demo, **values)
    session.add(escalation)
    tell_second_level(session, escalation)
    ticket.problem, ticket.workaround = values["description"], values["workaround"]
    ticket.team, ticket.assignee = values["to_team"], None


def _end_escalation(session: Session, ticket: Ticket, _values: Mapping[str, Any], _actor: Actor) -> None:
    """What comes back without a word of what is missing is solved; it goes to who passed it on, or whom one chooses."""
    running = sa.select(Escalation).where(Escalation.ticket_id == ticket.id, Escalation.ended_at.is_(None))
    for escalation in session.scalars(running):
        if ticket.team is escalation.to_team:  # as the form has it: the team that it leaves
            ticket.team = escalation.from_team or ticket.queue.team or ticket.team
        if escalation.ended_at is None:  # else it is the one whose own verb is sending the ticket back
            escalation.state, escalation.ended_at = EscalationState.solved, clock.now()


def _close(session: Session, ticket: Ticket, values: Mapping[str, Any], actor: Actor) -> None:
    """Close with the queue's window for reopening; where it has none, at once for good."""
    now = clock.now()
    ticket.first_closed_at = ticket.first_closed_at or now
    ticket.reopen_until = now + timedelta(hours=ticket.queue.reopen_window_hours)
    if ticket.queue.reopen_window_hours == 0:
        ticket.state = S.closed_final
        _end(session, ticket, values, actor)
    else:
        tell_of_closing(session, ticket)


def _end(session: Session, ticket: Ticket, _values: Mapping[str, Any], _actor: Actor) -> None:
    ticket.closed_at = clock.now()
    tell_of_end(session, ticket)


def _end_hold(session: Session, ticket: Ticket, values: Mapping[str, Any], actor: Actor) -> None:
    """Close for good what nobody may work on, and tell whoever opened it why (A-38)."""
    ticket.first_closed_at, ticket.state_before = ticket.first_closed_at or clock.now(), None
    with force_locale(language_of(session, ticket.account_id).value):
        ticket.solution = ticket.solution or str(_WITHOUT_CONSENT)
    _end(session, ticket, values, actor)


def _reject(session: Session, ticket: Ticket, _values: Mapping[str, Any], _actor: Actor) -> None:
    """End it here; who sends unsolicited mail gets no answer."""
    ticket.closed_at = clock.now()
    if ticket.closure_reason is not ClosureReason.spam:
        tell_of_rejection(session, ticket)


def _tell_assignee(session: Session, ticket: Ticket, values: Mapping[str, Any], _actor: Actor) -> None:
    # The relation is set, but its key only by the flush that follows: without it the old assignee would be told.
    assignee = values.get("assignee")
    ticket.assignee_id = assignee.id if assignee is not None else None
    tell_assignee(session, ticket, "ticket_assigned")


def _tell_of_package(session: Session, ticket: Ticket, _values: Mapping[str, Any], _actor: Actor) -> None:
    tell_of_missing_package(session, ticket)


def _within_window(_session: Session, ticket: Ticket, _values: Mapping[str, Any], _actor: Actor) -> None:
    if ticket.reopen_until is not None and ticket.reopen_until < clock.now():
        raise WindowOver


def _reopen(session: Session, ticket: Ticket, values: Mapping[str, Any], actor: Actor) -> None:
    ticket.reopen_until = None
    ticket.reopen_count += 1
    if context_of(session).account_id is None:  # a client's own message says why
        _note(session, ticket, values, actor)
    tell_assignee(session, ticket, "ticket_reopened")


def _remember_state(_session: Session, ticket: Ticket, _values: Mapping[str, Any], _actor: Actor) -> None:
    ticket.state_before = next(iter(get_history(ticket, "state").deleted))


def _return_to_state(_session: Session, ticket: Ticket, _values: Mapping[str, Any], _actor: Actor) -> None:
    ticket.state, ticket.state_before = ticket.state_before or S.qualification, None


_QUALIFYING = (
    Transition(
        name="assign",
        label=_l("Assign the ticket"),
        sources=(S.qualification, S.assigned),
        target=S.assigned,
        icon="person-check",
        tone="primary",
        inputs=("request_type", "priority", "assistance_kind", "estimated_minutes", "team", "assignee"),
        optional=("assistance_kind", "estimated_minutes", "assignee"),
        effect=_tell_assignee,
        may_leave=(Ticket,),
    ),
    Transition(
        name="wait_for_package",
        label=_l("Wait for a package"),
        sources=(S.qualification, S.in_progress),
        target=S.waiting_package,
        icon="hourglass-split",
        effect=_tell_of_package,
    ),
    Transition(
        name="wait_for_quote",
        label=_l("Wait for a quote"),
        sources=(S.qualification,),
        target=S.waiting_quote,
        icon="receipt",
    ),
    Transition(
        name="qualify",
        label=_l("Back to qualification"),
        sources=(S.waiting_package, S.waiting_quote),
        target=S.qualification,
        icon="funnel",
        tone="primary",
        confirm=_l("The package is active, or the quote accepted."),
    ),
    Transition(
        name="reject",
        label=_l("Reject the request"),
        sources=(S.qualification,),
        target=S.rejected,
        icon="x-circle",
        tone="danger",
        inputs=("closure_reason",),
        effect=_reject,
        confirm=_l("The ticket ends here; say why."),
    ),
)

_WORKING = (
    Transition(
        name="take_charge",
        label=_l("Take charge"),
        sources=(S.assigned, S.reopened),
        target=S.in_progress,
        icon="play-circle",
        tone="primary",
        guard=_may_be_worked,
        effect=_take_charge,
        confirm=_l("You become the one who works on it."),
    ),
    Transition(
        name="ask_customer",
        label=_l("Ask the client"),
        sources=(S.in_progress,),
        target=S.waiting_customer,
        icon="chat-dots",
        asks=TicketMessage,
        inputs=("body",),
        effect=_ask_client,
        confirm=_l("The client reads your question; the ticket waits for the answer."),
    ),
    Transition(
        name="wait_for_change",
        label=_l("Wait for a change"),
        sources=(S.in_progress,),
        target=S.waiting_change,
        icon="tools",
        guard=_has_change,
    ),
    Transition(
        name="plan_visit",
        label=_l("Plan a visit"),
        sources=(S.in_progress,),
        target=S.on_site_planned,
        icon="geo-alt",
        inputs=("due_at",),
    ),
    Transition(
        name="resume",
        label=_l("Go on working"),
        sources=(S.waiting_customer, S.waiting_change, S.on_site_planned),
        target=S.in_progress,
        icon="play-circle",
        tone="primary",
    ),
    Transition(
        name="escalate",
        label=_l("Pass to the second level"),
        sources=(S.in_progress,),
        target=S.waiting_l2,
        icon="arrow-up-circle",
        asks=Escalation,
        inputs=("to_team", "reason", "description", "actions", "workaround"),
        guard=_is_second_level,
        effect=_pass_on,
        confirm=_l("Describe the problem and what has been tried; the second level starts from there."),
        right=Action.update,
        also=((Action.create, Escalation),),
        may_leave=(Ticket, Escalation),
    ),
    Transition(
        name="return",
        label=_l("Return to the first level"),
        sources=(S.waiting_l2,),
        target=S.in_progress,
        icon="arrow-down-circle",
        inputs=("team", "assignee"),
        optional=("assignee",),
        effect=_end_escalation,
        also=((Action.transition, Escalation),),
        may_leave=(Ticket, Escalation),
    ),
)

_CLOSING = (
    Transition(
        name="close",
        label=_l("Close the ticket"),
        sources=(S.in_progress,),
        target=S.closed_provisional,
        icon="check-circle",
        tone="primary",
        inputs=("solution", "closure_reason"),
        guard=_may_be_closed,
        effect=_close,
        confirm=_l("The client reads the solution and may reopen the ticket within the window of its queue."),
    ),
    Transition(
        name="reopen",
        label=_l("Reopen the ticket"),
        sources=(S.closed_provisional,),
        target=S.reopened,
        icon="arrow-counterclockwise",
        asks=TicketMessage,
        inputs=("body",),
        guard=_within_window,
        effect=_reopen,
        confirm=_l("Say why; it is kept as an internal note."),
    ),
    Transition(
        name="close_for_good",
        label=_l("Close for good"),
        sources=(S.closed_provisional,),
        target=S.closed_final,
        effect=_end,
        automatic=True,
    ),
    Transition(name="archive", label=_l("Archive"), sources=(S.closed_final,), target=S.archived, automatic=True),
    Transition(
        name="archive_anew", label=_l("Archive anew"), sources=(S.archived,), target=S.closed_final, automatic=True
    ),
    Transition(
        name="hold",
        label=_l("Put on hold"),
        sources=OPEN,
        target=S.on_hold_consent,
        effect=_remember_state,
        automatic=True,
    ),
    Transition(
        name="release",
        label=_l("Take off hold"),
        sources=(S.on_hold_consent,),
        target=None,
        effect=_return_to_state,
        automatic=True,
    ),
    Transition(
        name="end_hold",
        label=_l("Close without consent"),
        sources=(S.on_hold_consent,),
        target=S.closed_final,
        icon="x-circle",
        tone="danger",
        effect=_end_hold,
        confirm=_l("The ticket ends here for good; whoever opened it reads in a mail that consent was withdrawn."),
    ),
)

TICKETS = register(
    Machine(Ticket, "state", (*_QUALIFYING, *_WORKING, MERGE, REQUEST_CHANGE, COMPLAIN, *_CLOSING), OPENING)
)
