"""The accessibility statement, and a form for whoever meets an obstacle."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from backoffice.errors import DomainError, InvalidRecord
from backoffice.operations.feedback import LONGEST, send_feedback
from backoffice.texts import ACCESSIBILITY, text_values
from models.outbox_mail import MailLanguage
from views.client_area import door, limits
from views.client_area.blueprint import area


@area.route("/accessibility/", methods=["GET", "POST"])
def accessibility() -> Any:
    """Show the statement to anybody; hand on what somebody tells of an obstacle."""
    if request.method != "POST":
        return _page()
    limits.count("feedback")
    typed = {name: request.form.get(name, "") for name in ("text", "email", "page")}
    try:
        with door.as_product(writes=True) as records:
            send_feedback(records, door.portal(), typed["text"], typed["email"], page=typed["page"])
    except InvalidRecord as error:
        return _page({name: str(text) for name, text in error.problems.items()}, typed), error.status
    except DomainError as error:
        return _page({"text": str(error)}, typed), error.status
    flash(_("Thank you: your message is on its way to those who look after this area."), "good")
    return redirect(url_for("clients.accessibility"), 303)


def _page(problems: dict[str, str] | None = None, typed: dict[str, str] | None = None) -> str:
    with door.as_product() as records:
        statement = text_values(records, door.portal(), MailLanguage[door.language()])[ACCESSIBILITY.name]
    client = door.client()
    known = {"email": client.email if client else "", "text": "", "page": request.args.get("from", "")[:200]}
    page = {
        "paragraphs": [part.strip() for part in statement.split("\n\n") if part.strip()],
        "problems": problems or {},
        "typed": typed or known,
        "longest": LONGEST,
    }
    return render_template("client_accessibility.html", page=page)
