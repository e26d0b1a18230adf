"""Files that belong to a record."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy import CheckConstraint, Index, String
from sqlalchemy.orm import Mapped, relationship

from models.activation_request import ActivationRequest
from models.asset import Asset
from models.base import Admin, Category, GroupOwned, Record, Rule, Scope, Section
from models.call import Call
from models.certificate import Certificate
from models.client_document import ClientDocument
from models.columns import field, reference
from models.company import Company
from models.contract import Contract
from models.customer_order import CustomerOrder
from models.inbound_mail import InboundMail
from models.intervention import Intervention
from models.ticket import Ticket
from models.ticket_message import TicketMessage
from models.values import FileSize
from models.waste_movement import WasteMovement

#: Tables whose records may have attachments; each has a key and a relation of its name below. One more is these two
#: lines, its name here, and a migration.
PARENTS = (
    *("company", "contract", "customer_order", "activation_request", "ticket", "ticket_message", "call"),
    *("intervention", "asset", "client_document", "certificate", "waste_movement", "inbound_mail"),
)

_COUNT = " + ".join(f"CASE WHEN {name}_id IS NULL THEN 0 ELSE 1 END" for name in PARENTS)


class Attachment(GroupOwned, Record):
    """A file of exactly one record, its parent: seen by whoever sees that, and gone when that is gone (TK-04, XT-09).

    The content lies in the file store under its SHA-256, so equal files are there once; no row ever changes.
    """

    __tablename__ = "attachment"
    __table_args__ = (
        CheckConstraint(f"{_COUNT} = 1", name="one_parent"),
        CheckConstraint("size_bytes > 0", name="not_empty"),
        Index("ix_attachment_sha256", "sha256"),
    )
    __admin__ = Admin(
        label=_l("Attachment"),
        plural=_l("Attachments"),
        category=Category.system,
        icon="paperclip",
        area="attachments",
        scope=Scope(group="group_id", parents=PARENTS),
        title=("name",),
        subtitle=("description", "media_type", "size_bytes"),
        list_columns=("name", "description", "size_bytes", "created_at"),
        search_columns=("name", "description"),
        filters=("media_type", "client_visible", "sha256", "created_at", *PARENTS),
        order="-created_at",
        sections=(
            Section(_l("File"), ("name", "description", "client_visible", "media_type", "size_bytes", "sha256")),
            Section(_l("What it belongs to"), PARENTS, one_of=True),
        ),
        rules={
            "ck_attachment_one_parent": Rule(_l("An attachment belongs to exactly one record.")),
            "ck_attachment_not_empty": Rule(_l("The file is empty."), "size_bytes"),
        },
        client_columns=("name", "description", "size_bytes", "created_at"),
        client_section=False,
        written_by_verbs=True,
        menu=False,
    )

    @classmethod
    def shown_to_clients(cls) -> Any:
        """Files marked for them, once their record is there for them: whoever leaves the mark out means it."""
        return cls.client_visible

    #: What the file was called, without folders and without what browsers and people might be fooled by.
    name: Mapped[str] = field(_l("File name"), String(200), personal=True)
    #: What it is, in a few words.
    description: Mapped[str | None] = field(
        _l("Description"), String(160), help=_l("What it is, such as “Foglio informativo”.")
    )
    #: What its content says it is; what the sender says is never believed.
    media_type: Mapped[str] = field(_l("Kind of file"), String(100))
    #: Its size in bytes.
    size_bytes: Mapped[int] = field(_l("Size"), FileSize())
    #: The digest of its content, in hexadecimal: proves that it is unchanged, and is its name in the file store.
    sha256: Mapped[str] = field("SHA-256", String(64))
    #: Whether clients may open it in their area.
    client_visible: Mapped[bool] = field(
        _l("For the client"), default=False, server_default="0", help=_l("Clients find it in their area.")
    )

    #: The company it belongs to; one of these keys is set.
    company_id: Mapped[int | None] = reference("company", _l("Company"), ondelete="CASCADE")
    company: Mapped[Company | None] = relationship()
    #: The contract it belongs to; one of these keys is set.
    contract_id: Mapped[int | None] = reference("contract", _l("Contract"), ondelete="CASCADE")
    contract: Mapped[Contract | None] = relationship()
    #: The order it belongs to; one of these keys is set.
    customer_order_id: Mapped[int | None] = reference("customer_order", _l("Order"), ondelete="CASCADE")
    customer_order: Mapped[CustomerOrder | None] = relationship()
    #: The activation request it belongs to; one of these keys is set.
    activation_request_id: Mapped[int | None] = reference(
        "activation_request", _lp("activation", "Request"), ondelete="CASCADE"
    )
    activation_request: Mapped[ActivationRequest | None] = relationship()
    #: The ticket it belongs to; one of these keys is set.
    ticket_id: Mapped[int | None] = reference("ticket", _l("Ticket"), ondelete="CASCADE")
    ticket: Mapped[Ticket | None] = relationship()
    #: The message it came with; one of these keys is set.
    ticket_message_id: Mapped[int | None] = reference("ticket_message", _l("Message"), ondelete="CASCADE")
    ticket_message: Mapped[TicketMessage | None] = relationship()
    #: The call it belongs to; one of these keys is set.
    call_id: Mapped[int | None] = reference("call", _l("Call"), ondelete="CASCADE")
    call: Mapped[Call | None] = relationship()
    #: The intervention it belongs to; one of these keys is set.
    intervention_id: Mapped[int | None] = reference("intervention", _l("Intervention"), ondelete="CASCADE")
    intervention: Mapped[Intervention | None] = relationship()
    #: The asset it belongs to; one of these keys is set.
    asset_id: Mapped[int | None] = reference("asset", _l("Asset"), ondelete="CASCADE")
    asset: Mapped[Asset | None] = relationship()
    #: The client document whose file it is; one of these keys is set.
    client_document_id: Mapped[int | None] = reference("client_document", _l("Client document"), ondelete="CASCADE")
    client_document: Mapped[ClientDocument | None] = relationship()
    #: The certificate whose signed file it is; one of these keys is set.
    certificate_id: Mapped[int | None] = reference("certificate", _l("Certificate"), ondelete="CASCADE")
    certificate: Mapped[Certificate | None] = relationship()
    #: The waste movement whose form it is; one of these keys is set.
    waste_movement_id: Mapped[int | None] = reference("waste_movement", _l("Waste movement"), ondelete="CASCADE")
    waste_movement: Mapped[WasteMovement | None] = relationship()
    #: The incoming mail it came with; one of these keys is set.
    inbound_mail_id: Mapped[int | None] = reference("inbound_mail", _l("Incoming mail"), ondelete="CASCADE")
    inbound_mail: Mapped[InboundMail | None] = relationship()

    def __str__(self) -> str:
        return self.name
