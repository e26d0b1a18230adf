"""What would become of each row of a file: the same judgement when an import is tried and when it is applied.

Rows are judged some hundreds at a time, with a fixed number of look-ups however many they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Session, selectinload
from werkzeug.utils import cached_property

from backoffice.access import INTERNAL, holders_of
from backoffice.actors import Action, Actor
from backoffice.constraints import broken_checks
from backoffice.errors import InvalidRecord
from backoffice.operations import external_codes
from backoffice.operations.admission import Draft, refusals
from backoffice.operations.cleaning import CHOOSE, REQUIRED, Reach, clean, only_opening
from backoffice.operations.import_cells import zeros_restored
from backoffice.operations.import_mapping import Key, Target, keys_for, reach_of
from backoffice.operations.import_relations import resolve_relations, with_zeros
from backoffice.operations.import_rows import Columns, Verdict
from backoffice.spreadsheets.guessing import EXTERNAL_CODE
from models.base import Recorded
from models.catalogue import Kind, fields
from models.import_batch import ImportBatch, ImportMode, ImportOutcome
from models.import_row import ImportKey, ImportRow
from models.reading import BadValue

#: What a row must be found to be for something to be written.
WRITTEN = (ImportOutcome.new, ImportOutcome.changed)


@dataclass
class Judge:
    """The rules of one batch: built once, asked for one chunk of rows after another."""

    session: Session
    batch: ImportBatch
    actor: Actor
    columns: Columns = field(init=False)

    def __post_init__(self) -> None:
        self.columns = Columns(self.batch, self.actor)

    @cached_property
    def keys(self) -> list[Key]:
        """The keys that the mapped columns give a value and that no two records may share, the chosen one first."""
        mapped = {target.name for _place, target in self.columns.mapped}
        entity, chosen = self.columns.entity, self.batch.matched_by
        known = keys_for(entity, self.actor, reach=reach_of(self.batch)).values()
        usable = [key for key in known if key.is_mapped(mapped)]
        usable = [key for key in usable if key.name == chosen or _is_unique(entity, key)]
        return sorted(usable, key=lambda key: key.name != self.batch.matched_by)

    def judge(self, rows: Sequence[ImportRow], *, remember: bool) -> list[Verdict]:
        """Return a verdict for each row. ``remember``: also compare with the keys of all rows judged before."""
        verdicts = [self.columns.read(row) for row in rows if self.columns.no_record(row) is None]
        for _place, target in self.columns.mapped:
            if target.field is not None and target.field.kind is Kind.relation:
                self._resolve(target, verdicts)
        for verdict in verdicts:
            self._read_keys(verdict)
        if remember:
            self._refuse_repeated(verdicts)
        self._match(verdicts)
        for verdict in verdicts:
            self._decide(verdict)
        if not self.batch.restores:
            self._ask_admission([verdict for verdict in verdicts if verdict.outcome in WRITTEN])
        for verdict in verdicts:
            if remember:
                verdict.row.record_version = verdict.record.version if verdict.record is not None else None
            elif verdict.outcome is ImportOutcome.changed:
                self._require_untouched(verdict)
        return [*verdicts, *self._left_out(rows)]

    def _left_out(self, rows: Sequence[ImportRow]) -> list[Verdict]:
        """Return a verdict for each row that is no record, which is said and nothing else."""
        found = ((row, self.columns.no_record(row)) for row in rows)
        return [Verdict(row, outcome=ImportOutcome.skipped, remarks=[why]) for row, why in found if why is not None]

    def _resolve(self, target: Target, verdicts: list[Verdict]) -> None:
        """Put related records in the place of the texts that name them."""
        assert target.field is not None
        texts = {verdict.values[target.name] for verdict in verdicts if target.name in verdict.values}
        system, entity = self.batch.source_system, target.field.target
        assert entity is not None
        found = resolve_relations(self.session, entity, texts, system=system, actor=self.actor)
        restored = with_zeros(entity, (text for text, related in found.items() if isinstance(related, str)))
        again = resolve_relations(self.session, entity, restored.values(), system=None, actor=self.actor)
        for verdict in verdicts:
            if target.name not in verdict.values:
                continue
            text = verdict.values[target.name]
            related = found[text]
            if text in restored and not isinstance(again[restored[text]], str):
                related = again[restored[text]]
                remark = zeros_restored(restored[text])
                verdict.remarks.append(self.columns.finding(verdict.row, target.name, remark))
            if isinstance(related, str):
                verdict.reasons.append(self.columns.finding(verdict.row, target.name, related))
                del verdict.values[target.name]
            else:
                verdict.values[target.name] = related

    def _read_keys(self, verdict: Verdict) -> None:
        for key in self.keys:
            if not key.fields:
                if verdict.code is not None:
                    verdict.keys[key.name] = (verdict.code,)
                continue
            parts = [_key_part(part, verdict.values.get(part.name)) for part in key.fields]
            if all(part is not None for part in parts):
                verdict.keys[key.name] = tuple(parts)

    def _refuse_repeated(self, verdicts: list[Verdict]) -> None:
        """Refuse rows whose key an earlier row of the file already has, naming that row."""
        for key in self.keys:
            wanted = {_written(v.keys[key.name]) for v in verdicts if key.name in v.keys}
            met = self._met_before(key, wanted)
            for verdict in verdicts:
                if key.name not in verdict.keys:
                    continue
                value = _written(verdict.keys[key.name])
                first = met.setdefault(value, verdict.row.number)
                if first != verdict.row.number:
                    sentence = _("Row %(row)s of the file already has this value.", row=first)
                    verdict.reasons.append(self.columns.finding(verdict.row, _first_name(key), sentence))
                elif value in wanted:
                    wanted.discard(value)
                    self.session.add(ImportKey(batch_id=self.batch.id, name=key.name, value=value, number=first))

    def _met_before(self, key: Key, wanted: set[str]) -> dict[str, int]:
        statement = sa.select(ImportKey.value, ImportKey.number).where(
            ImportKey.batch_id == self.batch.id, ImportKey.name == key.name, ImportKey.value.in_(wanted)
        )
        return dict(self.session.execute(statement, execution_options=INTERNAL).all())

    def _match(self, verdicts: list[Verdict]) -> None:
        """Find the record each row is about, and refuse keys that another record holds, hidden or not."""
        holders = {key.name: self._holders(key, verdicts) for key in self.keys}
        if not self.batch.matched_by:
            records: dict[int, Recorded] = {}
        else:
            held = holders.get(self.batch.matched_by, {})
            records = self._load({key for keys in held.values() for key in keys})
        for verdict in verdicts:
            self._match_one(verdict, holders, records)

    def _match_one(
        self, verdict: Verdict, holders: dict[str, dict[tuple[Any, ...], list[int]]], records: dict[int, Recorded]
    ) -> None:
        chosen = self.batch.matched_by
        for key in self.keys:
            held = holders[key.name].get(verdict.keys.get(key.name, ()), [])
            if key.name == chosen:
                verdict.record = next((records[number] for number in held if number in records), None)
                if len(held) > 1:
                    sentence = _("Several records have this value: it does not say which one is meant.")
                    verdict.reasons.append(self.columns.finding(verdict.row, _first_name(key), sentence))
            if any(verdict.record is None or number != verdict.record.id for number in held[:1]):
                verdict.reasons.append(self.columns.finding(verdict.row, _first_name(key), self._taken(key)))

    def _taken(self, key: Key) -> str:
        for name, rule in self.columns.entity.__admin__.rules.items():
            if key.fields and name.startswith("uq_") and rule.field == key.fields[-1].name:
                return str(rule.text)
        return _("This value is already taken.")

    def _holders(self, key: Key, verdicts: list[Verdict]) -> dict[tuple[Any, ...], list[int]]:
        wanted = {verdict.keys[key.name] for verdict in verdicts if key.name in verdict.keys}
        if key.fields:
            return holders_of(self.session, self.columns.entity, key.columns, wanted)
        codes = {value[0] for value in wanted}
        return external_codes.find_holders(
            self.session, self.columns.entity, str(self.batch.source_system), codes, self.actor
        )

    def _load(self, ids: Iterable[int]) -> dict[int, Recorded]:
        """Return those of the records that the actor may change, or see where nothing is to be changed."""
        action = Action.read if self.batch.mode is ImportMode.create else Action.update
        relations = [t.field for _p, t in self.columns.mapped if t.field is not None and t.field.kind is Kind.relation]
        options = [selectinload(getattr(self.columns.entity, relation.name)) for relation in relations]
        statement = sa.select(self.columns.entity).where(self.columns.entity.id.in_(ids)).options(*options)
        found = self.session.scalars(statement, execution_options={"scope_action": action})
        return {record.id: record for record in found}

    def _decide(self, verdict: Verdict) -> None:
        mode, record = self.batch.mode, verdict.record
        self._require_key(verdict)
        if record is not None and mode is ImportMode.create and not verdict.reasons:
            verdict.outcome = ImportOutcome.skipped
            name = _first_name(next(key for key in self.keys if key.name == self.batch.matched_by))
            verdict.remarks.append(self.columns.finding(verdict.row, name, _("It is there already.")))
            return
        if record is not None:
            self._leave_opening(verdict, record)
        try:
            verdict.cleaned = clean(
                self.session, self.columns.entity, verdict.values,
                actor=self.actor, record=record, reach=reach_of(self.batch),
            )  # fmt: skip
        except InvalidRecord as error:
            given = {heading for heading, _value, _sentence in verdict.reasons}
            verdict.reasons.extend(
                self.columns.finding(verdict.row, name.partition(".")[0], str(sentence))
                for name, sentence in error.problems.items()
                # A relation refused above is missing now, which need not be said a second time.
                if not (sentence in (REQUIRED, CHOOSE) and self.columns.heading(name) in given)
            )
        if verdict.reasons:
            verdict.outcome = ImportOutcome.refused
        elif record is None:
            verdict.outcome = ImportOutcome.new
            verdict.brings_past = not self._opening.isdisjoint(verdict.cleaned)
        else:
            verdict.outcome = self._compare(verdict, record)

    def _ask_admission(self, verdicts: list[Verdict]) -> None:
        drafts = [Draft(self.columns.entity, verdict.cleaned, verdict.record) for verdict in verdicts]
        broken = broken_checks(self.columns.entity, [draft.stored() for draft in drafts])
        for verdict, here, elsewhere in zip(verdicts, broken, refusals(self.session, drafts), strict=True):
            for name, text in {**here, **elsewhere}.items():
                verdict.reasons.append(self.columns.finding(verdict.row, name, str(text)))
                verdict.outcome = ImportOutcome.refused

    def doubtful(self, verdicts: Sequence[Verdict]) -> list[Verdict]:
        """Return the new rows of which only writing them tells whether what they lack will be completed."""
        new = [verdict for verdict in verdicts if verdict.outcome is ImportOutcome.new and not self.batch.restores]
        rows = [Draft(self.columns.entity, verdict.cleaned).stored() for verdict in new]
        broken = broken_checks(self.columns.entity, rows, as_they_are=True)
        return [verdict for verdict, problems in zip(new, broken, strict=True) if problems]

    @cached_property
    def _opening(self) -> set[str]:
        """The mapped fields that are written of new records only."""
        if reach_of(self.batch) is not Reach.opening:
            return set()
        return {target.name for _place, target in self.columns.mapped} & only_opening(self.columns.entity, self.actor)

    def _leave_opening(self, verdict: Verdict, record: Recorded) -> None:
        """Leave what only a new record brings along as it is, and say so where the file says otherwise."""
        for name in self._opening & verdict.values.keys():
            raw, known = verdict.values.pop(name), fields(self.columns.entity)[name]
            if _key_part(known, raw) != getattr(record, name):
                shown = known.show(getattr(record, name))
                sentence = _("Only a new record takes this from a file: it stays “%(value)s”.", value=shown[:200])
                verdict.remarks.append(self.columns.finding(verdict.row, name, sentence))

    def _require_untouched(self, verdict: Verdict) -> None:
        """Refuse a row whose record somebody has changed since the trial: nobody has seen what it would replace."""
        assert verdict.record is not None
        if verdict.row.record_version != verdict.record.version:
            sentence = _("The record has been changed since the trial: try the file again.")
            verdict.reasons.append(("", "", sentence))
            verdict.outcome = ImportOutcome.refused

    def _require_key(self, verdict: Verdict) -> None:
        chosen = next((key for key in self.keys if key.name == self.batch.matched_by), None)
        if chosen is None or verdict.reasons:
            return
        if chosen.name not in verdict.keys:
            if all(part.name not in verdict.values for part in chosen.fields):
                sentence = _("Without this value the record could not be recognised the next time.")
                verdict.reasons.append(self.columns.finding(verdict.row, _first_name(chosen), sentence))
        elif verdict.record is None and self.batch.mode is ImportMode.update:
            sentence = _("There is no record with this value, and none is to be added.")
            verdict.reasons.append(self.columns.finding(verdict.row, _first_name(chosen), sentence))

    def _compare(self, verdict: Verdict, record: Recorded) -> ImportOutcome:
        """Keep of the cleaned values those that differ from the record's, and say what they replace."""
        for name, value in list(verdict.cleaned.items()):
            if getattr(record, name) == value:
                del verdict.cleaned[name]
        for name in verdict.cleaned:
            target = self.columns.allowed[name]
            old = getattr(record, name)
            assert target.field is not None
            shown = str(old or "") if target.field.kind is Kind.relation else target.field.show(old)
            sentence = _("It is “%(value)s” now.", value=shown[:200]) if shown else _("It is empty now.")
            verdict.changes.append(self.columns.finding(verdict.row, name, sentence))
        code_key = next((key for key in self.keys if not key.fields), None)
        is_new_code = code_key is not None and verdict.code is not None and code_key.name != self.batch.matched_by
        return ImportOutcome.changed if verdict.cleaned or is_new_code else ImportOutcome.same


def _first_name(key: Key) -> str:
    return key.fields[-1].name if key.fields else EXTERNAL_CODE


def _key_part(part: Any, value: Any) -> Any:
    """Return the stored form of one part of a key, or None where it has none."""
    if isinstance(value, Recorded):
        return value.id
    if not isinstance(value, str):
        return None
    try:
        return part.parse(value)
    except BadValue:
        return None


def _written(value: tuple[Any, ...]) -> str:
    return "\x1f".join(str(part) for part in value)[:500]


def _is_unique(entity: type[Recorded], key: Key) -> bool:
    """Say whether the database lets only one record of a group have a value of ``key``."""
    if not key.fields:
        return True
    wanted = set(key.columns)
    table = entity.__table__
    groups = [set(c.columns.keys()) for c in table.constraints if isinstance(c, sa.UniqueConstraint)]
    groups += [{column.name for column in index.columns} for index in table.indexes if index.unique]
    return any(names - {"group_id"} == wanted for names in groups)
