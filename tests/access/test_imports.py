"""Every role, every entity they import: a trial matches no row they do not see, and relates nothing to one.

A row of the other corporate group is treated as what is not there. One of the own group that is out of reach may be
said to hold its key, which nobody else may have then, and nothing else is said of it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa

from backoffice import clock
from models.base import Recorded
from models.catalogue import Field, Kind, fields, slug
from models.codes import VatNumber
from models.company import Company
from models.external_code import ExternalCode
from models.import_batch import ImportBatch
from models.import_row import ImportRow
from models.values import Email
from tests.access.person import FEWER, SWEEPS, Person, has_forms
from tests.access.test_references import writable
from tests.clients import DESK

SYSTEM, CODE, UNKNOWN = "Registro", "external_code", "Nessuna scheda trovata"
#: What no row is called, by the type of what is to be read.
NOBODY = "nessuno"
NOBODIES = {VatNumber: "01114601006", Email: "nessuno@prova.example"}


class Judged(NamedTuple):
    """What a trial found about one row of the file."""

    outcome: str
    record_id: int | None
    #: By heading: the sentences.
    said: dict[str, set[str]]


@pytest.mark.databases("postgresql")
@pytest.mark.parametrize(("name", "entities"), SWEEPS)
def test_a_trial_knows_no_hidden_row(
    people: Callable[[str], Person], engine: sa.Engine, name: str, entities: list[Any], subtests: pytest.Subtests
) -> None:
    check_imports(people(name), engine, entities, subtests)


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize(("name", "entities"), FEWER)
def test_a_trial_knows_no_hidden_row_on_sqlite(
    people: Callable[[str], Person], engine: sa.Engine, name: str, entities: list[Any], subtests: pytest.Subtests
) -> None:
    check_imports(people(name), engine, entities, subtests)


def check_imports(person: Person, engine: sa.Engine, entities: list[type[Recorded]], subtests: pytest.Subtests) -> None:
    for entity in entities:
        if has_forms(entity) and person.may("C", ImportBatch) and (person.may("C", entity) or person.may("U", entity)):
            with subtests.test(entity=entity.__tablename__):
                check_import(person, engine, entity)
    for key in person.hidden(ImportBatch):
        with subtests.test(batch=key):
            check_batch(person, key)


def check_import(person: Person, engine: sa.Engine, entity: type[Recorded]) -> None:
    """Try a file whose rows are about nobody, a row of the other group, one out of reach, and one's own."""
    matched = text_key(entity)
    columns = {matched.name if matched else CODE: keys_to_try(person, engine, entity, matched)}
    related = [field for field in writable(entity) if text_key(field.target) and field is not matched]
    for field in related:
        columns[field.name] = keys_to_try(person, engine, field.target, text_key(field.target))
    found = tried(person, entity, columns)
    mine = key_named(person, entity, matched, columns[next(iter(columns))]["mine"])
    assert found["mine"].record_id == mine
    for kind in found.keys() - {"mine"}:
        assert found[kind].record_id is None, kind
        assert found[kind].outcome in ("new", "refused"), kind
        for field in related:
            (sentence,) = found[kind].said[field.name]
            assert UNKNOWN in sentence, (field, kind)
    assert found.get("other", found["nobody"]) == found["nobody"]
    for field in related:
        assert not any(UNKNOWN in sentence for sentence in found["mine"].said.get(field.name, ())), field


def text_key(entity: type[Recorded] | None) -> Field | None:
    """Return the field, a single text, by which people name a row of ``entity``, if there is one."""
    assert entity is not None
    known = fields(entity)
    names = [key[0] for key in entity.__admin__.natural_keys if len(key) == 1 and key[0] in known]
    plain = [known[name] for name in names if known[name].kind is not Kind.relation and not known[name].verb_only]
    return next((field for field in plain if field.name in entity.__admin__.form_columns), None)


