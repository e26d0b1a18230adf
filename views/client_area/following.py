"""Following a request by the link in its mails: answering a question, accepting or declining a proposal (AR-09)."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, session, url_for
from flask_babel import gettext as _

from backoffice.database import RecordSession
from backoffice.errors import DomainError
from backoffice.operations.request_links import (
    accept_by_link,
    answer_by_link,
    decline_by_link,
    find_request_by_link,
)
from backoffice.records import show
from models.activation_request import ActivationRequest, RequestState
from views.client_area import door, limits
from views.client_area.blueprint import area

#: Where the token waits while the page is open: in the address it would end up in histories and logs.
_TOKEN = "follow"  # noqa: S105  # a name, not a secret
S = RequestState
_ANSWERED = (S.answered, S.closed, S.withdrawn)


@area.route("/follow/<token>")
def open_request(token: str) -> Any:
    """Put the token aside, so that it stands in no further address, and go on to the request."""
    session[_TOKEN] = token[:100]
    return redirect(url_for("clients.follow"))


@area.route("/follow/", methods=["GET", "POST"])
def follow() -> Any:
    """Show how a request stands, or take what its requester says."""
    token, problem = str(session.get(_TOKEN, "")), ""
    try:
        with door.as_product() as records:
            find_request_by_link(records, token)
    except DomainError as error:
        return render_template("client_follow.html", page={"error": str(error)}), error.status
    if request.method == "POST":
        limits.count("follow")
        try:
            with door.as_product(writes=True) as records:
                _take(records, find_request_by_link(records, token))
            flash(_("Thank you: it is written down."), "good")
            return redirect(url_for("clients.follow"), 303)
        except DomainError as error:
            problem = str(error)
    with door.as_product() as records:
        page = _page(find_request_by_link(records, token)) | {"problem": problem}
    return render_template("client_follow.html", page=page), 422 if problem else 200


def _take(records: RecordSession, made: ActivationRequest) -> None:
    said = request.form.get("text", "")[:4_000]
    if "accept" in request.form:
        accept_by_link(records, made)
    elif "decline" in request.form:
        decline_by_link(records, made, said)
    else:
        answer_by_link(records, made, said)


def _page(made: ActivationRequest) -> dict[str, Any]:
    """Return what a requester may know: how far it is, never why; that is in the mails to those who may read it."""
    if made.state in _ANSWERED:
        state = _("Answered: the outcome is in the mail we sent you.")
    elif made.state is S.awaiting_acceptance:
        state = _("We have made you a proposal.")
    elif made.state is S.info_requested:
        state = _("We need to know something from you.")
    else:
        state = _("Being looked at: you will get an answer by mail.")
    return {
        "number": made.number,
        "received": show.when(made.created_at),
        "state": state,
        "question": made.question if made.state is S.info_requested else None,
        "proposal": made.proposal if made.state is S.awaiting_acceptance else None,
    }
