"""The desk's pages on which something is done to many records at once: asked for, confirmed, done, and reported."""

from __future__ import annotations

import csv
import io
from typing import Any

from flask import current_app, flash, redirect, render_template, request
from flask_appbuilder import BaseView, expose
from flask_babel import get_locale
from flask_babel import gettext as _

from backoffice.actors import Action, Actor
from backoffice.database import time_limited
from backoffice.errors import DomainError, Forbidden, NotFound
from backoffice.operations import bulk, bulk_deeds
from backoffice.operations.bulk_results import count_waiting
from backoffice.spreadsheets.text import protect_text
from models.base import ENTITIES, Recorded
from models.bulk_run import BulkRun
from models.job import Job
from views import addresses, interrupted
from views.door import commit, current_actor, current_session, read_again
from views.downloads import csv_response
from views.frame import set_place
from views.generated import bulk as shown
from views.generated.bulk_report import report_lines, report_page
from views.generated.guarding import guarded
from views.generated.list_addresses import address_of, read_address
from views.generated.listing import Listing
from views.generated.pages import add_link


class BulkPages(BaseView):
    """One action on many records of one entity."""

    entity: type[Recorded]

    @expose("/bulk", methods=["POST"])
    @guarded(Action.read)
    def ask_bulk(self) -> Any:
        """Count what is meant and lead to the question; or to the file, where it is to be exported."""
        actor, name = current_actor(), request.form.get("action", "")
        listing = Listing(self.entity, actor, args=read_address(request.form.get("address", "")))
        address, rows = address_of(listing), shown.sent_rows(request.form.getlist("row"))
        everything, kind = "everything" in request.form, name.removeprefix("export:")
        if kind in ("xlsx", "csv"):
            keys = "" if everything else ",".join(map(str, rows)) or "0"
            return redirect(f"{addresses.list_url(self.entity)}export.{kind}?{address}&keys={keys}", 303)
        choice, chosen = shown.sent_choice(self.entity, actor, name), None if everything else rows
        try:
            with time_limited(current_session(), current_app.config["STATEMENT_TIMEOUT_MS"]):
                run_id = bulk.prepare_run(
                    current_session(), listing.query, choice, chosen, address=address, actor=actor
                )
            commit()
        except (bulk.NothingChosen, bulk.TooManyRecords) as error:
            read_again()
            flash(str(error), "bad")
            return redirect(f"{addresses.list_url(self.entity)}?{address}", 303)
        return redirect(shown.bulk_url(self.entity, run_id), 303)

    @expose("/bulk/<int:key>", methods=["GET", "POST"])
    @guarded(Action.read)
    def bulk_run(self, key: int) -> Any:
        """Ask before it is done, do it, and lead to the report."""
        run, actor = self._run(key), current_actor()
        if run.started_at is not None:
            if count_waiting(current_session(), run):
                return render_template("bulk_progress.html", page=shown.progress_page(current_session(), run))
            return redirect(shown.run_url(run, "report"), 303)
        form = shown.run_form(current_session(), run, actor)
        if request.method != "POST" or interrupted.resumed():
            page = shown.confirm_page(current_session(), run, form, actor)
            return render_template("bulk.html", page=page | {"resumed": interrupted.resumed()})
        try:
            bulk.begin_run(current_session(), run, form.values(), actor=actor)
            is_long = bulk_deeds.is_done_beside(current_session(), run)
            if is_long:
                bulk_deeds.request_run(current_session(), run, language=str(get_locale() or "it"))
            commit()
        except (NotFound, Forbidden):
            raise
        except DomainError as error:
            read_again()
            run = self._run(key)
            form = shown.run_form(current_session(), run, actor)
            page = shown.confirm_page(current_session(), run, form, actor, problem=error)
            return render_template("bulk.html", page=page), error.status
        if not is_long:
            _go_on(run, actor)
        return redirect(shown.run_url(run), 303)

    @expose("/bulk/<int:key>/go", methods=["POST"])
    @guarded(Action.read)
    def go_on(self, key: int) -> Any:
        """Do some more of what nobody does beside the page."""
        run = self._run(key)
        if run.started_at is not None:
            _go_on(run, current_actor())
        return redirect(shown.run_url(run), 303)

    @expose("/bulk/<int:key>/report")
    @guarded(Action.read)
    def bulk_report(self, key: int) -> Any:
        run = self._run(key)
        return render_template("bulk_report.html", page=report_page(current_session(), run, current_actor()))

    @expose("/bulk/<int:key>/report.csv")
    @guarded(Action.read)
    def bulk_report_file(self, key: int) -> Any:
        run = self._run(key)
        buffer = io.StringIO()
        writer = csv.writer(buffer, delimiter=";", lineterminator="\r\n")
        for line in report_lines(current_session(), run, current_actor()):
            writer.writerow([protect_text(text) for text in line])
        return csv_response("\ufeff" + buffer.getvalue(), f"{self.entity.__admin__.plural} {run.id}.csv")

    def _run(self, key: int) -> BulkRun:
        run = bulk.get_run(current_session(), self.entity, key, actor=current_actor())
        set_place(_("Many records at once"), shown.run_url(run))
        return run


def _go_on(run: BulkRun, actor: Actor) -> None:
    """Do what waits, some at a time, as much as somebody may wait for; a step is a transaction."""
    for number, _done in enumerate(bulk_deeds.carry_out(current_session(), run, actor=actor), start=1):
        commit()
        if number * bulk_deeds.CHUNK >= bulk_deeds.AT_ONCE:
            break


def _report_link(job: Job, actor: Actor) -> dict[str, Any] | None:
    """Lead whoever asked from the job to what became of the records."""
    entity = ENTITIES.get(job.arguments.get("entity", ""))
    if job.kind != bulk_deeds.MANY or entity is None or job.created_by_id != actor.staff_id:
        return None
    url = shown.bulk_url(entity, job.arguments["run"])
    return {"label": _("Open the report"), "icon": "list-check", "url": url, "primary": True}


add_link(Job, _report_link)
