"""The online services that a request asks for, each decided by itself."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy import CheckConstraint, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.activation_request import ActivationRequest, RequestState
from models.base import Admin, Category, Deletion, GroupOwned, Record, Rule, Scope, Section
from models.business_unit import BusinessUnit
from models.columns import Choice, choice, field, money, reference
from models.company import Company
from models.online_service import OnlineService
from models.staff import Staff
from models.values import UtcInstant


class ItemState(Choice):
    """The outcome (AR-09)."""

    pending = "pending", _l("To be decided"), "wait", "hourglass-split"
    rejected = "rejected", _l("Not activated"), "bad", "x-circle"
    approved_paid = "approved_paid", _l("Activated against a contribution"), "good", "cash-coin"
    approved_free = "approved_free", _l("Activated free of charge"), "good", "gift"


class RejectReason(Choice):
    not_client = "not_client", _l("Not a client of the group")
    no_contract = "no_contract", _l("No active contract for the service")
    no_records = "no_records", _l("No data in the platform")
    little_relevance = "little_relevance", _l("Of little relevance")
    not_large_client = "not_large_client", _l("Not a large client")
    low_frequency = "low_frequency", _l("Too few analyses")
    other = "other", _l("Another reason")


class ActivationRequestItem(GroupOwned, Record):
    """One requested service with its outcome, and why (AR-04, AR-09 to AR-11)."""

    __tablename__ = "activation_request_item"
    __table_args__ = (
        UniqueConstraint("request_id", "online_service_id"),
        CheckConstraint("state <> 'rejected' OR (reject_reason IS NOT NULL AND note IS NOT NULL)", name="rejected_why"),
        CheckConstraint("(state = 'approved_paid') = (yearly_fee IS NOT NULL)", name="fee_where_paid"),
        CheckConstraint("yearly_fee >= 0", name="fee_not_negative"),
        CheckConstraint("yearly_fee > 0 OR agreement IS NOT NULL", name="nothing_by_agreement"),
    )
    __admin__ = Admin(
        label=_l("Requested service"),
        plural=_l("Requested services"),
        category=Category.clients,
        icon="list-check",
        area="activation",
        scope=Scope(group="request.group_id", company="request.company_id", unit="online_service.business_unit_id"),
        title=("request", "online_service"),
        subtitle=("company", "request.company_name"),
        tabs=("activation_check.item",),
        list_columns=("request", "online_service", "state", "reject_reason", "yearly_fee", "decided_by", "decided_at"),
        search_columns=("request", "online_service"),
        filters=("state", "online_service", "request", "company", "reject_reason", "decided_at", "created_at"),
        fast=(("state", "created_at"), ("online_service", "created_at"), ("request", "created_at")),
        facts=("request", "online_service", "company", "yearly_fee", "agreement", "decided_by", "decided_at"),
        natural_keys=(("request_id", "online_service_id"),),
        deletion=Deletion((RequestState.received,), of="request"),
        changeable_in={"request": (), "online_service": (ItemState.pending,)},
        sections=(Section(_l("Requested service"), ("request", "online_service")),),
        client_columns=("online_service", "state", "reject_reason", "yearly_fee"),
        client_section=False,
        menu=False,
        rules={
            "uq_activation_request_item_request_id_online_service_id": Rule(
                _l("The request already asks for this service."), "online_service"
            ),
            "ck_activation_request_item_rejected_why": Rule(
                _l("A service is refused for a reason, with a note for the client."), "reject_reason"
            ),
            "ck_activation_request_item_fee_where_paid": Rule(
                _l("Only what is activated against a contribution has one."), "yearly_fee"
            ),
            "ck_activation_request_item_fee_not_negative": Rule(_l("The fee cannot be negative."), "yearly_fee"),
            "ck_activation_request_item_nothing_by_agreement": Rule(
                _l("Nothing to pay needs the agreement that says so; else activate it free of charge."), "agreement"
            ),
        },
    )

    #: The request it is part of.
    request_id: Mapped[int] = reference("activation_request", _lp("activation", "Request"), index=False, help="")
    request: Mapped[ActivationRequest] = relationship(back_populates="items")
    #: Place among the items, from 0.
    position: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    #: The client of the request; copied from it, and empty as long as its is.
    company_id: Mapped[int | None] = reference("company", _l("Company"))
    company: Mapped[Company | None] = relationship()
    #: The unit whose evaluator decides; copied from the service.
    business_unit_id: Mapped[int | None] = reference("business_unit", _l("Evaluating unit"))
    business_unit: Mapped[BusinessUnit | None] = relationship()
    #: What is asked for.
    online_service_id: Mapped[int] = reference("online_service", _l("Online service"), help="")
    online_service: Mapped[OnlineService] = relationship()
    #: What was decided; by verbs only.
    state: Mapped[ItemState] = choice(ItemState, _l("Outcome"), default=ItemState.pending, verb_only=True)
    #: Why it is refused.
    reject_reason: Mapped[RejectReason | None] = choice(
        RejectReason, _l("Reason"), badge=False, verb_only=True, help=_l("The client reads it in the answer.")
    )
    #: What the client should know of the decision.
    note: Mapped[str | None] = field(
        _lp("decision", "Note"), Text, verb_only=True, help=_l("The client reads it in the answer.")
    )
    #: What the client pays a year, in euro without VAT.
    yearly_fee: Mapped[Decimal | None] = money(
        _l("Yearly contribution"), verb_only=True, help=_l("Without VAT, for the whole calendar year.")
    )
    #: Where it is written that the client has agreed to it already.
    agreement: Mapped[str | None] = field(
        _l("Agreement"),
        String(200),
        verb_only=True,
        help=_l("Where the client’s consent to the contribution is written; empty: the client is asked first."),
    )
    #: Who decided.
    decided_by_id: Mapped[int | None] = reference(
        "ab_user", _l("Decided by"), related=_l("Decided requests"), verb_only=True
    )
    decided_by: Mapped[Staff | None] = relationship(foreign_keys=[decided_by_id])
    #: Whether whoever entered the request decided: only where the setting lets them (chapter 13).
    is_own_decision: Mapped[bool] = field(
        _l("Decided by who entered it"), default=False, server_default="0", verb_only=True,
        help=_l("Whoever enters a request does not decide it, unless the settings say otherwise."),
    )  # fmt: skip
    #: When it was decided.
    decided_at: Mapped[datetime | None] = field(_lp("decision", "Decided at"), UtcInstant(), verb_only=True)

    def __str__(self) -> str:
        return f"{self.request} · {self.online_service}"
