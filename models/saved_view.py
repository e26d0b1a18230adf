"""Lists as people want to see them again: filters, columns, order and size of a page under a name."""

from __future__ import annotations

from flask_appbuilder.security.sqla.models import Role
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy import CheckConstraint, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, relationship

from models.base import Admin, Category, EntityName, GroupOwned, Record, Rule, Scope, Section
from models.columns import field, reference
from models.staff import Staff


class SavedView(GroupOwned, Record):
    """One list under a name, private or shared with a role (BO-02). It belongs to whoever saved it.

    It holds what the address of the list says and no rows: what it shows is found with the eyes of whoever opens it.
    """

    __tablename__ = "saved_view"
    __table_args__ = (
        UniqueConstraint("group_id", "entity", "created_by_id", "name"),
        CheckConstraint("NOT is_default OR role_id IS NOT NULL", name="default_of_a_role"),
        Index(
            "ix_saved_view_default",
            *("group_id", "entity", "role_id"),
            unique=True,
            postgresql_where=text("is_default"),
            sqlite_where=text("is_default"),
        ),
    )
    __admin__ = Admin(
        label=_l("Saved view"),
        plural=_l("Saved views"),
        category=Category.system,
        icon="bookmark",
        area="views",
        scope=Scope(group="group_id", owner="created_by_id"),
        title=("name",),
        rank=7,
        list_columns=("name", "entity", "role", "is_default", "created_by", "created_at"),
        search_columns=("name",),
        filters=("entity", "role", "is_default", "created_by"),
        fast=(("entity", "created_at"),),
        sections=(Section(_l("Saved view"), ("name", "entity", "created_by", "role", "is_default", "address")),),
        rules={
            "uq_saved_view_group_id_entity_created_by_id_name": Rule(
                _l("You have a view of this name for this list already."), "name"
            ),
            "ck_saved_view_default_of_a_role": Rule(
                _l("A list opens with a view for a role: share it with one."), "is_default"
            ),
            "ix_saved_view_default": Rule(_l("Another view is what this role begins with."), "is_default"),
        },
        written_by_verbs=True,
        menu=False,
    )

    created_by: Mapped[Staff | None] = relationship(foreign_keys="SavedView.created_by_id")
    #: What people choose it by.
    name: Mapped[str] = field(_l("Name"), String(80))
    #: The table whose list it is.
    entity: Mapped[str] = field(_l("Kind of record"), EntityName())
    #: The parameters of the list's address: filters, search, order, columns, rows a page.
    address: Mapped[str] = field(
        _l("Address of the list"),
        String(4_000),
        default="",
        server_default="",
        help=_l("Its filters, search, order, columns and rows a page, as the address of the list carries them."),
    )
    #: The role whose people see it as well; empty for whoever saved it alone.
    role_id: Mapped[int | None] = reference(
        "ab_role",
        _lp("view", "Shared with"),
        ondelete="CASCADE",
        help=_l("Its people see the view as well, each with the rows they may see anyway."),
    )
    role: Mapped[Role | None] = relationship()
    #: Whether the list opens with it for people of that role.
    is_default: Mapped[bool] = field(
        _lp("view", "The list opens with it"),
        default=False,
        server_default="0",
        help=_l("For everybody of that role who has not chosen another view."),
    )

    def __str__(self) -> str:
        return self.name
