"""The privacy panel: the notice, one's consent, and one's data to take along (PR-05 to PR-10)."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from flask import flash, redirect, render_template, request, send_file, url_for
from flask_babel import gettext as _

from backoffice.actors import Context, Door
from backoffice.database import begin_writing, open_session
from backoffice.operations.consents import find_consent, give_consent, withdraw_consent
from backoffice.operations.exports import export_line, keep_export
from backoffice.records.own_data import as_person, write_own_data
from models.account import Account
from models.outbox_mail import MailLanguage
from models.values import UtcInstant
from views.client_area import door, limits
from views.client_area.blueprint import area
from views.door import engine


@area.route("/privacy/", methods=["GET", "POST"])
def privacy() -> Any:
    """Show the panel; withdraw consent once its effect is confirmed, or give it again."""
    client = door.client()
    if client is None:
        return door.sign_in_first()
    if request.method != "POST":
        return _panel()
    with door.as_product(writes=True, on_behalf_of=client.full_name) as records:
        account = records.get_one(Account, client.actor.id)
        if "give" in request.form:
            give_consent(records, account, door.portal(), MailLanguage[door.language()])
            flash(_("Thank you: your consent is written down."), "good")
        elif "understood" in request.form:
            withdraw_consent(records, account)
            flash(_("Your consent is withdrawn. You can give it again here."), "good")
        else:
            return _panel(_("Tick the box to say that you have read what it means.")), 422
    return redirect(url_for("clients.privacy"), 303)


@area.route("/privacy/data.zip", methods=["POST"])
def own_data() -> Any:
    """Send all that is kept of the person, and write down that it was taken."""
    client = door.client()
    if client is None:
        return door.sign_in_first()
    limits.count("own-data", client.email)
    person = as_person(client.actor)
    with tempfile.NamedTemporaryFile(suffix=".zip") as file:
        with begin_writing(False), open_session(engine(), Context(person, Door.client_area)) as records:
            count = write_own_data(records, Path(file.name))
        with door.as_product(writes=True) as records:
            line = export_line(client.actor, Account, (), "zip", "own data")
            keep_export(records, line, row_count=count, is_complete=True)
        # The name may go now: the open file lasts until it is sent.
        name = _("My data") + ".zip"
        return send_file(Path(file.name).open("rb"), "application/zip", as_attachment=True, download_name=name)


def _panel(problem: str = "") -> str:
    client = door.client()
    assert client is not None
    with door.as_product() as records:
        consent = find_consent(records, client.actor.account_id or 0)
        page = {
            "problem": problem,
            "is_restricted": client.is_restricted,
            "given": UtcInstant().show(consent.granted_at) if consent else None,
            "notice": str(consent.terms) if consent and consent.terms else "",
            "notice_url": url_for("clients.privacy_notice"),
            "data_url": url_for("clients.own_data"),
        }
    return render_template("client_privacy.html", page=page)
