"""Alerts to whoever is on call, until somebody says that they have it."""

from __future__ import annotations

from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import CheckConstraint, Index, Integer, text
from sqlalchemy.orm import Mapped, relationship

from models.base import Admin, Category, Deletion, GroupOwned, Record, Rule, Scope, Section, Worklist
from models.columns import Choice, choice, field, reference
from models.company import Company
from models.staff import Staff
from models.ticket import Ticket
from models.values import UtcInstant


class AlertState(Choice):
    sent = "sent", _l("Waits for an answer"), "bad", "bell"
    acknowledged = "acknowledged", _l("Acknowledged"), "good", "check-circle"
    passed_on = "passed_on", _l("Passed on"), "neutral", "arrow-right-circle"
    over = "over", _l("No longer needed"), "neutral", "slash-circle"


class OnCallAlert(GroupOwned, Record):
    """One person alerted of one emergency: again and again until they answer, or the next one is asked (SL-14)."""

    __tablename__ = "on_call_alert"
    __table_args__ = (
        CheckConstraint("times >= 1", name="times_positive"),
        Index(
            "uq_on_call_alert_open",
            "ticket_id",
            unique=True,
            postgresql_where=text("state = 'sent'"),
            sqlite_where=text("state = 'sent'"),
        ),
    )
    __admin__ = Admin(
        label=_l("On-call alert"),
        plural=_l("On-call alerts"),
        category=Category.support,
        icon="bell",
        area="escalations",
        scope=Scope(group="ticket.group_id", company="ticket.company_id"),
        title=("ticket", "person"),
        subtitle=("company",),
        rank=2,
        list_columns=("created_at", "ticket", "company", "person", "state", "times", "answered_at"),
        filters=("state", "person", "ticket", "company", "created_at"),
        order="-created_at",
        fast=(("state", "created_at"), ("ticket", "created_at"), ("person", "created_at"), ("company", "created_at")),
        worklists=(Worklist(_l("My alerts to acknowledge"), ("person:in:{me}", "state:in:sent"), "bad"),),
        facts=("ticket", "company", "person", "times", "answered_at"),
        sections=(Section(_l("Alert"), ("ticket", "person", "times", "next_at", "answered_at", "webhook_at")),),
        rules={
            "ck_on_call_alert_times_positive": Rule(_l("At least once."), "times"),
            "uq_on_call_alert_open": Rule(_l("Somebody is alerted of this ticket already.")),
        },
        deletion=Deletion(),
        written_by_verbs=True,
    )

    #: The emergency.
    ticket_id: Mapped[int] = reference("ticket", _l("Ticket"), help="")
    ticket: Mapped[Ticket] = relationship()
    #: The client of the ticket; copied from it, and empty as long as its is.
    company_id: Mapped[int | None] = reference("company", _l("Company"))
    company: Mapped[Company | None] = relationship()
    #: Who is alerted.
    person_id: Mapped[int] = reference("ab_user", _l("Person"), help=_l("Who is alerted."))
    person: Mapped[Staff] = relationship(foreign_keys=[person_id])
    #: Where it stands.
    state: Mapped[AlertState] = choice(AlertState, _l("State"), default=AlertState.sent, verb_only=True)
    #: How often the person was alerted.
    times: Mapped[int] = field(_l("Alerted"), Integer, default=1, server_default="1", unit=_l("times"), help="")
    #: When the person is alerted again, or the next one asked.
    next_at: Mapped[datetime] = field(_l("Again at"), UtcInstant(), help=_l("Unless somebody answers before."))
    #: When the person answered.
    answered_at: Mapped[datetime | None] = field(_l("Answered"), UtcInstant(), verb_only=True)
    #: When the gateway took the last alert, or there was none to take it; empty while it has not.
    webhook_at: Mapped[datetime | None] = field(
        _l("Gateway"), UtcInstant(), help=_l("Empty while it waits to take it.")
    )

    def __str__(self) -> str:
        return f"{self.ticket} · {self.person}"
