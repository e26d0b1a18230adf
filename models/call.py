"""Everything that reaches the contact centre or leaves it, on whatever channel."""

from __future__ import annotations

from datetime import datetime

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy import CheckConstraint, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, relationship

from backoffice.clock import now
from models.asset import Asset
from models.base import Admin, Category, Flow, GroupOwned, Record, Rule, Scope, Section, Worklist
from models.business_unit import BusinessUnit
from models.codes import Province
from models.columns import Choice, choice, field, minutes, reference
from models.company import Company
from models.contact import Contact
from models.contract import Contract
from models.request_type import RequestType
from models.staff import Staff
from models.support_queue import SupportQueue
from models.support_team import SupportTeam
from models.ticket import Channel, Ticket, Urgency
from models.ticket_message import Direction
from models.values import Email, Phone, UtcInstant


class CallState(Choice):
    received = "received", _l("Received"), "info", "telephone-inbound"
    classified = "classified", _l("Classified"), "info", "tags"
    routed = "routed", _l("Routed"), "active", "signpost"
    voicemail = "voicemail", _l("Voicemail"), "wait", "voicemail"
    callback_due = "callback_due", _l("To call back"), "wait", "telephone-outbound"
    out_of_scope = "out_of_scope", _l("Outside our competence"), "wait", "slash-circle"
    referred = "referred", _l("Referred"), "neutral", "box-arrow-up-right"
    handled = "handled", _l("Handled"), "good", "check-circle"
    closed = "closed", _lp("call", "Closed"), "neutral", "check-circle-fill"


class CallOutcome(Choice):
    answered = "answered", _l("Answered")
    voicemail = "voicemail", _l("Voicemail")
    abandoned = "abandoned", _l("Abandoned")
    callback = "callback", _l("Call back agreed")
    unreachable = "unreachable", _l("Nobody reached")


class CallerRole(Choice):
    client = "client", _l("Client")
    mobility_manager = "mobility_manager", _l("Mobility manager")
    card_user = "card_user", _l("Card user")
    administration = "administration", _l("Administration")
    citizen = "citizen", _l("Citizen")
    other = "other", _l("Other")


