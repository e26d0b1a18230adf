"""What a migration needs beyond what autogenerate sees: closed lists, predicates, trigram indexes, triggers.

Found by comparing the text of two schemas in memory: the one the present migrations make, and the
declared one. Both are SQLite's, so that writing a migration needs no server.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass

import sqlalchemy as sa
from alembic.autogenerate import renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations.ops import MigrateOperation
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import AddConstraint, CreateIndex

from backoffice.schema_text import Description
from models.triggers import PREPARATION, triggers_of

DIALECTS = {"sqlite": sqlite.dialect(), "postgresql": postgresql.dialect()}


class Statements(MigrateOperation):
    """SQL that only one of the two databases gets."""

    def __init__(self, dialect: str, *statements: str) -> None:
        self.dialect = dialect
        self.statements = statements


class ChangedCheck(MigrateOperation):
    """A CHECK is replaced, added or dropped, which rebuilds the table on SQLite."""

    def __init__(self, table_name: str, name: str, old: str | None, new: str | None) -> None:
        self.table_name = table_name
        self.name = name
        self.old = old
        self.new = new

    def reverse(self) -> ChangedCheck:
        """Return what undoes it."""
        return ChangedCheck(self.table_name, self.name, self.new, self.old)


@renderers.dispatch_for(Statements)
def _render_statements(_context: AutogenContext, op: Statements) -> list[str]:
    lines = [f"op.execute({statement!r})" for statement in op.statements]
    return [f'if on("{op.dialect}"):', *lines, ""] if lines else []


@renderers.dispatch_for(ChangedCheck)
def _render_check(context: AutogenContext, op: ChangedCheck) -> list[str]:
    lines = [open_batch(context, op.table_name)]
    if op.old:
        lines.append(f"batch_op.drop_constraint(op.f({op.name!r}), type_='check')")
    if op.new:
        lines.append(f"batch_op.create_check_constraint(op.f({op.name!r}), {_condition(op.new)!r})")
    return [*lines, ""]


def open_batch(context: AutogenContext, table: str) -> str:
    """Return the line that opens a batch; it says again what Alembic cannot read from SQLite."""
    assert isinstance(context.metadata, sa.MetaData)
    found = context.metadata.tables.get(table)
    never_twice = found is not None and found.dialect_options["sqlite"]["autoincrement"]
    options = ", table_kwargs={'sqlite_autoincrement': True}" if never_twice else ""
    return f"with op.batch_alter_table({table!r}{options}) as batch_op:"


@dataclass
class Step:
    """Something to do on the way up, and on the way down before and after everything else."""

    up: Iterable[MigrateOperation]
    down_first: Iterable[MigrateOperation] = ()
    down_last: Iterable[MigrateOperation] = ()


def preparation() -> Step:
    """What PostgreSQL needs before the first table; the extension stays, others may use it."""
    functions = [found[1] for sql in PREPARATION if (found := re.search(r"FUNCTION (\w+)\(", sql))]
    drops = [f"DROP FUNCTION {name}()" for name in functions]
    return Step([Statements("postgresql", *PREPARATION)], down_last=[Statements("postgresql", *drops)])


def late_keys(keys: Iterable[sa.ForeignKeyConstraint]) -> Step:
    """Foreign keys to tables made later, which SQLite takes at once and PostgreSQL only afterwards."""
    adds = [_sql(AddConstraint(key, isolate_from_table=False), "postgresql") for key in keys]
    drops = [f"ALTER TABLE {key.table.name} DROP CONSTRAINT {key.name}" for key in keys]
    return Step([Statements("postgresql", *adds)], [Statements("postgresql", *drops)])


def postgresql_indexes(metadata: sa.MetaData, before: Description) -> Step:
    """Trigram indexes of new tables; they go with their tables."""
    new = [table for table in metadata.tables.values() if f"table {table.name}" not in before]
    indexes = [index for table in new for index in table.indexes if index._ddl_if is not None]
    indexes.sort(key=lambda index: str(index.name))
    return Step([Statements("postgresql", *(_sql(CreateIndex(index), "postgresql") for index in indexes))])


def changed_checks(metadata: sa.MetaData, before: Description, wanted: Description) -> Iterator[Step]:
    """CHECKs of existing tables that are new, gone or different: closed lists among them."""
    for table in sorted(metadata.tables):
        prefix = f"table {table}, constraint "
        names = {key.removeprefix(prefix) for key in before.keys() | wanted.keys() if key.startswith(prefix)}
        for name in sorted(names if f"table {table}" in before else ()):
            old, new = before.get(prefix + name), wanted.get(prefix + name)
            if old != new and "CHECK(" in (old or new or ""):
                change = ChangedCheck(table, name, old, new)
                yield Step([change], [change.reverse()])


def changed_indexes(metadata: sa.MetaData, before: Description, wanted: Description) -> Iterator[Step]:
    """Indexes that kept their name but not their columns or predicate."""
    for table in sorted(metadata.tables):
        for index in sorted(metadata.tables[table].indexes, key=lambda index: str(index.name)):
            key = f"table {table}, index {index.name}"
            if key in before and key in wanted and before[key] != wanted[key]:
                drop = f"DROP INDEX {index.name}"
                yield Step(
                    [Statements(dialect, drop, _sql(CreateIndex(index), dialect)) for dialect in DIALECTS],
                    [Statements(dialect, drop, before[key]) for dialect in DIALECTS],
                )


def triggers(metadata: sa.MetaData, before: Description, wanted: Description, rebuilt: Set[str]) -> Iterator[Step]:
    """Triggers that are new, gone or different, and those that SQLite loses with the tables it rebuilds."""
    for table in sorted(metadata.tables):
        there = f"table {table}" in before
        declared = {trigger.name: trigger for trigger in triggers_of(table)}
        for name in _names(f"table {table}, trigger ", before, wanted):
            key = f"table {table}, trigger {name}"
            old, new = before.get(key), wanted.get(key)
            trigger = declared.get(name)
            made = trigger.sqlite if trigger else None
            if table in rebuilt:
                # A batch that only adds columns rebuilds nothing: then they are still there.
                yield Step(_on_sqlite(name, made), down_last=_on_sqlite(name, old))
            elif old != new:
                yield Step(_on_sqlite(old and name, made), _on_sqlite(new and name, old) if there else ())
            text = trigger.postgresql if trigger else f"DROP TRIGGER IF EXISTS {name} ON {table}"
            if (old is None) != (new is None) and text:
                undo = [Statements("postgresql", f"DROP TRIGGER {name} ON {table}")] if there and trigger else []
                yield Step([Statements("postgresql", text)], undo)


def joined(operations: list[MigrateOperation]) -> list[MigrateOperation]:
    """Return the operations with neighbours for one database in one block."""
    found: list[MigrateOperation] = []
    for op in operations:
        last = found[-1] if found else None
        if not isinstance(op, Statements):
            found.append(op)
        elif isinstance(last, Statements) and last.dialect == op.dialect:
            found[-1] = Statements(op.dialect, *last.statements, *op.statements)
        elif op.statements:
            found.append(op)
    return found


def _names(prefix: str, *schemas: Description) -> list[str]:
    return sorted({key.removeprefix(prefix) for schema in schemas for key in schema if key.startswith(prefix)})


def _on_sqlite(dropped: str | None, made: str | None) -> list[MigrateOperation]:
    statements = [f"DROP TRIGGER IF EXISTS {dropped}"] if dropped else []
    return [Statements("sqlite", *statements, *([made] if made else []))]


def _condition(clause: str) -> str:
    """Return what stands in the parentheses of a CHECK."""
    return clause[clause.index("CHECK(") + 6 : -1]


def _sql(element: CreateIndex | AddConstraint, dialect: str) -> str:
    return " ".join(str(element.compile(dialect=DIALECTS[dialect])).split())
