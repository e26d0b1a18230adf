"""The address of a list as something to keep or to send along: its parameters, and nothing else."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from backoffice.errors import BadRequest
from views.generated.listing import Listing

#: What makes a list: filters, search, order, columns, rows a page.
PARAMETERS = ("f", "q", "s", "c", "n")
#: The parameter that says which saved view a list began with.
VIEW = "v"
#: Characters of the longest address that is kept.
LONGEST = 4_000


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
