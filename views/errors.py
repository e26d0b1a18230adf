"""What people see when something is refused or goes wrong: a sentence and a way on, never a trace."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from flask import Flask, current_app, g, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import AnonymousUserMixin
from werkzeug.exceptions import HTTPException

from backoffice.actors import ANONYMOUS, Action, Actor
from backoffice.database import UNREACHABLE, refusal_of
from backoffice.errors import DomainError, NotFound
from backoffice.identity import find_administrators
from models.base import ENTITIES
from models.catalogue import slug
from views import addresses
from views.door import current_actor, fresh_session, reading_as_system
from views.problems import problem_of_http, wants_problem

_log = logging.getLogger(__name__)


#: Makes the page of an error out of ``code``, ``title``, ``text``, ``reference`` and ``retry``.
ErrorPage = Callable[[dict[str, Any]], str]


def install(app: Flask, page: ErrorPage) -> None:
    """Answer every error of ``app`` with ``page``; errors of the API are answered by the API."""
    app.extensions["error_page"] = page
    app.register_error_handler(DomainError, _refused)
    app.register_error_handler(HTTPException, refused_by_http)
    for kind in UNREACHABLE:
        app.register_error_handler(kind, _database)
    app.register_error_handler(sa.exc.DataError, _data)
    app.register_error_handler(Exception, _unexpected)


def titles(status: int) -> str:
    """Return the heading of an error page."""
    known = {
        400: _("The request cannot be understood"),
        403: _("Not allowed"),
        404: _("Not found"),
        405: _("Not possible here"),
        409: _("Changed in the meantime"),
        413: _("Too large"),
        415: _("Not the right kind of file"),
        422: _("Not saved"),
        429: _("Too many attempts"),
        503: _("Not available at the moment"),
    }
    return known.get(status) or (_("Something went wrong") if status >= 500 else _("Not possible"))


def answer(status: int, text: str, *, reference: str | None = None) -> tuple[str, int]:
    """Return the application's page for an error."""
    page = {
        "code": status,
        "title": titles(status),
        "text": text,
        "reference": reference,
        "retry": status == 503 and request.method == "GET",
    }
    return current_app.extensions["error_page"](page), status


def desk_page(page: dict[str, Any]) -> str:
    """Return the desk's page for an error, in the frame where the request got that far."""
    page |= {"home_url": _home(), **_ways_on(page["code"])}
    if page["code"] < 500:
        try:
            fresh_session()  # what was tried and refused must not show through the frame
            return render_template("error.html", page=page)
        except sa.exc.SQLAlchemyError:
            _log.exception("The error page could not be framed")
    _ask_nobody()
    return render_template("error.html", page=page, frame=None)


def _ask_nobody() -> None:
    """Have the page made without asking the database who is there: that may be just what failed."""
    g.actor = ANONYMOUS
    g._login_user = AnonymousUserMixin()  # where Flask-Login keeps it


def _ways_on(code: int) -> dict[str, Any]:
    """Return what helps from here: the list one was in, or the names of those who could allow what was refused."""
    if code not in (403, 404):
        return {}
    try:
        actor = current_actor()
        if actor.staff_id is None or actor.must_change_password:
            return {}
        if code == 404:
            return _way_back(actor)
        with reading_as_system() as records:
            names = find_administrators(records, actor)
        text = _("Who can change what your role may do: %(names)s.", names=", ".join(names))
        return {"ask": text} if names else {}
    except (RuntimeError, sa.exc.SQLAlchemyError):
        _log.exception("The error page could not be completed")
        return {}


def _way_back(actor: Actor) -> dict[str, Any]:
    name = request.path.strip("/").removeprefix("grid/").split("/")[0]
    entity = next((found for found in ENTITIES.values() if slug(found) == name), None)
    if entity is None or not actor.may(Action.read, entity):
        return {}
    label = _("Back to the list: %(entities)s", entities=entity.__admin__.plural)
    return {"back_url": addresses.list_url(entity), "back_label": label}


def _home() -> str:
    try:
        return url_for("Home.index")
    except (RuntimeError, KeyError, ValueError):
        return "/"


def _refused(error: DomainError) -> Any:
    actor = current_actor()
    if isinstance(error, NotFound) and actor.account_id is not None:
        # Clients find their own rows by links: whoever asks for others is guessing, or holds an old one.
        _log.warning("Account %s asked for %r, which is not there or not theirs", actor.account_id, request.path)
    return answer(error.status, str(error))


def refused_by_http(error: HTTPException) -> Any:
    """Answer what Flask or Werkzeug refuses: with a page, or for scripts that ask for JSON with a problem."""
    status = error.code or 500
    if status < 400:
        return error
    if wants_problem():
        return problem_of_http(error)
    texts = {
        400: _("The form has expired or the request is damaged: go back, reload the page and try again."),
        404: _("There is nothing at this address, or you may not see it."),
        405: _("This address cannot be used in this way."),
        413: _("What was sent is too large. Go back: there it can be sent without its files, or with smaller ones."),
        429: _("Please wait a little and try again."),
    }
    body, code = answer(status, texts.get(status, _("The request cannot be carried out.")))
    headers = [(k, v) for k, v in error.get_headers() if k in ("Allow", "Retry-After")]
    return body, code, headers


def _database(error: Exception) -> Any:
    _log.error("The database did not answer", exc_info=error)
    refusal = refusal_of(error)
    return answer(refusal.status, str(refusal))


def _data(error: Exception) -> Any:
    _log.info("The database refused a value: %s", type(error).__name__)
    return answer(422, _("A value cannot be stored."))


def _unexpected(error: Exception) -> Any:
    reference = secrets.token_hex(4).upper()
    _log.exception("Unexpected error, reference %s", reference, exc_info=error)
    return answer(
        500, _("The mistake is ours and has been written down. Nothing was saved by halves."), reference=reference
    )
