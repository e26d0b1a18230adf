"""Activation requests: received, evaluated, decided, fulfilled, answered (chapter 4.3).

The mails of chapter 5 that these verbs will send are queued in their effects, once those mails are there; until then
the verbs record that something was said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import get_history

from backoffice import clock
from backoffice.access import INTERNAL, context_of, next_number
from backoffice.actors import Action, Actor
from backoffice.errors import DomainError
from backoffice.lifecycles import Machine, Transition, register
from backoffice.operations.activation_checks import EVALUATING, require_evaluator, run_checks
from backoffice.operations.activation_fulfilment import make_what_was_decided
from backoffice.operations.activation_items import reject_item
from backoffice.operations.plain import before_create
from backoffice.operations.verbs import perform
from models.account import Account
from models.account_service import AccountService
from models.activation_request import ActivationRequest, RequestKind
from models.activation_request import RequestState as S
from models.activation_request_item import ActivationRequestItem, ItemState
from models.annual_fee import AnnualFee
from models.company import Company
from models.company_service import CompanyService
from models.online_service import OnlineService

#: Kinds of request that are about services.
_FOR_SERVICES = (RequestKind.service, RequestKind.additional_account)


class NothingRequested(DomainError):
    """AR-04: a request says for which services it is."""

    template = _l("Say for which online services it is: at least one.")


class NotAllDecided(DomainError):
    """AR-08: nothing is closed without evaluation."""

    template = _l("Decide on every requested service first: %(services)s.")


class OthersDecide(DomainError):
    template = _l("Others decide on some of the requested services: decide on yours, one by one.")


@before_create(ActivationRequest)
def _complete(session: Session, request: ActivationRequest, *, actor: Actor) -> None:
    """Give a new request its number, and what follows from what was typed; propose the company by its VAT number.

    :raises NothingRequested: a request about services names none.
    """
    if request.kind in (None, *_FOR_SERVICES) and not request.items:
        raise NothingRequested(field="items")
    if request.company is None and request.vat_number:
        known = sa.select(Company).where(Company.vat_number == request.vat_number)
        group_id = context_of(session).actor.group_id
        if group_id is not None:
            known = known.where(Company.group_id == group_id)
        request.company = session.scalar(known)
    if request.company is not None:
        request.company_name = request.company_name or request.company.legal_name
        request.vat_number = request.vat_number or request.company.vat_number
        request.assignee = request.assignee or request.company.account_manager
    if request.kind is RequestKind.additional_account:
        request.account_name = request.account_name or request.requester_name
        request.account_email = request.account_email or request.email
    request.answer_by = request.answer_by or _answer_by(request)
    request.number = draw_number(session, request)


def draw_number(session: Session, request: ActivationRequest) -> str:
    """Return the next number of the group's requests, such as ``RA-123``; two at once never get the same."""
    group_id = request.group_id or context_of(session).actor.group_id
    if group_id is None and request.company is not None:
        group_id = request.company.group_id
    assert group_id is not None
    return f"RA-{next_number(session, 'corporate_group', group_id, 'last_request_number')}"


def _answer_by(request: ActivationRequest) -> date | None:
    """Return the day by which the most urgent of the requested services is to be answered (AR-23)."""
    days = [item.online_service.answer_days for item in request.items]
    return add_weekdays(clock.today(), min(days)) if days else None


def add_weekdays(day: date, count: int) -> date:
    """Return the ``count``-th day after ``day``, Saturdays and Sundays not counted."""
    while count:
        day += timedelta(days=1)
        count -= day.weekday() < 5
    return day


def _take_up(session: Session, request: ActivationRequest, _values: Mapping[str, Any], actor: Actor) -> None:
    """Entrust the request to who takes it, look at what it needs, and pass it to the unit that decides (AR-16)."""
    if actor.staff_id is not None:
        request.assignee_id = actor.staff_id
    units = [item.online_service.business_unit for item in request.items if item.online_service.business_unit]
    if units:
        request.business_unit, request.state = units[0], S.bu_evaluation
    run_checks(session, request)


def _look_again(session: Session, request: ActivationRequest, _values: Mapping[str, Any], _actor: Actor) -> None:
    run_checks(session, request)


def _ask(_session: Session, request: ActivationRequest, _values: Mapping[str, Any], _actor: Actor) -> None:
    request.state_before = next(iter(get_history(request, "state").deleted))
    request.answer = None


def _go_on(session: Session, request: ActivationRequest, _values: Mapping[str, Any], _actor: Actor) -> None:
    request.state, request.state_before = request.state_before or S.in_evaluation, None
    run_checks(session, request)


def _outcomes(session: Session, request: ActivationRequest) -> Sequence[Any]:
    """Return code, outcome and agreement of every service of the request, those of other units included."""
    item, service = ActivationRequestItem.__table__, OnlineService.__table__
    statement = (
        sa.select(service.c.code, item.c.state, item.c.agreement)
        .join(service, service.c.id == item.c.online_service_id)
        .where(item.c.request_id == request.id)
        .order_by(item.c.position, item.c.id)
    )
    return session.execute(statement, execution_options=INTERNAL).all()


def _all_decided(session: Session, request: ActivationRequest, _values: Mapping[str, Any], _actor: Actor) -> None:
    pending = [row.code for row in _outcomes(session, request) if row.state is ItemState.pending]
    if pending:
        raise NotAllDecided(services=", ".join(pending))


def _close_evaluation(session: Session, request: ActivationRequest, _values: Mapping[str, Any], _actor: Actor) -> None:
    """Ask the client first where somebody is to pay who has not agreed to it yet."""
    request.evaluated_at = clock.now()
    if any(row.state is ItemState.approved_paid and row.agreement is None for row in _outcomes(session, request)):
        request.state = S.awaiting_acceptance


