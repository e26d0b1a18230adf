"""A search that takes long says so, and no longer than it takes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.clients import DESK

pytestmark = pytest.mark.databases("sqlite")


def test_a_slow_search_is_told_of_until_it_answers(desk_page: Callable[[str], Page]) -> None:
    page = desk_page("administrator")
    bar = page.get_by_role("progressbar")
    held: list[Route] = []
    page.route("**/search/?q=comune*", lambda route: held.append(route))
    page.goto(f"{DESK}/contract/")
    page.locator(".search input").fill("comune")
    expect(bar).to_be_visible()
    held[0].continue_()
    page.locator("#search-found [role=option]").first.wait_for()
    expect(bar).to_be_hidden()
