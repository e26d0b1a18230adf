"""The desk's start page, and the choices of the person in front of it."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, session, url_for
from flask_appbuilder import IndexView, expose
from flask_babel import gettext as _
from flask_login import current_user

from backoffice.actors import Action
from backoffice.errors import Forbidden, NotFound
from backoffice.operations.staff import switch_group
from backoffice.records import show, timeline
from backoffice.records.lookup import get_record
from backoffice.records.pages import find_count, read_query
from models.base import ENTITIES, Category, Recorded
from models.catalogue import fields
from models.staff import Staff
from views import addresses
from views.addresses import local_path
from views.door import commit, current_actor, current_session
from views.frame import LANGUAGES
from views.generated.listing import count_text

#: Groups of the navigation whose entities have a tile.
_TILED = (Category.support, Category.clients, Category.sales)
MOST_TILES = 8


class Home(IndexView):
    """What one sees after signing in."""

    route_base = ""
    default_view = "index"

    @expose("/")
    def index(self) -> Any:
        if not current_user.is_authenticated:
            return redirect(self.appbuilder.get_url_for_login)
        return render_template("home.html", page={"title": _("Home"), "tiles": self._tiles(), "recent": self._recent()})

    def _tiles(self) -> list[dict[str, Any]]:
        actor = current_actor()
        shown = [
            entity
            for category in _TILED
            for entity in ENTITIES.values()
            if entity.__admin__.category is category and _is_worked_on(entity) and actor.may(Action.read, entity)
        ]
        return [
            {
                "label": entity.__admin__.plural,
                "icon": entity.__admin__.icon,
                "url": addresses.list_url(entity),
                "text": count_text(find_count(current_session(), read_query(entity, actor))),
            }
            for entity in shown[:MOST_TILES]
        ]

    def _recent(self) -> list[dict[str, Any]]:
        """Return what the person did last, so that they find it again."""
        return [
            {
                "who": current_actor().name,
                "sentence": timeline.sentence(deed.event),
                "when": show.when(deed.at),
                "when_iso": deed.at.isoformat(),
                "icon": deed.entity.__admin__.icon,
                "url": None
                if deed.event == "deleted"
                else url_for(addresses.endpoint(deed.entity, "show"), pk=deed.record_id),
                "title": deed.title or f"{deed.entity.__admin__.label} {deed.record_id}",
            }
            for deed in timeline.find_deeds(current_session(), current_actor())
        ]

    @expose("/language/<code>")
    def language(self, code: str) -> Any:
        """Remember the language and go back to where the person was."""
        if code not in LANGUAGES:
            raise NotFound
        session["language"] = code
        return redirect(local_address(request.args.get("next")), 303)

    @expose("/group", methods=["POST"])
    def switch_group(self) -> Any:
        """Let an administrator of the whole installation work in another corporate group."""
        actor = current_actor()
        if not actor.may_switch_group or actor.staff_id is None:
            raise Forbidden
        key = request.form.get("group", "")
        wanted = int(key) if key.isascii() and key.isdigit() and len(key) < 10 else 0
        staff = get_record(current_session(), Staff, actor.staff_id)
        switch_group(current_session(), staff, wanted, actor=actor)
        commit()
        flash(_("You now work in another corporate group: you see its records only."), "good")
        return redirect(url_for("Home.index"), 303)


def _is_worked_on(entity: type[Recorded]) -> bool:
    """Say whether people follow these records from state to state: only they belong on the start page."""
    return entity.__admin__.menu and "state" in fields(entity)


def local_address(wanted: str | None) -> str:
    """Return an address on this desk to go to; anything that leads elsewhere becomes the start page."""
    return local_path(wanted or "") or url_for("Home.index")
