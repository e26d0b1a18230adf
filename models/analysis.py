"""What the laboratory has been asked to find out."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy import CheckConstraint, String, UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from models.base import Admin, Category, CompanyOwned, Deletion, Flow, Freeze, Record, Rule, Scope, Section, Worklist
from models.business_unit import BusinessUnit
from models.columns import Choice, choice, field, folded, reference
from models.company import Company
from models.site import Site
from models.values import UtcInstant

if TYPE_CHECKING:
    from models.analysis_result import AnalysisResult


class AnalysisState(Choice):
    """Where an analysis stands (chapter 4.10)."""

    registered = "registered", _lp("analysis", "Registered"), "info", "inbox"
    preliminary = "preliminary", _lp("analysis", "Preliminary values"), "wait", "hourglass-split"
    validated = "validated", _lp("analysis", "Validated"), "active", "check2"
    certified = "certified", _lp("analysis", "Certified"), "good", "patch-check"


S = AnalysisState
#: States in which values are still entered and corrected.
IN_WORK = (S.registered, S.preliminary)
#: What is certified together with the values.
_FACTS = ("company", "business_unit", "number", "site", "sampling_point", "matrix", "sampled_on")


class Analysis(CompanyOwned, Record):
    """The analysis of one sample, commissioned by a client (AN-03, AN-10)."""

    __tablename__ = "analysis"
    __table_args__ = (
        UniqueConstraint("group_id", "number"),
        CheckConstraint("state NOT IN ('validated', 'certified') OR validated_at IS NOT NULL", name="validated_when"),
    )
    __admin__ = Admin(
        label=_l("Analysis"),
        plural=_l("Analyses"),
        category=Category.client_data,
        icon="droplet-half",
        area="analyses",
        scope=Scope(group="company.group_id", company="company_id", unit="business_unit_id", site="site_id"),
        title=("number",),
        subtitle=("matrix", "company"),
        tabs=("certificate.analysis",),
        flows=(Flow(_lp("analyses", "Sampled"), "sampled_on"),),
        worklists=(
            Worklist(_l("Analyses to validate"), ("state:in:preliminary",)),
            Worklist(_l("Validated analyses without certificate"), ("state:in:validated",)),
        ),
        rank=5,
        list_columns=("number", "company", "matrix", "sampling_point", "site", "sampled_on", "state"),
        search_columns=("number", "matrix", "sampling_point"),
        filters=(
            "state", "company", "number", "matrix", "sampling_point", "site", "sampled_on", "business_unit",
            "validated_at", "created_at",
        ),
        repeating=("matrix", "sampling_point"),
        order="-sampled_on",
        fast=(
            ("company", "sampled_on"), ("state", "sampled_on"), ("matrix", "sampled_on"), ("number",),
        ),
        inline=("results",),
        facts=("company", "site", "sampling_point", "matrix", "sampled_on", "business_unit", "validated_at"),
        natural_keys=(("number",),),
        freeze=Freeze("ANALISI", "sampled_on"),
        deletion=Deletion((S.registered,)),
        changeable_in=dict.fromkeys(_FACTS, IN_WORK),
        sections=(
            Section(_l("Commission"), ("company", "number", "business_unit")),
            Section(_l("Sample"), ("matrix", "sampling_point", "site", "sampled_on")),
        ),
        client_columns=("number", "matrix", "sampling_point", "site", "sampled_on", "state", "validated_at"),
        client_preliminary={"state": (S.preliminary,)},
        client_only={"state": (S.preliminary, S.validated, S.certified)},
        rules={
            "uq_analysis_group_id_number": Rule(_l("There is already an analysis with this number."), "number"),
            "ck_analysis_validated_when": Rule(_l("A validated analysis says since when."), "validated_at"),
        },
    )  # fmt: skip

    company: Mapped[Company] = relationship()
    #: The laboratory's number, unique in the group.
    number: Mapped[str] = field(_l("Number"), String(40), help=_l("As the laboratory counts."))
    #: Which laboratory; its people validate and certify (AN-10).
    business_unit_id: Mapped[int] = reference(
        "business_unit", _l("Laboratory"), help=_l("Its evaluator enters, validates and certifies.")
    )
    business_unit: Mapped[BusinessUnit] = relationship()
    #: What was sampled: water, soil, air.
    matrix: Mapped[str] = field(_lp("sample", "Matrix"), String(80), help=_l("Such as acque reflue."))
    #: The matrix folded, for sorting.
    matrix_key: Mapped[str] = folded("matrix")
    #: Where exactly.
    sampling_point: Mapped[str | None] = field(
        _l("Sampling point"), String(120), help=_l("Where exactly, such as pozzetto P2.")
    )
    #: The place of the client; an account may be narrowed to one site.
    site_id: Mapped[int | None] = reference("site", _l("Site"), help=_l("Empty: the whole company."))
    site: Mapped[Site | None] = relationship()
    #: When the sample was taken.
    sampled_on: Mapped[date] = field(_l("Sampled on"))
    #: Where it stands; changed by verbs only.
    state: Mapped[AnalysisState] = choice(AnalysisState, _l("State"), default=S.registered, verb_only=True)
    #: When the values were found right; until then they are preliminary (AN-01).
    validated_at: Mapped[datetime | None] = field(_l("Validated"), UtcInstant(), verb_only=True)

    results: Mapped[list[AnalysisResult]] = relationship(
        back_populates="analysis",
        passive_deletes="all",
        cascade="save-update, merge",
        order_by="AnalysisResult.position",
        info={"label": _l("Results"), "help": _l("One parameter a line; preliminary until they are validated.")},
    )

    def __str__(self) -> str:
        return self.number
