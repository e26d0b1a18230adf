"""Complaints of clients and citizens, from their receipt to their answer."""

from __future__ import annotations

from datetime import date, datetime

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy import CheckConstraint, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from backoffice.clock import today
from models.account import Account
from models.base import Admin, Category, Deletion, GroupOwned, Record, Rule, Scope, Section, Worklist
from models.call import Call
from models.columns import Choice, choice, field, reference
from models.company import Company
from models.contact import Contact
from models.contract import Contract
from models.staff import Staff
from models.ticket import Channel, Ticket
from models.values import Email, UtcInstant


class ComplaintState(Choice):
    received = "received", _lp("complaint", "Received"), "info", "envelope-open"
    in_analysis = "in_analysis", _l("In analysis"), "active", "search"
    decided = "decided", _l("Decided"), "active", "check2-square"
    answered = "answered", _lp("complaint", "Answered"), "good", "reply"
    closed = "closed", _lp("complaint", "Closed"), "neutral", "check-circle-fill"


#: Somebody waits for an answer: the term counts.
_UNANSWERED = (ComplaintState.received, ComplaintState.in_analysis, ComplaintState.decided)


class ActionKind(Choice):
    """What is done because of a complaint."""

    support = "support", _l("Support for the person"), "info", "life-preserver"
    improvement = "improvement", _l("Improvement of the service"), "good", "graph-up-arrow"
    none = "none", _lp("complaint", "Nothing"), "neutral", "dash"


