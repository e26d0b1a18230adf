"""What the record, form and confirmation pages show."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import request
from flask_babel import gettext as _
from werkzeug.exceptions import NotFound as NoSuchPage

from backoffice.actors import Action, Actor
from backoffice.database import RecordSession
from backoffice.errors import DomainError, InvalidRecord, Text
from backoffice.lifecycles import Transition, transitions_open
from backoffice.operations import plain
from backoffice.records import lookup, show, timeline
from backoffice.records.show import shown_fields
from models.base import Recorded
from models.catalogue import Field, Kind, fields, related_lists, slug
from models.columns import Choice
from views import addresses
from views.generated.forms import LineForms, RecordForm
from views.generated.listing import NUMERIC, Listing, dressed

#: Further actions on records of an entity that the generator cannot guess: a view of its own registers them.
Link = Callable[[Any, Actor], dict[str, Any] | None]
_links: dict[type[Recorded], list[Link]] = {}


def add_link(entity: type[Recorded], link: Link) -> None:
    """Offer what ``link(record, actor)`` returns, ``{label, icon, url}`` or None, on the pages of ``entity``."""
    _links.setdefault(entity, []).append(link)


#: Icons of the entries of a history.
_EVENT_ICONS = {"created": "plus-lg", "updated": "pencil", "deleted": "trash3"}


def list_actions(entity: type[Recorded], actor: Actor) -> dict[str, Any]:
    """Return the links of what can be done with a list as a whole."""
    admin = entity.__admin__
    query = request.query_string.decode()
    found: dict[str, Any] = {"exports": [], "import_url": None, "grid_url": None}
    if actor.may(Action.export, entity):
        for kind, label, icon in (
            ("xlsx", _("Excel (XLSX)"), "file-earmark-spreadsheet"),
            ("csv", _("CSV"), "filetype-csv"),
        ):
            address = addresses.list_url(entity).rstrip("/") + f"/export.{kind}"
            found["exports"] += [
                {"label": _("%(format)s, the columns shown", format=label), "icon": icon, "url": f"{address}?{query}"},
                {
                    "label": _("%(format)s, all columns", format=label),
                    "icon": icon,
                    "url": f"{address}?{query}&all=1".replace("?&", "?"),
                },
            ]
    writable = not (admin.append_only or admin.written_by_verbs)
    if writable and (actor.may(Action.create, entity) or actor.may(Action.update, entity)):
        found["import_url"] = addresses.list_url(entity).rstrip("/") + "/import/"
    if writable and actor.may(Action.update, entity):
        found["grid_url"] = addresses.grid_url(entity)
    return found


def record_page(record: Recorded, actor: Actor, session: RecordSession) -> dict[str, Any]:
    """Return everything ``record.html`` shows, for the tab the address names."""
    entity, admin = type(record), record.__admin__
    tabs = _tabs(record, actor)
    current = request.args.get("tab", "details")
    if current not in {tab["name"] for tab in tabs}:
        raise NoSuchPage
    writable = not (admin.append_only or admin.written_by_verbs)
    page: dict[str, Any] = {
        "title": show.label(record, actor),
        "subtitle": _subtitle(record, actor),
        "icon": admin.icon,
        "state": _state(record, actor),
        "verbs": [_verb(record, transition) for transition in transitions_open(record, actor)],
        "edit_url": addresses.action_url(record, "edit") if writable and actor.may(Action.update, entity) else None,
        "delete_url": addresses.action_url(record, "delete") if writable and actor.may(Action.delete, entity) else None,
        "more": [found for link in _links.get(entity, ()) if (found := link(record, actor))],
        "facts": _facts(record, actor, session),
        "tabs": [{**tab, "current": tab["name"] == current} for tab in tabs],
    }
    if current == "history":
        page["history"] = _history(record, actor, session)
    elif current != "details":
        page["related"] = _related(record, next(tab["field"] for tab in tabs if tab["name"] == current), actor, session)
    else:
        page["sections"] = _sections(record, actor)
        page["inlines"] = [_inline(record, name, actor) for name in admin.inline]
    return page


def _facts(record: Recorded, actor: Actor, session: RecordSession) -> list[dict[str, Any]]:
    """Return the facts beside a record: the declared ones, then the codes other systems have for it."""
    shown = shown_fields(type(record), record.__admin__.facts)
    found: list[dict[str, Any]] = [{"label": f.label, "cell": dressed(show.cell(record, f, actor))} for f in shown]
    return found + [
        {"label": _("Code in %(system)s", system=system), "cell": show.Cell(Kind.code, code, title=code)}
        for system, code in lookup.external_codes(session, record)
    ]


def _tabs(record: Recorded, actor: Actor) -> list[dict[str, Any]]:
    def tab(name: str, label: Text, field: Field | None = None) -> dict[str, Any]:
        url = addresses.record_url(record, **({} if name == "details" else {"tab": name}))
        return {"name": name, "label": label, "count_text": "", "url": url, "field": field}

    readable = [field for field in related_lists(type(record)) if actor.may(Action.read, field.entity)]
    plurals = [field.entity for field in readable]
    found = [tab("details", _("Details"))]
    for field in readable:
        label: Text = field.entity.__admin__.plural
        if plurals.count(field.entity) > 1:
            label = f"{label} ({field.label})"
        found.append(tab(f"{slug(field.entity)}.{field.name}", label, field))
    return [*found, tab("history", _("History"))]


def _subtitle(record: Recorded, actor: Actor) -> list[str]:
    """Return the natural keys that the title does not say already."""
    names = [name for key in record.__admin__.natural_keys for name in key]
    cells = [(f, show.cell(record, f, actor)) for f in shown_fields(type(record), names)]
    texts = [
        f"{field.label} {cell.text}"
        for field, cell in cells
        if cell.text and not cell.masked and cell.text != str(record)
    ]
    return texts[:3] or [str(record.__admin__.label)]


def _state(record: Recorded, actor: Actor) -> show.Cell | None:
    field = fields(type(record)).get("state")
    return show.cell(record, field, actor) if field is not None else None


def _verb(record: Recorded, transition: Transition) -> dict[str, Any]:
    url = addresses.action_url(record, "do", verb=transition.name)
    return {
        "name": transition.name,
        "label": transition.label,
        "icon": transition.icon,
        "tone": transition.tone,
        "url": url,
    }


def _sections(record: Recorded, actor: Actor) -> list[dict[str, Any]]:
    entity = type(record)
    placed = set(entity.__admin__.form_columns)
    found = [(section.title, shown_fields(entity, section.columns)) for section in entity.__admin__.sections]
    # What only verbs write is in no form, but people want to read it.
    placed.add("state")  # it stands beside the title
    others = [f for f in shown_fields(entity, list(fields(entity))) if f.verb_only and f.name not in placed]
    if others:
        found.append((_("What has happened"), others))
    found.append((_("About this record"), shown_fields(entity, ("id", "created_at", "updated_at"))))
    return [
        {"title": title, "rows": [_detail(record, field, actor) for field in shown]} for title, shown in found if shown
    ]


def _detail(record: Recorded, field: Field, actor: Actor) -> dict[str, Any]:
    return {"label": field.label, "cell": dressed(show.cell(record, field, actor)), "help": field.help}


def _inline(record: Recorded, name: str, actor: Actor) -> dict[str, Any]:
    field = fields(type(record))[name]
    assert field.target is not None
    columns = [
        f for f in shown_fields(field.target, field.target.__admin__.list_columns) if f.target is not type(record)
    ]
    return {
        "title": field.label,
        "columns": [{"label": f.label, "numeric": f.kind in NUMERIC} for f in columns],
        "rows": [
            {"cells": [dressed(show.cell(line, f, actor)) for f in columns], "url": addresses.record_url(line)}
            for line in getattr(record, name)
        ],
        "total": None,
    }


def _related(record: Recorded, field: Field, actor: Actor, session: RecordSession) -> dict[str, Any]:
    assert field.column is not None
    listing = Listing(field.entity, actor, fixed=((field.column, record.id),))
    page = listing.page(session)
    admin = field.entity.__admin__
    may_add = actor.may(Action.create, field.entity)
    page |= {
        "title": admin.plural,
        "add_url": addresses.add_url(field.entity, **{field.name: record.id}) if may_add else None,
        "all_url": addresses.list_url(field.entity, f=f"{field.name}:in:{record.id}")
        if field.name in admin.filters
        else None,
    }
    page["empty"]["url"], page["empty"]["text"] = page["add_url"], ""
    return page


def _history(record: Recorded, actor: Actor, session: RecordSession) -> dict[str, Any]:
    before = request.args.get("before", "")
    start = int(before) if before.isascii() and before.isdigit() and len(before) < 10 else None
    entries = timeline.find_entries(session, record, actor, before=start)
    more = len(entries) > timeline.SIZE
    shown = entries[: timeline.SIZE]
    next_url = addresses.record_url(record, tab="history", before=shown[-1].id) if more else None
    return {"entries": [history_entry(entry) for entry in shown], "next_url": next_url}


def history_entry(entry: timeline.Entry) -> dict[str, Any]:
    """Return one entry of a history as the templates show it."""
    return {
        "who": entry.who,
        "sentence": entry.sentence,
        "when": show.when(entry.at),
        "when_iso": entry.at.isoformat(),
        "door": entry.door,
        "icon": _EVENT_ICONS.get(entry.event, "lightning"),
        "changes": entry.changes,
    }


def form_page(
    form: RecordForm,
    lines: list[LineForms],
    *,
    record: Recorded | None = None,
    problems: Mapping[str, Text] | None = None,
) -> dict[str, Any]:
    """Return everything ``form.html`` shows."""
    admin = form.entity.__admin__
    stored = record or form.record
    label = show.in_sentence(admin.label)
    if stored is None:
        heading, cancel = _("Add %(entity)s", entity=label), addresses.list_url(form.entity)
    else:
        heading = _("Edit %(entity)s “%(name)s”", entity=label, name=show.label(stored, form.actor))
        cancel = addresses.record_url(stored)
    sections = [
        {
            "id": f"section-{number}",
            "title": section.title,
            "help": section.help,
            "fields": [form.fields[name] for name in section.columns if name in form.fields],
        }
        for number, section in enumerate(admin.sections)
    ]
    return {
        "heading": heading,
        "action": request.script_root + request.full_path.rstrip("?"),
        "version": request.form.get("version")
        if request.method == "POST" and stored
        else stored.version
        if stored
        else None,
        "cancel_url": cancel,
        "submit_label": _("Save"),
        "sections": [section for section in sections if section["fields"]],
        "inlines": [line.page() for line in lines],
        "problems": _problems(form, problems or {}),
        "conflict": None,
    }


def _problems(form: RecordForm, problems: Mapping[str, Text]) -> list[dict[str, Any]]:
    found = []
    for name, text in problems.items():
        if name in form.fields:
            found.append({"text": f"{form.catalogue[name].label}: {text}", "anchor": form.fields[name].id})
        elif "." in name:
            parent, place, *rest = name.split(".")
            title = fields(form.entity)[parent].label if parent in fields(form.entity) else parent
            number = int(place) + 1 if place.isdigit() else ""
            found.append({"text": f"{title}, {number}: {text}", "anchor": f"lines-{parent}"})
        else:
            found.append({"text": str(text), "anchor": None})
    return found


def conflict(form: RecordForm, lines: list[LineForms]) -> list[dict[str, Any]]:
    """Return the fields in which what was typed differs from what is stored now; inline children count as one."""
    assert form.record is not None
    pairs = [
        (field.label, show.cell(form.record, field, form.actor).text, _typed(form, name), form.fields[name].id)
        for name, field in form.catalogue.items()
    ]
    for line in lines:
        stored = LineForms(form, line.name, None)
        pairs.append((line.field.label, _typed_lines(stored), _typed_lines(line), f"lines-{line.name}"))
    return [
        {"label": label, "theirs": theirs, "mine": mine, "anchor": anchor}
        for label, theirs, mine, anchor in pairs
        if mine != theirs
    ]


def _typed(form: RecordForm, name: str) -> str:
    """Return what stands in a field of a form, as it would be shown."""
    field, bound = form.catalogue[name], form.fields[name]
    if bound.readonly:
        return str(bound.data)
    if field.kind is Kind.relation:
        return bound.typed or (bound.chosen["label"] if bound.chosen else "")
    if field.kind is Kind.choice:
        return next((option.label for option in bound.choices if option.value == bound.data), "")
    if field.kind is Kind.boolean:
        return field.show(bound.data)
    if field.kind is Kind.relations:
        return ", ".join(sorted(option.label for option in bound.choices if option.value in (bound.data or ())))
    return _as_shown(field, str(bound.data or ""))


def _typed_lines(lines: LineForms) -> str:
    kept = [row["form"] for row in lines.rows if not row["deleted"]]
    texts = [", ".join(text for name in form.fields if (text := _typed(form, name))) for form in kept]
    return "; ".join(text for text in texts if text)


def _as_shown(field: Field, raw: str) -> str:
    """Return what was typed as it would be shown, where it can be read at all."""
    if not raw.strip():
        return ""
    try:
        text = field.show(field.parse(raw))
    except ValueError:
        return raw
    return f"{text} {field.unit}" if field.unit else text


def delete_page(
    record: Recorded, actor: Actor, *, refused: DomainError | None = None, session: RecordSession | None = None
) -> dict[str, Any]:
    """Return what ``confirm.html`` shows before a record is deleted, or when it cannot be."""
    name = show.label(record, actor)
    found = []
    if refused is not None and session is not None:
        owned = set(record.__admin__.inline)
        found = [
            {"label": label, "count": count, "url": None}
            for label, count in plain.referrers(session, record, without=owned)
        ]
    return {
        "heading": _("Delete “%(name)s”?", name=name),
        "text": _("The record disappears from lists and forms. Its history remains."),
        "problem": str(refused) if refused is not None else None,
        "fields": [],
        "action": addresses.action_url(record, "delete"),
        "version": record.version,
        "submit_label": _("Delete"),
        "tone": "danger",
        "cancel_url": addresses.record_url(record),
        "referrers": found,
    }


def verb_page(
    record: Recorded, transition: Transition, form: RecordForm, *, problem: DomainError | None = None
) -> dict[str, Any]:
    """Return what ``confirm.html`` shows before a verb is performed."""
    state = getattr(record, "state", None)
    text = transition.confirm
    if text is None and transition.target is not None and isinstance(state, Choice):
        text = _("The state goes from “%(old)s” to “%(new)s”.", old=state.label, new=transition.target.label)
    general = str(problem) if problem is not None and not isinstance(problem, InvalidRecord) else None
    if isinstance(problem, InvalidRecord):
        unplaced = [str(t) for name, t in problem.problems.items() if name not in form.fields]
        general = " ".join(unplaced) or None
    return {
        "heading": f"{transition.label}: {show.label(record, form.actor)}",
        "text": text,
        "problem": general,
        "fields": list(form.fields.values()),
        "action": addresses.action_url(record, "do", verb=transition.name),
        "version": record.version,
        "submit_label": transition.label,
        "tone": transition.tone,
        "cancel_url": addresses.record_url(record),
        "referrers": [],
    }
