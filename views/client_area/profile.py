"""One's own profile: name, numbers, address, password, how pages look, and where one is signed in (AC-39 to AC-42)."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, session, url_for
from flask_babel import force_locale
from flask_babel import gettext as _

from backoffice.errors import DomainError, InvalidRecord
from backoffice.operations.client_accounts import NUMBERS, change_own_account_password, change_profile, contact_of
from backoffice.operations.client_sessions import end_session
from backoffice.operations.new_addresses import ask_for_address, find_account_of_address, take_address
from backoffice.operations.preferences import choose_preferences
from backoffice.portals import Client
from backoffice.records import show
from models.account import Account
from models.account_preference import CHOICES, PreferenceKey
from models.account_session import AccountSession
from models.catalogue import fields
from models.contact import Contact
from models.outbox_mail import MailLanguage
from models.values import UtcInstant
from views.client_area import door, limits
from views.client_area.blueprint import area
from views.door import current_session
from views.new_passwords import password_rules, typed_twice

#: Where the token waits while the page is open: in the address it would end up in histories and logs.
_TOKEN = "new_address"  # noqa: S105  # a name, not a secret


@area.route("/profile/", methods=["GET", "POST"])
def profile() -> Any:
    """Show and change what the account says of its person, its password, and where it is signed in."""
    client = door.client()
    if client is None:
        return door.sign_in_first()
    if client.is_restricted:
        return redirect(url_for("clients.privacy"))
    if request.method != "POST":
        return _profile()
    try:
        if "new" in request.form:
            _change_password(client.actor.account_id or 0, client.session_id)
            flash(_("The password is changed. You are signed out everywhere else."), "good")
        elif "preferences" in request.form:
            return _keep_preferences(client)
        elif "new_email" in request.form:
            _ask_for_address(client)
            flash(_("We have sent a link to the new address: it counts once you have followed the link."), "good")
        else:
            with door.as_product(writes=True, account_id=client.actor.account_id) as records:
                change_profile(records, records.get_one(Account, client.actor.id), request.form)
            flash(_("Saved."), "good")
    except InvalidRecord as error:
        return _profile({name: str(text) for name, text in error.problems.items()}), error.status
    except DomainError as error:
        return _profile({error.field or "full_name": str(error)}), error.status
    return redirect(url_for("clients.profile"), 303)


def _keep_preferences(client: Client) -> Any:
    """Keep how the person wants their pages, and go on in the language they have chosen."""
    wanted = {key: request.form.get(key.value, "") for key in PreferenceKey}
    with door.as_product(writes=True, account_id=client.actor.account_id) as records:
        choose_preferences(records, records.get_one(Account, client.actor.id), wanted)
    with force_locale(wanted[PreferenceKey.language] or door.language()):
        flash(_("Saved."), "good")
    return redirect(url_for("clients.profile", lang=wanted[PreferenceKey.language] or door.language()), 303)


def _preferences(client: Client) -> list[dict[str, Any]]:
    names = {"it": "Italiano", "en": "English", "light": _("Light"), "dark": _("Dark"), "auto": _("As the system")}
    usual = {PreferenceKey.language: _("As the page")}
    return [
        {
            "name": key.value,
            "label": key.label,
            "options": [
                {"value": "", "label": usual.get(key, _("As usual"))},
                *({"value": value, "label": names.get(value, value)} for value in values),
            ],
            "value": client.preferences.get(key, ""),
        }
        for key, values in CHOICES.items()
    ]


def _change_password(account_id: int, session_id: int) -> None:
    old, new = request.form.get("current", ""), typed_twice()
    with door.as_product(writes=True) as records:
        account = records.get_one(Account, account_id)
        change_own_account_password(records, account, old, new, session_id=session_id)


def _ask_for_address(client: Client) -> None:
    address = request.form.get("new_email", "").strip()[:254]
    limits.count("address", address)
    with door.as_product(writes=True, account_id=client.actor.account_id) as records:
        account, password = records.get_one(Account, client.actor.id), request.form.get("address_password", "")
        ask_for_address(records, account, address, password, language=MailLanguage[door.language()])


def _person(client: Client) -> dict[str, Any]:
    """Return what the profile says of how the person is reached: as typed just now, else as it stands."""
    with door.as_product() as records:
        account = records.get_one(Account, client.actor.id)
        contact = contact_of(account)
        numbers = {name: fields(Contact)[name].show(getattr(contact, name)) for name in NUMBERS} if contact else {}
        awaited = account.new_email
    return {
        "awaited": awaited,
        "new_email": request.form.get("new_email", ""),
        "numbers": [
            {"name": name, "label": fields(Contact)[name].label, "value": request.form.get(name, number or "")}
            for name, number in numbers.items()
        ],
    }


def _profile(problems: dict[str, str] | None = None) -> str:
    client = door.client()
    assert client is not None
    places = {"old_password": "address_password" if "new_email" in request.form else "current", "password": "new"}
    own = sa.select(AccountSession).where(
        AccountSession.account_id == client.actor.account_id, AccountSession.ended_at.is_(None)
    )
    found = current_session().scalars(own.order_by(AccountSession.seen_at.desc()).limit(50)).all()
    page = {
        "username": client.username,
        "email": client.email,
        "full_name": request.form.get("full_name", client.full_name),
        "company": client.company_name,
        **_person(client),
        "problems": {places.get(k, k): v for k, v in (problems or {}).items()},
        "rules": password_rules(),
        "preferences": _preferences(client),
        "sessions": [
            {
                "browser": _browser(one.browser or ""),
                "address": one.address,
                "since": UtcInstant().show(one.created_at),
                "seen": show.when(one.seen_at),
                "current": one.id == client.session_id,
                "end_url": url_for("clients.end_one", session_id=one.id),
            }
            for one in found
        ],
    }
    return render_template("client_profile.html", page=page)


#: What browsers and systems call themselves, the more special first.
_BROWSERS = {"Edg": "Edge", "OPR": "Opera", "Firefox": "Firefox", "Chrome": "Chrome", "Safari": "Safari"}
_SYSTEMS = {
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Windows": "Windows",
    "Mac OS": "macOS",
    "Linux": "Linux",
}


def _browser(agent: str) -> str:
    """Return in two words what a browser is, as far as it can be told from what it calls itself."""
    known = next((name for mark, name in _BROWSERS.items() if mark in agent), "")
    system = next((name for mark, name in _SYSTEMS.items() if mark in agent), "")
    if known and system:
        return _("%(browser)s on %(system)s", browser=known, system=system)
    return known or system or _("Unknown browser")


@area.route("/profile/sessions/<int:session_id>/end", methods=["POST"])
def end_one(session_id: int) -> Any:
    """End another browser's session, or one's own."""
    client = door.client()
    if client is None:
        return door.sign_in_first()
    with door.as_product(writes=True, account_id=client.actor.account_id) as records:
        end_session(records, session_id, account_id=client.actor.account_id or 0)
    if session_id == client.session_id:
        session.clear()
        return redirect(url_for("clients.login"), 303)
    flash(_("That browser is signed out."), "good")
    return redirect(url_for("clients.profile"), 303)


@area.route("/address/<token>")
def open_address(token: str) -> Any:
    """Put the token aside and ask: programs that only look at links confirm nothing."""
    session[_TOKEN] = token[:100]
    return redirect(url_for("clients.confirm_address"))


@area.route("/address/", methods=["GET", "POST"])
def confirm_address() -> Any:
    """Ask whether the address is theirs, or have it count from now on."""
    token, page = str(session.get(_TOKEN, "")), {"back_url": url_for("clients.login"), "changes": True}
    try:
        with door.as_product(writes=request.method == "POST") as records:
            account = find_account_of_address(records, token)
            page |= {"name": account.full_name, "email": account.new_email}
            if request.method == "POST":
                take_address(records, token, language=MailLanguage[door.language()])
    except DomainError as error:
        return render_template("client_confirm.html", page={**page, "error": str(error)}), error.status
    if request.method == "POST":
        session.pop(_TOKEN, None)
        page["done"] = "1"
    return render_template("client_confirm.html", page=page)
