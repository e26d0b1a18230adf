"""What a request of the API says: its parameters, its body, and the version it is about."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn
from urllib.parse import urlencode

from flask import request
from flask_babel import gettext as _
from marshmallow import Schema, ValidationError
from werkzeug.exceptions import PreconditionRequired, UnsupportedMediaType

from backoffice.errors import BadRequest, InvalidRecord
from views.generated import schemas

#: A page of the API has at most so many records.
LARGEST_PAGE = 100
#: What If-Match must hold: the ETag of a record, which is its version.
TAG = r'^(?:W/)?"([0-9]{1,9})"$'
_LIST_ARGUMENTS = frozenset({"q", "f", "s", "n", "k"})


def list_arguments() -> dict[str, Any]:
    """Return what the address asks of a list, in the terms of ``read_query``; unknown parameters are refused."""
    unknown = set(request.args) - _LIST_ARGUMENTS
    if unknown:
        raise BadRequest(reason=_("there is no parameter “%(name)s”.", name=min(unknown)[:50]))
    size = request.args.get("n", "")
    if re.fullmatch("[0-9]{1,6}", size) and int(size) > LARGEST_PAGE:
        raise BadRequest(reason=_("a page has 1 to %(limit)s rows.", limit=LARGEST_PAGE))
    return {
        "filters": request.args.getlist("f"),
        "term": request.args.get("q", ""),
        "sort": request.args.get("s", ""),
        "size": size,
        "cursor": request.args.get("k", ""),
    }


def link(cursor: str | None) -> str | None:
    """Return the address of another page of the same list."""
    if cursor is None:
        return None
    kept = [(name, value) for name, value in request.args.items(multi=True) if name != "k"]
    return f"{request.script_root}{request.path}?{urlencode([*kept, ('k', cursor)])}"


def submitted_version() -> int:
    """Return the version that If-Match names; a write without it is refused with 428."""
    raw = request.headers.get("If-Match", "").strip()
    if not raw:
        raise PreconditionRequired
    found = re.fullmatch(TAG, raw)
    if not found:
        raise BadRequest(reason=_("If-Match must hold the ETag of the record."))
    return int(found[1])


def json_object(default: Any = None) -> Any:
    """Return the JSON of the request, read strictly: no NaN, no depth that exhausts the parser."""
    raw = request.get_data()
    if not raw and default is not None:
        return default
    if not request.is_json:
        raise UnsupportedMediaType
    try:
        return json.loads(raw, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise BadRequest(reason=_("the body is not valid JSON.")) from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def load(schema: type[Schema], body: Any) -> dict[str, Any]:
    """Return the values of a request in the form that operations read; unknown names are refused.

    What is missing is theirs to refuse, so that one answer names every problem of the values.
    """
    try:
        return schema().load(body, partial=True)  # type: ignore[no-any-return]
    except ValidationError as error:
        raise InvalidRecord(dict(schemas.flat_errors(error.messages))) from error
