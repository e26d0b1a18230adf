"""The page of the bell, which desk and client area have in common: what it shows, and what its forms do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import flash, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from backoffice.actors import Actor
from backoffice.errors import NotFound
from backoffice.mail.rendering import TEMPLATES
from backoffice.operations.bell import (
    SHOWN,
    Reader,
    choose_ways,
    chosen_ways,
    find_notices,
    kinds_for,
    mark_all_read,
    mark_read,
)
from backoffice.records import show, subjects
from backoffice.records.lookup import parse_key
from models.base import ENTITIES, Recorded
from models.notice import NoticeWay
from views import addresses

#: What the names of the choices begin with in the form.
_WAY = "way_"


def notices_page(session: Session, reader: Reader, actor: Actor) -> dict[str, Any]:
    """Return what the page shows: the notices, and how the reader wants to hear of each kind of event."""
    rows = [row for row in find_notices(session, reader) if row.event in TEMPLATES]
    found = subjects.find(session, [(row.cause_entity, row.cause_id) for row in rows], actor, every=True)
    ways = chosen_ways(session, reader)
    return {
        "title": _("Notices"),
        "new": sum(row.read_at is None for row in rows),
        "notices": [_notice(row, found.get((row.cause_entity, row.cause_id)), actor) for row in rows],
        "more": len(rows) == SHOWN,
        "kinds": [
            {
                "name": f"{_WAY}{template.name}",
                "label": template.label,
                "way": (NoticeWay.mail if template.always_mailed else ways.get(template.name, NoticeWay.mail)).value,
                "fixed": template.always_mailed,
            }
            for template in kinds_for(reader.audience)
        ],
        "ways": [{"value": way.value, "label": way.label} for way in NoticeWay],
        "action": request.script_root + request.path,
    }


def _notice(row: Any, record: Recorded | None, actor: Actor) -> dict[str, Any]:
    entity = ENTITIES.get(row.cause_entity)
    return {
        "id": row.id,
        "label": TEMPLATES[row.event].label,
        "about": show.label(record, actor) if record is not None else "",
        "icon": entity.__admin__.icon if entity is not None else "bell",
        "when": show.when(row.at),
        "new": row.read_at is None,
    }


def take_notices(session: Session, reader: Reader, actor: Actor) -> str:
    """Do what a form of the page asks; return where to go next, or nothing to stay. Does not commit.

    :raises NotFound: there is no such notice, or no such way to hear of it.
    """
    if "open" in request.form:
        key = parse_key(request.form["open"])
        if key is None:
            raise NotFound
        return _address(session, mark_read(session, reader, key), actor)
    if "all" in request.form:
        mark_all_read(session, reader)
        flash(_("All notices are read."), "good")
    else:
        wanted = {name.removeprefix(_WAY): way for name, way in request.form.items() if name.startswith(_WAY)}
        choose_ways(session, reader, wanted)
        flash(_("Saved."), "good")
    return ""


def _address(session: Session, cause: tuple[str, int], actor: Actor) -> str:
    """Return where the record is that a notice is about; nothing where the reader has no page of it."""
    records: Sequence[Recorded] = list(subjects.find(session, [cause], actor).values())
    return addresses.record_url(records[0]) if records else ""
