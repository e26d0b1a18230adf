"""What the pages show on which something is done to many records at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from flask import request
from flask_babel import format_decimal
from flask_babel import gettext as _

from backoffice.access import INTERNAL
from backoffice.actors import Action, Actor
from backoffice.database import RecordSession
from backoffice.errors import BadRequest, DomainError, InvalidRecord, Text
from backoffice.operations import bulk, bulk_results
from backoffice.operations.bulk import BulkChoice
from backoffice.records import show
from backoffice.records.lookup import parse_key
from models.base import ENTITIES, Recorded
from models.bulk_run import BulkAction, BulkRun
from models.job import Job, JobState
from views import addresses
from views.generated.forms import RecordForm
from views.generated.list_addresses import address_of
from views.generated.listing import Listing

#: How the values of buttons begin that stand for verbs.
_VERB = "verb:"


def bulk_url(entity: type[Recorded], key: int | None = None, name: str = "") -> str:
    """Return the address of a page about one action on many records, or of where it is asked for."""
    return addresses.list_url(entity) + "/".join(part for part in ("bulk", str(key or ""), name) if part)


def run_url(run: BulkRun, name: str = "") -> str:
    """Return the address of a page of a run."""
    return bulk_url(ENTITIES[run.entity], run.id, name)


def back_url(run: BulkRun) -> str:
    """Return the list that a run was asked for on."""
    return addresses.list_url(ENTITIES[run.entity]) + (f"?{run.address}" if run.address else "")


def bulk_bar(listing: Listing, page: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what ``_list_bulk.html`` shows; None where no record of the list changes, or there is none."""
    entity, actor = listing.entity, listing.actor
    if not page["rows"] or not bulk.takes_many(entity):
        return None
    choices = [_button(choice) for choice in bulk.choices_open(entity, actor)]
    exports = []
    if actor.may(Action.export, entity):
        exports = [
            {"name": f"export:{kind}", "label": _("Export as %(format)s", format=word), "icon": icon}
            for kind, word, icon in (("xlsx", "XLSX", "file-earmark-spreadsheet"), ("csv", "CSV", "filetype-csv"))
        ]
    if not choices and not exports:
        return None
    first = [choice for choice in choices if not choice["name"].startswith(_VERB)]
    return {
        "action": bulk_url(entity),
        "address": address_of(listing),
        "first": first,
        "verbs": [choice for choice in choices if choice not in first],
        "exports": exports,
        "everything": _("All %(count)s of this list", count=page["count_text"]) if page.get("next_url") else None,
    }


def _button(choice: BulkChoice) -> dict[str, Any]:
    name = _VERB + choice.transition.name if choice.transition is not None else choice.action.value
    return {"name": name, "label": choice.label, "icon": choice.icon, "tone": choice.tone}


def sent_choice(entity: type[Recorded], actor: Actor, name: str) -> BulkChoice:
    """Return what the button ``name`` stands for; raise ``BadRequest`` where there is no such button."""
    found = {_button(choice)["name"]: choice for choice in bulk.choices_open(entity, actor)}
    if name not in found:
        raise BadRequest(reason=_("your role has no such action on many records."))
    return found[name]


def sent_rows(values: Sequence[str]) -> dict[int, int]:
    """Return the versions of the ticked records by key, as the page showed them."""
    found = {}
    for text in values[:500]:
        key, version = (parse_key(part) for part in (text.partition(".")[0], text.partition(".")[2]))
        if key is None or version is None:
            raise BadRequest(reason=_("it names a record that cannot be one."))
        found[key] = version
    return found


def chosen_names(run: BulkRun, actor: Actor) -> tuple[str, ...]:
    """Return the fields that are asked for: those of the verb, or those chosen on the page."""
    if run.action is BulkAction.edit:
        known = bulk.editable_fields(ENTITIES[run.entity], actor)
        wanted = request.values.getlist("field")
        return tuple(name for name in known if name in wanted)
    transition = bulk.choice_of(run).transition
    return transition.inputs if transition is not None else ()


def run_form(session: RecordSession, run: BulkRun, actor: Actor) -> RecordForm:
    """Return the form of what is typed once for all records."""
    transition = bulk.choice_of(run).transition
    entity = (transition.asks if transition is not None else None) or ENTITIES[run.entity]
    sent = request.form if request.method == "POST" else None
    form = RecordForm(entity, actor, session, sent=sent, names=chosen_names(run, actor))
    for name, bound in form.fields.items():
        if transition is not None:
            bound.required = name not in transition.optional
    return form


