"""How the referent named in an order comes to use the platform."""

from __future__ import annotations

from datetime import datetime

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy import CheckConstraint, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from models.base import Admin, Category, CompanyOwned, Deletion, Record, Rule, Scope, Section, Worklist
from models.columns import Choice, choice, field, reference
from models.company import Company
from models.contact import Contact
from models.customer_order import CustomerOrder
from models.staff import Staff
from models.values import Email, UtcInstant


class OnboardingState(Choice):
    order_entered = "order_entered", _lp("onboarding", "Order entered"), "info", "cart"
    data_incomplete = "data_incomplete", _lp("onboarding", "Data missing"), "bad", "exclamation-circle"
    data_requested = "data_requested", _lp("onboarding", "Data asked for"), "wait", "question-circle"
    data_complete = "data_complete", _lp("onboarding", "Data complete"), "info", "check2"
    referent_contacted = "referent_contacted", _lp("onboarding", "Referent contacted"), "active", "telephone-outbound"
    registration_mail_sent = "registration_mail_sent", _lp("onboarding", "Registration mail sent"), "wait", "envelope"
    mail_check_failed = "mail_check_failed", _lp("onboarding", "Mail does not arrive"), "bad", "envelope-x"
    confirmed = "confirmed", _lp("onboarding", "Registration confirmed"), "active", "envelope-check"
    address_received = "address_received", _lp("onboarding", "Address received"), "active", "at"
    licenses_generated = "licenses_generated", _lp("onboarding", "Licenses generated"), "active", "key"
    licenses_sent = "licenses_sent", _lp("onboarding", "Licenses sent"), "active", "send"
    completed = "completed", _lp("onboarding", "Completed"), "good", "check-circle"
    cancelled = "cancelled", _lp("onboarding", "Cancelled"), "neutral", "x-circle"


class ContactChannel(Choice):
    phone = "phone", _l("By telephone")
    email = "email", _lp("onboarding", "By e-mail")


class AddressMatch(Choice):
    """How the address that registered compares with the referent's of the order (OB-10)."""

    match = "match", _lp("address", "The same"), "good", "check-circle"
    mismatch = "mismatch", _lp("address", "Another one"), "bad", "exclamation-circle"
    accepted = "accepted", _lp("address", "Another one, accepted"), "good", "check2"


S = OnboardingState
#: States from which people still have something to do.
UNDER_WAY = tuple(state for state in S if state not in (S.completed, S.cancelled))


#: States in which no license may be generated yet (OB-11).
BEFORE_REGISTRATION = UNDER_WAY[: UNDER_WAY.index(S.confirmed)]


