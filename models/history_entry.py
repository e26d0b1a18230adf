"""What happened: every change of every record, and every sign-in. Written once, never changed."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy import JSON, ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from backoffice import errors
from models.base import Admin, Category, EntityName, Model, Recorded, Scope, Section
from models.columns import Choice, choice, field
from models.values import DeclaredName, UtcInstant

#: ``{field: [old, new]}``; a key of a secret column has the value ``null``: changed, and no more is said.
Changes = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


class ActorSort(Choice):
    """Who acted; the words of ``backoffice.actors.ActorKind``."""

    staff = "staff", _l("Staff"), "neutral", "person-badge"
    account = "account", _l("Client"), "neutral", "person"
    system = "system", _l("System"), "neutral", "gear"
    anonymous = "anonymous", _l("Not signed in"), "neutral", "person-dash"


class Entrance(Choice):
    """Where it came in; the words of ``backoffice.actors.Door``."""

    desk = "desk", _l("Desk"), "neutral", "window"
    grid = "grid", _l("Grid"), "neutral", "table"
    api = "api", _l("API"), "neutral", "braces"
    spreadsheet = "spreadsheet", _lp("noun", "Import"), "neutral", "file-earmark-spreadsheet"
    client_area = "client_area", _l("Client area"), "neutral", "person-workspace"
    mail = "mail", _l("Mail"), "neutral", "envelope"
    job = "job", _l("Scheduled job"), "neutral", "clock"
    cli = "cli", _l("Command line"), "neutral", "terminal"


class SignInEvent(Choice):
    signed_in = "signed_in", _l("Signed in"), "good", "box-arrow-in-right"
    signed_out = "signed_out", _l("Signed out"), "neutral", "box-arrow-right"
    failed = "failed", _l("Failed"), "wait", "x-circle"
    locked = "locked", _l("Locked out"), "bad", "lock"


class EventName(DeclaredName):
    """What happened to a record; each lifecycle adds the words of its verbs, as ``<table>.<verb>``."""


EventName.words.update(
    {
        "created": _lp("event", "Created"),
        "updated": _lp("event", "Changed"),
        "imported": _lp("event", "Imported with its state"),
        "deleted": _lp("event", "Deleted"),
        "restored": _lp("event", "Restored"),
        "merged": _lp("event", "Merged"),
        "unmerged": _lp("event", "Merge undone"),
        "moved": _lp("event", "Moved by a merge"),
    }
)


#: What entries may tell besides values of fields.
ASIDE: dict[str, errors.Text] = {"reason": _l("Reason"), "other": _l("Merged with")}


class Ledger(Recorded, Model):
    """A row written once: it has no version, no later change and no author beyond its own columns."""

    __abstract__ = True
    __mapper_args__: dict[str, Any] = {}  # nothing to count saves of

    #: Key; never used twice.
    id: Mapped[int] = mapped_column(Integer, primary_key=True, info={"label": _l("Id")})
    version = created_at = updated_at = search_key = is_demo = None  # type: ignore[assignment]
    created_by_id = updated_by_id = None

    @declared_attr
    def at(cls) -> Mapped[datetime]:
        """When it happened."""
        return field(_l("When"), UtcInstant())


class HistoryEntry(Ledger):
    """One change of one record: who, when, through which door, from what to what (BO-05, AC-29).

    Keys are plain numbers, not foreign keys: an entry outlives what it speaks of.
    """

    __tablename__ = "history_entry"
    __table_args__ = (
        Index("ix_history_entry_record", "entity", "record_id", "id"),
        Index(
            "ix_history_entry_parent",
            "entity",
            "parent_id",
            "id",
            postgresql_where=text("parent_id IS NOT NULL"),
            sqlite_where=text("parent_id IS NOT NULL"),
        ),
    )
    __admin__ = Admin(
        label=_l("History entry"),
        plural=_l("History"),
        category=Category.system,
        icon="clock-history",
        area="history",
        scope=Scope(group="group_id", company="company_id"),
        title=("entity", "record_title", "event"),
        rank=2,
        list_columns=("at", "actor_name", "door", "entity", "record_title", "event"),
        filters=("at", "entity", "record_id", "event", "door", "actor_kind", "actor_name"),
        order="-at",
        fast=(("entity", "at"), ("actor_kind", "actor_id", "at"), ("company_id", "at")),
        sections=(
            Section(_l("What happened"), ("at", "event", "entity", "record_id", "record_title")),
            Section(_l("Who did it"), ("actor_kind", "actor_name", "on_behalf_of", "door")),
        ),
        append_only=True,
        written_by_verbs=True,
    )

    #: Whether staff, a client, the system or nobody known acted.
    actor_kind: Mapped[ActorSort] = choice(ActorSort, _l("Kind of actor"))
    #: The key of the member of staff or of the account.
    actor_id: Mapped[int | None] = mapped_column(Integer)
    #: The actor's name at that moment; empty for accounts, whose present name is asked: it may have been erased.
    actor_name: Mapped[str] = field(_l("Who"), String(160), default="", server_default="")
    #: For whom it was done, where that is somebody else.
    on_behalf_of: Mapped[str | None] = field(
        _l("On behalf of"), String(160), help=_l("For whom it was done, where that is somebody else.")
    )
    #: Through which surface it came.
    door: Mapped[Entrance] = choice(Entrance, _l("Through"))
    #: The table of the record.
    entity: Mapped[str] = field(_l("Kind of record"), EntityName())
    #: The key of the record.
    record_id: Mapped[int] = field(_l("Record number"), Integer, adds_up=False)
    #: The key of the record it is a line of, where it is edited inside another: its history tells of its lines too.
    parent_id: Mapped[int | None] = mapped_column(Integer)
    #: The corporate group of the record; empty for shared reference data.
    group_id: Mapped[int | None] = mapped_column(Integer)
    #: The client company of the record, where it belongs to one.
    company_id: Mapped[int | None] = mapped_column(Integer)
    #: ``created``, ``updated``, ``deleted`` or the verb, such as ``contract.activate``.
    event: Mapped[str] = field(_l("Event"), EventName())
    #: How the record called itself; empty where that would name a person: then it lies in ``history_personal``.
    record_title: Mapped[str | None] = field(_l("Record"), String(300))
    #: Old and new values of columns that are not personal.
    changes: Mapped[dict[str, Any]] = mapped_column(Changes, default=dict)

    #: On pages that have looked them up for whoever reads: the record itself, what it was called where that may be
    #: erased, and who acted, as that is called now; see ``backoffice.records.subjects``.
    if TYPE_CHECKING:
        subject: Any
        erasable_title: str | None
        doer: str | None
    else:
        subject = erasable_title = doer = None

    def __str__(self) -> str:
        what = EventName().show(self.event)
        return f"{EntityName().show(self.entity)} {self.record_title or self.record_id}: {what}"


class HistoryPersonal(Model):
    """The personal part of an entry: the only part that an erasure may remove."""

    __tablename__ = "history_personal"

    #: The entry it completes.
    entry_id: Mapped[int] = mapped_column(
        ForeignKey("history_entry.id", ondelete="RESTRICT"), primary_key=True, autoincrement=False
    )
    #: How the record called itself, where that names a person.
    record_title: Mapped[str | None] = mapped_column(String(300))
    #: Old and new values of personal columns.
    changes: Mapped[dict[str, Any]] = mapped_column(Changes, default=dict)


class HistoryErasure(Model):
    """The proof that the personal part of a record's history was erased, and what permits it."""

    __tablename__ = "history_erasure"
    __table_args__ = (Index("ix_history_erasure_record", "entity", "record_id"),)

    #: Key; never used twice.
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    #: When it was erased.
    at: Mapped[datetime] = mapped_column(UtcInstant())
    #: The table of the record.
    entity: Mapped[str] = mapped_column(String(64))
    #: The key of the record.
    record_id: Mapped[int] = mapped_column(Integer)
    #: The key of the member of staff who did it.
    actor_id: Mapped[int | None] = mapped_column(Integer)
    #: The actor's name at that moment.
    actor_name: Mapped[str] = mapped_column(String(160), default="", server_default="")
    #: Who asked for it and on which ground.
    reason: Mapped[str] = mapped_column(Text)


