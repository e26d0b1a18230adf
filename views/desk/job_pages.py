"""Work in the background at the desk: the periodic tasks, and the jobs that people asked for."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from flask import current_app, flash, redirect, render_template, url_for
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _
from flask_babel import lazy_pgettext as _lp

from backoffice import clock
from backoffice.actors import Action, Actor
from backoffice.errors import NotFound, Text
from backoffice.files.store import get_content
from backoffice.operations.tasks import TASKS, find_tasks, is_anybody_working, run_task_now
from backoffice.records import show
from backoffice.records.lookup import get_record
from models.base import ENTITIES
from models.job import Job, JobState
from models.values import show_number
from views import addresses
from views.desk.overriding import refused_entry
from views.door import commit, current_actor, current_session
from views.downloads import file_response
from views.frame import OwnPage, add_page, reads
from views.generated.pages import add_link

#: Jobs shown on the page; all of them are a list away.
_SHOWN = 15


class JobsView(BaseView):
    """What the product does by itself, and how far it has come."""

    route_base = "/work"
    default_view = "list"

    @expose("/")
    def list(self) -> Any:
        """Show the tasks and the person's latest jobs; the page comes anew while one of them runs."""
        if (refused := refused_entry(Job, Action.read)) is not None:
            return refused
        return render_template("work.html", page=_page())

    @expose("/<int:pk>/file")
    def file(self, pk: int) -> Any:
        """Send the file that a job made to whoever asked for it."""
        if (refused := refused_entry(Job, Action.read)) is not None:
            return refused
        job = get_record(current_session(), Job, str(pk))
        if not _may_save(job, current_actor()):
            raise NotFound
        content = get_content(current_app.extensions["files"], job.file_sha256)
        return file_response(content, job.file_name, "application/octet-stream", inline=False)

    @expose("/<name>/now", methods=["POST"])
    def run_now(self, name: str) -> Any:
        """Make a task due at once."""
        if (refused := refused_entry(Job, Action.transition)) is not None:
            return refused
        run_task_now(current_session(), name, actor=current_actor())
        commit()
        flash(_("“%(task)s” will be done within some seconds.", task=TASKS[name].label), "good")
        return redirect(url_for("JobsView.list"), 303)


def _page() -> dict[str, Any]:
    now, actor, session = clock.now(), current_actor(), current_session()
    tasks = find_tasks(session)
    jobs = session.scalars(sa.select(Job).order_by(Job.id.desc()).limit(_SHOWN)).all()
    busy = any(job.state in (JobState.waiting, JobState.running) for job in jobs)
    return {
        "title": _("Work in the background"),
        "notice": _notice(tasks, now),
        "tasks": [_task(row, now) for row in tasks],
        "may_run": actor.may(Action.transition, Job) and actor.may_switch_group,
        "jobs": [_job(job) for job in jobs],
        "jobs_url": addresses.list_url(Job),
        "refresh": busy,
    }


def _notice(tasks: Any, now: datetime) -> str | None:
    if is_anybody_working(tasks, now):
        return None
    return _("Nobody is working: start run.py serve or run.py work.")


def _task(row: Any, now: datetime) -> dict[str, Any]:
    words, running = TASKS[row.name], row.lease_until is not None and row.lease_until > now
    return {
        "name": row.name,
        "label": words.label,
        "help": words.help,
        "state": _state(row, running),
        "worker": row.worker if running else None,
        "last": _moment(row.last_run_at),
        "result": row.last_result,
        "took": _seconds(row.last_milliseconds),
        "next": None if running else _moment(row.next_run_at),
        "is_overdue": not running and row.next_run_at <= now,
        "run_url": url_for("JobsView.run_now", name=row.name),
    }


def _state(row: Any, running: bool) -> dict[str, Text]:
    if running:
        return {"text": _lp("job", "Running"), "tone": "active", "icon": "gear-wide-connected"}
    if row.last_failed:
        return {"text": _lp("job", "Failed"), "tone": "bad", "icon": "x-circle"}
    if row.last_run_at is None:
        return {"text": _lp("job", "Waiting"), "tone": "wait", "icon": "hourglass-split"}
    return {"text": _lp("job", "Done"), "tone": "good", "icon": "check-circle"}


def _moment(at: datetime | None) -> dict[str, str] | None:
    return {"text": show.when(at), "iso": at.isoformat()} if at is not None else None


def _seconds(milliseconds: int | None) -> str | None:
    if milliseconds is None:
        return None
    return _("%(seconds)s s", seconds=show_number(Decimal(milliseconds).scaleb(-3).quantize(Decimal("0.1"))))


def _job(job: Job) -> dict[str, Any]:
    actor = current_actor()
    return {
        "label": show.label(job, actor),
        "url": addresses.record_url(job),
        "state": {"text": job.state.label, "tone": job.state.tone, "icon": job.state.icon},
        "done": job.done_count,
        "total": job.total_count,
        "progress": _progress(job),
        "is_open": job.state in (JobState.waiting, JobState.running),
        "text": job.problem or job.result,
        "file_url": url_for("JobsView.file", pk=job.id) if _may_save(job, actor) else None,
        "at": _moment(job.created_at),
    }


def _progress(job: Job) -> str:
    return _("%(done)s of %(total)s", done=show_number(job.done_count), total=show_number(job.total_count))


def _may_save(job: Job, actor: Actor) -> bool:
    """Say whether there is a file for this person: what one may see differs, so files are not passed on."""
    if job.file_until is None or job.file_until <= clock.now() or job.created_by_id != actor.staff_id:
        return False
    entity = ENTITIES.get(job.arguments.get("entity", ""))
    return entity is None or actor.may(Action.export, entity)


def _file_link(job: Job, actor: Actor) -> dict[str, Any] | None:
    if not _may_save(job, actor):
        return None
    return {"label": _("Download"), "icon": "download", "url": url_for("JobsView.file", pk=job.id), "primary": True}


def _cause_link(job: Job, actor: Any) -> dict[str, Any] | None:
    entity = ENTITIES.get(job.cause_entity or "")
    if entity is None or not actor.may(Action.read, entity):
        return None
    url = url_for(addresses.endpoint(entity, "show"), pk=job.cause_id)
    return {"label": _("Open what it is about"), "icon": entity.__admin__.icon, "url": url}


add_link(Job, _file_link)
add_link(Job, _cause_link)
add_page(OwnPage("work", _lp("job", "Jobs"), "cpu", "JobsView.list", reads(Job), rank=4))
