"""A form that arrives after the session it was made in has ended: what was typed is kept until it can be sent again.

The values travel inside the person's own page, never through the server's memory: with the sign-in form, then with a
form that leads back to the one they were typed in. Nothing is saved on the way: the person does that, as before.
"""

from __future__ import annotations

import json
from typing import Any

from flask import Flask, current_app, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import RequestRedirect

from views import errors
from views.addresses import local_path
from views.problems import problem, wants_problem

#: Names of what a form carries beside its own fields.
TOKEN, KEPT, RESUMED = "csrf_token", "kept", "resumed"
#: How the endpoints of forms of records begin.
RECORD_FORMS = ("desk_", "ActivationView.", "CallDesk.", "TicketBulkView.")
#: More than this is no form that somebody filled in by hand.
LONGEST = 500_000


def install(app: Flask) -> None:
    """Answer forms of ``app`` whose session has ended with a way on, not with a dead end."""
    app.register_error_handler(CSRFError, _expired)


def is_resumed() -> bool:
    """Say whether the form was sent only to be shown again, as it was when the session ended."""
    return request.method == "POST" and RESUMED in request.form


def sign_in_first() -> Any:
    """Lead a stranger to the sign-in page; what they sent comes along, where it was typed into a form of ours."""
    if request.method == "POST" and wants_problem():
        return problem(401, _("Your session has ended: sign in again."))
    if request.method != "POST" or not _is_keepable():
        return redirect(url_for("SignInView.login", next=request.full_path))
    page = {"error": None, "next": _address(), "kept": _kept()}
    return render_template("login.html", page=page, form=None), 403


def resume(kept: str) -> str | None:
    """Return the page that leads back to the form whose values ``kept`` holds; None where it holds none."""
    values = _read(kept)
    if values is None:
        return None
    path, pairs = values
    return render_template("resume.html", page={"action": path, "fields": [*pairs, (RESUMED, "1")]})


def _expired(error: CSRFError) -> Any:
    if wants_problem():
        return problem(401 if not current_user.is_authenticated else 400, _("Your session has ended: sign in again."))
    if not _is_keepable():
        return errors.refused_by_http(error)
    if current_user.is_authenticated:
        # Signed out and in again elsewhere: the token is of the earlier session.
        return resume(_kept()), 400
    return sign_in_first()


def _is_keepable() -> bool:
    """Say whether the request is a form of a record that this desk's own page has sent.

    Browsers say where a form comes from. One of another site must not be offered for sending.
    """
    own = request.headers.get("Origin", "") == f"{request.scheme}://{request.host}"
    of_record = (request.endpoint or "").startswith(RECORD_FORMS)
    return own and of_record and not request.files and len(_kept()) <= LONGEST


def _address() -> str:
    return request.script_root + request.full_path.rstrip("?")


def _kept() -> str:
    pairs = [[name, value] for name, value in request.form.items(multi=True) if name not in (TOKEN, RESUMED)]
    return json.dumps([_address(), pairs])


def _read(kept: str) -> tuple[str, list[tuple[str, str]]] | None:
    try:
        path, pairs = json.loads(kept)
        found = [(str(name), str(value)) for name, value in pairs]
        str(found).encode()  # lone surrogates are no text that anybody typed
        return (path, found) if _is_of_record(path) else None
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None


def _is_of_record(path: str) -> bool:
    """Say whether the address is that of a form of a record: only they know what to do with what comes back."""
    inside = local_path(path).removeprefix(request.script_root)
    try:
        endpoint, _values = current_app.url_map.bind("").match(inside.partition("?")[0], method="POST")
    except (NotFound, MethodNotAllowed, RequestRedirect):
        return False
    return str(endpoint).startswith(RECORD_FORMS)
