"""The grid of every entity: its list as a sheet whose cells are changed in place, one save a cell or a block.

Flask-Admin's views, reading through ``records`` and writing through ``operations`` like every other surface.
Its own pages for adding, editing, deleting and exporting are not registered at all: the desk has them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from flask import Flask, Response, current_app, g, jsonify, redirect, request
from flask_admin import Admin
from flask_admin.base import AdminIndexView, expose
from flask_admin.model import BaseModelView
from flask_admin.theme import Theme
from flask_babel import gettext as _

from backoffice.actors import Action, ActorKind, Door
from backoffice.database import UNREACHABLE
from backoffice.errors import BadRequest, Conflict, DomainError, Forbidden, InvalidRecord
from backoffice.operations.cleaning import READ_ONLY
from backoffice.operations.plain import update_record
from backoffice.records.lookup import get_record
from models.base import ENTITIES, Recorded
from models.catalogue import Field, Kind, slug
from views import addresses
from views.door import commit, current_actor, current_session, fresh_session
from views.generated.grid_blocks import change_rows, read_rows, read_version
from views.generated.grid_cells import cell_now, edit_text, editable_fields, typed
from views.generated.listing import Listing
from views.problems import problem, problem_of, problem_of_database

#: A sheet begins with so many columns; the chooser has the others.
_COLUMNS = 12


class Sheet(Listing):
    """A list with what its cells need to be edited."""

    def _columns(self, wanted: list[str]) -> list[Field]:
        if wanted:
            return super()._columns(wanted)
        chosen = super()._columns([])
        more = (field for field in editable_fields(self.entity, self.actor).values() if field not in chosen)
        return [*chosen, *more][: max(_COLUMNS, len(chosen))]

    def _column(self, field: Field) -> dict[str, Any]:
        choices = [(member.value, str(member.label)) for member in field.choices] if field.choices else []
        if field.kind is Kind.boolean:
            choices = [("1", _("Yes")), ("0", _("No"))]
        elif choices and field.nullable:
            choices = [("", ""), *choices]
        is_editable = field.name in editable_fields(self.entity, self.actor)
        return {
            **super()._column(field),
            "editable": is_editable,
            "choices": choices,
            "options_url": addresses.options_url(field) if is_editable and field.kind is Kind.relation else None,
            "help": field.help,
            "max_length": field.max_length,
        }

    def _row(self, record: Recorded) -> dict[str, Any]:
        editable = editable_fields(self.entity, self.actor)
        edits = [edit_text(record, f) if f.name in editable else None for f in self.columns]
        shown = super()._row(record)
        # A sheet shows what is stored: the day itself, not how late it is.
        cells = [replace(cell, due="") for cell in shown["cells"]]
        return {**shown, "cells": cells, "version": record.version, "edits": edits}


class RecordGrid(BaseModelView):
    """The sheet of one entity. Nothing of a request is kept on the view, which all threads share (M10)."""

    list_template = "admin/model/list.html"
    can_set_page_size = False
    # What is not registered cannot be reached: these pages would be Flask-Admin's own.
    create_view = edit_view = details_view = delete_view = action_view = export = ajax_lookup = None

    def __init__(self, entity: type[Recorded]) -> None:
        self.class_permission_name = entity.__table__.name
        name = slug(entity)
        super().__init__(entity, name=str(entity.__name__), endpoint=f"grid_{name}", url=f"/grid/{name}")

    @expose("/")
    def index_view(self) -> str:
        """Show one page of the sheet."""
        page = Sheet(self.model, current_actor()).page(current_session())
        page["update_url"] = self.get_url(".ajax_update")
        page["paste_url"] = self.get_url(".ajax_paste")
        page["list_url"] = addresses.list_url(self.model)
        return self.render(self.list_template, page=page)  # type: ignore[no-any-return]

    @expose("/ajax/update/", methods=("POST",))
    def ajax_update(self) -> Response:
        """Change one cell: ``pk``, ``column``, ``value`` and the ``version`` of the row as it was shown (M3).

        Answers 200 with the new text and version, else a problem document: 400, 403, 404, 409, 422 or 503.
        """
        return _refusals_as_problems(lambda: self._update(request.form.get("pk", ""), request.form.get("column", "")))

    @expose("/ajax/paste/", methods=("POST",))
    def ajax_paste(self) -> Response:
        """Change cells of several rows, as ``grid_blocks.read_rows`` takes them: of a row all or none.

        Answers 200 with what became of each row, else a problem document and no row has changed: 400, 403, 413 or 503.
        """
        return _refusals_as_problems(self._paste)

    def _paste(self) -> Response:
        actor = current_actor()
        actor.require(Action.update, self.model)
        rows = read_rows(request.get_json(silent=True))
        attempts = change_rows(current_session(), self.model, rows, actor)
        commit()
        return jsonify(rows=[attempt.told(actor) for attempt in attempts])

    def _update(self, pk: str, name: str) -> Response:
        actor, value = current_actor(), request.form.get("value")
        actor.require(Action.update, self.model)
        field = editable_fields(self.model, actor).get(name)
        if field is None:
            raise InvalidRecord({name: READ_ONLY})
        if value is None:
            raise BadRequest(reason=_("a value is missing."))
        version = read_version(request.form.get("version", ""))
        record = get_record(current_session(), self.model, pk)
        try:
            if record.version != version:
                raise Conflict
            update_record(current_session(), record, {name: typed(field, value)}, version=version, actor=actor)
            commit()
        except Conflict as error:
            stored = get_record(fresh_session(), self.model, pk)
            return problem_of(error, current=cell_now(stored, field, actor), submitted=value)
        return jsonify(cell_now(record, field, actor))

    def _handle_view(self, name: str, **kwargs: Any) -> Any:
        g.door = Door.grid
        fresh_session()  # opened before, it would say that the change came by the desk
        if self.is_accessible():
            return None
        is_stranger = current_actor().kind is ActorKind.anonymous
        if name in ("ajax_update", "ajax_paste"):
            return problem(401, _("Your session has ended: sign in again.")) if is_stranger else problem_of(Forbidden())
        if is_stranger:
            return redirect(current_app.extensions["appbuilder"].get_url_for_login_with(request.full_path))
        raise Forbidden

    def _run_view(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        # The toolkit would call again, otherwise, after any TypeError inside the view.
        return fn(self, *args, **kwargs)

    def is_accessible(self) -> bool:
        return self.can_edit

    def is_visible(self) -> bool:
        return False  # the desk's navigation leads here, not the toolkit's menu

    @property
    def can_edit(self) -> bool:
        """Whether the actor may change rows of the entity at all."""
        return current_actor().may(Action.update, self.model)

    @property
    def can_create(self) -> bool:
        return False

    @property
    def can_delete(self) -> bool:
        return False

    @property
    def can_export(self) -> bool:
        return False

    def _refresh_cache(self) -> None:
        """Keep no columns, forms or filters on the view: each request asks the declaration and its own actor."""

    def get_pk_value(self, model: Recorded) -> int:
        return model.id


class GridHome(AdminIndexView):
    """The toolkit wants a home page; ours is the desk."""

    @expose()
    def index(self) -> Any:
        return redirect("../")


def grid_entities() -> list[type[Recorded]]:
    """Return the entities that have a grid: those whose rows people may change."""
    return [e for e in ENTITIES.values() if not (e.__admin__.append_only or e.__admin__.written_by_verbs)]


def register_grid(app: Flask) -> None:
    """Add the grid of every entity to the application, at ``/grid/<entity>/``."""
    home = GridHome(url="/grid", endpoint="grid")
    home.static_folder = None  # the toolkit's scripts and styles are used nowhere
    theme = Theme(folder="backoffice", base_template="frame.html")
    admin = Admin(app, url="/grid", endpoint="grid", index_view=home, theme=theme)
    for entity in grid_entities():
        admin.add_view(RecordGrid(entity))


def _refusals_as_problems(answer: Callable[[], Response]) -> Response:
    """Return what ``answer`` returns, and its refusals as the script of the page reads them."""
    try:
        return answer()
    except InvalidRecord as error:
        return problem_of(error, detail=" ".join(str(text) for text in error.problems.values()))
    except DomainError as error:
        return problem_of(error)
    except UNREACHABLE as error:
        return problem_of_database(error)
