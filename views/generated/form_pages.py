"""What the form and confirmation pages show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import request
from flask_babel import gettext as _

from backoffice.actors import Action, Actor
from backoffice.errors import BadRequest, Conflict, DomainError, InvalidRecord, StillReferred, Text
from backoffice.files.kinds import KINDS
from backoffice.lifecycles import Transition
from backoffice.operations.attachments import may_attach
from backoffice.operations.removal import Referrer
from backoffice.operations.restoring import Deletion
from backoffice.records import show
from backoffice.records.filters import filterable
from models.base import Recorded, Section
from models.catalogue import Field, Kind, fields
from models.columns import Choice
from views import addresses
from views.door import current_session
from views.generated.forms import LineForms, RecordForm
from views.uploads import storing


def form_page(
    form: RecordForm,
    lines: list[LineForms],
    *,
    record: Recorded | None = None,
    problems: Mapping[str, Text] | None = None,
) -> dict[str, Any]:
    """Return everything ``form.html`` shows."""
    admin = form.entity.__admin__
    stored = record or form.record
    label = show.in_sentence(admin.label)
    if stored is None:
        heading, cancel = _("Add %(entity)s", entity=label), addresses.list_url(form.entity)
    else:
        heading = _("Edit %(entity)s “%(name)s”", entity=label, name=show.label(stored, form.actor))
        cancel = addresses.record_url(stored)
    sections = [
        {
            "id": f"section-{number}",
            "title": section.title,
            "help": section.help,
            "fields": _placed(form, section),
        }
        for number, section in enumerate(admin.sections)
    ]
    return {
        "heading": heading,
        "action": request.script_root + request.full_path.rstrip("?"),
        "version": request.form.get("version")
        if request.method == "POST" and stored
        else stored.version
        if stored
        else None,
        "cancel_url": cancel,
        "submit_label": _("Save"),
        "sections": [section for section in sections if section["fields"]],
        "inlines": [line.page() for line in lines],
        "problems": _problems(form, lines, problems or {}),
        "conflict": None,
    }


def _placed(form: RecordForm, section: Section) -> list[Any]:
    """Return the fields of a section; and say which of them have a row to themselves."""
    found = [form.fields[name] for name in section.columns if name in form.fields]
    for name in section.own_row:
        if name in form.fields:
            form.fields[name].own_row = True
    return found


def _problems(form: RecordForm, lines: list[LineForms], problems: Mapping[str, Text]) -> list[dict[str, Any]]:
    inline = {line.name: line for line in lines}
    found = []
    for name, text in problems.items():
        parent, _dot, place = name.partition(".")
        if name in form.fields:
            found.append({"text": f"{form.catalogue[name].label}: {text}", "anchor": form.fields[name].id})
        elif parent in inline:
            found.append(inline[parent].problem(place, text))
        else:
            found.append({"text": str(text), "anchor": None})
    return found


def conflict(form: RecordForm, lines: list[LineForms], changed: frozenset[str] | None = None) -> list[dict[str, Any]]:
    """Return the fields in which what was typed differs from what is stored now; inline children count as one.

    ``changed`` has the names of the fields that others have changed meanwhile, where that is known: the rest differ
    because of this person alone, and follow after those that need a choice.
    """
    assert form.record is not None
    found = [
        {
            "label": field.label,
            "theirs": show.cell(form.record, field, form.actor).text,
            "mine": _typed(form, name),
            "anchor": form.fields[name].id,
            "only_mine": _is_untouched(field, changed),
        }
        for name, field in form.catalogue.items()
    ]
    for line in lines:
        theirs, mine = _typed_lines(LineForms(form, line.name, None)), _typed_lines(line)
        anchor = f"lines-{line.name}"
        found.append({"label": line.field.label, "theirs": theirs, "mine": mine, "anchor": anchor, "only_mine": False})
    return sorted((row for row in found if row["mine"] != row["theirs"]), key=lambda row: row["only_mine"])


def _is_untouched(field: Field, changed: frozenset[str] | None) -> bool:
    return changed is not None and field.kind is not Kind.relations and not {field.name, field.column} & changed


def _typed(form: RecordForm, name: str) -> str:
    """Return what stands in a field of a form, as it would be shown."""
    field, bound = form.catalogue[name], form.fields[name]
    if bound.readonly:
        return str(bound.data)
    if field.kind is Kind.relation:
        return bound.typed or (bound.chosen["label"] if bound.chosen else "")
    if field.kind is Kind.choice:
        return next((option.label for option in bound.choices if option.value == bound.data), "")
    if field.kind is Kind.boolean:
        return field.show(bound.data)
    if field.kind is Kind.relations:
        return ", ".join(sorted(option.label for option in bound.choices if option.value in (bound.data or ())))
    return _as_shown(field, str(bound.data or ""))


def _typed_lines(lines: LineForms) -> str:
    kept = [row["form"] for row in lines.rows if not row["deleted"]]
    texts = [", ".join(text for name in form.fields if (text := _typed(form, name))) for form in kept]
    return "; ".join(text for text in texts if text)


def _as_shown(field: Field, raw: str) -> str:
    """Return what was typed as it would be shown, where it can be read at all."""
    if not raw.strip():
        return ""
    try:
        text = field.show(field.parse(raw))
    except ValueError:
        return raw
    return f"{text} {field.unit}" if field.unit else text


def delete_page(record: Recorded, actor: Actor, *, obstacle: DomainError | None = None) -> dict[str, Any]:
    """Return what ``confirm.html`` shows before a record is deleted, or instead when it cannot be."""
    name = show.label(record, actor)
    kept = obstacle is not None and not isinstance(obstacle, Conflict)
    found: list[Referrer] = obstacle.values["found"] if isinstance(obstacle, StillReferred) else []
    return {
        "heading": _("“%(name)s” cannot be deleted", name=name) if kept else _("Delete “%(name)s”?", name=name),
        "text": _("The record disappears from lists and forms. Its history remains."),
        "problem": str(obstacle) if obstacle is not None and not found else None,
        "fields": [],
        "action": addresses.action_url(record, "delete"),
        "version": record.version,
        "submit_label": _("Delete"),
        "tone": "danger",
        "cancel_url": addresses.record_url(record),
        "blocked": kept,
        "referrers": [_referrer(record, item, actor) for item in found],
    }


def restore_page(deletion: Deletion, *, problem: DomainError | None = None) -> dict[str, Any]:
    """Return what ``confirm.html`` shows before a deleted record is restored."""
    label = show.in_sentence(deletion.entity.__admin__.label)
    told = problem.problems.values() if isinstance(problem, InvalidRecord) else [problem] if problem is not None else []
    return {
        "heading": _("Restore %(entity)s “%(name)s”?", entity=label, name=deletion.title or deletion.record_id),
        "text": _(
            "%(who)s deleted it on %(when)s. It comes back as it was then, under the same number, with its lines.",
            who=deletion.who,
            when=show.when(deletion.at),
        ),
        "problem": " ".join(str(text) for text in told) or None,
        "fields": [],
        "action": addresses.key_url(deletion.entity, deletion.record_id, "restore"),
        "version": None,
        "submit_label": _("Restore"),
        "tone": "neutral",
        "cancel_url": addresses.list_url(deletion.entity),
        "referrers": [],
    }


def form_version() -> int:
    """Return the version the sent form was made from; a form of ours always carries it."""
    text = request.form.get("version", "")
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise BadRequest(reason=_("the form does not say which version of the record it was made from."))
    return int(text)


def _referrer(record: Recorded, item: Referrer, actor: Actor) -> dict[str, Any]:
    """Return what refers to the record, with the way to its list for those who may see one."""
    name = item.names[0] if len(item.names) == 1 else ""
    direct = name != "" and fields(item.entity)[name].target is type(record)
    open_to = direct and actor.may(Action.read, item.entity) and name in filterable(item.entity, actor)
    url = addresses.list_url(item.entity, f=f"{name}:in:{record.id}") if open_to else None
    return {"label": item.label, "count": item.count, "url": url}


def proposal(session: Any, record: Recorded, transition: Transition) -> Mapping[str, Any]:
    """Return what the form of a verb that writes another record proposes for it."""
    return transition.propose(session, record) if transition.propose is not None else {}


def verb_page(
    record: Recorded, transition: Transition, form: RecordForm, *, problem: DomainError | None = None
) -> dict[str, Any]:
    """Return what ``confirm.html`` shows before a verb is performed."""
    state = getattr(record, "state", None)
    text = transition.confirm
    text = text(current_session(), record) if callable(text) else text
    if text is None and transition.target is not None and isinstance(state, Choice):
        text = _("The state goes from “%(old)s” to “%(new)s”.", old=state.label, new=transition.target.label)
        if state is transition.target:
            text = _("The state stays “%(state)s”.", state=state.label)
    general = str(problem) if problem is not None and not isinstance(problem, InvalidRecord) else None
    if isinstance(problem, InvalidRecord):
        unplaced = [str(t) for name, t in problem.problems.items() if name not in form.fields]
        general = " ".join(unplaced) or None
    return {
        "heading": f"{transition.label}: {show.label(record, form.actor)}",
        "text": text,
        "problem": general,
        "fields": list(form.fields.values()),
        "action": addresses.action_url(record, "do", verb=transition.name),
        "version": record.version,
        "submit_label": transition.label,
        "tone": transition.tone,
        "cancel_url": addresses.record_url(record),
        "referrers": [],
        "files": _files(record, transition, form.actor),
    }


def _files(record: Recorded, transition: Transition, actor: Actor) -> dict[str, Any] | None:
    """Return what the form says of files that may come along with a verb; None where none may."""
    if not transition.takes_files or not may_attach(actor, record):
        return None
    return {"accept": ",".join(f".{ending}" for ending in KINDS), "limit_mb": storing()["limit_mb"]}
