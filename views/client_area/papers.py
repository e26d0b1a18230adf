"""Papers that clients take along: the statement of hours of a support package (PK-15)."""

from __future__ import annotations

from typing import Any

from flask import url_for
from flask_babel import gettext as _

from backoffice.actors import Action, Actor
from backoffice.dossiers import hours_statement
from backoffice.paper import render_pdf
from backoffice.records.lookup import get_record
from models.package_movement import PackageMovement
from models.support_package import SupportPackage
from views.client_area import door
from views.client_area.blueprint import area
from views.door import current_actor, current_session
from views.downloads import file_response
from views.generated.section import add_section_link


@area.route("/packages/<pk>/hours.pdf")
def hours(pk: str) -> Any:
    """Send the movements of a package, with the balance after each."""
    if door.client() is None:
        return door.sign_in_first()
    actor, session = current_actor(), current_session()
    actor.require(Action.read, PackageMovement)
    package: SupportPackage = get_record(session, SupportPackage, pk)
    name = "".join(letter if letter.isalnum() else "-" for letter in package.number)
    return file_response(
        render_pdf(hours_statement(session, package, actor)), f"{name}.pdf", "application/pdf", inline=True
    )


def _link(package: SupportPackage, actor: Actor) -> dict[str, Any] | None:
    if not actor.may(Action.read, PackageMovement):
        return None
    url = url_for("clients.hours", pk=package.id)
    return {"label": _("Statement of hours (PDF)"), "icon": "file-earmark-pdf", "url": url}


add_section_link(SupportPackage, _link)
