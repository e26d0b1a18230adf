"""Bad input, on every surface and for every entity: a clear refusal, nothing saved by halves, nothing shown of the inside.

``nonsense`` lists what no field, filter, key or header may choke on; each test sends it somewhere else.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
from flask_jwt_extended import create_access_token
from werkzeug.test import TestResponse

from backoffice.actors import SYSTEM
from backoffice.database import RecordSession
from backoffice.operations.cleaning import writable_fields
from backoffice.records.filters import filterable, operators
from backoffice.records.pages import read_query, sortable
from models.base import ENTITIES, Recorded
from models.calendar_exception import CalendarException
from models.calendar_interval import CalendarInterval
from models.catalogue import Field, slug
from models.company import Company
from models.contract import Contract
from models.service_calendar import ServiceCalendar
from models.reading import BadValue
from models.ticket import Ticket
from models.values import Cap, TaxCode, VatNumber
from tests.clients import DeskClient
from views.generated.grid import editable_fields, grid_entities

#: Refused with a sentence; 200 and 303 where it made sense after all.
REFUSALS = frozenset({400, 403, 404, 405, 409, 413, 415, 422, 428, 429, 503})
#: What shows that an answer was not made for people.
INSIDES = ("SELECT ", "INSERT INTO", "UPDATE ", "DELETE FROM", "Traceback", "sqlalchemy", "sqlite3", "psycopg", "werkzeug")
#: As typed by hand, by a program, or by somebody who wants to know.
NONSENSE = (
    "x", "-1", "0", "1.5", "٣", "²", "９９", "9" * 400, "9" * 6000, "a\0b", "\u2028\u202e", "1 OR 1=1", "'\";--", "%s%(x)s",
    "{{7*7}}", "<script>alert(1)</script>", "../../etc/passwd", "31/02/2026", "0001-01-01", "9999-12-31", "1e999999", "1e99999999", "1e-99999999", "NaN",
    "Infinity", "25:61", "-0:00", "x" * 5000, "\r\nSet-Cookie: a=b", "+" * 300, "@" * 300, "..", "1..2..3", ":::", ",,,",
)  # fmt: skip
PAGES = [entity for entity in ENTITIES.values() if entity.__tablename__ != "corporate_group"]


#: Sees everything, as the fields' names and filters depend on it.
ADMIN = SYSTEM


class Desk:
    """An administrator at desk, grid and API, whose answers are looked at for what they must never show."""

    def __init__(self, client: DeskClient, token: str) -> None:
        self.client = client
        self.headers = {"Authorization": f"Bearer {token}"}

    def get(self, path: str, **options: Any) -> TestResponse:
        return checked(self.client.get(path, **options), path)

    def submit(self, path: str, values: dict[str, Any], **options: Any) -> TestResponse:
        return checked(self.client.submit(path, values, **options), path, values)

    def cell(self, name: str, key: Any, column: str, value: str, version: Any) -> TestResponse:
        sent = {"pk": key, "column": column, "value": value, "version": version}
        return self.submit(f"/grid/{name}/ajax/update/", sent)

    def api(self, method: str, path: str, **options: Any) -> TestResponse:
        headers = {**self.headers, **options.pop("headers", {})}
        answer = self.client.open(f"/api/v1/{path}", method=method, headers=headers, **options)
        return checked(answer, method, path, options)


def checked(answer: TestResponse, *what: Any) -> TestResponse:
    """Return the answer, which is no crash and shows nothing of the inside."""
    place = repr(what)[:300]
    assert answer.status_code in REFUSALS | {200, 201, 204, 302, 303}, (answer.status_code, place)
    content = answer.get_data()  # also reads a stream to its end
    answer.close()
    text = content.decode() if answer.status_code >= 400 else ""
    assert not [word for word in INSIDES if word in text], (answer.status_code, place)
    if answer.status_code >= 400 and answer.request.method != "HEAD":
        assert has_sentence(answer), (answer.status_code, place)
    return answer


def has_sentence(answer: TestResponse) -> bool:
    """Say whether an answer tells people what is wrong: a problem's detail, or text on a page of ours."""
    if answer.is_json or answer.mimetype == "application/problem+json":
        return len(str(answer.json.get("detail", "")).split()) > 2
    return "<h1" in answer.text and '<html lang="it"' in answer.text


@pytest.fixture
def person(desk_client: Callable[..., DeskClient], staff: Callable[[str], Any], desk: Any) -> Callable[[str], Desk]:
    """A function that puts somebody with a role at every door."""

    def find(role: str) -> Desk:
        with desk.app_context():
            token = create_access_token(staff(role).get_id())
        return Desk(desk_client(role), token)

    return find


