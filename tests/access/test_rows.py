"""Every role, every entity, one row: what each door answers, to the status, where the row is theirs and where not.

A row out of reach is answered like one that is not there, and a right that the role lacks is refused whichever the
row. What may be done is tried without its version, or with one that never was, so that nothing changes but the one
cell that is to.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from backoffice.lifecycles import MACHINES, Transition
from models.base import Recorded
from models.catalogue import Field, Kind, fields, parent_key, related_lists, slug
from tests.access.expected import LEDGERS, VERBS_THAT_UPDATE
from tests.access.person import FEWER, SWEEPS, Person, has_forms, keep_names_hidden, listed
from tests.clients import DESK

#: A version that no row has: whoever may write meets a conflict.
STALE = 999_999_999
#: What is read on pages that only some entities have.
OTHER_PAGES = {"outbox_mail": ("text",)}
#: What a cell takes without further thought, by kind.
CELLS = {Kind.text: "Prova", Kind.boolean: "1", Kind.date: "01/02/2031"}
#: What takes certain words only: what is paid as measured has a unit, a preference knows its values, credits of orders
#: have one. And what is charged to a package as soon as it is billable, which writes the row once more.
CLOSED = {
    ("contract_line", "unit"),
    ("account_preference", "value"),
    ("course_credit", "professional_order"),
    ("time_entry", "billable"),
}


@pytest.mark.databases("postgresql")
@pytest.mark.parametrize(("name", "entities"), SWEEPS)
def test_each_door_of_a_row_opens_by_right_and_reach_only(
    people: Callable[[str], Person], name: str, entities: list[Any], subtests: pytest.Subtests
) -> None:
    check_rows(people(name), entities, subtests)


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize(("name", "entities"), FEWER)
def test_each_door_of_a_row_on_sqlite(
    people: Callable[[str], Person], name: str, entities: list[Any], subtests: pytest.Subtests
) -> None:
    check_rows(people(name), entities, subtests)


def check_rows(person: Person, entities: list[type[Recorded]], subtests: pytest.Subtests) -> None:
    for entity in entities:
        with subtests.test(entity=entity.__tablename__, row="new"):
            assert dict(doors_of_new(person, entity)) == dict(due_of_new(person, entity))
        hidden, mine = person.hidden(entity), sorted(person.visible(entity))[-1:]
        for key in [*hidden, *mine]:
            with subtests.test(entity=entity.__tablename__, row=key, mine=key in mine):
                check_row(person, entity, key, there=key in mine)


def check_row(person: Person, entity: type[Recorded], key: int, *, there: bool) -> None:
    before = version_of(person, entity, key)
    assert dict(doors_of(person, entity, key)) == dict(due_of(person, entity, there=there))
    assert version_of(person, entity, key) == before
    check_cell(person, entity, key, there=there)
    if there:
        check_tabs(person, entity, key)
    elif person.may("R", entity) and "id" in fields(entity):
        assert listed(person, entity, f"&f=id:is:{key}") == set()


def version_of(person: Person, entity: type[Recorded], key: int) -> int:
    if entity.__table__.name in LEDGERS:
        return 0
    ((version,),) = person.stored(f"SELECT version FROM {entity.__table__.name} WHERE id = :key", key=key)
    return int(version)


def doors_of_new(person: Person, entity: type[Recorded]) -> Iterator[tuple[str, int]]:
    """Yield what the doors answer through which rows come in."""
    name = slug(entity)
    yield "form", person.client.get(f"/{name}/new").status_code
    yield "form sent", person.client.submit(f"/{name}/new", {}).status_code
    yield "api", person.api(f"{name}/", method="POST", json={"no such field": 1}).status_code
    yield "import", person.client.get(f"/{name}/import/").status_code


def due_of_new(person: Person, entity: type[Recorded]) -> Iterator[tuple[str, int]]:
    may_create = person.may("C", entity)
    yield "form", 200 if may_create else 403
    yield "form sent", 422 if may_create else 403
    yield "api", (422 if may_create else 403) if has_forms(entity) else 405
    # Where nobody imports there are no pages for it: the address reads like that of a record called "import".
    yield "import", (200 if may_create or person.may("U", entity) else 403) if has_forms(entity) else 404


def doors_of(person: Person, entity: type[Recorded], key: int) -> Iterator[tuple[str, int]]:
    """Yield what each door answers about a row, and to whoever wants to change it."""
    path, unversioned = f"/{slug(entity)}/{key}", {"version": ""}
    yield "page", person.client.get(path).status_code
    if person.may("R", entity):
        yield "history", person.client.get(f"{path}?tab=history").status_code
    yield "api", person.api(path[1:]).status_code
    for page in OTHER_PAGES.get(entity.__table__.name, ()):
        yield page, person.client.get(f"{path}/{page}").status_code
    for page in ("edit", "delete", "restore"):
        yield page, person.client.get(f"{path}/{page}").status_code
        yield f"{page} sent", person.client.submit(f"{path}/{page}", unversioned).status_code
    for method in ("PATCH", "DELETE"):
        body = {} if method == "DELETE" else {"json": {}}
        yield method, person.api(path[1:], method=method, version=STALE, **body).status_code
    for verb in verbs_of(entity):
        yield f"do {verb.name}", person.client.submit(f"{path}/do/{verb.name}", unversioned).status_code
        yield (
            f"do {verb.name} by api",
            person.api(f"{path[1:]}/do/{verb.name}", method="POST", version=STALE).status_code,
        )


def due_of(person: Person, entity: type[Recorded], *, there: bool) -> Iterator[tuple[str, int]]:
    """Yield what they have to answer: 403 without the right, 404 out of reach, else what whoever may gets."""

    def due(letter: str, answer: int) -> int:
        return 403 if not person.may(letter, entity) else answer if there else 404

    yield "page", due("R", 200)
    if person.may("R", entity):
        yield "history", 404 if entity.__table__.name in LEDGERS else due("R", 200)
    yield "api", due("R", 200)
    for page in OTHER_PAGES.get(entity.__table__.name, ()):
        yield page, due("R", 200)
    for page, letter in (("edit", "U"), ("delete", "D")):
        yield page, due(letter, 200)
        yield f"{page} sent", due(letter, 400)
    # None of these rows was deleted; lines come back with what they are lines of.
    restorable = person.may("D", entity) and person.may("C", entity) and has_forms(entity) and not parent_key(entity)
    yield "restore", 404 if restorable else 403
    yield "restore sent", 404 if restorable else 403
    for method in ("PATCH", "DELETE"):
        yield method, due("D" if method == "DELETE" else "U", 409) if has_forms(entity) else 405
    for verb in verbs_of(entity):
        may = may_perform(person, entity, verb)
        yield f"do {verb.name}", (400 if there else 404) if may else 403
        yield f"do {verb.name} by api", (409 if there else 404) if may else 403


def verbs_of(entity: type[Recorded]) -> list[Transition]:
    """Return one verb of each kind: which rights it needs is all that the doors look at."""
    machine = MACHINES.get(entity)
    kinds = {(verb.right, verb.also, verb.automatic): verb for verb in machine.transitions} if machine else {}
    return list(kinds.values())


def may_perform(person: Person, entity: type[Recorded], verb: Transition) -> bool:
    name = entity.__table__.name
    letter = "U" if VERBS_THAT_UPDATE & {name, f"{name}.{verb.name}"} else "T"
    # What a verb writes beside its own record needs the right to it, also where no form would write it.
    also = [action.name[0].upper() in person.right(other).letters for action, other in verb.also]
    # By the letters of the area: what is written by verbs alone has no form, and the right to change it all the same.
    return letter in person.right(entity).letters and all(also) and not verb.automatic


def check_cell(person: Person, entity: type[Recorded], key: int, *, there: bool) -> None:
    """One cell of the row is written if the right to change covers it, and by nobody else."""
    field = cell_of(entity)
    before = version_of(person, entity, key)
    column, value = (field.name, CELLS[field.kind]) if field is not None else ("id", "1")
    answer = person.cell(entity, key, column, value, before)
    due = (
        404 if field is not None and not there else 422 if field is None or settled(person, entity, key, field) else 200
    )
    if not person.may("U", entity):
        due = 403 if has_forms(entity) else 404
    assert answer.status_code == due, (column, answer.text[:300])
    # What follows from a value, such as the charge of billable time, is written to the row once more.
    assert version_of(person, entity, key) - before in ((0, 1, 2) if due == 200 else (0,))
    if due == 200:
        assert answer.json["text"] == ("Sì" if value == "1" else value)
    before = version_of(person, entity, key)
    answer = person.paste(entity, key, column, value, before)
    assert answer.status_code == (200 if person.may("U", entity) else due), answer.text[:300]
    if answer.status_code == 200:
        (told,) = answer.json["rows"]
        assert (not told["problem"] and not told["problems"]) == (due == 200), (column, told)
        assert due == 200 or "cells" not in told, told
    assert version_of(person, entity, key) - before in ((0, 1, 2) if due == 200 else (0,))


def settled(person: Person, entity: type[Recorded], key: int, field: Field) -> bool:
    """Say whether the row has come so far that the field does not change any more, and would have to."""
    states = entity.__admin__.changeable_in.get(field.name)
    if states is None:
        return False
    column = field.column or field.name
    ((state, now),) = person.stored(f"SELECT state, {column} FROM {entity.__table__.name} WHERE id = :key", key=key)
    return state not in {known.value for known in states} and not (field.kind is Kind.boolean and now)


def cell_of(entity: type[Recorded]) -> Field | None:
    """Return a field that fits in a cell and takes a value of ``CELLS``: a key or a date where there is no other."""
    names = entity.__admin__.form_columns
    keys = {name for key in entity.__admin__.natural_keys for name in key}
    known = (
        field for name, field in fields(entity).items() if name in names and (entity.__tablename__, name) not in CLOSED
    )
    plain = [f for f in known if f.kind in CELLS and not f.value_type and not f.verb_only]
    return min(plain, key=lambda f: (f.kind is Kind.date, f.name in keys), default=None)


def check_tabs(person: Person, entity: type[Recorded], key: int) -> None:
    """The page of a row, and each tab of related rows, shows what is the person's and names nothing else."""
    path = f"/{slug(entity)}/{key}"
    keep_names_hidden(person, person.client.get(path).text, path)
    for field in related_lists(entity):
        name, table = slug(field.entity), field.entity.__table__.name
        column = "&c=id" if "id" in fields(field.entity) else ""
        tab = person.client.get(f"{path}?tab={name}.{field.name}&n=200{column}")
        if not person.may("R", field.entity):
            assert tab.status_code == 404, field
            continue
        shown = {int(found) for found in re.findall(rf'data-url="{DESK}/{name}/(\d+)"', tab.text)}
        related = {found for (found,) in person.stored(f"SELECT id FROM {table} WHERE {field.column} = :key", key=key)}
        wanted = related & person.visible(field.entity)
        assert shown == wanted if len(wanted) <= 200 else shown < wanted, field
