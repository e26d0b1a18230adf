"""Every role, every entity, every surface: nobody reaches a row or a value that is not theirs.

What a role may see is worked out by hand-written SQL (``expected``); then each surface is asked, and must
show exactly that. Below the surfaces each role comes twice in one process, in both orders, because what is
cached for one actor must never serve the next.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import aliased

from backoffice.actors import Context, Door
from backoffice.database import RecordSession, open_session
from backoffice.identity import load_actor
from backoffice.records.show import MASK
from models.base import ENTITIES, Recorded
from models.catalogue import Kind, fields, related_lists, slug
from models.staff import Staff
from tests.access.expected import ROLES, Right, rights, visible_ids
from tests.clients import DeskClient

RIGHTS = rights()
SWEPT = [entity for entity in ENTITIES.values() if ("administrator", entity.__admin__.area) in RIGHTS]
#: One of each role, and two of the other corporate group.
USERS = [*(f"demo.{role}" for role in ROLES), "demo.sales.2", "demo.operator1.2"]


class Person:
    """Somebody with a role, at every door at once."""

    def __init__(self, client: DeskClient, staff: Staff, connection: sa.Connection, token: str) -> None:
        self.client, self.staff, self.connection = client, staff, connection
        self.role = staff.username.split(".")[1]
        self.headers = {"Authorization": f"Bearer {token}"}

    def right(self, entity: type[Recorded]) -> Right:
        return RIGHTS[self.role, entity.__admin__.area]

    def visible(self, entity: type[Recorded]) -> set[int]:
        return visible_ids(self.connection, entity, self.right(entity), self.staff)

    def hidden(self, entity: type[Recorded]) -> list[int]:
        every = self.connection.execute(sa.select(entity.__table__.c.id)).scalars()
        return sorted(set(every) - self.visible(entity))

    def api(self, path: str, **kwargs: Any) -> Any:
        method = kwargs.pop("method", "GET")
        return self.client.open(
            f"/api/v1/{path}", method=method, headers={**self.headers, **kwargs.pop("headers", {})}, **kwargs
        )


@pytest.fixture
def people(
    desk_client: Callable[..., DeskClient], staff: Callable[[str], Staff], engine: sa.Engine, desk: Any
) -> Iterator[Callable[[str], Person]]:
    from flask_jwt_extended import create_access_token

    with engine.connect() as connection:

        def find(name: str) -> Person:
            someone = staff(name)
            with desk.app_context():
                token = create_access_token(someone.get_id())
            return Person(desk_client(name), someone, connection, token)

        yield find


def listed(person: Person, entity: type[Recorded], query: str = "") -> set[int]:
    """Return the keys on all pages of a desk list."""
    found: set[int] = set()
    path: str | None = f"/{slug(entity)}/?n=200&c=id{query}"
    while path:
        answer = person.client.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        found |= {int(key) for key in re.findall(rf'data-url="/backoffice/{slug(entity)}/(\d+)"', answer.text)}
        following = re.search(r'href="([^"]+)" rel="next"', answer.text)
        path = following[1].replace("&amp;", "&").removeprefix("/backoffice") if following else None
    return found


def answered(person: Person, entity: type[Recorded]) -> set[int]:
    """Return the keys on all pages of the API."""
    found: set[int] = set()
    path: str | None = f"{slug(entity)}/?n=100"
    while path:
        answer = person.api(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.text[:300])
        found |= {row["id"] for row in answer.json["result"]}
        path = (answer.json["next"] or "").removeprefix("/backoffice/api/v1/") or None
    return found


def exported(person: Person, entity: type[Recorded]) -> set[int]:
    text = person.client.get(f"/{slug(entity)}/export.csv?c=id").get_data(as_text=True)
    return {int(row[0]) for row in list(csv.reader(io.StringIO(text.removeprefix("\ufeff")), delimiter=";"))[1:]}


@pytest.mark.databases("postgresql")
@pytest.mark.parametrize("name", USERS)
def test_every_surface_shows_exactly_what_the_role_may_see(people: Callable[[str], Person], name: str) -> None:
    person = people(name)
    for entity in SWEPT:
        check_lists(person, entity)


def test_what_is_kept_for_one_role_never_serves_the_next(
    engine: sa.Engine, staff: Callable[[str], Staff], session: RecordSession
) -> None:
    with engine.connect() as connection:
        for name in [*USERS, *reversed(USERS)]:
            someone = staff(name)
            actor = load_actor(session, someone.id)
            with open_session(engine, Context(actor, Door.desk)) as scoped:
                for entity in SWEPT:
                    right = RIGHTS[name.split(".")[1], entity.__admin__.area]
                    expected = visible_ids(connection, entity, right, someone)
                    other = aliased(entity)
                    joined = sa.select(entity.id).join(other, other.id == entity.id)
                    place = (name, entity.__tablename__)
                    assert set(scoped.scalars(sa.select(entity.id))) == expected, place
                    assert set(scoped.scalars(joined)) == expected, place
                    assert set(scoped.scalars(sa.select(other.id))) == expected, place


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize("name", ["demo.operator1", "demo.evaluator", "demo.consultant", "demo.management"])
def test_the_same_on_sqlite(people: Callable[[str], Person], name: str) -> None:
    person = people(name)
    for entity in SWEPT:
        check_lists(person, entity)


def check_lists(person: Person, entity: type[Recorded]) -> None:
    right, visible = person.right(entity), person.visible(entity)
    place = (person.staff.username, entity.__tablename__)
    if "R" not in right.letters:
        assert person.client.get(f"/{slug(entity)}/").status_code == 403, place
        assert person.api(f"{slug(entity)}/").status_code == 403, place
        assert person.client.get(f"/{slug(entity)}/export.csv").status_code == 403, place
        for key in person.hidden(entity)[:1]:
            assert person.client.get(f"/{slug(entity)}/{key}").status_code == 403, place
        return
    assert listed(person, entity) == visible, place
    assert answered(person, entity) == visible, place
    if "X" in right.letters:
        assert exported(person, entity) == visible, place
    else:
        assert person.client.get(f"/{slug(entity)}/export.csv").status_code == 403, place


@pytest.mark.databases("postgresql")
@pytest.mark.parametrize("name", [f"demo.{role}" for role in ROLES])
def test_a_hidden_row_is_not_there_on_any_surface(people: Callable[[str], Person], name: str) -> None:
    person = people(name)
    for entity in SWEPT:
        if "R" in person.right(entity).letters:
            for key in person.hidden(entity)[-1:]:
                check_hidden(person, entity, key)
            for key in sorted(person.visible(entity))[:1]:
                check_visible(person, entity, key)


def check_hidden(person: Person, entity: type[Recorded], key: int) -> None:
    right, path = person.right(entity), f"/{slug(entity)}/{key}"
    place = (person.staff.username, path)
    assert person.client.get(path).status_code == 404, place
    assert person.client.get(f"{path}?tab=history").status_code == 404, place
    assert person.api(f"{slug(entity)}/{key}").status_code == 404, place
    assert listed(person, entity, f"&f=id:is:{key}") == set(), place
    closed = entity.__admin__.append_only or entity.__admin__.written_by_verbs
    for letter, page, values in (("U", "edit", {"version": "1"}), ("D", "delete", {"version": "1"})):
        expected = 404 if letter in right.letters and not closed else 403
        assert person.client.get(f"{path}/{page}").status_code in (expected, 404), (*place, page)
        assert person.client.submit(f"{path}/{page}", values).status_code in (expected, 404), (*place, page)
    if not closed:
        wanted = 404 if "U" in right.letters else 403
        answer = person.api(f"{slug(entity)}/{key}", method="PUT", json={}, headers={"If-Match": '"1"'})
        assert answer.status_code == wanted, place


def check_visible(person: Person, entity: type[Recorded], key: int) -> None:
    place = (person.staff.username, entity.__tablename__, key)
    page = person.client.get(f"/{slug(entity)}/{key}")
    assert page.status_code == 200, place
    history = person.client.get(f"/{slug(entity)}/{key}?tab=history")
    assert history.status_code == (200 if "version" in entity.__table__.c else 404), place  # a ledger has none
    for field in related_lists(entity):
        if (person.role, field.entity.__admin__.area) not in RIGHTS or "R" not in person.right(field.entity).letters:
            continue
        tab = person.client.get(f"/{slug(entity)}/{key}?tab={slug(field.entity)}.{field.name}&n=200&c=id")
        assert tab.status_code == 200, (*place, field)
        shown = {int(k) for k in re.findall(rf'data-url="/backoffice/{slug(field.entity)}/(\d+)"', tab.text)}
        assert shown <= person.visible(field.entity), (*place, field)


@pytest.mark.databases("postgresql")
@pytest.mark.parametrize("name", [f"demo.{role}" for role in ROLES])
def test_lookups_and_writes_never_reach_hidden_rows(people: Callable[[str], Person], name: str) -> None:
    person = people(name)
    for entity in SWEPT:
        if "R" not in person.right(entity).letters:
            continue
        for field in fields(entity).values():
            if field.kind is Kind.relation and field.target in SWEPT:
                check_relation(person, entity, field)


def check_relation(person: Person, entity: type[Recorded], field: Any) -> None:
    place = (person.staff.username, field)
    answer = person.client.get(f"/{slug(entity)}/options/{field.name}?q=")
    assert answer.status_code == 200, place
    assert {option["id"] for option in answer.json} <= person.visible(field.target), place
    hidden, mine = person.hidden(field.target), sorted(person.visible(entity))
    writable = (
        field.name in entity.__admin__.form_columns and not field.verb_only and not entity.__admin__.written_by_verbs
    )
    if (
        not hidden
        or not mine
        or "U" not in person.right(entity).letters
        or not writable
        or entity.__admin__.append_only
    ):
        return
    stored = person.api(f"{slug(entity)}/{mine[0]}")
    answer = person.api(
        f"{slug(entity)}/{mine[0]}",
        method="PUT",
        json={field.name: hidden[0]},
        headers={"If-Match": stored.headers["ETag"]},
    )
    assert answer.status_code in (422, 404), (*place, answer.status_code, answer.text[:300])
    after = person.api(f"{slug(entity)}/{mine[0]}")
    assert after.json == stored.json, place


def test_masked_values_exist_nowhere(people: Callable[[str], Person]) -> None:
    person = people("demo.management")
    checked = 0
    for entity in SWEPT:
        masked = [field for field in fields(entity).values() if field.personal and not field.secret]
        if not masked or "R" not in person.right(entity).letters:
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
    if "X" in person.right(entity).letters:
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
