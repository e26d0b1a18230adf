"""The clocks that run on tickets: what was promised, by when, and whether it was kept."""

from __future__ import annotations

from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Admin, Category, Deletion, GroupOwned, Model, Record, Rule, Scope, Section, Worklist
from models.columns import Choice, choice, choice_type, field, minutes, reference
from models.company import Company
from models.sla_policy import SlaKind, SlaPolicy
from models.ticket import Ticket, TicketState
from models.values import UtcInstant


class ClockState(Choice):
    running = "running", _l("Running"), "active", "play-circle"
    paused = "paused", _l("Paused"), "wait", "pause-circle"
    met = "met", _l("Kept"), "good", "check-circle"
    late = "late", _l("Kept late"), "bad", "exclamation-circle"
    stopped = "stopped", _l("No longer counts"), "neutral", "stop-circle"


#: The promise is still to be kept.
OPEN = (ClockState.running, ClockState.paused)
_DUE_SOON = text("state = 'running'")
_UNMEASURED = text("met_at IS NOT NULL AND taken_minutes IS NULL")


class TicketClock(GroupOwned, Record):
    """One promise about one ticket: started by the product, paused and met by what happens to the ticket (SL-23)."""

    __tablename__ = "ticket_clock"
    __table_args__ = (
        UniqueConstraint("ticket_id", "kind"),
        CheckConstraint("state <> 'running' OR due_at IS NOT NULL", name="running_until_when"),
        CheckConstraint("(state IN ('met', 'late')) = (met_at IS NOT NULL)", name="met_when"),
        # What the product looks at every few minutes: only clocks that run.
        Index("ix_ticket_clock_warn_at", "warn_at", postgresql_where=_DUE_SOON, sqlite_where=_DUE_SOON),
        Index("ix_ticket_clock_running_due_at", "due_at", postgresql_where=_DUE_SOON, sqlite_where=_DUE_SOON),
        Index("ix_ticket_clock_unmeasured", "id", postgresql_where=_UNMEASURED, sqlite_where=_UNMEASURED),
    )
    __admin__ = Admin(
        label=_l("Clock of a ticket"),
        plural=_l("Clocks of tickets"),
        category=Category.support,
        icon="stopwatch",
        area="tickets",
        scope=Scope(group="ticket.group_id", company="ticket.company_id"),
        title=("ticket", "kind"),
        subtitle=("policy",),
        rank=9,
        list_columns=("ticket", "company", "kind", "state", "due_at", "met_at", "taken_minutes", "policy"),
        filters=(
            "state",
            "kind",
            "policy",
            "ticket",
            "company",
            "started_at",
            "due_at",
            "met_at",
            "taken_minutes",
            "breached_at",
            "created_at",
        ),
        order="-created_at",
        fast=(
            ("ticket", "created_at"),
            ("state", "due_at"),
            ("kind", "created_at"),
            ("company", "created_at"),
            ("breached_at",),
            ("started_at",),
            ("met_at",),
        ),
        worklists=(Worklist(_l("Promises not kept in time"), ("state:in:running", "due_at:past:"), "bad"),),
        facts=("ticket", "company", "policy", "due_at", "met_at", "breached_at"),
        sections=(
            Section(_l("Promise"), ("ticket", "kind", "policy", "started_at", "target_minutes")),
            Section(
                _l("How it went"),
                ("due_at", "warn_at", "warned_at", "breached_at", "met_at", "taken_minutes", "fitted_at"),
            ),
        ),
        rules={
            "uq_ticket_clock_ticket_id_kind": Rule(_l("This ticket has such a clock already."), "kind"),
            "ck_ticket_clock_running_until_when": Rule(_l("A running clock ends some time."), "due_at"),
            "ck_ticket_clock_met_when": Rule(_l("A promise was kept some time."), "met_at"),
        },
        deletion=Deletion(),
        written_by_verbs=True,
    )

    #: The request it is about.
    ticket_id: Mapped[int] = reference("ticket", _l("Ticket"), help="")
    ticket: Mapped[Ticket] = relationship()
    #: The client of the ticket; copied from it, and empty as long as its is.
    company_id: Mapped[int | None] = reference("company", _l("Company"))
    company: Mapped[Company | None] = relationship()
    #: What was promised.
    kind: Mapped[SlaKind] = choice(
        SlaKind, _l("Kind"), name="clock_kind", badge=False, help=_l("What must have happened when the time is over.")
    )
    #: The service level that says within what time.
    policy_id: Mapped[int] = reference("sla_policy", _l("Service level"), help=_l("Says within what time."))
    policy: Mapped[SlaPolicy] = relationship()
    #: Where it stands.
    state: Mapped[ClockState] = choice(ClockState, _l("State"), default=ClockState.running, verb_only=True)
    #: When it began to count.
    started_at: Mapped[datetime] = field(_l("Started"), UtcInstant(), help=_l("From when the time counts."))
    #: How much time there is, in what the service level counts in.
    target_minutes: Mapped[int] = minutes(_l("Time allowed"), help=_l("In the opening hours, or round the clock."))
    #: When the time is over; empty while the clock stands still.
    due_at: Mapped[datetime | None] = field(
        _l("Due"), UtcInstant(), due_while=(ClockState.running,), help=_l("Empty while the clock stands still.")
    )
    #: When people are warned.
    warn_at: Mapped[datetime | None] = field(_l("Warning at"), UtcInstant(), help=_l("When people are warned."))
    #: When they were.
    warned_at: Mapped[datetime | None] = field(_l("Warned"), UtcInstant(), help=_l("When people were warned."))
    #: Since when it is too late.
    breached_at: Mapped[datetime | None] = field(
        _l("Overdue since"), UtcInstant(), help=_l("Since when it is too late.")
    )
    #: When the promise was kept.
    met_at: Mapped[datetime | None] = field(_l("Kept at"), UtcInstant(), help=_l("When it happened."))
    #: How much of the allowed time it took, in what the service level counts in; empty until it was kept.
    taken_minutes: Mapped[int | None] = minutes(
        _l("Time taken"), help=_l("In the opening hours or round the clock, like the time allowed; without pauses.")
    )
    #: When the due time was worked out last: later changes of hours or service levels make it be worked out anew.
    fitted_at: Mapped[datetime] = field(_l("Worked out"), UtcInstant(), help=_l("When the due time was worked out."))

    def __str__(self) -> str:
        return f"{self.ticket} · {self.kind.label}"


class TicketPause(Model):
    """A time in which nobody of ours was to move: clocks whose service level pauses stand still (SL-23)."""

    __tablename__ = "ticket_pause"
    __table_args__ = (CheckConstraint("until >= since", name="until_after_since"),)

    #: The key.
    id: Mapped[int] = mapped_column(primary_key=True)
    #: The request that waited.
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"), index=True)
    #: The state it waited in.
    state: Mapped[TicketState] = mapped_column(choice_type(TicketState, "pause_state"))
    #: From when.
    since: Mapped[datetime] = mapped_column(UtcInstant())
    #: Until when; empty while it waits.
    until: Mapped[datetime | None] = mapped_column(UtcInstant())
