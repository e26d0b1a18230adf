"""The address of a list as something to keep or to send along: its parameters, and nothing else."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import request
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from backoffice.errors import BadRequest
from models.base import Recorded
from views import addresses
from views.generated.listing import Listing, here

#: What makes a list: filters, search, order, columns, rows a page.
PARAMETERS = ("f", "q", "s", "c", "n")
#: The parameter that says which saved view a list began with.
VIEW = "v"
#: Characters of the longest address that is kept.
LONGEST = 4_000


def canonical_filter() -> str:
    """Return the list's address with the filter just added to it, in the form addresses have."""
    values = [value for value in request.args.getlist("f_value") if value.strip()]
    operator = request.args.get("f_op", "")
    joined = "..".join(request.args.getlist("f_value")) if operator == "between" else ",".join(values)
    kept = [(k, v) for k, v in request.args.items(multi=True) if not k.startswith("f_") and k != "k"]
    added = f"{request.args['f_field']}:{operator}:{joined}"
    return here([*kept, ("f", added)])


def exports_of(entity: type[Recorded]) -> list[dict[str, Any]]:
    """Return the ways to a spreadsheet of the list that the request shows: with its filters, search and order."""
    query, found = request.query_string.decode(), []
    for kind, label, icon in (
        ("xlsx", _("Excel (XLSX)"), "file-earmark-spreadsheet"),
        ("csv", _("CSV"), "filetype-csv"),
    ):
        address = addresses.export_url(entity, kind)
        shown, every = f"{address}?{query}", f"{address}?{query}&all=1".replace("?&", "?")
        found += [
            {"label": _("%(format)s, the columns shown", format=label), "icon": icon, "url": shown},
            {"label": _("%(format)s, all columns", format=label), "icon": icon, "url": every},
        ]
    return found


def address_of(listing: Listing) -> str:
    """Return the parameters of a list as one text."""
    return urlencode([pair for pair in listing.kept() if pair[0] in PARAMETERS and pair[1]])


def read_address(address: str) -> MultiDict[str, str]:
    """Return the parameters that a text made by ``address_of`` holds; whatever else it says is left out.

    :raises BadRequest: it is longer than any list's.
    """
    if len(address) > LONGEST:
        raise BadRequest(reason=_("it asks for too much at once."))
    pairs = parse_qsl(address, max_num_fields=100)
    return MultiDict([pair for pair in pairs if pair[0] in PARAMETERS])


def same_list(one: str, other: str) -> bool:
    """Say whether two texts ask for the same list."""
    return sorted(parse_qsl(one)) == sorted(parse_qsl(other))
