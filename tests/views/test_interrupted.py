"""A form sent after its session has ended: what was typed is there again after signing in, and nothing was saved."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from backoffice.database import RecordSession
from models.company import Company
from tests.browser.keys import press
from tests.clients import DESK, DeskClient
from tests.views.programs import PROBLEM, as_stored, make_company, make_contract
from tests.visitors import Visitor, form_of

HERE = {"Origin": "http://localhost"}
WORDS = "Molto lavoro,\r\nda non perdere"


def hidden(page: str) -> dict[str, str]:
    """Return the hidden fields of the page's form."""
    tags = re.findall(r'<input[^>]* ?type="hidden"[^>]*>', page)
    pairs = [(re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)) for tag in tags]
    return {name[1]: html.unescape(value[1]) for name, value in pairs if name and value}


def end_session(client: DeskClient, desk: Flask) -> None:
    client.delete_cookie(desk.config["SESSION_COOKIE_NAME"], path=f"{DESK}/")


def test_what_was_typed_comes_back_after_signing_in(
    admin: Visitor, desk: Flask, session: RecordSession, password: str
) -> None:
    company = make_company(session, "Interrotta srl")
    path = f"/company/{company.id}/edit"
    typed = form_of(admin, path) | {"notes": WORDS, "city": ""}
    end_session(admin.client, desk)
    lost = admin.client.post(path, data=typed, headers=HERE)
    assert (lost.status_code, "Accedi" in lost.text) == (403, True)
    credentials = {"username": "demo.administrator", "password": password}
    wrong = admin.client.post("/login/", data=hidden(lost.text) | credentials | {"password": "un altro tentativo"})
    assert wrong.status_code == 401
    back = admin.client.post("/login/", data=hidden(wrong.text) | credentials)
    again = admin.client.post(path, data=hidden(back.text))
    assert (again.status_code, "da non perdere" in again.text) == (200, True)
    assert as_stored(session).get_one(Company, company.id).notes is None
    final = hidden(again.text) | typed | {"csrf_token": hidden(again.text)["csrf_token"]}
    assert admin.client.post(path, data=final).status_code == 303
    assert as_stored(session).get_one(Company, company.id).notes == WORDS.replace("\r", "")


def test_whoever_signed_in_again_elsewhere_goes_straight_back(admin: Visitor, session: RecordSession) -> None:
    contract = make_contract(session, make_company(session))
    path = f"/contract/{contract.id}/do/sign"
    back = admin.client.post(path, data={"version": "1", "signed_on": "01/02/2026", "csrf_token": "old"}, headers=HERE)
    assert back.status_code == 400
    again = admin.client.post(path, data=hidden(back.text))
    assert (again.status_code, "01/02/2026" in again.text) == (200, True)
    assert as_stored(session).get_one(type(contract), contract.id).state.value == "draft"


@pytest.mark.parametrize("origin", [{}, {"Origin": "http://evil.example"}, {"Origin": "null"}])
def test_a_form_of_another_site_is_not_kept(admin: Visitor, desk: Flask, origin: dict[str, str]) -> None:
    for _session in ("there", "ended"):
        answer = admin.client.post("/company/1/edit", data={"notes": WORDS}, headers=origin)
        assert (answer.status_code, "da non perdere" in answer.text) == (400, False)
        end_session(admin.client, desk)


def test_what_nobody_types_is_not_kept(admin: Visitor) -> None:
    answer = admin.client.post("/company/1/edit", data={"notes": "x" * 600_000}, headers=HERE)
    assert (answer.status_code, len(answer.text) < 50_000) == (400, True)


@pytest.mark.parametrize("kept", ["", "x", "[]", "[1, 2]", '["//evil.example", []]', "[" * 5000, '["/x", [["a"]]]'])
def test_nonsense_leads_home(desk_client: Callable[..., DeskClient], password: str, kept: str) -> None:
    client = desk_client()
    sent = hidden(client.get("/login/").text) | {"username": "demo.sales", "password": password, "kept": kept}
    assert client.post("/login/", data=sent).location == f"{DESK}/"


def test_scripts_get_a_problem(admin: Visitor, desk: Flask) -> None:
    def save() -> Any:
        cell = {"pk": "1", "column": "city", "value": "Ala", "version": "1", "csrf_token": "old"}
        return admin.client.post("/grid/company/ajax/update/", data=cell, headers={"Accept": "application/json"})

    there = save()
    end_session(admin.client, desk)
    for answer, status in ((there, 400), (save(), 401)):
        assert (answer.status_code, answer.mimetype) == (status, PROBLEM)
        assert "sessione" in answer.json["detail"]


@pytest.mark.databases("sqlite")
def test_in_a_browser(desk_page: Callable[[str], Page], password: str) -> None:
    page = desk_page("administrator")
    page.goto(f"{DESK}/company/2/edit")
    page.fill("[name=city]", "Rovereto")
    page.context.clear_cookies()
    press(page, "Control+s")
    page.fill("#username", "demo.administrator")
    page.fill("#password", password)
    page.click("button[type=submit]")
    expect(page.locator("[name=city]")).to_have_value("Rovereto")
    press(page, "Control+s")
    page.wait_for_url(f"**{DESK}/company/2")
    expect(page.locator("main")).to_contain_text("Rovereto")
