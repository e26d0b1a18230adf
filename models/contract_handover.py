"""What must be handed over when a contract ends."""

from __future__ import annotations

from datetime import date, datetime

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy import CheckConstraint, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from models.base import Admin, Category, CompanyOwned, Deletion, Record, Rule, Scope, Section, Worklist
from models.columns import Choice, choice, field, reference
from models.company import Company
from models.contract import Contract
from models.staff import Staff
from models.values import UtcInstant


class HandoverState(Choice):
    open = "open", _lp("hand-over", "To do"), "wait", "hourglass-split"
    done = "done", _lp("hand-over", "Done"), "good", "check-circle"
    not_needed = "not_needed", _lp("hand-over", "Not needed"), "neutral", "slash-circle"


#: The checklist: every one of these is ticked before the hand-over is done.
CHECKLIST = ("data_exported", "documents_returned", "requests_settled", "access_ended", "minutes_signed")


class ContractHandover(CompanyOwned, Record):
    """The hand-over at the end of one contract, with its checklist (CT-13)."""

    __tablename__ = "contract_handover"
    __table_args__ = (
        UniqueConstraint("contract_id"),
        CheckConstraint("state <> 'not_needed' OR dropped_because IS NOT NULL", name="not_needed_why"),
    )
    __admin__ = Admin(
        label=_l("Hand-over"),
        plural=_l("Hand-overs"),
        category=Category.sales,
        icon="box-seam",
        area="contracts",
        scope=Scope(group="contract.group_id", company="contract.company_id", owner="responsible_id"),
        title=("contract",),
        subtitle=("contract.subject", "company"),
        worklists=(
            Worklist(_l("Hand-overs due within 30 days"), ("due_on:next:30", "state:in:open")),
            Worklist(_l("Overdue hand-overs"), ("due_on:past:", "state:in:open"), "bad"),
        ),
        rank=6,
        list_columns=("contract", "company", "state", "due_on", "responsible", *CHECKLIST),
        search_columns=("contract", "company"),
        filters=("state", "due_on", "company", "contract", "responsible", "created_at"),
        order="due_on",
        fast=(("state", "due_on"), ("created_at",)),
        facts=("company", "contract", "due_on", "responsible", "done_at"),
        natural_keys=(("contract_id",),),
        deletion=Deletion((HandoverState.open,)),
        changeable_in={"contract": (), **dict.fromkeys(CHECKLIST, (HandoverState.open,))},
        sections=(
            Section(_l("Hand-over"), ("contract", "due_on", "responsible", "notes")),
            Section(_l("Checklist"), CHECKLIST, _l("Tick what has been done; all of it before the hand-over is done.")),
        ),
        rules={
            "uq_contract_handover_contract_id": Rule(_l("The contract already has a hand-over."), "contract"),
            "ck_contract_handover_not_needed_why": Rule(_l("Say why no hand-over is needed."), "dropped_because"),
        },
    )

    company: Mapped[Company] = relationship()
    #: The contract that ends.
    contract_id: Mapped[int] = reference("contract", _l("Contract"), index=False, help="")
    contract: Mapped[Contract] = relationship()
    #: Where it stands; changed by verbs only.
    state: Mapped[HandoverState] = choice(HandoverState, _l("State"), default=HandoverState.open, verb_only=True)
    #: By when; the contract's last day.
    due_on: Mapped[date | None] = field(
        _lp("hand-over", "Due on"),
        due_while=(HandoverState.open,),
        help=_l("The last day of the contract where empty."),
    )
    #: Who sees to it.
    responsible_id: Mapped[int | None] = reference(
        "ab_user", _l("Responsible"), help=_l("Who sees to it; the account manager of the client where empty.")
    )
    responsible: Mapped[Staff | None] = relationship(foreign_keys=[responsible_id])
    #: All the client's data were exported and given to them.
    data_exported: Mapped[bool] = field(
        _l("Data handed over"), default=False, server_default="0", help=_l("All data exported and given to the client.")
    )
    #: Whatever papers and things were the client's are back.
    documents_returned: Mapped[bool] = field(
        _l("Documents returned"), default=False, server_default="0", help=_l("And whatever else is the client’s.")
    )
    #: Open tickets are closed, or passed to who comes after.
    requests_settled: Mapped[bool] = field(
        _l("Requests settled"), default=False, server_default="0", help=_l("Closed, or passed on to who comes after.")
    )
    #: Accounts and online services end as agreed.
    access_ended: Mapped[bool] = field(
        _l("Access settled"), default=False, server_default="0", help=_l("Suspended, removed or kept, as agreed.")
    )
    #: Both parties signed the minutes.
    minutes_signed: Mapped[bool] = field(
        _l("Minutes signed"), default=False, server_default="0", help=_l("Both parties signed the hand-over minutes.")
    )
    #: What colleagues should know.
    notes: Mapped[str | None] = field(_l("Internal notes"), Text, help=_l("Clients never see them."))
    #: When it was done or dropped.
    done_at: Mapped[datetime | None] = field(_l("Concluded"), UtcInstant(), verb_only=True)
    #: Why none is needed.
    dropped_because: Mapped[str | None] = field(_l("Why not needed"), String(250), verb_only=True)

    def __str__(self) -> str:
        return str(self.contract)
