"""The grid: cells are read and saved one by one, under the same rights and rules as everywhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from playwright.sync_api import Page, expect
from werkzeug.test import TestResponse

from backoffice.actors import Door
from backoffice.database import RecordSession
from models.company import Company, SizeClass
from models.history_entry import HistoryEntry
from tests.clients import DeskClient
from tests.views.programs import PROBLEM, as_stored, make_company, make_contract

UPDATE = "/grid/company/ajax/update/"


@pytest.fixture
def company(session: RecordSession) -> Company:
    return make_company(session, "Aardvark srl", iban="IT60X0542811101000000123456")


def save(client: DeskClient, company: Company, column: str, value: str, *, version: Any = 1) -> TestResponse:
    """Send one cell, as the page's script does."""
    cell = {"pk": company.id, "column": column, "value": value, "version": version}
    return client.post(UPDATE, data=cell, headers={"X-CSRFToken": client.csrf_token})


def test_a_cell_is_saved(desk_client: Callable[..., DeskClient], company: Company, session: RecordSession) -> None:
    client = desk_client("sales")
    answer = save(client, company, "city", "  Trento ")
    assert (answer.status_code, answer.json["text"], answer.json["version"]) == (200, "Trento", 2)
    answer = save(client, company, "size_class", "small", version=2)
    assert (answer.status_code, answer.json["value"], answer.json["version"]) == (200, "small", 3)
    answer = save(client, company, "lab_habitual", "1", version=3)
    assert (answer.status_code, answer.json["value"]) == (200, "1")
    stored = as_stored(session).get_one(Company, company.id)
    assert (stored.city, stored.size_class, stored.lab_habitual) == ("Trento", SizeClass.small, True)
    mine = sa.select(HistoryEntry.door).where(HistoryEntry.entity == "company", HistoryEntry.record_id == company.id)
    assert session.scalars(mine).all()[-3:] == [Door.grid.value] * 3


def test_the_sheet_shows_what_can_be_changed(desk_client: Callable[..., DeskClient], company: Company) -> None:
    page = desk_client("sales").get("/grid/company/?q=aardvark")
    assert page.status_code == 200
    assert f'data-pk="{company.id}" data-version="1"' in page.text
    assert 'data-column="city"' in page.text
    assert UPDATE in page.text


REFUSED = [
    ("postal_code", "x"),
    ("vat_number", "12345678901"),
    ("legal_name", ""),
    ("legal_name", "a\0b"),
    ("state", "client"),
    ("size_class", "nonsense"),
    ("lab_habitual", "maybe"),
    ("account_manager", "1"),
    ("nonsense", "1"),
    ("id", "7"),
    ("group_id", "2"),
    ("version", "2"),
    ("created_at", "2026-01-01"),
]


def test_a_refused_cell_says_why_and_saves_nothing(
    desk_client: Callable[..., DeskClient], company: Company, session: RecordSession, subtests: pytest.Subtests
) -> None:
    client = desk_client("sales")
    for column, value in REFUSED:
        with subtests.test(f"{column}={value!r}"):
            answer = save(client, company, column, value)
            assert (answer.status_code, answer.mimetype) == (422, PROBLEM)
            assert answer.json["detail"]
    assert as_stored(session).get_one(Company, company.id).version == 1


def test_a_cell_without_its_version_is_refused(desk_client: Callable[..., DeskClient], company: Company) -> None:
    for version in ("", "x", "-1", "9" * 30):
        assert save(desk_client("sales"), company, "city", "Ala", version=version).status_code == 400


def test_a_cell_changed_meanwhile_is_a_conflict(desk_client: Callable[..., DeskClient], company: Company) -> None:
    client = desk_client("sales")
    assert save(client, company, "city", "Ala").status_code == 200
    late = save(client, company, "city", "Rovereto")
    assert late.status_code == 409
    assert (late.json["current"]["text"], late.json["current"]["version"]) == ("Ala", 2)
    assert late.json["submitted"] == "Rovereto"


