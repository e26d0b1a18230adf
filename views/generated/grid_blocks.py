"""A block of cells pasted into the grid: each row is changed whole or not at all, by the operation that saves a cell.

So rights, row scope, types, rules, versions and history hold as they do for single cells, with one entry a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from backoffice.actors import Actor
from backoffice.errors import BadRequest, Conflict, DomainError, InvalidRecord, TooLarge
from backoffice.operations.cleaning import READ_ONLY
from backoffice.operations.plain import update_record
from backoffice.records.lookup import get_record, parse_key
from models.base import Recorded
from models.catalogue import fields
from views.generated.grid_cells import cell_now, editable_fields, typed

#: More cells than this are several requests, so that nobody waits for others and progress can be told.
MOST_CELLS = 500


@dataclass
class Row:
    """What is to be written into one row, and what became of it."""

    key: int
    version: int
    texts: dict[str, str]
    record: Recorded | None = None
    #: Why it is as it was: a sentence for the whole row, and one for each cell that is refused.
    problem: str = ""
    problems: dict[str, str] = field(default_factory=dict)
    changed_meanwhile: bool = False

    def told(self, actor: Actor) -> dict[str, Any]:
        """Return what the script is told of the row: its cells as they now stand, or why it was not changed."""
        answer: dict[str, Any] = {"pk": str(self.key), "problem": self.problem, "problems": self.problems}
        is_known = self.record is not None and (self.changed_meanwhile or not (self.problem or self.problems))
        if is_known:
            answer["cells"] = self._cells(actor)
        return answer

    def _cells(self, actor: Actor) -> dict[str, Any]:
        assert self.record is not None
        known = editable_fields(type(self.record), actor)
        return {name: cell_now(self.record, known[name], actor) for name in self.texts if name in known}


def read_rows(content: Any) -> list[Row]:
    """Return the rows of a request, ``{"rows": [{"pk", "version", "cells": {column: text}}]}``, by their keys.

    :raises BadRequest: it says something else, or names a row twice.
    :raises TooLarge: there are more than ``MOST_CELLS``.
    """
    given = content.get("rows") if isinstance(content, dict) else None
    if not isinstance(given, list) or not given:
        raise BadRequest(reason=_("there is no block of cells."))
    rows = [_read_row(row) for row in given]
    if sum(len(row.texts) for row in rows) > MOST_CELLS:
        raise TooLarge(limit=_("%(number)s cells", number=MOST_CELLS))
    if len({row.key for row in rows}) < len(rows):
        raise BadRequest(reason=_("a row is named twice."))
    # Whoever writes several rows takes them in one order, or two would wait for each other.
    return sorted(rows, key=lambda row: row.key)


def _read_row(given: Any) -> Row:
    row = given if isinstance(given, dict) else {}
    key, cells = parse_key(str(row.get("pk", ""))), row.get("cells")
    is_block = isinstance(cells, dict) and cells and all(isinstance(text, str) for text in cells.values())
    if key is None or not isinstance(cells, dict) or not is_block:
        raise BadRequest(reason=_("there is no block of cells."))
    return Row(key, read_version(str(row.get("version", ""))), dict(cells))


def read_version(raw: str) -> int:
    """Return the version of a row as a request tells it; raise ``BadRequest`` where it does not."""
    if not raw.isascii() or not raw.isdigit() or len(raw) > 9:
        raise BadRequest(reason=_("the version of the row is missing."))
    return int(raw)


def change_rows(session: Session, entity: type[Recorded], rows: Sequence[Row], actor: Actor) -> Sequence[Row]:
    """Write each row or leave it as it was and say why, one refused row keeping no other from being written."""
    for row in rows:
        try:
            _require_editable(entity, row, actor)
            row.record = get_record(session, entity, row.key)
            values = {name: typed(fields(entity)[name], text) for name, text in row.texts.items()}
            with session.begin_nested():
                update_record(session, row.record, values, version=row.version, actor=actor)
        except InvalidRecord as error:
            row.problems = {name: str(text) for name, text in error.problems.items() if name in row.texts}
            row.problem = " ".join(str(text) for name, text in error.problems.items() if name not in row.texts)
        except Conflict as error:
            row.problem = str(error)
            _look_again(session, entity, row)
        except DomainError as error:
            row.problem = str(error)
    return rows


def _require_editable(entity: type[Recorded], row: Row, actor: Actor) -> None:
    known = editable_fields(entity, actor)
    refused = {name: READ_ONLY for name in row.texts if name not in known}
    if refused:
        raise InvalidRecord(refused)


def _look_again(session: Session, entity: type[Recorded], row: Row) -> None:
    """Find a row that somebody else has changed as it now stands, unless they have deleted it."""
    session.expire(row.record)
    try:
        row.record, row.changed_meanwhile = get_record(session, entity, row.key), True
    except DomainError as error:
        row.problem = str(error)
