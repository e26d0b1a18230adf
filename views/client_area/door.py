"""The client area's door: which portal a request is for, in which language, and whose account makes it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from flask import Flask, abort, current_app, g, request, session, url_for

from backoffice import clock
from backoffice.actors import ANONYMOUS, SYSTEM, Context, Door
from backoffice.database import RecordSession, begin_writing, open_session
from backoffice.operations.client_sessions import note_use
from backoffice.passwords import digest_of
from backoffice.portals import SEEN_EVERY, Client, find_client, find_portal
from models.account_preference import PreferenceKey
from models.portal import Portal
from views import door
from views.interrupted import sign_in_first

LANGUAGES = ("it", "en")
#: Where the browser keeps what it is known by, and the portal somebody chose.
TOKEN, CHOSEN = "token", "portal"


def install(app: Flask) -> None:
    """Give each request of ``app`` its language, portal and account."""
    app.url_value_preprocessor(_take_language)
    app.url_defaults(_keep_language)
    app.before_request(_enter)


def _take_language(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    if values and "lang" in values:
        lang = values.pop("lang")
        if lang not in LANGUAGES:
            abort(404)
        g.lang = lang


def _keep_language(endpoint: str, values: dict[str, Any]) -> None:
    if current_app.url_map.is_endpoint_expecting(endpoint, "lang"):
        values.setdefault("lang", language())


def language() -> str:
    """Return the language of this request: of its address, else the one the browser prefers among ours."""
    if "lang" not in g:
        first = request.path.split("/")[1]
        g.lang = first if first in LANGUAGES else request.accept_languages.best_match(LANGUAGES) or LANGUAGES[0]
    return str(g.lang)


def portal() -> Portal:
    """Return the client area that this request is for."""
    return g.portal  # type: ignore[no-any-return]


def client() -> Client | None:
    """Return whose account makes this request, if any does."""
    return getattr(g, "client", None)


def rows_a_page() -> str:
    """Return how many rows the person wants on a page; empty for the shipped number."""
    found = client()
    return found.preferences.get(PreferenceKey.page_size, "") if found is not None else ""


def _enter() -> None:
    """Find out where a request goes and who makes it; nobody else's host name is served."""
    g.door, g.actor = Door.client_area, ANONYMOUS
    if request.endpoint and request.endpoint.endswith("static"):
        return
    now = clock.now()
    with as_product() as records:
        found = find_portal(records, _host(), _chosen_portal(), own_hosts=current_app.config["OWN_HOSTS"])
        if found is None:
            abort(421)
        g.portal = found
        if TOKEN in session:
            since = now - current_app.permanent_session_lifetime
            g.client = find_client(records, digest_of(str(session[TOKEN])), found, since=since)
    if client() is not None:
        g.actor = g.client.actor
        _note_use(g.client, now)


def _host() -> str:
    """Return the host name that the browser asked for, without its port."""
    name = request.host
    return name[1 : name.index("]")] if name.startswith("[") and "]" in name else name.partition(":")[0]


def _chosen_portal() -> str:
    """Return the code of the portal that the address, or an earlier one of the same browser, asks for."""
    wanted = request.args.get("portal", "")[:40]
    if wanted and wanted != session.get(CHOSEN):
        session[CHOSEN] = wanted.upper()
    return str(session.get(CHOSEN, ""))


def _note_use(found: Client, now: datetime) -> None:
    if now - found.seen_at < SEEN_EVERY:
        return
    with as_product(writes=True) as records:
        note_use(records, found.session_id, now)


@contextmanager
def as_product(*, writes: bool = False, account_id: int | None = None) -> Iterator[RecordSession]:
    """Open a session in which the product acts, for those who are known by a form, a link or a cookie alone; what it
    wrote is committed at the end.

    ``account_id``: the account that somebody uses or has just shown to be theirs, for the history.
    """
    # For the portal's own corporate group, once that is known: what is new is its, and nobody else's is looked at.
    group_id = g.portal.group_id if "portal" in g else None
    if writes:
        # One writes at a time on SQLite, and what a form looked at first holds the place.
        door.close_session()
    context = Context(replace(SYSTEM, group_id=group_id), Door.client_area, account_id=account_id)
    with begin_writing(writes), open_session(door.engine(), context) as records, records.begin():
        yield records


def sign_in_url() -> str:
    """Return where whoever is not signed in signs in, and is led back from."""
    wanted = request.full_path.rstrip("?") if request.method == "GET" else None
    return url_for("clients.login", next=wanted)


def start_session(token: str) -> None:
    """Begin a session of its own for whoever signed in: what the browser brought before is gone, but the portal."""
    chosen = session.get(CHOSEN)
    session.clear()
    g.pop("csrf_token", None)  # made for the session that has just ended
    session.permanent = True
    session[TOKEN] = token
    if chosen:
        session[CHOSEN] = chosen


def end_session() -> None:
    """Let the browser be nobody again."""
    chosen = session.get(CHOSEN)
    session.clear()
    g.pop("csrf_token", None)
    if chosen:
        session[CHOSEN] = chosen


__all__ = [
    "LANGUAGES",
    "as_product",
    "client",
    "end_session",
    "install",
    "language",
    "portal",
    "rows_a_page",
    "sign_in_first",
    "sign_in_url",
    "start_session",
]
