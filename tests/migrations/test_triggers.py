"""The database itself keeps ledgers from being changed, whatever program is at work."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from models.base import ENTITIES, Model
from models.history_entry import HistoryEntry, HistoryErasure, HistoryPersonal, SignInEntry
from models.triggers import triggers_of

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


@pytest.fixture
def ledgers(connection: sa.Connection) -> sa.Connection:
    """A connection to a database with one entry, its personal part and one sign-in."""
    entry_id = _insert(connection, HistoryEntry, **_ENTRY)
    _insert(connection, HistoryPersonal, entry_id=entry_id, changes={"email": [None, "anna@rossi.example"]})
    _insert(connection, SignInEntry, at=AT, event="failed", username="anna", address="127.0.0.1", door="desk")
    return connection


_ENTRY: dict[str, Any] = {
    "at": AT,
    "actor_kind": "staff",
    "actor_name": "Anna Rossi",
    "door": "desk",
    "entity": "contact",
    "record_id": 7,
    "event": "updated",
    "changes": {"job_title": [None, "Direttrice"]},
}


@pytest.mark.parametrize("table", ["history_entry", "sign_in_entry", "history_personal"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET {} = {}", "DELETE FROM {}"])
def test_ledgers_refuse_changes(ledgers: sa.Connection, table: str, statement: str) -> None:
    column = "entry_id" if table == "history_personal" else "id"
    with pytest.raises(sa.exc.IntegrityError, match=f"{table} is append-only"):
        ledgers.exec_driver_sql(statement.format(table, column, column))


def test_personal_history_goes_once_its_erasure_is_on_file(ledgers: sa.Connection) -> None:
    _insert(ledgers, HistoryErasure, at=AT, entity="contact", record_id=8, reason="another record")
    with pytest.raises(sa.exc.IntegrityError), ledgers.begin_nested():
        ledgers.execute(sa.delete(HistoryPersonal.__table__))
    _insert(ledgers, HistoryErasure, at=AT, entity="contact", record_id=7, reason="asked for on 2 March")
    assert ledgers.execute(sa.delete(HistoryPersonal.__table__)).rowcount == 1
    assert ledgers.scalar(sa.select(HistoryEntry.__table__.c.changes)) == {"job_title": [None, "Direttrice"]}
    with pytest.raises(sa.exc.IntegrityError):
        ledgers.execute(sa.delete(HistoryErasure.__table__))


def test_replacing_is_no_way_around(ledgers: sa.Connection) -> None:
    entry_id = ledgers.scalar(sa.select(HistoryEntry.__table__.c.id))
    insert = sa.insert(HistoryEntry.__table__)
    if ledgers.dialect.name == "sqlite":
        insert = insert.prefix_with("OR REPLACE")
    with pytest.raises(sa.exc.IntegrityError):
        ledgers.execute(insert, {**_ENTRY, "id": entry_id, "actor_name": "Nobody"})


def test_keys_are_never_used_twice(connection: sa.Connection) -> None:
    groups = ENTITIES["corporate_group"].__table__
    first = _insert(connection, ENTITIES["corporate_group"], name="One", created_at=AT, updated_at=AT)
    connection.execute(sa.delete(groups))
    second = _insert(connection, ENTITIES["corporate_group"], name="Two", created_at=AT, updated_at=AT)
    assert second > first


def test_every_append_only_entity_has_its_triggers() -> None:
    ledgers = [name for name, entity in ENTITIES.items() if entity.__admin__.append_only]
    assert {"history_entry", "sign_in_entry"} <= set(ledgers)
    for name in [*ledgers, "history_personal", "history_erasure"]:
        assert {trigger.name for trigger in triggers_of(name)} >= {f"{name}_no_delete", f"{name}_no_update"}
    assert triggers_of("company") == ()


def test_trigger_names_are_unique() -> None:
    names = [trigger.name for table in Model.metadata.tables for trigger in triggers_of(table)]
    assert len(names) == len(set(names))


def _insert(connection: sa.Connection, target: Any, /, **values: Any) -> Any:
    return connection.execute(sa.insert(target.__table__), values).inserted_primary_key[0]