class Call(GroupOwned, Record):
    """One communication with the contact centre, by telephone first of all (CC-06, CC-30)."""

    __tablename__ = "call"
    __table_args__ = (
        Index(
            "uq_call_external_reference",
            "group_id",
            "external_system",
            "external_reference",
            unique=True,
            postgresql_where=text("external_reference IS NOT NULL"),
            sqlite_where=text("external_reference IS NOT NULL"),
        ),
        CheckConstraint("external_reference IS NULL OR external_system IS NOT NULL", name="external_system_named"),
        # Who called from this number before: asked while the telephone rings.
        Index("ix_call_group_id_caller_phone", "group_id", "caller_phone", "started_at"),
        CheckConstraint("duration_seconds >= 0", name="duration_not_negative"),
        CheckConstraint("callback_attempts >= 0", name="attempts_not_negative"),
        CheckConstraint("wait_seconds >= 0", name="wait_not_negative"),
        CheckConstraint("handled_minutes >= 0", name="handled_not_negative"),
        CheckConstraint("state <> 'callback_due' OR callback_due_at IS NOT NULL", name="callback_when"),
        CheckConstraint("state <> 'referred' OR referred_to IS NOT NULL", name="referred_whither"),
        CheckConstraint(
            "state IN ('received', 'voicemail', 'callback_due') OR request_type_id IS NOT NULL", name="classified_as"
        ),
    )
    __admin__ = Admin(
        label=_l("Call"),
        plural=_l("Calls"),
        category=Category.support,
        icon="telephone",
        area="calls",
        scope=Scope(group="group_id", company="company_id", unit="business_unit_id", owner="operator_id"),
        title=("channel", "caller_name", "caller_phone", "caller_email"),
        subtitle=("company", "request_type", "started_at"),
        worklists=(Worklist(_l("Calls to return"), ("state:in:voicemail,callback_due",)),),
        flows=(Flow(_lp("calls", "Taken"), "started_at"),),
        rank=2,
        list_columns=(
            "started_at",
            "direction",
            "channel",
            "caller_name",
            "company",
            "request_type",
            "state",
            "operator",
        ),
        search_columns=("caller_name", "caller_phone", "caller_email", "external_reference"),
        filters=(
            "state",
            "channel",
            "direction",
            "company",
            "contract",
            "request_type",
            "urgency",
            "operator",
            "team",
            "queue",
            "ticket",
            "asset",
            "outcome",
            "caller_phone",
            "province",
            "callback_due_at",
            "external_system",
            "started_at",
            "created_at",
        ),
        order="-started_at",
        fast=(
            ("state", "started_at"),
            ("company", "started_at"),
            ("operator", "started_at"),
            ("channel", "started_at"),
            ("ticket", "started_at"),
            ("state", "callback_due_at"),
            ("created_at",),
        ),
        facts=(
            "company",
            "contact",
            "contract",
            "ticket",
            "operator",
            "team",
            "callback_due_at",
            "callback_attempts",
            "duration_seconds",
        ),
        tabs=("attachment.call", "complaint.call"),
        natural_keys=(("external_system", "external_reference"),),
        sections=(
            Section(_l("Call"), ("channel", "direction", "started_at", "description", "request_type", "urgency")),
            Section(
                _l("Who calls"),
                ("company", "contact", "caller_name", "caller_phone", "caller_email", "caller_role", "province"),
            ),
            Section(
                _l("What became of it"),
                (
                    "contract",
                    "asset",
                    "queue",
                    "ticket",
                    "team",
                    "operator",
                    "outcome",
                    "referred_to",
                    "callback_due_at",
                ),
            ),
            Section(
                _l("Figures"),
                (
                    "number_dialled",
                    "duration_seconds",
                    "wait_seconds",
                    "handled_minutes",
                    "external_system",
                    "external_reference",
                    "synced_at",
                ),
            ),
        ),
        rules={
            "uq_call_external_reference": Rule(
                _l("This reference of the other system is already here."), "external_reference"
            ),
            "ck_call_external_system_named": Rule(_l("Say which system the reference belongs to."), "external_system"),
            "ck_call_duration_not_negative": Rule(_l("The duration cannot be negative."), "duration_seconds"),
            "ck_call_wait_not_negative": Rule(_l("The wait cannot be negative."), "wait_seconds"),
            "ck_call_handled_not_negative": Rule(_l("The time cannot be negative."), "handled_minutes"),
            "ck_call_attempts_not_negative": Rule(_l("This cannot be negative."), "callback_attempts"),
            "ck_call_callback_when": Rule(_l("Say until when to call back."), "callback_due_at"),
            "ck_call_referred_whither": Rule(_l("Say whom the caller was referred to."), "referred_to"),
            "ck_call_classified_as": Rule(_l("Choose the type of request."), "request_type"),
        },
    )

    #: By what means; calls out of hours arrive as voicemail.
    channel: Mapped[Channel] = choice(
        Channel,
        _l("Channel"),
        name="call_channel",
        badge=False,
        default=Channel.phone,
        help=_l("A voicemail is set apart to be called back."),
    )
    #: From outside, or to somebody outside.
    direction: Mapped[Direction] = choice(
        Direction,
        _l("Direction"),
        name="call_direction",
        badge=False,
        default=Direction.incoming,
        help=_l("Incoming: somebody turned to us; outgoing: we turned to somebody."),
    )
    #: When it began or arrived.
    started_at: Mapped[datetime] = field(
        _l("Started"), UtcInstant(), default=now, help=_l("When it began or arrived; now where empty.")
    )
    #: What was said, asked or written.
    description: Mapped[str] = field(
        _l("Description"), Text, personal=True, help=_l("What was said, asked or written.")
    )
    #: What kind of request it is.
    request_type_id: Mapped[int | None] = reference(
        "request_type",
        _l("Type"),
        help=_l("Such as a fault, a clarification or a complaint; some types also need an urgency."),
    )
    request_type: Mapped[RequestType | None] = relationship()
    #: How urgent, as the operator decides (CC-09).
    urgency: Mapped[Urgency | None] = choice(
        Urgency, _l("Urgency"), badge=False, help=_l("As the operator decides; requests for intervention need it.")
    )
    #: When the operator had told the caller what the emergency text says; empty where there was none (CC-19).
    emergency_read_at: Mapped[datetime | None] = field(
        _l("Emergency text read out"),
        UtcInstant(),
        verb_only=True,
        help=_l("When the operator ticked, on the call screen, that the caller was told."),
    )
    #: Where it stands; changed by verbs only.
    state: Mapped[CallState] = choice(CallState, _l("State"), default=CallState.received, verb_only=True)
    #: The client; empty for strangers and citizens.
    company_id: Mapped[int | None] = reference(
        "company", _l("Company"), help=_l("Empty for citizens and unknown callers.")
    )
    company: Mapped[Company | None] = relationship()
    #: The contact who calls, where known.
    contact_id: Mapped[int | None] = reference(
        "contact", _l("Contact"), help=_l("Only where the caller is a known contact of the client.")
    )
    contact: Mapped[Contact | None] = relationship()
    #: The name given.
    caller_name: Mapped[str | None] = field(
        _l("Caller"), String(160), personal=True, help=_l("The name given, where the caller is no known contact.")
    )
    #: The number called from, or to call back.
    caller_phone: Mapped[str | None] = field(
        _l("Phone of the caller"), Phone(), personal=True, help=_l("Called from, or to call back.")
    )
    #: The address written from.
    caller_email: Mapped[str | None] = field(_l("E-mail of the caller"), Email(), personal=True)
    #: What the caller is.
    caller_role: Mapped[CallerRole | None] = choice(
        CallerRole, _l("Kind of caller"), help=_l("In what capacity the person turns to us.")
    )
    #: Where the caller is (CC-24).
    province: Mapped[str | None] = field(_l("Province"), Province(2), help=_l("Where the caller is."))
    #: The contract it falls under.
    contract_id: Mapped[int | None] = reference(
        "contract",
        _l("Contract"),
        help=_l("The one under which we answer; its company is entered where none is given."),
    )
    contract: Mapped[Contract | None] = relationship()
    #: The unit it concerns: its evaluator sees it.
    business_unit_id: Mapped[int | None] = reference(
        "business_unit", _l("Business unit"), help=_l("That of the contract or the company.")
    )
    business_unit: Mapped[BusinessUnit | None] = relationship()
    #: What of the contract's it concerns, by the code on its label (CC-16).
    asset_id: Mapped[int | None] = reference(
        "asset", _l("Asset"), help=_l("What it concerns, by the code on its label.")
    )
    asset: Mapped[Asset | None] = relationship()
    #: Where it came in: its hours say when to call back, and a ticket made of the call goes there.
    queue_id: Mapped[int | None] = reference(
        "support_queue",
        _l("Queue"),
        help=_l("Its hours say when to call back. That of the number dialled or of the ticket where empty."),
    )
    queue: Mapped[SupportQueue | None] = relationship()
    #: The ticket it opened or asks about.
    ticket_id: Mapped[int | None] = reference(
        "ticket", _l("Ticket"), help=_l("The request that the call opened or asks about.")
    )
    ticket: Mapped[Ticket | None] = relationship()
    #: The team it was routed to (CC-08).
    team_id: Mapped[int | None] = reference("support_team", _l("Team"), help=_l("The team it was routed to."))
    team: Mapped[SupportTeam | None] = relationship()
    #: Who took it.
    operator_id: Mapped[int | None] = reference(
        "ab_user", _l("Operator"), help=_l("Who took it; whoever writes it where empty.")
    )
    operator: Mapped[Staff | None] = relationship(foreign_keys=[operator_id])
    #: How the attempt ended.
    outcome: Mapped[CallOutcome | None] = choice(
        CallOutcome, _l("Outcome"), help=_l("Whether anybody was reached, and how the attempt ended.")
    )
    #: Whom the caller was told to turn to (CC-27).
    referred_to: Mapped[str | None] = field(
        _l("Referred to"), String(200), help=_l("Whom the caller was told to turn to.")
    )
    #: Until when somebody must call back (CC-15).
    callback_due_at: Mapped[datetime | None] = field(
        _l("Call back by"),
        UtcInstant(),
        due_while=(CallState.voicemail, CallState.callback_due),
        help=_l("As a rule the next opening; somebody must have called by then."),
    )
    #: How often somebody called back without reaching anybody.
    callback_attempts: Mapped[int] = field(
        _l("Tried to call back"), Integer, default=0, server_default="0", verb_only=True, unit=_l("times")
    )
    #: The number of ours that was dialled, or theirs that we dialled.
    number_dialled: Mapped[str | None] = field(
        _l("Number dialled"), Phone(), personal=True, help=_l("Ours where the call came in, theirs where we called.")
    )
    #: How long it lasted; empty where it was not spoken.
    duration_seconds: Mapped[int | None] = field(
        _l("Duration"), Integer, unit=_l("seconds"), help=_l("Of the conversation; empty where nobody spoke.")
    )
    #: How long the caller waited for an answer.
    wait_seconds: Mapped[int | None] = field(
        _l("Wait"), Integer, unit=_l("seconds"), help=_l("Until somebody answered.")
    )
    #: Time spent on it altogether, for services paid as measured (CC-23).
    handled_minutes: Mapped[int | None] = minutes(
        _l("Time spent"), help=_l("Altogether, for services paid as measured.")
    )
    #: The other system it is tracked in, such as the administration's portal (CC-10).
    external_system: Mapped[str | None] = field(
        _l("Other system"), String(60), help=_l("Such as SIM, or the portal of the administration.")
    )
    #: Its number there; never taken in twice (CC-11).
    external_reference: Mapped[str | None] = field(
        _l("Number there"), String(80), help=_l("Its number in the other system.")
    )
    #: When it was entered in the other system.
    synced_at: Mapped[datetime | None] = field(
        _l("Entered there"), UtcInstant(), help=_l("When it was entered in the other system.")
    )

    def __str__(self) -> str:
        return f"{self.channel.label} · {self.caller_name or self.caller_phone or self.caller_email or self.id}"
