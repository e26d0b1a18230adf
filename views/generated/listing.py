"""The page of a list: what ``list.html`` shows, from a checked query."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from flask import current_app, render_template, request
from flask_babel import format_decimal
from flask_babel import gettext as _
from markupsafe import Markup
from werkzeug.datastructures import MultiDict
from werkzeug.utils import cached_property

from backoffice.actors import Action, Actor
from backoffice.database import RecordSession, time_limited
from backoffice.errors import BadRequest
from backoffice.lifecycles import transitions_open
from backoffice.records import filters as record_filters
from backoffice.records import show, subjects
from backoffice.records.cursors import last_cursor
from backoffice.records.figures import countable, points_at_people
from backoffice.records.lookup import relations_of
from backoffice.records.pages import SIZES, Page, Query, find_page, read_query, sortable
from models.base import Recorded
from models.catalogue import Field, Kind
from views import addresses
from views.fragments import fragment
from views.generated.column_layout import column_parts, column_room, widest_column
from views.generated.filter_forms import editable_filter, filter_groups, filter_value

NUMERIC = frozenset({Kind.integer, Kind.decimal, Kind.money, Kind.minutes})
#: So many rows are printed at most: some thirty sheets of paper.
PRINTED = 1_000
#: Where a column's longest word gives it the next width, in characters, and what the widest takes, in rem.
_STEPS = (8, 12, 18)
_WIDEST = 16.75  # with the menu of the row


#: What stands for the address of the row in the menus that rows share.
_ADDRESS = "--address--"

#: Further entries of the menu of a row; they must ask the database nothing.
RowLink = Callable[[Any, Actor], dict[str, Any] | None]
_row_links: dict[type[Recorded], list[RowLink]] = {}


def add_row_link(entity: type[Recorded], link: RowLink) -> None:
    """Offer what ``link(record, actor)`` returns, ``{label, icon, url}`` or None, in the menu of each row."""
    _row_links.setdefault(entity, []).append(link)


class Listing:
    """One list as asked for by the address of the current request, or by ``args``, for one actor."""

    def __init__(
        self,
        entity: type[Recorded],
        actor: Actor,
        *,
        fixed: tuple[tuple[str, int], ...] = (),
        size: str = "",
        args: MultiDict[str, str] | None = None,
    ) -> None:
        self.entity, self.actor = entity, actor
        self.args = request.args if args is None else args
        args = MultiDict({"n": size}) if size else self.args
        self.query: Query = read_query(
            entity,
            actor,
            filters=args.getlist("f"),
            term=args.get("q", ""),
            sort=args.get("s", ""),
            size=args.get("n", self.usual_size()),
            cursor=args.get("k", ""),
        )
        #: Whether the page is made to be printed: whole, and without what one does on a screen.
        self.printing = "print" in args and not fixed
        if self.printing:
            self.query = replace(self.query, size=PRINTED, cursor="")
        if fixed:
            self.query = Query(**{**self.query.__dict__, "fixed": fixed})
        self.columns = self._columns([name for part in args.getlist("c") for name in part.split(",") if name])
        self.parts = column_parts(entity, self.columns)

    def usual_size(self) -> str:
        """Return how many rows a page has where the address does not say; empty for the shipped number."""
        return ""

    def _columns(self, wanted: list[str]) -> list[Field]:
        if not wanted:
            fixed = {name for name, _key in self.query.fixed}
            default = self.default_columns()
            return [field for field in default if field.column not in fixed] or default
        known = {field.name: field for field in self.every_column()}
        unknown = [name for name in wanted if name not in known]
        if unknown:
            raise BadRequest(reason=_("there is no column “%(name)s”.", name=unknown[0][:50]))
        return [known[name] for name in dict.fromkeys(wanted)]

    def default_columns(self) -> list[Field]:
        """Return the columns that the list has unless the address names others."""
        return show.shown_fields(self.entity, self.entity.__admin__.list_columns)

    def every_column(self) -> list[Field]:
        """Return all columns that one may ask for."""
        return show.all_columns(self.entity)

    def find(self, session: RecordSession) -> Page:
        """Return the rows, within the time people wait for a list."""
        with time_limited(session, current_app.config["STATEMENT_TIMEOUT_MS"]):
            page = find_page(session, self.query, relations=relations_of(self.entity, [f.name for f in self.columns]))
        subjects.look_up(session, page.rows, self.actor)
        return page

    def kept(self, *without: str) -> list[tuple[str, str]]:
        """Return the parameters of the address but the cursor and those named."""
        left_out = {"k", "print", *without}
        return [(k, v) for k, v in self.args.items(multi=True) if k not in left_out and not k.startswith("f_")]

    def url(self, *without: str, **more: str) -> str:
        pairs = [*self.kept(*without, *more), *((k, v) for k, v in more.items() if v)]
        return here(pairs)

    def page(self, session: RecordSession) -> dict[str, Any]:
        """Return everything ``list.html`` shows."""
        admin, found = self.entity.__admin__, self.find(session)
        may_add = self.actor.may(Action.create, self.entity)
        add_url = addresses.add_url(self.entity) if may_add else None
        return {
            "singular": admin.label,
            "plural": admin.plural,
            "icon": admin.icon,
            "count_text": count_text(found),
            "order_text": self._order_text(),
            **self._table(found),
            **self._narrowing(),
            "chooser": self._chooser(),
            **self.paging(found),
            "add_url": add_url,
            "add_label": _("Add %(entity)s", entity=show.in_sentence(admin.label)),
            "empty": self._empty(add_url),
            "figures_url": self._figures_url(),
            **(self._to_print(found) if self.printing else {"print_url": self.url("n", print="1")}),
        }

    def _figures_url(self) -> str | None:
        """Return where the rows found are counted, where there is something to count by."""
        shown = {field.name for field in self.every_column()}
        by = any(field.name in shown for field in countable(self.entity, self.actor))
        if self.query.fixed or self.is_of_people or not by:
            return None
        pairs = [pair for pair in self.kept() if pair[0] in ("f", "q")]
        return addresses.figures_url(self.entity) + (f"?{urlencode(pairs)}" if pairs else "")

    @property
    def is_of_people(self) -> bool:
        """Whether the list is narrowed to what single people do, others than whoever asks: that is not counted."""
        mine = {self.actor.staff_id}
        return any(points_at_people(item.field) and set(item.values) - mine for item in self.query.filters)

    def page_filters(self) -> list[dict[str, Any]]:
        """Return the filters as people read them."""
        return [self._chip(item) for item in self.query.filters]

    def _to_print(self, found: Page) -> dict[str, Any]:
        """Return what is otherwise on the page that is made to be printed."""
        notice = None
        if found.next:
            notice = _(
                "Only the first %(number)s rows are printed, of %(all)s. Filters make the list shorter.",
                number=format_decimal(len(found.rows)),
                all=count_text(found),
            )
        return {"printing": True, "notice": notice, "list_url": self.url(), "chooser": [], "sizes": [], "add_url": None}

    def _order_text(self) -> str:
        """Return by what the list is sorted where no heading says it, because that column is not shown."""
        field = self.query.sort_field
        if field in self.columns:
            return ""
        what, down = show.in_sentence(field.label), self.query.descending
        if field.kind not in (Kind.date, Kind.datetime):
            return _("in reverse order of %(what)s", what=what) if down else _("sorted by %(what)s", what=what)
        if down:
            return _("sorted by %(what)s, latest first", what=what)
        return _("sorted by %(what)s, earliest first", what=what)

    def _table(self, found: Page) -> dict[str, Any]:
        """Return columns and rows, and the room that the columns take: as much as the longest word of this page."""
        rows = [self._row(record) for record in found.rows]
        widest, columns, room = widest_column(self.entity, self.columns), [], _WIDEST
        for place, field in enumerate(self.columns):
            column = self._column(field) | {"part": self.parts.get(field.name, ""), "widest": field.name == widest}
            heading = len(str(field.label)) + (1 if column["sort_url"] else 0)
            longest = max([heading, *(len(row["cells"][place].text) for row in rows)])
            column["step"] = next((n for n, length in enumerate(_STEPS, 1) if longest < length), len(_STEPS) + 1)
            room += 0 if field.name == widest else column_room(field, column["step"])
            columns.append(column)
        return {"columns": columns, "rows": rows, "room": "s" if room <= 50 else "m" if room <= 75 else "l"}

    def _column(self, field: Field) -> dict[str, Any]:
        direction = None
        if self.query.sort_field is field:
            direction = "descending" if self.query.descending else "ascending"
        sort_url = None
        if field.name in sortable(self.entity, self.actor):
            sort_url = self.url(s=f"-{field.name}" if direction == "ascending" else field.name)
        return {
            "name": field.name,
            "label": str(field.label),  # each row repeats it
            "kind": field.kind.value,
            "badge": field.badge,
            "numeric": field.kind in NUMERIC,
            "sort_url": sort_url,
            "direction": direction,
        }

    def _row(self, record: Recorded) -> dict[str, Any]:
        cells = [dressed(show.cell(record, field, self.actor)) for field in self.columns]
        return {
            "id": record.id,
            "version": getattr(record, "version", None),
            "url": addresses.record_url(record),
            "title": show.label(record, self.actor),
            "cells": cells,
            "main": self._main(cells),
            "menu": self._menu(record),
        }

    def _main(self, cells: list[show.Cell]) -> int:
        """Return which cell leads to the record: the title, else the first that leads nowhere else."""
        free = [i for i, c in enumerate(cells) if not (c.url or c.masked or c.unavailable or c.empty)]
        titles = [i for i in free if self.parts.get(self.columns[i].name) == "title"]
        return (titles or free or [0])[0]

    def _menu(self, record: Recorded) -> Markup | None:
        """Return what one may do with the row: of the same state it is the same but for the address."""
        if self.printing:
            return None
        verbs = transitions_open(record, self.actor)
        more = [found for link in _row_links.get(self.entity, ()) if (found := link(record, self.actor))]
        values = {"may_edit": self._may_edit, "verbs": verbs, "more": more, "address": _ADDRESS}
        if more:  # they lead elsewhere from each row
            menu = Markup(render_template("_row_menu.html", **values))  # noqa: S704  # what a template has escaped
        else:
            menu = fragment("_row_menu.html", (self.entity, self._may_edit, *(verb.name for verb in verbs)), **values)
        return menu.replace(_ADDRESS, addresses.record_url(record))

    @cached_property
    def _may_edit(self) -> bool:
        admin = self.entity.__admin__
        return not (admin.append_only or admin.written_by_verbs) and self.actor.may(Action.update, self.entity)

    def _narrowing(self) -> dict[str, Any]:
        admin = self.entity.__admin__
        available = self._offered_filters()
        searched = [
            show.in_sentence(f.label)
            for f in show.shown_fields(self.entity, admin.search_columns)
            if f.name not in self.query.masked
        ]
        return {
            "filters": self.page_filters(),
            "clear_url": self.url("f", "q"),
            "filter_groups": filter_groups(self.entity, list(available)),
            "filter_action": here(),
            "kept": self.kept(),
            "search": {
                "term": self.query.term,
                "placeholder": _("Search: %(columns)s", columns=", ".join(searched[:3])),
            }
            if searched
            else None,
        }

    def _offered_filters(self) -> list[Field]:
        return record_filters.offered(self.entity, self.actor)

    def _chip(self, item: record_filters.Filter) -> dict[str, Any]:
        others = [("f", str(other)) for other in self.query.filters if other is not item]
        pairs = [*self.kept("f"), *others]
        return {
            "subject": item.field.label,
            "relation": item.operator.label,
            "value": filter_value(item),
            "remove_url": here(pairs),
            "text": str(item),
            "edit": editable_filter(item),
        }

    def _chooser(self) -> list[dict[str, Any]]:
        shown = {field.name for field in self.columns}
        every = [*self.columns, *(f for f in self.every_column() if f.name not in shown)]
        return [{"name": f.name, "label": f.label, "shown": f.name in shown} for f in every]

    def paging(self, found: Page) -> dict[str, Any]:
        """Return the ways on from a page, and where one is."""
        shown, more = len(found.rows), found.next is not None or found.previous is not None
        text = ""
        if shown and found.start is not None:
            text = _(
                "Rows %(first)s–%(last)s",
                first=format_decimal(found.start),
                last=format_decimal(found.start + shown - 1),
            )
        return {
            "sizes": [{"size": n, "url": self.url(n=str(n)), "current": n == self.query.size} for n in SIZES]
            if found.count > SIZES[0]
            else [],
            "size": self.query.size,
            "range_text": text,
            "first_url": self.url() if self.query.cursor else None,
            "previous_url": self.url() + self._joint() + f"k={found.previous}" if found.previous else None,
            "next_url": self.url() + self._joint() + f"k={found.next}" if found.next else None,
            "last_url": self.url() + self._joint() + f"k={last_cursor(self.query)}" if more and found.next else None,
        }

    def _joint(self) -> str:
        return "&" if self.kept() else "?"

    def _empty(self, add_url: str | None) -> dict[str, Any]:
        if self.query.filters or self.query.term:
            return {
                "icon": "search",
                "title": _("Nothing matches"),
                "text": _(
                    "No record meets all the conditions: remove one of the filters or search for something else."
                ),
                "url": self.url("f", "q"),
                "label": _("Remove all filters"),
            }
        return {
            "icon": self.entity.__admin__.icon,
            "title": _("Nothing here yet"),
            "text": _("Add the first one, or import a spreadsheet.")
            if add_url
            else _("There is nothing you may see here."),
            "url": add_url,
            "label": _("Add %(entity)s", entity=show.in_sentence(self.entity.__admin__.label)),
        }


def here(pairs: list[tuple[str, str]] | None = None) -> str:
    """Return the address of this page with other parameters, under whatever the desk is mounted."""
    path = request.script_root + request.path
    return f"{path}?{urlencode(pairs)}" if pairs else path


def dressed(cell: show.Cell) -> show.Cell:
    """Give a cell the address of what it points at."""
    if cell.target is not None:
        return replace(cell, url=addresses.record_url(cell.target))
    return replace(cell, url=cell.href) if cell.href else cell


def count_text(page: Page) -> str:
    """Return the size of a list as people want to know it: exact while small, then rounded, then capped."""
    if page.capped:
        return _("more than %(number)s", number=format_decimal(page.count - 1))
    if page.count >= 1_000:
        return _("about %(number)s", number=format_decimal(round(page.count, -1)))
    return str(format_decimal(page.count))
