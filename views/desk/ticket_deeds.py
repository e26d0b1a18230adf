"""What can be done in the ticket workspace: the verbs of the ticket, each with its form beside the conversation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import request as web
from flask import url_for

from backoffice.actors import Actor
from backoffice.database import RecordSession
from backoffice.errors import DomainError, Forbidden, InvalidRecord
from backoffice.lifecycles import Transition, get_transition, may_perform
from backoffice.operations import verbs
from models.ticket import Ticket
from views.desk.ticket_queue import kept
from views.desk.ticket_reading import load_ticket
from views.generated.form_pages import proposal, verb_page
from views.generated.forms import RecordForm


@dataclass
class Deed:
    """One verb of a ticket with the form of what it asks for."""

    record: Ticket
    transition: Transition
    form: RecordForm
    problem: DomainError | None = None
    blocked: bool = False

    def refuse(self, problem: DomainError) -> None:
        """Put what was refused beside the fields it is about."""
        self.problem = problem
        if isinstance(problem, InvalidRecord):
            self.form.refuse(problem.problems)
        elif (name := getattr(problem, "field", None)) in self.form.fields:
            self.form.refuse({str(name): str(problem)})

    def page(self) -> dict[str, Any]:
        """Return what ``_deed.html`` shows of it."""
        return verb_page(self.record, self.transition, self.form, problem=self.problem) | {
            "heading": self.transition.label,
            "action": deed_url(self.record, self.transition.name),
            "cancel_url": url_for("TicketView.show", pk=self.record.id, **kept()),
            "blocked": self.blocked,
        }


def deed_url(record: Ticket, verb: str) -> str:
    """Return the address under which a verb shows its form and is performed."""
    return url_for("TicketView.do", pk=record.id, verb=verb, **kept())


def find_deed(session: RecordSession, actor: Actor, pk: int, verb: str) -> Deed:
    """Return the deed an address names, with what was sent for it.

    :raises NotFound: the ticket is not there for the actor.
    :raises Forbidden: their roles do not allow the verb.
    """
    record = load_ticket(session, pk)
    transition = get_transition(Ticket, verb)
    if transition.automatic or not may_perform(transition, Ticket, actor):
        raise Forbidden
    asked, shown = transition.asks or Ticket, None if transition.asks else record
    sent = web.form if web.method == "POST" else None
    initial = proposal(session, record, transition)
    form = RecordForm(asked, actor, session, record=shown, sent=sent, names=transition.inputs, initial=initial)
    for name, bound in form.fields.items():
        bound.required, bound.rows = name not in transition.optional, 4
    deed = Deed(record, transition, form)
    if web.method != "POST" and (problem := verbs.obstacle(session, record, transition, actor=actor)) is not None:
        deed.problem, deed.blocked = problem, True
    return deed
