"""Requests for assistance."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy import CheckConstraint, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, relationship

from models.account import Account
from models.asset import Asset
from models.base import Admin, Category, Deletion, Flow, GroupOwned, Record, Rule, Scope, Section, Worklist
from models.business_unit import BusinessUnit
from models.columns import Choice, choice, field, minutes, reference
from models.company import Company
from models.contact import Contact
from models.contract import Contract
from models.request_type import RequestType
from models.service import Service
from models.staff import Staff
from models.support_queue import SupportQueue
from models.support_team import SupportTeam
from models.values import UtcInstant

if TYPE_CHECKING:
    from models.routing_rule import RoutingRule


class TicketState(Choice):
    qualification = "qualification", _l("Qualification"), "info", "funnel"
    waiting_package = "waiting_package", _l("Waiting for a package"), "wait", "hourglass-split"
    waiting_quote = "waiting_quote", _l("Waiting for a quote"), "wait", "receipt"
    assigned = "assigned", _l("Assigned"), "info", "person-check"
    in_progress = "in_progress", _l("In progress"), "active", "play-circle"
    waiting_customer = "waiting_customer", _l("Waiting for the client"), "wait", "chat-dots"
    waiting_l2 = "waiting_l2", _l("With the second level"), "other", "arrow-up-circle"
    waiting_change = "waiting_change", _l("Waiting for a change"), "other", "tools"
    on_site_planned = "on_site_planned", _l("Visit planned"), "other", "geo-alt"
    on_hold_consent = "on_hold_consent", _l("On hold: no consent"), "wait", "shield-x"
    closed_provisional = "closed_provisional", _l("Closed, may be reopened"), "good", "check-circle"
    reopened = "reopened", _l("Reopened"), "info", "arrow-counterclockwise"
    closed_final = "closed_final", _lp("state of a ticket", "Closed"), "good", "check-circle-fill"
    archived = "archived", _l("Archived"), "neutral", "archive"
    rejected = "rejected", _l("Rejected"), "bad", "x-circle"


#: Somebody of ours is to move: the deadline counts. While a ticket waits for the client it is only a date.
_AT_WORK = (
    TicketState.qualification,
    TicketState.assigned,
    TicketState.in_progress,
    TicketState.waiting_l2,
    TicketState.waiting_change,
    TicketState.on_site_planned,
    TicketState.reopened,
)


_OVER = (TicketState.closed_provisional, TicketState.closed_final, TicketState.archived, TicketState.rejected)
#: Those people still work on, and the filter that leaves them.
OPEN_STATES = tuple(state for state in TicketState if state not in _OVER)
_OPEN = "state:in:" + ",".join(OPEN_STATES)
_STILL_OPEN = text("state IN ({})".format(", ".join(f"'{state}'" for state in OPEN_STATES)))
_LATE = "state:in:" + ",".join(_AT_WORK)


class Urgency(Choice):
    low = "low", _l("Low"), "neutral", "chevron-down"
    normal = "normal", _l("Normal"), "info", "dash"
    high = "high", _l("High"), "wait", "chevron-up"
    emergency = "emergency", _l("Emergency"), "bad", "chevron-double-up"


class Channel(Choice):
    web = "web", _l("Web"), "neutral", "globe"
    email = "email", _l("E-mail"), "neutral", "envelope"
    phone = "phone", _l("Telephone"), "neutral", "telephone"
    voicemail = "voicemail", _l("Voicemail"), "neutral", "voicemail"
    pec = "pec", _l("Certified e-mail"), "neutral", "envelope-paper"
    fax = "fax", _l("Fax"), "neutral", "printer"
    qr = "qr", _l("QR code"), "neutral", "qr-code"
    sim = "sim", _l("Maintenance information system"), "neutral", "hdd-network"
    on_site = "on_site", _l("In person"), "neutral", "person-walking"


class AssistanceKind(Choice):
    ordinary = "ordinary", _l("Ordinary")
    extraordinary = "extraordinary", _l("Extraordinary")


class RequesterCategory(Choice):
    end_user = "end_user", _l("End user")
    technical_staff = "technical_staff", _l("Technical staff")


class ClosureReason(Choice):
    solved = "solved", _l("Solved")
    answered = "answered", _l("Answered")
    third_party = "third_party", _l("Third party, not managed")
    not_renewed = "not_renewed", _l("Service not renewed")
    no_answer = "no_answer", _l("No answer from the client")
    duplicate = "duplicate", _l("Duplicate")
    not_competent = "not_competent", _l("Outside our competence")
    spam = "spam", _l("Unsolicited mail")


class Ticket(GroupOwned, Record):
    """A request from its qualification to its closing; never deleted, in the end archived (TK-10)."""

    __tablename__ = "ticket"
    __table_args__ = (
        UniqueConstraint("group_id", "number"),
        CheckConstraint("state <> 'closed_provisional' OR reopen_until IS NOT NULL", name="reopen_until_when"),
        CheckConstraint("state <> 'rejected' OR closure_reason IS NOT NULL", name="rejected_why"),
        CheckConstraint("estimated_minutes > 0", name="estimate_positive"),
        CheckConstraint("reopen_count >= 0 AND reminder_count >= 0", name="counts_not_negative"),
        CheckConstraint("linked_ticket_id IS NULL OR linked_ticket_id <> id", name="follows_another"),
        # Which companies a team works for: the row scope of operators.
        Index("ix_ticket_team_id_company_id", "team_id", "company_id"),
        # The queue of the workspace: what is open, by when it is due, for everybody and for one.
        Index(
            "ix_ticket_open",
            "group_id",
            "due_at",
            "id",
            postgresql_where=_STILL_OPEN,
            sqlite_where=_STILL_OPEN,
        ),
        Index(
            "ix_ticket_open_mine",
            "assignee_id",
            "due_at",
            "id",
            postgresql_where=_STILL_OPEN,
            sqlite_where=_STILL_OPEN,
        ),
    )
    __admin__ = Admin(
        label=_l("Ticket"),
        plural=_l("Tickets"),
        category=Category.support,
        icon="ticket-perforated",
        area="tickets",
        scope=Scope(
            group="queue.group_id",
            company="company_id",
            unit="business_unit_id",
            owner="assignee_id",
            account="account_id",
        ),
        title=("number",),
        subtitle=("subject", "company"),
        tabs=(
            "ticket_message.ticket",
            "attachment.ticket",
            "call.ticket",
            "time_entry.ticket",
            "escalation.ticket",
            "intervention.ticket",
            "complaint.ticket",
            "change_request.ticket",
        ),
        worklists=(
            Worklist(_l("My open tickets"), ("assignee:in:{me}", _OPEN)),
            Worklist(_l("Overdue tickets"), ("due_at:past:", _LATE), "bad"),
            Worklist(_l("Open tickets without assignee"), ("assignee:empty:", _OPEN)),
        ),
        flows=(Flow(_lp("tickets", "Opened"), "created_at"), Flow(_lp("tickets", "Closed"), "first_closed_at")),
        rank=1,
        list_columns=("number", "subject", "company", "state", "priority", "assignee", "due_at"),
        search_columns=("number", "subject", "tags"),
        filters=(
            "state",
            "queue",
            "team",
            "assignee",
            "company",
            "contact",
            "priority",
            "requested_urgency",
            "request_type",
            "channel",
            "assistance_kind",
            "contract",
            "service",
            "asset",
            "business_unit",
            "entitled",
            "reopen_count",
            "number",
            "reopen_until",
            "due_at",
            "taken_at",
            "closed_at",
            "created_at",
            "updated_at",
        ),
        order="-created_at",
        fast=(
            ("state", "created_at"),
            ("company", "created_at"),
            ("assignee", "created_at"),
            ("queue", "created_at"),
            ("priority", "created_at"),
            ("created_at",),
            ("number",),
            ("updated_at",),
            ("state", "reopen_until"),
            ("state", "due_at"),
            ("closed_at",),
            ("first_closed_at",),
        ),
        facts=("company", "contact", "queue", "team", "assignee", "priority", "contract", "due_at", "reopen_until"),
        natural_keys=(("number",),),
        deletion=Deletion(),
        sections=(
            Section(
                _l("Request"),
                (
                    "queue",
                    "company",
                    "contact",
                    "subject",
                    "description",
                    "request_type",
                    "affected_system",
                    "asset",
                    "place_code",
                    "requested_urgency",
                    "channel",
                ),
            ),
            Section(
                _l("Who works on it"),
                (
                    "priority",
                    "team",
                    "assignee",
                    "business_unit",
                    "assistance_kind",
                    "requester_category",
                    "estimated_minutes",
                    "due_at",
                ),
            ),
            Section(_l("What it falls under"), ("contract", "service", "covered_by_quote", "linked_ticket", "tags")),
            Section(_l("Solution"), ("problem", "workaround", "solution", "closure_reason")),
        ),
        client_columns=(
            "number",
            "subject",
            "state",
            "created_at",
            "closed_at",
            "affected_system",
            "requested_urgency",
            "description",
            "solution",
        ),
        rules={
            "uq_ticket_group_id_number": Rule(_l("There is already a ticket with this number."), "number"),
            "ck_ticket_reopen_until_when": Rule(_l("A ticket that may be reopened says until when."), "reopen_until"),
            "ck_ticket_rejected_why": Rule(_l("A rejected ticket has a reason."), "closure_reason"),
            "ck_ticket_counts_not_negative": Rule(_l("This cannot be negative.")),
            "ck_ticket_estimate_positive": Rule(_l("At least one minute."), "estimated_minutes"),
            "ck_ticket_follows_another": Rule(_l("A ticket cannot follow itself."), "linked_ticket"),
        },
    )

    #: What people say: the queue's code and the next number of the queue, never used twice.
    number: Mapped[str] = field(
        _l("Number"), String(24), verb_only=True, help=_l("Given by the queue when it is opened.")
    )
    #: Where it arrived.
    queue_id: Mapped[int] = reference(
        "support_queue", _l("Queue"), help=_l("Decides its number, its rules and, unless another is named, its team.")
    )
    queue: Mapped[SupportQueue] = relationship()
    #: The client; empty until somebody finds out whose it is.
    company_id: Mapped[int | None] = reference(
        "company", _l("Company"), help=_l("Empty until it is known whose request it is.")
    )
    company: Mapped[Company | None] = relationship()
    #: Who asks.
    contact_id: Mapped[int | None] = reference(
        "contact", _l("Requester"), help=_l("The person at the client who asks.")
    )
    contact: Mapped[Contact | None] = relationship()
    #: The account it was opened with; empty where staff opened it on somebody's behalf.
    account_id: Mapped[int | None] = reference("account", _l("Opened with account"), verb_only=True)
    account: Mapped[Account | None] = relationship()
    #: Whether an end user or technical staff of the client asks: contracts distinguish them.
    requester_category: Mapped[RequesterCategory | None] = choice(
        RequesterCategory,
        _l("Kind of requester"),
        help=_l("Some contracts give the second level to technical staff only."),
    )
    #: In a few words, what is asked.
    subject: Mapped[str] = field(_l("Subject"), String(200), help=_l("In a few words, what is asked."))
    #: What the person wrote or said.
    description: Mapped[str] = field(_l("Description"), Text, personal=True, help=_l("What the person wrote or said."))
    #: What kind of request it is.
    request_type_id: Mapped[int | None] = reference(
        "request_type", _l("Type"), help=_l("Such as a fault, a clarification or a complaint.")
    )
    request_type: Mapped[RequestType | None] = relationship()
    #: The program, plant or site it concerns.
    affected_system: Mapped[str | None] = field(
        _l("Affected system"), String(160), help=_l("The program, plant or site it concerns.")
    )
    #: What of the client's it concerns, where that is on the register.
    asset_id: Mapped[int | None] = reference(
        "asset", _l("Asset"), help=_l("The pole, device or building, where the contract has a register of them.")
    )
    asset: Mapped[Asset | None] = relationship()
    #: The code on the pole, device or building.
    place_code: Mapped[str | None] = field(
        _l("Place code"), String(60), help=_l("The code on it, where it is on no register.")
    )
    #: As urgent as the client says.
    requested_urgency: Mapped[Urgency | None] = choice(
        Urgency,
        _l("Urgency asked"),
        name="requested_urgency",
        badge=False,
        help=_l("As the client says; staff decide the priority."),
    )
    #: As urgent as staff decide (TK-07).
    priority: Mapped[Urgency] = choice(
        Urgency,
        _l("Priority"),
        name="priority",
        badge=False,
        default=Urgency.normal,
        help=_l("As urgent as staff judge it, whatever the client asked."),
    )
    #: How it arrived.
    channel: Mapped[Channel] = choice(
        Channel, _l("Channel"), badge=False, default=Channel.web, help=_l("How it arrived.")
    )
    #: Where it stands; changed by verbs only.
    state: Mapped[TicketState] = choice(TicketState, _l("State"), default=TicketState.qualification, verb_only=True)
    #: Where it stood before it was put on hold, to go on from there.
    state_before: Mapped[TicketState | None] = choice(
        TicketState, _l("Earlier state"), name="ticket_state_before", verb_only=True
    )
    #: The team that works on it; the queue's first.
    team_id: Mapped[int | None] = reference(
        "support_team", _l("Team"), index=False, help=_l("The team of the queue where empty.")
    )
    team: Mapped[SupportTeam | None] = relationship()
    #: The rule that chose the team; empty where it is the queue's own, or somebody chose it (CC-08).
    routing_rule_id: Mapped[int | None] = reference(
        "routing_rule", _l("Routed by"), ondelete="SET NULL", verb_only=True, help=_l("The rule that chose the team.")
    )
    routing_rule: Mapped[RoutingRule | None] = relationship()
    #: Who works on it.
    assignee_id: Mapped[int | None] = reference(
        "ab_user", _l("Assignee"), help=_l("Works on the ticket; whoever takes charge of it is entered here.")
    )
    assignee: Mapped[Staff | None] = relationship(foreign_keys=[assignee_id])
    #: The unit it concerns: its evaluator sees it.
    business_unit_id: Mapped[int | None] = reference(
        "business_unit", _l("Business unit"), help=_l("That of the contract, the service or the company where empty.")
    )
    business_unit: Mapped[BusinessUnit | None] = relationship()
    #: Upkeep, or something new (PK-06).
    assistance_kind: Mapped[AssistanceKind | None] = choice(
        AssistanceKind,
        _l("Assistance"),
        help=_l("Ordinary keeps things working; extraordinary changes or adds something."),
    )
    #: Part of a quote, so that it takes no hours from a package (PK-05).
    covered_by_quote: Mapped[bool] = field(
        _l("Covered by a quote"), default=False, server_default="0", help=_l("It takes no hours from a package.")
    )
    #: The contract it falls under.
    contract_id: Mapped[int | None] = reference(
        "contract", _l("Contract"), help=_l("The company’s contract under which assistance is due.")
    )
    contract: Mapped[Contract | None] = relationship()
    #: The service it concerns.
    service_id: Mapped[int | None] = reference(
        "service", _l("Service"), help=_l("What the request is about, such as GOPRIVACY.")
    )
    service: Mapped[Service | None] = relationship()
    #: Whether assistance was due when it came in; empty for those that came before this was looked at.
    entitled: Mapped[bool | None] = field(
        _l("Assistance due"), verb_only=True, help=_l("As found when it came in, by dates, states and hours.")
    )
    #: What spoke for (+) and against (-) it then.
    entitlement_found: Mapped[str | None] = field(
        _l("What was found"), String(120), verb_only=True, help=_l("What spoke for (+) and against (-) it.")
    )
    #: Words people find it by.
    tags: Mapped[str | None] = field(_l("Tags"), String(200), help=_l("Words to find it by, with commas between."))
    #: The earlier ticket it follows.
    linked_ticket_id: Mapped[int | None] = reference(
        "ticket",
        _l("Follows"),
        related=_l("Linked tickets"),
        help=_l("The ticket that this one continues, or was merged into."),
    )
    linked_ticket: Mapped[Ticket | None] = relationship(remote_side="Ticket.id")
    #: When it should be solved.
    due_at: Mapped[datetime | None] = field(
        _l("Due"), UtcInstant(), due_while=_AT_WORK, help=_l("When it should be solved.")
    )
    #: How long it will take, as far as can be told: compared with what is left of the packages (PK-03).
    estimated_minutes: Mapped[int | None] = minutes(
        _l("Estimate"), help=_l("How long it will take; work begins only if packages cover it.")
    )
    #: When somebody took charge.
    taken_at: Mapped[datetime | None] = field(_l("Taken in charge"), UtcInstant(), verb_only=True)
    #: When it was closed for the first time.
    first_closed_at: Mapped[datetime | None] = field(_l("First closed"), UtcInstant(), verb_only=True)
    #: Until when the client may reopen it.
    reopen_until: Mapped[datetime | None] = field(_l("May be reopened until"), UtcInstant(), verb_only=True)
    #: When it was closed for good, or rejected.
    closed_at: Mapped[datetime | None] = field(_l("Closed"), UtcInstant(), verb_only=True)
    #: How often it was reopened.
    reopen_count: Mapped[int] = field(
        _l("Reopened"), Integer, default=0, server_default="0", verb_only=True, unit=_l("times")
    )
    #: How often the client asked what became of it (TK-32).
    reminder_count: Mapped[int] = field(
        _l("Reminders"), Integer, default=0, server_default="0", verb_only=True, unit=_l("times")
    )
    #: What is wrong, as the first level sees it (TK-26).
    problem: Mapped[str | None] = field(_l("Problem"), Text, help=_l("What is wrong, as the first level sees it."))
    #: How to go on working until it is solved.
    workaround: Mapped[str | None] = field(
        _l("Workaround"), Text, help=_l("How to go on working until it is solved; or none possible.")
    )
    #: How it was solved; needed to close.
    solution: Mapped[str | None] = field(_l("Solution"), Text, help=_l("Needed to close; the client reads it."))
    #: Why it ended.
    closure_reason: Mapped[ClosureReason | None] = choice(
        ClosureReason, _l("Reason of closing"), help=_l("Needed to close the ticket and to reject it.")
    )

    def __str__(self) -> str:
        return self.number
