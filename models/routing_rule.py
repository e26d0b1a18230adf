"""Which team a request of a queue goes to."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from sqlalchemy import CheckConstraint, Integer
from sqlalchemy.orm import Mapped, relationship

from models.base import Admin, Category, GroupOwned, Record, Rule, Scope, Section
from models.columns import choice, field, reference
from models.request_type import RequestType
from models.support_queue import SupportQueue
from models.support_team import SupportTeam
from models.ticket import Urgency


class RoutingRule(GroupOwned, Record):
    """The team for the requests of a queue of one type, of one urgency or of both; the closest fit counts (CC-08)."""

    __tablename__ = "routing_rule"
    __table_args__ = (CheckConstraint("priority BETWEEN 1 AND 999", name="priority_possible"),)
    __admin__ = Admin(
        label=_l("Routing rule"),
        plural=_l("Routing rules"),
        category=Category.support,
        icon="signpost-split",
        area="queues",
        scope=Scope(group="queue.group_id"),
        title=("queue", "request_type", "urgency", "team"),
        rank=9,
        list_columns=("queue", "request_type", "urgency", "team", "priority", "active"),
        filters=("queue", "request_type", "urgency", "team", "active"),
        order="priority",
        fast=(("queue", "priority"),),
        sections=(
            Section(
                _l("What it is for"),
                ("queue", "request_type", "urgency"),
                _l("What is left empty matters not; where several fit, the one that names more counts."),
            ),
            Section(_l("Where it leads"), ("team", "priority", "active")),
        ),
        rules={"ck_routing_rule_priority_possible": Rule(_l("Between 1 and 999."), "priority")},
    )

    #: The queue whose requests it sorts.
    queue_id: Mapped[int] = reference("support_queue", _l("Queue"), help=_l("The queue whose tickets it sorts."))
    queue: Mapped[SupportQueue] = relationship()
    #: The kind of request it is for; empty for every one.
    request_type_id: Mapped[int | None] = reference(
        "request_type", _l("Type of request"), help=_l("Empty for every type.")
    )
    request_type: Mapped[RequestType | None] = relationship()
    #: The urgency it is for, as the client says, else as staff do; empty for every one.
    urgency: Mapped[Urgency | None] = choice(
        Urgency,
        _l("Urgency"),
        name="routing_urgency",
        badge=False,
        help=_l("As the client says it, else the priority. Empty for every urgency."),
    )
    #: The team that gets the request.
    team_id: Mapped[int] = reference(
        "support_team", _l("Team"), help=_l("Gets the tickets for which nobody has chosen a team.")
    )
    team: Mapped[SupportTeam] = relationship()
    #: Which of several that fit equally well counts: the lowest.
    priority: Mapped[int] = field(
        _l("Order"),
        Integer,
        default=10,
        server_default="10",
        help=_l("Where several rules fit equally well, the one with the lowest number counts."),
    )
    #: Whether it counts.
    active: Mapped[bool] = field(
        _l("In use"), default=True, server_default="1", help=_l("Unticked, it does not count.")
    )

    def __str__(self) -> str:
        named = (self.queue.code, self.request_type, self.urgency.label if self.urgency is not None else None)
        return f"{' · '.join(str(part) for part in named if part is not None)} → {self.team}"
