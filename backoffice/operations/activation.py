"""Activation requests: received, evaluated, decided, fulfilled, answered (chapter 4.3)."""

from __future__ import annotations

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy.orm import Session

from backoffice.actors import Action, Actor
from backoffice.lifecycles import Machine, Transition, register
from backoffice.operations import activation_steps as steps
from backoffice.operations.activation_checks import EVALUATING
from backoffice.operations.activation_intake import NothingRequested, add_weekdays, draw_number
from backoffice.operations.activation_steps import NotAllDecided, OthersDecide
from backoffice.operations.verbs import perform
from models.account import Account
from models.account_service import AccountService
from models.activation_request import ActivationRequest
from models.activation_request import RequestState as S
from models.annual_fee import AnnualFee
from models.company_service import CompanyService

#: Before the requester is answered, and while something may still change.
_OPEN = (S.received, *EVALUATING, S.info_requested, S.decided, S.awaiting_acceptance)

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
                effect=steps.take_up,
                confirm=_l("Confirm which client it is, or leave it empty; the checks are made at once."),
                right=Action.update,
            ),
            Transition(
                name="check_again",
                label=_l("Check again"),
                sources=EVALUATING,
                target=None,
                icon="arrow-repeat",
                effect=steps.look_again,
                confirm=_l("What people have recorded by hand stays."),
            ),
            Transition(
                name="verify",
                label=_l("Verify the requester"),
                sources=_OPEN,
                target=None,
                icon="person-check",
                inputs=("verified_how",),
                guard=steps.company_chosen,
                effect=steps.verify,
                confirm=_l("You have made sure that the requester speaks for the company: they may be told about it."),
            ),
            Transition(
                name="ask",
                label=_l("Ask for information"),
                sources=EVALUATING,
                target=S.info_requested,
                icon="question-circle",
                inputs=("question",),
                effect=steps.ask,
                confirm=_l("The question leaves by mail for the requester."),
            ),
            Transition(
                name="record_answer",
                label=_l("Record the information"),
                sources=(S.info_requested,),
                target=None,
                icon="chat-left-text",
                tone="primary",
                inputs=("answer",),
                effect=steps.go_on,
            ),
            Transition(
                name="decide",
                label=_l("Conclude the evaluation"),
                sources=EVALUATING,
                target=S.decided,
                icon="check2",
                tone="primary",
                inputs=("proposal",),
                optional=("proposal",),
                guard=steps.may_conclude,
                effect=steps.close_evaluation,
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
                guard=steps.may_refuse,
                effect=steps.refuse,
                confirm=_l("None of the requested services is activated."),
            ),
            Transition(
                name="accept",
                label=_l("Record the acceptance"),
                sources=(S.awaiting_acceptance,),
                target=S.decided,
                icon="hand-thumbs-up",
                tone="primary",
                inputs=("accepted_by", "acceptance_evidence"),
                optional=("acceptance_evidence",),
                guard=steps.has_evidence,
                effect=steps.accept,
                confirm=_l("The client agrees to the proposal as sent. Evidence is a text, or a file attached before."),
            ),
            Transition(
                name="decline",
                label=_l("Record that it was declined"),
                sources=(S.awaiting_acceptance,),
                target=S.decided,
                icon="hand-thumbs-down",
                inputs=("refusal", "accepted_by", "acceptance_evidence"),
                optional=("accepted_by", "acceptance_evidence"),
                effect=steps.decline,
                confirm=_l("What was to be paid is not activated; what is free of charge is."),
            ),
            Transition(
                name="fulfil",
                label=_l("Fulfil the request"),
                sources=(S.decided,),
                target=S.fulfilled,
                icon="check2-all",
                tone="primary",
                guard=steps.all_decided,
                effect=steps.fulfil,
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
                label=_l("Send the answer"),
                sources=(S.fulfilled, S.withdrawn),
                target=S.answered,
                icon="send",
                tone="primary",
                inputs=("answer_text",),
                optional=("answer_text",),
                effect=steps.answer,
                confirm=_l(
                    "The mail leaves for the requester. Left empty, the product writes the outcome of every service."
                ),
            ),
            Transition(
                name="withdraw",
                label=_lp("request", "Record that it was withdrawn"),
                sources=_OPEN,
                target=S.withdrawn,
                icon="box-arrow-left",
                inputs=("refusal",),
                optional=("refusal",),
                effect=steps.give_up,
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


__all__ = [
    "REQUESTS",
    "NotAllDecided",
    "NothingRequested",
    "OthersDecide",
    "add_weekdays",
    "close_answered_requests",
    "draw_number",
]