class Onboarding(CompanyOwned, Record):
    """The steps of one order from its entry to the sending of its licenses (OB-01 to OB-14)."""

    __tablename__ = "onboarding"
    __table_args__ = (
        UniqueConstraint("order_id"),
        CheckConstraint("state <> 'cancelled' OR cancelled_because IS NOT NULL", name="cancelled_why"),
        CheckConstraint("(received_address IS NULL) = (address_match IS NULL)", name="address_compared"),
    )
    __admin__ = Admin(
        label=_l("Onboarding"),
        plural=_lp("plural", "Onboarding"),
        category=Category.sales,
        icon="signpost-split",
        area="onboarding",
        scope=Scope(group="order.group_id", company="order.company_id"),
        title=("order",),
        subtitle=("company", "order.referent"),
        worklists=(
            Worklist(_l("Orders with missing data"), ("state:in:order_entered,data_incomplete,data_requested",)),
            Worklist(
                _l("Referents to contact or to send licenses to"),
                ("state:in:data_complete,mail_check_failed,address_received,licenses_generated",),
            ),
        ),
        rank=3,
        list_columns=("order", "company", "state", "missing", "contacted_at", "confirmed_at", "created_at"),
        search_columns=("order", "company"),
        filters=("state", "company", "order", "address_match", "contacted_at", "confirmed_at", "created_at"),
        order="-created_at",
        fast=(("state", "created_at"), ("company", "created_at")),
        facts=("company", "order", "missing", "contacted_at", "confirmed_at", "received_address", "address_match"),
        natural_keys=(("order_id",),),
        deletion=Deletion((S.order_entered,)),
        changeable_in={"order": (S.order_entered,)},
        sections=(Section(_l("Onboarding"), ("order", "notes")),),
        rules={
            "uq_onboarding_order_id": Rule(_l("The onboarding of this order has begun already."), "order"),
            "ck_onboarding_cancelled_why": Rule(_l("Say why it is given up."), "cancelled_because"),
            "ck_onboarding_address_compared": Rule(
                _l("An address that has arrived is compared with that of the order."), "received_address"
            ),
        },
    )

    company: Mapped[Company] = relationship()
    #: The order whose referent it is about.
    order_id: Mapped[int] = reference(
        "customer_order", _l("Order"), index=False, help=_l("Names the referent and what licenses there will be.")
    )
    order: Mapped[CustomerOrder] = relationship()
    #: Where it stands; changed by verbs only.
    state: Mapped[OnboardingState] = choice(OnboardingState, _l("State"), default=S.order_entered, verb_only=True)
    #: What the order lacks, in words; empty where it is complete (OB-04).
    missing: Mapped[str | None] = field(_lp("order", "Missing"), String(250), verb_only=True)
    #: When the missing data were asked of the account manager (OB-05).
    asked_at: Mapped[datetime | None] = field(_lp("order", "Asked for"), UtcInstant(), verb_only=True)
    #: Who asked.
    asked_by_id: Mapped[int | None] = reference(
        "ab_user", _lp("order", "Asked by"), related=_l("Data asked for"), verb_only=True
    )
    asked_by: Mapped[Staff | None] = relationship(foreign_keys=[asked_by_id])
    #: When they were given.
    data_given_at: Mapped[datetime | None] = field(_lp("order", "Data given"), UtcInstant(), verb_only=True)
    #: When the referent was contacted (OB-06).
    contacted_at: Mapped[datetime | None] = field(_l("Referent contacted"), UtcInstant(), verb_only=True)
    #: Who did.
    contacted_by_id: Mapped[int | None] = reference(
        "ab_user", _l("Contacted by"), related=_l("Referents contacted"), verb_only=True
    )
    contacted_by: Mapped[Staff | None] = relationship(foreign_keys=[contacted_by_id])
    #: By what means.
    channel: Mapped[ContactChannel | None] = choice(
        ContactChannel, _l("Contacted"), name="contact_channel", verb_only=True, help=""
    )
    #: When the platform's registration mail left.
    registration_sent_at: Mapped[datetime | None] = field(_l("Registration mail sent"), UtcInstant(), verb_only=True)
    #: When the referent confirmed it: proof that the platform's mails arrive (OB-07, OB-08).
    confirmed_at: Mapped[datetime | None] = field(_lp("onboarding", "Confirmed"), UtcInstant(), verb_only=True)
    #: When the address with which the referent registered came in (OB-09).
    address_received_at: Mapped[datetime | None] = field(_l("Address received"), UtcInstant(), verb_only=True)
    #: That address.
    received_address: Mapped[str | None] = field(
        _l("Registered address"),
        Email(),
        personal=True,
        verb_only=True,
        help=_l("With which the referent registered; it is compared with that of the order."),
    )
    #: Whether it is the one of the order.
    address_match: Mapped[AddressMatch | None] = choice(AddressMatch, _l("Compared with the order"), verb_only=True)
    #: Why it was given up.
    cancelled_because: Mapped[str | None] = field(_l("Why cancelled"), String(250), verb_only=True)
    #: What colleagues should know.
    notes: Mapped[str | None] = field(_l("Internal notes"), Text, help=_l("Clients never see them."))

    @property
    def referent(self) -> Contact | None:
        """The person it is about."""
        return self.order.referent

    def __str__(self) -> str:
        return str(self.order)
