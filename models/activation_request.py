"""Requests of clients, or initiatives of the group, to activate online services and accounts."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy import CheckConstraint, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.account import Account
from models.base import Admin, Category, Deletion, Flow, GroupOwned, Record, Rule, Scope, Section, Worklist
from models.business_unit import BusinessUnit
from models.codes import VatNumber
from models.columns import Choice, choice, field, reference
from models.company import Company
from models.outbox_mail import MailLanguage
from models.portal import Portal
from models.staff import Staff
from models.values import Email, Phone, UtcInstant

if TYPE_CHECKING:
    from models.activation_request_item import ActivationRequestItem


class RequestState(Choice):
    received = "received", _lp("request", "Received"), "info", "inbox"
    in_evaluation = "in_evaluation", _lp("request", "Being evaluated"), "active", "search"
    bu_evaluation = "bu_evaluation", _lp("request", "With the business unit"), "active", "diagram-2"
    info_requested = "info_requested", _lp("request", "Waiting for information"), "wait", "question-circle"
    decided = "decided", _lp("request", "Decided"), "info", "check2"
    awaiting_acceptance = "awaiting_acceptance", _lp("request", "Waiting for acceptance"), "wait", "hourglass-split"
    fulfilled = "fulfilled", _lp("request", "Fulfilled"), "active", "check2-all"
    answered = "answered", _lp("request", "Answered"), "good", "reply"
    closed = "closed", _lp("request", "Closed"), "good", "check-circle"
    withdrawn = "withdrawn", _lp("request", "Withdrawn"), "neutral", "box-arrow-left"


class RequestKind(Choice):
    service = "service", _l("Online services")
    additional_account = "additional_account", _l("Another account")
    scope_change = "scope_change", _l("Wider or narrower access")
    account_deletion = "account_deletion", _l("Deletion of an account")


class RequestOrigin(Choice):
    group_initiative = "group_initiative", _l("The group’s initiative")
    client_request = "client_request", _l("The client’s request")


class RequestChannel(Choice):
    commercial = "commercial", _l("Through sales"), "neutral", "person-badge"
    login_page = "login_page", _l("Sign-in page"), "neutral", "globe"
    portal = "portal", _l("Client area"), "neutral", "window"


S = RequestState
#: States in which somebody has yet to decide.
_UNDECIDED = (S.received, S.in_evaluation, S.bu_evaluation, S.info_requested)
#: States in which the requester still has no answer.
_UNANSWERED = (*_UNDECIDED, S.decided, S.awaiting_acceptance, S.fulfilled, S.withdrawn)
_TO_ANSWER = "state:in:" + ",".join(_UNANSWERED)


class ActivationRequest(GroupOwned, Record):
    """One request, from its arrival to the answer that closes it (AR-01 to AR-23)."""

    __tablename__ = "activation_request"
    __table_args__ = (
        UniqueConstraint("group_id", "number"),
        CheckConstraint(
            "kind NOT IN ('scope_change', 'account_deletion') OR account_id IS NOT NULL", name="account_named"
        ),
        CheckConstraint(
            "kind <> 'additional_account' OR (account_name IS NOT NULL AND account_email IS NOT NULL)",
            name="new_account_described",
        ),
        CheckConstraint("company_id IS NOT NULL OR company_name IS NOT NULL", name="company_said"),
        CheckConstraint("state <> 'info_requested' OR question IS NOT NULL", name="asked_what"),
    )
    __admin__ = Admin(
        label=_l("Activation request"),
        plural=_l("Activation requests"),
        category=Category.clients,
        icon="person-plus",
        area="activation",
        scope=Scope(
            group="group_id",
            company="company_id",
            unit="business_unit_id",
            owner="assignee_id",
            restricted="restricted",
        ),
        title=("number",),
        subtitle=("kind", "company", "company_name"),
        tabs=("activation_check.request",),
        worklists=(
            Worklist(_l("Activation requests to take up"), ("state:in:received",)),
            Worklist(_l("My activation requests"), ("assignee:in:{me}", _TO_ANSWER)),
            Worklist(_l("Activation requests answered too late"), ("answer_by:past:", _TO_ANSWER), "bad"),
        ),
        flows=(Flow(_lp("requests", "Received"), "created_at"), Flow(_lp("requests", "Answered"), "answered_at")),
        rank=4,
        list_columns=("number", "company_name", "kind", "state", "assignee", "answer_by"),
        search_columns=("number", "company_name", "requester_name", "email", "vat_number"),
        filters=(
            "state",
            "kind",
            "company",
            "origin",
            "channel",
            "assignee",
            "business_unit",
            "number",
            "answer_by",
            "created_at",
        ),
        order="-created_at",
        fast=(
            ("state", "created_at"),
            ("company", "created_at"),
            ("assignee", "created_at"),
            ("number",),
            ("state", "answer_by"),
            ("answered_at",),
        ),
        inline=("items",),
        facts=("company", "requester_name", "email", "phone", "origin", "channel", "assignee", "answer_by"),
        natural_keys=(("number",),),
        deletion=Deletion((S.received,)),
        changeable_in={
            "kind": (S.received,),
            "company": _UNDECIDED,
            "account": _UNDECIDED,
            "account_name": _UNDECIDED,
            "account_email": _UNDECIDED,
        },
        sections=(
            Section(_l("Request"), ("kind", "origin", "channel", "consent_at", "note")),
            Section(
                _l("Who asks"),
                ("company", "company_name", "vat_number", "requester_name", "email", "phone", "language"),
                _l("The company is chosen once it is known for certain which client it is."),
            ),
            Section(
                _l("Which account"),
                ("account", "account_name", "account_email"),
                _l("An existing one to change or delete, or who the new one is for."),
            ),
            Section(_l("Who evaluates"), ("assignee", "business_unit", "answer_by")),
        ),
        client_columns=("number", "kind", "account", "account_name", "state", "created_at", "answered_at", "note"),
        rules={
            "uq_activation_request_group_id_number": Rule(_l("There is already a request with this number."), "number"),
            "ck_activation_request_account_named": Rule(_l("Choose the account it is about."), "account"),
            "ck_activation_request_new_account_described": Rule(
                _l("Say who the account is for: name and e-mail."), "account_name"
            ),
            "ck_activation_request_company_said": Rule(_l("Choose the company, or write its name."), "company_name"),
            "ck_activation_request_asked_what": Rule(_l("Say what is to be answered."), "question"),
        },
    )

    #: Drawn as it is written down; unique in the group.
    number: Mapped[str] = field(_l("Number"), String(30), verb_only=True)
    #: What is asked for.
    kind: Mapped[RequestKind] = choice(
        RequestKind, _l("What is asked for"), default=RequestKind.service, help=_l("Decides what fulfilling it makes.")
    )
    #: Whose idea it was (AR-01).
    origin: Mapped[RequestOrigin] = choice(
        RequestOrigin, _l("Origin"), default=RequestOrigin.group_initiative, help=_l("Whose idea it was.")
    )
    #: How it came in (AR-05).
    channel: Mapped[RequestChannel] = choice(
        RequestChannel, _l("Channel"), name="request_channel", badge=False, default=RequestChannel.commercial,
        help=_l("How it came in."),
    )  # fmt: skip
    #: The client, once it is known for certain which one (AR-22).
    company_id: Mapped[int | None] = reference(
        "company", _l("Company"), help=_l("The client, once it is certain; the VAT number proposes one.")
    )
    company: Mapped[Company | None] = relationship()
    #: The client area it came in by; empty where staff wrote it down.
    portal_id: Mapped[int | None] = reference(
        "portal", _l("Portal"), help=_l("The client area it came in by."), verb_only=True
    )
    portal: Mapped[Portal | None] = relationship()
    #: The company as the requester wrote it.
    company_name: Mapped[str | None] = field(
        _l("Company as written"), String(250), help=_l("As the requester wrote it; that of the company where empty.")
    )
    #: Its partita IVA as the requester wrote it.
    vat_number: Mapped[str | None] = field(
        _l("VAT number"), VatNumber(20), help=_l("As the requester wrote it: it proposes the company.")
    )
    #: Who asks.
    requester_name: Mapped[str] = field(_l("Requester"), String(160), personal=True)
    #: Where answers go.
    email: Mapped[str] = field(_l("E-mail"), Email(), personal=True, help=_l("Where the answer goes."))
    #: The language the requester is written to in.
    language: Mapped[MailLanguage] = choice(
        MailLanguage, _l("Language"), name="request_language", default=MailLanguage.it,
        server_default="it", help=_l("In which the requester is answered."),
    )  # fmt: skip
    #: When somebody made sure that the requester speaks for the company, whose contact they are not.
    verified_at: Mapped[datetime | None] = field(_l("Requester verified"), UtcInstant(), verb_only=True)
    #: Of which company that was; for another one it does not count.
    verified_company_id: Mapped[int | None] = mapped_column(Integer)
    #: How they made sure.
    verified_how: Mapped[str | None] = field(
        _l("How you made sure"),
        String(250),
        verb_only=True,
        help=_l("Such as a call to the number of the company that we knew before."),
    )
    #: Where to ask back.
    phone: Mapped[str | None] = field(_l("Phone"), Phone(), personal=True)
    #: What the requester added.
    note: Mapped[str | None] = field(_l("Note"), Text, help=_l("In the requester’s words."))
    #: When the requester consented to the processing of these data.
    consent_at: Mapped[datetime | None] = field(
        _l("Consent given"), UtcInstant(), help=_l("When the requester agreed to the processing of these data.")
    )
    #: The account to change or delete.
    account_id: Mapped[int | None] = reference(
        "account", _l("Account"), help=_l("The one to change or delete; for services, the one that will use them.")
    )
    account: Mapped[Account | None] = relationship()
    #: Whom a new account is for.
    account_name: Mapped[str | None] = field(
        _l("New account for"), String(160), personal=True, help=_l("First and last name; the requester where empty.")
    )
    #: The address of that person.
    account_email: Mapped[str | None] = field(
        _l("E-mail of the new account"), Email(), personal=True, help=_l("The requester’s where empty.")
    )
    #: Where it stands; changed by verbs only.
    state: Mapped[RequestState] = choice(RequestState, _l("State"), default=RequestState.received, verb_only=True)
    #: Where it stood before information was asked for.
    state_before: Mapped[RequestState | None] = choice(
        RequestState, _l("Earlier state"), name="request_state_before", verb_only=True
    )
    #: Who evaluates it.
    assignee_id: Mapped[int | None] = reference(
        "ab_user", _l("Evaluator"), help=_l("Who takes it up; the account manager of the client where empty.")
    )
    assignee: Mapped[Staff | None] = relationship(foreign_keys=[assignee_id])
    #: The unit that decides on some of it (AR-16).
    business_unit_id: Mapped[int | None] = reference(
        "business_unit", _l("Evaluating unit"), help=_l("Set where the unit decides on one of the services.")
    )
    business_unit: Mapped[BusinessUnit | None] = relationship()
    #: By when it is to be answered (AR-23).
    answer_by: Mapped[date | None] = field(
        _l("Answer by"),
        due_while=_UNANSWERED,
        help=_l("From the working days that the requested services name, where empty."),
    )
    #: What was asked back.
    question: Mapped[str | None] = field(_l("Question"), Text, verb_only=True)
    #: What came back.
    answer: Mapped[str | None] = field(_lp("request", "Answer to the question"), Text, verb_only=True)
    #: Why it was refused as a whole, or withdrawn.
    refusal: Mapped[str | None] = field(_l("Why refused or withdrawn"), Text, verb_only=True)
    #: When all was decided.
    evaluated_at: Mapped[datetime | None] = field(_lp("request", "Decided at"), UtcInstant(), verb_only=True)
    #: What the client was proposed, word for word: amounts, period, conditions.
    proposal: Mapped[str | None] = field(_l("Proposal"), Text, verb_only=True, help=_l("The text that is accepted."))
    #: When it was sent.
    proposed_at: Mapped[datetime | None] = field(_l("Proposed"), UtcInstant(), verb_only=True)
    #: Who accepted or declined it for the client.
    accepted_by: Mapped[str | None] = field(
        _l("Who answered the proposal"),
        String(160),
        personal=True,
        verb_only=True,
        help=_l("First and last name of who accepts or declines for the client."),
    )
    #: How the group knows; empty where the client did it with the link.
    acceptance_evidence: Mapped[str | None] = field(
        _l("Evidence"),
        Text,
        verb_only=True,
        help=_l(
            "Where the client says so: the message, its date, its protocol number. A file may be attached instead."
        ),
    )
    #: When the client accepted the contribution.
    accepted_at: Mapped[datetime | None] = field(_l("Contribution accepted"), UtcInstant(), verb_only=True)
    #: When what was decided was done.
    fulfilled_at: Mapped[datetime | None] = field(_lp("request", "Fulfilled at"), UtcInstant(), verb_only=True)
    #: What the requester is told of the outcome: drafted by the product, sent as people leave it (AR-20).
    answer_text: Mapped[str | None] = field(
        _lp("request", "Answer"),
        Text,
        verb_only=True,
        help=_l("What the requester is told. Greeting and signature are added."),
    )
    #: When the requester was answered.
    answered_at: Mapped[datetime | None] = field(_lp("request", "Answered at"), UtcInstant(), verb_only=True)

    #: Kept for a claim alone, of somebody who is no longer known here otherwise (PR-12).
    restricted: Mapped[bool] = field(
        _l("Restricted"),
        default=False,
        server_default="0",
        verb_only=True,
        help=_l("Kept for a claim alone: only administrators see it."),
    )

    items: Mapped[list[ActivationRequestItem]] = relationship(
        back_populates="request",
        passive_deletes="all",
        cascade="save-update, merge",
        order_by="ActivationRequestItem.position",
        info={"label": _l("Requested services"), "help": _l("Each is decided by itself.")},
    )

    def __str__(self) -> str:
        return self.number
