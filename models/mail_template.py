"""Mails in an administrator's words, in place of the shipped texts."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy import Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, relationship

from models.base import Admin, Category, GroupOwned, Record, Rule, Scope, Section
from models.columns import choice, field
from models.outbox_mail import MailLanguage
from models.staff import Staff
from models.values import DeclaredName, Email

_TWICE = Rule(_l("Somebody else has just written this text: look at theirs first."), "event")


class MailEvent(DeclaredName):
    """What causes a mail: each registered template adds its label."""


class MailTemplate(GroupOwned, Record):
    """Subject and text of one kind of mail, per language and sender (NT-01).

    Without a row, or with an empty text, the shipped files under ``backoffice/mail/templates/`` count.
    """

    __tablename__ = "mail_template"
    __table_args__ = (
        UniqueConstraint("group_id", "event", "language", "sender"),
        # Of those for every sender a UNIQUE would let any number in.
        Index(
            "uq_mail_template_any_sender",
            "group_id",
            "event",
            "language",
            unique=True,
            sqlite_where=text("sender IS NULL"),
            postgresql_where=text("sender IS NULL"),
        ),
    )
    __admin__ = Admin(
        label=_l("Mail template"),
        plural=_l("Mail templates"),
        category=Category.system,
        icon="envelope-paper",
        area="templates",
        scope=Scope(group="group_id"),
        title=("event", "language", "sender"),
        list_columns=("event", "language", "sender", "subject", "updated_by", "updated_at"),
        filters=("event", "language", "sender", "updated_at"),
        order="event",
        natural_keys=(("event", "language", "sender"),),
        sections=(
            Section(_l("What it is for"), ("event", "language", "sender")),
            Section(_l("The mail"), ("subject", "body", "updated_by", "updated_at")),
        ),
        rules={"uq_mail_template_group_id_event_language_sender": _TWICE, "uq_mail_template_any_sender": _TWICE},
        written_by_verbs=True,
        configuration=True,
        menu=False,
    )

    #: What causes such mails: the name of the shipped template.
    event: Mapped[str] = field(_l("Event"), MailEvent())
    #: The language it is written in.
    language: Mapped[MailLanguage] = choice(MailLanguage, _l("Language"))
    #: Only for mails from this address; empty for every sender without a text of its own.
    sender: Mapped[str | None] = field(
        _lp("mail", "From"), Email(), help=_l("Only for mails from this address; empty for all others.")
    )
    #: The subject line, with placeholders; empty for the shipped one.
    subject: Mapped[str | None] = field(
        _lp("mail", "Subject"), String(300), help=_l("Empty: the shipped subject counts.")
    )
    #: The text, with placeholders; empty for the shipped one.
    body: Mapped[str | None] = field(_l("Words"), Text, help=_l("Empty: the shipped words count."))
    updated_by: Mapped[Staff | None] = relationship(foreign_keys="MailTemplate.updated_by_id")

    def __str__(self) -> str:
        return " · ".join([MailEvent().show(self.event), str(self.language), *([self.sender] if self.sender else [])])
