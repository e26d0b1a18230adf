"""What the page of a record says of it: the line under its name, its facts, its sections and its lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from flask_babel import gettext as _

from backoffice.actors import Action, Actor
from backoffice.database import RecordSession
from backoffice.errors import Text
from backoffice.records import lookup, show
from backoffice.records.show import shown_fields
from models.base import Recorded
from models.catalogue import TEXTUAL, Field, Kind, fields
from views import addresses
from views.generated.listing import NUMERIC, dressed

#: Kinds of value that say themselves what they are.
_SPEAKING = frozenset({*TEXTUAL, Kind.choice, Kind.relation} - {Kind.code})


def subtitle(record: Recorded, actor: Actor) -> list[dict[str, Any]]:
    """Return what people recognise the record by, as far as its name does not say it: ``[{label, cell}]``."""
    admin = record.__admin__
    names = admin.subtitle or tuple(name for key in admin.natural_keys for name in key)
    title = show.label(record, actor)
    found: list[dict[str, Any]] = []
    for name in names:
        field, cell = _follow(record, name, actor)
        said = {title, *(item["cell"].text for item in found)}
        if field is not None and cell.text and not cell.masked and not any(cell.text in text for text in said):
            found.append({"label": "" if field.kind in _SPEAKING else field.label, "cell": cell})
    plain = {"label": "", "cell": show.Cell(Kind.text, str(admin.label))}
    return found[:3] or [plain]


def _follow(record: Recorded, path: str, actor: Actor) -> tuple[Field | None, show.Cell]:
    """Return the field at the end of a dotted path and its value, as far as the actor may follow it."""
    first, _dot, rest = path.partition(".")
    field = fields(type(record)).get(first)
    if field is None or field.secret:
        return None, show.Cell(Kind.text)
    if not rest:
        return field, dressed(show.cell(record, field, actor))
    related = None if first in actor.masked(type(record)) else getattr(record, first)
    if related is None or not actor.may(Action.read, type(related)):
        return None, show.Cell(Kind.text)
    return _follow(related, rest, actor)


def facts(record: Recorded, actor: Actor) -> list[dict[str, Any]]:
    """Return the declared facts, which stand beside a record's lists and history."""
    shown = shown_fields(type(record), record.__admin__.facts)
    found: list[dict[str, Any]] = [{"label": f.label, "cell": dressed(show.cell(record, f, actor))} for f in shown]
    return [fact for fact in found if not fact["cell"].empty]


def _codes(record: Recorded, session: RecordSession) -> list[dict[str, Any]]:
    return [
        {"label": _("Code in %(system)s", system=system), "cell": show.Cell(Kind.code, code, title=code)}
        for system, code in lookup.external_codes(session, record)
    ]


def sections(record: Recorded, actor: Actor, session: RecordSession) -> list[dict[str, Any]]:
    """Return the record's own sections, what names it in the first: ``[{title, rows, empty}]``."""
    admin, entity = record.__admin__, type(record)
    found = []
    for number, section in enumerate(admin.sections):
        names = section.columns if number else [*_identity(entity), *section.columns]
        page = _section(section.title, shown_fields(entity, list(dict.fromkeys(names))), record, actor)
        if not number:
            page["rows"] += _codes(record, session)
        if section.one_of:
            page["empty"] = []
        found.append(page)
    return [section for section in found if section["rows"] or section["empty"]]


def closing_sections(record: Recorded, actor: Actor) -> list[dict[str, Any]]:
    """Return what only verbs write, which is in no form, and what the product notes of every record."""
    entity, admin = type(record), record.__admin__
    placed = {*admin.form_columns, *_identity(entity), "state"}  # the state stands beside the title
    happened = [f for f in shown_fields(entity, list(fields(entity))) if f.verb_only and f.name not in placed]
    found = [
        _section(_("What has happened"), happened, record, actor),
        _section(_("About this record"), shown_fields(entity, ("created_at", "updated_at")), record, actor),
    ]
    return [section for section in found if section["rows"]]


def _identity(entity: type[Recorded]) -> list[str]:
    """Return the fields that name a record, or are declared as facts, and stand in no section of their own."""
    admin, known = entity.__admin__, fields(entity)
    wanted = (*admin.title, *(name for key in admin.natural_keys for name in key), *admin.facts)
    placed = set(admin.form_columns)
    facts_of_verbs = {name for name in admin.facts if known[name].verb_only and name not in admin.title}
    return [n for n in dict.fromkeys(wanted) if n in known and n not in placed and n not in facts_of_verbs]


def _section(title: Text, shown: Iterable[Field], record: Recorded, actor: Actor) -> dict[str, Any]:
    """Return the values of a section; of what is empty only the labels, so that the page stays short."""
    cells = [(field, dressed(show.cell(record, field, actor))) for field in shown]
    return {
        "title": title,
        "rows": [{"label": f.label, "cell": cell, "help": f.help} for f, cell in cells if not cell.empty],
        "empty": [f.label for f, cell in cells if cell.empty],
    }


def inline(record: Recorded, name: str, actor: Actor, session: RecordSession) -> dict[str, Any]:
    """Return the lines of a record, without columns that say nothing: ``{title, columns, rows, total}``."""
    field = fields(type(record))[name]
    assert field.target is not None
    lines = lookup.find_lines(session, record, name)
    shown = shown_fields(field.target, field.target.__admin__.list_columns)
    cells = {
        f.name: [dressed(show.cell(line, f, actor)) for line in lines]
        for f in shown
        if f.target is not type(record) and not (f.name == "state" and _is_beginning(record))
    }
    columns = [f for f in shown if f.name in cells and (not lines or not all(cell.empty for cell in cells[f.name]))]
    return {
        "name": name,
        "title": field.label,
        "columns": [{"label": f.label, "numeric": f.kind in NUMERIC} for f in columns],
        "rows": [
            {"cells": [cells[f.name][number] for f in columns], "url": addresses.record_url(line)}
            for number, line in enumerate(lines)
        ],
        "total": _total(lines, columns, actor),
    }


def _is_beginning(record: Recorded) -> bool:
    """Say whether a record is still in the state it began in: nothing has happened to its lines then."""
    field = fields(type(record)).get("state")
    if field is None or field.column is None:
        return False
    default = type(record).__table__.c[field.column].default
    return default is not None and default.is_scalar and default.arg == getattr(record, field.name)


def _total(lines: Sequence[Recorded], columns: list[Field], actor: Actor) -> dict[str, Any] | None:
    """Return the sums that stand under lines; those that are over, such as withdrawn ones, count no more."""
    if len(lines) < 2:
        return None
    counted = [line for line in lines if not _is_over(line)]
    entity = type(lines[0])
    sums = {
        f.name: f.show(sum((getattr(line, f.name) or 0 for line in counted), start=0))
        for f in shown_fields(entity, entity.__admin__.totals)
        if f in columns and f.name not in actor.masked(entity)
    }
    label = _("Total") if len(counted) == len(lines) else _("Total without the lines that are over")
    return {"label": label, "texts": [sums.get(f.name, "") for f in columns]} if sums else None


def _is_over(line: Recorded) -> bool:
    return getattr(getattr(line, "state", None), "tone", "") in ("bad", "neutral")