def test_without_the_right_nothing_is_shown_or_saved(
    desk_client: Callable[..., DeskClient], company: Company, session: RecordSession
) -> None:
    reader = desk_client("quality")
    assert reader.get("/company/").status_code == 200
    assert reader.get("/grid/company/").status_code == 403
    assert save(reader, company, "city", "Ala").status_code == 403
    assert as_stored(session).get_one(Company, company.id).city is None


def test_a_stranger_signs_in_first(desk_client: Callable[..., DeskClient], company: Company) -> None:
    stranger = desk_client()
    page = stranger.get("/grid/company/")
    assert (page.status_code, "/login/" in page.headers["Location"]) == (302, True)
    answer = stranger.post(UPDATE, data={"pk": company.id})
    assert answer.status_code in (400, 401), "no session, so no CSRF token either"


def test_another_site_cannot_save_a_cell(
    desk_client: Callable[..., DeskClient], company: Company, session: RecordSession
) -> None:
    cell = {"pk": company.id, "column": "city", "value": "Ala", "version": 1}
    assert desk_client("sales").post(UPDATE, data=cell).status_code == 400
    assert as_stored(session).get_one(Company, company.id).city is None


def test_rows_of_another_group_are_not_there(desk_client: Callable[..., DeskClient], session: RecordSession) -> None:
    theirs = make_company(session, "Altrui srl", group=2)
    client = desk_client("sales")
    assert "Altrui" not in client.get("/grid/company/?q=altrui").text.replace('value="altrui"', "")
    assert save(client, theirs, "city", "Ala").status_code == 404


def test_what_only_verbs_change_stays(desk_client: Callable[..., DeskClient], session: RecordSession) -> None:
    contract = make_contract(session, make_company(session))
    client = desk_client("administrator")
    cell = {"pk": contract.id, "column": "state", "value": "active", "version": 1}
    answer = client.post("/grid/contract/ajax/update/", data=cell, headers={"X-CSRFToken": client.csrf_token})
    assert answer.status_code == 422


_STOCK_PATHS = ("new/", "edit/?id=1", "details/?id=1", "delete/", "action/", "export/csv/", "ajax/lookup/")


def test_no_page_of_the_toolkit_is_left(desk_client: Callable[..., DeskClient]) -> None:
    client = desk_client("administrator")
    for path in _STOCK_PATHS:
        assert client.get(f"/grid/company/{path}").status_code == 404, path
        assert client.post(f"/grid/company/{path}", headers={"X-CSRFToken": client.csrf_token}).status_code == 404


def test_a_page_of_the_sheet_takes_few_statements(
    desk_client: Callable[..., DeskClient], desk: Flask, session: RecordSession
) -> None:
    for number in range(30):
        make_company(session, f"Riga {number}")
    client, statements = desk_client("administrator"), []
    client.get("/grid/company/?q=riga")
    sa.event.listen(desk.extensions["engine"], "before_cursor_execute", lambda *a: statements.append(a[2]))
    assert client.get("/grid/company/?q=riga").status_code == 200
    assert len(statements) <= 15


def test_cells_are_changed_by_keyboard(
    desk_page: Callable[[str], Page], company: Company, session: RecordSession
) -> None:
    page = desk_page("sales")
    page.goto("/backoffice/grid/company/?q=aardvark")
    cell = page.locator(f'tr[data-pk="{company.id}"] td[data-column="city"]')
    cell.focus()
    page.keyboard.press("Enter")
    page.keyboard.type("Trento")
    page.keyboard.press("Enter")
    expect(cell).to_have_text("Trento")
    expect(page.locator(f'tr[data-pk="{company.id}"]')).to_have_attribute("data-version", "2")
    wrong = page.locator(f'tr[data-pk="{company.id}"] td[data-column="vat_number"]')
    wrong.focus()
    page.keyboard.press("Enter")
    page.keyboard.type("123")
    page.keyboard.press("Enter")
    expect(wrong.get_by_role("alert")).to_be_visible()
    stored = as_stored(session).get_one(Company, company.id)
    assert (stored.city, stored.vat_number) == ("Trento", None)
