"""Attachments at the desk: adding files on the page of their record, opening them, deleting them with a reason."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from flask import Response, current_app, flash, redirect, render_template, request, url_for
from flask import session as web_session
from flask_appbuilder import AppBuilder, BaseView, expose
from flask_babel import gettext as _

from backoffice.actors import Action, Actor
from backoffice.errors import DomainError, Forbidden, NotFound
from backoffice.files.kinds import INLINE, KINDS
from backoffice.files.pictures import NotAPicture, redrawn
from backoffice.files.store import get_content
from backoffice.operations.attachments import (
    attach_file,
    files_fixed,
    may_attach,
    may_remove,
    parent_of,
    remove_attachment,
)
from backoffice.records import show
from backoffice.records.lookup import get_record
from models.attachment import PARENTS, Attachment
from models.base import ENTITIES, Recorded
from models.catalogue import slug
from views import addresses
from views.desk.attachment_api import AttachmentFileApi
from views.door import commit, current_actor, current_session, fresh_session
from views.downloads import file_response
from views.generated.guarding import guarded
from views.generated.listing import add_row_link
from views.generated.pages import add_link
from views.generated.tabs import set_panel
from views.uploads import sent_files, storing

#: What was said of files that were refused, until their form is shown again.
_SAID = "attachment_said"


class AttachmentView(BaseView):
    """What the generated pages of attachments have not."""

    entity = Attachment
    route_base = "/attachment"
    class_permission_name = Attachment.__table__.name
    default_view = "file"

    @expose("/<pk>/file")
    @guarded(Action.read)
    def file(self, pk: str) -> Response:
        """Send the file: shown where browsers can do so safely, saved everywhere else."""
        attachment = get_record(current_session(), Attachment, pk)
        return content_response(attachment, inline="save" not in request.args)

    @expose("/add", methods=["POST"])
    @guarded(Action.read)
    def add(self) -> Any:
        """Add the files sent to the record they were sent for: all of them, or none with the reason."""
        files, parent = sent_files("file"), _parent_sent()
        try:
            for name, content in files:
                attach_file(
                    current_session(),
                    parent,
                    name,
                    content,
                    **storing(),
                    actor=current_actor(),
                    description=request.form.get("description", ""),
                    client_visible=request.form.get("client_visible") == "1",
                )
            commit()
        except (Forbidden, NotFound):
            raise
        except DomainError as error:
            problems = getattr(error, "problems", {"": str(error)})
            flash(" ".join(str(text) for text in problems.values()), "bad")
            fresh_session()
            # The files must be chosen again, as everywhere; what was said of them is kept, out of the address.
            said = [request.form.get(name, "")[:160] for name in ("description", "client_visible")]
            web_session[_SAID] = [parent.__table__.name, parent.id, *said]
        else:
            if files:
                flash(_("Attached: %(names)s.", names=", ".join(name for name, _content in files)), "good")
            else:
                flash(_("Choose a file first."), "bad")
        return redirect(_tab_url(parent), 303)

    @expose("/<pk>/remove", methods=["GET", "POST"])
    @guarded(Action.read)
    def remove(self, pk: str) -> Any:
        """Ask why, and delete."""
        attachment = get_record(current_session(), Attachment, pk)
        parent = parent_of(attachment)
        if not may_remove(current_actor(), type(parent)):
            raise Forbidden
        if request.method != "POST":
            return _remove_page(attachment, parent)
        name, url = show.label(attachment, current_actor()), _tab_url(parent)
        try:
            remove_attachment(current_session(), attachment, request.form.get("reason", ""), actor=current_actor())
            commit()
        except (Forbidden, NotFound):
            raise
        except DomainError as error:
            attachment = get_record(fresh_session(), Attachment, pk)
            return _remove_page(attachment, parent_of(attachment), problem=error), error.status
        flash(_("“%(name)s” is deleted.", name=name), "good")
        return redirect(url, 303)


def content_response(attachment: Attachment, *, inline: bool) -> Response:
    """Return the content of an attachment read within the scope: as it is, to be saved; drawn anew, to be shown."""
    content = get_content(current_app.extensions["files"], attachment.sha256)
    if inline and attachment.media_type in INLINE:
        with suppress(NotAPicture):
            picture, media_type = redrawn(content)
            return file_response(picture, attachment.name, media_type, inline=True)
    return file_response(content, attachment.name, attachment.media_type, inline=False)


def _parent_sent() -> Recorded:
    """Return the record that a form says its files are for."""
    name = request.form.get("parent", "")
    if name not in PARENTS:
        raise NotFound
    parent: Recorded = get_record(current_session(), ENTITIES[name], request.form.get("parent_id", ""))
    return parent


def _remove_page(attachment: Attachment, parent: Recorded, problem: DomainError | None = None) -> str:
    page = {
        "heading": _("Delete “%(name)s”?", name=show.label(attachment, current_actor())),
        "text": _("The file is deleted for good; the history of “%(name)s” keeps the reason.", name=_name(parent)),
        "problem": str(problem) if problem else None,
        "action": url_for("AttachmentView.remove", pk=attachment.id),
        "reason": request.form.get("reason", ""),
        "cancel_url": _tab_url(parent),
    }
    return render_template("attachment_remove.html", page=page)


def _name(record: Recorded) -> str:
    return show.label(record, current_actor())


def _tab_url(parent: Recorded) -> str:
    return addresses.record_url(parent, tab=f"{slug(Attachment)}.{parent.__table__.name}")


def _panel(parent: Recorded, actor: Actor) -> dict[str, Any] | None:
    """Return the form that stands under the attachments of a record, for whoever may add some."""
    if not may_attach(actor, parent) or files_fixed(parent):
        return None
    *whose, description, client_visible = web_session.get(_SAID, [None, None, "", ""])
    if whose == [parent.__table__.name, parent.id]:
        del web_session[_SAID]
    else:
        description = client_visible = ""
    return {
        "template": "_attach.html",
        "action": url_for("AttachmentView.add"),
        "parent": parent.__table__.name,
        "parent_id": parent.id,
        "description": description,
        "client_visible": client_visible == "1",
        "accept": ",".join(f".{ending}" for ending in KINDS),
        "limit_mb": current_app.config["MAX_ATTACHMENT_MB"],
    }


def _open_link(attachment: Attachment, _actor: Actor) -> dict[str, Any] | None:
    if attachment.media_type not in INLINE:
        return None
    return {"label": _("Show"), "icon": "eye", "url": url_for("AttachmentView.file", pk=attachment.id)}


def _save_link(attachment: Attachment, _actor: Actor) -> dict[str, Any]:
    url = url_for("AttachmentView.file", pk=attachment.id, save=1)
    return {"label": _("Download"), "icon": "download", "url": url, "primary": True}


def _remove_link(attachment: Attachment, actor: Actor) -> dict[str, Any] | None:
    kind = next(name for name in PARENTS if getattr(attachment, f"{name}_id") is not None)
    if not may_remove(actor, ENTITIES[kind]):
        return None
    if ENTITIES[kind].__admin__.files_in is not None and files_fixed(getattr(attachment, kind)):
        return None
    return {"label": _("Delete"), "icon": "trash3", "url": url_for("AttachmentView.remove", pk=attachment.id)}


def register(appbuilder: AppBuilder) -> None:
    """Give attachments the pages and endpoints that the generator cannot guess."""
    appbuilder.add_view_no_menu(AttachmentView)
    appbuilder.add_api(AttachmentFileApi)


for _link in (_open_link, _save_link, _remove_link):
    add_link(Attachment, _link)
    add_row_link(Attachment, _link)
set_panel(Attachment, _panel)
