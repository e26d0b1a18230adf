"""The days that count in a contract beside its signature, start and end, which stand on the contract itself."""

from __future__ import annotations

from datetime import date

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from models.base import Admin, Category, CompanyOwned, Record, Rule, Scope, Section
from models.columns import Choice, choice, field, reference
from models.company import Company
from models.contract import Contract


class MilestoneKind(Choice):
    start_minutes = "start_minutes", _l("Start minutes"), "neutral", "flag"
    service_start = "service_start", _l("Start of the service"), "neutral", "play-circle"
    handover = "handover", _l("Hand-over minutes"), "neutral", "box-seam"
    contact_centre = "contact_centre", _l("Contact centre operational"), "neutral", "telephone"
    final_acceptance = "final_acceptance", _l("Final acceptance"), "neutral", "patch-check"


class Precision(Choice):
    day = "day", _l("To the day")
    month = "month", _l("Only the month is known")


class ContractMilestone(CompanyOwned, Record):
    """One such day, from which activation, assistance and penalties are counted (CT-06)."""

    __tablename__ = "contract_milestone"
    __table_args__ = (UniqueConstraint("contract_id", "kind"),)
    __admin__ = Admin(
        label=_l("Milestone"),
        plural=_l("Milestones"),
        category=Category.sales,
        icon="flag",
        area="contracts",
        scope=Scope(group="contract.group_id", company="contract.company_id"),
        title=("contract", "kind"),
        list_columns=("contract", "kind", "reached_on", "precision", "document"),
        search_columns=("contract", "document"),
        filters=("contract", "kind", "reached_on", "company"),
        order="-reached_on",
        fast=(("contract", "reached_on"), ("kind", "reached_on")),
        natural_keys=(("contract_id", "kind"),),
        sections=(Section(_l("Milestone"), ("contract", "kind", "reached_on", "precision", "document")),),
        client_columns=("kind", "reached_on"),
        client_section=False,
        menu=False,
        rules={
            "uq_contract_milestone_contract_id_kind": Rule(_l("The contract already has this milestone."), "kind"),
        },
    )

    company: Mapped[Company] = relationship()
    #: The contract it is a day of.
    contract_id: Mapped[int] = reference("contract", _l("Contract"), help="")
    contract: Mapped[Contract] = relationship()
    #: What happened, or will.
    kind: Mapped[MilestoneKind] = choice(MilestoneKind, _l("Milestone"), badge=False, help="")
    #: When.
    reached_on: Mapped[date] = field(
        _lp("milestone", "On"), help=_l("The last day of the month where only the month is known.")
    )
    #: How exactly that is known.
    precision: Mapped[Precision] = choice(Precision, _l("How exactly"), default=Precision.day, help="")
    #: The paper that proves it.
    document: Mapped[str | None] = field(_l("Document"), String(200), help=_l("Number or title of the minutes."))

    def __str__(self) -> str:
        return f"{self.contract} · {self.kind.label}"
