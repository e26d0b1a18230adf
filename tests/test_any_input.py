"""Whatever is typed or sent, drawn at random: an answer for people, never a crash."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backoffice.database import RecordSession
from backoffice.operations.cleaning import writable_fields
from backoffice.records.filters import filterable, operators
from models.base import ENTITIES, Recorded
from models.catalogue import fields, slug
from models.company import Company
from models.contract import Contract
from models.history_entry import HistoryEntry
from models.support_team import SupportTeam
from models.ticket import Ticket
from tests.access.person import has_forms, make_rows_of_every_kind
from tests.visitors import ADMIN, NONSENSE, Visitor, form_of, stored_row

pytestmark = pytest.mark.databases("sqlite", "postgresql", long=("postgresql",))
#: One of each kind; all the others are tried by the tests that take minutes.
QUICK = (Company, Contract, Ticket, SupportTeam, HistoryEntry)


def cases(*, written: bool) -> list[Any]:
    """Return every entity, or those that people write themselves."""
    chosen = [
        e for e in ENTITIES.values() if not written or not (e.__admin__.append_only or e.__admin__.written_by_verbs)
    ]
    return [pytest.param(e, id=slug(e), marks=[] if e in QUICK else [pytest.mark.long]) for e in chosen]


SHORT = settings(
    max_examples=30,
    derandomize=True,
    deadline=None,
    database=None,
    # One database for all examples: none of them depends on what another has left behind.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
typed = st.one_of(
    st.sampled_from(NONSENSE),
    st.text(st.characters(codec="utf-8"), max_size=60),
    st.integers().map(str),
    st.dates().map(lambda day: day.strftime("%d/%m/%Y")),
    st.datetimes(timezones=st.timezones()).map(str),
    st.decimals().map(lambda number: str(number).replace(".", ",")),
    st.times().map(str),
)
sent_json = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=30),
        typed,
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8) | st.just("id"), inner, max_size=3)
    ),
    max_leaves=6,
)


@pytest.fixture
def admin(engine: sa.Engine, person: Callable[[str], Visitor]) -> Visitor:
    """Whoever looks after the whole installation, where there is a row of every entity."""
    make_rows_of_every_kind(engine)
    return person("admin")


@pytest.mark.parametrize("entity", cases(written=True))
def test_forms(entity: type[Recorded], admin: Visitor, session: RecordSession) -> None:
    path = f"/{slug(entity)}/{stored_row(session, entity).id}/edit"
    stored = form_of(admin, path)
    names = sorted(set(stored) - {"csrf_token"}) + [
        f"{name}-0-{part}" for name in entity.__admin__.inline for part in ("id", "delete", "x")
    ]

    @SHORT
    @given(st.dictionaries(st.sampled_from(names), typed, min_size=1, max_size=4), st.booleans())
    def send(values: dict[str, str], new: bool) -> None:
        target = f"/{slug(entity)}/new" if new else path
        answer = admin.submit(target, {**stored, **values})
        # Before some records are made something is asked, and what was typed is kept.
        is_question = answer.status_code == 200 and new and 'name="asked"' in answer.text
        assert is_question or answer.status_code in (303, 400, 404, 409, 422)

    send()


@pytest.mark.parametrize("entity", cases(written=True))
def test_bodies(entity: type[Recorded], admin: Visitor, session: RecordSession) -> None:
    path = f"{slug(entity)}/{stored_row(session, entity).id}"
    names = st.sampled_from(sorted(writable_fields(entity, ADMIN))) | st.text(max_size=5)
    bodies = st.dictionaries(names, sent_json, min_size=1, max_size=4) | sent_json

    @SHORT
    @given(bodies, st.sampled_from(["POST", "PUT", "do"]))
    def send(body: Any, method: str) -> None:
        target = f"{slug(entity)}/" if method == "POST" else path if method == "PUT" else f"{path}/do/sign"
        tag = {"If-Match": admin.api("GET", path).headers["ETag"]}
        content = {"data": json.dumps(body), "content_type": "application/json"}
        answer = admin.api("PUT" if method == "PUT" else "POST", target, headers=tag, **content)
        assert answer.status_code in (200, 201, 404, 409, 422)

    send()


@pytest.mark.parametrize("entity", cases(written=True))
def test_cells(entity: type[Recorded], admin: Visitor, session: RecordSession) -> None:
    row = stored_row(session, entity)
    if row is None:
        pytest.fail(f"The demonstration set has no {slug(entity)}")
    names = st.sampled_from(sorted(fields(entity))) | st.text(max_size=5)

    @SHORT
    @given(names, typed, st.one_of(st.just(str(row.id)), typed), st.one_of(st.just(str(row.version)), typed))
    def send(name: str, value: str, key: str, version: str) -> None:
        sent = {"pk": key, "column": name, "value": value, "version": version}
        answer = admin.submit(f"/grid/{slug(entity)}/ajax/update/", sent)
        assert answer.status_code in (200, 400, 403, 404, 409, 422)

    send()


@pytest.mark.parametrize("entity", cases(written=False))
def test_questions(entity: type[Recorded], admin: Visitor) -> None:
    known = [
        (field.name, operator.name) for field in filterable(entity, ADMIN).values() for operator in operators(field)
    ]
    filters = st.tuples(st.sampled_from(known), typed).map(lambda pair: ("f", f"{pair[0][0]}:{pair[0][1]}:{pair[1]}"))
    others = st.tuples(st.sampled_from(["q", "s", "n", "k", "c", "f", "tab", "f_field", "f_op"]), typed)

    surfaces = ["", "api", "export.csv", *(["grid/"] if has_forms(entity) else [])]

    @SHORT
    @given(st.lists(filters | others, max_size=4), st.sampled_from(surfaces))
    def ask(parts: list[tuple[str, str]], surface: str) -> None:
        question = urlencode(parts)
        if surface == "api":
            answer = admin.api("GET", f"{slug(entity)}/?{question}")
        elif surface == "grid/":
            answer = admin.get(f"/grid/{slug(entity)}/?{question}")
        else:
            answer = admin.get(f"/{slug(entity)}/{surface}?{question}")
        assert answer.status_code in ((200, 302, 400, 403) if surface == "export.csv" else (200, 302, 400))

    ask()
