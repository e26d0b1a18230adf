"""The ledger of assistance hours."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from sqlalchemy import CheckConstraint, Index, String, text
from sqlalchemy.orm import Mapped, relationship

from models.base import Admin, Category, CompanyOwned, Record, Rule, Scope, Section
from models.columns import Choice, choice, field, minutes, reference
from models.company import Company
from models.support_package import SupportPackage
from models.ticket import Ticket
from models.time_entry import TimeEntry


class MovementKind(Choice):
    purchase = "purchase", _l("Purchase"), "good", "plus-circle"
    opening = "opening", _l("Opening balance"), "info", "box-arrow-in-right"
    charge = "charge", _l("Charge"), "wait", "dash-circle"
    correction = "correction", _l("Correction"), "neutral", "pencil"


class PackageMovement(CompanyOwned, Record):
    """Minutes put on a package or taken from it; never changed, only corrected by another one (PK-12)."""

    __tablename__ = "package_movement"
    __table_args__ = (
        CheckConstraint(
            "(kind = 'charge' AND minutes < 0) OR (kind <> 'charge' AND minutes <> 0)", name="minutes_signed"
        ),
        CheckConstraint("kind <> 'purchase' OR minutes > 0", name="purchase_positive"),
        CheckConstraint("kind <> 'correction' OR note IS NOT NULL", name="correction_why"),
        Index(
            "uq_package_movement_purchase",
            "package_id",
            unique=True,
            postgresql_where=text("kind = 'purchase'"),
            sqlite_where=text("kind = 'purchase'"),
        ),
    )
    __admin__ = Admin(
        label=_l("Package movement"),
        plural=_l("Package movements"),
        category=Category.sales,
        icon="plus-slash-minus",
        area="packages",
        scope=Scope(group="package.group_id", company="package.company_id"),
        title=("package", "kind"),
        rank=7,
        list_columns=("created_at", "package", "company", "kind", "minutes", "ticket", "note"),
        filters=("kind", "package", "company", "ticket", "created_at"),
        order="-created_at",
        fast=(("package", "created_at"), ("company", "created_at"), ("kind", "created_at")),
        sections=(
            Section(
                _l("Movement"),
                ("package", "kind", "minutes", "ticket", "note"),
                _l("It cannot be changed afterwards, only corrected by another movement."),
            ),
        ),
        client_columns=("created_at", "kind", "ticket", "minutes", "note"),
        client_section=False,
        append_only=True,
        retractable="OLD.kind = 'opening'",
        rules={
            "ck_package_movement_minutes_signed": Rule(
                _l("The minutes cannot be zero, and a charge takes them away."), "minutes"
            ),
            "ck_package_movement_purchase_positive": Rule(_l("A purchase adds minutes."), "minutes"),
            "ck_package_movement_correction_why": Rule(_l("A correction says why."), "note"),
            "uq_package_movement_purchase": Rule(_l("The purchase of this package is already in the ledger."), "kind"),
        },
    )

    company: Mapped[Company] = relationship()
    #: The package it concerns.
    package_id: Mapped[int] = reference("support_package", _l("Package"), help="")
    package: Mapped[SupportPackage] = relationship()
    #: Bought, taken over, used, or put right.
    kind: Mapped[MovementKind] = choice(
        MovementKind,
        _l("Kind"),
        default=MovementKind.charge,
        help=_l("A purchase or an opening balance adds time, a charge takes it away, a correction does either."),
    )
    #: Added where positive, taken where negative; charges are always negative.
    minutes: Mapped[int] = minutes(
        _l("Time"), help=_l("A charge takes it away, whichever sign is typed; a correction follows the sign.")
    )
    #: The request the time was spent on.
    ticket_id: Mapped[int | None] = reference("ticket", _l("Ticket"), help=_l("The request the time was spent on."))
    ticket: Mapped[Ticket | None] = relationship()
    #: The work it pays for, where it was charged by entering that.
    time_entry_id: Mapped[int | None] = reference(
        "time_entry", _l("Time entry"), verb_only=True, help=_l("The work it pays for.")
    )
    time_entry: Mapped[TimeEntry | None] = relationship()
    #: What was done, or why it is corrected.
    note: Mapped[str | None] = field(
        _l("Note"), String(250), help=_l("What was done, or why it is corrected; clients read it.")
    )

    def __str__(self) -> str:
        return f"{self.package} · {self.kind.label}"
