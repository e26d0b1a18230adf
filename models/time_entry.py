"""The time people spend on tickets."""

from __future__ import annotations

from datetime import date, time

from flask_babel import lazy_gettext as _l
from sqlalchemy import CheckConstraint, String
from sqlalchemy.orm import Mapped, relationship

from models.base import Admin, Category, GroupOwned, Record, Rule, Scope, Section
from models.columns import Choice, choice, field, minutes, reference
from models.company import Company
from models.staff import Staff
from models.ticket import Ticket


class ActivityCategory(Choice):
    """The three kinds of activity that public contracts tell apart (SV-14)."""

    products = "products", _l("Products and services"), "neutral", "box-seam"
    ordinary = "ordinary", _l("Ordinary management"), "neutral", "arrow-repeat"
    extraordinary = "extraordinary", _l("Extraordinary management"), "neutral", "tools"


class TimeEntry(GroupOwned, Record):
    """Working time that somebody spent on a ticket on one day (TK-29); charged to packages elsewhere."""

    __tablename__ = "time_entry"
    __table_args__ = (
        CheckConstraint("minutes BETWEEN 1 AND 1440", name="minutes_of_a_day"),
        CheckConstraint("person_id IS NOT NULL", name="whose"),
        CheckConstraint("charged_minutes >= 0", name="charged_not_negative"),
        CheckConstraint("outside_minutes BETWEEN 0 AND minutes", name="outside_within"),
    )
    __admin__ = Admin(
        label=_l("Time entry"),
        plural=_l("Time entries"),
        category=Category.support,
        icon="stopwatch",
        area="time_entries",
        scope=Scope(group="ticket.group_id", company="ticket.company_id", owner="person_id"),
        title=("ticket", "day"),
        subtitle=("category", "minutes", "person"),
        rank=4,
        list_columns=("day", "ticket", "company", "person", "category", "minutes", "charged_minutes", "activity"),
        search_columns=("activity",),
        filters=("category", "person", "ticket", "company", "day", "outside_minutes", "billable"),
        order="-day",
        fast=(("ticket", "day"), ("person", "day"), ("company", "day"), ("category", "day")),
        totals=("minutes",),
        sections=(
            Section(
                _l("Time entry"),
                ("ticket", "category", "day", "began_at", "minutes", "person", "activity", "billable"),
            ),
        ),
        client_columns=("day", "category", "minutes", "charged_minutes", "activity"),
        rules={
            "ck_time_entry_minutes_of_a_day": Rule(_l("Between 1 minute and 24 hours a day."), "minutes"),
            "ck_time_entry_charged_not_negative": Rule(_l("This cannot be negative."), "charged_minutes"),
            "ck_time_entry_outside_within": Rule(_l("Between none and all of the time."), "outside_minutes"),
            "ck_time_entry_whose": Rule(_l("Say who worked."), "person"),
        },
    )

    #: What the work was for.
    ticket_id: Mapped[int] = reference("ticket", _l("Ticket"), help=_l("The request that was worked on."))
    ticket: Mapped[Ticket] = relationship()
    #: The client of the ticket; copied from it, and empty as long as its is.
    company_id: Mapped[int | None] = reference("company", _l("Company"))
    company: Mapped[Company | None] = relationship()
    #: Which of the three categories it falls under; never guessed.
    category: Mapped[ActivityCategory] = choice(
        ActivityCategory, _l("Category"), badge=False, help=_l("What contracts and reports tell activities apart by.")
    )
    #: The day the work was done.
    day: Mapped[date] = field(_l("Day"), example="30/10/2026")
    #: How much of it packages have paid for, rounded as the contract says; the movements of packages tell which.
    charged_minutes: Mapped[int] = minutes(
        _l("Charged"), default=0, server_default="0", verb_only=True, help=_l("Taken from support packages.")
    )
    #: When the work began; then it is known how much of it lay outside the service's hours, even on a working day.
    began_at: Mapped[time | None] = field(
        _l("Began at"), help=_l("Tells work outside the service hours; may stay empty."), example="09:00"
    )
    #: How much of it lay outside the hours of the ticket's queue; empty where no hours are agreed.
    outside_minutes: Mapped[int | None] = minutes(
        _l("Outside service hours"), verb_only=True, help=_l("By the calendar of the queue, as far as can be told.")
    )
    #: How long it took.
    minutes: Mapped[int] = minutes(_l("Time"), help=_l("Real working time, such as 0:45."))
    #: Who worked; whoever enters it unless another is named. Never empty, which a constraint says, not the column.
    person_id: Mapped[int | None] = reference("ab_user", _l("Person"), help=_l("Who worked; you, where empty."))
    person: Mapped[Staff | None] = relationship(foreign_keys=[person_id])
    #: What was done, as the client may read it.
    activity: Mapped[str | None] = field(_l("Activity"), String(250), help=_l("What was done; the client may read it."))
    #: Whether a support package pays for it; not where a quote covers the ticket (PK-05).
    billable: Mapped[bool] = field(
        _l("Takes hours from a package"),
        default=True,
        server_default="1",
        help=_l("Not where a quote covers the ticket."),
    )

    def __str__(self) -> str:
        return f"{self.ticket} · {self.day:%d/%m/%Y}"
