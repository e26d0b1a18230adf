"""Visits to the client, and work done from afar by appointment."""

from __future__ import annotations

from datetime import datetime

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy import CheckConstraint, String, Text
from sqlalchemy.orm import Mapped, relationship

from backoffice.clock import ROME, now
from models.base import Admin, Category, Deletion, GroupOwned, Record, Rule, Scope, Section, Worklist
from models.columns import Choice, choice, field, reference
from models.company import Company
from models.entitlement import Entitlement
from models.site import Site
from models.support_team import SupportTeam
from models.ticket import Ticket
from models.values import UtcInstant


class InterventionState(Choice):
    requested = "requested", _lp("intervention", "Requested"), "info", "envelope-open"
    scheduled = "scheduled", _lp("intervention", "Scheduled"), "other", "calendar-check"
    team_sent = "team_sent", _l("Team on its way"), "active", "truck"
    arrived = "arrived", _l("Team on site"), "active", "geo-alt"
    done = "done", _lp("intervention", "Done"), "good", "check-circle"
    not_done = "not_done", _lp("intervention", "Not done"), "neutral", "x-circle"
    refused_cap = "refused_cap", _l("Refused: none left"), "bad", "slash-circle"


_WAITING = (InterventionState.requested, InterventionState.scheduled, InterventionState.team_sent)
#: Not carried out yet, and the filter that leaves them.
OPEN = (*_WAITING, InterventionState.arrived)
_OPEN = "state:in:" + ",".join(OPEN)


class InterventionMode(Choice):
    on_site = "on_site", _lp("intervention", "On site"), "neutral", "geo-alt"
    remote = "remote", _lp("intervention", "Remote"), "neutral", "display"


