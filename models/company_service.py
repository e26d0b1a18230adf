"""The online services that clients have."""

from __future__ import annotations

from datetime import date, datetime

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy import CheckConstraint, Integer, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Admin, Category, CompanyOwned, Deletion, Record, Rule, Scope, Section, Worklist
from models.columns import Choice, choice, field, reference
from models.company import Company
from models.online_service import OnlineService
from models.values import UtcInstant


class GrantState(Choice):
    """Where a grant of an online service stands, to a client or to an account (chapter 4.2)."""

    proposed = "proposed", _lp("grant", "Proposed"), "info", "pencil"
    active = "active", _l("Active"), "good", "check-circle"
    suspended = "suspended", _l("Suspended"), "wait", "pause-circle"
    removed = "removed", _lp("grant", "Removed"), "neutral", "x-circle"


class CompanyService(CompanyOwned, Record):
    """One online service as one client has it; its data stay, whatever becomes of the access (AC-18 to AC-21)."""

    __tablename__ = "company_service"
    __table_args__ = (
        UniqueConstraint("company_id", "online_service_id"),
        CheckConstraint("records_count >= 0", name="records_not_negative"),
        CheckConstraint("state IN ('proposed', 'removed') OR active_from IS NOT NULL", name="active_since"),
        CheckConstraint("state <> 'suspended' OR frozen_from IS NOT NULL", name="suspended_is_frozen"),
    )
    __admin__ = Admin(
        label=_l("Client’s online service"),
        plural=_l("Clients’ online services"),
        category=Category.clients,
        icon="window-stack",
        area="grants",
        scope=Scope(group="company.group_id", company="company_id"),
        title=("company", "online_service"),
        subtitle=("company",),
        tabs=("account_service.company_service", "annual_fee.company_service"),
        worklists=(Worklist(_l("Services to bring back"), ("return_proposed_on:filled:",), "wait"),),
        rank=5,
        list_columns=(
            "company",
            "online_service",
            "state",
            "active_from",
            "frozen_from",
            "last_data_at",
            "records_count",
        ),
        search_columns=("company", "online_service"),
        filters=(
            "state",
            "online_service",
            "company",
            "active_from",
            "frozen_from",
            "return_proposed_on",
            "last_data_at",
            "records_count",
        ),
        fast=(("state", "created_at"), ("online_service", "created_at"), ("last_data_at",)),
        facts=(
            "company",
            "online_service",
            "active_from",
            "frozen_from",
            "return_proposed_on",
            "gap_from",
            "gap_to",
            "last_data_at",
            "records_count",
        ),
        natural_keys=(("company_id", "online_service_id"),),
        deletion=Deletion((GrantState.proposed,)),
        changeable_in={"company": (GrantState.proposed,), "online_service": (GrantState.proposed,)},
        sections=(
            Section(_l("Who has what"), ("company", "online_service")),
            Section(
                _l("Its data"),
                ("records_count", "last_data_at"),
                _l("As the platform tells; typed here as long as it does not."),
            ),
        ),
        client_columns=("online_service", "state", "active_from", "last_data_at"),
        client_section=False,
        rules={
            "uq_company_service_company_id_online_service_id": Rule(
                _l("The client already has this online service: look at its state."), "online_service"
            ),
            "ck_company_service_records_not_negative": Rule(_l("Counts cannot be negative."), "records_count"),
            "ck_company_service_active_since": Rule(_l("An activated service has its first day."), "active_from"),
            "ck_company_service_suspended_is_frozen": Rule(
                _l("A suspended service says since when its data stand still."), "frozen_from"
            ),
        },
    )

    company: Mapped[Company] = relationship()
    #: Which service.
    online_service_id: Mapped[int] = reference("online_service", _l("Online service"), help="")
    online_service: Mapped[OnlineService] = relationship()
    #: Where it stands; changed by verbs only.
    state: Mapped[GrantState] = choice(GrantState, _l("State"), default=GrantState.proposed, verb_only=True)
    #: The first day of the last activation.
    active_from: Mapped[date | None] = field(_lp("grant", "Active from"), verb_only=True)
    #: From this day on its data are no longer updated: writes and imports are refused (AC-19).
    frozen_from: Mapped[date | None] = field(
        _l("Data stand still from"),
        verb_only=True,
        today=True,
        help=_l("From this day on the client’s data in the service are no longer updated; they stay readable."),
    )
    #: The day on which a new contract led to the proposal to bring it back; empty when nothing is to be decided.
    return_proposed_on: Mapped[date | None] = field(
        _l("Return proposed"),
        verb_only=True,
        help=_l("A new contract covers it: restore it, or leave it as it is."),
    )
    #: The newest contract line that was in force when access was ended or left as it is; only newer ones propose.
    settled_line_id: Mapped[int | None] = mapped_column(Integer)
    #: The first day without data before the last return.
    gap_from: Mapped[date | None] = field(
        _l("No data from"), verb_only=True, help=_l("Between withdrawal and return nothing was recorded.")
    )
    #: The day of that return.
    gap_to: Mapped[date | None] = field(_l("No data until"), verb_only=True, help=_l("The day it was brought back."))
    #: How fresh the client's data in the platform are (SV-06).
    last_data_at: Mapped[datetime | None] = field(
        _l("Data as of"), UtcInstant(), help=_l("When the client’s data in the platform were last brought up to date.")
    )
    #: How many records the platform has of the client; empty where nobody knows (AR-14).
    records_count: Mapped[int | None] = field(
        _l("Records"), Integer, help=_l("How many the platform has of this client; empty where it is not known.")
    )

    def __str__(self) -> str:
        return f"{self.company} · {self.online_service}"
