"""Answers that are given again and again."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from sqlalchemy import String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from models.base import Admin, Category, GroupOwned, Record, Rule, Scope, Section
from models.columns import field, reference
from models.support_queue import SupportQueue


class QuickReply(GroupOwned, Record):
    """A text that operators put into an answer, with the names of the ticket in it (TK-09)."""

    __tablename__ = "quick_reply"
    __table_args__ = (UniqueConstraint("group_id", "name"),)
    __admin__ = Admin(
        label=_l("Quick reply"),
        plural=_l("Quick replies"),
        category=Category.support,
        icon="lightning-charge",
        area="queues",
        scope=Scope(group="group_id"),
        title=("name",),
        rank=8,
        list_columns=("name", "queue", "body", "active"),
        search_columns=("name",),
        filters=("active", "queue"),
        order="name",
        natural_keys=(("name",),),
        sections=(Section(_l("Quick reply"), ("name", "queue", "body", "active")),),
        rules={"uq_quick_reply_group_id_name": Rule(_l("There is already a quick reply of this name."), "name")},
    )

    #: What operators choose it by.
    name: Mapped[str] = field(_l("Name"), String(80), help=_l("What operators choose it by."))
    #: The queue it is offered in; empty for every one.
    queue_id: Mapped[int | None] = reference("support_queue", _l("Queue"), help=_l("Empty for every queue."))
    queue: Mapped[SupportQueue | None] = relationship()
    #: The words, with placeholders.
    body: Mapped[str] = field(
        _l("Text"), Text, help=_l("{name}, {number}, {subject}, {company} and {me} stand for those of the ticket.")
    )
    #: Whether it is offered.
    active: Mapped[bool] = field(
        _l("In use"), default=True, server_default="1", help=_l("Unticked, it is not offered.")
    )

    def __str__(self) -> str:
        return self.name
