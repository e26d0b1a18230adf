"""What each staff role may do, and which fields it sees as a mask only: changed by administrators, not in code."""

from __future__ import annotations

from typing import Any, ClassVar

from flask_appbuilder.security.sqla.models import Role
from flask_babel import lazy_gettext as _l
from sqlalchemy import CheckConstraint, ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from backoffice import errors
from models.base import SHARED, Admin, Category, EntityName, Model, Record, Rule, Section
from models.columns import Choice, choice, field, reference
from models.reading import clean_text
from models.values import DeclaredName, ValueType


class RightScope(Choice):
    """Which rows of the corporate group a right covers; the words of ``backoffice.actors.ScopeKind``."""

    group = "group", _l("Whole corporate group")
    unit = "unit", _l("Own business unit")
    teams = "teams", _l("Companies that the own teams serve")
    consultant = "consultant", _l("Companies entrusted to the person")
    own = "own", _l("Rows entrusted to the person")


class AreaName(DeclaredName):
    """A row of the permission matrix; the matrix adds the words of its rows."""

    def __init__(self) -> None:
        super().__init__(32)


class Letters(ValueType):
    """What a right allows, stored as the letters of the permission matrix, which adds their words."""

    words: ClassVar[dict[str, errors.Text]] = {}

    def __init__(self) -> None:
        super().__init__(6)

    def parse(self, raw: str) -> str:
        return clean_text(raw)

    def show(self, value: Any) -> str:
        return ", ".join(str(self.words.get(letter, letter)) for letter in value)

    def edit(self, value: Any) -> str:
        return str(value)


class RoleRight(Record):
    """What one role may do in one area of the product, with the rows of one scope (RO-01).

    Actions with different scopes are several rows: ``RX`` for the whole group beside ``RU`` for the own unit.
    """

    __tablename__ = "role_right"
    __table_args__ = (
        UniqueConstraint("role_id", "area", "scope"),
        CheckConstraint("actions = '' OR actions LIKE '%R%'", name="reading_comes_first"),
    )
    __admin__ = Admin(
        label=_l("Right of a role"),
        plural=_l("Rights of roles"),
        category=Category.system,
        icon="shield-lock",
        area="roles",
        scope=SHARED,
        title=("role", "area"),
        list_columns=("role", "area", "actions", "scope"),
        filters=("role", "area", "scope"),
        order="area",
        fast=(("role", "area"),),
        natural_keys=(("role", "area", "scope"),),
        sections=(Section(_l("Right"), ("role", "area", "actions", "scope")),),
        written_by_verbs=True,
        menu=False,
        rules={
            "uq_role_right_role_id_area_scope": Rule(
                _l("The role already has a right with these rows in this area."), "scope"
            ),
            "ck_role_right_reading_comes_first": Rule(
                _l("Whoever may do something must be able to read, R."), "actions"
            ),
        },
    )

    #: The role that has the right.
    role_id: Mapped[int] = reference("ab_role", _l("Role"), ondelete="CASCADE", index=False)
    role: Mapped[Role] = relationship()
    #: The row of the permission matrix.
    area: Mapped[str] = field(_l("Area"), AreaName(), help=_l("Part of the product, one row of the permission matrix."))
    #: Letters: C create, R read, U change, D delete, T use verbs, X export; empty for nothing.
    actions: Mapped[str] = field(
        _l("Actions"),
        Letters(),
        default="",
        server_default="",
        help=_l("C create, R read, U change, D delete, T use the verbs, X export; empty for nothing."),
    )
    #: Which rows the right covers.
    scope: Mapped[RightScope] = choice(
        RightScope,
        _l("Rows"),
        default=RightScope.group,
        server_default="group",
        help=_l("Which rows the right covers."),
    )

    def __str__(self) -> str:
        return f"{self.role} · {self.area}"


class RoleMask(Record):
    """A field that one role sees as a mask only (RO-08)."""

    __tablename__ = "role_mask"
    __table_args__ = (UniqueConstraint("role_id", "entity", "field"),)
    __admin__ = Admin(
        label=_l("Masked field"),
        plural=_l("Masked fields"),
        category=Category.system,
        icon="eye-slash",
        area="roles",
        scope=SHARED,
        title=("role", "entity", "field"),
        list_columns=("role", "entity", "field"),
        filters=("role", "entity"),
        order="entity",
        natural_keys=(("role", "entity", "field"),),
        sections=(Section(_l("Masked field"), ("role", "entity", "field")),),
        written_by_verbs=True,
        menu=False,
        rules={"uq_role_mask_role_id_entity_field": Rule(_l("The role already has this mask."), "field")},
    )

    #: The role that sees the mask.
    role_id: Mapped[int] = reference("ab_role", _l("Role"), ondelete="CASCADE", index=False)
    role: Mapped[Role] = relationship()
    #: The table whose field is masked.
    entity: Mapped[str] = field(_l("Kind of record"), EntityName())
    #: The masked field.
    field: Mapped[str] = field(_l("Field"), String(64), fields_of="entity")

    def __str__(self) -> str:
        return f"{self.role} · {self.entity}.{self.field}"


class RoleDefault(Model):
    """What the product shipped for a role, as far as the installation has taken notice of it.

    The third side of the comparison: where the right in use differs from it, an administrator
    changed or removed the right, and synchronising leaves it alone. Where the product then ships
    something new, it stays as it was until an administrator has taken that over, or kept what is here.
    """

    __tablename__ = "role_default"

    #: The role.
    role_id: Mapped[int] = mapped_column(
        Integer, ForeignKey("ab_role.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    #: ``right:<area>`` or ``mask:<entity>.<field>``.
    key: Mapped[str] = mapped_column(String(140), primary_key=True)
    #: Letters and scopes of a right (``RX:teams``); empty for a mask.
    value: Mapped[str] = mapped_column(String(32), default="", server_default="")