@pytest.fixture
def admin(person: Callable[[str], Desk]) -> Desk:
    return person("administrator")


def each_kind(allowed: Callable[[type[Recorded]], Iterable[Field]]) -> Iterator[Field]:
    """Yield one field of each kind, value type and optionality: what they share is written once."""
    seen = set()
    for entity in PAGES:
        for field in allowed(entity):
            mark = (field.kind, type(field.value_type), field.nullable, field.sort_column == field.name)
            if mark not in seen:
                seen.add(mark)
                yield field


QUESTIONS = (
    "f=nonsense:is:1", "f=id", "f=id:nonsense:1", "f=created_at:last:x", "f=:::", "s=nonsense", "s=-", "s=--id", "s=id'",
    "n=0", "n=201", "n=-1", "n=x", "n=٢٥", "n=000200999", "n=" + "9" * 5000, "k=x", "k=" + "A" * 3000, "k=WzEsMiwzXQ", "k=%ff",
    "q=%00", "q=" + "x" * 300, "&".join(["f=id:is:1"] * 30),
)  # fmt: skip


@pytest.mark.databases("sqlite")
def test_no_list_takes_what_it_does_not_know(admin: Desk) -> None:
    faults = []
    for entity in PAGES:
        name = slug(entity)
        some = QUESTIONS if entity in (Company, CalendarInterval) else QUESTIONS[:: len(QUESTIONS) // 4]
        asked = [f"/{name}/?{question}" for question in some] + [f"/{name}/?c=id,password'"]
        asked += [f"/grid/{name}/?{question}" for question in some[:2] if entity in grid_entities()]
        faults += [(path, answer.status_code) for path in asked if (answer := admin.get(path)).status_code != 400]
        faults += [(name, q) for q in some if admin.api("GET", f"{name}/?{q}").status_code != 400]
        faults += [(name, "export")] if admin.get(f"/{name}/export.csv?{some[0]}").status_code not in (400, 403) else []
    assert not faults


def test_no_filter_chokes(admin: Desk) -> None:
    for field in each_kind(lambda entity: filterable(entity, ADMIN).values()):
        for operator in operators(field):
            for value in NONSENSE if operator.input != "none" else ("", "x"):
                question = urlencode({"f": f"{field.name}:{operator.name}:{value}"})
                assert admin.get(f"/{slug(field.entity)}/?{question}").status_code in (200, 400)


FORGED = (
    None, True, False, 0, -1, 10**12, 10**40, 1.5, float("nan"), "", "x", "\0", "\ud800", "x" * 999, [], {}, [1], "NaN", "1e999999",
    "2026-01-01", "2026-01-01T00:00:00", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "08:30:00", "draft",
)  # fmt: skip


def test_no_cursor_chokes(admin: Desk) -> None:
    for entity in PAGES:
        for name in sorted(sortable(entity, ADMIN)) if entity in (Company, Ticket, Contract, CalendarException) else ():
            digest = read_query(entity, ADMIN, sort=name).digest
            forged = [[digest, "on", value, 1, 1] for value in FORGED]
            forged += [[digest, way, "x", key, 1] for way in ("on", "back", "end", None, []) for key in (1, -1, "1", None, 10**12)]
            forged += [[digest], digest, [digest, "end", 1], [digest, "on", None, 1, -1], [digest, "on", None, 1, "x"]]
            for parts in forged:
                cursor = base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")
                assert admin.get(f"/{slug(entity)}/?s={name}&k={cursor}").status_code in (200, 400), parts


@pytest.mark.databases("sqlite")
def test_every_page_of_every_declared_order(admin: Desk) -> None:
    for entity in PAGES:
        for name in sorted(sortable(entity, ADMIN)):
            path: str | None = f"/{slug(entity)}/?s={name}&n=1"
            for _page in range(2):
                answer = admin.get(path)
                assert answer.status_code == 200, path
                following = re.search(r'href="([^"]+)" rel="next"', answer.text)
                if not following: break
                path = following[1].replace("&amp;", "&").removeprefix("/backoffice")


KEYS = ("0", "-1", "x", "9" * 11, "9" * 400, "2147483648", "٣", "%00", "%ED%A0%80", "1%2F2", "1'", "1.0", "%0d%0aX:y", "1e3", " 1")


@pytest.mark.databases("sqlite")
def test_no_key_chokes(admin: Desk) -> None:
    for entity in PAGES:
        name = slug(entity)
        for key in KEYS if entity in (Company, ServiceCalendar) else KEYS[:2]:
            for page in ("", "/edit", "/delete", "/do/x", "?tab=history"):
                assert admin.get(f"/{name}/{key}{page}").status_code in (403, 404), (name, key, page)
            assert admin.submit(f"/{name}/{key}/edit", {"version": "1"}).status_code in (403, 404)
            assert admin.submit(f"/{name}/{key}/delete", {"version": "1"}).status_code in (403, 404)
            assert admin.api("GET", f"{name}/{key}").status_code == 404
            assert admin.api("PUT", f"{name}/{key}", json={}, headers={"If-Match": '"1"'}).status_code in (403, 404, 405)
            assert admin.get(f"/{name}/import/{key}").status_code == 404
            assert admin.get(f"/{name}/import/{key}/trial").status_code == 404
            assert admin.get(f"/security/password/{key}").status_code in (404, 405)
            if entity in grid_entities():
                answer = admin.cell(name, key, "id", "x", "1")
                assert answer.status_code in (404, 422)
    for tab in ("x", "%00", "contact.company.x", "history%0d"):
        assert admin.get(f"/company/1?tab={tab}").status_code == 404
    for before in ("x", "-1", "9" * 30, "٣", "%00"):
        assert admin.get(f"/company/1?tab=history&before={before}").status_code in (200, 400)
    for name, term in (("nonsense", "x"), ("legal_name", "x"), ("account_manager", "%00"), ("account_manager", "x" * 900)):
        assert admin.get(f"/company/options/{name}?q={term}").status_code in (200, 404)


def stored_row(session: RecordSession, entity: type[Recorded]) -> Any:
    """Return a row of the entity that the administrators of the first group may see, as stored by now, or None."""
    session.rollback()
    statement = sa.select(entity).order_by(entity.id)
    if "group_id" in entity.__table__.c and not entity.__admin__.scope.shared:
        statement = statement.where(entity.group_id == 1)  # type: ignore[attr-defined]
    return session.scalars(statement.limit(1)).first()


def form_of(admin: Desk, path: str) -> dict[str, str]:
    """Return what the form at ``path`` would send, as it stands."""
    page = admin.get(path).text
    form = page[page.index('id="record-form"') : page.rindex("</form>")]
    found = {}
    for tag in re.findall(r"<input[^>]*>", form):
        name, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and ('type="checkbox"' not in tag or " checked" in tag):
            found[name[1]] = html.unescape(value[1]) if value else ""
    for name, text in re.findall(r'<textarea[^>]*name="([^"]+)"[^>]*>(.*?)</textarea>', form, re.DOTALL):
        found[name] = html.unescape(text)
    for name, options in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'<option[^>]*value="([^"]*)"[^>]* selected', options)
        found[name] = html.unescape(chosen[1]) if chosen else ""
    return found


