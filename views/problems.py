"""Refusals as the API words them: RFC 9457 problem details, one shape for all of them."""

from __future__ import annotations

import logging
import secrets
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Flask, Response, request
from flask import json as flask_json
from flask_babel import lazy_gettext as _l
from flask_jwt_extended.exceptions import JWTExtendedException
from jwt.exceptions import PyJWTError
from sqlalchemy.exc import DataError
from werkzeug.exceptions import HTTPException

from backoffice.database import UNREACHABLE, refusal_of
from backoffice.errors import DomainError, Forbidden, InvalidRecord, NotFound, Text, Unavailable

log = logging.getLogger(__name__)

_KNOWN = frozenset(status.value for status in HTTPStatus)
#: Everything below this path answers with problems, never with pages.
API_PREFIX = "/api/"
PROBLEM_TYPE = "application/problem+json"


def is_api_request() -> bool:
    """Say whether the caller is a program that expects problems rather than pages."""
    return request.path.startswith(API_PREFIX)


def wants_problem() -> bool:
    """Say whether the answer goes to a program or to a script of our pages, neither of which can show a page."""
    accepted = request.accept_mimetypes
    return is_api_request() or (accepted.accept_json and not accepted.accept_html)


def problem(status: int, detail: str = "", *, headers: dict[str, str] | None = None, **members: Any) -> Response:
    """Return the problem document of ``status``; ``members`` that are None are left out.

    The title is for programs and stays English; the detail is for people and is translated.
    """
    title = HTTPStatus(status).phrase if status in _KNOWN else "Error"
    document = {"type": "about:blank", "title": title, "status": status, "detail": detail or title}
    document.update({name: value for name, value in members.items() if value is not None})
    return Response(flask_json.dumps(document), status, {"Cache-Control": "no-store", **(headers or {})}, PROBLEM_TYPE)


def problem_of(error: DomainError, *, detail: str = "", **members: Any) -> Response:
    """Return the problem document of a refusal, with ``errors`` by field where it concerns fields."""
    errors: dict[str, str] | None = None
    if isinstance(error, InvalidRecord):
        errors = {field: str(text) for field, text in error.problems.items()}
    elif error.field:
        errors = {error.field: str(error)}
    return problem(error.status, detail or str(error), errors=errors, code=type(error).__name__, **members)


def problem_of_http(error: HTTPException) -> Response:
    """Return the problem document of what Flask or Werkzeug refused; its own headers stay (Allow, Retry-After)."""
    status = error.code or 500
    kept = {name: value for name, value in error.get_headers() if name.lower() in ("allow", "retry-after")}
    return problem(status, _sentence(status), headers=kept)


def problem_of_token(error: Exception) -> Response:
    """Return 401 for a missing, wrong or expired token, without saying which part of it was wrong."""
    log.info("API token refused: %s", type(error).__name__)
    return problem(401, _sentence(401), headers={"WWW-Authenticate": "Bearer"})


def problem_of_crash(error: Exception) -> Response:
    """Return 500 with a reference number that the log has beside the trace; the answer has neither trace nor SQL."""
    reference = secrets.token_hex(4).upper()
    log.error("Unexpected error, reference %s", reference, exc_info=error)
    return problem(500, _sentence(500), reference=reference)


def answer_with_problems(blueprint: Blueprint) -> None:
    """Make every error inside ``blueprint`` a problem document, before the application's pages are asked."""
    blueprint.register_error_handler(DomainError, problem_of)
    blueprint.register_error_handler(HTTPException, problem_of_http)
    blueprint.register_error_handler(Exception, problem_of_crash)
    blueprint.register_error_handler(DataError, _value_refused)
    blueprint.register_error_handler(JWTExtendedException, problem_of_token)
    blueprint.register_error_handler(PyJWTError, problem_of_token)
    for kind in UNREACHABLE:
        blueprint.register_error_handler(kind, problem_of_database)


def register_problems(app: Flask) -> None:
    """Give the remaining errors below ``/api/`` the same shape: unknown paths and the toolkit's own endpoints.

    They answer ``{"message": ...}``, ``{"msg": ...}`` or a page; by the time the answer leaves, it is a problem.
    """
    app.after_request(_reshaped)


def _reshaped(response: Response) -> Response:
    if response.status_code < 400 or not is_api_request() or response.mimetype == PROBLEM_TYPE:
        return response
    kept = ("Allow", "Retry-After", "WWW-Authenticate")
    # 422 is what the token library answers to a malformed token.
    body = response.get_json(silent=True)
    about_token = response.status_code == 422 and isinstance(body, dict) and "msg" in body
    status = 401 if about_token else response.status_code
    answer = problem(
        status,
        _sentence(status),
        errors=_errors_in(response),
        headers={name: response.headers[name] for name in kept if name in response.headers},
    )
    response.set_data(answer.get_data())
    response.status_code = status
    response.headers["Content-Type"] = PROBLEM_TYPE
    return response


def _errors_in(response: Response) -> dict[str, str] | None:
    """Return the toolkit's messages by field, which marshmallow words; other texts of it may hold SQL."""
    body = response.get_json(silent=True)
    message = body.get("message") if isinstance(body, dict) else None
    if response.status_code not in (400, 422) or not isinstance(message, dict):
        return None
    lists = {field: texts if isinstance(texts, list) else [texts] for field, texts in message.items()}
    return {str(field): " ".join(map(str, texts)) for field, texts in lists.items()}


def problem_of_database(error: Exception) -> Response:
    """Return 503 for a database that did not answer, or not in time."""
    log.error("The database did not answer", exc_info=error)
    return problem_of(refusal_of(error))


def _value_refused(error: DataError) -> Response:
    log.warning("The database refused a value", exc_info=error)
    return problem(422, str(_l("A value cannot be stored.")))


def _sentence(status: int) -> str:
    """Return what a status means, for people, in their language."""
    return str(_SENTENCES.get(status) or (_BROKEN if status >= 500 else _REFUSED))


_REFUSED: Text = _l("The request was refused.")
_BROKEN: Text = _l("Something went wrong on our side. It has been noted under the reference number.")
_SENTENCES: dict[int, Text] = {
    400: _l("The request cannot be understood."),
    401: _l("Sign in first: the request carries no valid token."),
    403: Forbidden.template,
    404: NotFound.template,
    405: _l("This address does not accept this method."),
    413: _l("This is too large."),
    415: _l("Send JSON, with the content type application/json."),
    428: _l("Say which version you are changing: send If-Match with the ETag of the record."),
    429: _l("Too many requests: try again in a moment."),
    503: Unavailable.template,
}
