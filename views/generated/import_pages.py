"""What the pages of an import show; each function returns the ``page`` of the template with its name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from flask import url_for
from flask_babel import format_decimal, ngettext
from flask_babel import gettext as _

from backoffice.actors import Actor
from backoffice.database import RecordSession
from backoffice.errors import DomainError, Text
from backoffice.operations import import_mapping, import_results, import_templates, imports
from backoffice.operations.import_requests import APPLICATION, UNDOING, OpenJob
from backoffice.operations.import_undo import NAMED, Obstacle, count_left
from backoffice.operations.kept_mappings import KeptMapping, find_mappings
from backoffice.records import show
from backoffice.records.show import in_sentence
from backoffice.spreadsheets.guessing import EXTERNAL_CODE
from models.base import ENTITIES, Recorded, SoftDeleted
from models.catalogue import fields, slug
from models.import_batch import ImportBatch, ImportOutcome, ImportState
from models.job import JobState
from models.values import UtcInstant
from views import addresses

PAGE_SIZE = 25
#: The states in which no step of the import is left.
OVER = (ImportState.applied, ImportState.discarded, ImportState.undone)
#: The tabs of a trial, by the word in the address; None stands for rows with a remark.
TABS: dict[str, ImportOutcome | None] = {
    "refused": ImportOutcome.refused,
    "changed": ImportOutcome.changed,
    "new": ImportOutcome.new,
    "same": ImportOutcome.same,
    "skipped": ImportOutcome.skipped,
    "noted": None,
}


def import_url(entity: type[Recorded], name: str, **values: Any) -> str:
    """Return the address of one of the pages of an import into ``entity``."""
    return url_for(f"import_{slug(entity)}.{name}", **values)


def step_url(batch: ImportBatch, name: str, **values: Any) -> str:
    return import_url(ENTITIES[batch.entity], name, pk=batch.id, **values)


def current_url(batch: ImportBatch) -> str:
    """Return where a batch stands: the page that shows what comes next."""
    if batch.restores and batch.state not in OVER:
        return url_for("EverythingView.parts", pk=batch.part_of_id)
    if batch.state in OVER:
        return step_url(batch, "done")
    return step_url(batch, "map_columns" if batch.state is ImportState.uploaded else "attempt")


def file_page(
    session: RecordSession,
    entity: type[Recorded],
    actor: Actor,
    megabytes: int,
    *,
    problem: DomainError | None = None,
) -> dict[str, Any]:
    """``import_file.html``: where a file is chosen, and the latest ones."""
    statement = (
        sa.select(ImportBatch)
        .where(ImportBatch.entity == entity.__table__.name, ImportBatch.state != ImportState.discarded)
        .order_by(ImportBatch.created_at.desc(), ImportBatch.id.desc())
        .limit(5)
    )
    return {
        "heading": _heading(entity),
        "action": import_url(entity, "upload"),
        "cancel_url": addresses.list_url(entity),
        "problem": str(problem) if problem is not None else None,
        "formats": _(
            "CSV or XLSX, up to %(size)s MB and 200,000 rows. Separator and encoding of a CSV are recognised.",
            size=megabytes,
        ),
        "template_urls": [(kind.upper(), import_url(entity, "template", kind=kind)) for kind in ("xlsx", "csv")],
        "line_urls": _line_urls(entity, actor),
        "template_headings": template_headings(),
        "template_rows": [
            [*column.described, column.example] for column in import_templates.template_columns(session, entity, actor)
        ],
        "recent": [
            {
                "label": b.file_name,
                "url": current_url(b),
                "text": f"{b.state.label} · {UtcInstant().show(b.created_at)}",
            }
            for b in session.scalars(statement)
        ],
    }


def _line_urls(entity: type[Recorded], actor: Actor) -> list[tuple[str, str]]:
    """Return where the lines of the entity are imported, which a sheet with a record a row has no place for."""
    lines = [fields(entity)[name].target for name in entity.__admin__.inline]
    wanted = [line for line in lines if line is not None and import_mapping.modes_for(line, actor)]
    return [(str(line.__admin__.plural), import_url(line, "upload")) for line in wanted]


def template_headings() -> list[str]:
    """Return the headings over what is said of the columns of a template."""
    return [_("Column"), _("What it holds"), _("Required"), _("How it is written"), _("Allowed values")]


def map_page(
    session: RecordSession,
    batch: ImportBatch,
    actor: Actor,
    *,
    sent: Mapping[str, Any] | None = None,
    problems: Mapping[str, Text] | None = None,
    kept_as: str | None = None,
) -> dict[str, Any]:
    """``import_map.html``: the columns with what was chosen, guessed, or kept under the name ``kept_as``."""
    entity, problems = ENTITIES[batch.entity], problems or {}
    allowed = import_mapping.targets_for(entity, actor)
    kept = {one.name: one for one in find_mappings(session, entity, batch.headings, allowed, actor=actor)}
    chosen = sent or _chosen(batch, kept.get(kept_as or ""))
    options = [(target.name, target.label) for target in allowed.values()]
    samples = import_results.sample_values(session, batch)
    return _frame(batch) | {
        "action": step_url(batch, "map_columns"),
        "headings_action": step_url(batch, "choose_headings"),
        "lines": [(number, _line_text(number, cells)) for number, cells in imports.first_lines(session, batch)],
        "heading_line": batch.top[-1][0] if batch.top else 1,
        "unfilled": _unfilled(entity, chosen["mapping"].values(), actor),
        "cancel_url": import_url(entity, "upload"),
        "problems": [_map_problem(batch, name, text) for name, text in problems.items()],
        "problems_title": ngettext("One thing needs correcting", "%(num)s things need correcting", len(problems)),
        "refused": {name: str(text) for name, text in problems.items()},
        "columns": [
            {
                "name": f"column.{place}",
                "heading": heading,
                "samples": samples[place],
                "guess": chosen["mapping"].get(str(place), ""),
                "options": options,
                "problem": str(problems.get(f"column.{place}", "")),
            }
            for place, heading in enumerate(batch.headings)
        ],
        "modes": [(mode.value, mode.label) for mode in import_mapping.modes_for(entity, actor)],
        "mode": chosen["mode"],
        "keys": [(key.name, key.label) for key in import_mapping.keys_for(entity, actor).values()],
        "key": chosen["matched_by"] or "",
        "source_system": chosen["source_system"] or "",
        "mapping_name": chosen["mapping_name"] or "",
        "kept": [(name, step_url(batch, "map_columns", mapping=name)) for name in kept],
        "source_needed": EXTERNAL_CODE in (*chosen["mapping"].values(), chosen["matched_by"]),
        "preview": _("An empty cell leaves what is there. The next step only tries: nothing is written."),
    }


def _unfilled(entity: type[Recorded], mapped: Iterable[str], actor: Actor) -> str:
    """Return a sentence about what new records need and no column gives them; empty where nothing is missing."""
    allowed = import_mapping.targets_for(entity, actor)
    filled = {name for target in mapped if target in allowed for name in (target, *allowed[target].fills)}
    needed = [str(allowed[name].label) for name in import_mapping.needed_targets(entity, actor) if name not in filled]
    if not needed:
        return ""
    return _("New records need this too, and no column gives it: %(fields)s.", fields=", ".join(needed))


def _line_text(number: int, cells: Sequence[str]) -> str:
    """Return a line of the file in so few words that people recognise it."""
    words = " · ".join(" ".join(cell.split()) for cell in cells if cell.strip())
    return f"{number}: {words[:59]}…" if len(words) > 60 else f"{number}: {words}"


def _chosen(batch: ImportBatch, kept: KeptMapping | None) -> dict[str, Any]:
    if kept is None:
        names = ("mapping", "mode", "matched_by", "source_system", "mapping_name")
        return {name: getattr(batch, name) for name in names}
    return {
        "mapping": kept.mapping_for(batch.headings),
        "mode": kept.mode,
        "matched_by": kept.matched_by,
        "source_system": kept.source_system,
        "mapping_name": kept.name,
    }


def _map_problem(batch: ImportBatch, name: str, text: Text) -> dict[str, Any]:
    """Return a problem of the mapping for the summary, with where it is to be corrected."""
    kind, _dot, place = name.partition(".")
    if kind == "column" and place.isdecimal() and int(place) < len(batch.headings):
        return {"text": f"{batch.headings[int(place)]}: {text}", "anchor": f"column-{int(place) + 1}"}
    labels = {"matched_by": _("Recognised by"), "source_system": _("Source system"), "mapping_name": _("Keep as")}
    if name in labels:
        return {"text": f"{labels[name]}: {text}", "anchor": name}
    return {"text": str(text), "anchor": None}


def try_page(
    session: RecordSession, batch: ImportBatch, *, tab: str, after: int, trail: tuple[int, ...]
) -> dict[str, Any]:
    """``import_try.html``: what would happen. ``trail``: where the earlier pages of the tab began, to go back by."""
    page = _frame(batch)
    if batch.state in (ImportState.trying, ImportState.applying):
        return page | {"progress": _progress(session, batch), "step": 4 if batch.state is ImportState.applying else 3}
    took = format_decimal(batch.tried_milliseconds / 1000, format="#,##0.#")
    counts = {name: _count(batch, outcome) for name, outcome in TABS.items()}
    if tab not in TABS:
        tab = next((name for name, count in counts.items() if count), "refused")
    page |= {
        "summary": _("Nothing has been written; it took %(seconds)s seconds.", seconds=took),
        "counts": _counts(batch),
        "tabs": [
            {
                "label": _tab_label(name),
                "count_text": _whole(count),
                "url": step_url(batch, "attempt", tab=name),
                "current": name == tab,
            }
            for name, count in counts.items()
            if count or name == tab
        ],
        "apply_action": step_url(batch, "apply"),
        "back_url": step_url(batch, "map_columns"),
        "again_action": step_url(batch, "attempt"),
        "cancel_action": step_url(batch, "discard"),
    }
    return page | _application(batch) | _downloads(batch) | _rows(session, batch, tab, counts[tab], after, trail)


def done_page(session: RecordSession, batch: ImportBatch, actor: Actor) -> dict[str, Any]:
    """``import_done.html``: what was written, from which file, by whom, and how."""
    entity = ENTITIES[batch.entity]
    titles = {
        ImportState.discarded: _("The rows of this file have been discarded."),
        ImportState.undone: _("This import has been undone."),
    }
    when = UtcInstant().show(batch.applied_at) if batch.applied_at else ""
    written = batch.state is ImportState.applied and bool(batch.new_count + batch.changed_count)
    return (
        _frame(batch)
        | _downloads(batch)
        | {
            "title": titles.get(batch.state, _("The import is done.")),
            "text": _("Applied on %(when)s.", when=when) if when else "",
            "left_text": _left(session, batch) if written else None,
            "counts": _counts(batch),
            "facts": _facts(batch, actor),
            "columns": _columns(batch, actor),
            "undo_url": step_url(batch, "undo") if written else None,
            **_onward(entity, batch),
            "again_url": import_url(entity, "upload"),
        }
    )


def _left(session: RecordSession, batch: ImportBatch) -> str | None:
    """Return how far undoing came, where it began and did not end."""
    written, left = batch.new_count + batch.changed_count, sum(count_left(session, batch).values())
    if left == written:
        return None
    return _(
        "Undoing it is not finished: %(done)s of %(total)s records are as before. The rest can still be undone.",
        done=_whole(written - left),
        total=_whole(written),
    )


def _facts(batch: ImportBatch, actor: Actor) -> list[tuple[str, str]]:
    """Return who brought in which file and how, and what became of it, as labels and texts."""
    known = fields(ImportBatch)
    keys = {key.name: key.label for key in import_mapping.keys_for(ENTITIES[batch.entity], actor).values()}
    texts = {
        "created_by": str(batch.created_by or ""),
        "file_name": batch.file_name,
        "matched_by": keys.get(batch.matched_by or "", ""),
    }
    names = (
        "created_by",
        "file_name",
        "mapping_name",
        "mode",
        "matched_by",
        "source_system",
        "applied_at",
        "undone_at",
    )
    shown = [(str(known[n].label), texts.get(n) or known[n].show(getattr(batch, n))) for n in names]
    return [(label, text) for label, text in shown if text]


def _columns(batch: ImportBatch, actor: Actor) -> list[tuple[str, str]]:
    """Return which heading became which field."""
    allowed = import_mapping.targets_for(ENTITIES[batch.entity], actor)
    return [(batch.headings[int(place)], str(allowed[n].label)) for place, n in batch.mapping.items() if n in allowed]


def undo_page(session: RecordSession, batch: ImportBatch, actor: Actor, found: Sequence[Obstacle]) -> dict[str, Any]:
    """``import_undo.html``: exactly what undoing takes back, or the rows that keep it from being undone."""
    left = count_left(session, batch)
    new, changed = left.get(ImportOutcome.new, 0), left.get(ImportOutcome.changed, 0)
    soft = issubclass(ENTITIES[batch.entity], SoftDeleted)
    parts = [
        ngettext("%(count)s added record is deleted.", "%(count)s added records are deleted.", new, count=_whole(new)),
        ngettext(
            "%(count)s changed record gets its earlier values back.",
            "%(count)s changed records get their earlier values back.",
            changed,
            count=_whole(changed),
        ),
    ]
    happens = [part for part, number in zip(parts, (new, changed), strict=True) if number]
    if new and soft:
        happens.append(_("Deleted records are hidden, not erased."))
    return _frame(batch) | {
        "title": _("This import cannot be undone any more") if found else _("Undo this import?"),
        "happens": [*happens, _("The history keeps both what was imported and that it was undone.")],
        "obstacles": [
            {
                "row": _whole(one.number),
                "label": show.label(one.record, actor) if one.record is not None else "–",
                "url": addresses.record_url(one.record) if one.record is not None else None,
                "reason": str(one.reason),
            }
            for one in found
        ],
        "more": len(found) >= NAMED,
        "action": step_url(batch, "undo"),
        "cancel_url": step_url(batch, "done"),
    }


def _onward(entity: type[Recorded], batch: ImportBatch) -> dict[str, Any]:
    """Return the way to the list: with what was imported on top, where the list can be sorted so."""
    count = batch.new_count + batch.changed_count
    if batch.state is not ImportState.applied or not count or ("updated_at",) not in entity.__admin__.fast:
        label = _("Open the list “%(entities)s”", entities=entity.__admin__.plural)
        return {"list_url": addresses.list_url(entity), "list_label": label}
    label = ngettext("See the imported record", "See the %(count)s imported records", count, count=_whole(count))
    return {"list_url": addresses.list_url(entity, s="-updated_at"), "list_label": label}


def _heading(entity: type[Recorded]) -> str:
    return _("Import %(entities)s", entities=in_sentence(entity.__admin__.plural))


def _frame(batch: ImportBatch) -> dict[str, Any]:
    small = batch.file_bytes < 1_000_000
    size = format_decimal(batch.file_bytes / (1_000 if small else 1_000_000), format="#,##0.0")
    facts = (
        batch.file_name,
        _("%(size)s kB", size=size) if small else _("%(size)s MB", size=size),
        ngettext("%(count)s row", "%(count)s rows", batch.row_count, count=_whole(batch.row_count)),
        batch.form,
    )
    return {"heading": _heading(ENTITIES[batch.entity]), "file_text": " · ".join(facts)}


def _progress(session: RecordSession, batch: ImportBatch) -> dict[str, Any]:
    applying = batch.state is ImportState.applying
    done, total = import_results.progress(session, batch)
    return {
        "text": _("The rows are being written.") if applying else _("The rows are being tried."),
        "done": done,
        "total": total,
        "action": step_url(batch, "apply" if applying else "attempt"),
    }


def job_page(batch: ImportBatch, job: OpenJob) -> dict[str, Any]:
    """``import_try.html`` while a worker tries, applies or undoes the file, or is going to."""
    if job.state is JobState.waiting:
        text = _("The file waits for its turn.")
    elif job.kind == UNDOING:
        text = _("The import is being undone.")
    else:
        text = _("The rows are being written.") if job.kind == APPLICATION else _("The rows are being tried.")
    progress = {"text": text, "done": job.done, "total": job.total, "refresh_url": step_url(batch, "attempt")}
    return _frame(batch) | {"progress": progress, "step": 4 if job.kind in (APPLICATION, UNDOING) else 3}


def _counts(batch: ImportBatch) -> list[dict[str, Any]]:
    applied = batch.state in (ImportState.applied, ImportState.undone)
    labels = {
        ImportOutcome.new: _("added") if applied else _("new"),
        ImportOutcome.changed: _("changed") if applied else _("to change"),
        ImportOutcome.same: _("already the same"),
        ImportOutcome.skipped: _("left out"),
        ImportOutcome.refused: _("rows refused"),
    }
    found = [(outcome, label, _count(batch, outcome)) for outcome, label in labels.items()]
    return [
        {"label": label, "text": _whole(count), "tone": outcome.tone if count else "neutral"}
        for outcome, label, count in found
        if count or outcome is not ImportOutcome.skipped
    ]


def _tab_label(name: str) -> str:
    outcome = TABS[name]
    return str(outcome.label) if outcome is not None else _("With a remark")


def _count(batch: ImportBatch, outcome: ImportOutcome | None) -> int:
    name = outcome.value if outcome is not None else "noted"
    return int(getattr(batch, f"{name}_count"))


def _application(batch: ImportBatch) -> dict[str, Any]:
    count = batch.new_count + batch.changed_count
    if not count:
        return {
            "apply_text": _("There is nothing to import: no row would add or change a record."),
            "apply_label": None,
        }
    numbers = {"new": batch.new_count, "changed": batch.changed_count, "refused": batch.refused_count}
    text = _(
        "Importing now: %(new)s added, %(changed)s changed. %(refused)s refused rows stay out.",
        **{name: _whole(number) for name, number in numbers.items()},
    )
    if batch.skipped_count:
        text += " " + ngettext(
            "%(count)s row is left out.",
            "%(count)s rows are left out.",
            batch.skipped_count,
            count=_whole(batch.skipped_count),
        )
    return {
        "apply_text": text,
        "apply_label": ngettext("Import %(count)s row", "Import %(count)s rows", count, count=_whole(count)),
    }


def _downloads(batch: ImportBatch) -> dict[str, Any]:
    if not batch.refused_count or batch.state is ImportState.discarded:
        return {"download_url": None}
    return {
        "download_url": step_url(batch, "rejected", kind="xlsx"),
        "download_label": ngettext(
            "Download the refused row with the reason",
            "Download the %(count)s refused rows with the reasons",
            batch.refused_count,
            count=_whole(batch.refused_count),
        ),
        "download_csv_url": step_url(batch, "rejected", kind="csv"),
    }


def _rows(
    session: RecordSession, batch: ImportBatch, tab: str, count: int, after: int, trail: tuple[int, ...]
) -> dict[str, Any]:
    rows = import_results.find_rows(session, batch, TABS[tab], after=after, limit=PAGE_SIZE + 1)
    more, rows = len(rows) > PAGE_SIZE, rows[:PAGE_SIZE]
    first = len(trail) * PAGE_SIZE + 1
    steps = "-".join(map(str, trail))
    before = {"after": trail[-1], "trail": steps.rpartition("-")[0]} if trail else {}
    reasons = import_results.frequent_reasons(session, batch) if tab == "refused" and rows else []
    worst = ", ".join(f"{column} ({_whole(n)})" for column, n in reasons)
    span = {"first": _whole(first), "last": _whole(first + len(rows) - 1), "count": _whole(count)}
    return {
        "rows_title": _tab_label(tab),
        "reason_title": {"refused": _("Why it is refused"), "changed": _("What it replaces")}.get(tab, _("Remark")),
        "rows": [line for row in rows for line in _lines(row)],
        "range_text": _("Rows %(first)s–%(last)s of %(count)s", **span) if rows else "",
        "reasons": _("Columns with most errors: %(columns)s", columns=worst) if worst else "",
        "previous_url": step_url(batch, "attempt", tab=tab, **before) if trail else None,
        "next_url": step_url(batch, "attempt", tab=tab, after=rows[-1].number, trail=f"{steps}-{after}".strip("-"))
        if more
        else None,
    }


def _lines(row: Any) -> list[dict[str, str]]:
    """Return a line for each finding about a row; one with its first value where nothing was found."""
    first = next((cell for cell in row.cells if cell.strip()), "")
    findings = row.findings or [("", first, "")]
    return [
        {"row": _whole(row.number) if place == 0 else "", "column": column, "value": value[:200], "reason": reason}
        for place, (column, value, reason) in enumerate(findings)
    ]


def _whole(number: int) -> str:
    return str(format_decimal(number, format="#,##0"))
