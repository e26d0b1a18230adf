"""One row of a file on its way to a record: what its cells say, and what was found about it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _
from werkzeug.utils import cached_property

from backoffice.actors import Actor
from backoffice.operations import external_codes
from backoffice.operations.import_cells import read_cell
from backoffice.operations.import_mapping import Target, reach_of, targets_for
from backoffice.spreadsheets.guessing import EXTERNAL_CODE, WHOLE_ADDRESS
from backoffice.spreadsheets.postal import split_address
from models.base import ENTITIES, Recorded
from models.import_batch import ImportBatch, ImportOutcome
from models.import_row import ImportRow
from models.reading import BadValue, clean_text, fold

#: How a line of totals begins, folded.
_TOTAL = re.compile(r"(sub|sub )?tot(al[eis]?|\.)?( [a-z]+)?( [\d.]+)?")

#: A reason or a remark: heading of the column, the value in the file, the sentence.
Finding = tuple[str, str, str]


@dataclass
class Verdict:
    """What was found about one row."""

    row: ImportRow
    #: What the cells say, by field: text, or the related record itself.
    values: dict[str, Any] = field(default_factory=dict)
    code: str | None = None
    #: By key: its value in stored form.
    keys: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    #: What is to be written, in stored form; of an existing record only what differs.
    cleaned: dict[str, Any] = field(default_factory=dict)
    record: Recorded | None = None
    outcome: ImportOutcome | None = None
    #: Whether it is a new record with a state and other facts that otherwise only verbs write.
    brings_past: bool = False
    #: Why it is refused.
    reasons: list[Finding] = field(default_factory=list)
    #: What somebody should look at although it is not refused.
    remarks: list[Finding] = field(default_factory=list)
    #: What would replace which value.
    changes: list[Finding] = field(default_factory=list)

    def note(self) -> None:
        """Keep the verdict on the row."""
        refused = self.outcome is ImportOutcome.refused
        found = self.reasons if refused else [*self.remarks, *self.changes]
        self.row.outcome = self.outcome
        self.row.findings = [list(finding) for finding in found]
        self.row.noted = bool(self.remarks) and self.outcome not in (ImportOutcome.refused, ImportOutcome.skipped)
        self.row.record_id = self.record.id if self.record is not None else None


@dataclass
class Columns:
    """The columns of a batch and what they become."""

    batch: ImportBatch
    actor: Actor

    @cached_property
    def entity(self) -> type[Recorded]:
        return ENTITIES[self.batch.entity]

    @cached_property
    def allowed(self) -> dict[str, Target]:
        return targets_for(self.entity, self.actor, reach=reach_of(self.batch))

    @cached_property
    def mapped(self) -> list[tuple[int, Target]]:
        """Position and target of every column that is imported."""
        return [(int(place), self.allowed[name]) for place, name in self.batch.mapping.items() if name in self.allowed]

    @cached_property
    def places(self) -> dict[str, int]:
        """By what a column fills: its position."""
        return {name: place for place, target in self.mapped for name in (*target.fills, target.name)}

    def heading(self, name: str) -> str:
        """Return the heading of the column that fills ``name``; empty where none does."""
        return self.batch.headings[self.places[name]] if name in self.places else ""

    def finding(self, row: ImportRow, name: str, sentence: str) -> Finding:
        """Return a finding about what fills ``name``; without a column of its own it names the field itself."""
        if name in self.places:
            place = self.places[name]
            return self.batch.headings[place], row.cells[place][:200], sentence
        target = self.allowed.get(name)
        return "", "", f"{target.label}: {sentence}" if target else sentence

    def read(self, row: ImportRow) -> Verdict:
        """Take the values out of the cells; an empty cell says nothing and leaves what is there."""
        verdict = Verdict(row)
        for place, target in self.mapped:
            raw = row.cells[place].strip()
            if not raw:
                continue
            if target.name == WHOLE_ADDRESS:
                self._read_address(verdict, raw)
            elif target.name == EXTERNAL_CODE:
                self._read_code(verdict, raw)
            else:
                self._read_value(verdict, target, raw)
        if len(row.cells) > len(self.batch.headings):
            sentence = _("The row has more cells than there are headings: a separator too many, perhaps.")
            verdict.reasons.append(("", row.cells[len(self.batch.headings)][:200], sentence))
        return verdict

    def _read_value(self, verdict: Verdict, target: Target, raw: str) -> None:
        field = target.field
        assert field is not None
        try:
            value, remark = read_cell(field, raw, self.heading(target.name))
        except BadValue as error:
            verdict.reasons.append(self.finding(verdict.row, target.name, str(error)))
            return
        verdict.values[target.name] = value
        if remark:
            verdict.remarks.append(self.finding(verdict.row, target.name, remark))

    def no_record(self, row: ImportRow) -> Finding | None:
        """Return why a row is none of the records: a line of totals, or the headings once more; else None."""
        cells = [cell.strip() for cell in row.cells]
        filled = [cell for cell in cells if cell]
        if cells[: len(self.batch.headings)] == [cell.strip() for cell in self._heading_cells]:
            return "", filled[0][:200], _("These are the headings once more.")
        if filled and _TOTAL.fullmatch(fold(filled[0])) and 2 * len(filled) <= max(2, len(cells)):
            return "", filled[0][:200], _("This is a line of totals.")
        return None

    @cached_property
    def _heading_cells(self) -> list[str]:
        """The line of the headings as it was in the file, as wide as there are headings."""
        _number, cells = self.batch.top[-1] if self.batch.top else (1, self.batch.headings)
        return [*cells, *[""] * len(self.batch.headings)][: len(self.batch.headings)]

    def _read_address(self, verdict: Verdict, raw: str) -> None:
        parts = split_address(raw)
        # Empty parts are said to be empty: half of an older address must not stay beside the new one.
        verdict.values |= {"street": parts.street or None, "postal_code": parts.postal_code}
        verdict.values |= {"city": parts.city, "province": parts.province}
        if parts.note is not None:
            verdict.remarks.append(self.finding(verdict.row, WHOLE_ADDRESS, str(parts.note)))

    def _read_code(self, verdict: Verdict, raw: str) -> None:
        try:
            code = clean_text(raw)
            if len(code) > external_codes.LONGEST:
                raise BadValue(_("At most %(limit)s characters.", limit=external_codes.LONGEST))
        except BadValue as error:
            verdict.reasons.append(self.finding(verdict.row, EXTERNAL_CODE, str(error)))
        else:
            verdict.code = code
