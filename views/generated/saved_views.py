"""What a list shows of the views people keep of it, and the page on which one of them is changed."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import request
from flask_appbuilder.security.sqla.models import Role
from flask_babel import gettext as _

from backoffice.actors import Actor
from backoffice.database import RecordSession
from backoffice.operations import saved_views
from backoffice.operations.saved_views import KeptView
from backoffice.permissions import role_label
from models.base import Recorded
from models.catalogue import fields
from models.saved_view import SavedView
from views import addresses
from views.generated.list_addresses import VIEW, address_of, same_list
from views.generated.listing import Listing

#: What the tab of the whole list asks for, where the list would open with a view.
WHOLE = "0"


def view_url(entity: type[Recorded], key: int, name: str = "") -> str:
    """Return the address of a page about a saved view of a list."""
    return addresses.list_url(entity) + "views/" + "/".join(part for part in (str(key), name) if part)


def opened_url(entity: type[Recorded], key: int, address: str) -> str:
    """Return the address of a list as a view shows it."""
    return f"{addresses.list_url(entity)}?{address}{'&' if address else ''}{VIEW}={key}"


def first_view(views: list[KeptView], actor: Actor) -> KeptView | None:
    """Return the view that a list opens with for somebody, by their roles."""
    return next((view for view in views if view.is_default and view.role in actor.roles), None)


def view_parts(listing: Listing, views: list[KeptView]) -> dict[str, Any]:
    """Return what ``_list_views.html`` and ``_list_view_menu.html`` show."""
    entity, actor, here = listing.entity, listing.actor, address_of(listing)
    chosen = listing.args.get(VIEW, "")
    current = next((view for view in views if str(view.id) == chosen), None)
    changed = current is not None and not same_list(here, current.address)
    whole_url = addresses.list_url(entity, **({VIEW: WHOLE} if first_view(views, actor) else {}))
    whole = {"label": _("Whole list"), "icon": None, "url": whole_url, "current": current is None and not here}
    return {
        "tabs": [whole, *(_tab(entity, view, current) for view in views)] if views else [],
        "address": here,
        "save": _saving(entity, actor) if here and (current is None or changed) else None,
        "current": _current(entity, current, changed, actor) if current is not None else None,
    }


def _tab(entity: type[Recorded], view: KeptView, current: KeptView | None) -> dict[str, Any]:
    about = _("Shared with %(role)s", role=role_label(view.role)) if view.role else None
    return {
        "label": view.name,
        "icon": "people" if view.role else None,
        "about": about,
        "url": opened_url(entity, view.id, view.address),
        "current": view is current,
    }


def _saving(entity: type[Recorded], actor: Actor) -> dict[str, Any] | None:
    if not saved_views.may_save(actor):
        return None
    return {"action": addresses.list_url(entity) + "views/new"}


def _current(entity: type[Recorded], view: KeptView, changed: bool, actor: Actor) -> dict[str, Any]:
    mine = saved_views.may_change(view, actor)
    return {
        "changed": changed,
        "update_action": view_url(entity, view.id, "keep") if mine and changed else None,
        "restore_url": opened_url(entity, view.id, view.address),
        "edit_url": view_url(entity, view.id) if mine else None,
    }


def broken_notice(view: KeptView, reason: str) -> str:
    """Return what is said above the whole list where a view asks for what is not there."""
    return _(
        "The view “%(name)s” cannot be shown as it was saved: it asks for something that is no longer there, or that "
        "you may not see. %(reason)s This is the whole list.",
        name=view.name,
        reason=reason,
    )


def view_page(
    session: RecordSession, entity: type[Recorded], view: SavedView, actor: Actor, *, problem: str | None = None
) -> dict[str, Any]:
    """Return what ``saved_view.html`` shows: its name and, for those who may, with whom it is shared."""
    sent = request.form if request.method == "POST" else None
    chosen = sent.get("role", "") if sent is not None else str(view.role_id or "")
    known = fields(SavedView)
    return {
        "heading": _("View “%(name)s”", name=view.name),
        "problem": problem,
        "name": sent.get("name", "") if sent is not None else view.name,
        "role_field": known["role"],
        "roles": _roles(session, chosen) if saved_views.may_share(actor) else [],
        "default_field": known["is_default"] if saved_views.may_choose_default(actor) else None,
        "is_default": "is_default" in sent if sent is not None else view.is_default,
        "version": view.version,
        "action": view_url(entity, view.id),
        "delete_action": view_url(entity, view.id, "delete"),
        "cancel_url": opened_url(entity, view.id, view.address),
        "all_url": addresses.list_url(SavedView),
    }


def _roles(session: RecordSession, chosen: str) -> list[dict[str, Any]]:
    """Return whom a view may be shared with, nobody first."""
    found = sorted(((str(role), str(role.id)) for role in session.scalars(sa.select(Role))), key=lambda pair: pair[0])
    choices = [(_("Nobody: for me alone"), ""), *found]
    return [{"key": key, "label": label, "current": key == chosen} for label, key in choices]


__all__ = ["VIEW", "broken_notice", "first_view", "opened_url", "view_page", "view_parts", "view_url"]
