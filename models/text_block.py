"""Texts of the client area that administrators put in their own words."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Admin, Category, Record, Rule, Scope, Section
from models.columns import choice, field, reference
from models.outbox_mail import MailLanguage
from models.portal import Portal
from models.staff import Staff
from models.values import DeclaredName

_TWICE = Rule(_l("Somebody else has just written this text: look at theirs first."), "key")
_OF_PORTAL = Rule(_l("A text belongs to a portal and its corporate group, or to all portals."), "portal")


class TextName(DeclaredName):
    """The key of a text: each declaration in ``backoffice/texts.py`` adds its label."""


class TextBlock(Record):
    """A text of the client area in an administrator's words (AC-03, AC-30, TK-18): see ``backoffice/texts.py``.

    Those of a portal count there, those of none wherever a portal has none; without a row, or with an empty body, the
    shipped words do.
    """

    __tablename__ = "text_block"
    __table_args__ = (
        UniqueConstraint("portal_id", "key", "language"),
        CheckConstraint("(portal_id IS NULL) = (group_id IS NULL)", name="of_portal"),
        # Of those for all portals a UNIQUE would let any number in.
        Index(
            "uq_text_block_of_all",
            "key",
            "language",
            unique=True,
            sqlite_where=text("portal_id IS NULL"),
            postgresql_where=text("portal_id IS NULL"),
        ),
    )
    __admin__ = Admin(
        label=_l("Text"),
        plural=_l("Texts"),
        category=Category.system,
        icon="card-text",
        area="texts",
        scope=Scope(group="group_id", groupless=True),
        title=("key", "language"),
        list_columns=("portal", "key", "language", "updated_by", "updated_at"),
        filters=("portal", "key", "language", "updated_at"),
        order="key",
        natural_keys=(("portal_id", "key", "language"),),
        sections=(Section(_l("Text"), ("portal", "key", "language", "body", "updated_by", "updated_at")),),
        rules={
            "uq_text_block_portal_id_key_language": _TWICE,
            "uq_text_block_of_all": _TWICE,
            "ck_text_block_of_portal": _OF_PORTAL,
        },
        written_by_verbs=True,
        configuration=True,
        menu=False,
    )

    #: The corporate group of the portal; empty where it is one for all portals.
    group_id: Mapped[int | None] = mapped_column(
        ForeignKey("corporate_group.id", ondelete="RESTRICT"), info={"label": _l("Corporate group")}
    )
    #: Whose clients read it; empty for those of every portal that has no words of its own.
    portal_id: Mapped[int | None] = reference("portal", _l("Portal"), help=_l("Empty: all portals."))
    portal: Mapped[Portal | None] = relationship()
    #: Which one, as the program calls it.
    key: Mapped[str] = field(_l("Which text"), TextName())
    #: The language it is written in.
    language: Mapped[MailLanguage] = choice(MailLanguage, _l("Language"))
    #: The words; empty for the shipped ones.
    body: Mapped[str | None] = field(_l("Words"), Text, help=_l("Empty: the shipped words count."))
    updated_by: Mapped[Staff | None] = relationship(foreign_keys="TextBlock.updated_by_id")

    def __str__(self) -> str:
        return f"{TextName().show(self.key)} ({self.language})"