class Intervention(GroupOwned, Record):
    """Work on a ticket at an agreed place and time, from its request to its end (OS-01, OS-05)."""

    __tablename__ = "intervention"
    __table_args__ = (
        CheckConstraint("arrived_at >= requested_at", name="arrived_after_request"),
        CheckConstraint("ended_at >= COALESCE(arrived_at, requested_at)", name="ended_after_arrival"),
        CheckConstraint("state <> 'scheduled' OR planned_at IS NOT NULL", name="scheduled_when"),
        CheckConstraint("state <> 'done' OR (arrived_at IS NOT NULL AND ended_at IS NOT NULL)", name="done_when"),
    )
    __admin__ = Admin(
        label=_l("Intervention"),
        plural=_l("Interventions"),
        category=Category.support,
        icon="geo-alt",
        area="interventions",
        scope=Scope(group="ticket.group_id", company="ticket.company_id"),
        title=("ticket", "requested_at"),
        subtitle=("mode", "company", "site"),
        tabs=("attachment.intervention",),
        worklists=(
            Worklist(_l("Interventions without a date"), ("state:in:requested",)),
            Worklist(_l("Overdue interventions"), ("due_at:past:", _OPEN), "bad"),
        ),
        rank=3,
        list_columns=("requested_at", "ticket", "company", "mode", "site", "state", "planned_at", "due_at", "team"),
        search_columns=("requested_by",),
        filters=(
            "state",
            "mode",
            "ticket",
            "company",
            "site",
            "team",
            "entitlement",
            "planned_at",
            "due_at",
            "requested_at",
        ),
        order="-requested_at",
        fast=(
            ("state", "planned_at"),
            ("state", "due_at"),
            ("state", "requested_at"),
            ("ticket", "requested_at"),
            ("company", "requested_at"),
        ),
        facts=("company", "ticket", "site", "team", "entitlement", "planned_at", "due_at"),
        changeable_in={"ticket": (), "entitlement": (), "beyond_reason": ()},
        deletion=Deletion(),
        sections=(
            Section(
                _l("Request"),
                ("ticket", "mode", "requested_at", "requested_by", "site", "entitlement", "beyond_reason"),
            ),
            Section(_l("Who goes"), ("team",)),
        ),
        client_columns=("requested_at", "mode", "state", "planned_at", "arrived_at", "ended_at"),
        rules={
            "ck_intervention_arrived_after_request": Rule(_l("Nobody arrives before the request."), "arrived_at"),
            "ck_intervention_ended_after_arrival": Rule(_l("It cannot end before it begins."), "ended_at"),
            "ck_intervention_scheduled_when": Rule(_l("Say when."), "planned_at"),
            "ck_intervention_done_when": Rule(_l("Say when the team arrived and when it left."), "ended_at"),
        },
    )

    #: The request it serves.
    ticket_id: Mapped[int] = reference("ticket", _l("Ticket"), help=_l("The request it serves."))
    ticket: Mapped[Ticket] = relationship()
    #: The client of the ticket; copied from it, and empty as long as its is.
    company_id: Mapped[int | None] = reference("company", _l("Company"))
    company: Mapped[Company | None] = relationship()
    #: At the client's, or from afar.
    mode: Mapped[InterventionMode] = choice(
        InterventionMode, _l("Mode"), default=InterventionMode.on_site, badge=False, help=""
    )
    #: When it was asked for; intervention time counts from here to the arrival (SL-20).
    requested_at: Mapped[datetime] = field(
        _l("Requested at"),
        UtcInstant(),
        default=now,
        help=_l("Now where empty; the time to intervene counts from here to the arrival."),
    )
    #: The person of the client who asked: their word is enough (OS-04).
    requested_by: Mapped[str | None] = field(
        _l("Requested by"), String(160), personal=True, help=_l("The person of the client who asked.")
    )
    #: Where.
    site_id: Mapped[int | None] = reference("site", _l("Site"), help=_l("The place of the client."))
    site: Mapped[Site | None] = relationship()
    #: What it counts towards; empty where it is beyond what the contract includes.
    entitlement_id: Mapped[int | None] = reference(
        "entitlement", _l("Counts towards"), help=_l("Left empty, the one that fits counts, if any is left of it.")
    )
    entitlement: Mapped[Entitlement | None] = relationship()
    #: Why it takes place although it counts towards nothing that was agreed (OS-02).
    beyond_reason: Mapped[str | None] = field(
        _l("Why beyond the contract"),
        String(250),
        help=_l("Only where none is left, or it is not to be counted: why it takes place all the same."),
    )
    #: Who goes.
    team_id: Mapped[int | None] = reference("support_team", _l("Team"), help=_l("Who goes; known once it is planned."))
    team: Mapped[SupportTeam | None] = relationship()
    #: Where it stands; changed by verbs only.
    state: Mapped[InterventionState] = choice(
        InterventionState, _l("State"), default=InterventionState.requested, verb_only=True
    )
    #: When the team is expected.
    planned_at: Mapped[datetime | None] = field(
        _l("Planned for"), UtcInstant(), verb_only=True, due_while=_WAITING, help=_l("When the team is expected.")
    )
    #: By when it must be carried out: the end of service of the next working day, unless something else is agreed.
    due_at: Mapped[datetime | None] = field(
        _l("To be done by"),
        UtcInstant(),
        verb_only=True,
        due_while=OPEN,
        help=_l("By the service level, else by the working days in the settings and the calendar of the queue."),
    )
    #: When the team was there.
    arrived_at: Mapped[datetime | None] = field(
        _l("Arrived"),
        UtcInstant(),
        verb_only=True,
        today=True,
        help=_l("When the team was on site, or began from afar."),
    )
    #: When the work was over.
    ended_at: Mapped[datetime | None] = field(
        _l("Ended"), UtcInstant(), verb_only=True, today=True, help=_l("When the work was over.")
    )
    #: What was done, or why nothing was.
    outcome: Mapped[str | None] = field(
        _l("Outcome"), Text, verb_only=True, help=_l("What was done, or why nothing was; the report is attached.")
    )

    def __str__(self) -> str:
        return f"{self.ticket} · {self.requested_at.astimezone(ROME):%d/%m/%Y}"
