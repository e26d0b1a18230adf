"""The client area's door, at the stable addresses ``/it/login/`` and ``/en/login/``."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, abort, current_app, g, redirect, render_template, request, url_for
from flask_babel import Babel

from backoffice.actors import ANONYMOUS, Context, Door
from backoffice.database import begin_writing, open_session
from backoffice.texts import text_values
from models.outbox_mail import MailLanguage
from views import errors

LANGUAGES = ("it", "en")

#: Nobody is known here yet: the words are for everybody.
_CONTEXT = Context(ANONYMOUS, Door.client_area)

area = Blueprint("clients", __name__, url_prefix="/<lang>")


def install(app: Flask) -> None:
    """Give ``app`` the client area's pages, each under its language."""
    Babel(app, locale_selector=_language)
    app.register_blueprint(area)
    app.add_url_rule("/", "start", _start)
    errors.install(app, _error_page)
    app.context_processor(lambda: {"lang": _language()})


@area.url_value_preprocessor
def _take_language(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    lang = (values or {}).pop("lang", None)
    if lang not in LANGUAGES:
        abort(404)
    g.lang = lang


@area.url_defaults
def _keep_language(_endpoint: str, values: dict[str, Any]) -> None:
    values.setdefault("lang", _language())


def _start() -> Any:
    return redirect(url_for("clients.login", lang=_wanted_language()))


def _language() -> str:
    """Return the language of this request; an address that is no page of ours may still say one."""
    if "lang" not in g:
        g.lang = _wanted_language()
    return str(g.lang)


def _wanted_language() -> str:
    """Return the language the address begins with, else the one the browser prefers among ours."""
    first = request.path.split("/")[1]
    return first if first in LANGUAGES else request.accept_languages.best_match(LANGUAGES) or LANGUAGES[0]


@area.route("/login/")
def login() -> str:
    """Show the sign-in page; signing in opens with the client area itself."""
    languages = [
        {"code": code, "url": url_for("clients.login", lang=code), "current": code == g.lang} for code in LANGUAGES
    ]
    with begin_writing(False), open_session(current_app.extensions["engine"], _CONTEXT) as session:
        texts = text_values(session, MailLanguage[g.lang])
    return render_template("client_login.html", page={"languages": languages, "texts": texts})


def _error_page(page: dict[str, Any]) -> str:
    return render_template("client_error.html", page={**page, "home_url": url_for("clients.login")})
