"""Who follows which ticket."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from models.base import Admin, Category, Deletion, GroupOwned, Record, Rule, Scope, Section
from models.business_unit import BusinessUnit
from models.columns import reference
from models.staff import Staff
from models.ticket import Ticket


class TicketFollower(GroupOwned, Record):
    """A member of staff who wants to hear of a ticket, whoever works on it."""

    __tablename__ = "ticket_follower"
    __table_args__ = (UniqueConstraint("staff_id", "ticket_id"),)
    __admin__ = Admin(
        label=_l("Follower"),
        plural=_l("Followers"),
        category=Category.support,
        icon="eye",
        area="tickets",
        scope=Scope(
            group="ticket.group_id", company="ticket.company_id", unit="ticket.business_unit_id", owner="staff_id"
        ),
        title=("ticket", "staff"),
        list_columns=("ticket", "staff", "created_at"),
        filters=("staff", "ticket", "created_at"),
        fast=(("staff", "created_at"),),
        natural_keys=(("staff_id", "ticket_id"),),
        sections=(Section(_l("Follower"), ("ticket", "staff")),),
        rules={"uq_ticket_follower_staff_id_ticket_id": Rule(_l("This person follows the ticket already."), "staff")},
        deletion=Deletion(),
        written_by_verbs=True,
        menu=False,
    )

    #: What is followed.
    ticket_id: Mapped[int] = reference("ticket", _l("Ticket"), help="")
    ticket: Mapped[Ticket] = relationship()
    #: Who hears of it.
    staff_id: Mapped[int] = reference(
        "ab_user", _l("Who follows"), index=False, help=_l("Hears of what happens to it.")
    )
    staff: Mapped[Staff] = relationship(foreign_keys=[staff_id])
    #: The client of the ticket; copied from it, and empty as long as its is.
    company_id: Mapped[int | None] = reference("company", _l("Company"))
    #: The unit that the ticket concerns; copied from it.
    business_unit_id: Mapped[int | None] = reference("business_unit", _l("Business unit"))
    business_unit: Mapped[BusinessUnit | None] = relationship()

    def __str__(self) -> str:
        return f"{self.ticket} · {self.staff}"
