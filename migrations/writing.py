"""How migrations are written: our column types as plain ones, tables that refer to each other in order.

What autogenerate does not see is in ``migrations/additions.py``.
"""

from __future__ import annotations

from typing import Any, Literal

import sqlalchemy as sa
from alembic.autogenerate import renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations import ops
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.pool import StaticPool
from sqlalchemy.sql.elements import conv
from sqlalchemy.types import TypeDecorator

from backoffice.schema_text import Description, describe, describe_connection
from migrations import additions
from migrations.additions import DIALECTS, ChangedCheck, Step


@renderers.dispatch_for(ops.ModifyTableOps, replace=True)
def _render_batch(context: AutogenContext, op: ops.ModifyTableOps) -> list[str]:
    lines: list[str] = []
    with context._within_batch():
        for part in op.ops:
            rendered = renderers.dispatch(part)(context, part)
            lines.extend([rendered] if isinstance(rendered, str) else rendered)
    return [additions.open_batch(context, op.table_name), *lines, ""] if lines else []


class Writer:
    """The hooks that ``env.py`` hands to Alembic."""

    def __init__(self, metadata: sa.MetaData) -> None:
        self.metadata = metadata
        #: By name, the keys to tables that are made later.
        self.late_keys: dict[str, sa.ForeignKeyConstraint] = {}

    def include_object(self, item: Any, _name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
        """Keep indexes of PostgreSQL only from Alembic, which looks at SQLite here."""
        return not (kind == "index" and item._ddl_if is not None)

    def is_default_changed(
        self, _context: Any, _old: Any, _new: Any, inspected: str | None, _default: Any, rendered: str | None
    ) -> bool:
        """Compare defaults as text; Alembic takes an empty text for none."""
        old, new = (None if text is None else text.strip("'()") for text in (inspected, rendered))
        return old != new

    def render_item(self, kind: str, item: Any, context: AutogenContext) -> str | Literal[False]:
        """Return what to write for a type, a closed list or a late key; False lets Alembic write it."""
        if kind == "type":
            return _rendered_type(item, context)
        if kind == "check":
            return _rendered_check(item, self.metadata.naming_convention["ck"])
        if kind == "foreign_key" and item.name in self.late_keys:
            return f"*(({_rendered_key(self.late_keys[item.name])},) if on('sqlite') else ())"
        return False

    def complete(self, context: Any, _revision: Any, scripts: list[ops.MigrationScript]) -> None:
        """Put the tables in order and add what autogenerate does not see."""
        (script,) = scripts
        assert script.upgrade_ops is not None
        assert script.downgrade_ops is not None
        up, down = script.upgrade_ops.ops, script.downgrade_ops.ops
        before = describe_connection(context.connection)
        self._order_tables(up, down)
        if "table ab_user" not in before:
            prepare = additions.preparation()
            up[:0] = prepare.up
            down.extend(prepare.down_last)
        for step in self._additions(before, up):
            up.extend(step.up)
            down[:0] = step.down_first
            down.extend(step.down_last)
        up[:], down[:] = additions.joined(up), additions.joined(down)

    def _additions(self, before: Description, up: list[Any]) -> list[Step]:
        scratch = sa.create_engine("sqlite://", poolclass=StaticPool)
        self.metadata.create_all(scratch)
        wanted = describe(scratch)
        scratch.dispose()
        steps = [
            additions.late_keys(self.late_keys.values()),
            additions.postgresql_indexes(self.metadata, before),
            *additions.changed_indexes(self.metadata, before, wanted),
            *additions.changed_checks(self.metadata, before, wanted),
        ]
        done = [*up, *(op for step in steps for op in step.up)]
        rebuilt = {op.table_name for op in done if isinstance(op, ops.ModifyTableOps | ChangedCheck)}
        return [*steps, *additions.triggers(self.metadata, before, wanted, rebuilt)]

    def _order_tables(self, up: list[Any], down: list[Any]) -> None:
        """Make tables before those that refer to them; cut circles where the fewest keys must wait."""
        new = {op.table_name: op for op in up if isinstance(op, ops.CreateTableOp)}
        made: dict[str, list[Any]] = {}
        while len(made) < len(new):
            waiting = {name: self._unmet(name, new.keys() - made.keys()) for name in new if name not in made}
            name = min(waiting, key=lambda name: (len(waiting[name]), not name.startswith("ab_"), name))
            made[name] = [new[name]]
            self.late_keys.update({str(key.name): key for key in waiting[name]})
        rest = []
        for op in up:
            if isinstance(op, ops.ModifyTableOps) and op.table_name in made:
                made[op.table_name].extend(op.ops)  # the indexes of a new table
            elif not isinstance(op, ops.CreateTableOp):
                rest.append(op)
        up[:] = [op for group in made.values() for op in group] + rest
        kept = [op for op in down if getattr(op, "table_name", None) not in made]
        down[:] = kept + [ops.DropTableOp(name) for name in reversed(made)]

    def _unmet(self, name: str, missing: set[str]) -> list[sa.ForeignKeyConstraint]:
        keys = sorted(self.metadata.tables[name].foreign_key_constraints, key=lambda key: str(key.name))
        return [key for key in keys if key.referred_table.name in missing - {name}]


def _rendered_type(type_: Any, context: AutogenContext) -> str | Literal[False]:
    if isinstance(type_, sa.JSON):
        if not isinstance(type_.dialect_impl(DIALECTS["postgresql"]), JSONB):
            return "sa.JSON()"
        context.imports.add("from sqlalchemy.dialects import postgresql")
        return "sa.JSON().with_variant(postgresql.JSONB(), 'postgresql')"
    if isinstance(type_, sa.Enum):
        return f"sa.String(length={type_.length})"
    if not isinstance(type_, TypeDecorator):
        return False
    plain: Any = type_.load_dialect_impl(DefaultDialect())
    collation = getattr(type_.load_dialect_impl(DIALECTS["postgresql"]), "collation", None)
    if collation:
        return f"sa.{plain!r}.with_variant(sa.String(length={plain.length}, collation={collation!r}), 'postgresql')"
    return f"sa.{plain!r}"


def _rendered_check(check: sa.CheckConstraint, convention: Any) -> str:
    options = {"literal_binds": True, "include_table": False}
    condition = check.sqltext.compile(dialect=DIALECTS["sqlite"], compile_kwargs=options)
    name = str(check.name)
    if not isinstance(check.name, conv):  # the constraint of a closed list, named after its type
        name = convention % {"table_name": check.table.name, "constraint_name": name}
    return f"sa.CheckConstraint({str(condition)!r}, name=op.f({name!r}))"


def _rendered_key(key: sa.ForeignKeyConstraint) -> str:
    own = [column.name for column in key.columns]
    target = [element.target_fullname for element in key.elements]
    rule = f", ondelete={key.ondelete!r}" if key.ondelete else ""
    return f"sa.ForeignKeyConstraint({own!r}, {target!r}, name=op.f({key.name!r}){rule})"
