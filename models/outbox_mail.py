"""Mail on its way out: what must be sent to whom, and what became of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy import JSON, CheckConstraint, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Admin, Category, EntityName, GroupOwned, Record, Rule, Scope, Section
from models.columns import Choice, choice, field, reference
from models.company import Company
from models.values import Email, UtcInstant


class MailState(Choice):
    waiting = "waiting", _lp("mail", "Waiting"), "wait", "hourglass-split"
    sending = "sending", _lp("mail", "Being sent"), "active", "send"
    sent = "sent", _lp("mail", "Sent"), "good", "check-circle"
    failed = "failed", _lp("mail", "Not delivered"), "bad", "x-circle"
    held = "held", _lp("mail", "Held back"), "wait", "pause-circle"
    cancelled = "cancelled", _lp("mail", "Cancelled"), "neutral", "slash-circle"


class HoldReason(Choice):
    """Why a mail waits for somebody to release it."""

    demonstration = "demonstration", _l("Demonstration data is loaded"), "wait", "cone-striped"


class MailLanguage(Choice):
    """Each called by its own name, as in the language menu."""

    it = "it", "Italiano"
    en = "en", "English"


class OutboxMail(GroupOwned, Record):
    """A mail to send, queued in the transaction that causes it; its text is made as it is sent (NT-02).

    A link that carries a token is in no column: the sender makes the token, and pages show ``[link]``.
    """

    __tablename__ = "outbox_mail"
    __table_args__ = (
        UniqueConstraint("message_id"),
        CheckConstraint("attempts >= 0", name="attempts_not_negative"),
        CheckConstraint("state <> 'sending' OR lease_token IS NOT NULL", name="sending_by_somebody"),
        CheckConstraint("state <> 'held' OR held_because IS NOT NULL", name="held_for_a_reason"),
        # What the sender looks for, in every corporate group at once.
        Index("ix_outbox_mail_due", "state", "due_at"),
        Index("ix_outbox_mail_cause", "cause_entity", "cause_id", "id"),
    )
    __admin__ = Admin(
        title=("subject",),
        label=_lp("mail", "Outgoing mail"),
        plural=_lp("mail", "Outbox"),
        category=Category.system,
        icon="envelope-arrow-up",
        area="outbox",
        scope=Scope(group="group_id", company="company_id"),
        list_columns=("created_at", "recipient", "subject", "state", "attempts", "sent_at"),
        search_columns=("recipient", "subject", "message_id"),
        filters=("state", "recipient", "template", "company", "cause_entity", "cause_id", "created_at", "sent_at"),
        order="-created_at",
        fast=(("state", "created_at"),),
        facts=("recipient", "due_at", "attempts", "sent_at", "last_answer"),
        natural_keys=(("message_id",),),
        sections=(
            Section(_l("Mail"), ("recipient", "sender", "reply_to", "subject", "template", "language", "message_id")),
            Section(_l("What caused it"), ("cause_entity", "cause_id", "company")),
            Section(_l("What became of it"), ("state", "held_because", "due_at", "attempts", "last_answer", "sent_at")),
        ),
        rules={
            "uq_outbox_mail_message_id": Rule(_l("There is already a mail with this Message-ID."), "message_id"),
            "ck_outbox_mail_attempts_not_negative": Rule(_l("Counts cannot be negative."), "attempts"),
            "ck_outbox_mail_sending_by_somebody": Rule(_l("A mail that is being sent names who sends it."), "state"),
            "ck_outbox_mail_held_for_a_reason": Rule(_l("Say why the mail is held back."), "held_because"),
        },
        written_by_verbs=True,
    )

    #: The client it is about, where it is known.
    company_id: Mapped[int | None] = reference("company", _l("Company"))
    company: Mapped[Company | None] = relationship()
    #: Whom it goes to.
    recipient: Mapped[str] = field(_lp("mail", "To"), Email(), personal=True)
    #: Whom it comes from; empty for the address in the settings.
    sender: Mapped[str | None] = field(
        _lp("mail", "From"), Email(), help=_l("Empty: the sender that the settings of the machine name.")
    )
    #: Where answers go, if not to the sender.
    reply_to: Mapped[str | None] = field(_l("Answers to"), Email(), help=_l("Empty: answers go to the sender."))
    #: Its subject line.
    subject: Mapped[str] = field(_lp("mail", "Subject"), String(300), personal=True)
    #: The folder of its texts under ``backoffice/mail/templates/``.
    template: Mapped[str] = field(_lp("mail", "Template"), String(64))
    #: What the template is filled with; never a token.
    arguments: Mapped[dict[str, Any]] = mapped_column(JSON(none_as_null=True), default=dict)
    #: The language it is written in.
    language: Mapped[MailLanguage] = choice(MailLanguage, _l("Language"))
    #: Fixed before the first attempt and the same in each, so that a repeat is recognisable.
    message_id: Mapped[str] = field(
        _l("Message-ID"), String(120), help=_l("The same at every attempt: a mail that arrives twice is recognisable.")
    )
    #: How far it has come.
    state: Mapped[MailState] = choice(MailState, _l("State"), default=MailState.waiting, verb_only=True)
    #: Why it is held back.
    held_because: Mapped[HoldReason | None] = choice(HoldReason, _l("Held back because"), badge=False)
    #: When it may be sent at the earliest; after a failed attempt, when the next one is due.
    due_at: Mapped[datetime] = field(_lp("mail", "Due"), UtcInstant())
    #: How often it was tried.
    attempts: Mapped[int] = field(_l("Attempts"), Integer, default=0, server_default="0")
    #: Names the attempt that is running; only it may say what came of it.
    lease_token: Mapped[str | None] = mapped_column(String(32))
    #: Until when the running attempt keeps others away; afterwards it is taken for dead.
    lease_until: Mapped[datetime | None] = mapped_column(UtcInstant())
    #: What the mail server said last, or why it was not even asked.
    last_answer: Mapped[str | None] = field(_l("Last answer"), String(500), personal=True)
    #: The text as it was sent, links with a token left out: the templates may have other words by now.
    sent_text: Mapped[str | None] = mapped_column(Text)
    #: When the server took it.
    sent_at: Mapped[datetime | None] = field(_lp("mail", "Sent at"), UtcInstant())
    #: The table of the record it is about.
    cause_entity: Mapped[str] = field(_l("Kind of record"), EntityName())
    #: The key of that record.
    cause_id: Mapped[int] = field(_l("Record number"), Integer, adds_up=False)

    def __str__(self) -> str:
        return self.subject
