"""Who is on call, and when."""

from __future__ import annotations

from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import CheckConstraint, Integer
from sqlalchemy.orm import Mapped, relationship

from backoffice.clock import ROME
from models.base import Admin, Category, GroupOwned, Record, Rule, Scope, Section
from models.columns import field, reference
from models.staff import Staff
from models.support_team import SupportTeam
from models.values import Phone, UtcInstant


class OnCallShift(GroupOwned, Record):
    """A time in which a person answers for a team at any hour (SL-05, SL-14, SL-15)."""

    __tablename__ = "on_call_shift"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="ends_after_start"),
        CheckConstraint("turn BETWEEN 1 AND 9", name="turn_possible"),
    )
    __admin__ = Admin(
        label=_l("On-call shift"),
        plural=_l("On-call shifts"),
        category=Category.support,
        icon="telephone-forward",
        area="queues",
        scope=Scope(group="team.group_id"),
        title=("person", "starts_at"),
        subtitle=("team", "phone"),
        rank=8,
        list_columns=("starts_at", "ends_at", "team", "person", "turn", "phone"),
        filters=("team", "person", "starts_at", "ends_at"),
        order="-starts_at",
        fast=(("team", "starts_at"), ("person", "starts_at"), ("ends_at",)),
        sections=(Section(_l("Shift"), ("team", "person", "starts_at", "ends_at", "turn", "phone")),),
        rules={
            "ck_on_call_shift_ends_after_start": Rule(_l("It cannot end before it begins."), "ends_at"),
            "ck_on_call_shift_turn_possible": Rule(_l("Between 1 and 9."), "turn"),
        },
    )

    #: The team whose emergencies are meant.
    team_id: Mapped[int] = reference("support_team", _l("Team"), help=_l("Whose emergencies the person answers to."))
    team: Mapped[SupportTeam] = relationship()
    #: Who is on call.
    person_id: Mapped[int] = reference("ab_user", _l("Person"), help=_l("Who is on call."))
    person: Mapped[Staff] = relationship(foreign_keys=[person_id])
    #: From when.
    starts_at: Mapped[datetime] = field(_l("From"), UtcInstant(), help="")
    #: Until when.
    ends_at: Mapped[datetime] = field(_l("To"), UtcInstant(), help="", example="31/12/2026 23:30")
    #: Who is alerted first: 1; whoever follows is asked when the first does not answer.
    turn: Mapped[int] = field(
        _l("Turn"), Integer, default=1, server_default="1", help=_l("1 is alerted first, 2 where 1 does not answer.")
    )
    #: Where the person is reached.
    phone: Mapped[str | None] = field(_l("Phone"), Phone(), personal=True, help=_l("The number of the on-call phone."))

    def __str__(self) -> str:
        return f"{self.person} · {self.starts_at.astimezone(ROME):%d/%m/%Y %H:%M}"
