"""The form of a call that is being taken: who is known under its number stands in it before anybody types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import request
from sqlalchemy.orm import joinedload
from werkzeug.datastructures import MultiDict

from backoffice import clock
from backoffice.errors import Conflict, DomainError, InvalidRecord, NotFound, Text
from backoffice.operations.callers import Caller, recognise
from backoffice.operations.emergencies import find_script
from backoffice.records.lookup import get_record, parse_key
from backoffice.setting_keys import CALL_NEEDS_URGENCY
from backoffice.settings import setting_value
from models.call import Call, CallState
from models.company import Company
from models.contact import Contact
from models.emergency_script import EmergencyScript
from models.reading import BadValue
from models.support_queue import SupportQueue
from models.ticket import Ticket, Urgency
from models.values import Phone
from views.desk import call_page
from views.door import current_actor, current_session
from views.generated.forms import RecordForm

#: What is asked in plain sight, and what lies under "More about the call".
_PLAIN = (
    "caller_phone",
    "description",
    "request_type",
    "urgency",
    "company",
    "contact",
    "caller_name",
    "queue",
    "ticket",
)
MORE = (
    "started_at",
    "channel",
    "caller_role",
    "caller_email",
    "province",
    "contract",
    "asset",
    "number_dialled",
    "handled_minutes",
)
#: The longest subject of a ticket.
LONGEST_SUBJECT = 200
PENDING = (CallState.voicemail, CallState.callback_due)
_OPEN = (CallState.received, CallState.classified, CallState.routed, *PENDING)


class Taking:
    """One call on the screen: its form, who is known under its number, and whom it is taken for."""

    def __init__(self, pk: int | None) -> None:
        session, actor = current_session(), current_actor()
        self.call: Call | None = None
        #: The version the form was made from; None for a new call.
        self.version: str | None = None
        if pk is not None:
            self.call = get_record(session, Call, str(pk))
            if self.call.state not in _OPEN:
                raise NotFound
            self.version = request.form.get("version", str(self.call.version))
        self.subject = request.form.get("subject", "").strip()
        self.problems: list[str] = []
        #: Whether it was refused because the emergency text was not read out.
        self.is_unread = False
        sent = MultiDict(request.form) if request.method == "POST" else None
        typed = sent.get("caller_phone", "") if sent is not None else self._first_number()
        self.number, wrong = _read_number(typed)
        self.callers = recognise(session, self.number, actor=actor) if self.number else []
        if sent is not None:
            self._choose(sent)
        initial = self._initial(typed)
        #: The rows the form and the page speak of, held so that each is read once.
        self.queues = call_page.queues_shown(session, actor)
        self.rows = self._read(initial if sent is None else sent)
        names = tuple(name for name in (*_PLAIN, *MORE) if self.call is None or name != "number_dialled")
        self.form = RecordForm(Call, actor, session, record=self.call, sent=sent, names=names, initial=initial)
        if wrong:
            self.form.refuse({"caller_phone": wrong})
        self._dress()

    def _first_number(self) -> str:
        stored = self.call.caller_phone if self.call is not None else None
        return request.args.get("number", "")[:40] or Phone().show(stored or "")

    def _initial(self, typed: str) -> dict[str, Any]:
        """Return what is known before anybody types: from the address, from the number, else from the ticket."""
        if self.call is not None:
            return {} if self.call.company_id else _of(self._single())
        found: dict[str, Any] = {"caller_phone": self.number or typed, "started_at": clock.now()}
        keys = {name: parse_key(request.args.get(name, "")) for name in ("company", "contact", "ticket")}
        if (ticket := self._ticket(keys["ticket"])) is not None:
            keys |= {"company": ticket.company_id, "contact": ticket.contact_id}
        found |= {name: key for name, key in keys.items() if key is not None}
        if not keys["company"]:
            found |= _of(self._single())
        if (dialled := _read_number(request.args.get("dialled", ""))[0]) is not None:
            found["number_dialled"] = dialled
        return found

    def _ticket(self, key: int | None) -> Ticket | None:
        """Return the ticket that the address names, with whose it is."""
        if key is None:
            return None
        related = (joinedload(Ticket.company), joinedload(Ticket.contact))
        self._about = current_session().get(Ticket, key, options=related)
        return self._about

    def _read(self, stands: Mapping[str, Any]) -> dict[str, Any]:
        """Return the records that stand in the form, by field."""
        found: dict[str, Any] = {}
        for name, entity in (("company", Company), ("contact", Contact)):
            key = parse_key(str(stands.get(name) or getattr(self.call, f"{name}_id", None) or ""))
            found[name] = current_session().get(entity, key) if key is not None else None
        return found

    def _single(self) -> Caller | None:
        """Return who is calling where the number leaves no doubt."""
        return self.callers[0] if len(self.callers) == 1 else None

    def _choose(self, sent: MultiDict[str, str]) -> None:
        """Let the caller that was clicked, or the only one under a number just typed, stand in the form."""
        pressed = sent.get("caller", "")
        chosen = next((caller for caller in self.callers if caller.key == pressed), None)
        if chosen is None and (self.number or "") != sent.get("recognised", ""):
            chosen = self._single()
            if chosen is None and (sent.get("company") or not self.callers):
                return
        if chosen is None:
            return
        for name, value in {"company": None, "contact": None, **_of(chosen)}.items():
            sent[name] = str(value or "")
            sent.poplist(f"{name}-text")

    def _dress(self) -> None:
        """Mark what has to be said; choose the queue that was dialled, else that of one's own team."""
        fields = self.form.fields
        always = setting_value(current_session(), CALL_NEEDS_URGENCY, current_actor().group_id)
        for name, bound in fields.items():
            bound.required = name in ("description", "request_type") or (name == "urgency" and always)
        queue = fields.get("queue")
        if queue is None or queue.data or request.method == "POST":
            return
        dialled = _read_number(str(fields["number_dialled"].data or ""))[0] if "number_dialled" in fields else None
        if dialled:
            likely = [shown for shown in self.queues if shown.row.phone == dialled]
        else:
            likely = [shown for shown in self.queues if shown.is_mine or shown.was_last or len(self.queues) == 1]
        queue.data = str(likely[0].row.id) if likely else ""

    def refuse(self, problem: DomainError) -> None:
        """Put what was refused beside the fields it is about, the rest on top."""
        field = getattr(problem, "field", None)
        found: Mapping[str, Text] = (
            problem.problems if isinstance(problem, InvalidRecord) else {field or "": str(problem)}
        )
        self.form.refuse(found)
        if isinstance(problem, Conflict) and self.call is not None:
            self.version = str(self.call.version)  # what is stored now is shown; pressed again, it counts
        self.problems = [str(text) for name, text in found.items() if name not in self.form.fields]
        self.is_unread = "emergency_read" in found

    @property
    def queue(self) -> SupportQueue | None:
        """The queue that stands in the form."""
        bound = self.form.fields.get("queue")
        wanted = str(bound.data or "") if bound is not None else ""
        return next((shown.row for shown in self.queues if str(shown.row.id) == wanted), None)

    def script(self) -> EmergencyScript | None:
        """Return what the operator has to tell the caller, as the form stands; at most one statement."""
        stands = {name: str(field.data or "") for name, field in self.form.fields.items()}
        told_before = self.call is not None and self.call.emergency_read_at is not None
        if stands.get("urgency") != Urgency.emergency.value or told_before:
            return None
        return find_script(current_session(), *(parse_key(stands.get(name, "")) for name in ("queue", "contract")))


def _of(caller: Caller | None) -> dict[str, Any]:
    if caller is None:
        return {}
    contact = {"contact": caller.contact.id} if caller.contact is not None else {}
    return {"company": caller.company.id, **contact}


def _read_number(typed: str) -> tuple[str | None, Text]:
    """Return a number in international form, and what is wrong with it where it is none."""
    if not typed.strip():
        return None, ""
    try:
        return Phone().parse(typed), ""
    except BadValue as error:
        return None, str(error)
