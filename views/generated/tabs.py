"""The tabs of a record's page: its details, history and mails, and a list for every relation that points at it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import request
from flask_babel import gettext as _
from werkzeug.exceptions import NotFound as NoSuchPage

from backoffice.actors import Action, Actor
from backoffice.database import RecordSession
from backoffice.errors import Text
from backoffice.records import mails
from backoffice.records.pages import Query, find_counts
from models.base import Recorded
from models.catalogue import Field, related_lists, slug
from views import addresses
from views.generated.listing import Listing

#: Related lists that have a tab of their own; the others stand together under "More".
MOST = 6
#: Counting stops here: whether there are two hundred or three does not help to choose a tab.
MOST_COUNTED = 99


#: What stands under the list of an entity on the page of the record it belongs to, instead of a form of its own.
Panel = Callable[[Any, Actor], dict[str, Any] | None]
_panels: dict[type[Recorded], Panel] = {}


def set_panel(entity: type[Recorded], panel: Panel) -> None:
    """Show what ``panel(record, actor)`` returns, its ``template`` included, under lists of ``entity`` on records."""
    _panels[entity] = panel


def record_tabs(record: Recorded, actor: Actor, session: RecordSession) -> dict[str, Any]:
    """Return ``tabs`` and ``more_tabs`` of a record's page, and of the current one its name and relation."""
    readable = [field for field in related_lists(type(record)) if actor.may(Action.read, field.entity)]
    names = {_name(field): field for field in readable}
    current = request.args.get("tab", "details")
    counts, written = _counts(record, readable, session, actor)
    own = ["details", *(["history"] if has_history(type(record)) else []), *(["mail"] if written else [])]
    if current not in {*own, *names}:
        raise NoSuchPage
    words: dict[str, Text] = {"details": _("Details"), "history": _("History"), "mail": _("Mails")}
    tabs = [_tab(record, name, words[name], name == current, written if name == "mail" else None) for name in own]
    labels = related_labels(readable)
    lists = [_tab(record, name, labels[name], name == current, counts[name]) for name in names]
    first = _first(type(record), len(lists))
    return {
        "tabs": [*tabs, *lists[:first]],
        "more_tabs": lists[first:],
        "current": current,
        "field": names.get(current),
    }


def has_history(entity: type[Recorded]) -> bool:
    """Say whether changes of these records are written down: a ledger is a record of what happened itself."""
    return "version" in entity.__table__.c


def related_labels(related: list[Field]) -> dict[str, Text]:
    """Return what each related list is called: its declared name, else its plural; told apart where two are alike."""
    plurals = [field.entity for field in related if field.related is None]
    found: dict[str, Text] = {}
    for field in related:
        label: Text = field.related or field.entity.__admin__.plural
        if field.related is None and plurals.count(field.entity) > 1:
            label = f"{label} ({field.label})"
        found[_name(field)] = label
    return found


def related(record: Recorded, field: Field, actor: Actor, session: RecordSession) -> dict[str, Any]:
    """Return the list behind a tab."""
    assert field.column is not None
    page = Listing(field.entity, actor, fixed=((field.column, record.id),)).page(session)
    admin = field.entity.__admin__
    may_add = actor.may(Action.create, field.entity)
    page |= {
        "title": field.related or admin.plural,
        "add_url": addresses.add_url(field.entity, **{field.name: record.id}) if may_add else None,
        "all_url": addresses.list_url(field.entity, f=f"{field.name}:in:{record.id}")
        if field.name in admin.filters
        else None,
    }
    page["empty"]["url"], page["empty"]["text"] = page["add_url"], ""
    panel = _panels.get(field.entity)
    page["panel"] = panel(record, actor) if panel is not None else None
    return page


def _name(field: Field) -> str:
    return f"{slug(field.entity)}.{field.name}"


def _first(entity: type[Recorded], lists: int) -> int:
    """Return how many related lists have a tab: those declared or the first few; a single one more is not hidden."""
    wanted = len(entity.__admin__.tabs) or MOST
    return lists if lists <= wanted + 1 else wanted


def _tab(record: Recorded, name: str, label: Text, current: bool, count: int | None = None) -> dict[str, Any]:
    url = addresses.record_url(record, **({} if name == "details" else {"tab": name}))
    text = "" if count is None else f"{MOST_COUNTED}+" if count > MOST_COUNTED else str(count)
    return {"name": name, "label": label, "count_text": text, "url": url, "current": current}


def _counts(record: Recorded, related: list[Field], session: RecordSession, actor: Actor) -> tuple[dict[str, int], int]:
    """Return how many rows each list has, and how many mails there are for somebody who may read them."""
    queries = [Query(field.entity, fixed=((field.column or "", record.id),)) for field in related]
    beside = [mails.mail_count(record)] if mails.may_read_mails(record, actor) else []
    counts = find_counts(session, queries, most=MOST_COUNTED, beside=beside)
    written = counts.pop() if beside else 0
    return {_name(field): count for field, count in zip(related, counts, strict=True)}, written