def _may_refuse(session: Session, request: ActivationRequest, _values: Mapping[str, Any], actor: Actor) -> None:
    for item in request.items:
        require_evaluator(item, actor)
    if len(_outcomes(session, request)) > len(request.items):
        raise OthersDecide


def _refuse(_session: Session, request: ActivationRequest, values: Mapping[str, Any], actor: Actor) -> None:
    request.evaluated_at = clock.now()
    for item in request.items:
        if item.state is not ItemState.rejected:
            reject_item(item, values["refusal"], actor)


def _accept(_session: Session, request: ActivationRequest, _values: Mapping[str, Any], _actor: Actor) -> None:
    request.accepted_at = clock.now()


def _decline(_session: Session, request: ActivationRequest, values: Mapping[str, Any], actor: Actor) -> None:
    """Let go of what would have been paid; what is free of charge stays approved."""
    for item in request.items:
        if item.state is ItemState.approved_paid and item.agreement is None:
            reject_item(item, values["refusal"], actor)
    request.refusal = None  # it is the note of the services concerned: the request itself is not refused


def _fulfil(session: Session, request: ActivationRequest, _values: Mapping[str, Any], actor: Actor) -> None:
    request.fulfilled_at = clock.now()
    session.flush()
    make_what_was_decided(session, request, actor=actor)


def _answered(_session: Session, request: ActivationRequest, _values: Mapping[str, Any], _actor: Actor) -> None:
    request.answered_at = clock.now()


REQUESTS = register(
    Machine(
        ActivationRequest,
        "state",
        (
            Transition(
                name="take",
                label=_l("Take the request up"),
                sources=(S.received,),
                target=S.in_evaluation,
                icon="person-check",
                tone="primary",
                inputs=("company",),
                optional=("company",),
                effect=_take_up,
                confirm=_l("Confirm which client it is, or leave it empty; the checks are made at once."),
                right=Action.update,
            ),
            Transition(
                name="check_again",
                label=_l("Check again"),
                sources=EVALUATING,
                target=None,
                icon="arrow-repeat",
                effect=_look_again,
                confirm=_l("What people have recorded by hand stays."),
            ),
            Transition(
                name="ask",
                label=_l("Ask for information"),
                sources=EVALUATING,
                target=S.info_requested,
                icon="question-circle",
                inputs=("question",),
                effect=_ask,
            ),
            Transition(
                name="record_answer",
                label=_l("Record the information"),
                sources=(S.info_requested,),
                target=None,
                icon="chat-left-text",
                tone="primary",
                inputs=("answer",),
                effect=_go_on,
            ),
            Transition(
                name="decide",
                label=_l("Conclude the evaluation"),
                sources=EVALUATING,
                target=S.decided,
                icon="check2",
                tone="primary",
                guard=_all_decided,
                effect=_close_evaluation,
                confirm=_l("Where a contribution has no agreement yet, the client is asked first."),
            ),
            Transition(
                name="refuse",
                label=_l("Refuse the request"),
                sources=EVALUATING,
                target=S.decided,
                icon="x-circle",
                tone="danger",
                inputs=("refusal",),
                guard=_may_refuse,
                effect=_refuse,
                confirm=_l("None of the requested services is activated."),
            ),
            Transition(
                name="accept",
                label=_l("Record the acceptance"),
                sources=(S.awaiting_acceptance,),
                target=S.decided,
                icon="hand-thumbs-up",
                tone="primary",
                effect=_accept,
                confirm=_l("The client agrees to the contribution."),
            ),
            Transition(
                name="decline",
                label=_l("Record that it was declined"),
                sources=(S.awaiting_acceptance,),
                target=S.decided,
                icon="hand-thumbs-down",
                inputs=("refusal",),
                effect=_decline,
                confirm=_l("What was to be paid is not activated; what is free of charge is."),
            ),
            Transition(
                name="fulfil",
                label=_l("Fulfil the request"),
                sources=(S.decided,),
                target=S.fulfilled,
                icon="check2-all",
                tone="primary",
                guard=_all_decided,
                effect=_fulfil,
                also=(
                    (Action.create, CompanyService),
                    (Action.create, AccountService),
                    (Action.create, AnnualFee),
                    (Action.create, Account),
                ),
                confirm=_l("Grants, account and contribution are made together. Nothing is made of what was rejected."),
            ),
            Transition(
                name="answer",
                label=_l("Record the answer to the requester"),
                sources=(S.fulfilled, S.withdrawn),
                target=S.answered,
                icon="reply",
                tone="primary",
                effect=_answered,
                confirm=_l("The requester has been told the outcome of every service."),
            ),
            Transition(
                name="withdraw",
                label=_lp("request", "Record that it was withdrawn"),
                sources=(S.received, *EVALUATING, S.info_requested, S.decided, S.awaiting_acceptance),
                target=S.withdrawn,
                icon="box-arrow-left",
                inputs=("refusal",),
                optional=("refusal",),
                confirm=_l("The requester gives it up; it is answered and closed without being fulfilled."),
            ),
            Transition(name="close", label=_l("Close"), sources=(S.answered,), target=S.closed, automatic=True),
        ),
    )
)


def close_answered_requests(session: Session, *, actor: Actor, limit: int = 500) -> int:
    """Close the requests that have been answered; return how many, at most ``limit`` a call.

    :raises Forbidden: ``actor`` is not the product itself.
    """
    answered = sa.select(ActivationRequest).where(ActivationRequest.state == S.answered)
    rows = session.scalars(answered.order_by(ActivationRequest.id).limit(limit)).all()
    for request in rows:
        perform(session, request, "close", actor=actor)
    return len(rows)
