"""A page that takes long to come says so, on the page that is left, and no longer than it takes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from bench.accessibility import find_violations
from tests.browser.keys import press
from tests.clients import DESK

SEEN = """new Promise((done) => {
    const look = () => document.querySelector("[data-waiting]").checkVisibility() ? done() : setTimeout(look, 20);
    look();
})"""
pytestmark = pytest.mark.databases("sqlite")


def hold(page: Page, pattern: str) -> list[Route]:
    """Keep back the answers to what matches the pattern."""
    held: list[Route] = []
    page.route(pattern, lambda route: held.append(route))
    return held


def wait_until_told(page: Page) -> None:
    """Wait until the bar is there; asked of the browser itself: Playwright answers when no page is on its way."""
    wire = page.context.new_cdp_session(page)
    wire.send("Runtime.evaluate", {"expression": SEEN, "awaitPromise": True})
    wire.detach()


def test_a_slow_page_is_told_of_until_it_is_there(desk_page: Callable[[str], Page]) -> None:
    page = desk_page("administrator")
    bar = page.get_by_role("progressbar", name="Caricamento")
    held = hold(page, f"**{DESK}/contact/")
    expect(bar).to_be_hidden()
    # It is not awaited that the page comes: nothing lets it.
    page.locator(".side-link[href$='/contact/']").click(no_wait_after=True)
    wait_until_told(page)
    assert page.url.endswith(f"{DESK}/"), "the page that is left tells it"
    held[0].continue_()
    expect(page.locator("h1")).to_contain_text("Contatti")
    expect(bar).to_be_hidden()
    page.go_back()
    expect(page.locator("h1")).to_contain_text("Ciao")
    expect(bar).to_be_hidden()


def test_a_slow_form_is_told_of(desk_page: Callable[[str], Page]) -> None:
    page = desk_page("administrator")
    page.goto(f"{DESK}/company/2/edit")
    held = hold(page, f"**{DESK}/company/2/edit")
    press(page, "Control+s")
    wait_until_told(page)
    held[0].continue_()
    page.wait_for_url(f"**{DESK}/company/2")


def test_a_slow_search_is_told_of_until_it_answers(desk_page: Callable[[str], Page]) -> None:
    page = desk_page("administrator")
    bar = page.get_by_role("progressbar")
    held = hold(page, "**/search/?q=comune*")
    page.locator(".search input").fill("comune")
    expect(bar).to_be_visible()
    assert find_violations(page) == []
    held[0].continue_()
    page.locator("#search-found [role=option]").first.wait_for()
    expect(bar).to_be_hidden()


def test_after_a_file_the_bar_goes_by_itself(desk_page: Callable[[str], Page]) -> None:
    page = desk_page("administrator")
    bar = page.get_by_role("progressbar")
    page.goto(f"{DESK}/company/")
    held = hold(page, "**/export.csv*")
    page.locator(".page-actions details:has(a[href*='export.csv']) > summary").locator("visible=true").click()
    with page.expect_download():
        page.locator("a[href*='export.csv']").locator("visible=true").first.click(no_wait_after=True)
        wait_until_told(page)
        held[0].continue_()
    expect(bar).to_be_hidden()
