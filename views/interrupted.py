"""A form that arrives after the session it was made in has ended: what was typed is kept until it can be sent again.

The values travel inside the person's own page, never through the server's memory: with the sign-in form, then with a
form that leads back to the one they were typed in. Nothing is saved on the way: the person does that, as before.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app, redirect, render_template, request
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import RequestRedirect

from views import errors
from views.addresses import local_path
from views.problems import problem, wants_problem

#: Names of what a form carries beside its own fields.
TOKEN, KEPT, RESUMED = "csrf_token", "kept", "resumed"
#: More than this is no form that somebody filled in by hand.
LONGEST = 500_000


@dataclass(frozen=True)
class Entrance:
    """How people come into an application, and which of its forms take back what was typed into them."""

    #: How the endpoints of those forms begin.
    forms: tuple[str, ...]
    #: Whether somebody has come in.
    is_in: Callable[[], bool]
    #: The address of the sign-in page.
    sign_in_url: Callable[[], str]
    #: The sign-in page itself, from an address to go to afterwards and what was typed, to carry along.
    sign_in_page: Callable[[str, str], str]
    #: What stands around the page that leads back to the form.
    frame: str


def install(app: Flask, entrance: Entrance) -> None:
    """Answer forms of ``app`` whose session has ended with a way on, not with a dead end."""
    app.extensions["entrance"] = entrance
    app.register_error_handler(CSRFError, _expired)


def resumed() -> str:
    """Say whether the form was sent only to be shown again, as it was when the session ended; empty where not.

    ``files``: some had been chosen, which no page can carry along.
    """
    return request.form.get(RESUMED, "") if request.method == "POST" else ""


def sign_in_first() -> Any:
    """Lead a stranger to the sign-in page; what they sent comes along, where it was typed into a form of ours."""
    if request.method == "POST" and wants_problem():
        return problem(401, _("Your session has ended: sign in again."))
    if request.method != "POST" or not _is_keepable():
        return redirect(_entrance().sign_in_url())
    return _entrance().sign_in_page(_address(), _kept()), 403


def resume(kept: str) -> str | None:
    """Return the page that leads back to the form whose values ``kept`` holds; None where it holds none."""
    values = _read(kept)
    if values is None:
        return None
    path, pairs, how = values
    return render_template(
        "resume.html", page={"frame": _entrance().frame, "action": path, "fields": [*pairs, (RESUMED, how)]}
    )


def _entrance() -> Entrance:
    return current_app.extensions["entrance"]  # type: ignore[no-any-return]


def _expired(error: CSRFError) -> Any:
    is_in = _entrance().is_in()
    if wants_problem():
        return problem(400 if is_in else 401, _("Your session has ended: sign in again."))
    if not _is_keepable():
        return errors.refused_by_http(error)
    if is_in:
        # Signed out and in again elsewhere: the token is of the earlier session.
        return resume(_kept()), 400
    return sign_in_first()


def _is_keepable() -> bool:
    """Say whether the request is a form that takes back what was typed, sent by a page of our own.

    Browsers say where a form comes from. One of another site must not be offered for sending.
    """
    own = request.headers.get("Origin", "") == f"{request.scheme}://{request.host}"
    takes_back = (request.endpoint or "").startswith(_entrance().forms)
    return own and takes_back and len(_kept()) <= LONGEST


def _address() -> str:
    return request.script_root + request.full_path.rstrip("?")


def _kept() -> str:
    pairs = [[name, value] for name, value in request.form.items(multi=True) if name not in (TOKEN, RESUMED)]
    has_files = any(file.filename for file in request.files.values())
    return json.dumps([_address(), pairs, "files" if has_files else "typed"])


def _read(kept: str) -> tuple[str, list[tuple[str, str]], str] | None:
    try:
        path, pairs, how = json.loads(kept)
        found = [(str(name), str(value)) for name, value in pairs]
        str([*found, how]).encode()  # lone surrogates are no text that anybody typed
        return (path, found, str(how)) if _takes_back(path) else None
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None


def _takes_back(path: str) -> bool:
    """Say whether the address is that of a form that knows what to do with what comes back."""
    inside = local_path(path).removeprefix(request.script_root)
    try:
        endpoint, _values = current_app.url_map.bind("").match(inside.partition("?")[0], method="POST")
    except (NotFound, MethodNotAllowed, RequestRedirect):
        return False
    return str(endpoint).startswith(_entrance().forms)
