"""What only the database can promise: rows of ledgers that nobody changes, whatever program is at work.

The statements hang on the tables, so that ``metadata.create_all`` makes them, ``python -m
backoffice.migrate new`` writes them out in migrations, and the drift check compares them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from sqlalchemy import Connection, MetaData, Table, event

from models.base import ENTITIES, Model

#: Ledgers that are no entities: their rows are seen through others only.
_HIDDEN_LEDGERS = ("history_erasure",)

#: An erasure of the record that the personal history ``OLD`` speaks of is on file.
_ERASED = (
    "EXISTS (SELECT 1 FROM history_entry JOIN history_erasure ON history_erasure.entity = history_entry.entity "
    "AND history_erasure.record_id = history_entry.record_id WHERE history_entry.id = OLD.entry_id)"
)

# Both raise the class of error that a broken constraint raises, so that doors treat them alike.
_RAISE = "RAISE EXCEPTION USING MESSAGE = TG_TABLE_NAME || ' is append-only', ERRCODE = 'restrict_violation'"
_REFUSE = f"CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {_RAISE}; END $$"
_REFUSE_UNLESS_ERASED = (
    "CREATE OR REPLACE FUNCTION refuse_unless_erased() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    f"IF {_ERASED} THEN RETURN OLD; END IF; {_RAISE}; END $$"
)

#: What PostgreSQL needs before the first table: trigram indexes for searching, and the triggers' functions.
PREPARATION = ("CREATE EXTENSION IF NOT EXISTS pg_trgm", _REFUSE, _REFUSE_UNLESS_ERASED)


class Trigger(NamedTuple):
    """One trigger of a table, in the words of each database."""

    name: str
    sqlite: str
    postgresql: str | None


def triggers_of(table: str) -> tuple[Trigger, ...]:
    """Return the triggers that ``table`` must have, in the order of their names."""
    if table == "history_personal":
        return tuple(_personal())
    entity = ENTITIES.get(table)
    if table in _HIDDEN_LEDGERS or (entity is not None and entity.__admin__.append_only):
        return tuple(_append_only(table))
    return ()


def _append_only(table: str) -> Iterator[Trigger]:
    """Refuse changes of a ledger, and deletions except of demonstration rows and of what an import brought.

    What is copied from the row's parent, such as its company, follows that: it is whose row it is, not what it says.
    """
    entity = ENTITIES.get(table)
    spared = ["OLD.is_demo"] if "is_demo" in Model.metadata.tables[table].c else []
    spared += [entity.__admin__.retractable] if entity is not None and entity.__admin__.retractable else []
    for action in ("delete", "update"):
        name = f"{table}_no_{action}"
        refused = " AND ".join(f"NOT {rows}" for rows in spared) if action == "delete" else ""
        what = action.upper() if action == "delete" else f"UPDATE{_of_columns(table)}"
        yield Trigger(
            name,
            f"CREATE TRIGGER {name} BEFORE {what} ON {table} "
            f"{f'WHEN {refused} ' if refused else ''}BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END",
            f"CREATE TRIGGER {name} BEFORE {what} ON {table} FOR EACH ROW "
            f"{f'WHEN ({refused}) ' if refused else ''}EXECUTE FUNCTION refuse_change()",
        )
    yield _no_replace(table, "id")


def _of_columns(table: str) -> str:
    """Return `` OF`` and the columns of a ledger that never change; nothing where that is all of them."""
    entity = ENTITIES.get(table)
    copied = {own for own, _path in entity.__admin__.scope.copies()} if entity is not None else set()
    names = [column.name for column in Model.metadata.tables[table].c if column.name not in copied]
    return f" OF {', '.join(names)}" if copied else ""


def _no_replace(table: str, key: str) -> Trigger:
    """Refuse ``INSERT OR REPLACE``, which deletes the older row on SQLite without firing its DELETE trigger."""
    name = f"{table}_no_replace"
    return Trigger(
        name,
        f"CREATE TRIGGER {name} BEFORE INSERT ON {table} "  # noqa: S608 - made of table names
        f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {key} = NEW.{key}) BEGIN "
        f"SELECT RAISE(ABORT, '{table} is append-only'); END",
        None,
    )


def _personal() -> Iterator[Trigger]:
    """Refuse changes of personal history, and its removal unless an erasure of that record is on file."""
    message = "history_personal is append-only"
    yield Trigger(
        "history_personal_no_delete",
        "CREATE TRIGGER history_personal_no_delete BEFORE DELETE ON history_personal "
        f"WHEN NOT {_ERASED} BEGIN SELECT RAISE(ABORT, '{message}'); END",
        "CREATE TRIGGER history_personal_no_delete BEFORE DELETE ON history_personal "
        "FOR EACH ROW EXECUTE FUNCTION refuse_unless_erased()",
    )
    yield Trigger(
        "history_personal_no_update",
        "CREATE TRIGGER history_personal_no_update BEFORE UPDATE ON history_personal "
        f"BEGIN SELECT RAISE(ABORT, '{message}'); END",
        "CREATE TRIGGER history_personal_no_update BEFORE UPDATE ON history_personal "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    )
    yield _no_replace("history_personal", "entry_id")


@event.listens_for(Model.metadata, "before_create")
def _prepare(_metadata: MetaData, connection: Connection, **_options: Any) -> None:
    if connection.dialect.name == "postgresql":
        for statement in PREPARATION:
            connection.exec_driver_sql(statement)


@event.listens_for(Model.metadata, "after_create")
def _create_triggers(_metadata: MetaData, connection: Connection, tables: Iterable[Table], **_options: Any) -> None:
    # Asked when tables are made, not when this module is read: later modules declare ledgers too.
    for table in tables:
        for trigger in triggers_of(table.name):
            statement = getattr(trigger, connection.dialect.name)
            if statement:
                connection.exec_driver_sql(statement)
