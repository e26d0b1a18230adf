"""The mailboxes that requests arrive in."""

from __future__ import annotations

from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import CheckConstraint, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from models.base import Admin, Category, GroupOwned, Record, Rule, Scope, Section
from models.codes import ShortCode
from models.columns import Choice, choice, field, reference
from models.support_queue import SupportQueue
from models.values import Email, UtcInstant


class MailboxSecurity(Choice):
    """How the connection to the mail server is kept from others."""

    tls = "tls", _l("Encrypted from the first byte")
    starttls = "starttls", _l("Encrypted once connected")
    none = "none", _l("Not encrypted")


class Mailbox(GroupOwned, Record):
    """An IMAP mailbox whose messages belong to a queue (MC-04); its password is a setting of the machine."""

    __tablename__ = "mailbox"
    __table_args__ = (
        UniqueConstraint("group_id", "code"),
        UniqueConstraint("host", "username", "folder"),
        CheckConstraint("port BETWEEN 1 AND 65535", name="port_possible"),
    )
    __admin__ = Admin(
        label=_l("Mailbox"),
        plural=_l("Mailboxes"),
        category=Category.system,
        icon="mailbox",
        area="queues",
        scope=Scope(group="queue.group_id"),
        title=("code", "address"),
        rank=6,
        list_columns=("code", "address", "queue", "host", "active", "polled_at", "trouble"),
        search_columns=("code", "address"),
        filters=("active", "queue"),
        order="code",
        natural_keys=(("code",),),
        facts=("address", "queue", "active", "polled_at", "trouble"),
        sections=(
            Section(_l("Mailbox"), ("code", "queue", "address", "active")),
            Section(
                _l("Where it is"),
                ("host", "port", "security", "username", "folder"),
                _l("The password is no record: it is given to the program as BACKOFFICE_MAILBOX_PASSWORDS."),
            ),
        ),
        rules={
            "uq_mailbox_group_id_code": Rule(_l("There is already a mailbox with this code."), "code"),
            "uq_mailbox_host_username_folder": Rule(_l("This mailbox is read already."), "folder"),
            "ck_mailbox_port_possible": Rule(_l("Between 1 and 65535."), "port"),
        },
    )

    #: What its password is given under, such as GP.
    code: Mapped[str] = field(_l("Code"), ShortCode(20), help=_l("What its password is given under, such as GP."))
    #: The queue its messages belong to.
    queue_id: Mapped[int] = reference("support_queue", _l("Queue"), help=_l("What its messages are about."))
    queue: Mapped[SupportQueue] = relationship()
    #: The address people write to.
    address: Mapped[str] = field(_l("E-mail"), Email(), help=_l("The address people write to."))
    #: The host name of the mail server.
    host: Mapped[str] = field(_l("Mail server"), String(200), help=_l("Its name, such as imap.example.it."))
    #: The port of the mail server.
    port: Mapped[int] = field(
        _l("Port"), Integer, default=993, server_default="993", help=_l("993 as a rule, 143 with STARTTLS.")
    )
    #: How the connection is kept from others.
    security: Mapped[MailboxSecurity] = choice(
        MailboxSecurity, _l("Encryption"), badge=False, default=MailboxSecurity.tls, help=""
    )
    #: What the program signs in with.
    username: Mapped[str] = field(_l("User name"), String(200), help=_l("Often the address itself."))
    #: The folder that is read.
    folder: Mapped[str] = field(
        _l("Folder"), String(120), default="INBOX", server_default="INBOX", help=_l("INBOX for what comes in.")
    )
    #: Whether it is read.
    active: Mapped[bool] = field(_l("In use"), default=True, server_default="1", help=_l("Unticked, it is not read."))
    #: The server's number for this state of the folder; with another one, messages are counted anew.
    uid_validity: Mapped[int | None] = field(_l("State of the folder"), Integer, verb_only=True, help="")
    #: The number of the last message that was taken.
    last_uid: Mapped[int] = field(_l("Last message"), Integer, default=0, server_default="0", verb_only=True, help="")
    #: When it was read last.
    polled_at: Mapped[datetime | None] = field(_l("Last read"), UtcInstant(), verb_only=True)
    #: Why it could not be read the last time.
    trouble: Mapped[str | None] = field(
        _l("Trouble"), String(300), verb_only=True, help=_l("Why it could not be read the last time.")
    )

    def __str__(self) -> str:
        return f"{self.code} {self.address}"
