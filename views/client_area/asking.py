"""What referents ask for from within: services, accounts for colleagues, and the end of accounts (AC-11, AC-12)."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from backoffice.actors import Action, Actor
from backoffice.errors import InvalidRecord
from backoffice.operations.attempt_counters import TooManyAttempts
from backoffice.operations.service_requests import ask_as_client, offers_of
from backoffice.records.lookup import get_record
from models.account import Account
from models.activation_request import ActivationRequest, RequestKind
from models.outbox_mail import MailLanguage
from models.portal import Portal
from views import addresses, interrupted
from views.client_area import door, limits
from views.client_area.blueprint import area
from views.door import current_actor, current_session
from views.generated.section import add_section_link

_TYPED = ("account_name", "account_email", "note")


@area.route("/ask/service/", methods=["GET", "POST"])
def ask_service() -> Any:
    """Ask for further online services."""
    return _ask(RequestKind.service)


@area.route("/ask/account/", methods=["GET", "POST"])
def ask_account() -> Any:
    """Ask for an account for a colleague."""
    return _ask(RequestKind.additional_account)


@area.route("/account/<pk>/change/", methods=["GET", "POST"])
def ask_change(pk: str) -> Any:
    """Ask that a colleague's account get wider or narrower access."""
    if door.client() is None:
        return door.sign_in_first()
    current_actor().require(Action.create, ActivationRequest)
    return _ask(RequestKind.scope_change, about=get_record(current_session(), Account, pk))


@area.route("/account/<pk>/end/", methods=["GET", "POST"])
def ask_end(pk: str) -> Any:
    """Ask that an account of the company be deleted."""
    if door.client() is None:
        return door.sign_in_first()
    current_actor().require(Action.create, ActivationRequest)
    account: Any = get_record(current_session(), Account, pk)
    if request.method == "POST":
        return _send(RequestKind.account_deletion, about=account)
    page = {"name": account.full_name, "username": account.username, "cancel_url": addresses.record_url(account)}
    return render_template("client_end_account.html", page=page)


def _ask(kind: RequestKind, *, about: Account | None = None) -> Any:
    if door.client() is None:
        return door.sign_in_first()
    current_actor().require(Action.create, ActivationRequest)
    if request.method != "POST" or interrupted.resumed():
        return _form(kind, about)
    try:
        return _send(kind, about=about)
    except InvalidRecord as error:
        return _form(kind, about, {name: str(text) for name, text in error.problems.items()}), error.status
    except TooManyAttempts as error:
        return _form(kind, about, {"note": str(error)}), error.status


def _send(kind: RequestKind, *, about: Account | None = None) -> Any:
    client = door.client()
    assert client is not None
    limits.count("ask")
    chosen = [int(key) for key in request.form.getlist("service") if key.isascii() and key.isdigit() and len(key) < 10]
    with door.as_product(writes=True, account_id=client.actor.account_id) as records:
        made = ask_as_client(
            records,
            records.get_one(Account, client.actor.id),
            records.get_one(Portal, door.portal().id),
            kind,
            language=MailLanguage[door.language()],
            services=chosen,
            note=request.form.get("note", ""),
            name=request.form.get("account_name", ""),
            email=request.form.get("account_email", ""),
            about=records.get(Account, about.id) if about is not None else None,
        )
        limits.count_taken(records, "ask", client.email, most=limits.PER_ACCOUNT)
        number = made.number
    flash(_("We have your request %(number)s and answer it by mail.", number=number), "good")
    return redirect(addresses.list_url(ActivationRequest), 303)


def _heading(kind: RequestKind, about: Account | None) -> str:
    if kind is RequestKind.scope_change and about is not None:
        return _("Ask for other access for %(name)s", name=about.full_name)
    return _("Ask for a service") if kind is RequestKind.service else _("Ask for another account")


def _form(kind: RequestKind, about: Account | None, problems: dict[str, str] | None = None) -> str:
    with door.as_product() as records:
        offers = offers_of(records, door.portal())
    chosen = request.form.getlist("service")
    page = {
        "heading": _heading(kind, about),
        "for_account": kind is RequestKind.additional_account,
        "for_change": kind is RequestKind.scope_change,
        "offers": [{"offer": offer, "chosen": str(offer.id) in chosen} for offer in offers],
        "typed": {name: request.form.get(name, "") for name in _TYPED},
        "problems": problems or {},
        "resumed": interrupted.resumed(),
        "back_url": url_for("clients.dashboard") if about is None else addresses.record_url(about),
    }
    return render_template("client_ask.html", page=page)


def _end_link(account: Account, actor: Actor) -> dict[str, Any] | None:
    """Offer referents to ask for the end of a colleague's account."""
    if not actor.may(Action.create, ActivationRequest) or account.id == actor.account_id:
        return None
    label = _("Ask for the account to be deleted")
    return {"label": label, "icon": "person-x", "url": url_for("clients.ask_end", pk=account.id)}


def _change_link(account: Account, actor: Actor) -> dict[str, Any] | None:
    """Offer referents to ask for other access for an account of the company."""
    if not actor.may(Action.create, ActivationRequest):
        return None
    label = _("Ask for other access")
    return {"label": label, "icon": "sliders", "url": url_for("clients.ask_change", pk=account.id)}


add_section_link(Account, _change_link)
add_section_link(Account, _end_link)
