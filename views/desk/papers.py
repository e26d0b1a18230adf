"""Papers as PDF at the desk: dossiers, reports to sign, statements of hours; and archived tickets as they lie."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import current_app, url_for
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from backoffice.actors import Action, Actor
from backoffice.dossiers import hours_statement, request_dossier, ticket_dossier, visit_report
from backoffice.errors import Forbidden, NotFound, Text
from backoffice.files.store import get_content
from backoffice.paper import Paper, render_pdf
from backoffice.records.lookup import get_record
from models.activation_request import ActivationRequest
from models.base import Recorded
from models.catalogue import slug
from models.history_entry import HistoryEntry
from models.intervention import Intervention
from models.support_package import SupportPackage
from models.ticket import Ticket
from models.ticket_archive import TicketArchive
from views import interrupted
from views.door import current_actor, current_session
from views.downloads import file_response
from views.generated.guarding import require_same_group
from views.generated.pages import add_link

#: What there are papers of, and what makes them.
_MAKERS: dict[type[Recorded], Callable[..., Paper]] = {
    Ticket: ticket_dossier,
    ActivationRequest: request_dossier,
    Intervention: visit_report,
    SupportPackage: hours_statement,
}
#: These tell who did what, and so are for whoever may read the history.
_DOSSIERS = (Ticket, ActivationRequest)


class PapersView(BaseView):
    """What is printed, signed or handed over."""

    route_base = "/papers"
    default_view = "paper"

    @expose("/<kind>/<int:pk>.pdf")
    def paper(self, kind: str, pk: int) -> Any:
        """Send the paper about a record."""
        if not current_user.is_authenticated:
            return interrupted.sign_in_first()
        entity = next((entity for entity in _MAKERS if slug(entity) == kind), None)
        if entity is None:
            raise NotFound
        if not _may(entity, current_actor()):
            raise Forbidden
        require_same_group()
        record = get_record(current_session(), entity, pk)
        paper = _MAKERS[entity](current_session(), record, current_actor())
        name = "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in str(record))[:80]
        return file_response(render_pdf(paper), f"{name}.pdf", "application/pdf", inline=True)

    @expose("/archive/<int:pk>.zip")
    def archive(self, pk: int) -> Any:
        """Send an archived ticket, proven to be what was archived."""
        if not current_user.is_authenticated:
            return interrupted.sign_in_first()
        current_actor().require(Action.read, TicketArchive)
        require_same_group()
        kept: TicketArchive = get_record(current_session(), TicketArchive, pk)
        content = get_content(current_app.extensions["files"], kept.sha256)
        return file_response(content, f"{kept}.zip", "application/zip", inline=False)


def _may(entity: type[Recorded], actor: Actor) -> bool:
    if not actor.may(Action.read, entity):
        return False
    works = actor.may(Action.update, entity) or actor.may(Action.transition, entity)
    return entity not in _DOSSIERS or works or actor.may(Action.read, HistoryEntry)


def _linked(entity: type[Recorded], label: Text) -> None:
    def link(record: Any, actor: Actor) -> dict[str, Any] | None:
        if not _may(entity, actor):
            return None
        url = url_for("PapersView.paper", kind=slug(entity), pk=record.id)
        return {"label": str(label), "icon": "file-earmark-pdf", "url": url}

    add_link(entity, link)


def _archive_link(record: TicketArchive, actor: Actor) -> dict[str, Any] | None:
    if not actor.may(Action.read, TicketArchive):
        return None
    return {"label": _("Open the archive"), "icon": "archive", "url": url_for("PapersView.archive", pk=record.id)}


add_link(TicketArchive, _archive_link)
_linked(Ticket, _l("Dossier (PDF)"))
_linked(ActivationRequest, _l("Dossier (PDF)"))
_linked(Intervention, _l("Report to sign (PDF)"))
_linked(SupportPackage, _l("Statement of hours (PDF)"))
