"""Requests that an account be deleted, and what became of them (chapter 4.9)."""

from __future__ import annotations

from datetime import date, datetime

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy import CheckConstraint, Index, Integer, Text, text
from sqlalchemy.orm import Mapped, relationship

from models.account import Account
from models.base import Admin, Category, Deletion, GroupOwned, Record, Rule, Scope, Section, Worklist
from models.columns import Choice, choice, field, reference
from models.company import Company
from models.outbox_mail import MailLanguage
from models.staff import Staff
from models.values import UtcInstant


class DeletionState(Choice):
    requested = "requested", _lp("deletion", "To be verified"), "wait", "person-check"
    blocked = "blocked", _lp("deletion", "Blocked"), "wait", "pause-circle"
    scheduled = "scheduled", _lp("deletion", "Scheduled"), "info", "calendar-event"
    cancelled = "cancelled", _lp("deletion", "Cancelled"), "neutral", "arrow-counterclockwise"
    refused = "refused", _lp("deletion", "Refused"), "bad", "x-circle"
    executed = "executed", _lp("deletion", "Executed"), "good", "check-circle"


S = DeletionState
#: Something is still to be done.
OPEN = (S.requested, S.blocked, S.scheduled)
_SQL_OPEN = "state IN ('requested', 'blocked', 'scheduled')"


class AccountDeletion(GroupOwned, Record):
    """One person's wish that their account be deleted, from the asking to the end (PR-07, PR-12)."""

    __tablename__ = "account_deletion_request"
    __table_args__ = (
        Index(
            "uq_account_deletion_request_open",
            "account_id",
            unique=True,
            postgresql_where=text(_SQL_OPEN),
            sqlite_where=text(_SQL_OPEN),
        ),
        CheckConstraint("state <> 'scheduled' OR execute_on IS NOT NULL", name="scheduled_when"),
        CheckConstraint("state <> 'refused' OR reason IS NOT NULL", name="refused_why"),
        CheckConstraint("(state = 'executed') = (executed_at IS NOT NULL)", name="executed_when"),
    )
    __admin__ = Admin(
        label=_l("Deletion request"),
        plural=_l("Deletion requests"),
        category=Category.clients,
        icon="eraser",
        area="deletions",
        scope=Scope(group="account.group_id", company="account.company_id", account="account_id"),
        title=("account", "state"),
        subtitle=("account", "company"),
        worklists=(
            Worklist(_l("Deletion requests to verify"), ("state:in:requested",)),
            Worklist(_l("Deletion requests that are blocked"), ("state:in:blocked",), tone="wait"),
        ),
        rank=8,
        list_columns=("account", "company", "state", "created_at", "due_on", "execute_on", "executed_at"),
        filters=("state", "account", "company", "due_on", "created_at"),
        order="due_on",
        fast=(("state", "due_on"), ("account", "due_on")),
        facts=("account", "company", "due_on", "execute_on", "executed_at"),
        sections=(
            Section(_l("Deletion request"), ("account", "language", "due_on", "execute_on")),
            Section(_l("Who wants it"), ("verified_at", "verified_by")),
            Section(_l("What stands in the way"), ("open_tickets", "is_on_hold", "reason")),
            Section(_l("What was kept"), ("executed_at", "kept_tickets", "kept_claims")),
        ),
        client_columns=("state", "created_at", "due_on", "execute_on", "open_tickets", "is_on_hold", "reason"),
        client_section=False,
        deletion=Deletion(),
        written_by_verbs=True,
        rules={
            "uq_account_deletion_request_open": Rule(_l("This account’s deletion is asked for already."), "account"),
            "ck_account_deletion_request_scheduled_when": Rule(_l("Say for which day it is planned."), "execute_on"),
            "ck_account_deletion_request_refused_why": Rule(_l("Say why it is refused."), "reason"),
            "ck_account_deletion_request_executed_when": Rule(_l("What is executed has its moment."), "executed_at"),
        },
    )

    #: The account to be deleted.
    account_id: Mapped[int] = reference("account", _l("Account"), help="")
    account: Mapped[Account] = relationship()
    #: The client of the account; copied from it.
    company_id: Mapped[int | None] = reference("company", _l("Company"))
    company: Mapped[Company | None] = relationship()
    #: Where it stands; changed by verbs only.
    state: Mapped[DeletionState] = choice(DeletionState, _l("State"), default=S.requested, verb_only=True)
    #: The language of its mails.
    language: Mapped[MailLanguage] = choice(
        MailLanguage, _l("Language"), name="account_deletion_language", default=MailLanguage.it, badge=False, help=""
    )
    #: By when the law wants an answer: a month from the asking.
    due_on: Mapped[date] = field(
        _lp("deletion", "Due"),
        due_while=OPEN,
        days_left=30,
        help=_l("A month from the asking: by then the person has an answer."),
    )
    #: When it was made sure that the person themselves wants it.
    verified_at: Mapped[datetime | None] = field(
        _lp("deletion", "Verified"), UtcInstant(), help=_l("When it was made sure that the person wants it.")
    )
    #: Who of the staff made sure; empty where the person gave their password.
    verified_by_id: Mapped[int | None] = reference(
        "ab_user", _lp("deletion", "Verified by"), help=_l("Empty: the person gave their password.")
    )
    verified_by: Mapped[Staff | None] = relationship(foreign_keys=[verified_by_id])
    #: The day on which it is done, unless the person thinks better of it.
    execute_on: Mapped[date | None] = field(
        _lp("deletion", "Planned for"), help=_l("Until then the person may still think better of it.")
    )
    #: How many of the person's tickets were not closed when that was last looked at.
    open_tickets: Mapped[int] = field(
        _l("Open tickets"), Integer, default=0, server_default="0", help=_l("When that was last looked at.")
    )
    #: Whether the account was under a legal hold then.
    is_on_hold: Mapped[bool] = field(
        _l("Legal hold"), default=False, server_default="0", help=_l("As the account says; when last looked at.")
    )
    #: Why it is refused, or what was found out; the person reads it.
    reason: Mapped[str | None] = field(_lp("deletion", "Reason"), Text, help=_l("The person reads it."))
    #: When the person was made a pseudonym.
    executed_at: Mapped[datetime | None] = field(_lp("deletion", "Executed at"), UtcInstant())
    #: How many tickets stay, under the pseudonym.
    kept_tickets: Mapped[int | None] = field(_l("Tickets kept"), Integer, help=_l("Under the pseudonym."))
    #: How many requests stay as they are, because what was agreed in them is not paid yet.
    kept_claims: Mapped[int | None] = field(
        _l("Requests kept for a claim"), Integer, help=_l("What was agreed in them is not paid yet.")
    )

    def __str__(self) -> str:
        return f"{self.account} · {self.state.label}"
