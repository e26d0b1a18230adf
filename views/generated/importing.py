"""The pages that import a spreadsheet into any entity: file, columns, trial, application, refused rows.

Long steps work for some seconds, keep what they have done and let the page ask again: no request lasts
longer than a proxy waits, and whatever stops in between goes on from there. Those of long files are jobs.
"""

from __future__ import annotations

import dataclasses
import io
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

from flask import current_app, flash, redirect, render_template, request, send_file
from flask_appbuilder import AppBuilder, BaseView, expose
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.exceptions import NotFound as NoSuchPage

from backoffice.actors import Action, Actor, Door
from backoffice.database import RecordSession
from backoffice.errors import DomainError, Forbidden, InvalidRecord
from backoffice.operations import import_mapping, import_results, import_templates, import_undo, imports
from backoffice.operations.import_requests import (
    APPLICATION,
    TRIAL,
    UNDOING,
    find_open_job,
    is_done_beside,
    request_step,
)
from backoffice.spreadsheets import writing
from backoffice.spreadsheets.tables import LIMITS
from backoffice.spreadsheets.template import write_template
from models.base import ENTITIES, Recorded
from models.catalogue import slug
from models.import_batch import ImportBatch, ImportMode, ImportState
from views.door import commit, current_actor, current_session, fresh_session
from views.downloads import csv_response
from views.generated import import_pages
from views.generated.guarding import guarded
from views.generated.pages import add_link
from views.uploads import sent_files

#: How long one request works on a long file before it answers.
STEP_SECONDS = 8.0
_STEPS: dict[str, Callable[..., Iterator[int]]] = {
    TRIAL: imports.try_rows,
    APPLICATION: imports.apply_rows,
    UNDOING: import_undo.undo_rows,
}


