"""What the columns of a file may become, and by which key existing records are recognised."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import force_locale
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice.access import INTERNAL
from backoffice.actors import Action, Actor
from backoffice.errors import Forbidden, InvalidRecord, Text
from backoffice.operations.cleaning import Reach, writable_fields
from backoffice.operations.kept_mappings import LONGEST_NAME, find_mappings
from backoffice.spreadsheets.guessing import ADDRESS_PARTS, EXTERNAL_CODE, WHOLE_ADDRESS, guess_mapping, knows_headings
from models.base import Recorded
from models.catalogue import Field, Kind, fields
from models.import_batch import ImportBatch, ImportMode
from models.import_row import ImportRow

_LANGUAGES = ("it", "en")


@dataclass(frozen=True)
class Target:
    """What a column may be mapped to. ``field`` is None for what is no single field."""

    name: str
    label: Text
    field: Field | None = None
    help: Text | None = None

    @property
    def fills(self) -> tuple[str, ...]:
        """The fields that a value of this target sets."""
        if self.field is not None:
            return (self.field.name,)
        return ADDRESS_PARTS if self.name == WHOLE_ADDRESS else ()


@dataclass(frozen=True)
class Key:
    """A way to recognise a record: one or more fields, or, without fields, its external code."""

    name: str
    fields: tuple[Field, ...] = ()

    @property
    def label(self) -> str:
        return " + ".join(str(field.label) for field in self.fields) or str(_EXTERNAL_CODE_LABEL)

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(str(field.column) for field in self.fields)

    def is_mapped(self, targets: set[str]) -> bool:
        """Say whether a mapping to ``targets`` gives every part of this key a value."""
        return {field.name for field in self.fields} <= targets if self.fields else EXTERNAL_CODE in targets


_EXTERNAL_CODE_LABEL: Text = _l("External code")
_WHOLE_ADDRESS_LABEL: Text = _l("Address in one piece")
_WHOLE_ADDRESS_HELP: Text = _l("Street, CAP, municipality and province are taken apart.")
_EXTERNAL_CODE_HELP: Text = _l("The code the record has in the programme the file comes from.")


def reach_of(batch: ImportBatch) -> Reach:
    """Return how much of a record the rows of a batch may write."""
    return Reach.whole if batch.restores else Reach.opening


def require_importable(entity: type[Recorded], actor: Actor) -> None:
    """Raise ``Forbidden`` unless the actor may add or change rows of ``entity`` by a file."""
    admin = entity.__admin__
    if admin.append_only or admin.written_by_verbs or not modes_for(entity, actor):
        raise Forbidden


def adding(entity: type[Recorded]) -> Action:
    """Return the right that a new row takes: the first words of one's own in place of shipped ones are a change."""
    return Action.update if entity.__admin__.configuration else Action.create


def modes_for(entity: type[Recorded], actor: Actor) -> list[ImportMode]:
    """Return what the actor's rights allow an import to do."""
    may_create, may_update = actor.may(adding(entity), entity), actor.may(Action.update, entity)
    allowed = {ImportMode.both: may_create and may_update, ImportMode.create: may_create, ImportMode.update: may_update}
    return [mode for mode, is_allowed in allowed.items() if is_allowed]


def targets_for(entity: type[Recorded], actor: Actor, *, reach: Reach = Reach.opening) -> dict[str, Target]:
    """Return by name everything a column may become: what the actor may type, and two things besides."""
    found = {
        name: Target(name, field.label, field, field.help)
        for name, field in writable_fields(entity, actor, reach=reach).items()
        if field.kind not in (Kind.children, Kind.relations)
    }
    if found.keys() >= set(ADDRESS_PARTS):
        found[WHOLE_ADDRESS] = Target(WHOLE_ADDRESS, _WHOLE_ADDRESS_LABEL, help=_WHOLE_ADDRESS_HELP)
    found[EXTERNAL_CODE] = Target(EXTERNAL_CODE, _EXTERNAL_CODE_LABEL, help=_EXTERNAL_CODE_HELP)
    return found


def needed_targets(entity: type[Recorded], actor: Actor) -> list[str]:
    """Return what a column must give to every new record."""
    return [name for name, field in writable_fields(entity, actor).items() if field.required]


def keys_for(entity: type[Recorded], actor: Actor, *, reach: Reach = Reach.opening) -> dict[str, Key]:
    """Return by name the keys an import may match by: the natural keys the actor may type, and the external code."""
    known = {field.column: field for field in fields(entity).values() if field.column}
    writable = writable_fields(entity, actor, reach=reach)
    found = {EXTERNAL_CODE: Key(EXTERNAL_CODE)}
    for natural in entity.__admin__.natural_keys:
        parts = tuple(fields(entity).get(name) or known.get(name) for name in natural)
        if all(part is not None and part.name in writable for part in parts):
            key = Key("+".join(part.name for part in parts if part), tuple(part for part in parts if part))
            found[key.name] = key
    return found


