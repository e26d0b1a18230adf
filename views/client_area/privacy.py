"""The privacy panel: the notice, one's consent, and one's data to take along (PR-05 to PR-12)."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import current_app, flash, redirect, render_template, request, send_file, url_for
from flask_babel import gettext as _

from backoffice import passwords
from backoffice.actors import SYSTEM, Actor, Context, Door
from backoffice.database import RecordSession, begin_writing, open_session
from backoffice.errors import DomainError
from backoffice.operations.account_deletions import MAY_ASK, ask_for_deletion, cancel_deletion, find_open, obstacles
from backoffice.operations.attachments import files_in_sight
from backoffice.operations.consents import find_consent, give_consent, is_to_be_asked, withdraw_consent
from backoffice.operations.exports import export_line, keep_export
from backoffice.operations.terms import find_terms
from backoffice.portals import Client
from backoffice.records.own_data import as_person, write_own_data, write_own_tickets
from models.account import Account
from models.account_deletion import DeletionState
from models.outbox_mail import MailLanguage
from models.terms_version import TermsKind
from models.values import UtcInstant, show_date
from views.addresses import local_path
from views.client_area import door, limits
from views.client_area.blueprint import area
from views.door import engine

_MEDIA = {
    "zip": "application/zip",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@area.route("/privacy/", methods=["GET", "POST"])
def privacy() -> Any:
    """Show the panel; withdraw consent once its effect is confirmed, or give it again."""
    client = door.client()
    if client is None:
        return door.sign_in_first()
    if request.method != "POST":
        return _panel()
    if "delete" in request.form:
        return _ask_for_deletion(client)
    with door.as_product(writes=True, account_id=client.actor.account_id) as records:
        account = records.get_one(Account, client.actor.id)
        if "keep" in request.form:
            cancel_deletion(records, account)
            flash(_("Your account stays as it was."), "good")
        elif "give" in request.form:
            give_consent(records, account, door.portal(), MailLanguage[door.language()])
            flash(_("Thank you: your consent is written down."), "good")
        elif "understood" in request.form:
            withdraw_consent(records, account)
            flash(_("Your consent is withdrawn. You can give it again here."), "good")
        else:
            return _panel({"understood": _("Tick the box to say that you have read what it means.")}), 422
    return redirect(url_for("clients.privacy"), 303)


@area.route("/privacy/new/", methods=["GET", "POST"])
def new_notice() -> Any:
    """Ask at sign-in whether the person agrees to the privacy notice: the first time, and when it was replaced."""
    client = door.client()
    if client is None:
        return door.sign_in_first()
    wanted = local_path(request.values.get("next", "")) or url_for("clients.dashboard")
    if request.method == "POST":
        with door.as_product(writes=True, account_id=client.actor.account_id) as records:
            account = records.get_one(Account, client.actor.id)
            give_consent(records, account, door.portal(), MailLanguage[door.language()])
        flash(_("Thank you: your consent is written down."), "good")
        return redirect(wanted, 303)
    with door.as_product() as records:
        if not is_to_be_asked(records, client.actor.account_id or 0):
            return redirect(wanted)
        is_first = find_consent(records, client.actor.account_id or 0) is None
        notice = find_terms(records, door.portal().id, TermsKind.privacy_notice, MailLanguage[door.language()])
        page = {
            "paragraphs": [part.strip() for part in notice.body.split("\n\n") if part.strip()] if notice else [],
            "is_first": is_first,
            "next": wanted,
            "later_url": url_for("clients.dashboard"),
            "privacy_url": url_for("clients.privacy"),
        }
    return render_template("client_new_notice.html", page=page)


@area.route("/privacy/data.zip", methods=["POST"])
def own_data() -> Any:
    """Send all that is kept of the person, and write down that it was taken."""
    client = door.client()
    if client is None:
        return door.sign_in_first()
    limits.count("own-data", client.email)
    store = current_app.extensions["files"]
    person = as_person(client.actor)

    def write(records: RecordSession, path: Path) -> int:
        return write_own_data(records, path, files_in_sight(records, store))

    return _taken(person, "zip", _("My data"), write)


@area.route("/privacy/tickets.xlsx", methods=["POST"])
def own_tickets() -> Any:
    """Send the person's tickets, with what was said in them (PR-06)."""
    client = door.client()
    if client is None:
        return door.sign_in_first()
    limits.count("own-data", client.email)
    return _taken(as_person(client.actor, tickets_only=True), "xlsx", _("My tickets"), write_own_tickets)


def _taken(person: Actor, kind: str, name: str, write: Callable[[RecordSession, Path], int]) -> Any:
    """Send what a person takes along, once it is written down that they do."""
    with tempfile.NamedTemporaryFile(suffix=f".{kind}") as file:
        with begin_writing(False), open_session(engine(), Context(person, Door.client_area)) as records:
            count = write(records, Path(file.name))
        with door.as_product(writes=True) as records:
            line = export_line(person, Account, (), kind, "own data")
            keep_export(records, line, row_count=count, is_complete=True)
        # The name may go now: the open file lasts until it is sent.
        return send_file(Path(file.name).open("rb"), _MEDIA[kind], as_attachment=True, download_name=f"{name}.{kind}")


def _ask_for_deletion(client: Client) -> Any:
    """Take down the wish, once the password says that it is the person's own (PR-07)."""
    limits.count("own-deletion", client.email)
    try:
        with door.as_product(writes=True, account_id=client.actor.account_id) as records:
            account = records.get_one(Account, client.actor.id)
            if not passwords.is_right(account.password_hash, request.form.get("password", "")[:200]):
                return _panel({"password": _("This is not your password.")}), 422
            ask_for_deletion(records, account, language=MailLanguage[door.language()], verified_by=SYSTEM)
    except DomainError as error:
        return _panel({"password": str(error)}), error.status
    flash(_("We have your request: below you see what happens next."), "good")
    return redirect(url_for("clients.privacy"), 303)


def _deletion(records: RecordSession, account: Account) -> dict[str, Any]:
    """Return how the deletion of an account stands, if it is asked for."""
    asked = find_open(records, account.id)
    if asked is None:
        return {"may_ask": account.state in MAY_ASK}
    tickets, hold = obstacles(records, account)
    return {
        "text": asked.state.label,
        "tone": asked.state.tone,
        "icon": asked.state.icon,
        "due": show_date(asked.due_on),
        "planned": show_date(asked.execute_on) if asked.state is DeletionState.scheduled and asked.execute_on else "",
        "tickets": tickets if asked.state is DeletionState.blocked else 0,
        "hold": hold and asked.state is DeletionState.blocked,
    }


def _panel(problems: dict[str, str] | None = None) -> str:
    client = door.client()
    assert client is not None
    with door.as_product() as records:
        consent = find_consent(records, client.actor.account_id or 0)
        page = {
            "problems": problems or {},
            "is_restricted": client.is_restricted,
            "given": UtcInstant().show(consent.granted_at) if consent else None,
            "notice": str(consent.terms) if consent and consent.terms else "",
            "notice_url": url_for("clients.privacy_notice"),
            "data_url": url_for("clients.own_data"),
            "tickets_url": url_for("clients.own_tickets"),
            "username": client.username,
            "deletion": _deletion(records, records.get_one(Account, client.actor.id)),
        }
    return render_template("client_privacy.html", page=page)
