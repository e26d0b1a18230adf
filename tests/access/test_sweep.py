"""Every role, every entity, every surface: nobody reaches a row or a value that is not theirs.

What a role may see is worked out by hand-written SQL (``expected``); then each surface is asked, and must
show exactly that. Below the surfaces each role comes twice in one process, in both orders, because what is
cached for one actor must never serve the next.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import aliased

from backoffice.actors import Context, Door
from backoffice.database import RecordSession, open_session
from backoffice.identity import load_actor
from backoffice.permissions import AREAS
from backoffice.records.show import MASK
from models.base import Recorded, SoftDeleted
from models.catalogue import fields, slug
from models.staff import Staff
from tests.access import expected
from tests.access.expected import RIGHTS, visible_ids
from tests.access.person import (
    DAILY,
    FEWER,
    SWEEPS,
    SWEPT,
    USERS,
    Person,
    answered,
    exported_as_csv,
    exported_as_xlsx,
    gridded,
    has_forms,
    listed,
    make_rows_of_every_kind,
    new_to,
    window,
)
from tests.sample import SAMPLE

#: The surfaces that show rows, by the letter they need.
READERS = {
    listed: "R",
    answered: "R",
    gridded: "U",
    exported_as_csv: "X",
    exported_as_xlsx: "X",
}


def test_the_second_copy_covers_every_area_and_entity() -> None:
    """A new area, or a new kind of entity, must be written down here too."""
    assert {area for _role, area in RIGHTS} == AREAS.keys()
    assert {entity.__admin__.area for entity in SWEPT} == AREAS.keys()
    declared = {
        "SHARED": {e for e in SWEPT if e.__admin__.scope.shared},
        "APPEND_ONLY": {e for e in SWEPT if e.__admin__.append_only},
        "WRITTEN_BY_VERBS": {e for e in SWEPT if e.__admin__.written_by_verbs},
        "SOFT_DELETED": {e for e in SWEPT if issubclass(e, SoftDeleted)},
    }
    for name, entities in declared.items():
        assert {entity.__table__.name for entity in entities} == getattr(expected, name), name


#: Those of the other corporate group find all of its rows, and none of the first.
OTHER_GROUP = [
    pytest.param(name, SAMPLE if "sales" in name else SWEPT, id=name, marks=[] if "sales" in name else pytest.mark.long)
    for name in USERS
    if name.endswith(".2")
]
#: Masked values stand in lists too.
MASKED = [pytest.param("demo.management", new_to("management"), id="management")]


@pytest.mark.databases("postgresql")
@pytest.mark.parametrize(("name", "entities"), [*SWEEPS, *OTHER_GROUP])
def test_every_surface_shows_exactly_what_the_role_may_see(
    people: Callable[[str], Person], name: str, entities: list[Any], subtests: pytest.Subtests
) -> None:
    person = people(name)
    for entity in entities:
        with subtests.test(entity=entity.__tablename__):
            check_lists(person, entity)


@pytest.mark.long
@pytest.mark.databases("sqlite")
@pytest.mark.parametrize(("name", "entities"), [*FEWER, *MASKED])
def test_the_same_on_sqlite(
    people: Callable[[str], Person], name: str, entities: list[Any], subtests: pytest.Subtests
) -> None:
    person = people(name)
    for entity in entities:
        with subtests.test(entity=entity.__tablename__):
            check_lists(person, entity)


def check_lists(person: Person, entity: type[Recorded]) -> None:
    """Every surface shows the rows that are the person's, all of them and no other, or is closed."""
    for reader, letter in READERS.items():
        if not person.may(letter, entity):
            assert status_of(person, entity, reader) == refusal_of(entity, reader), reader.__name__
            continue
        query, wanted = window(person, entity)
        assert reader(person, entity, query) == wanted, reader.__name__
    if person.may("R", entity):
        assert person.api(f"{slug(entity)}/?n=1").json["count"] == len(person.visible(entity))


