"""What the verbs of an activation request ask for and bring about; ``activation`` says when they are possible."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import get_history

from backoffice import clock
from backoffice.access import INTERNAL
from backoffice.actors import Actor
from backoffice.errors import DomainError
from backoffice.operations.activation_checks import require_evaluator, run_checks
from backoffice.operations.activation_fulfilment import CompanyUnknown, make_what_was_decided
from backoffice.operations.activation_items import reject_item
from backoffice.operations.activation_letters import (
    RequesterUnknown,
    draft_answer,
    draft_proposal,
    is_known,
    needs_consent,
    outcomes,
)
from backoffice.operations.activation_mails import send_answer, send_proposal, send_question, tell_unit
from models.activation_request import ActivationRequest
from models.activation_request import RequestState as S
from models.activation_request_item import ItemState
from models.attachment import Attachment

Values = Mapping[str, Any]


class NotAllDecided(DomainError):
    """AR-08: nothing is closed without evaluation."""

    template = _l("Decide on every requested service first: %(services)s.")


class OthersDecide(DomainError):
    template = _l("Others decide on some of the requested services: decide on yours, one by one.")


class EvidenceMissing(DomainError):
    """What staff record of a client's consent can be shown to whoever doubts it."""

    template = _l("Say where the client accepts it, or attach the message to the request first.")


def take_up(session: Session, request: ActivationRequest, _values: Values, actor: Actor) -> None:
    """Entrust the request to who takes it, look at what it needs, and pass it to the unit that decides (AR-16)."""
    if actor.staff_id is not None:
        request.assignee_id = actor.staff_id
    found = (item.online_service.business_unit for item in request.items)
    units = list(dict.fromkeys(unit for unit in found if unit is not None))
    if units:
        request.business_unit, request.state = units[0], S.bu_evaluation
    run_checks(session, request)
    for unit in units:
        tell_unit(session, request, unit)


def look_again(session: Session, request: ActivationRequest, _values: Values, _actor: Actor) -> None:
    run_checks(session, request)


def company_chosen(_session: Session, request: ActivationRequest, _values: Values, _actor: Actor) -> None:
    if request.company_id is None:
        raise CompanyUnknown(field="company")


def verify(_session: Session, request: ActivationRequest, _values: Values, _actor: Actor) -> None:
    """Note for which company the requester may speak: for another one they would have to be verified again."""
    request.verified_at, request.verified_company_id = clock.now(), request.company_id


def ask(session: Session, request: ActivationRequest, _values: Values, _actor: Actor) -> None:
    request.state_before = next(iter(get_history(request, "state").deleted))
    request.answer = None
    send_question(session, request)


def go_on(session: Session, request: ActivationRequest, _values: Values, _actor: Actor) -> None:
    request.state, request.state_before = request.state_before or S.in_evaluation, None
    run_checks(session, request)


def all_decided(session: Session, request: ActivationRequest, _values: Values, _actor: Actor) -> None:
    pending = [row.code for row in outcomes(session, request) if row.state is ItemState.pending]
    if pending:
        raise NotAllDecided(services=", ".join(pending))


def may_conclude(session: Session, request: ActivationRequest, values: Values, actor: Actor) -> None:
    """Raise unless all is decided, and what is approved is so for somebody who speaks for the client."""
    all_decided(session, request, values, actor)
    approved = any(row.state is not ItemState.rejected for row in outcomes(session, request))
    if approved and not is_known(session, request):
        raise RequesterUnknown


def close_evaluation(session: Session, request: ActivationRequest, values: Values, _actor: Actor) -> None:
    """Ask the client first where somebody is to pay who has not agreed to it yet (N-04)."""
    request.evaluated_at = clock.now()
    if not any(needs_consent(row) for row in outcomes(session, request)):
        request.proposal = None
        return
    request.state, request.proposed_at = S.awaiting_acceptance, clock.now()
    request.proposal = values.get("proposal") or draft_proposal(session, request)
    send_proposal(session, request)


def may_refuse(session: Session, request: ActivationRequest, _values: Values, actor: Actor) -> None:
    for item in request.items:
        require_evaluator(session, item, actor)
    if len(outcomes(session, request)) > len(request.items):
        raise OthersDecide


def refuse(_session: Session, request: ActivationRequest, values: Values, actor: Actor) -> None:
    request.evaluated_at = clock.now()
    for item in request.items:
        if item.state is not ItemState.rejected:
            reject_item(item, values["refusal"], actor)


def has_evidence(session: Session, request: ActivationRequest, values: Values, actor: Actor) -> None:
    """Raise unless what staff record can be shown: in words, or by a file that came after the proposal."""
    if actor.staff_id is None or values.get("acceptance_evidence"):
        return
    table = Attachment.__table__
    attached = sa.select(table.c.id).where(table.c.activation_request_id == request.id)
    if request.proposed_at is not None:
        attached = attached.where(table.c.created_at >= request.proposed_at)
    if session.execute(attached.limit(1), execution_options=INTERNAL).one_or_none() is None:
        raise EvidenceMissing(field="acceptance_evidence")


def accept(_session: Session, request: ActivationRequest, _values: Values, _actor: Actor) -> None:
    request.accepted_at = clock.now()


def decline(_session: Session, request: ActivationRequest, values: Values, actor: Actor) -> None:
    """Let go of what would have been paid; what is free of charge stays approved."""
    for item in request.items:
        if needs_consent(item):
            reject_item(item, values["refusal"], actor)
    request.refusal = None  # it is the note of the services concerned: the request itself is not refused


def fulfil(session: Session, request: ActivationRequest, _values: Values, actor: Actor) -> None:
    """Make what was decided, and draft the answer that says so."""
    request.fulfilled_at = clock.now()
    session.flush()
    make_what_was_decided(session, request, actor=actor)
    session.flush()
    request.answer_text = draft_answer(session, request)


def give_up(session: Session, request: ActivationRequest, _values: Values, _actor: Actor) -> None:
    request.answer_text = draft_answer(session, request)


def answer(session: Session, request: ActivationRequest, _values: Values, _actor: Actor) -> None:
    """Send the answer as people left it, or as the product drafts it: nothing is answered without a mail (AR-08)."""
    request.answer_text = request.answer_text or draft_answer(session, request)
    request.answered_at = clock.now()
    send_answer(session, request)
