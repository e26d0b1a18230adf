"""The activation workspace: the queue of requests beside the one in hand, from its arrival to the answer (AR-15).

Everything is done by the verbs of the records themselves, each under an address of its own that shows its form and
performs it: so the pages work without scripts, and a refusal comes back beside what was typed.
"""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from backoffice.actors import Action, Actor
from backoffice.database import UNREACHABLE, refusal_of
from backoffice.errors import DomainError, Forbidden, NotFound
from backoffice.operations import verbs
from models.activation_request import ActivationRequest
from models.base import Category
from views import interrupted
from views.desk.activation_deeds import Deed, find_deed
from views.desk.activation_queue import kept, queue
from views.desk.activation_request_page import read_request, request_page
from views.door import commit, current_actor, current_session, read_again
from views.frame import OwnPage, add_page, set_place
from views.generated.form_pages import form_version
from views.generated.guarding import require_same_group
from views.generated.pages import add_link


def may_evaluate(actor: Actor) -> bool:
    """Say whether somebody works on activation requests."""
    return actor.may(Action.transition, ActivationRequest) or actor.may(Action.update, ActivationRequest)


class ActivationView(BaseView):
    """Requests for online services, evaluated one after the other."""

    route_base = "/activation"
    default_view = "list"

    @expose("/")
    def list(self) -> Any:
        """Show the queue, with nothing in hand yet."""
        if (refused := _refused()) is not None:
            return refused
        page = {"title": _("Activations"), "queue": queue(current_session(), current_actor()), "request": None}
        return render_template("activation.html", page=page)

    @expose("/<int:pk>")
    def show(self, pk: int) -> Any:
        """Show one request beside the queue, with what comes next."""
        if (refused := _refused()) is not None:
            return refused
        return _page(pk)

    @expose("/<int:pk>/<kind>/<int:key>/<verb>", methods=["GET", "POST"])
    def do(self, pk: int, kind: str, key: int, verb: str) -> Any:
        """Show the form of a verb of the request, of a service or of a check; perform it when it is sent."""
        if (refused := _refused()) is not None:
            return refused
        if request.method != "POST" or interrupted.resumed():
            return _page(pk, _deed(pk, kind, key, verb))
        try:
            return _done(_deed(pk, kind, key, verb))
        except (NotFound, Forbidden):
            raise
        except DomainError as error:
            problem = error
        except UNREACHABLE as error:
            problem = refusal_of(error)
        read_again()
        deed = _deed(pk, kind, key, verb)
        deed.refuse(problem)
        return _page(pk, deed), problem.status


def _refused() -> Any:
    if not current_user.is_authenticated:
        return interrupted.sign_in_first()
    if not may_evaluate(current_actor()):
        raise Forbidden
    require_same_group()
    return None


def _deed(pk: int, kind: str, key: int, verb: str) -> Deed:
    return find_deed(current_session(), current_actor(), pk, kind, key, verb)


def _done(deed: Deed) -> Any:
    """Perform the verb and go on with the request; the queue stays as it was filtered."""
    values, actor = deed.form.values(), current_actor()
    verbs.perform(current_session(), deed.record, deed.transition.name, values, actor=actor, version=form_version())
    commit()
    flash(_("“%(verb)s”: done.", verb=deed.transition.label), "good")
    return redirect(url_for("ActivationView.show", pk=deed.request.id, **kept()), 303)


def _page(pk: int, deed: Deed | None = None) -> str:
    session, actor = current_session(), current_actor()
    record = read_request(session, pk)
    set_place(str(record), url_for("ActivationView.show", pk=pk))
    page = {
        "title": str(record),
        "queue": queue(session, actor, current=pk),
        "request": request_page(session, record, actor, deed),
    }
    return render_template("activation.html", page=page)


def _work_link(record: ActivationRequest, actor: Actor) -> dict[str, Any] | None:
    if not may_evaluate(actor):
        return None
    url = url_for("ActivationView.show", pk=record.id)
    return {"label": _("Work on it"), "icon": "toggles", "url": url}


add_link(ActivationRequest, _work_link)
add_page(
    OwnPage("activation", _l("Activations"), "toggles", "ActivationView.list", may_evaluate, Category.clients, rank=1)
)
