"""The credits that a course earns."""

from __future__ import annotations

from decimal import Decimal

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy import CheckConstraint, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Admin, Category, GroupOwned, Record, Rule, Scope, Section
from models.columns import Choice, choice, field, reference
from models.course import Course
from models.quantities import Quantity
from models.values import show_number


class CreditType(Choice):
    """Who counts the credits; the words are those of the register."""

    aspp = "aspp", "ASPP"
    rspp = "rspp", "RSPP"
    trainer = "trainer", _l("Safety trainer")
    csp_cse = "csp_cse", "CSP-CSE"
    order = "order", _l("Professional order")


_ORDER = "credit_type = 'order'"


class CourseCredit(GroupOwned, Record):
    """So many credits of one type for whoever passes the course (SV-10)."""

    __tablename__ = "course_credit"
    __table_args__ = (
        Index(
            "uq_course_credit_order", "course_id", "professional_order", unique=True,
            postgresql_where=text(_ORDER), sqlite_where=text(_ORDER),
        ),
        Index(
            "uq_course_credit_type", "course_id", "credit_type", unique=True,
            postgresql_where=text(f"NOT ({_ORDER})"), sqlite_where=text(f"NOT ({_ORDER})"),
        ),
        CheckConstraint("amount > 0", name="amount_positive"),
        CheckConstraint(f"({_ORDER}) = (professional_order IS NOT NULL)", name="which_order"),
    )  # fmt: skip
    __admin__ = Admin(
        label=_l("Course credit"),
        plural=_l("Course credits"),
        category=Category.client_data,
        icon="award",
        area="courses",
        scope=Scope(group="course.group_id"),
        title=("course", "credit_type"),
        list_columns=("course", "credit_type", "professional_order", "amount"),
        filters=("course", "credit_type"),
        order="created_at",
        fast=(("course", "created_at"),),
        sections=(Section(_l("Credit"), ("course", "credit_type", "professional_order", "amount")),),
        menu=False,
        rules={
            "uq_course_credit_order": Rule(_l("The course already has credits of this order."), "professional_order"),
            "uq_course_credit_type": Rule(_l("The course already has credits of this type."), "credit_type"),
            "ck_course_credit_amount_positive": Rule(_l("More than none."), "amount"),
            "ck_course_credit_which_order": Rule(
                _l("Name the order where it is one that counts them, and nowhere else."), "professional_order"
            ),
        },
    )

    #: The course that earns them.
    course_id: Mapped[int] = reference("course", _l("Course"), help="")
    course: Mapped[Course] = relationship(back_populates="credits")
    #: Place among the lines, from 0.
    position: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    #: For what they count.
    credit_type: Mapped[CreditType] = choice(CreditType, _l("Type"), help="")
    #: Which professional order counts them.
    professional_order: Mapped[str | None] = field(
        _l("Professional order"), String(80), help=_l("Such as Ordine degli Ingegneri; only for credits of orders.")
    )
    #: How many.
    amount: Mapped[Decimal] = field(_lp("training", "Credits"), Quantity(), help="")

    def __str__(self) -> str:
        return f"{self.professional_order or self.credit_type.label} {show_number(self.amount)}"
