"""What is looked at before an online service is activated."""

from __future__ import annotations

from datetime import datetime

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy import CheckConstraint, String, UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from models.activation_request import ActivationRequest
from models.activation_request_item import ActivationRequestItem
from models.base import Admin, Category, GroupOwned, Record, Rule, Scope, Section
from models.business_unit import BusinessUnit
from models.columns import Choice, choice, field, reference
from models.staff import Staff
from models.values import UtcInstant


class CheckKind(Choice):
    client = "client", _l("Is a client"), "neutral", "building"
    contract = "contract", _l("Has an active contract"), "neutral", "file-earmark-text"
    records = "records", _l("Has data in the platform"), "neutral", "database"
    size = "size", _l("Is large enough"), "neutral", "arrows-fullscreen"
    frequency = "frequency", _l("Asks for analyses habitually"), "neutral", "activity"


class CheckState(Choice):
    open = "open", _lp("check", "To be checked"), "wait", "hourglass-split"
    passed = "passed", _lp("check", "Met"), "good", "check-circle"
    failed = "failed", _lp("check", "Not met"), "bad", "x-circle"
    overridden = "overridden", _lp("check", "Not met, activated all the same"), "wait", "exclamation-triangle"
    not_needed = "not_needed", _lp("check", "Not required"), "neutral", "dash"


class ActivationCheck(GroupOwned, Record):
    """One of the five checks of a requested service: what was found, by whom, when (AR-12 to AR-18)."""

    __tablename__ = "activation_check"
    __table_args__ = (
        UniqueConstraint("item_id", "kind"),
        CheckConstraint("checked_by_id IS NULL OR detail IS NOT NULL", name="found_by_hand_why"),
    )
    __admin__ = Admin(
        label=_l("Check"),
        plural=_l("Checks"),
        category=Category.clients,
        icon="clipboard-check",
        area="activation",
        scope=Scope(group="item.group_id", company="item.company_id", unit="item.business_unit_id"),
        title=("item", "kind"),
        list_columns=("kind", "state", "detail", "item", "checked_by", "checked_at"),
        filters=("state", "kind", "item", "request", "checked_at"),
        order="created_at",
        fast=(("item", "created_at"), ("request", "created_at")),
        facts=("item", "detail", "checked_by", "checked_at"),
        natural_keys=(("item_id", "kind"),),
        sections=(Section(_l("Check"), ("item", "kind")),),
        menu=False,
        written_by_verbs=True,
        rules={
            "uq_activation_check_item_id_kind": Rule(_l("This check is there already."), "kind"),
            "ck_activation_check_found_by_hand_why": Rule(_l("Say what you found."), "detail"),
        },
    )

    #: What is checked.
    item_id: Mapped[int] = reference("activation_request_item", _l("Requested service"), index=False, help="")
    item: Mapped[ActivationRequestItem] = relationship()
    #: The request it is part of, so that its page lists all checks.
    request_id: Mapped[int] = reference("activation_request", _lp("activation", "Request"), help="")
    request: Mapped[ActivationRequest] = relationship()
    #: The client of the request; copied from it, and empty as long as its is.
    company_id: Mapped[int | None] = reference("company", _l("Company"))
    #: The unit whose evaluator decides; copied from the service.
    business_unit_id: Mapped[int | None] = reference("business_unit", _l("Evaluating unit"))
    business_unit: Mapped[BusinessUnit | None] = relationship()
    #: Which of the five.
    kind: Mapped[CheckKind] = choice(CheckKind, _lp("activation", "Check"), badge=False, help="")
    #: What came of it.
    state: Mapped[CheckState] = choice(CheckState, _lp("check", "Result"), default=CheckState.open, verb_only=True)
    #: What was found.
    detail: Mapped[str | None] = field(_l("What was found"), String(250), verb_only=True)
    #: Who found it out; empty where the product did by itself.
    checked_by_id: Mapped[int | None] = reference("ab_user", _l("Checked by"), related=_l("Checks"), verb_only=True)
    checked_by: Mapped[Staff | None] = relationship(foreign_keys=[checked_by_id])
    #: When it was looked at last.
    checked_at: Mapped[datetime | None] = field(_l("Checked at"), UtcInstant(), verb_only=True)

    def __str__(self) -> str:
        return f"{self.item} · {self.kind.label}"
