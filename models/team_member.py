"""Who is in which team."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from sqlalchemy import Integer, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Admin, Category, GroupOwned, Record, Rule, Scope, Section
from models.columns import field, reference
from models.staff import Staff
from models.support_team import SupportTeam


class TeamMember(GroupOwned, Record):
    """A member of staff in a team, who thereby sees the clients it works for (chapter 13 "assigned")."""

    __tablename__ = "team_member"
    __table_args__ = (UniqueConstraint("staff_id", "team_id"),)
    __admin__ = Admin(
        label=_l("Team member"),
        plural=_l("Team members"),
        category=Category.support,
        icon="person-lines-fill",
        area="queues",
        scope=Scope(group="team.group_id", owner="staff_id"),
        title=("team", "staff"),
        list_columns=("team", "staff", "is_lead"),
        filters=("team", "staff", "is_lead"),
        natural_keys=(("staff_id", "team_id"),),
        sections=(Section(_l("Member"), ("team", "staff", "is_lead")),),
        menu=False,
        rules={"uq_team_member_staff_id_team_id": Rule(_l("This person is already in the team."), "staff")},
    )

    #: The team.
    team_id: Mapped[int] = reference("support_team", _l("Team"), help="")
    team: Mapped[SupportTeam] = relationship(back_populates="members")
    #: Place among the members, from 0.
    position: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    #: The member of staff.
    staff_id: Mapped[int] = reference("ab_user", _l("Member"), help=_l("Sees the clients the team works for."))
    staff: Mapped[Staff] = relationship(foreign_keys=[staff_id])
    #: Answers for the team.
    is_lead: Mapped[bool] = field(_l("Team lead"), default=False, server_default="0", help=_l("Answers for the team."))

    def __str__(self) -> str:
        return f"{self.team} · {self.staff}"
