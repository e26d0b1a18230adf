"""Changes of systems that requests for assistance give rise to."""

from __future__ import annotations

from datetime import datetime

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy import CheckConstraint, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from models.base import Admin, Category, Deletion, GroupOwned, Record, Rule, Scope, Section, Worklist
from models.business_unit import BusinessUnit
from models.columns import Choice, choice, field, reference
from models.company import Company
from models.contract import Contract
from models.service import Service
from models.staff import Staff
from models.ticket import Ticket
from models.values import UtcInstant


class ChangeState(Choice):
    proposed = "proposed", _lp("change", "Proposed"), "info", "lightbulb"
    accepted = "accepted", _lp("change", "Approved"), "active", "check2-square"
    declined = "declined", _lp("change", "Refused"), "bad", "x-circle"
    in_maintenance = "in_maintenance", _l("In maintenance"), "active", "tools"
    released = "released", _l("Released"), "good", "box-seam"


#: Something is still to be decided or done.
PENDING = (ChangeState.proposed, ChangeState.accepted, ChangeState.in_maintenance)


class ChangeKind(Choice):
    correction = "correction", _l("Permanent correction"), "neutral", "bug"
    new_version = "new_version", _l("New version with functions left out before"), "neutral", "boxes"
    improvement = "improvement", _l("Improvement"), "neutral", "graph-up-arrow"
    need = "need", _l("New need of users"), "neutral", "lightbulb"


class ChangeRequest(GroupOwned, Record):
    """A change of a system, from its proposal to its release by maintenance (TK-20, TK-25)."""

    __tablename__ = "change_request"
    __table_args__ = (
        UniqueConstraint("group_id", "number"),
        CheckConstraint("state = 'proposed' OR decided_at IS NOT NULL", name="decided_when"),
        CheckConstraint("state <> 'declined' OR decision_reason IS NOT NULL", name="declined_why"),
        CheckConstraint("state <> 'released' OR released_at IS NOT NULL", name="released_when"),
    )
    __admin__ = Admin(
        label=_l("Change request"),
        plural=_l("Change requests"),
        category=Category.support,
        icon="tools",
        area="change_requests",
        scope=Scope(group="group_id", company="company_id", unit="business_unit_id"),
        title=("number",),
        subtitle=("subject", "company"),
        worklists=(Worklist(_l("Changes to decide on"), ("state:in:proposed",), "wait"),),
        rank=3,
        list_columns=("number", "subject", "company", "kind", "state", "ticket", "created_at"),
        search_columns=("number", "subject"),
        filters=(
            "state",
            "kind",
            "company",
            "contract",
            "service",
            "ticket",
            "business_unit",
            "number",
            "decided_at",
            "created_at",
        ),
        order="-created_at",
        fast=(
            ("state", "created_at"),
            ("company", "created_at"),
            ("ticket", "created_at"),
            ("kind", "created_at"),
            ("number",),
        ),
        facts=("company", "ticket", "contract", "service", "decided_by", "decided_at", "release", "released_at"),
        natural_keys=(("number",),),
        deletion=Deletion(),
        sections=(
            Section(_l("Change"), ("kind", "subject", "description", "reason", "impact")),
            Section(_l("What it is about"), ("ticket", "company", "contract", "service", "business_unit")),
        ),
        rules={
            "uq_change_request_group_id_number": Rule(
                _l("There is already a change request with this number."), "number"
            ),
            "ck_change_request_decided_when": Rule(_l("A decision has its time."), "decided_at"),
            "ck_change_request_declined_why": Rule(_l("Say why it is refused."), "decision_reason"),
            "ck_change_request_released_when": Rule(_l("A release has its time."), "released_at"),
        },
    )

    #: What people say: MO and the next number of the corporate group.
    number: Mapped[str] = field(
        _l("Number"), String(24), verb_only=True, help=_l("Given by the program when it is recorded.")
    )
    #: The request that gives rise to it; it stays linked after that is closed.
    ticket_id: Mapped[int | None] = reference("ticket", _l("Ticket"), help=_l("The request that gives rise to it."))
    ticket: Mapped[Ticket | None] = relationship()
    #: Who needs it; empty where it is for everybody.
    company_id: Mapped[int | None] = reference(
        "company", _l("Company"), help=_l("Who needs it; empty where it is for everybody.")
    )
    company: Mapped[Company | None] = relationship()
    #: The contract it falls under.
    contract_id: Mapped[int | None] = reference("contract", _l("Contract"), help=_l("The one it falls under."))
    contract: Mapped[Contract | None] = relationship()
    #: What is to be changed.
    service_id: Mapped[int | None] = reference("service", _l("Service"), help=_l("What is to be changed."))
    service: Mapped[Service | None] = relationship()
    #: The unit it concerns: its evaluator sees it.
    business_unit_id: Mapped[int | None] = reference(
        "business_unit", _l("Business unit"), help=_l("That of the ticket, the service or the company where empty.")
    )
    business_unit: Mapped[BusinessUnit | None] = relationship()
    #: What sort of change.
    kind: Mapped[ChangeKind] = choice(
        ChangeKind, _l("Kind"), badge=False, default=ChangeKind.correction, help=_l("As maintenance tells them apart.")
    )
    #: In a few words, what changes.
    subject: Mapped[str] = field(_l("Subject"), String(200), help=_l("In a few words, what changes."))
    #: What is to be different.
    description: Mapped[str] = field(_l("Description"), Text, help=_l("What is to be different, and how one sees it."))
    #: Why it is needed.
    reason: Mapped[str] = field(_l("Reason"), Text, help=_l("Why it is needed."))
    #: What it touches, and what it takes.
    impact: Mapped[str | None] = field(
        _l("Impact"), Text, help=_l("What it touches: other functions, data, users, time and cost.")
    )
    #: Where it stands; changed by verbs only.
    state: Mapped[ChangeState] = choice(ChangeState, _l("State"), default=ChangeState.proposed, verb_only=True)
    #: Why it was approved or refused.
    decision_reason: Mapped[str | None] = field(
        _l("Reason of the decision"), Text, verb_only=True, help=_l("Why it is approved or refused.")
    )
    #: Who decided.
    decided_by_id: Mapped[int | None] = reference("ab_user", _l("Decided by"), verb_only=True)
    decided_by: Mapped[Staff | None] = relationship(foreign_keys=[decided_by_id])
    #: When.
    decided_at: Mapped[datetime | None] = field(_l("Decided at"), UtcInstant(), verb_only=True)
    #: What it came out with.
    release: Mapped[str | None] = field(
        _l("Release"), String(60), verb_only=True, help=_l("What it came out with, such as version 4.2.")
    )
    #: When it came out.
    released_at: Mapped[datetime | None] = field(_l("Released at"), UtcInstant(), verb_only=True)

    def __str__(self) -> str:
        return self.number
