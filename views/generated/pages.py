"""What the list and record pages show beside their rows and values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import request
from flask_babel import gettext as _

from backoffice.actors import Action, Actor
from backoffice.database import RecordSession
from backoffice.errors import Text
from backoffice.lifecycles import Transition, transitions_open
from backoffice.operations.cleaning import is_fixed, writable_fields
from backoffice.operations.merging import may_merge
from backoffice.operations.removal import is_removable
from backoffice.operations.restoring import may_restore
from backoffice.records import lookup, show, subjects, timeline
from models.base import Recorded
from models.catalogue import fields
from views import addresses
from views.door import current_actor
from views.frame import set_place
from views.generated import details, tabs
from views.generated.list_addresses import exports_of
from views.generated.record_mails import mail_list

#: Further actions on records of an entity that the generator cannot guess: a view of its own registers them.
Link = Callable[[Any, Actor], dict[str, Any] | None]
_links: dict[type[Recorded], list[Link]] = {}


def add_link(entity: type[Recorded], link: Link) -> None:
    """Offer what ``link(record, actor)`` returns, ``{label, icon, url}`` or None, on the pages of ``entity``.

    With ``primary`` it is the page's one primary button.
    On those of ``Recorded`` it is offered for every entity.

    With ``first``, a sentence that says why, it is offered beside the message that a new record is saved, too.
    """
    _links.setdefault(entity, []).append(link)


def _links_of(entity: type[Recorded]) -> list[Link]:
    return [*_links.get(entity, ()), *_links.get(Recorded, ())]


#: Something people must know of an entity as a whole, in a sentence; None where there is nothing to say.
Notice = Callable[[], Text | None]
_notices: dict[type[Recorded], Notice] = {}


def set_notice(entity: type[Recorded], notice: Notice) -> None:
    """Say what ``notice()`` returns above the list and the records of ``entity``."""
    _notices[entity] = notice


def _notice(entity: type[Recorded]) -> Text | None:
    notice = _notices.get(entity)
    return notice() if notice is not None else None


#: What people are asked before a new record of an entity is saved: ``{text, rows}`` or None. Each row is a record that
#: may be meant instead: ``{label, url, detail, action, action_label}``; what was typed is sent to ``action``.
Question = Callable[[Any, Actor, RecordSession], dict[str, Any] | None]
_questions: dict[type[Recorded], Question] = {}
#: Sent along by the form that has asked.
ASKED = "asked"


def set_question(entity: type[Recorded], ask: Question) -> None:
    """Ask what ``ask(sent, actor, session)`` returns before a new record of ``entity`` is saved; once, not twice."""
    _questions[entity] = ask


def question(entity: type[Recorded], actor: Actor, session: RecordSession) -> dict[str, Any] | None:
    """Return what the form shows of the question, where there is one and it has not been asked yet."""
    ask = _questions.get(entity)
    found = ask(request.form, actor, session) if ask is not None and ASKED not in request.form else None
    return {"question": found, "asked": ASKED} if found else None


def set_record(record: Recorded | None, step: Text = "") -> None:
    """Have the breadcrumb say in which record the page is, and at which step."""
    if record is not None:
        set_place(show.label(record, current_actor()), addresses.record_url(record), step)


def first_steps(record: Recorded, actor: Actor) -> list[dict[str, Any]]:
    """Return the actions that a new record waits for."""
    found = (link(record, actor) for link in _links_of(type(record)))
    return [step for step in found if step and step.get("first")]


#: Icons of the entries of a history.
_EVENT_ICONS = {"created": "plus-lg", "updated": "pencil", "deleted": "trash3", "restored": "arrow-counterclockwise"}


def list_actions(entity: type[Recorded], actor: Actor) -> dict[str, Any]:
    """Return the links of what can be done with a list as a whole."""
    admin = entity.__admin__
    found: dict[str, Any] = {"exports": [], "import_url": None, "grid_url": None, "notice": _notice(entity)}
    if actor.may(Action.export, entity):
        found["exports"] = exports_of(entity)
    if may_merge(entity, actor):
        found["duplicates_url"] = addresses.list_url(entity).rstrip("/") + "/duplicates"
    if may_restore(entity, actor):
        found["deleted_url"] = _deleted_url(entity, actor)
    writable = not (admin.append_only or admin.written_by_verbs)
    if writable and (actor.may(Action.create, entity) or actor.may(Action.update, entity)):
        found["import_url"] = addresses.list_url(entity).rstrip("/") + "/import/"
    if writable and actor.may(Action.update, entity):
        found["grid_url"] = addresses.grid_url(entity)
    return found


def _deleted_url(entity: type[Recorded], actor: Actor) -> str | None:
    """Return the way to what was deleted of a list, for those who may read the history."""
    history, wanted = timeline.deletions_of(entity)
    return addresses.list_url(history, f=wanted) if actor.may(Action.read, history) else None


def record_page(record: Recorded, actor: Actor, session: RecordSession) -> dict[str, Any]:
    """Return everything ``record.html`` shows, for the tab the address names."""
    entity, admin = type(record), record.__admin__
    subjects.look_up(session, [record], actor)
    chosen = tabs.record_tabs(record, actor, session)
    page: dict[str, Any] = {
        "title": show.label(record, actor),
        "subtitle": details.subtitle(record, actor),
        "icon": admin.icon,
        "notice": _notice(entity),
        "state": _state(record, actor),
        "verbs": [_verb(record, transition) for transition in transitions_open(record, actor)],
        "edit_url": addresses.action_url(record, "edit") if _is_open(entity, Action.update, actor) else None,
        "delete_url": addresses.action_url(record, "delete") if _may_delete(record, actor) else None,
        "more": [found for link in _links_of(entity) if (found := link(record, actor))],
        "tabs": chosen["tabs"],
        "more_tabs": chosen["more_tabs"],
    }
    if chosen["current"] == "details":
        return page | _details(record, actor, session)
    page["facts"] = details.facts(record, actor)
    if chosen["current"] == "mail":
        return page | {"mails": mail_list(record, actor, session)}
    if chosen["field"] is None:
        return page | {"history": _history(record, actor, session)}
    return page | {"related": tabs.related(record, chosen["field"], actor, session)}


def _is_open(entity: type[Recorded], action: Action, actor: Actor) -> bool:
    """Say whether the actor may do this to records of the entity by hand."""
    admin = entity.__admin__
    return not (admin.append_only or admin.written_by_verbs) and actor.may(action, entity)


def _may_delete(record: Recorded, actor: Actor) -> bool:
    return _is_open(type(record), Action.delete, actor) and is_removable(record)


def _details(record: Recorded, actor: Actor, session: RecordSession) -> dict[str, Any]:
    found: dict[str, Any] = {
        "sections": details.sections(record, actor, session),
        "closing": details.closing_sections(record, actor),
        "inlines": [details.inline(record, name, actor, session) for name in record.__admin__.inline],
    }
    if timeline.is_entry(record):
        found |= {"changes": timeline.find_changes(session, record, actor), "subject": _subject(record, actor)}
    return found


def _subject(entry: Recorded, actor: Actor) -> dict[str, Any] | None:
    """Return the link to the record that a history entry speaks of, for whoever may open or restore it."""
    gone = timeline.deleted_by(entry)
    if gone is not None and may_restore(gone[0], actor):
        return {"label": _("Restore the record"), "url": addresses.key_url(*gone, "restore")}
    cell = show.subject(entry, actor)
    return {"label": _("Open the record"), "url": addresses.record_url(cell.target)} if cell.target else None


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


def _history(record: Recorded, actor: Actor, session: RecordSession) -> dict[str, Any]:
    before = lookup.parse_key(request.args.get("before", ""))
    entries = timeline.find_entries(session, record, actor, before=before)
    more = len(entries) > timeline.SIZE
    shown = entries[: timeline.SIZE]
    next_url = addresses.record_url(record, tab="history", before=shown[-1].id) if more else None
    return {"entries": [_history_entry(entry, record, actor) for entry in shown], "next_url": next_url}


def _history_entry(entry: timeline.Entry, record: Recorded, actor: Actor) -> dict[str, Any]:
    open_now = _is_open(type(record), Action.update, actor)
    undoable = open_now and any(
        name in entry.fields and not is_fixed(record, name) for name in writable_fields(type(record), actor)
    )
    return {
        "undo_url": addresses.action_url(record, "edit") + f"?earlier={entry.id}" if undoable else None,
        "who": entry.who,
        "sentence": entry.sentence,
        "when": show.when(entry.at),
        "when_iso": entry.at.isoformat(),
        "door": entry.door,
        "icon": _EVENT_ICONS.get(entry.event, "lightning"),
        "changes": entry.changes,
    }
