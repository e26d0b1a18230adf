"""Whoever tries what should not work: at every door at once, with answers checked for clarity and discretion."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import sqlalchemy as sa
from werkzeug.test import TestResponse

from backoffice.actors import SYSTEM
from backoffice.database import RecordSession
from models.base import ENTITIES, Recorded
from models.catalogue import Field
from tests.clients import DeskClient

#: Refused with a sentence; 200 and 303 where it made sense after all.
REFUSALS = frozenset({400, 403, 404, 405, 409, 413, 415, 422, 428, 429, 503})
#: What shows that an answer was not made for people.
INSIDES = (
    "SELECT ",
    "INSERT INTO",
    "UPDATE ",
    "DELETE FROM",
    "Traceback",
    "sqlalchemy",
    "sqlite3",
    "psycopg",
    "werkzeug",
)
#: As typed by hand, by a program, or by somebody who wants to know.
NONSENSE = (
    *("x", "-1", "0", "1.5", "٣", "²", "９９", "9" * 400, "9" * 6000, "1e999999", "1e99999999", "1e-99999999", "NaN"),
    *("Infinity", "31/02/2026", "0001-01-01", "9999-12-31", "25:61", "-0:00", "..", "1..2..3", ":::", ",,,"),
    *("a\0b", "\u2028\u202e", "\r\nSet-Cookie: a=b", "x" * 5000, "+" * 300, "@" * 300, "../../etc/passwd"),
    *("1 OR 1=1", "'\";--", "%s%(x)s", "{{7*7}}", "<script>alert(1)</script>"),
)
PAGES = [entity for entity in ENTITIES.values() if entity.__tablename__ != "corporate_group"]
#: Sees everything, as the fields' names and filters depend on it.
ADMIN = SYSTEM


class Visitor:
    """Somebody at desk, grid and API, whose every answer is looked at for what it must never show."""

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


def stored_row(session: RecordSession, entity: type[Recorded]) -> Any:
    """Return a row of the entity that the administrators of the first group may see, as stored by now, or None."""
    session.rollback()
    session.expire_all()
    statement = sa.select(entity).order_by(entity.id)
    if "group_id" in entity.__table__.c and not entity.__admin__.scope.shared:
        statement = statement.where(entity.group_id == 1)  # type: ignore[attr-defined]
    return session.scalars(statement.limit(1)).first()


def form_of(visitor: Visitor, path: str) -> dict[str, str]:
    """Return what the form at ``path`` would send, as it stands."""
    page = visitor.get(path).text
    form = page[page.index('id="record-form"') : page.rindex("</form>")]
    found = {}
    for tag in re.findall(r"<input[^>]*>", form):
        name, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and ('type="checkbox"' not in tag or " checked" in tag):
            found[name[1]] = html.unescape(value[1]) if value else ""
    for name, text in re.findall(r'<textarea[^>]*name="([^"]+)"[^>]*>(.*?)</textarea>', form, re.DOTALL):
        found[name] = html.unescape(text).removeprefix("\r\n")  # as browsers do
    for name, options in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'<option[^>]*value="([^"]*)"[^>]* selected', options)
        found[name] = html.unescape(chosen[1]) if chosen else ""
    return found


def each_kind(allowed: Callable[[type[Recorded]], Iterable[Field]]) -> Iterator[Field]:
    """Yield one field of each kind and value type: what they share is written once."""
    seen = set()
    for entity in PAGES:
        for field in allowed(entity):
            mark = (field.kind, type(field.value_type), field.sort_column == field.name)
            if mark not in seen:
                seen.add(mark)
                yield field
