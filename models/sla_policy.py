"""Service levels agreed: what must have happened by when."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy import CheckConstraint, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from models.base import Admin, Category, GroupOwned, Record, Rule, Scope, Section
from models.columns import Choice, choice, field, folded, minutes, reference
from models.contract import Contract
from models.request_type import RequestType
from models.service_calendar import ServiceCalendar
from models.support_queue import SupportQueue
from models.ticket import Urgency


class SlaKind(Choice):
    """What must have happened when the time is over."""

    answer = "answer", _l("First answer"), "neutral", "chat-dots"
    take_charge = "take_charge", _lp("service level", "Taken in charge"), "neutral", "person-check"
    on_site = "on_site", _l("Team on site"), "neutral", "geo-alt"
    close = "close", _lp("service level", "Closed"), "neutral", "check-circle"


class SlaClock(Choice):
    """What the time is counted in."""

    calendar = "calendar", _l("Working time"), "neutral", "calendar-week"
    wall = "wall", _l("Round the clock"), "neutral", "clock"


class SlaPolicy(GroupOwned, Record):
    """A figure agreed for a contract, queue, kind of request or urgency; the closest fit counts (SL-15, SL-16)."""

    __tablename__ = "sla_policy"
    __table_args__ = (
        UniqueConstraint("group_id", "name"),
        CheckConstraint("(target_minutes IS NULL) <> (target_days IS NULL)", name="one_target"),
        CheckConstraint("target_minutes > 0", name="minutes_positive"),
        CheckConstraint("target_days > 0", name="days_positive"),
        CheckConstraint("target_days IS NULL OR clock = 'calendar'", name="days_are_working_days"),
        CheckConstraint("warn_percent BETWEEN 1 AND 99", name="warn_before"),
    )
    __admin__ = Admin(
        label=_l("Service level"),
        plural=_l("Service levels"),
        category=Category.support,
        icon="speedometer2",
        area="service_levels",
        scope=Scope(group="group_id"),
        title=("name",),
        subtitle=("kind", "contract", "queue"),
        rank=8,
        list_columns=(
            "name",
            "kind",
            "urgency",
            "contract",
            "queue",
            "target_minutes",
            "target_days",
            "clock",
            "active",
        ),
        search_columns=("name",),
        filters=("kind", "urgency", "contract", "queue", "request_type", "clock", "active"),
        order="name",
        natural_keys=(("name",),),
        sections=(
            Section(_l("Service level"), ("name", "kind", "active")),
            Section(
                _l("What it is for"),
                ("contract", "queue", "request_type", "urgency"),
                _l("What is left empty matters not; where several fit, the one that names more counts."),
            ),
            Section(
                _l("Time"),
                ("target_minutes", "target_days", "clock", "calendar", "pauses_while_waiting", "warn_percent"),
            ),
        ),
        rules={
            "uq_sla_policy_group_id_name": Rule(_l("There is already a service level of this name."), "name"),
            "ck_sla_policy_one_target": Rule(_l("Give either a time or a number of working days."), "target_minutes"),
            "ck_sla_policy_minutes_positive": Rule(_l("At least one minute."), "target_minutes"),
            "ck_sla_policy_days_positive": Rule(_l("At least one day."), "target_days"),
            "ck_sla_policy_days_are_working_days": Rule(_l("Working days are counted in working time."), "clock"),
            "ck_sla_policy_warn_before": Rule(_l("Between 1 and 99."), "warn_percent"),
        },
    )

    #: What people call it, unique in the group.
    name: Mapped[str] = field(_l("Name"), String(120))
    #: The name folded, for sorting.
    name_key: Mapped[str] = folded("name")
    #: What must have happened.
    kind: Mapped[SlaKind] = choice(
        SlaKind, _l("Kind"), badge=False, help=_l("What must have happened when the time is over.")
    )
    #: The contract it was agreed in; empty for every one.
    contract_id: Mapped[int | None] = reference("contract", _l("Contract"), help=_l("Empty for every contract."))
    contract: Mapped[Contract | None] = relationship()
    #: The queue it is for; empty for every one.
    queue_id: Mapped[int | None] = reference("support_queue", _l("Queue"), help=_l("Empty for every queue."))
    queue: Mapped[SupportQueue | None] = relationship()
    #: The kind of request it is for; empty for every one.
    request_type_id: Mapped[int | None] = reference(
        "request_type", _l("Type of request"), help=_l("Empty for every type.")
    )
    request_type: Mapped[RequestType | None] = relationship()
    #: The priority it is for; empty for every one (SL-21).
    urgency: Mapped[Urgency | None] = choice(
        Urgency, _l("Urgency"), name="sla_urgency", badge=False, help=_l("Empty for every urgency.")
    )
    #: The time allowed; empty where whole working days are agreed.
    target_minutes: Mapped[int | None] = minutes(
        _l("Within"), help=_l("Such as 2:00; or give working days."), example="2:00"
    )
    #: The working days allowed: due when the service closes on the last of them (SL-16).
    target_days: Mapped[int | None] = field(
        _l("Working days"), Integer, help=_l("Due when the service closes on the last of them.")
    )
    #: Whether only opening hours count, or every hour.
    clock: Mapped[SlaClock] = choice(
        SlaClock,
        _l("Counted in"),
        badge=False,
        default=SlaClock.calendar,
        help=_l("Working time stands still while the service is closed."),
    )
    #: Whose opening hours count; empty for those of the queue.
    calendar_id: Mapped[int | None] = reference(
        "service_calendar", _l("Calendar"), help=_l("Empty for that of the queue.")
    )
    calendar: Mapped[ServiceCalendar | None] = relationship()
    #: Whether the clock stands still while the client is asked.
    pauses_while_waiting: Mapped[bool] = field(
        _l("Pauses"), default=True, server_default="1", help=_l("The clock stands still while the client is asked.")
    )
    #: After how much of the time people are warned.
    warn_percent: Mapped[int] = field(
        _l("Warn after"),
        Integer,
        default=75,
        server_default="75",
        unit="%",
        help=_l("How much of the time has passed when people are warned."),
    )
    #: Whether it counts.
    active: Mapped[bool] = field(
        _l("In use"), default=True, server_default="1", help=_l("Unticked, it does not count.")
    )

    def __str__(self) -> str:
        return self.name
