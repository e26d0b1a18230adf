"""What operators tell whoever reports an emergency."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from sqlalchemy import CheckConstraint, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from models.base import Admin, Category, GroupOwned, Record, Rule, Scope, Section
from models.columns import field, reference
from models.contract import Contract
from models.support_queue import SupportQueue


class EmergencyScript(GroupOwned, Record):
    """Which bodies an emergency is for, and that clients follow their own procedures besides (CC-19)."""

    __tablename__ = "emergency_script"
    __table_args__ = (
        UniqueConstraint("queue_id"),
        UniqueConstraint("contract_id"),
        CheckConstraint("(queue_id IS NULL) <> (contract_id IS NULL)", name="of_one"),
    )
    __admin__ = Admin(
        label=_l("Emergency text"),
        plural=_l("Emergency texts"),
        category=Category.support,
        icon="exclamation-octagon",
        area="queues",
        scope=Scope(group="group_id"),
        title=("queue", "contract"),
        rank=9,
        list_columns=("queue", "contract", "text", "active"),
        search_columns=("text", "text_en"),
        filters=("queue", "contract", "active"),
        order="-created_at",
        sections=(
            Section(_l("What it is for"), ("queue", "contract", "active")),
            Section(_l("Text"), ("text", "text_en")),
        ),
        rules={
            "uq_emergency_script_queue_id": Rule(_l("There is already a text for this queue."), "queue"),
            "uq_emergency_script_contract_id": Rule(_l("There is already a text for this contract."), "contract"),
            "ck_emergency_script_of_one": Rule(_l("Choose either a queue or a contract."), "queue"),
        },
    )

    #: The queue whose calls it is for.
    queue_id: Mapped[int | None] = reference(
        "support_queue",
        _l("Queue"),
        index=False,
        help=_l("Read out in calls for this queue; or choose a contract."),
        example="CC",
    )
    queue: Mapped[SupportQueue | None] = relationship()
    #: The contract whose calls it is for: it takes the place of the queue's.
    contract_id: Mapped[int | None] = reference(
        "contract", _l("Contract"), index=False, help=_l("For calls about this contract, in place of the queue’s text.")
    )
    contract: Mapped[Contract | None] = relationship()
    #: What the operator reads out: the competent bodies, and the client's own procedures.
    text: Mapped[str] = field(
        _l("Text"),
        Text,
        help=_l("Which bodies to call, such as 112, 115 or 118, and that clients follow their own procedures."),
    )
    #: The same in English.
    text_en: Mapped[str | None] = field(
        _l("Text in English"), Text, help=_l("For operators who read English; empty: the text above.")
    )
    #: Whether it is shown.
    active: Mapped[bool] = field(_l("In use"), default=True, server_default="1", help=_l("Unticked, it is not shown."))

    def __str__(self) -> str:
        return str(self.queue or self.contract or "")
