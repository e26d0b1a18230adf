"""What was said about a ticket."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from sqlalchemy import Text
from sqlalchemy.orm import Mapped, relationship

from models.account import Account
from models.base import Admin, Category, Deletion, GroupOwned, Record, Scope, Section
from models.columns import Choice, choice, field, reference
from models.ticket import Channel, Ticket


class Visibility(Choice):
    public = "public", _l("Public"), "info", "chat"
    internal = "internal", _l("Internal"), "wait", "lock"


class Direction(Choice):
    incoming = "incoming", _l("Incoming"), "neutral", "arrow-down-left"
    outgoing = "outgoing", _l("Outgoing"), "neutral", "arrow-up-right"


class TicketMessage(GroupOwned, Record):
    """A public answer, an internal note, or what the client wrote (TK-09)."""

    __tablename__ = "ticket_message"
    __admin__ = Admin(
        label=_l("Message"),
        plural=_l("Messages"),
        category=Category.support,
        icon="chat-left-text",
        area="tickets",
        scope=Scope(group="ticket.group_id", company="ticket.company_id", account="ticket.account_id"),
        title=("ticket", "visibility"),
        list_columns=("created_at", "ticket", "direction", "visibility", "channel", "body"),
        filters=("ticket", "direction", "visibility", "channel", "created_at"),
        order="-created_at",
        fast=(("ticket", "created_at"),),
        sections=(Section(_l("Message"), ("ticket", "visibility", "direction", "channel", "body")),),
        client_columns=("created_at", "direction", "body"),
        client_section=False,
        client_only={"visibility": (Visibility.public,)},
        deletion=Deletion(),
        menu=False,
    )

    #: The ticket it is part of.
    ticket_id: Mapped[int] = reference("ticket", _l("Ticket"), help="")
    ticket: Mapped[Ticket] = relationship()
    #: The client of the ticket; copied from it, and empty as long as its is.
    company_id: Mapped[int | None] = reference("company", _l("Company"))
    #: Whether the client may read it.
    visibility: Mapped[Visibility] = choice(
        Visibility,
        _l("Visibility"),
        default=Visibility.internal,
        help=_l("The client reads public messages, never internal ones."),
    )
    #: From the client or to the client.
    direction: Mapped[Direction] = choice(
        Direction,
        _l("Direction"),
        name="message_direction",
        badge=False,
        default=Direction.outgoing,
        help=_l("Incoming: the client wrote it; outgoing: we did."),
    )
    #: How it came or went.
    channel: Mapped[Channel] = choice(
        Channel,
        _l("Channel"),
        name="message_channel",
        badge=False,
        default=Channel.web,
        help=_l("By what means it came in or went out."),
    )
    #: The account that wrote it; empty where staff did.
    account_id: Mapped[int | None] = reference("account", _l("Written by the client"), verb_only=True)
    account: Mapped[Account | None] = relationship()
    #: What was said.
    body: Mapped[str] = field(
        _l("Text"), Text, personal=True, help=_l("The client reads it where the message is public.")
    )

    def __str__(self) -> str:
        return f"{self.ticket} · {self.visibility.label}"
