"""The sections of the client area: a list, a page and a file for each entity that clients may see (AC-27).

What they show follows from ``Admin.client_columns``; which rows, from the session. Nothing is written here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Flask, redirect, render_template, request
from flask_babel import lazy_gettext as _l

from backoffice.actors import Action, Actor
from backoffice.database import RecordSession
from backoffice.errors import Forbidden
from backoffice.records import show
from backoffice.records.lookup import get_record
from models.base import ENTITIES, Recorded
from models.catalogue import Field, Kind, fields, slug
from views import addresses
from views.client_area import door
from views.door import current_actor, current_session
from views.generated.exporting import respond
from views.generated.figures import figures_page
from views.generated.list_addresses import canonical_filter, exports_of
from views.generated.listing import Listing, dressed

#: Kinds of value that a list has no room for.
_LONG = frozenset({Kind.long_text, Kind.children})
#: So many columns a client reads without scrolling sideways; of more, a list begins with those the desk has.
_ROOM = 8
#: So many rows of a related list stand on the page of a record.
_RELATED = "25"


#: What may be asked for on the page of a record, ``{label, icon, url}`` or None, where there is something.
SectionLink = Callable[[Any, Actor], dict[str, Any] | None]
_links: dict[type[Recorded], list[SectionLink]] = {}


def add_section_link(entity: type[Recorded], link: SectionLink) -> None:
    """Offer what ``link(record, actor)`` returns on the page of each record of ``entity``."""
    _links.setdefault(entity, []).append(link)


#: What stands on the page of a record in place of lists of its parts: a template, what it shows, and the parts.
SectionPanel = Callable[[Any, RecordSession], dict[str, Any]]
_panels: dict[type[Recorded], tuple[str, type[Recorded], SectionPanel]] = {}


def set_section_panel(entity: type[Recorded], template: str, instead_of: type[Recorded], panel: SectionPanel) -> None:
    """Show ``template`` with what ``panel(record, session)`` returns, instead of the list of one kind of part."""
    _panels[entity] = (template, instead_of, panel)


#: What may be done with a list as a whole, ``{label, icon, url}``.
_list_links: dict[type[Recorded], Callable[[], dict[str, Any] | None]] = {}


def set_list_link(entity: type[Recorded], link: Callable[[], dict[str, Any] | None]) -> None:
    """Offer what ``link()`` returns above the list of ``entity``."""
    _list_links[entity] = link


#: Where a row of a list leads, where that is not its page.
_urls: dict[type[Recorded], Callable[[Any], str]] = {}


def set_section_url(entity: type[Recorded], url: Callable[[Any], str]) -> None:
    """Have the rows of ``entity`` lead to ``url(record)``, such as the file itself."""
    _urls[entity] = url


class SectionListing(Listing):
    """A list as clients see it: their columns, without what only staff do."""

    def every_column(self) -> list[Field]:
        return client_fields(self.entity)

    def usual_size(self) -> str:
        return door.rows_a_page()

    def default_columns(self) -> list[Field]:
        found = [field for field in client_fields(self.entity) if field.kind not in _LONG]
        if len(found) <= _ROOM:
            return found
        shown = {field.name for field in found}
        return [field for field in super().default_columns() if field.name in shown]

    def _offered_filters(self) -> list[Field]:
        # What a relation leads to is looked up at the desk.
        shown = {field.name for field in client_fields(self.entity)}
        offered = super()._offered_filters()
        return [field for field in offered if field.name in shown and field.kind is not Kind.relation]

    def _menu(self, record: Recorded) -> None:
        """Return nothing: clients open rows, and do the rest there."""

    def _row(self, record: Recorded) -> dict[str, Any]:
        row = super()._row(record)
        return row | {"url": _urls[self.entity](record)} if self.entity in _urls else row


def client_fields(entity: type[Recorded]) -> list[Field]:
    """Return the fields of an entity that clients see, in the declared order."""
    return show.shown_fields(entity, entity.__admin__.client_columns)


def sections(actor: Actor) -> list[type[Recorded]]:
    """Return the entities that have a section for an account, in the order of the navigation."""
    return [
        entity
        for entity in sorted(ENTITIES.values(), key=lambda entity: entity.__admin__.rank)
        if entity.__admin__.client_section and addresses.has_pages(entity) and actor.may(Action.read, entity)
    ]


def register_sections(app: Flask) -> None:
    """Give ``app`` the pages of every entity that clients may see."""
    for entity in ENTITIES.values():
        if entity.__admin__.client_columns:
            app.register_blueprint(_blueprint(app, entity))


def _blueprint(app: Flask, entity: type[Recorded]) -> Blueprint:
    name = addresses.page_group(app, entity)
    pages = Blueprint(name, __name__, url_prefix=f"/<lang>/{slug(entity)}")
    pages.before_request(_sign_in_first)
    pages.add_url_rule("/", "list", lambda: _list(entity))
    pages.add_url_rule("/export.<kind>", "export", lambda kind: _export(entity, kind))
    pages.add_url_rule("/figures", "figures", lambda: _figures(entity))
    pages.add_url_rule("/<pk>", "record", lambda pk: _record(entity, pk))
    return pages


def _sign_in_first() -> Any:
    """Lead whoever is not signed in to the sign-in page, whatever they ask for, and back afterwards."""
    return door.sign_in_first() if door.client() is None else None


def _list(entity: type[Recorded]) -> Any:
    if "f_field" in request.args:
        return redirect(canonical_filter(), 302)
    actor = _reader(entity)
    page = SectionListing(entity, actor).page(current_session())
    page |= {"exports": exports_of(entity) if actor.may(Action.export, entity) else [], "add_url": None}
    page["link"] = _list_links[entity]() if entity in _list_links else None
    page["empty"] |= {"url": None} if not page["filters"] else {}
    return render_template("client_list.html", page=page)


def _figures(entity: type[Recorded]) -> str:
    page = figures_page(SectionListing(entity, _reader(entity)), current_session())
    return render_template("client_figures.html", page=page)


def _export(entity: type[Recorded], kind: str) -> Any:
    actor = _reader(entity)
    actor.require(Action.export, entity)
    return respond(SectionListing(entity, actor), kind, beside=False)


def _record(entity: type[Recorded], pk: str) -> str:
    actor, session = _reader(entity), current_session()
    record: Any = get_record(session, entity, pk)
    state = next((f for f in client_fields(entity) if f.name == "state"), None)
    page = {
        "title": show.label(record, actor),
        "kind": entity.__admin__.label,
        "icon": entity.__admin__.icon,
        "state": dressed(show.cell(record, state, actor)) if state else None,
        "rows": _details(record, actor),
        "panel": _panel(entity, record, session),
        "parts": [part for field in _parts(entity, actor) if (part := _rows(record, field, actor, session))],
        "links": [found for link in _links.get(entity, ()) if (found := link(record, actor)) is not None],
        "back_url": addresses.list_url(entity),
        "back_label": entity.__admin__.plural,
    }
    return render_template("client_record.html", page=page)


class NotIncluded(Forbidden):
    """Clients have no roles that they know of: what is closed to them is not granted, or suspended."""

    template = _l("Your account does not include this, or the service is suspended at present.")


def _reader(entity: type[Recorded]) -> Actor:
    """Return who reads.

    :raises NotIncluded: their account does not reach that far.
    """
    actor = current_actor()
    if not actor.may(Action.read, entity):
        raise NotIncluded
    return actor


def _details(record: Recorded, actor: Actor) -> list[dict[str, Any]]:
    cells = [(f, dressed(show.cell(record, f, actor))) for f in client_fields(type(record)) if f.name != "state"]
    return [{"label": field.label, "cell": cell} for field, cell in cells if not cell.empty and not cell.unavailable]


def _panel(entity: type[Recorded], record: Recorded, session: RecordSession) -> dict[str, Any] | None:
    if entity not in _panels:
        return None
    template, _part, panel = _panels[entity]
    return {"template": template, **panel(record, session)}


def _parts(entity: type[Recorded], actor: Actor) -> list[Field]:
    """Return the relations by which parts that have no section of their own point at an entity."""
    return [
        field
        for other in ENTITIES.values()
        if other is not (_panels[entity][1] if entity in _panels else None)
        if not other.__admin__.client_section and addresses.has_pages(other) and actor.may(Action.read, other)
        for field in fields(other).values()
        if field.kind is Kind.relation and field.target is entity and not field.secret
    ]


def _rows(record: Recorded, field: Field, actor: Actor, session: RecordSession) -> dict[str, Any] | None:
    """Return the rows that point at a record; None where there are none."""
    assert field.column is not None
    listing = SectionListing(field.entity, actor, fixed=((field.column, record.id),), size=_RELATED)
    page = listing.page(session)
    return page | {"title": field.related or field.entity.__admin__.plural} if page["rows"] else None


__all__ = [
    "NotIncluded",
    "SectionListing",
    "add_section_link",
    "client_fields",
    "register_sections",
    "sections",
    "set_list_link",
    "set_section_panel",
    "set_section_url",
]
