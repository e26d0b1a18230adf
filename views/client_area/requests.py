"""Asking for the activation of services without an account: the form on the sign-in page (AR-05, AR-06, AR-24)."""

from __future__ import annotations

from typing import Any

from flask import current_app, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from itsdangerous import BadSignature, URLSafeTimedSerializer

from backoffice import clock
from backoffice.errors import InvalidRecord
from backoffice.operations.attempt_counters import TooManyAttempts
from backoffice.operations.service_requests import TYPED, RequestsClosed, offers_of, receive_request
from models.outbox_mail import MailLanguage
from models.portal import Portal
from views.client_area import door, limits
from views.client_area.blueprint import area

#: The name of the field that people do not see and programs fill in.
TRAP = "website"
_DONE = "request_number"


@area.route("/request/", methods=["GET", "POST"])
@limits.evenly
def request_service() -> Any:
    """Show the form, or take a request and lead to the page with its number."""
    portal = door.portal()
    if not portal.requests_open:
        raise RequestsClosed
    if request.method != "POST":
        return _form(request.args.getlist("service"))
    email = request.form.get("email", "").strip()[:254]
    limits.count("request")
    if is_by_program():
        # As if it had been taken: whoever wrote the program learns nothing.
        session[_DONE] = None
        return redirect(url_for("clients.request_received"), 303)
    wanted = request.form.getlist("service")
    if problem := too_fast():
        return _form(wanted, problem), 422
    try:
        with door.as_product(writes=True) as records:
            made = receive_request(
                records,
                records.get_one(Portal, portal.id),
                {name: request.form.get(name, "") for name in TYPED},
                [int(key) for key in wanted if key.isascii() and key.isdigit() and len(key) < 10],
                consents="consent" in request.form,
                language=MailLanguage[door.language()],
            )
            limits.count_taken(records, "request", email)
            session[_DONE] = made.number
    except InvalidRecord as error:
        return _form(wanted, {name: str(text) for name, text in error.problems.items()}), error.status
    except TooManyAttempts as error:
        return _form(wanted, {"email": str(error)}), error.status
    return redirect(url_for("clients.request_received"), 303)


@area.route("/request/received/")
def request_received() -> Any:
    """Say the number of the request, and what happens next."""
    if _DONE not in session:
        return redirect(url_for("clients.request_service"))
    page = {"number": session[_DONE], "back_url": url_for("clients.login")}
    return render_template("client_request_received.html", page=page)


def _form(wanted: list[str], problems: dict[str, str] | None = None) -> str:
    with door.as_product() as records:
        offers = offers_of(records, door.portal())
    page = {
        "action": url_for("clients.request_service"),
        "back_url": url_for("clients.login"),
        "notice_url": url_for("clients.privacy_notice"),
        "offers": [{"offer": offer, "chosen": str(offer.id) in wanted or offer.code in wanted} for offer in offers],
        "typed": {name: request.form.get(name, "") for name in TYPED},
        "consents": "consent" in request.form,
        "problems": problems or {},
        "trap": TRAP,
        "began": form_began(),
    }
    return render_template("client_request.html", page=page)


def form_began() -> str:
    """Return, signed, when a form was shown; one that is shown again began when it was shown first."""
    if _seconds() is not None:
        return request.form["began"]
    return str(_clock().dumps(int(clock.now().timestamp())))


def is_by_program() -> bool:
    """Say whether the field that people do not see is filled in."""
    return bool(request.form.get(TRAP))


def too_fast() -> dict[str, str]:
    """Return what to say of a form that came back faster than anybody types; nothing where it did not.

    People whose browser fills in everything at once send it again; programs seldom do.
    """
    seconds = _seconds()
    if seconds is None or seconds >= current_app.config["LEAST_FORM_SECONDS"]:
        return {}
    return {"form": _("That was very fast: look at the form once more, then send it again.")}


def _seconds() -> float | None:
    """Return how long ago the form that was sent was shown first; None where it does not say so."""
    try:
        began = int(_clock().loads(request.form.get("began", ""), max_age=24 * 3600))
    except (BadSignature, ValueError, TypeError):
        return None  # an old form: sent again it is as good
    return clock.now().timestamp() - began


def _clock() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt="request-form")
