"""Passwords of clients: the link that sets one, and asking for it when it is forgotten (AC-16)."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, session, url_for
from flask_babel import gettext as _

from backoffice.errors import DomainError
from backoffice.operations.client_links import (
    ask_for_password_link,
    choose_account_password,
    find_account_by_link,
)
from backoffice.operations.links import LinkExpired, LinkUsed, NoSuchLink
from models.outbox_mail import MailLanguage
from views.client_area import door, limits
from views.client_area.blueprint import area
from views.new_passwords import password_rules, typed_twice

#: Where the token waits while the page is open: in the address it would end up in histories and logs.
_TOKEN = "password_link"  # noqa: S105  # a name, not a secret
_NO_GOOD = (NoSuchLink, LinkUsed, LinkExpired)


@area.route("/forgotten/", methods=["GET", "POST"])
@limits.evenly
def forgotten() -> Any:
    """Take a user name or address; the answer is the same whether there is such an account or not."""
    page = {"action": url_for("clients.forgotten"), "back_url": url_for("clients.login")}
    if request.method != "POST":
        return render_template("client_forgotten.html", page=page)
    limits.count("forgotten")
    name = request.form.get("username", "").strip()[:254]
    if name:
        with door.as_product(writes=True) as records:
            ask_for_password_link(records, door.portal(), name, language=MailLanguage[door.language()])
    return render_template("client_forgotten.html", page={**page, "done": True})


@area.route("/link/<token>")
def open_link(token: str) -> Any:
    """Put the token aside, so that it stands in no further address, and go on to the form."""
    session[_TOKEN] = token[:100]
    return redirect(url_for("clients.choose_password"))


@area.route("/link/", methods=["GET", "POST"])
def choose_password() -> Any:
    """Show the form, or set the password and lead to the sign-in page."""
    token = str(session.get(_TOKEN, ""))
    try:
        with door.as_product() as records:
            account = find_account_by_link(records, token)
            name, account_id = account.full_name, account.id
    except _NO_GOOD as error:
        return _page({"error": str(error), "again_url": url_for("clients.forgotten")}), error.status
    if request.method != "POST":
        return _form(name)
    try:
        password = typed_twice()
        with door.as_product(writes=True, account_id=account_id) as records:
            choose_account_password(records, token, password)
    except _NO_GOOD as error:
        return _page({"error": str(error), "again_url": url_for("clients.forgotten")}), error.status
    except DomainError as error:
        return _form(name, error), error.status
    session.pop(_TOKEN, None)
    flash(_("The password is set: sign in with it."), "good")
    return redirect(url_for("clients.login"), 303)


def _form(name: str, error: DomainError | None = None) -> str:
    field = "again" if error is not None and error.field == "again" else "new"
    return _page({"name": name, "rules": password_rules(), "problems": {field: str(error)} if error else {}})


def _page(page: dict[str, Any]) -> str:
    return render_template("client_choose_password.html", page={**page, "action": url_for("clients.choose_password")})
