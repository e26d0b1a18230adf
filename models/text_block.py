"""Texts of the product that administrators put in their own words."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from sqlalchemy import Text, UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from models.base import SHARED, Admin, Category, Record, Rule, Section
from models.columns import choice, field
from models.outbox_mail import MailLanguage
from models.staff import Staff
from models.values import DeclaredName


class TextName(DeclaredName):
    """The key of a text: each declaration in ``backoffice/texts.py`` adds its label."""


class TextBlock(Record):
    """A text of the product in an administrator's words (AC-30, TK-18): see ``backoffice/texts.py``.

    Without a row, or with an empty body, the shipped words count.
    """

    __tablename__ = "text_block"
    __table_args__ = (UniqueConstraint("key", "language"),)
    __admin__ = Admin(
        label=_l("Text"),
        plural=_l("Texts"),
        category=Category.system,
        icon="card-text",
        area="texts",
        scope=SHARED,
        title=("key", "language"),
        list_columns=("key", "language", "updated_by", "updated_at"),
        filters=("key", "language", "updated_at"),
        order="key",
        natural_keys=(("key", "language"),),
        sections=(Section(_l("Text"), ("key", "language", "body", "updated_by", "updated_at")),),
        rules={
            "uq_text_block_key_language": Rule(
                _l("Somebody else has just written this text: look at theirs first."), "key"
            )
        },
        written_by_verbs=True,
        menu=False,
    )

    #: Which one, as the program calls it.
    key: Mapped[str] = field(_l("Text"), TextName())
    #: The language it is written in.
    language: Mapped[MailLanguage] = choice(MailLanguage, _l("Language"))
    #: The words; empty for the shipped ones.
    body: Mapped[str | None] = field(_l("Words"), Text, help=_l("Empty: the shipped words count."))
    updated_by: Mapped[Staff | None] = relationship(foreign_keys="TextBlock.updated_by_id")

    def __str__(self) -> str:
        return f"{TextName().show(self.key)} ({self.language})"
