"""What a user may do in the end, and why they may or may not see a record: for whoever looks after users and roles."""

from __future__ import annotations

from typing import Any

from flask import jsonify, render_template, request, url_for
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _

from backoffice.actors import Action, Actor, Context, Door
from backoffice.database import begin_writing, open_session
from backoffice.errors import NotFound
from backoffice.identity import Identity, find_identity
from backoffice.permissions import ACTION_LABELS, role_label
from backoffice.records import reasons, show
from backoffice.records.lookup import find_options, get_record, hint, parse_key
from models.base import ENTITIES, Recorded
from models.catalogue import slug
from models.role_right import RoleRight
from models.staff import Staff
from views import addresses
from views.desk.role_matrix import rights_of
from views.desk.roles_pages import needing
from views.door import current_actor, current_session, engine, reading_as_system
from views.frame import set_place
from views.generated.pages import add_link


class RightsView(BaseView):
    """Rights as they come to in the end."""

    route_base = "/rights"
    default_view = "people"

    @expose("/user/<pk>")
    @needing(Action.read)
    def user(self, pk: str) -> Any:
        """Show what a user may do, area by area, and which role gives each."""
        current_actor().require(Action.read, Staff)
        staff = get_record(current_session(), Staff, pk)
        name = show.label(staff, current_actor())
        set_place(name, addresses.record_url(staff), _("Effective rights"))
        person = _identity(staff)
        page = {
            "title": _("Effective rights of %(name)s", name=name),
            "subtitle": ", ".join(str(role_label(code)) for code in person.actor.roles) or _("no role"),
            "notice": None if person.active else _("This user is deactivated and cannot sign in."),
        }
        return render_template("rights.html", page=page | rights_of(person.actor))

    @expose("/people")
    @needing(Action.read)
    def people(self) -> Any:
        """Answer the field that asks for a user."""
        actor = current_actor()
        actor.require(Action.read, Staff)
        found = find_options(current_session(), Staff, request.args.get("q", ""), actor)
        return jsonify([{"id": r.id, "label": show.label(r, actor), "hint": hint(r, actor)} for r in found])

    @expose("/why/<name>/<pk>")
    @needing(Action.read)
    def why(self, name: str, pk: str) -> Any:
        """Say line by line why a user may or may not do something with a record."""
        actor = current_actor()
        actor.require(Action.update, Staff)
        entity = next((entity for entity in ENTITIES.values() if slug(entity) == name), None)
        if entity is None:
            raise NotFound
        record = get_record(current_session(), entity, pk)
        title = show.label(record, actor)
        set_place(title, addresses.record_url(record), _("Who may see it"))
        page: dict[str, Any] = {
            "title": _("Who may see “%(record)s”", record=title),
            "action": request.script_root + request.path,
            "back_url": addresses.record_url(record),
            "actions": [{"value": a.value, "label": label} for a, label in ACTION_LABELS.items()],
            "chosen_action": _asked_action().value,
            "options_url": url_for("RightsView.people"),
            "user": None,
            "typed": request.args.get("user-text", ""),
        }
        staff = _asked_user()
        if staff is None:
            page["not_found"] = bool(request.args.get("user") or page["typed"])
            return render_template("why.html", page=page)
        return render_template("why.html", page=page | _answer(record, staff, actor))


def _answer(record: Recorded, staff: Staff, viewer: Actor) -> dict[str, Any]:
    action, person = _asked_action(), _identity(staff)
    with begin_writing(False), open_session(engine(), Context(person.actor, Door.desk)) as theirs:
        reached = person.active and reasons.is_reached(theirs, type(record), record.id, action)
    said = {"user": person.actor.name, "action": ACTION_LABELS[action], "record": show.label(record, viewer)}
    yes = _("Yes: %(user)s may “%(action)s” on “%(record)s”.", **said)
    no = _("No: %(user)s may not “%(action)s” on “%(record)s”.", **said)
    return {
        "user": {
            "id": staff.id,
            "label": show.label(staff, viewer),
            "rights_url": url_for("RightsView.user", pk=staff.id),
        },
        "reached": reached,
        "answer": yes if reached else no,
        "steps": list(reasons.steps(current_session(), record, person, action, viewer=viewer)),
    }


def _identity(staff: Staff) -> Identity:
    with reading_as_system() as records:
        found = find_identity(records, staff.id)
    assert found is not None
    return found


def _asked_action() -> Action:
    wanted = request.args.get("action", "")
    return next((action for action in Action if action.value == wanted), Action.read)


def _asked_user() -> Staff | None:
    """Return the user chosen; without JavaScript, the first that the typed text finds."""
    key, text = parse_key(request.args.get("user", "")), request.args.get("user-text", "").strip()
    if key is not None:
        found: Staff = get_record(current_session(), Staff, key)
        return found
    options = find_options(current_session(), Staff, text, current_actor()) if text else []
    return options[0] if options else None


def _rights_link(staff: Staff, actor: Actor) -> dict[str, Any] | None:
    if not actor.may(Action.read, RoleRight):
        return None
    return {"label": _("Effective rights"), "icon": "shield-check", "url": url_for("RightsView.user", pk=staff.id)}


def _why_link(record: Recorded, actor: Actor) -> dict[str, Any] | None:
    if not (actor.may(Action.read, RoleRight) and actor.may(Action.update, Staff)):
        return None
    url = url_for("RightsView.why", name=slug(type(record)), pk=record.id)
    return {"label": _("Who may see it, and why"), "icon": "question-circle", "url": url}


add_link(Staff, _rights_link)
add_link(Recorded, _why_link)
