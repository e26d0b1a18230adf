"""What a value looks like to this actor: one cell, the same on lists, pages, related tabs and exports."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from flask_babel import format_datetime
from flask_babel import gettext as _

from backoffice import clock
from backoffice.actors import Action, Actor
from backoffice.errors import Text
from backoffice.records.due import standing
from models.base import ENTITIES, Recorded
from models.catalogue import Field, Kind, fields, naming_fields
from models.columns import Choice
from models.history_entry import ActorSort, HistoryEntry, SignInEntry
from models.values import show_date

#: What stands for a value the actor may not see, on every surface.
MASK = "•••"


@dataclass(frozen=True)
class Cell:
    """A value as people see it. ``target`` is the row a relation points to, for those who may open it."""

    kind: str
    text: str = ""
    title: str = ""
    tone: str = ""
    icon: str = ""
    datetime: str = ""
    href: str = ""
    target: Any = None
    masked: bool = False
    unavailable: bool = False
    #: The text is no form of the stored value: files take it as it is.
    told: bool = False
    url: str = ""
    #: Whether a value with a tone is a badge like a state.
    badge: bool = True
    #: Of a deadline that counts: "late" or "soon", and how much in words; the text stays the day itself.
    due: str = ""
    due_text: str = ""

    @property
    def is_badge(self) -> bool:
        """Say whether it is shown as a badge; a choice declared without tone and icon is a word like any other."""
        toned = self.tone and (self.tone, self.icon) != ("neutral", "circle")
        return bool(toned) and self.badge and self.kind != Kind.boolean

    @property
    def empty(self) -> bool:
        return not (self.text or self.masked or self.unavailable)


def shown_fields(entity: type[Recorded], names: tuple[str, ...] | list[str]) -> list[Field]:
    """Return the fields of these names, in their order; secrets are never among them."""
    known = fields(entity)
    return [known[name] for name in names if name in known and not known[name].secret]


def all_columns(entity: type[Recorded]) -> list[Field]:
    """Return every field that fits in a cell: all but secrets and children."""
    return [f for f in fields(entity).values() if not f.secret and f.kind is not Kind.children]


def cell(record: Recorded, field: Field, actor: Actor) -> Cell:
    """Return the value of ``field`` on ``record`` as ``actor`` may see it."""
    if field.name in actor.masked(type(record)):
        return Cell(field.kind, MASK, title=_("Your role does not show this value."), masked=True)
    if field.kind is Kind.relation:
        return _relation_cell(record, field, actor)
    told = _told(record, field, actor)
    if told is not None:
        return told
    value = getattr(record, field.name)
    if field.kind is Kind.relations:
        return Cell(field.kind, ", ".join(sorted(str(other) for other in value)))
    if value is None or value == "" or (field.known_once and getattr(record, field.known_once) is None):
        return Cell(field.kind)
    if isinstance(value, Choice):
        return Cell(field.kind, str(value.label), tone=value.tone, icon=value.icon, badge=field.badge)
    if isinstance(value, bool):
        return Cell(
            field.kind, field.show(value), tone="good" if value else "neutral", icon="check-lg" if value else "dash"
        )
    if isinstance(value, date):
        return _moment_cell(record, field, value)
    text = field.show(value)
    if field.unit:
        text = f"{text} {field.unit}"
    return Cell(field.kind, text, title=text, href=_href(field, value))


def is_told(field: Field) -> bool:
    """Say whether values of the field are told in other words than they are stored in: only a record can say which."""
    of_entry = field.entity is HistoryEntry and field.name in ("record_title", "actor_name")
    of_sign_in = field.entity is SignInEntry and field.name == "username"
    return of_entry or of_sign_in or field.fields_of is not None


def _told(record: Recorded, field: Field, actor: Actor) -> Cell | None:
    """Return the cell of a value that people are told in other words than it is stored in, or None."""
    if isinstance(record, HistoryEntry) and field.name == "record_title":
        return subject(record, actor)
    if isinstance(record, HistoryEntry) and field.name == "actor_name":
        return Cell(field.kind, record.doer or who(record.actor_kind, record.actor_name), told=True)
    if isinstance(record, SignInEntry) and field.name == "username" and record.account_id is not None:
        return Cell(field.kind, record.account_name or str(record.account_id), told=True)
    if field.fields_of is None:
        return None
    text = _field_labels(getattr(record, field.fields_of), getattr(record, field.name) or "")
    return Cell(field.kind, text, title=text, told=True)


def _field_labels(table: str, names: str) -> str:
    """Return the labels of fields of an entity; a name that is none of them stays as it is."""
    known = fields(ENTITIES[table]) if table in ENTITIES else {}
    words: dict[str, Text] = {"external_code": _("External code")}
    words |= {name: field.label for name, field in known.items()}
    words |= {field.column: field.label for field in known.values() if field.column}
    return ", ".join(str(words.get(name, name)) for name in re.split(r"[+, ]+", names) if name)


def _moment_cell(record: Recorded, field: Field, value: date) -> Cell:
    """Return a day or an instant as it is said, and beside it how late it is, where it is a deadline."""
    due, due_text = standing(record, field)
    if isinstance(value, datetime):
        exact = format_datetime(value, "EEEE d MMMM yyyy, HH:mm")
        iso = value.astimezone(UTC).isoformat()
        return Cell(field.kind, when(value), title=exact, datetime=iso, due=due, due_text=due_text)
    text = field.show(value)
    return Cell(field.kind, text, title=text, datetime=value.isoformat() if due else "", due=due, due_text=due_text)


def _href(field: Field, value: Any) -> str:
    if field.kind is Kind.email:
        return f"mailto:{value}"
    if field.kind is Kind.phone:
        return f"tel:{value}"
    return str(value) if field.kind is Kind.url and str(value).startswith(("http://", "https://")) else ""


def _relation_cell(record: Recorded, field: Field, actor: Actor) -> Cell:
    related = getattr(record, field.name)
    if related is not None:
        text = label(related, actor)
        openable = related if isinstance(related, Recorded) and actor.may(Action.read, type(related)) else None
        return Cell(field.kind, text, title=text, target=openable)
    key = getattr(record, field.column or "")
    # There is one, but not for this actor: said so, never named.
    return Cell(field.kind, _("(not available)"), unavailable=True) if key is not None else Cell(field.kind)


def label(record: Any, actor: Actor) -> str:
    """Return what a record is called, masked where its name is made of masked fields."""
    if not isinstance(record, Recorded):
        return str(record)  # Flask-AppBuilder's roles are no entities of ours
    if isinstance(record, HistoryEntry):
        return _entry_label(record, actor)
    if not may_name(type(record), actor) or _names_a_hidden_row(record):
        return f"{record.__admin__.label} {record.id}"
    return str(record)


def may_name(entity: type[Recorded], actor: Actor) -> bool:
    """Say whether the actor sees every field that the names of the entity's rows are made of."""
    return not any(field.name in actor.masked(field.entity) for field in naming_fields(entity))


