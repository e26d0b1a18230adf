"""Filters as people see them: chips to read, and forms to make one with."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from backoffice.records import filters as record_filters
from backoffice.records import show
from models.base import Recorded
from models.catalogue import Field, Kind
from models.reading import fold
from models.values import show_date
from views import addresses
from views.door import current_actor, current_session


def filter_groups(entity: type[Recorded], available: list[Field]) -> list[dict[str, Any]]:
    """Return what the page needs to let somebody filter: first what the entity declares, then all else by name."""
    declared = [field for field in available if field.name in entity.__admin__.filters]
    others = sorted((f for f in available if f not in declared), key=lambda field: fold(str(field.label)))
    groups = ((_("Most used"), declared), (_("All the others"), others))
    return [{"label": label, "fields": [filter_field(f) for f in chosen]} for label, chosen in groups if chosen]


def editable_filter(item: record_filters.Filter) -> dict[str, Any] | None:
    """Return what the form needs to open with this filter in it; None where it has no place for all its values."""
    field, kind = item.field, item.operator.input
    if kind == "relation" and len(item.values) > 1:
        return None
    values = [_as_typed(field, kind, value) for value in item.values]
    return {"field": field.name, "operator": item.operator.name, "values": values}


def _as_typed(field: Field, kind: str, value: Any) -> str:
    """Return one value of a filter as an input of this kind holds it."""
    if value is None:
        return ""
    if kind in ("date", "two_dates"):
        return str(value.isoformat())
    return _worded(field, str(value)) if kind in ("days", "relation", "text") else field.edit(value)


def filter_field(field: Field) -> dict[str, Any]:
    """Return what the page needs to let somebody filter by ``field``."""
    return {
        "name": field.name,
        "label": field.label,
        "kind": field.kind.value,
        "operators": [{"name": o.name, "label": o.label, "input": o.input} for o in record_filters.operators(field)],
        "choices": [(m.value, m.label) for m in field.choices] if field.choices else [],
        "options_url": addresses.options_url(field) if field.kind is Kind.relation else None,
    }


def filter_value(item: record_filters.Filter) -> str:
    """Return the value part of a filter as a sentence has it."""
    field = item.field
    if item.operator.input == "none":
        return ""
    if field.kind is Kind.relation:
        rows = [current_session().get(field.target, key) for key in item.values]  # type: ignore[arg-type]
        return ", ".join(show.label(row, current_actor()) if row is not None else _("(not available)") for row in rows)
    if item.operator.input == "days":
        return ngettext("%(num)s day", "%(num)s days", item.values[0])
    if item.operator.name == "between":
        low, high = (_bound(field, value) for value in item.values)
        return _("%(low)s and %(high)s", low=low or "…", high=high or "…")
    if field.kind is Kind.choice:
        return ", ".join(str(value.label) for value in item.values)
    return ", ".join(_bound(field, value) for value in item.values)


def _bound(field: Field, value: Any) -> str:
    if value is None or isinstance(value, str):
        return _worded(field, value or "")
    if field.kind is Kind.datetime or isinstance(value, int):
        return show_date(value) if hasattr(value, "year") else str(value)
    return field.show(value)


def _worded(field: Field, text: str) -> str:
    """Return a text to look for as people read it: a name of the program by its word, which filters read as well."""
    return field.show(text) if field.value_type is not None and field.value_type.worded else text
