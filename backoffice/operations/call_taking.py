"""Taking a call in one step: written down, sorted, and made a ticket, added to one or closed (CC-06, CC-15, CC-18)."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any, cast

from sqlalchemy.orm import Session

from backoffice.actors import Actor
from backoffice.errors import InvalidRecord, Text
from backoffice.operations.cleaning import REQUIRED
from backoffice.operations.emergencies import require_read
from backoffice.operations.plain import create_record, update_record
from backoffice.operations.verbs import perform
from backoffice.setting_keys import CALL_NEEDS_URGENCY
from backoffice.settings import setting_value
from models.call import Call, CallOutcome, CallState
from models.ticket import Channel

S = CallState


class Way(enum.Enum):
    """What becomes of a call that is being taken."""

    ticket = "ticket"
    join = "join"
    close = "close"
    voicemail = "voicemail"
    #: Of one that is to be returned: it is tried again.
    unreached = "unreached"


def take_call(
    session: Session,
    values: Mapping[str, Any],
    way: Way,
    *,
    actor: Actor,
    call: Call | None = None,
    version: int | None = None,
    subject: str = "",
    read: str = "",
) -> Call:
    """Write a call down, or go on with one that waits, and do with it what ``way`` says. Flushes, never commits.

    ``values`` are fields of the call; its ``ticket`` is the one to add it to. ``subject`` is that of a new ticket.
    ``read`` is the key of the emergency text that the caller was told.

    :raises InvalidRecord: something is missing or refused, with a sentence per field.
    """
    typed = {name: value for name, value in values.items() if name != "ticket"}
    if way is Way.voicemail:
        typed["channel"] = Channel.voicemail.value
    nobody_there = way in (Way.voicemail, Way.unreached)
    missing = {} if nobody_there else _missing(session, typed, actor)
    try:
        call = _write(session, typed, call, version, actor)
        if not nobody_there:
            require_read(session, call, read)
    except InvalidRecord as error:
        raise InvalidRecord({**missing, **error.problems}) from error
    if missing:
        raise InvalidRecord(missing)
    if way is Way.voicemail:
        if call.state is S.received:
            perform(session, call, "record_voicemail", actor=actor)
        return call
    _sort(session, call, way, actor)
    if way is Way.ticket:
        perform(session, call, "open_ticket", {"queue": call.queue, "subject": subject}, actor=actor)
    elif way is Way.join:
        perform(session, call, "join_ticket", {"ticket": values.get("ticket")}, actor=actor)
    elif way is Way.close:
        _close(session, call, actor)
    return call


def _missing(session: Session, typed: Mapping[str, Any], actor: Actor) -> dict[str, Text]:
    """Return what whoever takes a call has to say and has not, all at once."""
    needed = ["description", "request_type"]
    if actor.group_id is not None and setting_value(session, CALL_NEEDS_URGENCY, actor.group_id):
        needed.append("urgency")
    return {name: REQUIRED for name in needed if name in typed and not str(typed[name] or "").strip()}


def _write(session: Session, typed: Mapping[str, Any], call: Call | None, version: int | None, actor: Actor) -> Call:
    if call is None:
        return cast("Call", create_record(session, Call, typed, actor=actor))
    update_record(session, call, typed, version=version, actor=actor)
    return call


def _sort(session: Session, call: Call, way: Way, actor: Actor) -> None:
    """Say what the call is about; of one that is returned, whether somebody was reached."""
    about = {"request_type": call.request_type, "urgency": call.urgency}
    if call.state in (S.voicemail, S.callback_due):
        outcome = CallOutcome.unreachable if way is Way.unreached else CallOutcome.answered
        spent = {"outcome": outcome.value, "handled_minutes": call.handled_minutes}
        perform(session, call, "call_back", about | spent, actor=actor)
    elif call.state is S.received:
        perform(session, call, "classify", about, actor=actor)


def _close(session: Session, call: Call, actor: Actor) -> None:
    if call.state in (S.classified, S.routed):
        ended = {"outcome": CallOutcome.answered.value, "handled_minutes": call.handled_minutes}
        perform(session, call, "handle", {"request_type": call.request_type, **ended}, actor=actor)
    perform(session, call, "close", actor=actor)


__all__ = ["Way", "take_call"]
