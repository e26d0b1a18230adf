"""Search over everything one may see: an ordinary page, and what stands under the box while one types (issue 6)."""

from __future__ import annotations

from typing import Any

from flask import current_app, make_response, render_template, request
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.decorators import no_cache
from flask_babel import gettext as _
from flask_login import current_user

from backoffice.actors import Actor
from backoffice.database import time_limited
from backoffice.errors import TooSlow
from backoffice.records.lookup import hint
from backoffice.records.search import MOST_ROWS, Group, find_everywhere
from backoffice.records.show import cell, label
from models.catalogue import fields
from views import addresses
from views.door import current_actor, current_session, read_again
from views.interrupted import sign_in_first

#: Longer than this nobody waits for what they type: the lists themselves may take their time.
_MOST_MS = 3_000


class SearchView(BaseView):
    """What a term finds of every entity."""

    route_base = "/search"
    default_view = "results"

    @expose("/")
    @no_cache
    def results(self) -> Any:
        """Show what was found; with ``part``, the options of the box alone."""
        if not current_user.is_authenticated:
            return sign_in_first()
        template = "_search_found.html" if "part" in request.args else "search.html"
        return make_response(render_template(template, page=_page(request.args.get("q", "").strip(), current_actor())))


def _page(term: str, actor: Actor) -> dict[str, Any]:
    page: dict[str, Any] = {"title": _("Search"), "term": term, "groups": [], "others": [], "slow": ""}
    try:
        with time_limited(current_session(), min(_MOST_MS, current_app.config["STATEMENT_TIMEOUT_MS"])):
            found = find_everywhere(current_session(), term, actor)
    except TooSlow:
        read_again()
        return page | {"slow": _("That would take too long: type one more word, or search in a list.")}
    groups = [_group(group, term, actor) for group in found]
    return page | {"groups": [g for g in groups if g["rows"]], "others": [g for g in groups if not g["rows"]]}


def _group(group: Group, term: str, actor: Actor) -> dict[str, Any]:
    admin = group.entity.__admin__
    count = len(group.keys)
    return {
        "name": group.entity.__table__.name,
        "label": admin.plural,
        "icon": admin.icon,
        "rows": [_row(row, actor) for row in group.rows],
        "has_more": group.has_more,
        "count": f"{MOST_ROWS}+" if group.has_more else str(count),
        "url": addresses.list_url(group.entity, q=term),
    }


def _row(record: Any, actor: Actor) -> dict[str, Any]:
    state = fields(type(record)).get("state")
    return {
        "url": addresses.record_url(record),
        "title": label(record, actor),
        "hint": hint(record, actor, told_state=False),
        "state": cell(record, state, actor) if state is not None and state.choices else None,
    }


__all__ = ["SearchView"]
