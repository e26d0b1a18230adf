"""The accounts with which clients sign in to the client area."""

from __future__ import annotations

from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import CheckConstraint, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, relationship

from models.base import Admin, Category, Deletion, GroupOwned, Record, Rule, Scope, Section, Worklist
from models.columns import Choice, choice, field, reference
from models.company import Company
from models.contact import Contact
from models.portal import Portal
from models.staff import Staff
from models.values import Email, UtcInstant


class AccountState(Choice):
    provisioned = "provisioned", _l("Prepared"), "info", "envelope"
    invited = "invited", _l("Invited"), "info", "send"
    registered = "registered", _l("Registered"), "info", "person-plus"
    confirmed = "confirmed", _l("Address confirmed"), "info", "envelope-check"
    pending_validation = "pending_validation", _l("To be validated"), "wait", "hourglass-split"
    active = "active", _l("Active"), "good", "check-circle"
    locked = "locked", _l("Locked"), "bad", "lock"
    suspended = "suspended", _l("Suspended"), "wait", "pause-circle"
    consent_revoked = "consent_revoked", _l("Consent withdrawn"), "wait", "shield-x"
    deletion_requested = "deletion_requested", _l("Deletion requested"), "wait", "trash"
    removed = "removed", _l("Access removed"), "neutral", "person-x"
    rejected = "rejected", _l("Rejected"), "bad", "x-circle"
    deleted = "deleted", _l("Deleted"), "neutral", "eraser"


class CredentialsRecipient(Choice):
    """Who gets the credentials of an account (AC-06, AC-07)."""

    referent = "referent", _l("The company’s main referent")
    holder = "holder", _l("The person of the account")
    contact = "contact", _l("Another contact of the company")


