"""The desk's start page, and the choices of the person in front of it."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, session, url_for
from flask_appbuilder import IndexView, expose
from flask_babel import gettext as _
from flask_login import current_user

from backoffice import clock
from backoffice.actors import Action, Actor
from backoffice.database import RecordSession
from backoffice.errors import Forbidden, NotFound
from backoffice.operations.setting_up import STEPS, done_steps, may_set_up
from backoffice.operations.staff import switch_group
from backoffice.records import show, timeline
from backoffice.records.flows import courses
from backoffice.records.lookup import get_record, hint
from backoffice.records.pages import Page, Query, find_counts, read_query
from backoffice.records.waiting import deadline_of, find_soonest, is_own, worklist_query
from models.base import ENTITIES, Category, Recorded, Worklist
from models.catalogue import Field, fields
from models.staff import Staff
from views import addresses
from views.addresses import local_path
from views.desk.courses import picture
from views.door import commit, current_actor, current_session
from views.frame import LANGUAGES
from views.generated.listing import count_text

#: Groups of the navigation whose entities are counted.
_TILED = (Category.support, Category.clients, Category.sales)
#: So much of what waits for oneself stands on the page; the rest is in its list.
MOST_MINE = 7


class Home(IndexView):
    """What one sees after signing in."""

    route_base = ""
    default_view = "index"

    @expose("/")
    def index(self) -> Any:
        if not current_user.is_authenticated:
            return redirect(self.appbuilder.get_url_for_login)
        page = {"title": _("Home"), **self._numbers(), "recent": self._recent()}
        page["setting_up"] = _setting_up(current_actor())
        return render_template("home.html", page=page)

    def _numbers(self) -> dict[str, Any]:
        """Return what waits, what comes and goes and how much there is: all counted in one statement."""
        actor, session = current_actor(), current_session()
        readable = _in_order(actor)
        waiting = [
            (entity, worklist, query)
            for entity in readable
            for worklist in entity.__admin__.worklists
            if (query := worklist_query(entity, worklist, actor)) is not None
        ]
        flows = [(entity, found) for entity in readable if (found := list(courses(entity, actor, clock.today())))]
        spans = [span for _entity, found in flows for course in found for span in course.spans]
        totals = [entity for entity in readable if _is_worked_on(entity)]
        queries = [*(query for _e, _w, query in waiting), *(span.query for span in spans)]
        counts = iter(find_counts(session, [*queries, *(read_query(entity, actor) for entity in totals)]))
        tiles = [(*place, next(counts)) for place in waiting]
        return {
            "waiting": [_waiting(*tile) for tile in tiles],
            "mine": _mine(session, actor, tiles),
            "courses": [
                picture(entity, found, [next(counts) for course in found for _span in course.spans])
                for entity, found in flows
            ],
            "totals": [_total(entity, next(counts)) for entity in totals],
        }

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


def _setting_up(actor: Actor) -> dict[str, Any] | None:
    """Return how far the setting up is, for those whose business it is, until it is finished."""
    if not may_set_up(actor):
        return None
    done = len(done_steps(current_session(), actor))
    return {"done": done, "all": len(STEPS), "url": url_for("SettingUpView.index")} if done < len(STEPS) else None


def _in_order(actor: Actor) -> list[type[Recorded]]:
    """Return the entities of the navigation that the actor may read, in its order."""
    readable = [entity for entity in ENTITIES.values() if entity.__admin__.menu and actor.may(Action.read, entity)]
    places = list(Category)
    return sorted(readable, key=lambda entity: (places.index(entity.__admin__.category), entity.__admin__.rank))


def _mine(session: RecordSession, actor: Actor, tiles: list[tuple[Any, Worklist, Query, int]]) -> dict[str, Any] | None:
    """Return the first rows of what waits for this very person, of the first of their own worklists that has some."""
    for entity, worklist, query, count in tiles:
        if count and is_own(worklist):
            deadline = deadline_of(entity, actor)
            rows = find_soonest(session, query, deadline, MOST_MINE)
            tile = _waiting(entity, worklist, query, count)
            return {**tile, "rows": [_row(row, deadline, actor) for row in rows], "has_more": count > len(rows)}
    return None


def _row(record: Any, deadline: Field | None, actor: Actor) -> dict[str, Any]:
    state = fields(type(record)).get("state")
    return {
        "url": addresses.record_url(record),
        "title": show.label(record, actor),
        "hint": hint(record, actor, told_state=False),
        "state": show.cell(record, state, actor) if state is not None else None,
        "due": show.cell(record, deadline, actor) if deadline is not None else None,
    }


def _waiting(entity: type[Recorded], worklist: Worklist, query: Query, count: int) -> dict[str, Any]:
    return {
        "label": worklist.label,
        "icon": entity.__admin__.icon,
        "url": addresses.list_url(entity, f=[str(item) for item in query.filters]),
        "text": count_text(Page((), count)),
        "tone": worklist.tone if count else "none",
    }


def _total(entity: type[Recorded], count: int) -> dict[str, Any]:
    admin = entity.__admin__
    text = count_text(Page((), count))
    return {"label": admin.plural, "icon": admin.icon, "url": addresses.list_url(entity), "text": text}


def _is_worked_on(entity: type[Recorded]) -> bool:
    """Say whether people follow these records from state to state: only they belong on the start page."""
    return entity.__admin__.category in _TILED and "state" in fields(entity)


def local_address(wanted: str | None) -> str:
    """Return an address on this desk to go to; anything that leads elsewhere becomes the start page."""
    return local_path(wanted or "") or url_for("Home.index")
