"""The bell of the client area: what the person behind the account has been told (AC-41)."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for

from backoffice.operations.bell import reader_of
from views.client_area import door
from views.client_area.blueprint import area
from views.door import commit, current_actor, current_session
from views.notices import notices_page, take_notices


@area.route("/notices/", methods=["GET", "POST"])
def notices() -> Any:
    """Show the notices; open one, put all aside, or keep how one wants to hear of what."""
    client, actor = door.client(), current_actor()
    reader = reader_of(actor)
    if client is None or reader is None:
        return door.sign_in_first()
    if client.is_restricted:
        return redirect(url_for("clients.privacy"))
    if request.method == "POST":
        following = take_notices(current_session(), reader, actor)
        commit()
        return redirect(following or url_for("clients.notices"), 303)
    return render_template("client_notices.html", page=notices_page(current_session(), reader, actor))
