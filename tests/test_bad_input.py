"""Bad input, on every surface and for every entity: a clear refusal, and nothing shown of the inside.

``NONSENSE`` lists what no field, filter or key may choke on; each test sends it somewhere else.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from contextlib import suppress

import pytest

from backoffice.database import RecordSession
from backoffice.errors import BadRequest
from backoffice.operations.cleaning import writable_fields
from backoffice.records.filters import filterable, operators
from backoffice.records.pages import find_page, read_query, sortable
from models.base import Recorded
from models.calendar_exception import CalendarException
from models.calendar_interval import CalendarInterval
from models.catalogue import slug
from models.codes import Cap, TaxCode, VatNumber
from models.company import Company
from models.contract import Contract
from models.reading import BadValue
from models.service_calendar import ServiceCalendar
from models.ticket import Ticket
from tests.sample import ENTITY_SETS
from tests.visitors import ADMIN, NONSENSE, Visitor, each_kind, form_of, stored_row
from views.generated.grid import grid_entities
from views.generated.grid_cells import editable_fields

QUESTIONS = (
    *("f=nonsense:is:1", "f=id", "f=id:nonsense:1", "f=created_at:last:x", "f=:::", "&".join(["f=id:is:1"] * 30)),
    *("s=nonsense", "s=-", "s=--id", "s=id'", "q=%00", "q=" + "x" * 300),
    *("n=0", "n=201", "n=-1", "n=x", "n=٢٥", "n=000200999", "n=" + "9" * 5000),
    *("k=x", "k=" + "A" * 3000, "k=WzEsMiwzXQ", "k=%ff"),
)


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize("entities", ENTITY_SETS)
def test_no_list_takes_what_it_does_not_know(admin: Visitor, entities: list[type[Recorded]]) -> None:
    faults = []
    for entity in entities:
        name = slug(entity)
        some = QUESTIONS if entity in (Company, CalendarInterval) else QUESTIONS[:: len(QUESTIONS) // 4]
        asked = [f"/{name}/?{question}" for question in some] + [f"/{name}/?c=id,password'"]
        if entity in grid_entities() and not entity.__admin__.scope.shared:
            asked += [f"/grid/{name}/?{question}" for question in some[:2]]
        faults += [(path, answer.status_code) for path in asked if (answer := admin.get(path)).status_code != 400]
        faults += [(name, q) for q in some if admin.api("GET", f"{name}/?{q}").status_code != 400]
        faults += [(name, "export")] if admin.get(f"/{name}/export.csv?{some[0]}").status_code not in (400, 403) else []
    assert not faults


@pytest.mark.long
@pytest.mark.databases("sqlite", "postgresql", long=("sqlite",))
def test_no_filter_chokes(session: RecordSession) -> None:
    tried = 0
    for field in each_kind(lambda entity: filterable(entity, ADMIN).values()):
        for operator in operators(field):
            for value in NONSENSE if operator.input != "none" else ("", "x"):
                with suppress(BadRequest):
                    query = read_query(field.entity, ADMIN, filters=[f"{field.name}:{operator.name}:{value}"])
                    find_page(session, query)
                    tried += 1
    assert tried > 100


FORGED = (
    *(None, True, False, 0, -1, 10**12, 10**40, 1.5, float("nan"), [], {}, [1]),
    *("", "x", "\0", "\ud800", "x" * 999, "NaN", "1e999999", "08:30:00", "draft"),
    *("2026-01-01", "2026-01-01T00:00:00", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"),
)


@pytest.mark.long
@pytest.mark.databases("sqlite", "postgresql", long=("sqlite",))
@pytest.mark.parametrize("entities", ENTITY_SETS)
def test_no_cursor_chokes(admin: Visitor, entities: list[type[Recorded]]) -> None:
    for entity in entities:
        for name in sorted(sortable(entity, ADMIN)) if entity in (Company, Ticket, Contract, CalendarException) else ():
            digest = read_query(entity, ADMIN, sort=name).digest
            forged = [[digest, "on", value, 1, 1] for value in FORGED]
            forged += [
                [digest, way, "x", key, 1]
                for way in ("on", "back", "end", None, [])
                for key in (1, -1, "1", None, 10**12)
            ]
            forged += [[digest], digest, [digest, "end", 1], [digest, "on", None, 1, -1], [digest, "on", None, 1, "x"]]
            for parts in forged:
                cursor = base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")
                assert admin.get(f"/{slug(entity)}/?s={name}&k={cursor}").status_code in (200, 400), parts


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize("entities", ENTITY_SETS)
def test_every_page_of_every_declared_order(admin: Visitor, entities: list[type[Recorded]]) -> None:
    for entity in entities:
        for name in sorted(sortable(entity, ADMIN)):
            path: str | None = f"/{slug(entity)}/?s={name}&n=1"
            for _page in range(2):
                answer = admin.get(path)
                assert answer.status_code == 200, path
                following = re.search(r'href="([^"]+)" rel="next"', answer.text)
                if not following:
                    break
                path = following[1].replace("&amp;", "&").removeprefix("/backoffice")


KEYS = (
    "0",
    "-1",
    "x",
    "9" * 11,
    "9" * 400,
    "2147483648",
    "٣",
    "%00",
    "%ED%A0%80",
    "1%2F2",
    "1'",
    "1.0",
    "%0d%0aX:y",
    "1e3",
    " 1",
)


@pytest.mark.long
@pytest.mark.databases("sqlite")
@pytest.mark.parametrize("entities", ENTITY_SETS)
def test_no_key_chokes(admin: Visitor, entities: list[type[Recorded]]) -> None:
    for entity in entities:
        name = slug(entity)
        for key in KEYS if entity in (Company, ServiceCalendar) else KEYS[:2]:
            for page in ("", "/edit", "/delete", "/do/x", "?tab=history"):
                assert admin.get(f"/{name}/{key}{page}").status_code in (403, 404), (name, key, page)
            assert admin.submit(f"/{name}/{key}/edit", {"version": "1"}).status_code in (403, 404)
            assert admin.submit(f"/{name}/{key}/delete", {"version": "1"}).status_code in (403, 404)
            assert admin.api("GET", f"{name}/{key}").status_code == 404
            assert admin.api("PUT", f"{name}/{key}", json={}, headers={"If-Match": '"1"'}).status_code in (
                403,
                404,
                405,
            )
            assert admin.get(f"/{name}/import/{key}").status_code in (403, 404)
            assert admin.get(f"/{name}/import/{key}/trial").status_code in (403, 404)
            assert admin.get(f"/security/password/{key}").status_code in (404, 405)
            if entity in grid_entities():
                answer = admin.cell(name, key, "id", "x", "1")
                assert answer.status_code in (403, 404, 422)
    for tab in ("x", "%00", "contact.company.x", "history%0d"):
        assert admin.get(f"/company/1?tab={tab}").status_code == 404
    for before in ("x", "-1", "9" * 30, "٣", "%00"):
        assert admin.get(f"/company/1?tab=history&before={before}").status_code in (200, 400)
    for name, term in (
        ("nonsense", "x"),
        ("legal_name", "x"),
        ("account_manager", "%00"),
        ("account_manager", "x" * 900),
    ):
        assert admin.get(f"/company/options/{name}?q={term}").status_code in (200, 404)


@pytest.mark.long
@pytest.mark.databases("sqlite")
def test_no_field_of_a_form_chokes(person: Callable[[str], Visitor], session: RecordSession) -> None:
    admin = person("admin")  # alone edits what all groups share
    for field in each_kind(lambda entity: writable_fields(entity, ADMIN).values() if entity in grid_entities() else ()):
        row = stored_row(session, field.entity)
        if row is None:
            continue
        path = f"/{slug(field.entity)}/{row.id}/edit"
        sent = form_of(admin, path)
        for value in NONSENSE:
            answer = admin.submit(path, {**sent, field.name: value, f"{field.name}-text": ""})
            assert answer.status_code in (303, 403, 409, 422), (path, field, value)


@pytest.mark.long
@pytest.mark.databases("sqlite", "postgresql", long=("sqlite",))
def test_no_cell_chokes(admin: Visitor, session: RecordSession) -> None:
    for field in each_kind(lambda entity: editable_fields(entity, ADMIN).values() if entity in grid_entities() else ()):
        row = stored_row(session, field.entity)
        if row is None:
            continue
        version = row.version
        for value in NONSENSE:
            answer = admin.cell(slug(field.entity), row.id, field.name, value, version)
            assert answer.status_code in (200, 403, 422), (field, value)
            version = answer.json.get("version", version)


TYPED = (
    None,
    True,
    1,
    0,
    -1,
    10**12,
    10**40,
    1.5,
    1e300,
    [],
    {},
    [1],
    [[]],
    {"id": 1},
    {"id": [1]},
    "\ud800",
    "a\0b",
    *NONSENSE[:12],
    *NONSENSE[17:25],
)


@pytest.mark.long
@pytest.mark.databases("sqlite", "postgresql", long=("sqlite",))
def test_no_value_of_the_api_chokes(admin: Visitor, session: RecordSession) -> None:
    for field in each_kind(lambda entity: writable_fields(entity, ADMIN).values() if entity in grid_entities() else ()):
        row = stored_row(session, field.entity)
        if row is None:
            continue
        path = f"{slug(field.entity)}/{row.id}"
        tag = admin.api("GET", path).headers["ETag"]
        for value in TYPED:
            answer = admin.api("PUT", path, json={field.name: value}, headers={"If-Match": tag})
            assert answer.status_code in (200, 403, 422), (field, value)
            tag = answer.headers.get("ETag", tag)


def test_codes_are_stored_in_plain_letters_and_digits() -> None:
    wide, arabic = (str.maketrans("0123456789", other) for other in ("０１２３４５６７８９", "٠١٢٣٤٥٦٧٨٩"))
    for kind, code in (
        (Cap(5), "09100"),
        (VatNumber(20), "DE136695976"),
        (TaxCode(16), "RSSMRA80A01H501U"),
        (VatNumber(20), "00743110157"),
    ):
        assert kind.parse(code.translate(wide)) == code
        with pytest.raises(BadValue):
            kind.parse(code.translate(arabic))
