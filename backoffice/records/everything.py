"""All records somebody may see, as one workbook or one archive that can be imported again (issue 3).

A sheet per entity, in an order in which each record comes after those it refers to. A relation is written by a
natural key of the other record, or, where that has none, by the code that its own sheet has in the first column.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session, selectinload

from backoffice.actors import Action, Actor
from backoffice.records.naming import natural_keys, written
from backoffice.spreadsheets.writing import new_workbook, sheet_name, write_csv
from models.base import ENTITIES, Category, Recorded
from models.catalogue import Field, Kind, fields

#: Rows fetched at once.
BATCH = 500
LANGUAGES = ("it", "en")
#: What a new record gets from the installation it comes to.
_OF_THE_INSTALLATION = frozenset({"id", "version", "updated_at", "updated_by", "is_demo", "deleted_at", "group"})
_CELL_TEXT = 32_767
_NUMBERS = frozenset({Kind.integer, Kind.decimal, Kind.money})


@dataclass
class Part:
    """How far the sheet of one entity has come."""

    entity: type[Recorded]
    columns: list[Field]
    rows: int = 0
    complete: bool = False


@dataclass
class Everything:
    """An export of all that ``actor`` may take along; ``parts`` tells afterwards what it held.

    ``told`` is called again and again with how many rows are written.
    """

    session: Session
    actor: Actor
    told: Callable[[int], None] = lambda _rows: None
    parts: list[Part] = field(init=False)

    def __post_init__(self) -> None:
        wanted = takeable(self.actor)
        masked = {entity: self.actor.masked(entity) for entity in wanted}
        self.parts = [Part(e, [f for f in carried(e) if f.name not in masked[e]]) for e in wanted]

    @property
    def rows(self) -> int:
        """How many rows are written so far."""
        return sum(part.rows for part in self.parts)

    def write_xlsx(self, path: Path) -> None:
        """Write a workbook with a sheet per entity, row after row."""
        workbook = new_workbook(str(path))
        bold = workbook.add_format({"bold": True})
        day = workbook.add_format({"num_format": "dd/mm/yyyy"})
        names = titles()
        for part in self.parts:
            sheet = workbook.add_worksheet(names[part.entity])
            sheet.freeze_panes(1, 0)
            for place, heading in enumerate(_headings(part)):
                sheet.write_string(0, place, heading, bold)
            for number, row in enumerate(self._rows(part), start=1):
                sheet.write_string(number, 0, code_of(row))
                for place, column in enumerate(part.columns, start=1):
                    _write_cell(sheet, number, place, row, column, day, self.actor)
        workbook.close()

    def write_zip(self, path: Path) -> None:
        """Write an archive with a CSV per entity, each straight into it."""
        names = titles()
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for part in self.parts:
                with archive.open(f"{names[part.entity]}.csv", "w", force_zip64=True) as file:
                    text = io.TextIOWrapper(file, "utf-8", newline="")
                    for lines in write_csv(self._lines(part)):
                        text.write(lines)
                    text.flush()

    def records(self, part: Part) -> Iterator[dict[str, str]]:
        """Yield the rows of a part as text by heading, for programs that read JSON."""
        headings = _headings(part)[1:]
        for row in self._rows(part):
            texts = (_text(row, column, self.actor) for column in part.columns)
            yield dict(zip(headings, texts, strict=True))

    def _lines(self, part: Part) -> Iterator[list[str]]:
        yield _headings(part)
        for row in self._rows(part):
            yield [code_of(row), *(_text(row, column, self.actor) for column in part.columns)]

    def _rows(self, part: Part) -> Iterator[Recorded]:
        statement = sa.select(part.entity).order_by(part.entity.id).options(*_loading(part.columns))
        if part.entity.__admin__.scope.groupless:
            # What counts for the whole installation is no corporate group's to take along.
            statement = statement.where(part.entity.group_id.is_not(None))  # type: ignore[attr-defined]
        # The session holds its rows weakly: what has been written is let go.
        needed = [column.name for column in part.columns if column.kind is Kind.relation and column.required]
        with closing(self.session.scalars(statement.execution_options(yield_per=BATCH))) as rows:
            for row in rows:
                # What hangs on a deleted record, or on one out of sight, could not be brought in again.
                if all(getattr(row, name) is not None for name in needed):
                    yield row
                    part.rows += 1
                    if part.rows % BATCH == 0:
                        self.told(self.rows)
        part.complete = True


def takeable(actor: Actor) -> list[type[Recorded]]:
    """Return what the actor may take along, in the order of the sheets.

    A person also takes along what the books of the installation say of them: when they signed in, from where.
    """
    wanted = [*in_order(), *(books_of_people() if actor.account_id is not None else ())]
    return [one for one in wanted if actor.may(Action.read, one) and actor.may(Action.export, one)]


def books_of_people() -> list[type[Recorded]]:
    """Return the books of the installation that people may read what concerns them in."""
    return [one for one in ENTITIES.values() if one.__admin__.client_columns and not is_carried(one)]


def is_carried(entity: type[Recorded]) -> bool:
    """Say whether records of the entity go along: all but the books that an installation keeps about itself."""
    admin = entity.__admin__
    is_book = (admin.append_only or admin.written_by_verbs) and admin.category is Category.system
    return admin.configuration or not is_book


def carried(entity: type[Recorded]) -> list[Field]:
    """Return the fields that go along: all that was ever decided about a record, secrets and derived ones left out."""
    copies = {own for own, _path in entity.__admin__.scope.copies()}
    return [
        one
        for one in fields(entity).values()
        if one.name not in _OF_THE_INSTALLATION
        and one.column not in copies
        and not one.secret
        and one.kind not in (Kind.children, Kind.relations)
    ]


@cache
def in_order() -> tuple[type[Recorded], ...]:
    """Return the entities that go along, each after those its rows refer to, as far as they do not go in circles."""
    waiting = [entity for entity in ENTITIES.values() if is_carried(entity)]
    ordered: list[type[Recorded]] = []
    while waiting:
        ready = [entity for entity in waiting if not _needs(entity, optional=True) & set(waiting) - {entity}]
        # In a circle the one goes first that can do without: its relation is filled in afterwards.
        ready = ready or [e for e in waiting if not _needs(e, optional=False) & set(waiting) - {e}][:1] or waiting[:1]
        ordered += ready
        waiting = [entity for entity in waiting if entity not in ready]
    return tuple(ordered)


def is_late(field: Field) -> bool:
    """Say whether a relation leads to rows that come later, or to others of its own entity."""
    order = in_order()
    target = field.target
    return field.kind is Kind.relation and target in order and order.index(target) >= order.index(field.entity)


def _needs(entity: type[Recorded], *, optional: bool) -> set[type[Recorded]]:
    found = {one.target for one in carried(entity) if one.kind is Kind.relation and (optional or one.required)}
    return {target for target in found if target is not None}


def titles() -> dict[type[Recorded], str]:
    """Return what the sheet of each entity is called in the present language."""
    found: dict[type[Recorded], str] = {}
    for entity in (*in_order(), *books_of_people()):
        name = sheet_name(str(entity.__admin__.plural))
        found[entity] = str(entity.__table__.name) if name in found.values() else name
    return found


def entities_by_title() -> dict[str, tuple[str, type[Recorded]]]:
    """Return by the name of a sheet in any of our languages: that language and the entity."""
    found: dict[str, tuple[str, type[Recorded]]] = {}
    for language in LANGUAGES:
        with force_locale(language):
            for entity, title in titles().items():
                if not is_carried(entity):
                    continue
                found.setdefault(title, (language, entity))
    return found


def code_heading() -> str:
    """Return the heading of the column with the code of each record."""
    return _("External code")


def code_of(row: Recorded) -> str:
    """Return the code by which other sheets name a row that has no natural key."""
    return f"{row.__table__.name}:{row.id}"


def _headings(part: Part) -> list[str]:
    return [code_heading(), *(str(column.label) for column in part.columns)]


def _loading(columns: list[Field]) -> Iterator[Any]:
    """Load along what relations, and the relations in the keys of these, are named by."""
    for column in columns:
        if column.kind is not Kind.relation or column.target is None:
            continue
        load = selectinload(getattr(column.entity, column.name))
        yield load
        for key in natural_keys(column.target):
            yield from (
                load.selectinload(getattr(column.target, part.name)) for part in key if part.kind is Kind.relation
            )


def _text(row: Recorded, column: Field, actor: Actor) -> str:
    value = getattr(row, column.name)
    if value is None:
        return ""
    if column.kind is Kind.relation:
        return written(value, actor) or code_of(value)
    if column.kind in (Kind.choice, Kind.boolean):
        return column.show(value)
    return column.edit(value)


def _write_cell(sheet: Any, number: int, place: int, row: Recorded, column: Field, day: Any, actor: Actor) -> None:
    value = getattr(row, column.name)
    if value is None:
        return
    if column.kind is Kind.date and isinstance(value, date):
        sheet.write_datetime(number, place, value, day)
    elif column.kind in _NUMBERS and isinstance(value, int | Decimal):
        sheet.write_number(number, place, value)
    else:
        sheet.write_string(number, place, _text(row, column, actor)[:_CELL_TEXT])
