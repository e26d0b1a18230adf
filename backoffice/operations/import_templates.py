"""The sheet that an entity offers for filling in: its headings, an example row, and what each column takes."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice.actors import Actor
from backoffice.errors import Text
from backoffice.operations.cleaning import only_opening
from backoffice.operations.import_mapping import Target, keys_for, targets_for
from backoffice.operations.openings import opening_of
from backoffice.records.lookup import find_options
from backoffice.records.naming import key_label, text_keys, written
from backoffice.records.show import in_sentence
from backoffice.spreadsheets.template import Column
from models.base import Recorded
from models.catalogue import LONGEST_TEXT, Field, Kind

_KINDS: dict[Kind, Text] = {
    Kind.text: _l("Text"),
    Kind.long_text: _l("Long text"),
    Kind.code: _l("Code"),
    Kind.email: _l("E-mail address"),
    Kind.phone: _l("Telephone number"),
    Kind.url: _l("Web address"),
    Kind.integer: _l("Whole number"),
    Kind.decimal: _l("Number"),
    Kind.money: _l("Amount in euro"),
    Kind.minutes: _l("Hours and minutes"),
    Kind.boolean: _l("Yes or no"),
    Kind.date: _l("Date"),
    Kind.time: _l("Time of day"),
    Kind.datetime: _l("Date and time"),
    Kind.choice: _l("One of the values"),
    Kind.relation: _l("Record"),
}
#: Examples of kinds without a value type of their own.
_EXAMPLES: dict[Kind, Text] = {
    Kind.text: _l("Example"),
    Kind.long_text: _l("Example"),
    Kind.integer: "1",
    Kind.decimal: "1,5",
    Kind.boolean: _l("Yes"),
    Kind.date: "31/12/2026",
    Kind.time: "08:30",
}
#: Kinds whose values may begin with zeros or signs that a spreadsheet takes off.
_KEPT_AS_TEXT = frozenset({Kind.code, Kind.phone})
#: Kinds of which an optional column has an example too: their form is what people ask about, and no rule joins them.
_SHOWN = frozenset({Kind.code, Kind.email, Kind.phone, Kind.url})


def template_columns(session: Session, entity: type[Recorded], actor: Actor) -> list[Column]:
    """Return the columns of the template in the order of the form, with an example row that can be imported.

    The example refers to records the actor sees; where there are none yet, to one that would have to be there.
    """
    needed = _needed(entity, actor)
    past = only_opening(entity, actor)
    targets = [target for target in targets_for(entity, actor).values() if target.field is not None]
    return [
        _column(session, target, is_needed=target.name in needed, is_past=target.name in past, actor=actor)
        for target in targets
    ]


def _needed(entity: type[Recorded], actor: Actor) -> set[str]:
    """Return the fields that an example cannot do without: the key that recognises the row, and whose row it is."""
    key = next((key for key in keys_for(entity, actor).values() if key.fields), None)
    owner = (entity.__admin__.scope.company or "").partition(".")[0].removesuffix("_id")
    parts = key.fields if key is not None else ()
    # Of two optional relations that must agree, one alone never disagrees.
    return {part.name for part in parts if part.kind is not Kind.relation} | {owner}


def _column(session: Session, target: Target, *, is_needed: bool, is_past: bool, actor: Actor) -> Column:
    field = target.field
    assert field is not None
    example = ""
    if is_needed or field.example or (not is_past and (field.required or field.kind in _SHOWN)):
        example = _example(session, field, actor)
    return Column(
        heading=str(target.label),
        kind=str(_KINDS[field.kind]),
        required=_("Required") if field.required and not is_past else "",
        form=" ".join([*_form(field, actor), *_past(field, is_past=is_past)]),
        allowed=_states(field) if is_past and field.choices is not None else _allowed(field),
        example=example,
        is_text=field.kind in _KEPT_AS_TEXT,
    )


def _form(field: Field, actor: Actor) -> list[str]:
    sentences = [f"{field.help}"] if field.help else []
    if field.kind is Kind.relation:
        assert field.target is not None
        names = ", ".join(key_label(key) for key in text_keys(field.target, actor))
        word = in_sentence(field.target.__admin__.label)
        if names:
            sentence = _("Write %(keys)s of the %(record)s, its name, or # and its number.", keys=names, record=word)
            sentences.append(sentence)
        else:
            sentences.append(_("Write # and the number of the %(record)s.", record=word))
    elif field.kind is not Kind.choice:
        sentences.append(_("For example %(value)s.", value=_sample(field)))
    if field.max_length and field.max_length < LONGEST_TEXT and field.kind in (Kind.text, Kind.long_text):
        sentences.append(_("At most %(limit)s characters.", limit=field.max_length))
    return sentences


def _allowed(field: Field) -> tuple[str, ...]:
    if field.choices is not None:
        return tuple(str(choice.label) for choice in field.choices)
    return (_("Yes"), _("No")) if field.kind is Kind.boolean else ()


def _past(field: Field, *, is_past: bool) -> list[str]:
    """Return what is said of a column that new records may bring along, or that some of their states need."""
    opening = opening_of(field.entity)
    owners = [state for state, names in opening.states.items() if field.name in names] if opening is not None else []
    sentences = [_("Only new records take it from a file.")] if is_past else []
    if owners:
        words = ", ".join(f"“{state.label}”" for state in owners)
        sentences.append(_("Needed where the state is one of these: %(states)s.", states=words))
    return sentences


def _states(field: Field) -> tuple[str, ...]:
    """Return the states that a new record may come in with."""
    opening = opening_of(field.entity)
    return tuple(str(state.label) for state in opening.states) if opening is not None else ()


def _example(session: Session, field: Field, actor: Actor) -> str:
    if field.kind is not Kind.relation:
        return _sample(field)
    assert field.target is not None
    found = find_options(session, field.target, "", actor)
    if found:
        return written(found[0], actor) or f"#{found[0].id}"
    keys = text_keys(field.target, actor)
    return _sample(keys[0][0]) if keys and keys[0][0].kind is not Kind.relation else "#1"


def _sample(field: Field) -> str:
    """Return a value of the field as people write it, known to be accepted."""
    if field.choices is not None:
        named = (choice for choice in field.choices if choice.value == field.example)
        return str(next(named, next(iter(field.choices))).label)
    if field.example:
        return field.example
    if field.value_type is not None and field.value_type.example:
        return field.value_type.example
    return str(_EXAMPLES.get(field.kind, ""))[: field.max_length]
