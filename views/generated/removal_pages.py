"""The desk's pages on which a record of any entity is deleted, and restored."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _
from markupsafe import Markup

from backoffice.actors import Action
from backoffice.errors import (
    Conflict,
    Forbidden,
    InvalidRecord,
    KeptForGood,
    KeptInThisState,
    NotFound,
    StillReferred,
)
from backoffice.operations import plain, removal, restoring
from backoffice.records import show
from backoffice.records.lookup import get_record, parse_key
from models.base import Recorded
from views import addresses, interrupted
from views.door import commit, current_actor, current_session, read_again
from views.frame import set_place
from views.generated import form_pages
from views.generated.form_pages import form_version
from views.generated.guarding import guarded
from views.generated.pages import set_record


class RemovalPages(BaseView):
    """Deleting and restoring the records of one entity."""

    entity: type[Recorded]

    @expose("/<pk>/delete", methods=["GET", "POST"])
    @guarded(Action.delete)
    def delete(self, pk: str) -> Any:
        record = get_record(current_session(), self.entity, pk)
        set_record(record)
        if self.entity.__admin__.append_only:
            raise Forbidden
        if request.method != "POST" or interrupted.resumed():
            obstacle = removal.obstacle(current_session(), record)
            page = form_pages.delete_page(record, current_actor(), obstacle=obstacle)
            return self.render_template("confirm.html", page=page)
        name, way_back = show.label(record, current_actor()), addresses.action_url(record, "restore")
        try:
            plain.delete_record(current_session(), record, version=form_version(), actor=current_actor())
            commit()
        except (StillReferred, KeptForGood, KeptInThisState, Conflict) as error:
            stored = get_record(read_again(), self.entity, pk)
            page = form_pages.delete_page(stored, current_actor(), obstacle=error)
            return self.render_template("confirm.html", page=page), error.status
        text = _("“%(name)s” is deleted.", name=name)
        if restoring.may_restore(self.entity, current_actor()):
            flash(Markup('{} <a href="{}">{}</a>').format(text, way_back, _("Restore it")), "good")
        else:
            flash(text, "good")
        return redirect(addresses.list_url(self.entity), 303)

    @expose("/<pk>/restore", methods=["GET", "POST"])
    @guarded(Action.delete)
    def restore(self, pk: str) -> Any:
        deletion = self._deletion(pk)
        set_place(deletion.title, "", _("Restore"))
        if request.method != "POST" or interrupted.resumed():
            return self.render_template("confirm.html", page=form_pages.restore_page(deletion))
        try:
            record = restoring.restore_record(current_session(), deletion, actor=current_actor())
            commit()
        except (InvalidRecord, restoring.NotRestorable) as error:
            read_again()
            page = form_pages.restore_page(self._deletion(pk), problem=error)
            return self.render_template("confirm.html", page=page), error.status
        flash(_("“%(name)s” is restored.", name=show.label(record, current_actor())), "good")
        return redirect(addresses.record_url(record), 303)

    def _deletion(self, pk: str) -> restoring.Deletion:
        key = parse_key(pk)
        if key is None:
            raise NotFound
        return restoring.get_deletion(current_session(), self.entity, key, actor=current_actor())

    def render_template(self, template: str, **context: Any) -> str:
        return render_template(template, **context)