def naming_columns(entity: Any, actor: Actor) -> list[Any] | None:
    """Return the columns that the names of the entity's rows are made of, so that ``__str__`` of such a row is its
    name; None where related rows take part, or where the actor may not name them."""
    if not issubclass(entity, Recorded) or entity is HistoryEntry or not may_name(entity, actor):
        return None
    parts = [fields(entity)[name] for name in entity.__admin__.title]
    return None if any(part.kind is Kind.relation for part in parts) else [getattr(entity, p.name) for p in parts]


def _names_a_hidden_row(record: Recorded) -> bool:
    """Say whether the record is named after a row that there is, but not for this actor."""
    known = fields(type(record))
    relations = (known[name] for name in record.__admin__.title if known[name].kind is Kind.relation)
    return any(getattr(record, f.column or "") is not None and getattr(record, f.name) is None for f in relations)


def who(kind: Choice, name: str) -> str:
    """Return who acted; the product itself and nobody known are words in the reader's language, not stored names."""
    return str(kind.label) if kind in (ActorSort.system, ActorSort.anonymous) else name


def subject(entry: Any, actor: Actor) -> Cell:
    """Return what an entry speaks of: its present name where the page has looked that up, else the one it had."""
    found, entity = entry.subject, ENTITIES.get(entry.entity)
    if found is not None:
        text = label(found, actor)
        return Cell(
            Kind.text, text, title=text, target=found if actor.may(Action.read, type(found)) else None, told=True
        )
    nameless = entity is not None and not may_name(entity, actor)
    text = "" if nameless else entry.record_title or entry.erasable_title or ""
    kind = entity.__admin__.label if entity is not None else entry.entity
    return Cell(Kind.text, text or f"{kind} {entry.record_id}", title=text, told=True)


def _entry_label(entry: HistoryEntry, actor: Actor) -> str:
    known, name = fields(HistoryEntry), subject(entry, actor).text
    kind, event = known["entity"].show(entry.entity), known["event"].show(entry.event)
    what = f"“{event}”" if "." in entry.event else in_sentence(event)
    return f"{name}: {what}" if name.startswith(kind) else f"{kind} {name}: {what}"


def hidden(record: Recorded, actor: Actor) -> frozenset[str]:
    """Return the fields of one record that the actor sees as a mask: an entry's title where it names what is masked."""
    masked = actor.masked(type(record))
    entity = ENTITIES.get(record.entity) if isinstance(record, HistoryEntry) else None
    return masked if entity is None or may_name(entity, actor) else masked | {"record_title"}


def unsaid(entity: type[Recorded], actor: Actor) -> frozenset[str]:
    """Return the fields beyond the masked ones that a filter must not be asked by: it would tell masked names."""
    if entity is not HistoryEntry or all(may_name(other, actor) for other in ENTITIES.values()):
        return frozenset()
    return frozenset({"record_title"})


def printed(name: str) -> str:
    """Say when a page was made and by whom, for whoever holds it in hand."""
    now = clock.now()
    return _(
        "Printed on %(day)s at %(hour)s by %(name)s", day=show_date(now), hour=format_datetime(now, "HH:mm"), name=name
    )


def in_sentence(name: Text) -> str:
    """Return a label as it stands inside a sentence: with a small letter, but "PEC" and "VAT number" as they are."""
    text = str(name)
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def when(instant: datetime) -> str:
    """Return an instant as people say it: "today at 15:25", "yesterday at 09:10", "23/11/2026 08:00"."""
    local = instant.astimezone(clock.ROME)
    hour = format_datetime(instant, "HH:mm")
    days = (clock.today() - local.date()).days
    if days == 0:
        return _("today at %(hour)s", hour=hour)
    if days == 1:
        return _("yesterday at %(hour)s", hour=hour)
    if days == -1:
        return _("tomorrow at %(hour)s", hour=hour)
    return str(format_datetime(instant, "dd/MM/yyyy HH:mm"))
