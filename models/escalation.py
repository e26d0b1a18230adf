"""Tickets that the first level passes on."""

from __future__ import annotations

from datetime import datetime

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, relationship

from models.base import Admin, Category, GroupOwned, Record, Rule, Scope, Section, Worklist
from models.columns import Choice, choice, field, reference
from models.company import Company
from models.support_team import SupportTeam
from models.ticket import Ticket
from models.values import UtcInstant


class EscalationState(Choice):
    requested = "requested", _lp("escalation", "Requested"), "info", "arrow-up-circle"
    accepted = "accepted", _lp("escalation", "Accepted"), "active", "check2-square"
    in_progress = "in_progress", _l("In progress"), "active", "play-circle"
    returned = "returned", _lp("escalation", "Returned"), "wait", "arrow-down-circle"
    solved = "solved", _l("Solved"), "good", "check-circle"


class EscalationReason(Choice):
    technical = "technical", _l("Technical difficulty"), "neutral", "tools"
    kb_miss = "kb_miss", _l("No answer in the knowledge base"), "neutral", "book"
    outside_scope = "outside_scope", _l("Outside the first level’s scope"), "neutral", "signpost-split"


class Escalation(GroupOwned, Record):
    """The passage of a ticket to the second level, with all that is known and was tried (ES-02, ES-05).

    Written by the ticket's own verb; a ticket has one at a time that is not over.
    """

    __tablename__ = "escalation"
    __table_args__ = (
        CheckConstraint("state <> 'returned' OR missing IS NOT NULL", name="returned_why"),
        CheckConstraint("state <> 'solved' OR ended_at IS NOT NULL", name="solved_when"),
        Index(
            "uq_escalation_open",
            "ticket_id",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
            sqlite_where=text("ended_at IS NULL"),
        ),
    )
    __admin__ = Admin(
        label=_l("Escalation"),
        plural=_l("Escalations"),
        category=Category.support,
        icon="arrow-up-circle",
        area="escalations",
        scope=Scope(group="ticket.group_id", company="ticket.company_id"),
        title=("ticket", "to_team"),
        subtitle=("reason", "company"),
        worklists=(Worklist(_l("Escalations to accept"), ("state:in:requested",)),),
        rank=3,
        list_columns=("created_at", "ticket", "company", "reason", "from_team", "to_team", "state"),
        filters=("state", "reason", "ticket", "company", "from_team", "to_team", "created_at"),
        order="-created_at",
        fast=(("state", "created_at"), ("to_team", "created_at"), ("ticket", "created_at"), ("company", "created_at")),
        facts=("ticket", "company", "from_team", "to_team", "ended_at"),
        sections=(
            Section(_l("Passage"), ("ticket", "reason", "from_team", "to_team")),
            Section(_l("What is known"), ("description", "actions", "workaround", "missing", "outcome")),
        ),
        rules={
            "ck_escalation_returned_why": Rule(_l("Say what is missing."), "missing"),
            "ck_escalation_solved_when": Rule(_l("What is solved has the time it was."), "ended_at"),
            "uq_escalation_open": Rule(_l("This ticket is with the second level already."), "ticket"),
        },
        written_by_verbs=True,
    )

    #: What is passed on.
    ticket_id: Mapped[int] = field(_l("Ticket"), None, ForeignKey("ticket.id", ondelete="RESTRICT"), index=True)
    ticket: Mapped[Ticket] = relationship()
    #: The client of the ticket; copied from it, and empty as long as its is.
    company_id: Mapped[int | None] = reference("company", _l("Company"))
    company: Mapped[Company | None] = relationship()
    #: Who passed it on.
    from_team_id: Mapped[int | None] = reference("support_team", _l("From team"), related=_l("Escalations made"))
    from_team: Mapped[SupportTeam | None] = relationship(foreign_keys=[from_team_id])
    #: Who is to solve it.
    to_team_id: Mapped[int] = reference(
        "support_team", _l("To team"), related=_l("Escalations received"), help=_l("A team of the second level.")
    )
    to_team: Mapped[SupportTeam] = relationship(foreign_keys=[to_team_id])
    #: Why the first level cannot.
    reason: Mapped[EscalationReason] = choice(
        EscalationReason,
        _l("Reason"),
        badge=False,
        default=EscalationReason.technical,
        help=_l("Why the first level cannot solve it."),
    )
    #: Where it stands; changed by verbs only.
    state: Mapped[EscalationState] = choice(
        EscalationState, _l("State"), default=EscalationState.requested, verb_only=True
    )
    #: The whole problem: the second level starts from here.
    description: Mapped[str] = field(
        _l("Problem"), Text, personal=True, help=_l("The whole of it: the second level starts from here.")
    )
    #: All that has been done about it already, at least one thing; a line each.
    actions: Mapped[str] = field(
        _l("What has been tried"), Text, personal=True, help=_l("All that has been done already, a line each.")
    )
    #: How to go on working until it is solved (TK-26).
    workaround: Mapped[str] = field(
        _l("Workaround"), Text, help=_l("How to go on working until it is solved; or none possible.")
    )
    #: What the second level needs to know before it can begin (ES-07).
    missing: Mapped[str | None] = field(
        _l("What is missing"), Text, verb_only=True, help=_l("What the second level needs to know before it can begin.")
    )
    #: How it was solved.
    outcome: Mapped[str | None] = field(
        _l("Outcome"), Text, verb_only=True, help=_l("How it was solved, for the first level to tell the client.")
    )
    #: When it was solved or returned.
    ended_at: Mapped[datetime | None] = field(_l("Ended"), UtcInstant(), verb_only=True)

    def __str__(self) -> str:
        return f"{self.ticket} → {self.to_team}"
