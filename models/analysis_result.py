"""What analyses found."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy import Integer, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.analysis import IN_WORK, Analysis, AnalysisState
from models.base import Admin, Category, CompanyOwned, Deletion, Record, Rule, Scope, Section
from models.business_unit import BusinessUnit
from models.columns import Choice, choice, field, folded, reference
from models.company import Company
from models.quantities import Quantity


class ResultState(Choice):
    """Whether a value may still change; follows the analysis (AN-02)."""

    preliminary = "preliminary", _lp("result", "Preliminary"), "wait", "hourglass-split"
    validated = "validated", _lp("result", "Validated"), "good", "check-circle"


S = ResultState
_FACTS = ("analysis", "parameter", "value", "is_below", "unit", "limit_value")


class AnalysisResult(CompanyOwned, Record):
    """One parameter of one analysis, with unit and limit (AN-01, AN-05)."""

    __tablename__ = "analysis_result"
    __table_args__ = (UniqueConstraint("analysis_id", "parameter"),)
    __admin__ = Admin(
        label=_l("Analysis result"),
        plural=_l("Analysis results"),
        category=Category.client_data,
        icon="list-columns",
        area="analyses",
        scope=Scope(
            group="analysis.group_id", company="analysis.company_id", unit="analysis.business_unit_id"
        , site="analysis.site_id"),
        title=("analysis", "parameter"),
        subtitle=("company",),
        rank=6,
        list_columns=("parameter", "value", "is_below", "unit", "limit_value", "state", "analysis"),
        search_columns=("parameter", "analysis"),
        filters=("state", "parameter", "analysis", "company", "value", "limit_value", "unit", "is_below", "created_at"),
        order="-created_at",
        fast=(
            ("analysis", "created_at"), ("company", "created_at"), ("parameter", "created_at"), ("state", "created_at"),
        ),
        natural_keys=(("analysis_id", "parameter"),),
        deletion=Deletion(IN_WORK, of="analysis"),
        changeable_in=dict.fromkeys(_FACTS, (S.preliminary,)),
        sections=(
            Section(_l("Result"), _FACTS),
        ),
        client_preliminary={"state": (ResultState.preliminary,)},
        client_section=False,
        client_columns=("analysis", "parameter", "value", "is_below", "unit", "limit_value", "state"),
        rules={
            "uq_analysis_result_analysis_id_parameter": Rule(
                _l("The analysis already has a result for this parameter."), "parameter"
            ),
        },
    )  # fmt: skip

    company: Mapped[Company] = relationship()
    #: The unit of the laboratory; copied from the analysis.
    business_unit_id: Mapped[int] = reference("business_unit", _l("Laboratory"))
    business_unit: Mapped[BusinessUnit] = relationship()
    #: The analysis it is part of.
    analysis_id: Mapped[int] = reference("analysis", _l("Analysis"), index=False, help="")
    analysis: Mapped[Analysis] = relationship(back_populates="results")
    #: Place among the lines, from 0.
    position: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    #: What was measured.
    parameter: Mapped[str] = field(_l("Parameter"), String(80), help=_l("Such as COD."))
    #: The parameter folded, for sorting.
    parameter_key: Mapped[str] = folded("parameter")
    #: How much; empty until it is known.
    value: Mapped[Decimal | None] = field(
        _lp("result", "Value"), Quantity(), help=_l("Empty until it is known."), adds_up=False
    )
    #: The true value lies below the one written, which is the limit of quantification.
    is_below: Mapped[bool] = field(
        _l("Less than"),
        default=False,
        server_default="0",
        help=_l("Ticked where the value is the limit of quantification and less was found."),
    )
    #: In which unit.
    unit: Mapped[str | None] = field(_l("Unit"), String(20), help=_l("Of value and limit, such as mg/l."))
    #: The most that is allowed; empty where nothing is.
    limit_value: Mapped[Decimal | None] = field(
        _l("Limit"), Quantity(), help=_l("The most allowed; empty for none."), adds_up=False
    )
    #: Preliminary until the analysis is validated.
    state: Mapped[ResultState] = choice(ResultState, _lp("result", "Status"), default=S.preliminary, verb_only=True)

    @classmethod
    def shown_to_clients(cls) -> Any:
        """Values of an analysis that has got that far."""
        told = select(Analysis.id).where(Analysis.state != AnalysisState.registered)
        return cls.analysis_id.in_(told)

    def __str__(self) -> str:
        return f"{self.analysis} · {self.parameter}"
