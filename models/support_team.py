"""The teams that work tickets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l
from sqlalchemy import CheckConstraint, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from models.base import Admin, Category, GroupOwned, Record, Rule, Scope, Section
from models.columns import field, reference
from models.group_company import GroupCompany
from models.values import Email

if TYPE_CHECKING:
    from models.team_member import TeamMember


class SupportTeam(GroupOwned, Record):
    """People who answer together, at one level; operators see the clients of their teams."""

    __tablename__ = "support_team"
    __table_args__ = (
        UniqueConstraint("group_id", "name"),
        CheckConstraint("level BETWEEN 1 AND 3", name="level_known"),
    )
    __admin__ = Admin(
        label=_l("Support team"),
        plural=_l("Support teams"),
        category=Category.support,
        icon="people-fill",
        area="queues",
        scope=Scope(group="group_company.group_id"),
        title=("name",),
        rank=8,
        list_columns=("name", "level", "group_company", "email"),
        search_columns=("name", "email"),
        filters=("level", "group_company"),
        order="name",
        inline=("members",),
        natural_keys=(("name",),),
        sections=(Section(_l("Team"), ("name", "group_company", "level", "email")),),
        rules={
            "uq_support_team_group_id_name": Rule(_l("There is already a team of this name."), "name"),
            "ck_support_team_level_known": Rule(_l("The level is 1, 2 or 3."), "level"),
        },
    )

    #: What the team is called.
    name: Mapped[str] = field(_l("Name"), String(120))
    #: The company of the group it is part of.
    group_company_id: Mapped[int] = reference("group_company", _l("Group company"), help="")
    group_company: Mapped[GroupCompany] = relationship()
    #: Support level: 1 answers first.
    level: Mapped[int] = field(
        _l("Level"), Integer, default=1, server_default="1", help=_l("1 answers first, 2 is asked by 1."), adds_up=False
    )
    #: Where notices to the whole team go.
    email: Mapped[str | None] = field(_l("E-mail"), Email(), help=_l("Notices to the whole team go here."))

    members: Mapped[list[TeamMember]] = relationship(
        back_populates="team",
        passive_deletes="all",
        cascade="save-update, merge",
        order_by="TeamMember.position",
        info={"label": _l("Members"), "help": _l("They see the clients the team works for.")},
    )

    def __str__(self) -> str:
        return self.name