def keys_to_try(person: Person, engine: sa.Engine, entity: type[Recorded], key: Field | None) -> dict[str, str]:
    """Return by kind of row what names one: nobody's, one of the other group, one out of reach, one's own."""
    visible = person.visible(entity)
    column = key.name if key else "id"
    group = "group_id" if "group_id" in entity.__table__.c else "0"
    rows = person.stored(f"SELECT id, {column}, {group} FROM {entity.__table__.name} WHERE {column} IS NOT NULL")
    shown = {name for number, name, _group in rows if number in visible}
    mine = [(number, name) for number, name, _group in rows if number in visible]
    apart = [(number, name, of) for number, name, of in rows if number not in visible and name not in shown]
    own = [(number, name) for number, name, of in apart if of == person.staff.group_id]
    other = [(number, name) for number, name, of in apart if of != person.staff.group_id]
    chosen = {"mine": mine[-1:], "own": own[:1], "other": other[:1]}
    if key is None:
        return {"nobody": "K0"} | codes(person, engine, entity, chosen)
    names = {kind: str(found[0][1]) if found else "" for kind, found in chosen.items()}
    return names | {"nobody": NOBODIES.get(type(key.value_type), NOBODY)}


def codes(person: Person, engine: sa.Engine, entity: type[Recorded], chosen: dict[str, list[Any]]) -> dict[str, str]:
    """Give the chosen rows codes of another program, and return them."""
    groups = dict.fromkeys(chosen, person.staff.group_id) | {"other": 3 - (person.staff.group_id or 0)}
    kept = {"entity": entity.__table__.name, "system": SYSTEM, "created_at": clock.now()}
    found = {kind: f"K{rows[0][0]}" if rows else "" for kind, rows in chosen.items()}
    values = [
        {**kept, "group_id": groups[kind], "code": code, "record_id": chosen[kind][0][0]}
        for kind, code in found.items()
        if code
    ]
    with engine.begin() as connection:
        if values:
            connection.execute(sa.insert(ExternalCode.__table__), values)
    return found


def key_named(person: Person, entity: type[Recorded], key: Field | None, name: str) -> int:
    if key is None:
        return int(name[1:])
    rows = person.stored(f"SELECT id FROM {entity.__table__.name} WHERE {key.name} = :name", name=name)
    (found,) = {number for (number,) in rows} & person.visible(entity)
    return found


def tried(person: Person, entity: type[Recorded], columns: dict[str, dict[str, str]]) -> dict[str, Judged]:
    """Upload the columns as a file, map and try it; return by kind of row what was found."""
    matched, *others = columns.values()
    kinds = [kind for kind, name in matched.items() if name]
    file = io.StringIO()
    csv.writer(file, delimiter=";").writerows(
        [list(columns), *([matched[kind], *(names[kind] or NOBODY for names in others)] for kind in kinds)]
    )
    content = io.BytesIO(file.getvalue().encode())
    uploaded = person.client.submit(f"/{slug(entity)}/import/", {"file": (content, "prova.csv")})
    assert uploaded.status_code == 303, uploaded.text
    page = uploaded.location.removeprefix(DESK)
    mapping = {f"column.{place}": name for place, name in enumerate(columns)}
    mode = "update" if person.may("U", entity) else "create"
    choices = {"mode": mode, "matched_by": next(iter(columns)), "source_system": SYSTEM}
    answer = person.client.submit(page, {**mapping, **choices})
    assert answer.status_code == 303, answer.text
    return dict(zip(kinds, judged(person, int(page.split("/")[-2])), strict=True))


def judged(person: Person, batch: int) -> list[Judged]:
    table = ImportRow.__table__
    person.connection.rollback()
    rows = person.connection.execute(sa.select(table).where(table.c.batch_id == batch).order_by(table.c.number))
    found = []
    for row in rows:
        said: dict[str, set[str]] = {}
        for heading, _value, sentence in row.findings:
            said.setdefault(heading, set()).add(sentence)
        found.append(Judged(row.outcome.value, row.record_id, said))
    return found


def check_batch(person: Person, key: int) -> None:
    """No step of somebody else's import is open."""
    due = 404 if person.may("C", Company) else 403
    for step in ("", "/columns", "/trial", "/done", "/undo", "/refused.csv", "/refused.xlsx"):
        assert person.client.get(f"/company/import/{key}{step}").status_code == due, step
    for step in ("/columns", "/trial", "/apply", "/undo", "/discard"):
        assert person.client.submit(f"/company/import/{key}{step}").status_code == due, step
