"""What can be done in the activation workspace: verbs of the request, of its services and of their checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import request as web
from flask import url_for

from backoffice.actors import Actor
from backoffice.database import RecordSession
from backoffice.errors import DomainError, Forbidden, InvalidRecord, NotFound
from backoffice.lifecycles import Transition, get_transition, may_perform, transitions_open
from backoffice.operations.activation_letters import draft_answer, draft_proposal, needs_consent, outcomes
from backoffice.records.lookup import get_record
from models.activation_check import ActivationCheck
from models.activation_request import ActivationRequest
from models.activation_request import RequestState as S
from models.activation_request_item import ActivationRequestItem
from models.base import Recorded
from views.desk.activation_queue import kept
from views.generated.form_pages import verb_page
from views.generated.forms import RecordForm

KINDS: dict[str, type[Recorded]] = {
    "request": ActivationRequest,
    "item": ActivationRequestItem,
    "check": ActivationCheck,
}
#: What comes next, state by state; while it is evaluated, concluding comes after the decisions.
NEXT = {
    S.received: "take",
    S.in_evaluation: "decide",
    S.bu_evaluation: "decide",
    S.info_requested: "record_answer",
    S.awaiting_acceptance: "accept",
    S.decided: "fulfil",
    S.fulfilled: "answer",
    S.withdrawn: "answer",
}
#: Long texts have room to be read whole.
_ROWS = {"answer_text": 14, "proposal": 12}


@dataclass
class Deed:
    """One verb with the record it is performed on and the form of what it asks for."""

    request: ActivationRequest
    record: Any
    transition: Transition
    form: RecordForm
    problem: DomainError | None = None

    def refuse(self, problem: DomainError) -> None:
        """Put what was refused beside the fields it is about."""
        self.problem = problem
        if isinstance(problem, InvalidRecord):
            self.form.refuse(problem.problems)
        elif (name := getattr(problem, "field", None)) in self.form.fields:
            self.form.refuse({str(name): str(problem)})

    def page(self) -> dict[str, Any]:
        """Return what ``_activation_next.html`` shows of it."""
        found = verb_page(self.record, self.transition, self.form, problem=self.problem)
        kind = next(kind for kind, entity in KINDS.items() if isinstance(self.record, entity))
        of = {"item": "online_service", "check": "item"}.get(kind)
        return found | {
            "heading": self.transition.label,
            "about": str(getattr(self.record, of)) if of == "online_service" else "",
            "action": deed_url(self.request, self.record, self.transition.name),
            "cancel_url": url_for("ActivationView.show", pk=self.request.id, **kept()),
            "is_next": kind == "request" and self.transition.name == NEXT.get(self.request.state),
            "is_answer": self.transition.name == "answer",
        }


def deed_url(request: ActivationRequest, record: Recorded, verb: str) -> str:
    """Return the address under which a verb shows its form and is performed."""
    kind = next(kind for kind, entity in KINDS.items() if isinstance(record, entity))
    return url_for("ActivationView.do", pk=request.id, kind=kind, key=record.id, verb=verb, **kept())


def find_deed(session: RecordSession, actor: Actor, pk: int, kind: str, key: int, verb: str) -> Deed:
    """Return the deed an address names, with what was sent for it.

    :raises NotFound: the record is not there for the actor, or no part of this request.
    :raises Forbidden: their roles do not allow the verb.
    """
    request: ActivationRequest = get_record(session, ActivationRequest, str(pk))
    if kind not in KINDS:
        raise NotFound
    record: Any = get_record(session, KINDS[kind], str(key))
    if (record.id if kind == "request" else record.request_id) != request.id:
        raise NotFound
    transition = get_transition(KINDS[kind], verb)
    if transition.automatic or not may_perform(transition, KINDS[kind], actor):
        raise Forbidden
    return make_deed(session, actor, request, record, transition)


def make_deed(
    session: RecordSession, actor: Actor, request: ActivationRequest, record: Any, transition: Transition
) -> Deed:
    """Return a deed whose form shows what the product proposes, or what was typed."""
    initial = _proposed(session, request, transition)
    names = tuple(name for name in transition.inputs if name != "proposal" or name in initial)
    sent = web.form if web.method == "POST" else None
    form = RecordForm(type(record), actor, session, record=record, sent=sent, names=names, initial=initial)
    for name, bound in form.fields.items():
        bound.required, bound.rows = name not in transition.optional, _ROWS.get(name, 3)
    return Deed(request, record, transition, form)


def next_deed(session: RecordSession, actor: Actor, request: ActivationRequest) -> Deed | None:
    """Return the one step that comes next, if the actor is the one to take it and nothing is missing before."""
    name = NEXT.get(request.state)
    found = next((t for t in transitions_open(request, actor) if t.name == name), None)
    if found is None or (name == "decide" and undecided(session, request)):
        return None
    return make_deed(session, actor, request, request, found)


def undecided(session: RecordSession, request: ActivationRequest) -> list[str]:
    """Return the services that nobody has decided on yet, those of other units included."""
    return [row.code for row in outcomes(session, request) if row.state == "pending"]


def _proposed(session: RecordSession, request: ActivationRequest, transition: Transition) -> Mapping[str, Any]:
    if transition.name == "answer":
        return {"answer_text": request.answer_text or draft_answer(session, request)}
    if transition.name == "accept":
        return {"accepted_by": request.accepted_by or request.requester_name}
    if transition.name == "decide" and any(needs_consent(row) for row in outcomes(session, request)):
        return {"proposal": draft_proposal(session, request)}
    return {}


__all__ = ["Deed", "deed_url", "find_deed", "make_deed", "next_deed", "undecided"]