class Account(GroupOwned, Record):
    """A person's access to the client area; never deleted, in the end made anonymous (AC-01)."""

    __tablename__ = "account"
    __table_args__ = (
        UniqueConstraint("group_id", "username"),
        UniqueConstraint("feed_digest"),
        # Few: what the sender asks after each mail.
        Index(
            "ix_account_unreachable_since",
            "unreachable_since",
            postgresql_where=text("unreachable_since IS NOT NULL"),
            sqlite_where=text("unreachable_since IS NOT NULL"),
        ),
        Index(
            "uq_account_email",
            "group_id",
            "email",
            unique=True,
            postgresql_where=text("state <> 'deleted'"),
            sqlite_where=text("state <> 'deleted'"),
        ),
        CheckConstraint(
            "company_id IS NOT NULL OR "
            "state IN ('registered', 'confirmed', 'pending_validation', 'rejected', 'deleted')",
            name="company_known",
        ),
    )
    __admin__ = Admin(
        label=_l("Account"),
        plural=_l("Accounts"),
        category=Category.clients,
        icon="person-circle",
        area="accounts",
        scope=Scope(group="group_id", company="company_id", account="id"),
        title=("full_name",),
        subtitle=("username", "company"),
        tabs=("account_service.account", "account_session.account"),
        worklists=(
            Worklist(_l("Accounts to validate"), ("state:in:pending_validation",)),
            Worklist(_l("Accounts that wait for their credentials"), ("state:in:provisioned",)),
            Worklist(_l("Accounts whose address refuses mail"), ("unreachable_since:filled:",), "wait"),
        ),
        rank=3,
        list_columns=("username", "full_name", "email", "company", "state", "is_referent", "last_login_at"),
        search_columns=("username", "full_name", "email", "declared_company"),
        filters=(
            "state",
            "company",
            "is_referent",
            "username",
            "email",
            "last_login_at",
            "unreachable_since",
            "created_at",
        ),
        order="-created_at",
        fast=(("state", "created_at"), ("company", "created_at"), ("username",), ("email",), ("last_login_at",)),
        facts=(
            "username",
            "email",
            "unreachable_since",
            "company",
            "contact",
            "is_referent",
            "credentials_sent_at",
            "credentials_contact",
            "last_login_at",
            "validated_at",
            "validated_by",
        ),
        natural_keys=(("username",), ("email",)),
        deletion=Deletion(),
        sections=(
            Section(_l("Person"), ("full_name", "email", "company", "contact", "is_referent", "portal")),
            Section(_l("Validation"), ("declared_company", "validation_notes", "legal_hold")),
        ),
        client_columns=("username", "full_name", "email", "state"),
        rules={
            "uq_account_group_id_username": Rule(_l("This user name is taken."), "username"),
            "uq_account_feed_digest": Rule(_l("This calendar address is there already.")),
            "uq_account_email": Rule(_l("Another account has this e-mail address."), "email"),
            "ck_account_company_known": Rule(_l("An account in use belongs to a company: choose it."), "company"),
        },
    )

    #: What the person signs in with; made once and never changed, because tickets hang on it.
    username: Mapped[str] = field(
        _l("User name"),
        String(80),
        personal=True,
        verb_only=True,
        help=_l("Made once from the address; it never changes."),
    )
    #: Where credentials and notices go; signs in as well.
    email: Mapped[str] = field(_l("E-mail"), Email(), personal=True, help=_l("Also good for signing in."))
    #: The address the person wants instead, until they confirm it by the link sent there.
    new_email: Mapped[str | None] = field(
        _l("New e-mail, to be confirmed"),
        Email(),
        personal=True,
        verb_only=True,
        help=_l("Asked for in the client area; it counts once the link sent there is followed."),
    )
    #: Since when mail servers refuse the address for good; empty while they do not.
    unreachable_since: Mapped[datetime | None] = field(
        _l("Address refuses mail since"),
        UtcInstant(),
        verb_only=True,
        help=_l("The mail server said that there is no such address: ask for another one."),
    )
    #: First and last name.
    full_name: Mapped[str] = field(_l("Full name"), String(160), personal=True)
    #: The client; empty until a self-registration is validated.
    company_id: Mapped[int | None] = reference(
        "company", _l("Company"), help=_l("Empty only until a registration is validated.")
    )
    company: Mapped[Company | None] = relationship()
    #: The contact who this is, where known.
    contact_id: Mapped[int | None] = reference(
        "contact", _l("Contact"), help=_l("The contact of the company who this is.")
    )
    contact: Mapped[Contact | None] = relationship(foreign_keys=[contact_id])
    #: May ask accounts for colleagues and sees what concerns the whole company.
    is_referent: Mapped[bool] = field(
        _l("Referent"), default=False, server_default="0", help=_l("May ask for accounts for colleagues.")
    )
    #: The one client area it signs in to; empty for every one of its corporate group.
    portal_id: Mapped[int | None] = reference(
        "portal", _l("Portal"), help=_l("The client area it signs in to; empty for every one of the group.")
    )
    portal: Mapped[Portal | None] = relationship()
    #: Where it stands; changed by verbs only.
    state: Mapped[AccountState] = choice(AccountState, _l("State"), default=AccountState.provisioned, verb_only=True)
    #: The company's name as typed at registration, before anybody matched it.
    declared_company: Mapped[str | None] = field(
        _l("Declared company"), String(250), help=_l("As typed at registration, before it is matched.")
    )
    #: Digest of the password; empty until one is set.
    password_hash: Mapped[str | None] = field(_l("Password"), String(255), secret=True, verb_only=True)
    #: When the password last changed.
    password_changed_at: Mapped[datetime | None] = field(_l("Password changed"), UtcInstant(), verb_only=True)
    #: Whether the next sign-in asks for a new password.
    must_change_password: Mapped[bool] = field(
        _l("Must change password"), default=False, server_default="0", verb_only=True, help=_l("At the next sign-in.")
    )
    #: When the person last signed in.
    last_login_at: Mapped[datetime | None] = field(_l("Last sign-in"), UtcInstant(), verb_only=True)
    #: Who of the staff validated or rejected the registration.
    validated_by_id: Mapped[int | None] = reference(
        "ab_user", _l("Validated by"), related=_l("Validated accounts"), verb_only=True
    )
    validated_by: Mapped[Staff | None] = relationship(foreign_keys=[validated_by_id])
    #: When it was validated or rejected.
    validated_at: Mapped[datetime | None] = field(_l("Validated"), UtcInstant(), verb_only=True)
    #: What the check found, or why it was rejected.
    validation_notes: Mapped[str | None] = field(
        _l("Validation notes"), Text, help=_l("What the check found; why it was rejected, suspended or removed.")
    )
    #: Why the account must be kept for the time being: a dispute, an inquiry; it is not deleted meanwhile.
    legal_hold: Mapped[str | None] = field(
        _l("Legal hold"),
        String(300),
        help=_l("Why it must be kept, for a dispute for example: meanwhile it is not deleted."),
    )
    #: SHA-256 of the secret in the address of its calendar of deadlines; empty while it has none.
    feed_digest: Mapped[str | None] = field(_l("Calendar address"), String(64), secret=True, verb_only=True)
    #: To whom credentials go.
    credentials_to: Mapped[CredentialsRecipient] = choice(
        CredentialsRecipient,
        _l("Credentials go to"),
        default=CredentialsRecipient.referent,
        server_default=CredentialsRecipient.referent.value,
        verb_only=True,
        help=_l("As a rule to the main referent of the company, else to a usual one, else to the person."),
    )
    #: The contact who got the credentials last; empty where the person of the account got them.
    credentials_contact_id: Mapped[int | None] = reference(
        "contact",
        _l("Contact who gets them"),
        related=_l("Credentials received"),
        verb_only=True,
        help=_l("Only where they go to another contact."),
    )
    credentials_contact: Mapped[Contact | None] = relationship(foreign_keys=[credentials_contact_id])
    #: Why the credentials went to somebody else than as a rule.
    credentials_reason: Mapped[str | None] = field(
        _l("Why to somebody else"),
        String(300),
        verb_only=True,
        help=_l("Only where they do not go to the main or usual referent."),
    )
    #: When the credentials were sent last.
    credentials_sent_at: Mapped[datetime | None] = field(_l("Credentials sent"), UtcInstant(), verb_only=True)
    #: Where it stood before a deletion was asked, to return there if that is cancelled.
    state_before: Mapped[AccountState | None] = choice(
        AccountState, _l("Earlier state"), name="account_state_before", verb_only=True
    )

    def __str__(self) -> str:
        return self.full_name
