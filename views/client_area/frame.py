"""What every page of the client area has around it, and how the area is put together."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, abort, g, redirect, render_template, request, url_for
from flask_babel import Babel
from flask_babel import gettext as _
from sqlalchemy import Engine

import views.door
from backoffice.actors import Action
from backoffice.errors import Forbidden
from backoffice.operations.portal_logos import find_logo
from backoffice.outbox import has_demonstration
from backoffice.portals import OWN_HOSTS
from backoffice.records import show
from models.account import Account
from models.account_preference import PreferenceKey
from models.contract import Contract
from models.ticket import Ticket
from views import addresses, errors, fragments, interrupted
from views.client_area import (
    accessibility,
    asking,
    calendar,
    complaints,
    door,
    files,
    following,
    notices,
    pages,
    papers,
    passwords,
    privacy,
    profile,
    registration,
    requests,
    sign_in,
    tickets,
)
from views.client_area.blueprint import area
from views.generated.section import NotIncluded, register_sections

#: What of the sections stands at the top; all of them are on the start page.
_IN_NAVIGATION = ((Ticket, "headset"), (Contract, "file-earmark-text"), (Account, "people"))
#: A portal's colour and what is mixed from it; dark pages keep the shipped ones, which are made for them.
_COLOURS = """:root[data-bs-theme="light"] {{
  --accent: {0}; --accent-ink: {0}; --accent-hover: color-mix(in srgb, {0} 82%, black);
  --accent-soft: color-mix(in srgb, {0} 12%, white); --accent-line: color-mix(in srgb, {0} 38%, white);
}}
"""
#: The modules whose pages the blueprint has by now.
_PAGES = (
    accessibility, asking, calendar, complaints, files, following, notices, pages, papers, passwords, privacy, profile,
    registration, requests, sign_in, tickets,
)  # fmt: skip


def install(app: Flask, engine: Engine, *, own_host: str = "") -> None:
    """Give ``app`` the client area's pages, each under its language.

    ``own_host``: the name under which the whole installation is reached, where a portal may be chosen.
    """
    app.config["OWN_HOSTS"] = OWN_HOSTS | ({own_host} if own_host else set())
    app.config.setdefault("LEAST_FORM_SECONDS", 3)
    app.config.setdefault("LEAST_ANSWER_SECONDS", 0.5)
    Babel(app, locale_selector=door.language)
    fragments.install(app)
    views.door.install(app, engine)
    door.install(app)
    app.register_blueprint(area)
    register_sections(app)
    app.add_url_rule("/", "start", _start)
    app.add_url_rule("/portal.css", "portal_css", _portal_css)
    app.add_url_rule("/portal.png", "portal_logo", _portal_logo)
    errors.install(app, _error_page)
    interrupted.install(app, sign_in.ENTRANCE)
    app.context_processor(_around)


def _start() -> Any:
    return redirect(url_for("clients.login"))


def _around() -> dict[str, Any]:
    """Return what every template of the client area knows beside its page."""
    return {"lang": door.language(), "site": _site()}


def _site() -> dict[str, Any]:
    portal = getattr(g, "portal", None)
    if portal is None:
        return {}
    client = door.client()
    return {
        "name": portal.name,
        "legal": [line for line in (portal.legal_footer or "").splitlines() if line.strip()],
        "logo_url": url_for("portal_logo", v=portal.logo_digest[:12]) if portal.logo_digest else None,
        "accent_url": url_for("portal_css", v=f"{portal.id}-{portal.version}") if portal.accent else None,
        "home_url": url_for("clients.dashboard") if client else url_for("clients.login"),
        "languages": _languages(),
        "navigation": _navigation() if client else [],
        "user": _user() if client else None,
        "theme": client.preferences.get(PreferenceKey.theme) if client else None,
        "links": [
            {"label": _("Conditions of service"), "url": url_for("clients.conditions")},
            {"label": _("Privacy notice"), "url": url_for("clients.privacy_notice")},
            {"label": _("Accessibility statement"), "url": url_for("clients.accessibility")},
        ],
        "printed": show.printed(client.full_name) if client else None,
        "demo": _is_demonstration(),
    }


def _languages() -> list[dict[str, Any]]:
    """Return this page in each language; what a form was sent to has its first page there."""
    endpoint, values = request.endpoint or "clients.login", dict(request.view_args or {})
    if not area_endpoint(endpoint):
        endpoint, values = "clients.login", {}
    query: dict[str, Any] = {} if request.method == "POST" else request.args.to_dict(flat=False)
    return [
        {"code": code, "url": url_for(endpoint, **values, **query, lang=code), "current": code == door.language()}
        for code in door.LANGUAGES
    ]


def area_endpoint(endpoint: str) -> bool:
    """Say whether an endpoint is a page under a language that a link may open."""
    return endpoint.startswith(("clients.", "client_area_")) and "end" not in endpoint.rpartition(".")[2].split("_")


def _navigation() -> list[dict[str, Any]]:
    actor, here, client = views.door.current_actor(), request.path, door.client()
    if client is not None and client.is_restricted:
        return []
    found: list[dict[str, Any]] = [{"label": _("Services"), "url": url_for("clients.dashboard"), "icon": "grid"}]
    found += [
        {"label": entity.__admin__.plural, "url": addresses.list_url(entity), "icon": icon}
        for entity, icon in _IN_NAVIGATION
        if actor.may(Action.read, entity) and (entity is not Account or actor.is_referent)
    ]
    start = found[0]["url"]
    return [
        link | {"current": here == link["url"] if link["url"] == start else here.startswith(link["url"])}
        for link in found
    ]


def _user() -> dict[str, Any]:
    client = door.client()
    assert client is not None
    initials = "".join(word[0] for word in client.full_name.split()[:2]).upper()
    return {
        "name": client.full_name,
        "company": client.company_name,
        "initials": initials,
        "profile_url": None if client.is_restricted else url_for("clients.profile"),
        "privacy_url": url_for("clients.privacy"),
        "logout_url": url_for("clients.logout"),
        "notices_url": None if client.is_restricted else url_for("clients.notices"),
        "unread": client.unread,
    }


def _is_demonstration() -> bool:
    if "demonstration" not in g:
        with door.as_product() as records:
            g.demonstration = has_demonstration(records)
    return bool(g.demonstration)


def _portal_logo() -> Response:
    """Return the portal's logo."""
    with door.as_product() as records:
        content = find_logo(records, g.portal.id)
    if content is None:
        abort(404)
    response = Response(content, mimetype="image/png")
    response.headers["Cache-Control"] = "private, max-age=86400"
    return response


def _portal_css() -> Response:
    """Return the portal's colour as a style sheet: the policy allows no styles inside pages."""
    accent = getattr(g.portal, "accent", None)
    response = Response(_COLOURS.format(accent) if accent else "", mimetype="text/css")
    response.headers["Cache-Control"] = "private, max-age=3600"
    return response


def _error_page(page: dict[str, Any]) -> str:
    home = (
        (url_for("clients.dashboard"), _("Your services"))
        if door.client()
        else (url_for("clients.login"), _("Go to the sign-in page"))
    )
    page |= {"home_url": home[0], "home_label": home[1]}
    if page["text"] == str(Forbidden.template):
        page["text"] = str(NotIncluded.template)
    return render_template("client_error.html", page=page)