def confirm_page(
    session: RecordSession, run: BulkRun, form: RecordForm, actor: Actor, *, problem: DomainError | None = None
) -> dict[str, Any]:
    """Return what ``bulk.html`` shows before anything is done: what will happen, to how many."""
    choice, name = bulk.choice_of(run), heading(run)
    problems = problem.problems if isinstance(problem, InvalidRecord) else {}
    form.refuse(problems)
    general = [str(text) for field, text in problems.items() if field not in form.fields]
    general += [str(problem)] if problem is not None and not problems else []
    names = list(form.fields)
    chooser = []
    if run.action is BulkAction.edit:
        known = bulk.editable_fields(ENTITIES[run.entity], actor)
        chooser = [{"name": f.name, "label": f.label, "chosen": f.name in names} for f in known.values()]
    return {
        "heading": name,
        "texts": _texts(session, run, choice),
        "problem": " ".join(general) or None,
        "chooser": chooser,
        "names": names if chooser else [],
        "fields": list(form.fields.values()),
        "ready": not chooser or bool(names),
        "action": run_url(run),
        "submit_label": _submit_label(run),
        "tone": choice.tone,
        "cancel_url": back_url(run),
    }


def heading(run: BulkRun) -> str:
    """Return what is done to how many records."""
    return f"{bulk.choice_of(run).label}: {_so_many(run, run.row_count)}"


def _so_many(run: BulkRun, count: int) -> str:
    admin = ENTITIES[run.entity].__admin__
    return f"{format_decimal(count)} {show.in_sentence(admin.label if count == 1 else admin.plural)}"


def _submit_label(run: BulkRun) -> str:
    return f"{bulk.choice_of(run).label} ({format_decimal(run.row_count)})"


def _texts(session: RecordSession, run: BulkRun, choice: BulkChoice) -> list[Text]:
    """Return what will happen, in sentences."""
    found: list[Text] = []
    if run.action is BulkAction.edit:
        found.append(_("The fields below get the same value in each of them."))
    if run.action is BulkAction.delete:
        found.append(_("They disappear from lists and forms. Their history remains."))
    ready = bulk_results.count_ready(session, run)
    if ready is not None and ready < run.row_count:
        found.append(
            _(
                "%(ready)s of them are in a state from which “%(verb)s” is possible; the others stay as they are.",
                ready=format_decimal(ready),
                verb=choice.label,
            )
        )
    transition = choice.transition
    if transition is not None and transition.confirm is not None and not callable(transition.confirm):
        found.append(transition.confirm)
    found.append(
        _(
            "Each is written as if it were opened by itself: rules and rights hold, and what somebody changes after "
            "%(when)s is left alone. A report says what became of each.",
            when=show.when(run.at),
        )
    )
    return found


def progress_page(session: RecordSession, run: BulkRun) -> dict[str, Any]:
    """Return what ``bulk_progress.html`` shows while there is still something to do."""
    done, job = run.row_count - bulk_results.count_waiting(session, run), _open_job(session, run)
    text = _("It is being done") if job is JobState.running else _("It waits for its turn")
    progress: dict[str, Any] = {"text": text if job else _("Not all of it is done"), "done": done}
    progress |= {"done_text": format_decimal(done), "total_text": format_decimal(run.row_count)}
    progress |= {"total": run.row_count, "action": run_url(run, "go"), "label": _("Go on")}
    return {
        "heading": heading(run),
        "progress": progress | ({"refresh_url": run_url(run)} if job else {}),
        "refresh": job is not None,
        # What somebody has stopped goes on when they say so, not by itself.
        "by_itself": job is None and run.job_id is None,
        "report_url": run_url(run, "report"),
        "cancel_url": addresses.key_url(Job, run.job_id, "do/cancel") if job and run.job_id else None,
    }


def _open_job(session: RecordSession, run: BulkRun) -> JobState | None:
    """Return how the job stands that does the run, while it is not over."""
    job: Any = Job.__table__
    state = session.scalar(sa.select(job.c.state).where(job.c.id == run.job_id), execution_options=INTERNAL)
    return state if state in (JobState.waiting, JobState.running) else None


__all__ = [
    "back_url",
    "bulk_bar",
    "bulk_url",
    "confirm_page",
    "heading",
    "progress_page",
    "run_form",
    "run_url",
    "sent_choice",
    "sent_rows",
]