def status_of(person: Person, entity: type[Recorded], reader: Any) -> int:
    if reader is answered:
        return person.api(f"{slug(entity)}/").status_code
    kinds = {listed: "/{}/", gridded: "/grid/{}/"}
    kinds |= {exported_as_csv: "/{}/export.csv", exported_as_xlsx: "/{}/export.xlsx"}
    return person.client.get(kinds[reader].format(slug(entity))).status_code


def refusal_of(entity: type[Recorded], reader: Any) -> int:
    """Return how a surface is closed: what people never write has no grid at all."""
    return 404 if reader is gridded and not has_forms(entity) else 403


@pytest.mark.long
@pytest.mark.databases("sqlite", "postgresql", long=("sqlite",))
@pytest.mark.parametrize(
    "users",
    [[*(f"demo.{role}" for role in DAILY), "demo.sales.2"], pytest.param(USERS, marks=pytest.mark.long)],
    ids=["daily", "all"],
)
def test_what_is_kept_for_one_role_never_serves_the_next(
    engine: sa.Engine, staff: Callable[[str], Staff], session: RecordSession, users: list[str]
) -> None:
    make_rows_of_every_kind(engine)
    with engine.connect() as connection:
        for name in [*users, *reversed(users)]:
            someone = staff(name)
            actor = load_actor(session, someone.id)
            with open_session(engine, Context(actor, Door.desk)) as scoped:
                for entity in SWEPT:
                    right = RIGHTS[name.split(".")[1], entity.__admin__.area]
                    wanted = visible_ids(connection, entity, right, someone)
                    other = aliased(entity)
                    joined = sa.select(entity.id).join(other, other.id == entity.id)
                    place = (name, entity.__tablename__)
                    assert set(scoped.scalars(sa.select(entity.id))) == wanted, place
                    assert set(scoped.scalars(joined)) == wanted, place
                    assert set(scoped.scalars(sa.select(other.id))) == wanted, place


def test_masked_values_exist_nowhere(people: Callable[[str], Person]) -> None:
    person = people("demo.management")
    checked = 0
    for entity in SWEPT:
        masked = [field for field in fields(entity).values() if field.personal and not field.secret]
        if not masked or not person.may("R", entity):
            continue
        for field in masked:
            checked += check_mask(person, entity, field)
    assert checked > 5


def check_mask(person: Person, entity: type[Recorded], field: Any) -> int:
    place = (entity.__tablename__, field.name)
    found = _telling_value(person, entity, field)
    if found is None:
        return 0
    key, value = found
    path = f"/{slug(entity)}/{key}"
    texts = {
        "page": person.client.get(path).text,
        "history": person.client.get(f"{path}?tab=history").text,
        "list": person.client.get(f"/{slug(entity)}/?c=id,{field.name}&f=id:is:{key}").text,
        "api": json.dumps(person.api(f"{slug(entity)}/{key}").json),
    }
    if person.may("X", entity):
        texts["csv"] = person.client.get(f"/{slug(entity)}/export.csv?c={field.name}&f=id:is:{key}").text
    for surface, text in texts.items():
        assert value not in text, (*place, surface)
    assert MASK in texts["list"], place
    assert person.client.get(f"/{slug(entity)}/?f={field.name}:is:{value}").status_code == 400, place
    assert person.client.get(f"/{slug(entity)}/?s={field.name}").status_code == 400, place
    assert person.client.get(f"/{slug(entity)}/?q={value}").text.count("data-url=") == 0, (*place, "search")
    return 1


def _telling_value(person: Person, entity: type[Recorded], field: Any) -> tuple[int, str] | None:
    """Return a visible row's key and masked value, where nothing shown openly has the same value.

    A family name may well be part of the name of its company, which no mask hides.
    """
    visible = person.visible(entity)
    companies = list(person.connection.execute(sa.text("SELECT legal_name FROM company")).scalars())
    for row in person.connection.execute(sa.select(entity.__table__).order_by(entity.__table__.c.id)).mappings():
        value = row[field.column or field.name]
        if row["id"] not in visible or not isinstance(value, str) or len(value) < 6:
            continue
        open_values = [
            str(row[f.column]) for f in fields(entity).values() if f.column and not f.personal and not f.secret
        ]
        if not any(value.lower() in other.lower() for other in [*open_values, *companies]):
            return row["id"], value
    return None
