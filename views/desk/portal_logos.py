"""The page on which the logo of a portal is chosen."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _
from flask_login import current_user

from backoffice.actors import Action, Actor
from backoffice.errors import DomainError, Forbidden
from backoffice.operations.portal_logos import find_logo, remove_logo, set_logo
from backoffice.records.lookup import get_record
from models.portal import Portal
from views import addresses
from views.door import commit, current_actor, current_session, fresh_session
from views.downloads import file_response
from views.generated.guarding import require_same_group
from views.generated.pages import add_link
from views.interrupted import sign_in_first
from views.uploads import sent_files


class PortalLogoView(BaseView):
    """Choosing, showing and removing a logo."""

    route_base = "/portal-logo"
    default_view = "choose"

    @expose("/<pk>", methods=["GET", "POST"])
    def choose(self, pk: str) -> Any:
        """Show the logo; take another one, or remove it."""
        if not current_user.is_authenticated:
            return sign_in_first()
        actor = current_actor()
        actor.require(Action.update, Portal)
        require_same_group()
        portal: Portal = get_record(current_session(), Portal, pk)
        if request.method != "POST":
            return _page(portal)
        try:
            self._take(portal, actor)
            commit()
        except Forbidden:
            raise
        except DomainError as error:
            return _page(get_record(fresh_session(), Portal, pk), error), error.status
        return redirect(addresses.record_url(portal), 303)

    def _take(self, portal: Portal, actor: Actor) -> None:
        if "remove" in request.form:
            remove_logo(current_session(), portal, actor=actor)
            flash(_("Clients see the initial of the portal again."), "good")
            return
        files = sent_files("logo")
        if files:
            set_logo(current_session(), portal, files[0][1], actor=actor)
            flash(_("Clients see the new logo on every page."), "good")
        else:
            flash(_("Choose a file first."), "bad")

    @expose("/<pk>/picture")
    def picture(self, pk: str) -> Any:
        """Send the logo."""
        if not current_user.is_authenticated:
            return sign_in_first()
        current_actor().require(Action.read, Portal)
        portal: Portal = get_record(current_session(), Portal, pk)
        content = find_logo(current_session(), portal.id)
        return file_response(content or b"", "logo.png", "image/png", inline=True), 200 if content else 404


def _page(portal: Portal, error: DomainError | None = None) -> str:
    version = (portal.logo_digest or "")[:12]
    page = {
        "title": _("Logo of %(name)s", name=portal),
        "picture_url": url_for("PortalLogoView.picture", pk=portal.id, v=version) if portal.logo_digest else None,
        "problem": str(error) if error else "",
        "action": request.script_root + request.path,
        "back_url": addresses.record_url(portal),
    }
    return render_template("portal_logo.html", page=page)


def _logo_link(portal: Portal, actor: Actor) -> dict[str, Any] | None:
    if not actor.may(Action.update, Portal):
        return None
    return {"label": _("Logo"), "icon": "image", "url": url_for("PortalLogoView.choose", pk=portal.id)}


add_link(Portal, _logo_link)