def test_no_field_of_a_form_chokes(admin: Desk, session: RecordSession) -> None:
    for field in each_kind(lambda entity: writable_fields(entity, ADMIN).values() if entity in grid_entities() else ()):
        row = stored_row(session, field.entity)
        if row is None:
            continue
        path = f"/{slug(field.entity)}/{row.id}/edit"
        sent = form_of(admin, path)
        for value in NONSENSE:
            answer = admin.submit(path, {**sent, field.name: value, f"{field.name}-text": ""})
            assert answer.status_code in (303, 403, 409, 422), (path, field, value)


def test_no_cell_chokes(admin: Desk, session: RecordSession) -> None:
    for field in each_kind(lambda entity: editable_fields(entity, ADMIN).values() if entity in grid_entities() else ()):
        row = stored_row(session, field.entity)
        if row is None:
            continue
        version = row.version
        for value in NONSENSE:
            answer = admin.cell(slug(field.entity), row.id, field.name, value, version)
            assert answer.status_code in (200, 403, 422), (field, value)
            version = answer.json.get("version", version)


TYPED = (None, True, 1, 0, -1, 10**12, 10**40, 1.5, 1e300, [], {}, [1], [[]], {"id": 1}, {"id": [1]}, "\ud800", "a\0b", *NONSENSE[:12], *NONSENSE[17:25])


def test_no_value_of_the_api_chokes(admin: Desk, session: RecordSession) -> None:
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
    for kind, code in ((Cap(5), "09100"), (VatNumber(20), "DE136695976"), (TaxCode(16), "RSSMRA80A01H501U"), (VatNumber(20), "00743110157")):
        assert kind.parse(code.translate(wide)) == code
        with pytest.raises(BadValue):
            kind.parse(code.translate(arabic))
