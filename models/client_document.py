"""Documents that clients find in their area."""

from __future__ import annotations

from datetime import date, datetime

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy import CheckConstraint, String
from sqlalchemy.orm import Mapped, relationship

from models.base import (
    Admin,
    Category,
    CompanyOwned,
    Freeze,
    Record,
    Rule,
    Scope,
    Section,
    SoftDeleted,
    Worklist,
)
from models.columns import Choice, choice, field, reference
from models.company import Company
from models.site import Site
from models.values import UtcInstant


class DocumentArea(Choice):
    """What the document is about (ED-05)."""

    safety = "safety", _l("Safety"), "neutral", "cone-striped"
    health = "health", _l("Health"), "neutral", "heart-pulse"
    environment = "environment", _l("Environment"), "neutral", "tree"
    privacy = "privacy", _l("Data protection"), "neutral", "shield-lock"
    other = "other", _lp("document", "Other"), "neutral", "file-earmark"


class DocumentState(Choice):
    """Where a document stands (chapter 4.10)."""

    uploaded = "uploaded", _lp("document", "To be published"), "info", "file-earmark-arrow-up"
    published = "published", _lp("document", "Published"), "good", "check-circle"
    replaced = "replaced", _lp("document", "Replaced"), "neutral", "arrow-left-right"
    withdrawn = "withdrawn", _lp("document", "Withdrawn"), "bad", "x-circle"


S = DocumentState


class ClientDocument(SoftDeleted, CompanyOwned, Record):
    """A document of the safety, health or environment consulting for a client, with its file as attachment (ED-05)."""

    __tablename__ = "client_document"
    __table_args__ = (
        CheckConstraint("state NOT IN ('published', 'replaced') OR published_at IS NOT NULL", name="published_when"),
        CheckConstraint("state <> 'withdrawn' OR withdrawn_because IS NOT NULL", name="withdrawn_why"),
        CheckConstraint("replaces_id IS NULL OR replaces_id <> id", name="replaces_another"),
    )
    __admin__ = Admin(
        label=_l("Client document"),
        plural=_l("Client documents"),
        category=Category.client_data,
        icon="file-earmark-text",
        area="documents",
        scope=Scope(group="company.group_id", company="company_id", site="site_id"),
        title=("title",),
        subtitle=("area", "company"),
        tabs=("attachment.client_document", "client_document.replaces"),
        worklists=(Worklist(_l("Client documents to publish"), ("state:in:uploaded",)),),
        rank=4,
        list_columns=("title", "company", "area", "dated_on", "site", "state", "published_at"),
        search_columns=("title",),
        filters=("state", "area", "company", "site", "dated_on", "published_at", "replaces", "created_at"),
        order="-dated_on",
        fast=(("company", "dated_on"), ("area", "dated_on"), ("state", "dated_on")),
        facts=("company", "area", "site", "dated_on", "published_at", "replaces", "withdrawn_because"),
        freeze=Freeze("EDUPLAN", "dated_on"),
        files_in=(S.uploaded,),
        changeable_in=dict.fromkeys(("company", "title", "area", "dated_on", "site", "replaces"), (S.uploaded,)),
        sections=(Section(_l("Document"), ("company", "title", "area", "dated_on", "site", "replaces")),),
        client_columns=("title", "area", "dated_on", "site", "published_at"),
        client_only={"state": (S.published,)},
        rules={
            "ck_client_document_published_when": Rule(_l("A published document says since when."), "published_at"),
            "ck_client_document_withdrawn_why": Rule(_l("Say why it is withdrawn."), "withdrawn_because"),
            "ck_client_document_replaces_another": Rule(_l("A document does not replace itself."), "replaces"),
        },
    )

    company: Mapped[Company] = relationship()
    #: What it is called; clients read it.
    title: Mapped[str] = field(_l("Title"), String(160), help=_l("Clients read it."))
    #: What it is about.
    area: Mapped[DocumentArea] = choice(DocumentArea, _lp("document", "Area"), badge=False, help="")
    #: The date it bears.
    dated_on: Mapped[date] = field(_lp("document", "Dated"), help=_l("The date the document bears."))
    #: The place it concerns; empty for the whole company.
    site_id: Mapped[int | None] = reference("site", _l("Site"), help=_l("Empty: the whole company."))
    site: Mapped[Site | None] = relationship()
    #: Where it stands; changed by verbs only.
    state: Mapped[DocumentState] = choice(DocumentState, _l("State"), default=S.uploaded, verb_only=True)
    #: The document in whose place it comes.
    replaces_id: Mapped[int | None] = reference(
        "client_document",
        _l("Replaces"),
        related=_l("Replaced by"),
        help=_l("An earlier document of the client: publishing this one takes that one’s place."),
    )
    replaces: Mapped[ClientDocument | None] = relationship(remote_side="ClientDocument.id")
    #: Since when the client finds it.
    published_at: Mapped[datetime | None] = field(_lp("document", "Published"), UtcInstant(), verb_only=True)
    #: Why the client does not find it any more.
    withdrawn_because: Mapped[str | None] = field(_l("Withdrawn because"), String(200), verb_only=True)

    def __str__(self) -> str:
        return self.title
