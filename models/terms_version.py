"""The conditions of service and the privacy notices of the client areas, version by version."""

from __future__ import annotations

from datetime import datetime

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy import CheckConstraint, Index, Integer, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, relationship

from models.base import Admin, Category, Deletion, GroupOwned, Record, Rule, Scope, Section
from models.columns import Choice, choice, field, reference
from models.outbox_mail import MailLanguage
from models.portal import Portal
from models.values import UtcInstant


class TermsKind(Choice):
    conditions = "conditions", _l("Conditions of service"), "neutral", "file-text"
    privacy_notice = "privacy_notice", _l("Privacy notice"), "neutral", "shield-check"


class TermsState(Choice):
    draft = "draft", _lp("terms", "Draft"), "info", "pencil"
    in_force = "in_force", _lp("terms", "In force"), "good", "check-circle"
    superseded = "superseded", _lp("terms", "Superseded"), "neutral", "clock-history"


class TermsVersion(GroupOwned, Record):
    """One version of what clients agree to or are told; at most one of a kind and language is in force (AC-25)."""

    __tablename__ = "terms_version"
    __table_args__ = (
        UniqueConstraint("portal_id", "kind", "language", "number"),
        Index(
            "uq_terms_version_in_force",
            "portal_id",
            "kind",
            "language",
            unique=True,
            postgresql_where=text("state = 'in_force'"),
            sqlite_where=text("state = 'in_force'"),
        ),
        CheckConstraint("state = 'draft' OR published_at IS NOT NULL", name="published_when"),
    )
    __admin__ = Admin(
        label=_l("Version of terms"),
        plural=_l("Conditions and privacy notices"),
        category=Category.system,
        icon="file-text",
        area="terms",
        scope=Scope(group="portal.group_id"),
        title=("kind", "number", "language"),
        subtitle=("portal",),
        rank=8,
        list_columns=("kind", "portal", "language", "number", "state", "published_at"),
        filters=("state", "kind", "portal", "language", "published_at"),
        order="-created_at",
        fast=(("portal", "created_at"), ("state", "created_at")),
        facts=("portal", "kind", "language", "number", "published_at"),
        natural_keys=(("portal_id", "kind", "language", "number"),),
        deletion=Deletion((TermsState.draft,)),
        changeable_in=dict.fromkeys(("portal", "kind", "language", "body"), (TermsState.draft,)),
        sections=(
            Section(_l("Where it counts"), ("portal", "kind", "language")),
            Section(_l("Words"), ("body",), own_row=("body",)),
        ),
        rules={
            "uq_terms_version_portal_id_kind_language_number": Rule(
                _l("Somebody else has just written a version: look at theirs first."), "kind"
            ),
            "uq_terms_version_in_force": Rule(_l("Another version is in force."), "kind"),
            "ck_terms_version_published_when": Rule(_l("What is or was in force was published."), "published_at"),
        },
    )

    #: The client area whose clients it concerns.
    portal_id: Mapped[int] = reference("portal", _l("Portal"), help=_l("Whose clients it concerns."))
    portal: Mapped[Portal] = relationship()
    #: What it is.
    kind: Mapped[TermsKind] = choice(TermsKind, _l("Kind"), help="")
    #: The language it is written in.
    language: Mapped[MailLanguage] = choice(
        MailLanguage,
        _l("Language"),
        name="terms_language",
        help=_l("Clients read theirs, else the other."),
    )
    #: Counted up by the program.
    number: Mapped[int] = field(_lp("terms", "Version"), Integer, verb_only=True)
    #: The words, paragraphs apart by empty lines.
    body: Mapped[str] = field(_l("Words"), Text, help=_l("An empty line begins a new paragraph."))
    #: Where it stands; changed by verbs only.
    state: Mapped[TermsState] = choice(TermsState, _l("State"), default=TermsState.draft, verb_only=True)
    #: From when it was in force.
    published_at: Mapped[datetime | None] = field(_lp("terms", "In force from"), UtcInstant(), verb_only=True)

    def __str__(self) -> str:
        return f"{self.kind.label} {self.number} ({self.language})"
