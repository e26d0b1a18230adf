"""An importing member of staff, and the two steps in one call."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from backoffice.actors import Action, Actor, Context, Door, Grant, ScopeKind
from backoffice.database import RecordSession, begin_writing, open_session
from backoffice.identity import load_actor
from backoffice.operations import imports
from models.base import Recorded
from models.import_batch import ImportBatch, ImportMode


@pytest.fixture
def actor(session: RecordSession, staff: Any) -> Actor:
    """An administrator."""
    return load_actor(session, staff("administrator").id)


@pytest.fixture
def records(engine: sa.Engine, actor: Actor) -> Iterator[RecordSession]:
    """A session in which the administrator imports."""
    with begin_writing(), open_session(engine, Context(actor, Door.spreadsheet)) as records:
        yield records


@pytest.fixture
def upload(records: RecordSession, actor: Actor) -> Callable[..., ImportBatch]:
    """A function that uploads a file and tries it; ``apply`` afterwards, unless told not to."""

    def run(
        entity: type[Recorded], content: bytes, *, apply: bool = True, mapping: dict[str, str] | None = None,
        mode: ImportMode = ImportMode.both, matched_by: str | None = "external_code", system: str | None = "Registro",
    ) -> ImportBatch:  # fmt: skip
        batch = imports.start_import(records, entity, "prova.csv", content, actor=actor)
        chosen = batch.mapping
        if mapping is not None:
            chosen = {str(batch.headings.index(heading)): target for heading, target in mapping.items()}
        imports.map_columns(records, batch, chosen, mode=mode, matched_by=matched_by, source_system=system, actor=actor)
        finish(records, imports.try_rows(records, batch, actor=actor))
        if apply:
            finish(records, imports.apply_rows(records, batch, actor=actor))
        return batch

    return run


def finish(session: RecordSession, steps: Iterator[int]) -> int:
    """Take every step, committing as a door does; return how many there were."""
    count = 0
    for _rows in steps:
        session.commit()
        count += 1
    return count


def narrowed(actor: Actor, area: str, scope: ScopeKind) -> Actor:
    """Return ``actor`` with rights in ``area`` on some rows of it only."""
    grant = Grant(frozenset({Action.create, Action.read, Action.update}), scope)
    return dataclasses.replace(actor, grants={**actor.grants, area: (grant,)})
