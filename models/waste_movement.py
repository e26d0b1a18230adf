"""Waste on its way from clients to where it ends."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy import CheckConstraint, String, UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from backoffice.clock import ROME
from models.base import Admin, Category, CompanyOwned, Deletion, Flow, Freeze, Record, Rule, Scope, Section, Worklist
from models.business_unit import BusinessUnit
from models.codes import WasteCode
from models.columns import Choice, choice, field, reference
from models.company import Company
from models.quantities import Quantity
from models.site import Site
from models.values import UtcInstant, Year


class MovementState(Choice):
    """From the pick-up to the final disposal (WS-02, chapter 4.11)."""

    picked_up = "picked_up", _l("Picked up"), "info", "box-arrow-up"
    in_transit = "in_transit", _l("In transit"), "other", "truck"
    delivered = "delivered", _lp("waste", "Delivered"), "wait", "box-arrow-in-down"
    weighed = "weighed", _l("Weighed"), "active", "speedometer2"
    disposed = "disposed", _l("Disposed of"), "good", "recycle"


S = MovementState
#: States in which the client's register still lacks the weight at the destination.
UNWEIGHED = (S.picked_up, S.in_transit, S.delivered)
_FACTS = ("company", "form_number", "form_year", "picked_up_at", "waste_code", "quantity", "unit")
_UNWEIGHED = "state:in:picked_up,in_transit,delivered"


class WasteUnit(Choice):
    kg = "kg", "kg"
    litre = "litre", _l("litres")
    m3 = "m3", "m³"


def _form_year(context: Any) -> int:
    return int(context.get_current_parameters()["picked_up_at"].astimezone(ROME).year)


class WasteMovement(CompanyOwned, Record):
    """One pick-up under its waste form, traced until the waste is disposed of (WS-01 to WS-06)."""

    __tablename__ = "waste_movement"
    __table_args__ = (
        UniqueConstraint("company_id", "form_year", "form_number"),
        CheckConstraint("quantity > 0", name="quantity_positive"),
        CheckConstraint("destination_kg >= 0", name="weight_not_negative"),
        CheckConstraint("form_year BETWEEN 1998 AND 2199", name="year_sensible"),
        CheckConstraint("delivered_at >= picked_up_at", name="delivered_after_pick_up"),
        CheckConstraint("weighed_at >= picked_up_at", name="weighed_after_pick_up"),
        CheckConstraint("disposed_at >= picked_up_at", name="disposed_after_pick_up"),
        CheckConstraint(
            "state NOT IN ('weighed', 'disposed') OR (destination_kg IS NOT NULL AND weighed_at IS NOT NULL)",
            name="weighed_when",
        ),
        CheckConstraint("(state = 'disposed') = (disposed_at IS NOT NULL)", name="disposed_when"),
        CheckConstraint("register_due_on IS NOT NULL", name="register_when"),
    )
    __admin__ = Admin(
        label=_l("Waste movement"),
        plural=_l("Waste movements"),
        category=Category.client_data,
        icon="recycle",
        area="waste",
        scope=Scope(group="company.group_id", company="company_id", unit="business_unit_id", site="site_id"),
        title=("form_number", "form_year"),
        subtitle=("waste_code", "company"),
        tabs=("attachment.waste_movement",),
        flows=(Flow(_lp("movements", "Picked up"), "picked_up_at"),),
        worklists=(
            Worklist(
                _l("Movements without weight whose register is due within 5 days"),
                ("register_due_on:next:5", _UNWEIGHED),
            ),
            Worklist(_l("Movements without weight, register overdue"), ("register_due_on:past:", _UNWEIGHED), "bad"),
        ),
        rank=7,
        list_columns=(
            "form_number", "company", "picked_up_at", "waste_code", "quantity", "unit", "destination_kg",
            "register_due_on", "state",
        ),
        search_columns=("form_number", "waste_code", "description", "destination"),
        filters=(
            "state", "company", "site", "form_number", "form_year", "picked_up_at", "waste_code", "destination",
            "quantity", "unit", "destination_kg", "difference_kg", "register_due_on", "weighed_at", "disposed_at",
            "business_unit", "created_at",
        ),
        repeating=("waste_code", "destination"),
        order="-picked_up_at",
        fast=(
            ("company", "picked_up_at"), ("state", "picked_up_at"), ("state", "register_due_on"),
            ("waste_code", "picked_up_at"), ("form_number",), ("register_due_on",),
        ),
        facts=(
            "company", "site", "waste_code", "quantity", "destination_kg", "difference_kg", "register_due_on",
            "destination",
        ),
        natural_keys=(("company_id", "form_year", "form_number"),),
        freeze=Freeze("WINSMART", "picked_up_at"),
        deletion=Deletion((S.picked_up,)),
        changeable_in=dict.fromkeys(_FACTS, UNWEIGHED),
        sections=(
            Section(_l("Waste form"), ("company", "form_number", "form_year", "picked_up_at", "site", "business_unit")),
            Section(_l("Waste"), ("waste_code", "description", "quantity", "unit")),
            Section(_l("Way"), ("carrier", "destination")),
        ),
        client_columns=(
            "form_number", "form_year", "picked_up_at", "site", "waste_code", "description", "quantity", "unit",
            "destination", "destination_kg", "difference_kg", "weighed_at", "disposed_at", "register_due_on", "state",
        ),
        rules={
            "uq_waste_movement_company_id_form_year_form_number": Rule(
                _l("The company already has a form with this number in that year."), "form_number"
            ),
            "ck_waste_movement_quantity_positive": Rule(_l("More than none."), "quantity"),
            "ck_waste_movement_weight_not_negative": Rule(_l("A weight cannot be negative."), "destination_kg"),
            "ck_waste_movement_year_sensible": Rule(_l("The year has four digits."), "form_year"),
            "ck_waste_movement_delivered_after_pick_up": Rule(
                _l("Nothing is delivered before it is picked up."), "delivered_at"
            ),
            "ck_waste_movement_weighed_after_pick_up": Rule(
                _l("Nothing is weighed before it is picked up."), "weighed_at"
            ),
            "ck_waste_movement_disposed_after_pick_up": Rule(
                _l("Nothing is disposed of before it is picked up."), "disposed_at"
            ),
            "ck_waste_movement_weighed_when": Rule(_l("Enter the weight and when it was taken."), "destination_kg"),
            "ck_waste_movement_disposed_when": Rule(_l("Say when it was disposed of."), "disposed_at"),
            "ck_waste_movement_register_when": Rule(
                _l("A movement says by when the register is to be kept."), "register_due_on"
            ),
        },
    )  # fmt: skip

    company: Mapped[Company] = relationship()
    #: The unit that picks it up.
    business_unit_id: Mapped[int] = reference(
        "business_unit", _l("Business unit"), help=_l("The unit that picks it up and traces it.")
    )
    business_unit: Mapped[BusinessUnit] = relationship()
    #: Where it was picked up; an account may be narrowed to one site.
    site_id: Mapped[int | None] = reference("site", _l("Site"), help=_l("Where it was picked up."))
    site: Mapped[Site | None] = relationship()
    #: Number of the waste form, unique in the company's year.
    form_number: Mapped[str] = field(_l("Form number"), String(40), help=_l("Of the waste form (formulario)."))
    #: The year the form belongs to; that of the pick-up unless said otherwise.
    form_year: Mapped[int] = field(
        _l("Form year"), Year(), default=_form_year, help=_l("Empty: the year of the pick-up."), adds_up=False
    )
    #: When it was picked up.
    picked_up_at: Mapped[datetime] = field(_lp("waste", "Picked up"), UtcInstant(), help="")
    #: EER code.
    waste_code: Mapped[str] = field(
        _l("EER code"), WasteCode(7), help=_l("Six digits, and an asterisk where the waste is hazardous.")
    )
    #: What it is, in words.
    description: Mapped[str | None] = field(_l("Description"), String(200))
    #: How much was declared at the pick-up.
    quantity: Mapped[Decimal] = field(
        # Kilograms and litres do not add up; the weights at the destination do.
        _l("Declared quantity"),
        Quantity(),
        help=_l("As on the form."),
        adds_up=False,
    )
    #: What the declared quantity is counted in.
    unit: Mapped[WasteUnit] = choice(WasteUnit, _l("Unit of measure"), default=WasteUnit.kg, help="")
    #: Who carries it.
    carrier: Mapped[str | None] = field(_l("Carrier"), String(160))
    #: The plant it goes to.
    destination: Mapped[str | None] = field(_l("Destination"), String(160), help=_l("The plant it goes to."))
    #: Where it stands; changed by verbs only.
    state: Mapped[MovementState] = choice(MovementState, _l("State"), default=S.picked_up, verb_only=True)
    #: When it arrived.
    delivered_at: Mapped[datetime | None] = field(_lp("waste", "Delivered"), UtcInstant(), verb_only=True, help="")
    #: What it weighed at its destination (WS-05).
    destination_kg: Mapped[Decimal | None] = field(
        _l("Destination weight"), Quantity(), unit="kg", verb_only=True, help=_l("As weighed at the destination.")
    )
    #: Destination weight less declared weight; empty where no weight was declared.
    difference_kg: Mapped[Decimal | None] = field(
        _l("Difference"), Quantity(), unit="kg", verb_only=True, help=_l("Destination weight less declared weight.")
    )
    #: When it was weighed.
    weighed_at: Mapped[datetime | None] = field(_lp("waste", "Weighed"), UtcInstant(), verb_only=True, help="")
    #: When it came to its end.
    disposed_at: Mapped[datetime | None] = field(_lp("waste", "Disposed"), UtcInstant(), verb_only=True, help="")
    #: By when the client's register must be brought up to date (WS-06). Never empty, which a constraint says, not the
    #: column.
    register_due_on: Mapped[date | None] = field(
        _l("Register due on"), verb_only=True, due_while=UNWEIGHED, days_left=5
    )

    def __str__(self) -> str:
        return f"{self.form_number}/{self.form_year}"
