"""The queues requests arrive in."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from sqlalchemy import CheckConstraint, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from models.base import Admin, Category, GroupOwned, Record, Rule, Scope, Section
from models.codes import ShortCode
from models.columns import field, folded, reference
from models.group_company import GroupCompany
from models.service_calendar import ServiceCalendar
from models.support_team import SupportTeam
from models.values import Email, Phone


class SupportQueue(GroupOwned, Record):
    """Where requests of one kind arrive, with their hours, their rules and their numbers (TK-02, TK-14)."""

    __tablename__ = "support_queue"
    __table_args__ = (
        UniqueConstraint("group_id", "code"),
        CheckConstraint("reopen_window_hours >= 0", name="reopen_window_not_negative"),
    )
    __admin__ = Admin(
        label=_l("Queue"),
        plural=_l("Queues"),
        category=Category.support,
        icon="inboxes",
        area="queues",
        scope=Scope(group="group_company.group_id"),
        title=("code", "name"),
        rank=8,
        list_columns=("code", "name", "team", "calendar", "requires_package", "reopen_window_hours", "active"),
        search_columns=("code", "name", "email"),
        filters=("active", "team", "calendar", "group_company", "requires_package"),
        order="code",
        fast=(("name",),),
        natural_keys=(("code",),),
        sections=(
            Section(_l("Queue"), ("code", "name", "group_company", "team", "calendar", "email", "phone", "active")),
            Section(
                _l("Its rules"),
                ("requires_package", "requires_consent", "requires_attachment", "requires_time", "reopen_window_hours"),
            ),
        ),
        client_columns=("name", "email"),
        client_section=False,
        rules={
            "uq_support_queue_group_id_code": Rule(_l("There is already a queue with this code."), "code"),
            "ck_support_queue_reopen_window_not_negative": Rule(
                _l("The window cannot be negative."), "reopen_window_hours"
            ),
        },
    )

    #: What its numbers begin with: GP makes GP-123.
    code: Mapped[str] = field(
        _l("Code"), ShortCode(8), help=_l("The numbers of its tickets begin with it: GP makes GP-123.")
    )
    #: Name as people read it.
    name: Mapped[str] = field(_l("Name"), String(120), help=_l("As clients read it."))
    #: The name folded, for sorting.
    name_key: Mapped[str] = folded("name")
    #: The company of the group that answers.
    group_company_id: Mapped[int] = reference(
        "group_company", _l("Group company"), help=_l("The company of the group that answers.")
    )
    group_company: Mapped[GroupCompany] = relationship()
    #: The team its requests go to first.
    team_id: Mapped[int | None] = reference("support_team", _l("Team"), help=_l("New tickets go to it."))
    team: Mapped[SupportTeam | None] = relationship()
    #: When it is attended; empty where no hours are agreed.
    calendar_id: Mapped[int | None] = reference(
        "service_calendar", _l("Calendar"), help=_l("Empty where no hours are agreed.")
    )
    calendar: Mapped[ServiceCalendar | None] = relationship()
    #: The address clients write to.
    email: Mapped[str | None] = field(_l("E-mail"), Email(), help=_l("The address clients write to."))
    #: The number clients call: calls to it are the queue's.
    phone: Mapped[str | None] = field(
        _l("Phone"), Phone(), help=_l("The number clients call: calls to it go to this queue and keep its hours.")
    )
    #: Whether new requests are taken.
    active: Mapped[bool] = field(
        _l("In use"), default=True, server_default="1", help=_l("Unticked, it takes no new tickets.")
    )
    #: Requests wait until an active package covers them (PK-02).
    requires_package: Mapped[bool] = field(
        _l("Needs a package"),
        default=False,
        server_default="0",
        help=_l("Tickets wait until an active support package covers them."),
    )
    #: Requests of people who withdrew their consent wait (TK-36).
    requires_consent: Mapped[bool] = field(
        _l("Needs consent"),
        default=False,
        server_default="0",
        help=_l("Tickets wait where the person withdrew the consent."),
    )
    #: A file, such as a picture of the error, must come with a request (TK-04).
    requires_attachment: Mapped[bool] = field(
        _l("Needs a file"),
        default=False,
        server_default="0",
        help=_l("Clients must attach a file, such as a picture of the error."),
    )
    #: A solved request is closed only once somebody has entered the time worked on it (TK-29).
    requires_time: Mapped[bool] = field(
        _l("Needs working time"),
        default=False,
        server_default="0",
        help=_l("A ticket is closed only once time has been entered."),
    )
    #: How long after the first closing the client may reopen; 0 means not at all.
    reopen_window_hours: Mapped[int] = field(
        _l("Reopening"),
        Integer,
        default=72,
        server_default="72",
        unit=_l("hours"),
        help=_l("How long after the first closing the client may reopen; 0 for not at all."),
    )
    #: The number given last; counted up in one statement, never restarted.
    last_number: Mapped[int] = field(
        _l("Last number"),
        Integer,
        default=0,
        server_default="0",
        verb_only=True,
        help=_l("The number given last; the next ticket gets the one after it."),
    )

    def __str__(self) -> str:
        return f"{self.code} {self.name}"