class ImportView(BaseView):
    """The import pages of one entity. Subclasses say only which: they are made, never written."""

    entity: type[Recorded]
    default_view = "upload"

    @expose("/", methods=["GET", "POST"])
    @guarded(Action.read)
    def upload(self) -> Any:
        import_mapping.require_importable(self.entity, current_actor())
        if request.method != "POST":
            return self._file_page()
        name, content = _sent_file()
        limits = dataclasses.replace(LIMITS, file_bytes=_largest())
        try:
            batch = imports.start_import(_session(), self.entity, name, content, actor=current_actor(), limits=limits)
            commit()
        except Forbidden:
            raise
        except DomainError as error:
            fresh_session()
            return self._file_page(error), error.status
        return redirect(import_pages.current_url(batch), 303)

    def _file_page(self, problem: DomainError | None = None) -> str:
        page = import_pages.file_page(_session(), self.entity, current_actor(), _largest() // 1024**2, problem=problem)
        return self.render_template("import_file.html", page=page)

    @expose("/template.<kind>")
    @guarded(Action.read)
    def template(self, kind: str) -> Any:
        """Send a sheet to fill in, its headings and example row in the reader's language."""
        import_mapping.require_importable(self.entity, current_actor())
        columns = import_templates.template_columns(_session(), self.entity, current_actor())
        plural = str(self.entity.__admin__.plural)
        word = _("template")
        name = f"{plural} - {word}.{kind}"
        if kind == "csv":
            rows = [[column.heading for column in columns], [column.example for column in columns]]
            return csv_response("".join(writing.write_csv(rows)), name)
        if kind != "xlsx":
            raise NoSuchPage
        file = io.BytesIO()
        notes = import_pages.template_headings()
        write_template(file, columns, title=plural, notes_title=_("Allowed values"), notes_headings=notes)
        file.seek(0)
        return send_file(file, writing.XLSX, as_attachment=True, download_name=name)

    @expose("/<int:pk>")
    @guarded(Action.read)
    def open(self, pk: int) -> Any:
        return redirect(import_pages.current_url(self._batch(pk)))

    @expose("/<int:pk>/columns", methods=["GET", "POST"])
    @guarded(Action.read)
    def map_columns(self, pk: int) -> Any:
        batch = self._batch(pk)
        if find_open_job(_session(), batch) is not None:
            return redirect(import_pages.step_url(batch, "attempt"), 303)
        if request.method != "POST":
            if batch.state in (ImportState.applying, *import_pages.OVER):
                return redirect(import_pages.current_url(batch))
            page = import_pages.map_page(_session(), batch, current_actor(), kept_as=request.args.get("mapping"))
            return self.render_template("import_map.html", page=page)
        sent = _sent_mapping(batch)
        try:
            imports.map_columns(_session(), batch, **sent, actor=current_actor())
            commit()
        except InvalidRecord as error:
            fresh_session()
            page = import_pages.map_page(
                _session(), self._batch(pk), current_actor(), sent=sent, problems=error.problems
            )
            return self.render_template("import_map.html", page=page), 422
        return self._work(TRIAL, batch)

    @expose("/<int:pk>/headings", methods=["POST"])
    @guarded(Action.read)
    def choose_headings(self, pk: int) -> Any:
        """Take another of the first lines for the headings."""
        batch = self._batch(pk)
        if find_open_job(_session(), batch) is None:
            imports.choose_headings(_session(), batch, _line(), actor=current_actor())
            commit()
        return redirect(import_pages.current_url(batch), 303)

    @expose("/<int:pk>/trial", methods=["GET", "POST"])
    @guarded(Action.read)
    def attempt(self, pk: int) -> Any:
        batch = self._batch(pk)
        if request.method == "POST":
            return self._work(TRIAL, batch)
        if (job := find_open_job(_session(), batch)) is not None:
            return self.render_template("import_try.html", page=import_pages.job_page(batch, job))
        if batch.state in (ImportState.uploaded, *import_pages.OVER):
            return redirect(import_pages.current_url(batch))
        page = import_pages.try_page(
            _session(), batch, tab=request.args.get("tab", ""), after=_number("after"), trail=_trail()
        )
        return self.render_template("import_try.html", page=page)

    @expose("/<int:pk>/apply", methods=["POST"])
    @guarded(Action.read)
    def apply(self, pk: int) -> Any:
        batch = self._batch(pk)
        return self._work(APPLICATION, batch)

    @expose("/<int:pk>/done")
    @guarded(Action.read)
    def done(self, pk: int) -> Any:
        batch = self._batch(pk)
        if batch.state not in import_pages.OVER:
            return redirect(import_pages.current_url(batch))
        return self.render_template("import_done.html", page=import_pages.done_page(_session(), batch, current_actor()))

    @expose("/<int:pk>/undo", methods=["GET", "POST"])
    @guarded(Action.read)
    def undo(self, pk: int) -> Any:
        """Say exactly what undoing would take back, or what keeps it from being undone; then do it."""
        batch = self._batch(pk)
        if find_open_job(_session(), batch) is not None:
            return redirect(import_pages.step_url(batch, "attempt"), 303)
        if batch.state is not ImportState.applied:
            return redirect(import_pages.current_url(batch))
        found = import_undo.find_obstacles(_session(), batch)
        if found or request.method != "POST":
            page = import_pages.undo_page(_session(), batch, current_actor(), found)
            return self.render_template("import_undo.html", page=page), 409 if request.method == "POST" else 200
        try:
            answer = self._work(UNDOING, batch)
        except import_undo.UndoRefused:
            # Somebody else changed one of its records at this moment.
            fresh_session()
            return redirect(import_pages.step_url(batch, "undo"), 303)
        batch = self._batch(pk)
        if batch.state is ImportState.applied and find_open_job(_session(), batch) is None:
            # As much as one request does; whoever asked goes on from the numbers that are left.
            return redirect(import_pages.step_url(batch, "undo"), 303)
        return answer

    @expose("/<int:pk>/refused.<kind>")
    @guarded(Action.read)
    def rejected(self, pk: int, kind: str) -> Any:
        """Send the refused rows as they were, each with its reasons, ready to be corrected and imported again."""
        batch = self._batch(pk)
        name = f"{batch.file_name.rpartition('.')[0] or batch.file_name} - {_('refused')}.{kind}"
        if kind == "csv":
            text = "".join(writing.write_csv(import_results.rejected_rows(_session(), batch)))
            return csv_response(text, name)
        if kind != "xlsx":
            raise NoSuchPage
        file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by whoever sends it
        writing.write_xlsx(file, import_results.rejected_rows(_session(), batch), str(_("refused")))
        file.seek(0)
        return send_file(file, writing.XLSX, as_attachment=True, download_name=name)

    @expose("/<int:pk>/discard", methods=["POST"])
    @guarded(Action.read)
    def discard(self, pk: int) -> Any:
        batch = self._batch(pk)
        if find_open_job(_session(), batch) is not None:
            return redirect(import_pages.step_url(batch, "attempt"), 303)
        imports.discard_import(_session(), batch, actor=current_actor())
        commit()
        flash(_("The rows of “%(name)s” are discarded.", name=batch.file_name), "good")
        return redirect(import_pages.import_url(self.entity, "upload"), 303)

    def _batch(self, pk: int) -> ImportBatch:
        return imports.get_batch(_session(), self.entity, pk, actor=current_actor())

    def _work(self, kind: str, batch: ImportBatch) -> Any:
        """Take steps for some seconds, keeping each, and go to the page that shows how far it came.

        A long file is left to a worker, and the page shows how far that comes.
        """
        if find_open_job(_session(), batch) is not None or is_done_beside(_session(), batch):
            request_step(_session(), batch, kind, language=str(get_locale() or "it"))
            commit()
            return redirect(import_pages.step_url(batch, "attempt"), 303)
        until = time.monotonic() + STEP_SECONDS
        try:
            for _rows in _STEPS[kind](_session(), batch, actor=current_actor()):
                commit()
                if time.monotonic() > until:
                    break
        except InvalidRecord:
            # Rights or declarations have changed since the columns were chosen.
            fresh_session()
            return redirect(import_pages.step_url(batch, "map_columns"), 303)
        return redirect(import_pages.current_url(batch), 303)

    def render_template(self, template: str, **context: Any) -> str:
        return render_template(template, **context)


def _session() -> RecordSession:
    """Return the request's session; what it changes comes in by the spreadsheet door."""
    session = current_session()
    session.info["context"] = dataclasses.replace(session.info["context"], door=Door.spreadsheet)
    return session


def _largest() -> int:
    return int(current_app.config["MAX_CONTENT_LENGTH"] or LIMITS.file_bytes)


def _sent_file() -> tuple[str, bytes]:
    return next(iter(sent_files("file")), ("", b""))


def _sent_mapping(batch: ImportBatch) -> dict[str, Any]:
    form = request.form
    chosen = {str(place): form.get(f"column.{place}", "") for place in range(len(batch.headings))}
    mode = form.get("mode", "")
    return {
        "mapping": {place: name for place, name in chosen.items() if name},
        "mode": next((known for known in ImportMode if known.value == mode), batch.mode),
        "matched_by": form.get("matched_by") or None,
        "source_system": form.get("source_system") or None,
        "mapping_name": form.get("mapping_name") or None,
    }


def _line() -> int:
    text = request.form.get("row", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _number(name: str) -> int:
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _trail() -> tuple[int, ...]:
    parts = request.args.get("trail", "")[:4000].split("-")
    return tuple(int(part) for part in parts if part.isascii() and part.isdigit() and len(part) < 10)


def make_view(entity: type[Recorded]) -> type[ImportView]:
    """Return the import pages of ``entity``."""
    attributes = {
        "entity": entity,
        "route_base": f"/{slug(entity)}/import",
        "class_permission_name": entity.__table__.name,
        "__doc__": f"The import pages of {entity.__name__}.",
    }
    return type(f"import_{slug(entity)}", (ImportView,), attributes)


def register(appbuilder: AppBuilder) -> None:
    """Give every entity that people may write its import pages."""
    for entity in ENTITIES.values():
        if not entity.__admin__.append_only and not entity.__admin__.written_by_verbs:
            appbuilder.add_view_no_menu(make_view(entity))
    add_link(ImportBatch, _steps_link)


def _steps_link(batch: ImportBatch, actor: Actor) -> dict[str, Any] | None:
    """Lead from the record of an import to what became of its rows, where it can be undone too."""
    try:
        import_mapping.require_importable(ENTITIES[batch.entity], actor)
    except Forbidden:
        return None
    return {"label": _("Open the import"), "icon": "file-earmark-arrow-up", "url": import_pages.current_url(batch)}