class SignInEntry(Ledger):
    """One attempt to enter the desk or the client area, or one leaving (AC-29)."""

    __tablename__ = "sign_in_entry"
    __table_args__ = (Index("ix_sign_in_entry_username", "username", "at", "id"),)
    __admin__ = Admin(
        label=_l("Sign-in"),
        plural=_l("Sign-ins"),
        category=Category.system,
        icon="door-open",
        area="history",
        scope=Scope(group="group_id", groupless=True),
        title=("username", "event"),
        rank=2,
        list_columns=("at", "event", "username", "address", "door"),
        filters=("at", "event", "username", "account_id", "address", "door"),
        order="-at",
        fast=(("event", "at"), ("staff_id", "at"), ("account_id", "at")),
        sections=(Section(_l("Sign-in"), ("at", "event", "username", "account_id", "address", "door")),),
        append_only=True,
        written_by_verbs=True,
    )

    #: What came of it.
    event: Mapped[SignInEvent] = choice(SignInEvent, _l("Event"))
    #: What was typed as user name; empty for accounts, whose present name is asked: it may have been erased.
    username: Mapped[str] = field(_l("User name"), String(254), personal=True)
    #: The key of the member of staff, where the name is known.
    staff_id: Mapped[int | None] = mapped_column(Integer)
    #: The key of the account, where the name is one's in the client area.
    account_id: Mapped[int | None] = field(_l("Account number"), Integer, adds_up=False)
    #: The group the person worked for then; empty for unknown names, which only the system sees.
    group_id: Mapped[int | None] = mapped_column(Integer)
    #: Where the request came from.
    address: Mapped[str] = field(_l("Address"), String(64), personal=True)
    #: Through which surface it came.
    door: Mapped[Entrance] = choice(Entrance, _l("Through"))

    #: What the account signs in with now, on pages that have looked it up: ``backoffice.records.subjects``.
    if TYPE_CHECKING:
        account_name: str | None
    else:
        account_name = None

    def __str__(self) -> str:
        return f"{self.username or self.account_name or self.account_id} · {self.event}"
