"""Where the archived tickets are."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from sqlalchemy import CheckConstraint, String, UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from models.base import Admin, Category, Deletion, GroupOwned, Record, Rule, Scope, Section
from models.columns import field, reference
from models.company import Company
from models.ticket import Ticket
from models.values import FileSize


class TicketArchive(GroupOwned, Record):
    """A closed ticket as one file in the store: messages, files, history and a summary, under its checksum (TK-16)."""

    __tablename__ = "ticket_archive"
    __table_args__ = (
        UniqueConstraint("ticket_id"),
        CheckConstraint("size_bytes > 0", name="not_empty"),
    )
    __admin__ = Admin(
        label=_l("Archived ticket"),
        plural=_l("Archived tickets"),
        category=Category.system,
        icon="archive",
        area="history",
        scope=Scope(group="ticket.group_id", company="ticket.company_id"),
        title=("ticket",),
        rank=8,
        list_columns=("created_at", "ticket", "company", "size_bytes", "sha256"),
        filters=("ticket", "company", "created_at"),
        order="-created_at",
        fast=(("company", "created_at"),),
        sections=(Section(_l("Archived ticket"), ("ticket", "size_bytes", "sha256", "created_at")),),
        rules={
            "uq_ticket_archive_ticket_id": Rule(_l("This ticket is archived already.")),
            "ck_ticket_archive_not_empty": Rule(_l("The file is empty."), "size_bytes"),
        },
        deletion=Deletion(),
        written_by_verbs=True,
    )

    #: The ticket.
    ticket_id: Mapped[int] = reference("ticket", _l("Ticket"), help="")
    ticket: Mapped[Ticket] = relationship()
    #: The client of the ticket; copied from it, and empty as long as its is.
    company_id: Mapped[int | None] = reference("company", _l("Company"))
    company: Mapped[Company | None] = relationship()
    #: The digest of the file: proves that it is unchanged, and is its name in the file store.
    sha256: Mapped[str] = field("SHA-256", String(64), help=_l("Proves that the file is unchanged."))
    #: Its size in bytes.
    size_bytes: Mapped[int] = field(_l("Size"), FileSize(), help="")

    def __str__(self) -> str:
        return str(self.ticket)