class Complaint(GroupOwned, Record):
    """Dissatisfaction that somebody voiced, analysed to decide whether to help or to improve (TK-27, RP-09)."""

    __tablename__ = "complaint"
    __table_args__ = (
        UniqueConstraint("group_id", "number"),
        UniqueConstraint("ticket_id"),
        CheckConstraint("state IN ('received', 'in_analysis') OR analysis IS NOT NULL", name="analysed"),
        CheckConstraint("state IN ('received', 'in_analysis') OR action_kind IS NOT NULL", name="decided_how"),
        CheckConstraint("state <> 'answered' OR outcome IS NOT NULL", name="answered_what"),
        CheckConstraint("answer_by >= received_on", name="answer_after_receipt"),
    )
    __admin__ = Admin(
        label=_l("Complaint"),
        plural=_l("Complaints"),
        category=Category.support,
        icon="megaphone",
        area="complaints",
        scope=Scope(group="group_id", company="company_id", account="account_id"),
        title=("number",),
        subtitle=("complainant", "company"),
        worklists=(
            Worklist(_l("Complaints to analyse"), ("state:in:received",), "wait"),
            Worklist(
                _l("Complaints late with their answer"), ("answer_by:past:", "state:in:" + ",".join(_UNANSWERED)), "bad"
            ),
        ),
        rank=3,
        list_columns=("number", "received_on", "company", "complainant", "state", "action_kind", "answer_by"),
        search_columns=("number", "complainant", "email"),
        filters=(
            "state",
            "action_kind",
            "channel",
            "company",
            "contract",
            "ticket",
            "call",
            "number",
            "received_on",
            "answer_by",
            "created_at",
        ),
        order="-received_on",
        fast=(
            ("state", "received_on"),
            ("company", "received_on"),
            ("ticket", "received_on"),
            ("state", "answer_by"),
            ("number",),
        ),
        facts=(
            "company",
            "contact",
            "contract",
            "ticket",
            "call",
            "answer_by",
            "decided_by",
            "decided_at",
            "answered_at",
        ),
        natural_keys=(("number",),),
        deletion=Deletion(),
        sections=(
            Section(_l("Complaint"), ("received_on", "channel", "description", "answer_by")),
            Section(_l("Who complains"), ("company", "contact", "complainant", "email")),
            Section(_l("What it is about"), ("ticket", "call", "contract")),
        ),
        client_columns=("number", "received_on", "ticket", "state", "description", "outcome"),
        rules={
            "uq_complaint_group_id_number": Rule(_l("There is already a complaint with this number."), "number"),
            "uq_complaint_ticket_id": Rule(_l("There is a complaint about this ticket already."), "ticket"),
            "ck_complaint_analysed": Rule(_l("Write down the analysis first."), "analysis"),
            "ck_complaint_decided_how": Rule(_l("Say what is done because of it."), "action_kind"),
            "ck_complaint_answered_what": Rule(_l("Say what was answered."), "outcome"),
            "ck_complaint_answer_after_receipt": Rule(_l("Not before it was received."), "answer_by"),
        },
    )

    #: What people say: RE and the next number of the corporate group.
    number: Mapped[str] = field(
        _l("Number"), String(24), verb_only=True, help=_l("Given by the program when it is recorded.")
    )
    #: The request it arose from; one complaint a ticket.
    ticket_id: Mapped[int | None] = reference(
        "ticket", _l("Ticket"), index=False, help=_l("The request it arose from.")
    )
    ticket: Mapped[Ticket | None] = relationship()
    #: The call it was voiced in.
    call_id: Mapped[int | None] = reference("call", _l("Call"), help=_l("The call in which it was voiced."))
    call: Mapped[Call | None] = relationship()
    #: The client; empty for citizens.
    company_id: Mapped[int | None] = reference("company", _l("Company"), help=_l("Empty for citizens."))
    company: Mapped[Company | None] = relationship()
    #: The person at the client who complains.
    contact_id: Mapped[int | None] = reference(
        "contact", _l("Contact"), help=_l("The person at the client who complains; the answer goes to their address.")
    )
    contact: Mapped[Contact | None] = relationship()
    #: The account of whoever complains: they see what became of it.
    account_id: Mapped[int | None] = reference("account", _l("Account"), verb_only=True)
    account: Mapped[Account | None] = relationship()
    #: The contract whose service it is about.
    contract_id: Mapped[int | None] = reference(
        "contract", _l("Contract"), help=_l("The one whose service it is about.")
    )
    contract: Mapped[Contract | None] = relationship()
    #: The name given, where it is no known contact.
    complainant: Mapped[str | None] = field(
        _l("Complainant"), String(160), personal=True, help=_l("The name given, where it is no known contact.")
    )
    #: Where the answer goes, where it is no known contact.
    email: Mapped[str | None] = field(
        _l("E-mail"), Email(), personal=True, help=_l("Where the answer goes, if not to the contact.")
    )
    #: The day it came in.
    received_on: Mapped[date] = field(_l("Received on"), default=today, help=_l("Today where empty."))
    #: How it came in.
    channel: Mapped[Channel] = choice(
        Channel,
        _l("Channel"),
        name="complaint_channel",
        badge=False,
        default=Channel.phone,
        help=_l("By what means it came in."),
    )
    #: What somebody is dissatisfied with.
    description: Mapped[str] = field(
        _l("Description"), Text, personal=True, help=_l("What the person is dissatisfied with, in their words.")
    )
    #: Where it stands; changed by verbs only.
    state: Mapped[ComplaintState] = choice(ComplaintState, _l("State"), default=ComplaintState.received, verb_only=True)
    #: The last day for the answer; empty where no term is agreed.
    answer_by: Mapped[date | None] = field(
        _l("Answer by"),
        due_while=_UNANSWERED,
        days_left=7,
        help=_l("By the term in the settings where empty; none where the settings name none."),
    )
    #: What was found.
    analysis: Mapped[str | None] = field(
        _l("Analysis"), Text, personal=True, verb_only=True, help=_l("What happened, and why.")
    )
    #: What is done because of it.
    action_kind: Mapped[ActionKind | None] = choice(
        ActionKind,
        _lp("complaint", "Decision"),
        name="complaint_action",
        badge=False,
        verb_only=True,
        help=_l("Whether the person is helped, the service improved, or neither."),
    )
    #: The action itself; needed unless nothing is done.
    corrective_action: Mapped[str | None] = field(
        _l("Corrective action"), Text, verb_only=True, help=_l("What is done, by whom and by when.")
    )
    #: What the complainant was answered.
    outcome: Mapped[str | None] = field(
        _lp("complaint answer", "Answer"), Text, personal=True, verb_only=True, help=_l("The person reads it.")
    )
    #: Who decided.
    decided_by_id: Mapped[int | None] = reference("ab_user", _l("Decided by"), verb_only=True)
    decided_by: Mapped[Staff | None] = relationship(foreign_keys=[decided_by_id])
    #: When.
    decided_at: Mapped[datetime | None] = field(_l("Decided at"), UtcInstant(), verb_only=True)
    #: When it was answered.
    answered_at: Mapped[datetime | None] = field(_l("Answered at"), UtcInstant(), verb_only=True)
    #: When it was closed.
    closed_at: Mapped[datetime | None] = field(_l("Closed at"), UtcInstant(), verb_only=True)

    def __str__(self) -> str:
        return self.number
