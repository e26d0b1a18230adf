"""Messages that came in by mail, as they came and as they were sorted."""

from __future__ import annotations

from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Admin, Category, Deletion, GroupOwned, Model, Record, Rule, Scope, Section, Worklist
from models.columns import Choice, choice, field, reference
from models.company import Company
from models.mailbox import Mailbox
from models.ticket import Ticket
from models.values import UtcInstant


class Disposition(Choice):
    """What became of a message."""

    received = "received", _l("Just received"), "info", "envelope"
    to_sort = "to_sort", _l("To be sorted"), "wait", "inbox"
    appended = "appended", _l("Added to its ticket"), "good", "chat-left-text"
    joined = "joined", _l("Added to a ticket by hand"), "good", "link-45deg"
    opened = "opened", _l("Made a ticket"), "good", "ticket-perforated"
    automatic = "automatic", _l("Automatic, not answered"), "neutral", "robot"
    discarded = "discarded", _l("Discarded"), "neutral", "trash"


class InboundMail(GroupOwned, Record):
    """A message taken from a mailbox: kept whole before anything is done with it, and never twice (MC-05)."""

    __tablename__ = "inbound_mail"
    __table_args__ = (
        UniqueConstraint("mailbox_id", "digest"),
        UniqueConstraint("mailbox_id", "message_id"),
        Index(
            "ix_inbound_mail_to_sort",
            "group_id",
            "received_at",
            postgresql_where=text("state IN ('received', 'to_sort')"),
            sqlite_where=text("state IN ('received', 'to_sort')"),
        ),
    )
    __admin__ = Admin(
        label=_l("Incoming mail"),
        plural=_l("Incoming mails"),
        category=Category.support,
        icon="inbox",
        area="tickets",
        scope=Scope(group="mailbox.group_id", company="company_id"),
        title=("subject",),
        subtitle=("sender_address",),
        rank=7,
        list_columns=("received_at", "sender_address", "subject", "state", "ticket", "mailbox"),
        search_columns=("subject", "sender_address", "message_id"),
        filters=("state", "mailbox", "ticket", "company", "received_at"),
        order="-received_at",
        fast=(("state", "received_at"), ("ticket", "received_at"), ("company", "received_at")),
        worklists=(Worklist(_l("Mails to be sorted"), ("state:in:to_sort",), "wait"),),
        tabs=("attachment.inbound_mail",),
        facts=("sender_address", "company", "ticket", "mailbox", "received_at"),
        sections=(
            Section(
                _l("Message"),
                ("mailbox", "received_at", "sender_name", "sender_address", "subject", "body", "not_taken"),
            ),
            Section(_l("What became of it"), ("company", "ticket", "message_id", "digest")),
        ),
        rules={
            "uq_inbound_mail_mailbox_id_digest": Rule(_l("This message is there already.")),
            "uq_inbound_mail_mailbox_id_message_id": Rule(_l("This message is there already.")),
        },
        deletion=Deletion(),
        written_by_verbs=True,
    )

    #: Where it came in.
    mailbox_id: Mapped[int] = reference("mailbox", _l("Mailbox"), help="")
    mailbox: Mapped[Mailbox] = relationship()
    #: SHA-256 of the message as it came.
    digest: Mapped[str] = field(_l("SHA-256"), String(64), help=_l("Of the message as it came."))
    #: The Message-ID its sender gave it; empty where it has none.
    message_id: Mapped[str | None] = field(_l("Message-ID"), String(500), help=_l("As its sender gave it."))
    #: When it was taken from the mailbox.
    received_at: Mapped[datetime] = field(_l("Received"), UtcInstant(), help=_l("When it was taken from the mailbox."))
    #: Who wrote, as they call themselves.
    sender_name: Mapped[str | None] = field(_l("Sender"), String(200), personal=True, help="")
    #: The address it came from; empty where nobody can tell.
    sender_address: Mapped[str | None] = field(_l("From"), String(254), personal=True, help=_l("As the message says."))
    #: Its subject.
    subject: Mapped[str] = field(_l("Subject"), String(300), personal=True, help="")
    #: Its text, without what it quotes.
    body: Mapped[str] = field(_l("Text"), Text, personal=True, help=_l("Without what it quotes; the whole is kept."))
    #: Files that were refused, for their size or their kind, with the reason.
    not_taken: Mapped[str | None] = field(
        _l("Files not taken"),
        Text,
        personal=True,
        help=_l("Refused for their size or kind; the message has them."),
    )
    #: What became of it.
    state: Mapped[Disposition] = choice(
        Disposition, _l("What became of it"), default=Disposition.received, verb_only=True
    )
    #: The ticket it belongs to, once that is known.
    ticket_id: Mapped[int | None] = reference("ticket", _l("Ticket"), help=_l("The ticket it belongs to."))
    ticket: Mapped[Ticket | None] = relationship()
    #: The client who wrote, where the address tells.
    company_id: Mapped[int | None] = reference(
        "company", _l("Company"), help=_l("Where the address tells whose it is.")
    )
    company: Mapped[Company | None] = relationship()

    def __str__(self) -> str:
        return self.subject


class InboundMailSource(Model):
    """The bytes of a message as they came, apart from what lists read."""

    __tablename__ = "inbound_mail_source"

    #: The message.
    mail_id: Mapped[int] = mapped_column(ForeignKey("inbound_mail.id", ondelete="CASCADE"), primary_key=True)
    #: All of it, headers included.
    content: Mapped[bytes] = mapped_column(LargeBinary)
