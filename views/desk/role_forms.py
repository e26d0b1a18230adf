"""The form of one role: for each area and action the rows, and below the fields shown as a mask."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from flask_babel import gettext as _
from wtforms import Form, SelectField, SelectMultipleField
from wtforms.fields import SelectChoice

from backoffice.actors import Action, ScopeKind
from backoffice.errors import Text
from backoffice.operations.role_limits import maskable, offered_actions, offered_scopes
from backoffice.operations.role_rows import Values, actions_of, value_of
from backoffice.permissions import ACTION_LABELS, AREAS, SCOPE_MEANINGS, SCOPE_WORDS, entities_in
from models.base import ENTITIES
from models.catalogue import fields


def make_form(values: Values, sent: Any = None) -> Form:
    """Return the form of a role with these rights and masks, or with what was sent alone."""
    shown = values if sent is None else {}
    made: dict[str, Any] = {}
    for area, label in AREAS.items():
        stored = actions_of(shown.get(f"right:{area}"))
        scopes = offered_scopes(area)
        for action in offered_actions(area):
            made[_name(area, action)] = SelectField(
                f"{label}: {ACTION_LABELS[action]}",
                choices=[SelectChoice("", "–"), *(SelectChoice(kind.value, str(SCOPE_WORDS[kind])) for kind in scopes)],
                default=stored[action].value if action in stored else "",
            )
    made["mask"] = SelectMultipleField(
        _("Shown as a mask"),
        choices=[
            SelectChoice(f"{table}.{field.name}", str(field.label), optgroup=table)
            for table, entity in ENTITIES.items()
            for field in maskable(entity)
        ],
        default=[key.removeprefix("mask:") for key in shown if key.startswith("mask:")],
    )
    form: Form = type("RoleForm", (Form,), made)(sent)
    return form


def values_from(form: Form) -> dict[str, str]:
    """Return the rights and masks that the form asks for."""
    found = {}
    for area in AREAS:
        chosen = {action: form[_name(area, action)].data for action in offered_actions(area)}
        found[f"right:{area}"] = value_of({action: ScopeKind(scope) for action, scope in chosen.items() if scope})
    return found | {f"mask:{name}": "" for name in form["mask"].data or ()}


def matrix_page(form: Form, problems: Mapping[str, Text], changed: Collection[str]) -> dict[str, Any]:
    """Return the parts of ``role_form.html`` that show the form; ``changed`` are the keys that were changed here."""
    return {
        "actions": list(ACTION_LABELS.values()),
        "areas": [
            {
                "id": f"right-{area}",
                "label": label,
                "help": ", ".join(str(entity.__admin__.plural) for entity in entities_in(area)),
                "fields": [form[_name(area, a)] if a in offered_actions(area) else None for a in ACTION_LABELS],
                "problem": problems.get(f"right:{area}"),
                "changed": f"right:{area}" in changed,
            }
            for area, label in AREAS.items()
        ],
        "meanings": [{"word": SCOPE_WORDS[kind], "text": SCOPE_MEANINGS[kind]} for kind in ScopeKind],
        "masks": _masks_page(form),
        "problems": [
            {"text": f"{label_of(key)}: {text}" if key else str(text), "anchor": _anchor(key)}
            for key, text in problems.items()
        ],
    }


def _masks_page(form: Form) -> list[dict[str, Any]]:
    """Return the fields to tick, entity by entity, those with ticks open."""
    ticked = set(form["mask"].data or ())
    found = []
    for table, entity in ENTITIES.items():
        choices = [choice for choice in form["mask"].choices if choice.optgroup == table]
        count = sum(choice.value in ticked for choice in choices)
        found.append({"label": str(entity.__admin__.plural), "choices": choices, "count": count, "ticked": ticked})
    return sorted(found, key=lambda item: item["label"])


def describe_changes(keys: Iterable[str], old: Mapping[str, str | None], new: Mapping[str, str | None]) -> Any:
    """Return the changed rights and masks in words: ``[{label, old, new}]``."""
    return [
        {"label": label_of(key), "old": in_words(key, old.get(key)), "new": in_words(key, new.get(key))} for key in keys
    ]


def label_of(key: str) -> str:
    """Return what a right or mask concerns."""
    kind, _colon, name = key.partition(":")
    if kind == "right":
        return str(AREAS.get(name, name))
    table, _dot, field = name.partition(".")
    entity = ENTITIES.get(table)
    if entity is None or field not in fields(entity):
        return name
    return f"{entity.__admin__.label}: {fields(entity)[field].label}"


def in_words(key: str, value: str | None) -> str:
    """Return the value of a right or mask as people read it."""
    if key.startswith("mask:"):
        return _("shown") if value is None else _("shown as a mask")
    return "; ".join(_parts(actions_of(value))) or _("nothing")


def _parts(actions: Mapping[Action, ScopeKind]) -> Iterator[str]:
    for kind in ScopeKind:
        allowed = [str(word) for action, word in ACTION_LABELS.items() if actions.get(action) is kind]
        if allowed:
            yield _("%(actions)s (rows: %(rows)s)", actions=", ".join(allowed), rows=SCOPE_WORDS[kind])


def _name(area: str, action: Action) -> str:
    return f"right-{area}-{action}"


def _anchor(key: str) -> str | None:
    kind, _colon, name = key.partition(":")
    return f"right-{name}" if kind == "right" else None
