"""Search over everything, for every role: it finds what each list finds, and no row or masked value beyond it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import unescape
from typing import Any

import pytest
import sqlalchemy as sa

from backoffice.actors import SYSTEM, Actor, Context, Door
from backoffice.database import RecordSession, open_session
from backoffice.identity import load_actor
from backoffice.records.pages import find_page, read_query
from backoffice.records.search import MOST_ROWS, find_everywhere, searched
from models.base import Recorded
from models.catalogue import TEXTUAL, fields, slug
from models.reading import fold
from models.staff import Staff
from tests.access.expected import ROLES, visible_ids
from tests.access.person import DAILY, SWEPT, Person, keep_names_hidden
from tests.clients import DESK

_LONG = [
    pytest.param(f"demo.{role}", 1, id=f"{role}-all", marks=pytest.mark.long) for role in ROLES if role not in DAILY
]
#: Who searches, and for every how-manieth of the terms.
WHO = [
    *(pytest.param(f"demo.{role}", 15, id=role) for role in DAILY),
    pytest.param("demo.management", 5, id="management", marks=pytest.mark.long),
    pytest.param("demo.sales.2", 25, id="other group"),
    *_LONG,
]


@pytest.mark.databases("postgresql", "sqlite", long=("sqlite",))
@pytest.mark.parametrize(("name", "every"), WHO)
def test_it_finds_what_the_lists_find(
    people: Callable[[str], Person], engine: sa.Engine, name: str, every: int, subtests: pytest.Subtests
) -> None:
    person = people(name)
    terms = list(terms_of(person))[::every]
    assert len(terms) > 3
    with acting(engine, person) as session:
        actor = session.info["context"].actor
        for term in terms:
            with subtests.test(term=term):
                check_term(session, person, term, actor)


def check_term(session: RecordSession, person: Person, term: str, actor: Actor) -> None:
    found = {group.entity: group for group in find_everywhere(session, term, actor)}
    assert set(found) <= {entity for entity in SWEPT if person.may("R", entity)}
    for entity in searched(actor):
        page = find_page(session, read_query(entity, actor, term=term, size="50"))
        listed = {row.id for row in page.rows}
        group = found.get(entity)
        keys = set(group.keys) if group else set()
        assert keys <= visible_ids(person.connection, entity, person.right(entity), person.staff), entity
        if page.count <= MOST_ROWS:
            # A code may be typed in another way than its list searches it.
            assert listed <= keys, entity
            assert keys - listed <= named_by(session, entity, term, actor), entity
        else:
            assert len(keys) == MOST_ROWS + 1, entity
        if group and group.rows:
            assert [row.id for row in group.rows] == list(group.keys[:MOST_ROWS])


def named_by(session: RecordSession, entity: type[Recorded], term: str, actor: Actor) -> set[int]:
    """Return the rows whose code is the term, without signs and spaces."""
    names = {key[0] for key in entity.__admin__.natural_keys if len(key) == 1} - actor.masked(entity)
    squeezed = re.sub(r"\W", "", term).lower()
    rows = session.execute(sa.select(entity.id, *(getattr(entity, name) for name in names)))
    return {key for key, *codes in rows if squeezed in [re.sub(r"\W", "", str(code or "")).lower() for code in codes]}


def terms_of(person: Person) -> Iterator[str]:
    """Yield, for each searched entity, values that a row of each group is found by: codes, names, masked ones too."""
    for entity in SWEPT:
        if not entity.__admin__.search_columns or entity.search_key is None:
            continue
        names = [n for n in entity.__admin__.search_columns if fields(entity)[n].kind in TEXTUAL]
        for key in person.every(entity)[:1] + person.every(entity)[-1:]:
            (row,) = person.stored(f"SELECT * FROM {entity.__table__.name} WHERE id = {key}")
            yield from (value[:60] for n in names[:3] if isinstance(value := getattr(row, n), str) and fold(value))


class acting:  # noqa: N801 - read as a word
    """A session in which somebody acts, below every view."""

    def __init__(self, engine: sa.Engine, person: Person) -> None:
        with open_session(engine, Context(SYSTEM, Door.job)) as session:
            self.session = open_session(engine, Context(load_actor(session, person.staff.id), Door.desk))

    def __enter__(self) -> RecordSession:
        return self.session

    def __exit__(self, *_error: Any) -> None:
        self.session.close()


@pytest.mark.databases("postgresql", "sqlite", long=("sqlite",))
def test_the_page_leads_to_rows_that_are_there(people: Callable[[str], Person], staff: Callable[[str], Staff]) -> None:
    person = people("demo.consultant")
    for term in ("a", "rossi", "GO", "demo"):
        for path in (f"/search/?q={term}", f"/search/?q={term}&part=1"):
            answer = person.client.get(path)
            assert answer.status_code == 200
            keep_names_hidden(person, answer.text, path)
            main = answer.text.partition("<main")[2] or answer.text
            found = re.findall(rf'href="{DESK}(/[a-z_]+/\d+)"', main)
            assert found or term == "demo", path
            assert {person.client.get(address).status_code for address in found} <= {200}


@pytest.mark.databases("postgresql", "sqlite", long=("sqlite",))
def test_a_mask_tells_nothing(people: Callable[[str], Person]) -> None:
    person, sees = people("demo.management"), people("demo.administrator")
    personal = [
        (entity, field)
        for entity in SWEPT
        for name in entity.__admin__.search_columns
        if (field := fields(entity)[name]).personal and field.kind in TEXTUAL and person.may("R", entity)
    ]
    tried = 0
    for entity, field in personal:
        column = field.column
        rows = person.stored(f"SELECT id, {column} AS value FROM {entity.__table__.name} WHERE {column} IS NOT NULL")
        own = [row for row in rows if row.id in person.visible(entity) and len(row.value) > 5][:2]
        for key, value in own:
            address = f"{DESK}/{slug(entity)}/{key}"
            answer = person.client.get("/search/", query_string={"q": value})
            assert f'href="{address}"' not in answer.text or _said_openly(person, entity, key, value), (field, value)
            seen = sees.client.get("/search/", query_string={"q": value}).text
            tried += f'href="{address}"' in seen
    assert tried >= 5, "whoever sees these values finds the rows by them"


def _said_openly(person: Person, entity: type[Recorded], key: int, value: str) -> bool:
    """Say whether another searched column, which no mask hides, has the words too."""
    (row,) = person.stored(f"SELECT * FROM {entity.__table__.name} WHERE id = {key}")
    open_names = [n for n in entity.__admin__.search_columns if not fields(entity)[n].personal]
    return any(fold(value) in fold(str(getattr(row, n, "") or "")) for n in open_names)


@pytest.mark.databases("postgresql", "sqlite", long=("sqlite",))
def test_codes_come_first_however_they_are_typed(people: Callable[[str], Person]) -> None:
    person = people("demo.administrator")
    ticket = person.stored("SELECT number FROM ticket WHERE group_id = 1 ORDER BY id DESC LIMIT 1")[0].number
    company = person.stored(
        "SELECT id, vat_number FROM company WHERE group_id = 1 AND length(vat_number) = 11 ORDER BY id LIMIT 1"
    )[0]
    typed = f"{company.vat_number[:4]} {company.vat_number[4:8]} {company.vat_number[8:]}"
    for term, name in ((ticket, "ticket"), (ticket.lower(), "ticket"), (typed, "company")):
        page = person.client.get("/search/", query_string={"q": term}).text
        first = re.search(rf'id="found-([a-z_]+)">.*?href="{DESK}(/[a-z_]+/\d+)">([^<]+)<', page, re.DOTALL)
        assert first, term
        assert first[1] == name, term
        if name == "company":
            assert first[2] == f"/company/{company.id}"
        else:
            assert unescape(first[3]) == ticket


def test_what_cannot_be_searched_is_said(people: Callable[[str], Person]) -> None:
    client = people("demo.operator1").client
    assert "Cerca" in client.get("/search/").text
    assert "Nessun risultato" in client.get("/search/?q=zzqqzz").text
    assert "Nessun risultato" in client.get("/search/?q=!!!").text
    assert client.get("/search/?q=" + "x" * 201).status_code == 400
    assert client.get("/search/?q=%00").status_code == 400
    assert client.get("/search/?q=%27%22%3Cscript%3E%25_").status_code == 200
