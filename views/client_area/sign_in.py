"""Signing in to the client area and out of it, at the stable addresses ``/it/login/`` and ``/en/login/`` (AC-04)."""

from __future__ import annotations

from typing import Any

from flask import make_response, redirect, render_template, request, url_for

from backoffice.actors import Door
from backoffice.database import RecordSession
from backoffice.errors import DomainError
from backoffice.operations.client_sessions import account_of_session, begin_session, clients_of, end_session
from backoffice.operations.consents import is_to_be_asked
from backoffice.operations.preferences import preferences_of
from backoffice.operations.service_requests import offers_of
from backoffice.operations.sign_in import Attempt, record_sign_out
from backoffice.texts import in_language, text_values
from models.account import Account
from models.account_preference import PreferenceKey
from models.catalogue import fields
from models.outbox_mail import MailLanguage
from models.portal import Portal
from views import interrupted
from views.addresses import local_path
from views.attempts import try_to_enter, with_wait
from views.client_area import door
from views.client_area.blueprint import area


@area.route("/login/", methods=["GET", "POST"])
def login() -> Any:
    """Show the sign-in page, or let somebody in and lead them to where they wanted to go."""
    wanted, kept = local_path(request.values.get("next", "")), request.form.get(interrupted.KEPT, "")
    if door.client() is not None:
        return interrupted.resume(kept) or redirect(wanted or url_for("clients.dashboard"))
    if request.method != "POST":
        return _page(wanted)
    name = request.form.get("username", "")
    try:
        token = _enter(name, request.form.get("password", ""))
    except DomainError as error:
        response = make_response(_page(wanted, error, name, kept), error.status)
        return with_wait(response, error)
    door.start_session(token)
    if _is_to_be_asked(token):
        return redirect(url_for("clients.new_notice", next=wanted), 303)
    place = wanted or url_for("clients.dashboard", lang=_language_of(token))
    return interrupted.resume(kept) or redirect(place, 303)


def _language_of(token: str) -> str:
    """Return the language that whoever has just come in has chosen, else that of the page."""
    with door.as_product() as records:
        chosen = preferences_of(records, account_of_session(records, token)).get(PreferenceKey.language)
    return chosen or door.language()


def _is_to_be_asked(token: str) -> bool:
    """Say whether whoever has just come in is to be asked for consent."""
    with door.as_product() as records:
        return is_to_be_asked(records, account_of_session(records, token))


def _enter(name: str, password: str) -> str:
    """Return the token of a new session.

    What an account waits for is raised after the attempt is written down, so that it is no failure.
    """
    refusal: DomainError | None = None

    def let_in(records: RecordSession, attempt: Attempt) -> str | None:
        nonlocal refusal
        account = records.get(Account, attempt.account_id) if attempt.account_id else None
        if account is None:
            return None
        address, browser = request.remote_addr or "?", request.headers.get("User-Agent", "")
        try:
            return begin_session(records, account, address=address, browser=browser)
        except DomainError as error:
            refusal = error
            return ""

    token = try_to_enter(clients_of(door.portal()), name, password, Door.client_area, let_in)
    if refusal is not None:
        raise refusal
    return token


@area.route("/logout/", methods=["POST"])
def logout() -> Any:
    """Let somebody out; a link could be followed by another site's page, so it takes a form."""
    client = door.client()
    if client is not None:
        address = request.remote_addr or "?"
        with door.as_product(writes=True, account_id=client.actor.account_id) as records:
            end_session(records, client.session_id, account_id=client.actor.account_id or 0)
            record_sign_out(records, client.actor, client.username, address, door=Door.client_area)
    door.end_session()
    return redirect(url_for("clients.login"), 303)


def _page(wanted: str, error: DomainError | None = None, username: str = "", kept: str = "") -> str:
    portal = door.portal()
    with door.as_product() as records:
        texts = text_values(records, portal, MailLanguage[door.language()])
        offers = offers_of(records, portal)
    page = {
        "texts": texts,
        "action": url_for("clients.login"),
        "next": wanted,
        "error": str(error) if error else None,
        "username": username[:254],
        "kept": kept,
        "offers": offers,
        "request_url": url_for("clients.request_service") if portal.requests_open and offers else None,
        "recover_url": url_for("clients.forgotten"),
        "register_url": url_for("clients.register") if portal.registration_open else None,
        "conditions_url": url_for("clients.conditions"),
        "phone": portal.phone and {"text": fields(Portal)["phone"].show(portal.phone), "href": f"tel:{portal.phone}"},
        "email": portal.email,
        "hours": in_language(portal, "hours"),
    }
    return render_template("client_login.html", page=page)


#: What clients write and would lose; asking for an account to be deleted takes a click and no words.
ENTRANCE = interrupted.Entrance(
    forms=(
        "clients.open_new_ticket", "clients.answer", "clients.new_complaint", "clients.ask_service",
        "clients.ask_account", "clients.ask_change",
    ),
    is_in=lambda: door.client() is not None,
    sign_in_url=door.sign_in_url,
    sign_in_page=lambda address, kept: _page(address, kept=kept),
    frame="client_frame.html",
)  # fmt: skip