def propose_mapping(
    session: Session, batch: ImportBatch, entity: type[Recorded], samples: Sequence[Sequence[str]], *, actor: Actor
) -> None:
    """Give a new batch the mapping of the actor's last file with these headings, else a kept one, else a guess.

    Columns that the last file did not have yet, or had nothing in, are guessed.
    """
    batch.mode = modes_for(entity, actor)[0]
    allowed = targets_for(entity, actor)
    names = {name: _labels(target) for name, target in allowed.items()}
    guessed = guess_mapping(batch.headings, samples, names)
    earlier = _earlier_batch(session, batch, entity, actor)
    if earlier is not None and set(earlier.mapping.values()) <= allowed.keys():
        places = {heading: str(position) for position, heading in enumerate(batch.headings)}
        guessed_then = guess_mapping(earlier.headings, _first_rows(session, earlier), names)
        left_out = {earlier.headings[position] for position in guessed_then}
        batch.mapping = {
            str(position): name
            for position, name in guessed.items()
            if batch.headings[position] not in left_out and name not in earlier.mapping.values()
        } | {places[earlier.headings[int(old)]]: name for old, name in earlier.mapping.items()}
        batch.source_system, batch.matched_by = earlier.source_system, earlier.matched_by
        if earlier.mode in modes_for(entity, actor):
            batch.mode = earlier.mode
        batch.mapping_name = earlier.mapping_name
        return
    kept = next(iter(find_mappings(session, entity, batch.headings, allowed, actor=actor)), None)
    if kept is not None:
        batch.mapping, batch.mapping_name = kept.mapping_for(batch.headings), kept.name
        batch.source_system, batch.matched_by = kept.source_system, kept.matched_by
        if kept.mode in modes_for(entity, actor):
            batch.mode = kept.mode
        return
    batch.mapping = {str(position): name for position, name in sorted(guessed.items())}
    usable = [key.name for key in keys_for(entity, actor).values() if key.is_mapped(set(guessed.values()))]
    batch.matched_by = usable[0] if usable else None
    if batch.matched_by is None and ImportMode.create in modes_for(entity, actor):
        batch.mode = ImportMode.create


def _first_rows(session: Session, batch: ImportBatch) -> list[list[str]]:
    rows = sa.select(ImportRow.cells).where(ImportRow.batch_id == batch.id).order_by(ImportRow.number).limit(200)
    return [list(cells) for cells in session.scalars(rows, execution_options=INTERNAL)]


def known_headings(entity: type[Recorded], actor: Actor) -> Callable[[str], bool]:
    """Return what says whether a text is the name of a column that becomes something of ``entity``."""
    return knows_headings({name: _labels(target) for name, target in targets_for(entity, actor).items()})


def _labels(target: Target) -> set[str]:
    labels = set()
    for language in _LANGUAGES:
        with force_locale(language):
            labels.add(str(target.label))
    return labels


def _earlier_batch(session: Session, batch: ImportBatch, entity: type[Recorded], actor: Actor) -> ImportBatch | None:
    """Return the last batch of the same person whose mapped headings are all in this file too."""
    statement = (
        sa.select(ImportBatch)
        .where(ImportBatch.entity == entity.__table__.name, ImportBatch.tried_at.is_not(None))
        .where(ImportBatch.created_by_id == actor.staff_id, ImportBatch.restores.is_(False))
        .order_by(ImportBatch.created_at.desc(), ImportBatch.id.desc())
        .limit(10)
    )
    for earlier in session.scalars(statement):
        mapped = {earlier.headings[int(position)] for position in earlier.mapping}
        if earlier is not batch and mapped and mapped <= set(batch.headings):
            return earlier
    return None


def check_mapping(
    entity: type[Recorded],
    headings: Sequence[str],
    mapping: Mapping[str, str],
    *,
    mode: ImportMode,
    matched_by: str | None,
    source_system: str | None,
    mapping_name: str | None = None,
    reach: Reach = Reach.opening,
    actor: Actor,
) -> None:
    """Raise ``InvalidRecord`` with everything that keeps a mapping from working.

    Problems are named ``column.3`` for a column, else after what was chosen: ``mode``, ``matched_by``,
    ``source_system``, ``mapping_name`` or ``mapping``.
    """
    allowed = targets_for(entity, actor, reach=reach)
    problems: dict[str, Text] = {}
    filled: set[str] = set()
    for position, name in mapping.items():
        if not position.isdecimal() or int(position) >= len(headings) or name not in allowed:
            problems[f"column.{position}"] = _l("There is no such field.")
            continue
        fills = set(allowed[name].fills) or {name}
        if filled & fills:
            problems[f"column.{position}"] = _l("Another column already goes into this field.")
        filled |= fills
    if not mapping:
        problems["mapping"] = _l("Choose a field for at least one column.")
    if mode not in modes_for(entity, actor):
        problems["mode"] = _l("Your role does not allow this.")
    problems |= _key_problems(keys_for(entity, actor, reach=reach), set(mapping.values()), mode, matched_by)
    if EXTERNAL_CODE in mapping.values() and not source_system:
        problems["source_system"] = _l("Say where the external codes come from, such as the name of the programme.")
    if source_system and len(source_system) > 60:
        problems["source_system"] = _l("At most 60 characters.")
    if mapping_name and len(mapping_name) > LONGEST_NAME:
        problems["mapping_name"] = _l("At most %(limit)s characters.", limit=LONGEST_NAME)
    if problems:
        raise InvalidRecord(problems)


def _key_problems(keys: Mapping[str, Key], mapped: set[str], mode: ImportMode, chosen: str | None) -> dict[str, Text]:
    if not chosen:
        if mode is ImportMode.create:
            return {}
        return {"matched_by": _l("Choose the value by which existing records are recognised.")}
    if chosen not in keys:
        return {"matched_by": _l("Records cannot be recognised by this value.")}
    if not keys[chosen].is_mapped(mapped):
        return {"matched_by": _l("No column goes into this value: choose one above.")}
    return {}
