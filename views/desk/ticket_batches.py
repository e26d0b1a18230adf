"""The kinds of steps that several tickets are taken through at once: what each asks for, foresees and does."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from flask import request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from backoffice.actors import Action, Actor
from backoffice.database import RecordSession
from backoffice.errors import DomainError, InvalidRecord, Text
from backoffice.lifecycles import get_transition, may_perform
from backoffice.operations import ticket_batches as batches
from backoffice.operations.cleaning import REQUIRED, clean_value
from backoffice.operations.quick_replies import fill, require_known, words_of
from backoffice.operations.ticket_talk import NothingWritten
from models.catalogue import Kind, fields
from models.quick_reply import QuickReply
from models.reading import BadValue
from models.ticket import Ticket
from models.ticket_message import TicketMessage
from views.desk.ticket_reading import find_replies
from views.generated.forms import RecordForm

#: More than an answer to several needs.
LONGEST = 20_000


class Batch(ABC):
    """One kind of step. A request makes one: it holds the form of what the step asks for."""

    name = ""
    icon = ""

    def __init__(self, session: RecordSession, actor: Actor) -> None:
        self.session, self.actor = session, actor

    @classmethod
    @abstractmethod
    def is_open(cls, actor: Actor) -> bool:
        """Say whether the actor's roles allow such steps at all."""

    @classmethod
    @abstractmethod
    def label(cls) -> str:
        """Return what people call it."""

    @abstractmethod
    def question(self, count: int) -> str:
        """Say what will happen to ``count`` tickets."""

    @abstractmethod
    def form(self, tickets: Sequence[Ticket]) -> dict[str, Any]:
        """Return what the page asks for: ``fields``, or those of an answer; ``shown``: each as it reads."""

    @abstractmethod
    def values(self) -> dict[str, Any]:
        """Return what was typed.

        :raises DomainError: something is missing or refused.
        """

    @abstractmethod
    def foresee(self, tickets: Sequence[Ticket], values: Mapping[str, Any]) -> dict[int, DomainError]:
        """Return by key why tickets would be refused, as far as that can be told before."""

    def preview(self, _ticket: Ticket, _values: Mapping[str, Any]) -> str:
        """Return what will be written on one ticket, where that is another text on each."""
        return ""

    @abstractmethod
    def act(self, session: RecordSession, ticket: Ticket, values: Mapping[str, Any]) -> None:
        """Do it to one ticket. Flushes.

        :raises DomainError: it is refused.
        """


class Answer(Batch):
    """The same answer to several clients, or a quick reply, with the words of each ticket in it."""

    name, icon = "answer", "reply"

    @classmethod
    def is_open(cls, actor: Actor) -> bool:
        return actor.may(Action.create, TicketMessage)

    @classmethod
    def label(cls) -> str:
        return _("Answer")

    def question(self, count: int) -> str:
        return ngettext(
            "%(num)s ticket is answered: whoever asked reads the text below by mail and in the client area.",
            "%(num)s tickets are answered: whoever asked reads the text below by mail and in the client area.",
            count,
        )

    def form(self, tickets: Sequence[Ticket]) -> dict[str, Any]:
        queues = {ticket.queue_id for ticket in tickets}
        rows = find_replies(self.session, queues) if self.actor.may(Action.read, QuickReply) else []
        replies = [{"key": key, "name": name, "text": body} for key, name, body in rows]
        waits = self._waits()
        return {
            "fields": [],
            "shown": [(_("then"), _("wait for the client"))] if waits else [],
            "body": request.form.get("body", ""),
            "replies": replies,
            "may_wait": self._may_wait(),
            "waits": waits,
        }

    def _may_wait(self) -> bool:
        return may_perform(get_transition(Ticket, "ask_customer"), Ticket, self.actor)

    def _waits(self) -> bool:
        return request.form.get("then") == "wait"

    def values(self) -> dict[str, Any]:
        """Return the text, what was written or else the quick reply, and whether the tickets then wait."""
        text = request.form.get("body", "").strip()[:LONGEST]
        chosen = request.form.get("reply", "")
        if not text and chosen.isascii() and chosen.isdigit() and len(chosen) < 10:
            reply = self.session.get(QuickReply, int(chosen))
            text = reply.body.strip() if reply is not None and reply.active else ""
        if not text:
            raise NothingWritten(field="body")
        require_known(text)
        return {"body": text, "waits": self._waits()}

    def foresee(self, tickets: Sequence[Ticket], values: Mapping[str, Any]) -> dict[int, DomainError]:
        text, waits = values["body"], values["waits"]
        found = {ticket.id: batches.unanswerable(ticket, text, self.actor, waits=waits) for ticket in tickets}
        return {key: problem for key, problem in found.items() if problem is not None}

    def preview(self, ticket: Ticket, values: Mapping[str, Any]) -> str:
        return fill(values["body"], words_of(ticket, self.actor))

    def act(self, session: RecordSession, ticket: Ticket, values: Mapping[str, Any]) -> None:
        batches.answer(session, ticket, values["body"], actor=self.actor, waits=values["waits"])


