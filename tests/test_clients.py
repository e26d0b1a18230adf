"""The signed-in clients that other tests use are the same to the desk as people who signed in."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.clients import DeskClient


def test_a_client_is_signed_in_with_a_role_and_a_stranger_is_not(desk_client: Callable[..., DeskClient]) -> None:
    assert desk_client("sales").get("/company/").status_code == 200
    assert desk_client().get("/company/").location.startswith("/backoffice/login/")


def test_a_form_counts_only_with_its_token(desk_client: Callable[..., DeskClient]) -> None:
    client = desk_client("sales")
    assert client.submit("/company/new").status_code == 422
    assert client.post("/company/new").status_code == 400


def test_the_browser_is_signed_in(desk_page: Callable[[str], Page]) -> None:
    page = desk_page("sales")
    page.goto("/backoffice/company/")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
