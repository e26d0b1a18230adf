"""What the list and record pages show beside their rows and values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import request
from flask_babel import gettext as _
from werkzeug.exceptions import NotFound as NoSuchPage

from backoffice.actors import Action, Actor
from backoffice.database import RecordSession
from backoffice.errors import Text
from backoffice.lifecycles import Transition, transitions_open
from backoffice.operations.removal import is_removable
from backoffice.records import lookup, show, timeline
from backoffice.records.show import shown_fields
from models.base import Recorded
from models.catalogue import Field, Kind, fields, related_lists, slug
from views import addresses
from views.generated.listing import NUMERIC, Listing, dressed

#: Further actions on records of an entity that the generator cannot guess: a view of its own registers them.
Link = Callable[[Any, Actor], dict[str, Any] | None]
_links: dict[type[Recorded], list[Link]] = {}


def add_link(entity: type[Recorded], link: Link) -> None:
    """Offer what ``link(record, actor)`` returns, ``{label, icon, url}`` or None, on the pages of ``entity``.

    With ``first``, a sentence that says why, it is offered beside the message that a new record is saved, too.
    """
    _links.setdefault(entity, []).append(link)


#: Something people must know of an entity as a whole, in a sentence; None where there is nothing to say.
Notice = Callable[[], Text | None]
_notices: dict[type[Recorded], Notice] = {}


def set_notice(entity: type[Recorded], notice: Notice) -> None:
    """Say what ``notice()`` returns above the list and the records of ``entity``."""
    _notices[entity] = notice


def _notice(entity: type[Recorded]) -> Text | None:
    notice = _notices.get(entity)
    return notice() if notice is not None else None


def first_steps(record: Recorded, actor: Actor) -> list[dict[str, Any]]:
    """Return the actions that a new record waits for."""
    found = (link(record, actor) for link in _links.get(type(record), ()))
    return [step for step in found if step and step.get("first")]


#: Icons of the entries of a history.
_EVENT_ICONS = {"created": "plus-lg", "updated": "pencil", "deleted": "trash3"}


def list_actions(entity: type[Recorded], actor: Actor) -> dict[str, Any]:
    """Return the links of what can be done with a list as a whole."""
    admin = entity.__admin__
    query = request.query_string.decode()
    found: dict[str, Any] = {"exports": [], "import_url": None, "grid_url": None, "notice": _notice(entity)}
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
        "notice": _notice(entity),
        "state": _state(record, actor),
        "verbs": [_verb(record, transition) for transition in transitions_open(record, actor)],
        "edit_url": addresses.action_url(record, "edit") if writable and actor.may(Action.update, entity) else None,
        "delete_url": addresses.action_url(record, "delete") if _may_delete(record, actor) else None,
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


def _may_delete(record: Recorded, actor: Actor) -> bool:
    admin = record.__admin__
    writable = not (admin.append_only or admin.written_by_verbs)
    return writable and actor.may(Action.delete, type(record)) and is_removable(record)


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
    # What leaves it where it stands, such as assigning it to somebody else, is never the next step.
    stays = transition.target is not None and transition.target is getattr(record, "state", None)
    return {
        "name": transition.name,
        "label": transition.label,
        "icon": transition.icon,
        "tone": "neutral" if stays and transition.tone == "primary" else transition.tone,
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
