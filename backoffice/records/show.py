"""What a value looks like to this actor: one cell, the same on lists, pages, related tabs and exports."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from flask_babel import format_datetime
from flask_babel import gettext as _

from backoffice import clock
from backoffice.actors import Action, Actor
from backoffice.errors import Text
from backoffice.records.due import standing
from models.base import Recorded
from models.catalogue import Field, Kind, fields
from models.columns import Choice

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
    masked = actor.masked(type(record))
    if masked and masked & set(record.__admin__.search_columns[:2]):
        return f"{record.__admin__.label} {record.id}"
    return str(record)


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
