"""The way out with all that one may see, and the way in to an empty installation."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from flask import current_app, flash, redirect, render_template, request, send_file, url_for
from flask_appbuilder import BaseView, expose
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from werkzeug.exceptions import NotFound as NoSuchPage

from backoffice import clock
from backoffice.actors import Action, Actor, Context, Door
from backoffice.database import RecordSession, open_session
from backoffice.errors import DomainError, Forbidden
from backoffice.operations import everything, import_results
from backoffice.operations.exports import EVERYTHING, is_made_beside
from backoffice.operations.import_requests import (
    APPLICATION_OF_ALL,
    TRIAL_OF_ALL,
    OpenJob,
    find_open_job,
    is_done_beside,
    request_all,
)
from backoffice.records.everything import Everything, Part, takeable
from backoffice.records.pages import read_query
from backoffice.spreadsheets.tables import LIMITS
from backoffice.spreadsheets.writing import XLSX
from models.base import ENTITIES
from models.import_batch import ImportBatch, ImportMode, ImportOutcome, ImportState
from models.job import JobState
from views import addresses
from views.door import commit, current_actor, current_session, door, engine, fresh_session
from views.frame import OwnPage, add_page
from views.generated import exporting
from views.interrupted import sign_in_first

_ZIP = "application/zip"
#: So many refused rows are told on the page.
_REFUSED_SHOWN = 100


def may_take_all(actor: Actor) -> bool:
    """Say whether there is anything that the actor may take along."""
    return bool(takeable(actor))


class EverythingView(BaseView):
    """Everything in one file."""

    route_base = "/everything"
    default_view = "index"

    @expose("/", methods=["GET", "POST"])
    def index(self) -> Any:
        """Offer the way out and, while there are no clients yet, the way in; take a file to be brought in."""
        if not current_user.is_authenticated:
            return sign_in_first()
        if not may_take_all(current_actor()):
            raise Forbidden
        if request.method != "POST":
            return render_template("everything.html", page=_index_page())
        file = request.files.get("file")
        name, content = (file.filename or "", file.read()) if file is not None else ("", b"")
        limits = dataclasses.replace(LIMITS, file_bytes=current_app.config["MAX_CONTENT_LENGTH"] or LIMITS.file_bytes)
        try:
            batches = everything.start(_importing(), name, content, actor=current_actor(), limits=limits)
            commit()
        except Forbidden:
            raise
        except DomainError as error:
            fresh_session()
            return render_template("everything.html", page=_index_page(problem=str(error))), error.status
        return redirect(url_for(".parts", pk=batches[0].id), 303)

    @expose("/<int:pk>")
    def parts(self, pk: int) -> Any:
        """Show the parts of a file with everything, and what became of them."""
        if not current_user.is_authenticated:
            return sign_in_first()
        batches = _find(pk)
        job = find_open_job(current_session(), batches[0])
        return render_template("everything_parts.html", page=_parts_page(batches, job))

    @expose("/<int:pk>/trial", methods=["POST"])
    def attempt(self, pk: int) -> Any:
        """Bring everything in, tell what came of it, and take it all back."""
        if not current_user.is_authenticated:
            return sign_in_first()
        self._work(TRIAL_OF_ALL, everything.try_parts, _find(pk))
        return redirect(url_for(".parts", pk=pk), 303)

    @expose("/<int:pk>/apply", methods=["POST"])
    def apply(self, pk: int) -> Any:
        """Bring everything in, at once or not at all."""
        if not current_user.is_authenticated:
            return sign_in_first()
        if self._work(APPLICATION_OF_ALL, everything.apply_parts, _find(pk)):
            flash(_("Everything is imported."), "good")
        return redirect(url_for(".parts", pk=pk), 303)

    def _work(self, kind: str, steps: Callable[..., Iterator[int]], batches: Sequence[ImportBatch]) -> bool:
        """Do it while the page waits, and return True; or have it done beside the page."""
        session = _importing()
        everything.require_empty(session, current_actor())
        is_short = not is_done_beside(session, *batches) and find_open_job(session, batches[0]) is None
        if is_short:
            for _rows in steps(session, batches, actor=current_actor()):
                pass
        else:
            request_all(session, batches, kind, language=str(get_locale() or "it"))
        commit()
        return is_short

    @expose("/export.<kind>")
    def export(self, kind: str) -> Any:
        """Send all that the actor may see and take along; each kind of record has its line in the export log."""
        if not current_user.is_authenticated:
            return sign_in_first()
        actor = current_actor()
        if not may_take_all(actor):
            raise Forbidden
        if kind not in ("xlsx", "zip"):
            raise NoSuchPage
        title = _("Everything")
        name = f"{title} {clock.today():%Y-%m-%d}.{kind}"
        if is_made_beside(current_session(), [read_query(entity, actor) for entity in takeable(actor)]):
            return exporting.ask_for_file(EVERYTHING, {"format": kind}, name)
        file = tempfile.NamedTemporaryFile(suffix=f".{kind}")  # noqa: SIM115 - closed by whoever sends it
        with closing(open_session(engine(), Context(actor, door()))) as session:
            taken = Everything(session, actor)
            try:
                (taken.write_xlsx if kind == "xlsx" else taken.write_zip)(Path(file.name))
            finally:
                session.close()
                _log(taken.parts, kind)
        file.seek(0)
        return send_file(file, XLSX if kind == "xlsx" else _ZIP, as_attachment=True, download_name=name)


def _index_page(*, problem: str | None = None) -> dict[str, Any]:
    actor, closed = current_actor(), None
    try:
        everything.require_empty(current_session(), actor)
    except DomainError as error:
        closed = str(error)
    return {
        "heading": _("Everything in one file"),
        "problem": problem,
        "exports": [
            (_("One workbook (XLSX)"), url_for(".export", kind="xlsx")),
            (_("An archive of CSV files (ZIP)"), url_for(".export", kind="zip")),
        ],
        "may_import": actor.may_switch_group,
        "closed": closed,
        "action": url_for(".index"),
    }


def _find(pk: int) -> Sequence[ImportBatch]:
    actor = current_actor()
    if not actor.may_switch_group:
        raise Forbidden
    actor.require(Action.update, ImportBatch)
    return everything.find_parts(current_session(), pk)


def _parts_page(batches: Sequence[ImportBatch], job: OpenJob | None) -> dict[str, Any]:
    """Return what ``everything_parts.html`` shows; with a job, how far it has come."""
    first, session = batches[0], current_session()
    tried = first.state is ImportState.tried
    done = not tried and first.state is not ImportState.uploaded
    refused = [
        (str(ENTITIES[batch.entity].__admin__.plural), row.number, *finding)
        for batch in batches
        for row in import_results.find_rows(session, batch, ImportOutcome.refused, limit=_REFUSED_SHOWN)
        for finding in row.findings
    ]
    return {
        "heading": _("Import everything"),
        "progress": _progress(first, job) if job is not None else None,
        "file_text": first.file_name,
        "known": done,
        "parts": [
            {
                "label": str(ENTITIES[batch.entity].__admin__.plural),
                "late": batch.mode is ImportMode.update,
                "url": addresses.record_url(batch),
                "rows": batch.row_count,
                "counts": [batch.new_count, batch.changed_count, batch.same_count, batch.refused_count],
            }
            for batch in batches
        ],
        "refused": refused[:_REFUSED_SHOWN],
        "try_action": None if done else url_for(".attempt", pk=first.id),
        "apply_action": url_for(".apply", pk=first.id) if tried else None,
        "cancel_url": url_for(".index"),
    }


def _progress(first: ImportBatch, job: OpenJob) -> dict[str, Any]:
    if job.state is JobState.waiting:
        text = _("The file waits for its turn.")
    else:
        text = _("Everything is being tried.") if job.kind == TRIAL_OF_ALL else _("Everything is being imported.")
    return {
        "text": text,
        "note": _(
            "All of it comes in, or nothing. You may leave this page: if it takes long, a notice says when it is over."
        ),
        "done": job.done,
        "total": job.total,
        "refresh_url": url_for(".parts", pk=first.id),
    }


def _importing() -> RecordSession:
    """Return the request's session; what it changes comes in by the spreadsheet door."""
    session = current_session()
    session.info["context"] = dataclasses.replace(session.info["context"], door=Door.spreadsheet)
    return session


def _log(parts: list[Part], kind: str) -> None:
    for part in parts:
        exporting.keep_entry(
            part.entity, part.columns, kind, conditions="all=1", row_count=part.rows, is_complete=part.complete
        )


add_page(OwnPage("everything", _l("Everything in one file"), "box-seam", "EverythingView.index", may_take_all, rank=4))
