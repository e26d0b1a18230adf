"""The desk's pages on which views of a list are kept, changed, shared and forgotten."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from backoffice.actors import Action, Actor
from backoffice.errors import BadRequest, Conflict, InvalidRecord
from backoffice.operations import saved_views
from backoffice.records.lookup import parse_key
from models.base import ENTITIES, Recorded
from models.saved_view import SavedView
from views import addresses
from views.door import commit, current_actor, current_session, read_again
from views.frame import set_place
from views.generated import saved_views as shown
from views.generated.bulk import bulk_bar
from views.generated.form_pages import form_version
from views.generated.guarding import guarded
from views.generated.list_addresses import VIEW, address_of, read_address
from views.generated.listing import Listing
from views.generated.pages import add_link, list_actions


class ViewPages(BaseView):
    """The list of one entity with the views people keep of it, and the pages of these."""

    entity: type[Recorded]

    def shown_list(self) -> Any:
        """Return the list as its address, or the view named there, asks for it."""
        actor, notice = current_actor(), None
        views = saved_views.find_views(current_session(), self.entity, actor=actor)
        first = shown.first_view(views, actor)
        if first is not None and not request.args:
            return redirect(shown.opened_url(self.entity, first.id, first.address), 302)
        try:
            listing = Listing(self.entity, actor)
        except BadRequest as error:
            chosen = next((view for view in views if str(view.id) == request.args.get(VIEW)), None)
            if chosen is None:
                raise
            notice = shown.broken_notice(chosen, str(error))
            listing = Listing(self.entity, actor, args=MultiDict({VIEW: str(chosen.id)}))
        page = listing.page(current_session())
        if not listing.printing:
            page |= list_actions(self.entity, actor) | {"views": shown.view_parts(listing, views)}
            page["bulk"] = bulk_bar(listing, page)
        page["notice"] = notice or page.get("notice")
        return render_template("list.html", page=page)

    @expose("/views/new", methods=["POST"])
    @guarded(Action.read)
    def save_view(self) -> Any:
        actor, address = current_actor(), self._sent_address()
        try:
            name = request.form.get("name", "")
            view = saved_views.save_view(current_session(), self.entity, address, name, actor=actor)
            commit()
        except (InvalidRecord, saved_views.TooManyViews) as error:
            read_again()
            flash(_told(error), "bad")
            return redirect(f"{addresses.list_url(self.entity)}?{address}", 303)
        flash(_("The view “%(name)s” is saved.", name=view.name), "good")
        return redirect(shown.opened_url(self.entity, view.id, view.address), 303)

    @expose("/views/<int:key>", methods=["GET", "POST"])
    @guarded(Action.read)
    def change_view(self, key: int) -> Any:
        actor = current_actor()
        view = saved_views.get_view(current_session(), self.entity, key, actor=actor)
        set_place(view.name, shown.opened_url(self.entity, view.id, view.address), _("Change the view"))
        if request.method != "POST":
            page = shown.view_page(current_session(), self.entity, view, actor)
            return render_template("saved_view.html", page=page)
        try:
            self._describe(view, actor)
            commit()
        except (InvalidRecord, Conflict) as error:
            stored = saved_views.get_view(read_again(), self.entity, key, actor=actor)
            page = shown.view_page(current_session(), self.entity, stored, actor, problem=_told(error))
            return render_template("saved_view.html", page=page), error.status
        flash(_("The view “%(name)s” is saved.", name=view.name), "good")
        return redirect(shown.opened_url(self.entity, view.id, view.address), 303)

    def _describe(self, view: SavedView, actor: Actor) -> None:
        # Whoever may not share is not asked with whom: it stays as it is.
        role_id = parse_key(request.form["role"]) if "role" in request.form else view.role_id
        may_choose = saved_views.may_choose_default(actor)
        saved_views.describe_view(
            current_session(),
            view,
            name=request.form.get("name", ""),
            role_id=role_id,
            is_default="is_default" in request.form if may_choose else view.is_default,
            version=form_version(),
            actor=actor,
        )

    @expose("/views/<int:key>/keep", methods=["POST"])
    @guarded(Action.read)
    def keep_view(self, key: int) -> Any:
        actor, address = current_actor(), self._sent_address()
        view = saved_views.get_view(current_session(), self.entity, key, actor=actor)
        saved_views.keep_address(current_session(), view, address, actor=actor)
        commit()
        flash(_("The view “%(name)s” is saved.", name=view.name), "good")
        return redirect(shown.opened_url(self.entity, view.id, address), 303)

    @expose("/views/<int:key>/delete", methods=["POST"])
    @guarded(Action.read)
    def delete_view(self, key: int) -> Any:
        actor = current_actor()
        view = saved_views.get_view(current_session(), self.entity, key, actor=actor)
        saved_views.delete_view(current_session(), view, actor=actor)
        commit()
        flash(_("The view “%(name)s” is deleted.", name=view.name), "good")
        return redirect(addresses.list_url(self.entity), 303)

    def _sent_address(self) -> str:
        """Return the list that a form was sent from; raise ``BadRequest`` where it is none."""
        args = read_address(request.form.get("address", ""))
        return address_of(Listing(self.entity, current_actor(), args=args))


def _told(error: Exception) -> str:
    if isinstance(error, InvalidRecord):
        return " ".join(str(text) for text in error.problems.values())
    return str(error)


def _open_link(view: SavedView, _actor: Actor) -> dict[str, Any] | None:
    entity = ENTITIES.get(view.entity)
    if entity is None:
        return None
    url = shown.opened_url(entity, view.id, view.address)
    return {"label": _("Open the list"), "icon": "list-ul", "url": url, "primary": True}


def _change_link(view: SavedView, actor: Actor) -> dict[str, Any] | None:
    entity = ENTITIES.get(view.entity)
    is_own = view.created_by_id == actor.staff_id
    if entity is None or not (is_own or (view.role_id is not None and saved_views.may_choose_default(actor))):
        return None
    return {"label": _("Change the view"), "icon": "pencil", "url": shown.view_url(entity, view.id)}


add_link(SavedView, _open_link)
add_link(SavedView, _change_link)
