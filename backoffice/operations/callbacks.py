"""When somebody who left a message is called back, and what came of it (CC-15)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import INTERNAL, as_product, context_of
from backoffice.actors import SYSTEM, Action, Actor
from backoffice.errors import DomainError
from backoffice.lifecycles import Transition
from backoffice.operations.calendars import working_calendar
from backoffice.operations.plain import after_create
from backoffice.operations.verbs import after_verb, perform
from backoffice.setting_keys import CALL_NEEDS_URGENCY, CALLBACK_RETRY
from backoffice.settings import setting_value
from backoffice.working_time import NoWorkingTime, due_time
from models.call import Call, CallOutcome, CallState
from models.support_queue import SupportQueue

S = CallState


class UrgencyMissing(DomainError):
    """CC-09: the operator says how urgent it is."""

    template = _l("Say how urgent it is.")


class TypeMissing(DomainError):
    template = _l("Choose the type of request.")


def require_sorted(session: Session, call: Call, values: Mapping[str, Any]) -> None:
    """Raise unless type and, where the organisation or the type asks for it, urgency are among ``values``.

    :raises TypeMissing: there is no type.
    :raises UrgencyMissing: there is no urgency.
    """
    kind = values.get("request_type")
    if kind is None:
        raise TypeMissing(field="request_type")
    always = setting_value(session, CALL_NEEDS_URGENCY, call.group_id)
    if values.get("urgency") is None and (always or kind.needs_urgency):
        raise UrgencyMissing(field="urgency")


def next_attempt(session: Session, call: Call, since: datetime, minutes: int = 0) -> datetime:
    """Return the first opening of the call's queue once ``minutes`` of its hours have passed since ``since``.

    Without a queue, or with one that has no hours, every hour counts.

    :raises NoWorkingTime: the queue never opens.
    """
    queue = call.queue
    if queue is None or queue.calendar_id is None:
        return due_time(None, since, minutes) or since
    calendar = working_calendar(session, queue.calendar_id)
    return calendar.next_opening(calendar.add_working_time(since, minutes))


def queue_of(session: Session, call: Call) -> int | None:
    """Return the key of the queue a call came in to: its ticket's, that of the number dialled, or the only one."""
    if call.ticket is not None:
        return call.ticket.queue_id
    rows = _queues(session, call.group_id or context_of(session).actor.group_id)
    dialled = [key for key, phone in rows if call.number_dialled and phone == call.number_dialled]
    return dialled[0] if dialled else rows[0].id if len(rows) == 1 else None


def _queues(session: Session, group_id: int | None) -> Sequence[Any]:
    """Return the queues of a group that take tickets; read once a session, since a spreadsheet brings many calls."""
    known: dict[int | None, Sequence[Any]] = session.info.setdefault("call_queues", {})
    if group_id not in known:
        queue = SupportQueue.__table__
        wanted = sa.select(queue.c.id, queue.c.phone).where(queue.c.group_id == group_id, queue.c.active)
        known[group_id] = session.execute(wanted.order_by(queue.c.id), execution_options=INTERNAL).all()
    return known[group_id]


def _plan(session: Session, call: Call, *, actor: Actor) -> None:
    """Have a message that was just left returned at the next opening; who left it may not have wanted to wait."""
    if call.state is not S.voicemail:
        return
    try:
        opening = next_attempt(session, call, call.started_at)
    except NoWorkingTime:
        return  # it stays with the messages, for somebody to say when
    with as_product(session):
        perform(session, call, "plan_callback", {"callback_due_at": opening}, actor=SYSTEM)


after_create(Call)(_plan)
after_verb(Call)(_plan)


def _say_what_it_was(session: Session, call: Call, values: Mapping[str, Any], _actor: Actor) -> None:
    """Whoever was reached has said what it is about."""
    if values["outcome"] is CallOutcome.answered:
        require_sorted(session, call, values)


def _called(session: Session, call: Call, _values: Mapping[str, Any], actor: Actor) -> None:
    """Where nobody was reached, it is tried again after the time in the settings, within the opening hours."""
    if actor.staff_id is not None:
        call.operator_id = actor.staff_id
    if call.outcome is CallOutcome.answered:
        call.state = S.handled
        return
    call.state, call.callback_attempts = S.callback_due, call.callback_attempts + 1
    pause = setting_value(session, CALLBACK_RETRY, call.group_id)
    call.callback_due_at = next_attempt(session, call, clock.now(), pause)


def _was_voicemail(_session: Session, call: Call, _values: Mapping[str, Any], _actor: Actor) -> None:
    call.outcome = CallOutcome.voicemail


CALLBACKS = (
    Transition(
        name="record_voicemail",
        label=_l("Mark as voicemail"),
        sources=(S.received,),
        target=S.voicemail,
        icon="voicemail",
        effect=_was_voicemail,
        confirm=_l("It is to be called back at the next opening of its queue."),
        right=Action.update,
    ),
    Transition(
        name="plan_callback",
        label=_l("Plan the call back"),
        sources=(S.voicemail, S.callback_due),
        target=S.callback_due,
        icon="calendar-check",
        inputs=("callback_due_at",),
        right=Action.update,
    ),
    Transition(
        name="call_back",
        label=_l("Record the call back"),
        sources=(S.voicemail, S.callback_due),
        target=None,
        icon="telephone-outbound",
        tone="primary",
        inputs=("outcome", "request_type", "urgency", "handled_minutes"),
        optional=("request_type", "urgency", "handled_minutes"),
        guard=_say_what_it_was,
        effect=_called,
        confirm=_l("Once somebody was reached, say what it was about; else it is to be tried again later."),
        right=Action.update,
    ),
)
