"""The bell of the desk: what the person who is signed in has been told."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from flask_appbuilder import BaseView, expose
from flask_login import current_user

from backoffice.operations.bell import reader_of
from views.door import commit, current_actor, current_session
from views.interrupted import sign_in_first
from views.notices import notices_page, take_notices


class NoticesView(BaseView):
    """What one has been told, and how one wants to hear of it."""

    route_base = "/notices"
    default_view = "index"

    @expose("/", methods=["GET", "POST"])
    def index(self) -> Any:
        """Show the notices; open one, put all aside, or keep how one wants to hear of what."""
        actor = current_actor()
        reader = reader_of(actor)
        if not current_user.is_authenticated or reader is None:
            return sign_in_first()
        if request.method == "POST":
            following = take_notices(current_session(), reader, actor)
            commit()
            return redirect(following or url_for(f"{self.endpoint}.index"), 303)
        return render_template("notices.html", page=notices_page(current_session(), reader, actor))
