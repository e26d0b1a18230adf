"""Every role, every entity: nobody points a relation at a row they do not see, whichever the door.

A key of somebody else's row is answered as a key that nothing has: by lookups, by writes of the REST API, inside
lines, and by what verbs ask for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from backoffice.lifecycles import MACHINES, Transition
from models.base import Recorded
from models.catalogue import Field, Kind, fields, slug
from models.company import Company
from tests.access.person import FEWER, NOBODY, SWEEPS, SWEPT, Person, has_forms, keep_names_hidden
from tests.access.test_rows import may_perform


@pytest.mark.databases("postgresql")
@pytest.mark.parametrize(("name", "entities"), SWEEPS)
def test_nobody_points_at_rows_they_do_not_see(
    people: Callable[[str], Person], name: str, entities: list[Any], subtests: pytest.Subtests
) -> None:
    check_references(people(name), entities, subtests)


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize(("name", "entities"), FEWER)
def test_nobody_points_at_rows_they_do_not_see_on_sqlite(
    people: Callable[[str], Person], name: str, entities: list[Any], subtests: pytest.Subtests
) -> None:
    check_references(people(name), entities, subtests)


def check_references(person: Person, entities: list[type[Recorded]], subtests: pytest.Subtests) -> None:
    hidden = {entity: person.hidden(entity) for entity in SWEPT}
    for entity in entities:
        if not person.may("R", entity):
            continue
        with subtests.test(entity=entity.__tablename__, door="lookups"):
            check_lookups(person, entity)
        for place in (0, -1):  # of the own corporate group, where the role is narrower than that, and of the other
            targets = {target: keys[place] for target, keys in hidden.items() if keys}
            with subtests.test(entity=entity.__tablename__, door="api", place=place):
                check_writes(person, entity, targets)
            with subtests.test(entity=entity.__tablename__, door="verbs", place=place):
                check_verbs(person, entity, targets)


def check_lookups(person: Person, entity: type[Recorded]) -> None:
    """Relation fields offer visible rows only, and neither a filter nor a form names another."""
    for field in relations(entity):
        path = f"/{slug(entity)}/options/{field.name}?q="
        answer = person.client.get(path)
        assert answer.status_code == 200, field
        assert {option["id"] for option in answer.json} <= person.visible(field.target), field
        if field.target is Company and person.hidden(Company):
            check_company_unnamed(person, field, person.hidden(Company)[0])


def check_company_unnamed(person: Person, field: Field, key: int) -> None:
    """A hidden company is not found by its name, and nothing that carries its key says it."""
    entity = slug(field.entity)
    ((name,),) = person.stored("SELECT legal_name FROM company WHERE id = :key", key=key)
    found = person.client.get(f"/{entity}/options/{field.name}", query_string={"q": name}).json
    assert key not in {option["id"] for option in found}, field
    keep_names_hidden(person, person.client.get(f"/{entity}/?f={field.name}:in:{key}").text, field.name)
    if person.may("C", field.entity):
        keep_names_hidden(person, person.client.get(f"/{entity}/new?{field.name}={key}").text, field.name)


def relations(entity: type[Recorded]) -> list[Field]:
    return [field for field in fields(entity).values() if field.kind is Kind.relation and field.target in SWEPT]


def writable(entity: type[Recorded]) -> list[Field]:
    """Return the relations that forms write."""
    return [f for f in relations(entity) if f.name in entity.__admin__.form_columns and not f.verb_only]


def check_writes(person: Person, entity: type[Recorded], hidden: dict[Any, int]) -> None:
    """Neither a new record nor a changed one takes a hidden key, on the record itself or in its lines."""
    pointing = {field.name: hidden[field.target] for field in writable(entity) if field.target in hidden}
    lines = dict(lines_pointing(entity, hidden))
    if not has_forms(entity) or not (pointing or lines):
        return
    table = entity.__table__.name
    count = person.stored(f"SELECT count(*) FROM {table}")
    if person.may("C", entity):
        refused(lambda sent: person.api(f"{slug(entity)}/", method="POST", json=sent), pointing, lines)
    mine = sorted(person.visible(entity))[-1:]
    if person.may("U", entity) and mine:
        path, before = f"{slug(entity)}/{mine[0]}", person.stored(f"SELECT * FROM {table} WHERE id = {mine[0]}")
        version = before[0].version
        refused(lambda sent: person.api(path, method="PUT", json=sent, version=version), pointing, lines)
        assert person.stored(f"SELECT * FROM {table} WHERE id = {mine[0]}") == before
    assert person.stored(f"SELECT count(*) FROM {table}") == count


def lines_pointing(entity: type[Recorded], hidden: dict[Any, int]) -> Iterator[tuple[str, list[dict[str, int]]]]:
    """Yield the inline children of an entity as lines that point at hidden rows, and one that is somebody else's."""
    for name in entity.__admin__.inline:
        line = fields(entity)[name].target
        assert line is not None
        back = {f.name: hidden[f.target] for f in writable(line) if f.target in hidden and f.target is not entity}
        many = [found for found in (back, {"id": hidden[line]} if line in hidden else {}) if found]
        if many:
            yield name, many


def refused(send: Callable[[Any], Any], pointing: dict[str, int], lines: dict[str, list[dict[str, int]]]) -> None:
    """Send the keys, then keys that no row has: both are refused, in the same words."""
    nobody = dict.fromkeys(pointing, NOBODY)
    nobodies = {name: [dict.fromkeys(line, NOBODY) for line in many] for name, many in lines.items()}
    answer, other = send({**pointing, **lines}), send({**nobody, **nobodies})
    assert (answer.status_code, other.status_code) == (422, 422), answer.text
    wanted = {*pointing, *(name for name, many in lines.items() for name in keys_of(name, many))}
    assert wanted <= answer.json["errors"].keys(), wanted
    assert {answer.json["errors"][name] for name in wanted} == {"Riferimento sconosciuto."}
    assert answer.json["errors"] == other.json["errors"]


def keys_of(name: str, lines: list[dict[str, int]]) -> Iterator[str]:
    for place, line in enumerate(lines):
        yield from (f"{name}.{place}" if key == "id" else f"{name}.{place}.{key}" for key in line)


def check_verbs(person: Person, entity: type[Recorded], hidden: dict[Any, int]) -> None:
    """What a verb asks for is no way to a hidden row either, by the API or by the desk."""
    for verb in MACHINES[entity].transitions if entity in MACHINES else ():
        asked = [fields(verb.asks or entity)[name] for name in verb.inputs]
        pointing = {f.name: hidden[f.target] for f in asked if f.kind is Kind.relation and f.target in hidden}
        if pointing and may_perform(person, entity, verb):
            check_verb(person, entity, verb, pointing)


def check_verb(person: Person, entity: type[Recorded], verb: Transition, pointing: dict[str, int]) -> None:
    table, states = entity.__table__.name, ", ".join(f"'{state.value}'" for state in verb.sources)
    rows = person.stored(f"SELECT * FROM {table} WHERE state IN ({states}) ORDER BY id")
    row = next((row for row in rows if row.id in person.visible(entity)), None)
    assert row is not None or person.role != "administrator", (table, verb.name)
    if row is None:
        return
    path = f"{slug(entity)}/{row.id}/do/{verb.name}"
    refused(lambda sent: person.api(path, method="POST", json=sent, version=row.version), pointing, {})
    assert person.client.submit(f"/{path}", {**pointing, "version": row.version}).status_code == 422
    assert person.stored(f"SELECT * FROM {table} WHERE id = {row.id}") == [row]
