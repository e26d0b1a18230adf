"""The figures of a list as a page: counted by a column or by month, as a picture and as a table (issue 6)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask import current_app, request
from flask_babel import gettext as _
from flask_babel import pgettext

from backoffice.database import RecordSession, time_limited
from backoffice.errors import BadRequest
from backoffice.records.figures import Figure, Figures, countable, find_figures, summable
from models.catalogue import Field, Kind
from models.values import show_number
from views import addresses
from views.generated.listing import Listing, here

#: How high the columns of a picture by month are, in its own units, and how far apart they stand.
_HEIGHT, _STEP, _WIDTH = 120, 28, 20
#: So many months have a word under them at most: every second one, of more every third and so on.
_WORDS = 13


def figures_page(listing: Listing, session: RecordSession) -> dict[str, Any]:
    """Return what ``figures.html`` shows of a list as the address of this request asks for.

    :raises BadRequest: the list cannot be counted so.
    """
    entity, actor = listing.entity, listing.actor
    if listing.is_of_people:
        raise BadRequest(reason=_("the work of single people is not measured (art. 4 L. 300/1970)."))
    ways, amounts = _offered(listing, countable(entity, actor)), _offered(listing, summable(entity, actor))
    by = _chosen(ways, request.args.get("by", "")) or (ways[0] if ways else None)
    of = _chosen(amounts, request.args.get("of", ""))
    found = Figures([], Decimal(0))
    if by is not None:
        with time_limited(session, current_app.config["STATEMENT_TIMEOUT_MS"]):
            found = find_figures(session, listing.query, by, of, actor)
    admin = entity.__admin__
    return {
        "singular": admin.label,
        "plural": admin.plural,
        "icon": admin.icon,
        "list_url": addresses.list_url(entity, **_list_query(listing)),
        "action": here(),
        "kept": [(k, v) for k, v in listing.kept("by", "of", "c", "s", "n")],
        "ways": [{"name": f.name, "label": f.label, "current": f is by} for f in ways],
        "amounts": [{"name": f.name, "label": f.label, "current": f is of} for f in amounts],
        "heading": _heading(by, of),
        "measure": of.label if of else pgettext("figures", "Records"),
        "by": by.label if by else "",
        "bars": [_bar(listing, bar, found, of) for bar in found.bars],
        "columns": _columns(found) if found.is_time else None,
        "rest": _shown(of, found.rest) if found.rest_count else "",
        "rest_count": found.rest_count,
        "total": _shown(of, found.total),
        "filters": listing.page_filters(),
    }


def _offered(listing: Listing, found: list[Field]) -> list[Field]:
    """Return those of the fields that the list shows to whoever looks."""
    shown = {field.name for field in listing.every_column()}
    return [field for field in found if field.name in shown]


def _chosen(fields: list[Field], name: str) -> Field | None:
    if not name:
        return None
    found = next((field for field in fields if field.name == name), None)
    if found is None:
        raise BadRequest(reason=_("the list cannot be counted by “%(name)s”.", name=name[:50]))
    return found


def _heading(by: Field | None, of: Field | None) -> str:
    if by is None:
        return ""
    if of is None:
        return _("Records by %(by)s", by=by.label)
    return _("%(of)s by %(by)s", of=of.label, by=by.label)


def _list_query(listing: Listing) -> dict[str, Any]:
    kept = [pair for pair in listing.kept("by", "of", "c", "s", "n") if pair[0] in ("f", "q")]
    return {"f": [v for k, v in kept if k == "f"], **({"q": listing.query.term} if listing.query.term else {})}


def _bar(listing: Listing, bar: Figure, found: Figures, of: Field | None) -> dict[str, Any]:
    query = _list_query(listing)
    query["f"] = [*query["f"], bar.condition] if bar.condition else query["f"]
    largest = _largest(found)
    return {
        "label": bar.label,
        "text": _shown(of, bar.value),
        "width": round(100 * max(bar.value, Decimal(0)) / largest, 1) if largest else 0,
        "share": f"{show_number(round(100 * bar.value / found.total, 1))} %" if found.total else "",
        "url": addresses.list_url(listing.entity, **query),
    }


def _largest(found: Figures) -> Decimal:
    values: list[Decimal] = [bar.value for bar in found.bars]
    return max(values, default=Decimal(0))


def _columns(found: Figures) -> dict[str, Any]:
    """Return the picture of a time: a column a month, the words under some of them."""
    largest = _largest(found)
    every = max(2, -(-len(found.bars) // _WORDS))
    shapes = []
    for place, bar in enumerate(found.bars):
        height = round(float(_HEIGHT * max(bar.value, Decimal(0)) / largest), 1) if largest else 0
        shapes.append(
            {
                "x": place * _STEP,
                "y": round(_HEIGHT - height, 1),
                "height": height,
                "word": bar.label if place % every == 0 else "",
                "title": f"{bar.label}: {show_number(bar.value)}",
            }
        )
    return {"shapes": shapes, "width": max(6, len(shapes)) * _STEP, "height": _HEIGHT, "bar": _WIDTH}


def _shown(of: Field | None, value: Decimal) -> str:
    if of is None:
        return show_number(value)
    text = of.show(int(value) if of.kind in (Kind.integer, Kind.minutes) else value)
    return f"{text} {of.unit}" if of.unit else text


__all__ = ["figures_page"]