class Refused(DomainError):
    """Fields of the form are refused; each sentence stands beside its field."""

    template = _l("Some values need correcting.")


class _ByFields(Batch):
    """A step that asks for fields of the ticket, as the verb does."""

    verb = ""
    names: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()

    def __init__(self, session: RecordSession, actor: Actor) -> None:
        super().__init__(session, actor)
        sent = request.form if request.form.get("step") else None
        self.fields = RecordForm(Ticket, actor, session, sent=sent, names=self.names)
        for name, bound in self.fields.fields.items():
            bound.required, bound.rows = name not in self.optional, 4
            if name in self.optional:
                bound.help = _("For those that have none yet.")

    @classmethod
    def is_open(cls, actor: Actor) -> bool:
        return may_perform(get_transition(Ticket, cls.verb), Ticket, actor)

    def form(self, tickets: Sequence[Ticket]) -> dict[str, Any]:
        shown = [(bound.label.text, self._shown(bound)) for bound in self.fields.fields.values()]
        return {"fields": list(self.fields.fields.values()), "shown": [pair for pair in shown if pair[1]]}

    def _shown(self, bound: Any) -> str:
        """Return what stands in a field, as people read it."""
        if bound.kind == Kind.relation:
            return bound.chosen["label"] if bound.chosen else str(bound.typed)
        if bound.kind == Kind.choice:
            return next((str(option.label) for option in bound.choices if option.value == bound.data), "")
        return str(bound.data or "")

    def values(self) -> dict[str, Any]:
        found, problems = self.fields.values(), {}
        for name, raw in found.items():
            problem = self._problem(name, raw)
            if problem is not None:
                problems[name] = problem
        if problems:
            self.fields.refuse(problems)
            raise Refused
        return found

    def _problem(self, name: str, raw: Any) -> Text | None:
        try:
            value = clean_value(self.session, fields(Ticket)[name], raw)
        except BadValue as error:
            return str(error)
        except InvalidRecord as error:
            return next(iter(error.problems.values()))
        return REQUIRED if value is None and name not in self.optional else None


class Close(_ByFields):
    """Close several with one solution; the gates of closing are asked for each."""

    name, icon, verb = "close", "check-circle", "close"
    names = ("solution", "closure_reason", *batches.GAPS)
    optional = batches.GAPS

    @classmethod
    def label(cls) -> str:
        return _("Close the tickets")

    def question(self, count: int) -> str:
        return ngettext(
            "%(num)s ticket is closed: the client reads the solution by mail and may reopen it within the window.",
            "%(num)s tickets are closed: the clients read the solution by mail and may reopen them within the window.",
            count,
        )

    def foresee(self, tickets: Sequence[Ticket], values: Mapping[str, Any]) -> dict[int, DomainError]:
        return batches.unclosable(self.session, tickets, values)

    def act(self, session: RecordSession, ticket: Ticket, values: Mapping[str, Any]) -> None:
        batches.close(session, ticket, values, actor=self.actor)


class Assign(_ByFields):
    """Entrust several to one colleague, each in the team and with the urgency it has."""

    name, icon, verb = "assign", "person-check", "assign"
    names = ("assignee", "request_type")
    optional = ("request_type",)

    @classmethod
    def label(cls) -> str:
        return _("Assign")

    def question(self, count: int) -> str:
        return ngettext(
            "%(num)s ticket is entrusted to the person below, who is told of it.",
            "%(num)s tickets are entrusted to the person below, who is told of each.",
            count,
        )

    def foresee(self, tickets: Sequence[Ticket], values: Mapping[str, Any]) -> dict[int, DomainError]:
        found = {}
        for ticket in tickets:
            problem = batches.wrong_state(ticket, "assign")
            if problem is None and ticket.request_type is None and not values["request_type"]:
                problem = InvalidRecord({"request_type": REQUIRED})
            if problem is not None:
                found[ticket.id] = problem
        return found

    def act(self, session: RecordSession, ticket: Ticket, values: Mapping[str, Any]) -> None:
        batches.entrust(session, ticket, values, actor=self.actor)


KINDS: dict[str, type[Batch]] = {kind.name: kind for kind in (Answer, Assign, Close)}


def said(problem: DomainError) -> str:
    """Return what is told of a ticket that was refused: with the fields it is about."""
    if not isinstance(problem, InvalidRecord):
        return str(problem)
    known = fields(Ticket)
    named = [f"{known[name].label}: {text}" if name in known else str(text) for name, text in problem.problems.items()]
    return " ".join(named)
