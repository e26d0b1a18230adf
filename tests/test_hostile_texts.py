"""Texts that have broken programs before: form, grid and API keep them, tidy them or refuse them, all alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from backoffice.database import RecordSession
from models.company import Company
from models.history_entry import HistoryEntry
from tests.hostile import EMPTY, KEPT, LINES, TIDIED, UNSTORABLE, tidied
from tests.views.programs import as_stored, make_company
from tests.visitors import Visitor, form_of

ONE_LINE, SEVERAL = "legal_name", "notes"


def by_form(admin: Visitor, company: Company, values: dict[str, str]) -> TestResponse:
    path = f"/company/{company.id}/edit"
    return admin.submit(path, {**form_of(admin, path), **values})


def by_cell(admin: Visitor, company: Company, values: dict[str, str]) -> TestResponse:
    for name, text in values.items():
        version = admin.api("GET", f"company/{company.id}").json["version"]
        answer = admin.cell("company", company.id, name, text, version)
    return answer


def by_api(admin: Visitor, company: Company, values: dict[str, str]) -> TestResponse:
    path = f"company/{company.id}"
    tag = {"If-Match": admin.api("GET", path).headers["ETag"]}
    return admin.api("PATCH", path, json=values, headers=tag)


Send = Callable[[Visitor, Company, dict[str, str]], TestResponse]
LONG = [pytest.param(send, marks=pytest.mark.long) for send in (by_cell, by_api)]
DOORS = pytest.mark.parametrize("send", [by_form, *LONG])
#: The fields that a door writes: the grid has none of several lines.
WRITES = {by_form: (ONE_LINE, SEVERAL), by_cell: (ONE_LINE,), by_api: (ONE_LINE, SEVERAL)}


def read_back(admin: Visitor, session: RecordSession, company: Company) -> list[tuple[Any, Any]]:
    """Return what database, API and form hold now, as line and as text of several lines."""
    stored = as_stored(session).get_one(Company, company.id)
    told, shown = admin.api("GET", f"company/{company.id}").json, form_of(admin, f"/company/{company.id}/edit")
    return [(stored.legal_name, stored.notes), *((held[ONE_LINE], held[SEVERAL]) for held in (told, shown))]


@DOORS
def test_what_was_sent_comes_back(admin: Visitor, session: RecordSession, send: Send) -> None:
    notes = "Restano"
    company = make_company(session, notes=notes)
    for text in (*KEPT, *TIDIED, *LINES):
        answer = send(admin, company, dict.fromkeys(WRITES[send], text))
        assert answer.status_code in (200, 303), (text, answer.text[:500])
        wanted = (tidied(text), tidied(text, lines=True) if SEVERAL in WRITES[send] else notes)
        assert read_back(admin, session, company) == [wanted] * 3, text


@DOORS
def test_what_cannot_be_kept_is_refused_in_the_same_words(admin: Visitor, session: RecordSession, send: Send) -> None:
    company = make_company(session, "Resta com’è")
    for text in (*UNSTORABLE, "x" * 251, *EMPTY):
        answer, same = send(admin, company, {ONE_LINE: text}), by_api(admin, company, {ONE_LINE: text})
        assert (answer.status_code, same.status_code) == (422, 422), text
        told = answer.json["errors"][ONE_LINE] if answer.is_json else answer.text
        assert same.json["errors"][ONE_LINE] in told, text
    assert as_stored(session).get_one(Company, company.id).version == 1


@pytest.mark.parametrize("send", [by_form, by_api])
def test_only_spaces_are_nothing(admin: Visitor, session: RecordSession, send: Send) -> None:
    company = make_company(session)
    for text in EMPTY:
        assert send(admin, company, {SEVERAL: "prima"}).status_code in (200, 303)
        assert send(admin, company, {SEVERAL: text}).status_code in (200, 303)
        assert as_stored(session).get_one(Company, company.id).notes is None, text


def test_half_a_character_is_refused(admin: Visitor, session: RecordSession) -> None:
    """Only JSON can say it: browsers and files cannot even be made to."""
    company = make_company(session)
    for text in ("\ud800", "a\udfffb", "\ude00\ud83d"):
        answer = by_api(admin, company, {ONE_LINE: text, SEVERAL: text})
        assert (answer.status_code, set(answer.json["errors"])) == (422, {ONE_LINE, SEVERAL})


def test_pages_show_markup_as_text(admin: Visitor, session: RecordSession) -> None:
    markup = [text for text in KEPT if "<" in text]
    for number, text in enumerate(markup):
        company = make_company(session, text, notes=text, city=f"Borgo {number}")
        pages = [f"/company/{company.id}{part}" for part in ("", "/edit", "/delete", "?tab=history")]
        for path in (*pages, f"/company/?q=Borgo {number}", f"/grid/company/?q=Borgo {number}", "/history_entry/"):
            page = admin.get(path)
            assert page.status_code == 200
            assert text not in page.text, path
    assert session.query(HistoryEntry).count() >= len(markup)
