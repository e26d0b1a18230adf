"""From what the database refuses to the sentence its declaration has for it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import RelationshipDirection

from backoffice.errors import Text
from models.base import ENTITIES, Recorded, Rule

_REFUSED: Text = _l("The database refuses this combination of values.")
_TAKEN: Text = _l("This value is already taken.")
_GONE: Text = _l("Something it refers to no longer exists, or something still refers to it.")


@dataclass(frozen=True)
class Line:
    """A child about to be written with its parent: where it stands among the others, and its values by column."""

    key: str
    entity: type[Recorded]
    values: dict[str, Any]


def lines_of(record: Recorded) -> list[Line]:
    """Return the children edited within ``record`` as they would be written; read before a flush that may fail."""
    unloaded = sa.inspect(record).unloaded
    return [
        Line(f"{name}.{getattr(child, 'position', place)}", type(child), _values(child))
        for name in record.__admin__.inline
        if name not in unloaded
        for place, child in enumerate(getattr(record, name))
    ]


def _values(child: Recorded) -> dict[str, Any]:
    state = sa.inspect(child)
    found = {attribute.key: state.dict.get(attribute.key) for attribute in state.mapper.column_attrs}
    for relationship in state.mapper.relationships:
        related = state.dict.get(relationship.key)
        if related is not None and relationship.direction is RelationshipDirection.MANYTOONE:
            (key,) = relationship.local_columns
            # A new parent has no key yet: then the parent itself tells its lines from those of another.
            found[state.mapper.get_property_by_column(key).key] = related if related.id is None else related.id
    return found


def problems(error: sa.exc.IntegrityError, entity: type[Recorded], lines: Sequence[Line] = ()) -> dict[str, Text]:
    """Return what to tell people about a refused row: ``{field or "": sentence}``, never SQL or values.

    For one of its ``lines`` the key is ``<lines>.<place>.<field>``, as far as it can be told which one it is.
    """
    name = _constraint_name(error)
    for line in lines:
        rule = line.entity.__admin__.rules.get(name)
        if rule is not None:
            wrong = next((one for one in lines if _breaks(one, name, lines)), None)
            return {f"{wrong.key}.{rule.field or ''}".rstrip("."): rule.text} if wrong else {"": rule.text}
    for declared in (entity, *ENTITIES.values()):
        rule = declared.__admin__.rules.get(name)
        if rule is not None:
            return _problem(rule, at_home=declared is entity)
    text = str(error.orig)
    if "FOREIGN KEY" in text or "foreign key" in text:
        return {"": _GONE}
    return {"": _TAKEN if name.startswith(("uq_", "ix_")) or "UNIQUE" in text else _REFUSED}


def _breaks(line: Line, name: str, lines: Sequence[Line]) -> bool:
    """Say whether it is this line that the constraint ``name`` refuses."""
    found = {str(constraint.name): constraint for constraint in line.entity.__table__.constraints}.get(name)
    if isinstance(found, sa.UniqueConstraint):
        names = [column.name for column in found.columns]
        earlier = lines[: lines.index(line)]
        return any(all(one.values[n] == line.values[n] is not None for n in names) for one in earlier)
    if not isinstance(found, sa.CheckConstraint):
        return False
    values = {column: value for column, value in line.values.items() if not isinstance(value, Recorded)}
    return any(_broken([found], [values], as_they_are=True))


def broken_checks(
    entity: type[Recorded], rows: Sequence[Mapping[str, Any]], *, as_they_are: bool = False
) -> list[dict[str, Text]]:
    """Return for each of the rows, values by column, what its table's CHECKs would refuse: ``{field or "": sentence}``.

    A CHECK is asked where all columns that it names have a value: what is missing may be completed before it is
    written. ``as_they_are``: it is asked of every row, as if nothing would be completed but the column's defaults.
    """
    checks = [one for one in entity.__table__.constraints if isinstance(one, sa.CheckConstraint)]
    found: list[dict[str, Text]] = [{} for _row in rows]
    for check, number in _broken(checks, rows, as_they_are=as_they_are):
        rule = entity.__admin__.rules.get(str(check.name))
        found[number].setdefault((rule.field if rule else None) or "", rule.text if rule else _REFUSED)
    return found


def _broken(
    checks: Sequence[sa.CheckConstraint], rows: Sequence[Mapping[str, Any]], *, as_they_are: bool
) -> Iterator[tuple[sa.CheckConstraint, int]]:
    """Yield each CHECK, of one table, with the places of the rows that break it.

    On a database in memory: the real one has failed already, or is not to be written to.
    """
    if not checks or not rows:
        return
    table: Any = checks[0].table
    names = {check: _named(check) for check in checks}
    columns = [table.c[name] for name in sorted(set().union(*names.values()))]
    place = sa.Column("_place", sa.Integer, primary_key=True)
    scratch = sa.Table(table.name, sa.MetaData(), place, *(sa.Column(c.name, c.type) for c in columns))
    given = [{"_place": number} | {c.name: row.get(c.name) for c in columns} for number, row in enumerate(rows)]
    defaults = {c.name: c.default.arg for c in columns if as_they_are and c.default is not None and c.default.is_scalar}
    for row in given:
        row.update({name: value for name, value in defaults.items() if row[name] is None})
    with sa.create_engine("sqlite://").connect() as connection:
        scratch.create(connection)
        connection.execute(sa.insert(scratch), given)
        for check in checks:
            text = check.sqltext.compile(connection, compile_kwargs={"include_table": False, "literal_binds": True})
            is_asked = [] if as_they_are else [scratch.c[name].is_not(None) for name in names[check]]
            # As in a table, what is neither true nor false is let through.
            asked = sa.and_(*is_asked, sa.literal_column(f"NOT ({text})"))
            yield from ((check, number) for number in connection.scalars(sa.select(place).where(asked)))


def _named(check: sa.CheckConstraint) -> set[str]:
    """Return the columns that a CHECK names."""
    words = set(re.findall(r"\w+", re.sub(r"'[^']*'", "", str(check.sqltext))))
    return words & set(check.table.c.keys())


def _problem(rule: Rule, *, at_home: bool) -> dict[str, Text]:
    return {(rule.field or "") if at_home else "": rule.text}


def _constraint_name(error: sa.exc.IntegrityError) -> str:
    """Return the name of the broken constraint on either database; empty where the driver does not say."""
    diagnosis = getattr(error.orig, "diag", None)
    if diagnosis is not None:
        return str(diagnosis.constraint_name or "")
    text = str(error.orig)
    found = re.search(r"CHECK constraint failed: (\w+)", text) or re.search(r"index '(\w+)'", text)
    if found:
        return found[1]
    found = re.search(r"UNIQUE constraint failed: (.+)", text)
    return _unique_name(found[1]) if found else ""


def _unique_name(columns: str) -> str:
    """SQLite names the columns of a broken unique constraint, not the constraint: find it by them."""
    names = [column.strip().split(".") for column in columns.split(",")]
    entity = ENTITIES.get(names[0][0])
    if entity is None:
        return ""
    wanted = [name[1] for name in names]
    for constraint in entity.__table__.constraints:
        if isinstance(constraint, sa.UniqueConstraint) and [c.name for c in constraint.columns] == wanted:
            return str(constraint.name)
    for index in entity.__table__.indexes:
        if index.unique and [c.name for c in index.columns] == wanted:
            return str(index.name)
    return ""
