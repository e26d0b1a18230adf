"""Registering an account oneself, and confirming its address (AC-31 to AC-35)."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, session, url_for

from backoffice.errors import DomainError, InvalidRecord
from backoffice.operations.attempt_counters import TooManyAttempts
from backoffice.operations.registration import (
    TYPED,
    AlreadyConfirmed,
    RegistrationClosed,
    confirm_address,
    find_registration,
    register_account,
)
from models.outbox_mail import MailLanguage
from models.portal import Portal
from views.client_area import door, limits
from views.client_area.blueprint import area
from views.client_area.requests import TRAP, form_began, is_by_program, too_fast
from views.new_passwords import password_rules, typed_twice

_SENT = "registered"
#: Where the token waits while the page is open: in the address it would end up in histories and logs.
_TOKEN = "confirmation"  # noqa: S105  # a name, not a secret


@area.route("/register/", methods=["GET", "POST"])
@limits.evenly
def register() -> Any:
    """Show the form, or take a registration; the answer is the same whether the address has an account or not."""
    if not door.portal().registration_open:
        raise RegistrationClosed
    if request.method != "POST":
        return _form()
    email = request.form.get("email", "").strip()[:254]
    limits.count("register")
    if not is_by_program():
        if problem := too_fast():
            return _form(problem), 422
        try:
            with door.as_product(writes=True) as records:
                register_account(
                    records,
                    records.get_one(Portal, door.portal().id),
                    {name: request.form.get(name, "") for name in TYPED},
                    typed_twice(),
                    consents="consent" in request.form,
                    language=MailLanguage[door.language()],
                )
                limits.count_taken(records, "register", email)
        except TooManyAttempts as error:
            return _form({"email": str(error)}), error.status
        except InvalidRecord as error:
            return _form({name: str(text) for name, text in error.problems.items()}), error.status
        except DomainError as error:
            return _form({error.field or "again": str(error)}), error.status
    session[_SENT] = "1"
    return redirect(url_for("clients.registered"), 303)


@area.route("/register/done/")
def registered() -> Any:
    """Say what happens next, to whoever has just registered."""
    if session.pop(_SENT, None) is None:
        return redirect(url_for("clients.register"))
    return render_template("client_registered.html", page={"back_url": url_for("clients.login")})


@area.route("/confirm/<token>")
def open_confirmation(token: str) -> Any:
    """Put the token aside and ask: programs that only look at links confirm nothing."""
    session[_TOKEN] = token[:100]
    return redirect(url_for("clients.confirm"))


@area.route("/confirm/", methods=["GET", "POST"])
def confirm() -> Any:
    """Ask whether the address is confirmed, or confirm it."""
    token, page = str(session.get(_TOKEN, "")), {"back_url": url_for("clients.login")}
    try:
        with door.as_product(writes=request.method == "POST") as records:
            account = find_registration(records, token)
            page |= {"name": account.full_name, "email": account.email}
            if request.method == "POST":
                confirm_address(records, token)
    except AlreadyConfirmed as error:
        return render_template("client_confirm.html", page={**page, "already": str(error)}), error.status
    except DomainError as error:
        return render_template("client_confirm.html", page={**page, "error": str(error)}), error.status
    if request.method == "POST":
        session.pop(_TOKEN, None)
        page["done"] = "1"
    return render_template("client_confirm.html", page=page)


def _form(problems: dict[str, str] | None = None) -> str:
    page = {
        "back_url": url_for("clients.login"),
        "notice_url": url_for("clients.privacy_notice"),
        "typed": {name: request.form.get(name, "") for name in TYPED},
        "consents": "consent" in request.form,
        "problems": problems or {},
        "rules": password_rules(),
        "trap": TRAP,
        "began": form_began(),
    }
    return render_template("client_register.html", page=page)
