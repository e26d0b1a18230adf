"""Figures in which organisations differ, as administrators have set them."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Admin, Category, Record, Rule, Scope, Section
from models.columns import field
from models.staff import Staff
from models.values import DeclaredName

_TWICE = Rule(_l("Somebody else has just set this: look at their value first."), "key")


class SettingName(DeclaredName):
    """The key of a setting: each declaration in ``backoffice/setting_keys.py`` adds its label."""


class Setting(Record):
    """What an administrator has set in place of a declared default (BO-08): see ``backoffice/setting_keys.py``.

    Without a row, or with an empty value, the default counts; so the history of a setting stays when it goes back.
    """

    __tablename__ = "setting"
    __table_args__ = (
        UniqueConstraint("group_id", "key"),
        # Of those for the whole installation a UNIQUE would let any number in.
        Index(
            "uq_setting_of_installation",
            "key",
            unique=True,
            sqlite_where=text("group_id IS NULL"),
            postgresql_where=text("group_id IS NULL"),
        ),
    )
    __admin__ = Admin(
        label=_l("Setting"),
        plural=_l("Settings"),
        category=Category.system,
        icon="sliders",
        area="settings",
        scope=Scope(group="group_id", groupless=True),
        title=("key",),
        list_columns=("key", "value", "updated_by", "updated_at"),
        filters=("key", "updated_at"),
        order="key",
        natural_keys=(("key",),),
        sections=(Section(_l("Setting"), ("key", "value", "updated_by", "updated_at")),),
        rules={"uq_setting_group_id_key": _TWICE, "uq_setting_of_installation": _TWICE},
        written_by_verbs=True,
        configuration=True,
        menu=False,
    )

    #: The corporate group it counts for; empty where it is one for the whole installation.
    group_id: Mapped[int | None] = mapped_column(
        ForeignKey("corporate_group.id", ondelete="RESTRICT"), info={"label": _l("Corporate group")}
    )
    #: Which one, as the program calls it.
    key: Mapped[str] = field(_l("Setting"), SettingName())
    #: What was set, written as it was typed into the form; empty for the default.
    value: Mapped[str | None] = field(_l("Value"), String(2000), help=_l("Empty: the default counts."))
    updated_by: Mapped[Staff | None] = relationship(foreign_keys="Setting.updated_by_id")

    def __str__(self) -> str:
        return SettingName().show(self.key)
