"""Keys with which programs use the API in somebody's name."""

from __future__ import annotations

from datetime import date, datetime

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy import Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, relationship

from models.base import Admin, Category, Deletion, GroupOwned, Record, Rule, Scope, Section
from models.columns import Choice, choice, field, reference
from models.staff import Staff
from models.values import UtcInstant


class ApiKeyState(Choice):
    active = "active", _lp("API key", "Active"), "good", "check-circle"
    revoked = "revoked", _lp("API key", "Revoked"), "neutral", "slash-circle"


class ApiKey(GroupOwned, Record):
    """One key of one person: a program that has it may do what the person may, until it expires or is revoked.

    The key itself is shown once, to the person who makes it; here lies its digest only.
    """

    __tablename__ = "api_key"
    __table_args__ = (
        UniqueConstraint("digest"),
        Index(
            "uq_api_key_name_in_use",
            "staff_id",
            "name",
            unique=True,
            postgresql_where=text("state = 'active'"),
            sqlite_where=text("state = 'active'"),
        ),
    )
    __admin__ = Admin(
        label=_l("API key"),
        plural=_l("API keys"),
        category=Category.system,
        icon="key",
        area="api_keys",
        scope=Scope(group="group_id", owner="staff_id"),
        title=("name",),
        subtitle=("begins",),
        list_columns=("name", "staff", "begins", "state", "expires_on", "used_at", "created_at"),
        search_columns=("name", "begins"),
        filters=("state", "staff", "expires_on", "created_at"),
        fast=(("staff", "created_at"), ("state", "created_at")),
        sections=(
            Section(_l("API key"), ("name", "staff", "begins", "state", "expires_on")),
            Section(_l("Use"), ("used_at", "revoked_at")),
        ),
        rules={
            "uq_api_key_digest": Rule(_l("This key is there already.")),
            "uq_api_key_name_in_use": Rule(_l("You have a key of this name already: revoke it first."), "name"),
        },
        deletion=Deletion(),
        written_by_verbs=True,
    )

    #: Whose rights the key has.
    staff_id: Mapped[int] = reference("ab_user", _lp("API key", "Person"), help=_l("The key has the rights they have."))
    staff: Mapped[Staff] = relationship(foreign_keys=[staff_id])
    #: What the person calls it: the program that has it.
    name: Mapped[str] = field(_lp("API key", "Name"), String(80), help=_l("The program that uses it."))
    #: How the key begins, to tell which one a program has.
    begins: Mapped[str] = field(_l("Begins with"), String(16), help=_l("To tell which key a program has."))
    #: SHA-256 of the key.
    digest: Mapped[str] = field(_l("Digest"), String(64), secret=True, verb_only=True)
    #: Whether it may still be used; after its last day it is good for nothing, whatever its state.
    state: Mapped[ApiKeyState] = choice(ApiKeyState, _l("State"), default=ApiKeyState.active, verb_only=True)
    #: The last day on which it is good.
    expires_on: Mapped[date] = field(_l("Good until"), due_while=(ApiKeyState.active,), days_left=14)
    #: When it was last used, to some minutes.
    used_at: Mapped[datetime | None] = field(_l("Last used"), UtcInstant(), verb_only=True, help=_l("To some minutes."))
    #: When it was revoked.
    revoked_at: Mapped[datetime | None] = field(_lp("API key", "Revoked"), UtcInstant(), verb_only=True)

    def __str__(self) -> str:
        return self.name
