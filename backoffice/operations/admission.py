"""What a record must agree on with facts outside of it before it is written: asked of one, or of many at a time.

Every surface asks here: forms, API and grid as they save, imports as they judge their rows, a chunk in a fixed number
of look-ups. Verbs do not: completing a record that is there stays possible.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.errors import InvalidRecord, Text
from models.base import Recorded
from models.catalogue import fields


@dataclass(frozen=True, eq=False)
class Draft:
    """A record as it would stand with cleaned values in it; ``record`` is None where it would be new."""

    entity: type[Recorded]
    values: Mapping[str, Any]
    record: Recorded | None = None

    def value(self, name: str) -> Any:
        """Return what the field would be."""
        if name in self.values:
            return self.values[name]
        if self.record is not None:
            return getattr(self.record, name)
        default = self.entity.__table__.c[fields(self.entity)[name].column].default
        return default.arg if default is not None and default.is_scalar else None

    def stored(self) -> dict[str, Any]:
        """Return by column what would be stored, as far as it is known here: what is given, and what has been read."""
        found: dict[str, Any] = {}
        if self.record is not None:
            state = sa.inspect(self.record)
            found = {one.columns[0].name: state.dict.get(one.key) for one in state.mapper.column_attrs}
        for name, value in self.values.items():
            column = fields(self.entity)[name].column
            if column is not None:
                found[column] = value.id if isinstance(value, Recorded) else value
        return found

    def changes(self, *names: str) -> bool:
        """Say whether any of the fields would be another than it is; of a new record, whatever it brings."""
        return self.record is None or any(
            name in self.values and self.values[name] != getattr(self.record, name) for name in names
        )

    @property
    def company_id(self) -> int | None:
        """The client whose record it would be."""
        relation, _dot, column = (self.entity.__admin__.scope.company or "").partition(".")
        name = relation if column else relation.removesuffix("_id")
        if self.record is not None and name not in self.values:
            return self.record.company_id  # type: ignore[attr-defined, no-any-return]  # those asked for have one
        owner = self.value(name)
        return getattr(owner, column or "id", None)


#: A draft that is refused, the field whose value is to blame, and why.
Refusal = tuple[Draft, str, Text]
Condition = Callable[[Session, Sequence[Draft]], Iterable[Refusal]]
_conditions: dict[type[Recorded] | None, list[Condition]] = {}


def admits(entity: type[Recorded] | None = None) -> Callable[[Condition], Condition]:
    """Have ``condition(session, drafts)`` name those drafts of ``entity``, of any without it, that it refuses."""

    def register(condition: Condition) -> Condition:
        _conditions.setdefault(entity, []).append(condition)
        return condition

    return register


def refusals(session: Session, drafts: Sequence[Draft]) -> list[dict[str, Text]]:
    """Return for each of the drafts, which are of one entity, a sentence per field that keeps it from being written."""
    found: dict[int, dict[str, Text]] = {id(draft): {} for draft in drafts}
    if drafts:
        for condition in (*_conditions.get(None, ()), *_conditions.get(drafts[0].entity, ())):
            for draft, name, text in condition(session, drafts):
                found[id(draft)].setdefault(name, text)
    return [found[id(draft)] for draft in drafts]


def require_admitted(
    session: Session, entity: type[Recorded], values: Mapping[str, Any], record: Recorded | None = None
) -> None:
    """Raise ``InvalidRecord`` where a record of these cleaned values is not to be written."""
    (problems,) = refusals(session, [Draft(entity, values, record)])
    if problems:
        raise InvalidRecord(problems)
