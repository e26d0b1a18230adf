"""Search over everything by keyboard, from any page, and without a script."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.keys import press
from tests.clients import DESK, session_cookie

pytestmark = pytest.mark.databases("sqlite")


def test_by_keyboard_from_any_page(desk_page: Callable[[str], Page]) -> None:
    page = desk_page("administrator")
    page.goto(f"{DESK}/contract/")
    box, found = page.locator(".search input"), page.locator("#search-found [role=option]")
    press(page, "Control+k")
    expect(box).to_be_focused()
    page.keyboard.type("comune")
    found.first.wait_for()
    expect(found.first).to_have_attribute("aria-selected", "true")
    expect(box).to_have_attribute("aria-expanded", "true")
    expect(box).to_have_attribute("aria-activedescendant", "found-option-0")
    press(page, "ArrowDown")
    expect(found.nth(1)).to_have_attribute("aria-selected", "true")
    press(page, "ArrowUp")
    press(page, "ArrowUp")
    expect(found.last).to_have_attribute("aria-selected", "true")
    press(page, "Escape")
    expect(page.locator("#search-pop")).to_be_hidden()
    expect(box).to_have_value("comune")
    press(page, "ArrowDown")
    address = page.locator("#search-found [aria-selected=true]").get_attribute("href") or ""
    press(page, "Enter")
    page.wait_for_url(f"**{address}")
    assert re.search(r"/[a-z_]+/\d+$", address)


def test_what_comes_late_does_not_overtake(desk_page: Callable[[str], Page]) -> None:
    page = desk_page("administrator")
    held = []
    page.route("**/search/?q=comune*", lambda route: held.append(route))
    box = page.locator(".search input")
    box.fill("comune")
    page.wait_for_function("() => performance.now() > 0")
    with page.expect_response("**/search/?q=nientecos*"):
        box.fill("nientecosi")
    expect(page.locator("#search-found")).to_contain_text("Nessun risultato")
    for route in held:
        route.abort()
    expect(page.locator("#search-found")).to_contain_text("Nessun risultato")


def test_without_a_script_it_is_a_form(
    browser: Browser, live_server: str, desk: object, staff: Callable[[str], object]
) -> None:
    context = browser.new_context(base_url=live_server, java_script_enabled=False, locale="it-IT")
    name, value = session_cookie(desk, staff("administrator"))  # type: ignore[arg-type]
    context.add_cookies([{"name": name, "value": value, "url": f"{live_server}{DESK}/"}])
    page = context.new_page()
    page.goto(f"{DESK}/company/")
    page.fill(".search input", "comune")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search/?q=comune")
    expect(page.locator("main .feed a").first).to_be_visible()
    context.close()
