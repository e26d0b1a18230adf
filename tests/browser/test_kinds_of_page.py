"""One pass of a real browser over every kind of page: accessible, within its width, no script or policy broken.

The ``page`` fixture fails a test whose scripts break or whose page violates the Content-Security-Policy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.clients import DESK

pytestmark = pytest.mark.databases("sqlite")
AXE = {"resultTypes": ["violations"], "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
#: Width and height, theme, language.
LOOKS = [(1440, 900, "light", "it"), (390, 844, "dark", "en"), (1440, 900, "dark", "it"), (360, 740, "light", "it")]

DESK_PAGES = {
    "home": "/",
    "list": "/company/",
    "list-filtered": "/ticket/?f=state:in:in_progress,assigned&f=created_at:last:90&s=-created_at",
    "list-empty": "/company/?q=nientecosìesiste",
    "record": "/company/1",
    "record-lines": "/contract/1",
    "record-related": "/company/1?tab=contract.company",
    "record-history": "/contract/1?tab=history",
    "form": "/contract/1/edit",
    "form-new": "/company/new",
    "delete": "/company/1/delete",
    "import": "/company/import/",
    "grid": "/grid/company/",
    "roles": "/roles/",
    "password": "/security/password/",
    "not-found": "/company/999999",
}


def check(page: Page, name: str) -> None:
    """Assert that the page is accessible and no wider than the window."""
    # What lies half under the foot of a list is scrolled into sight; the rules take it for a target too small.
    page.evaluate("for (const foot of document.querySelectorAll('.list-foot')) foot.style.position = 'static'")
    found = Axe().run(page, options=AXE).response["violations"]
    told = [(v["id"], [node["target"] for node in v["nodes"]][:3]) for v in found]
    assert not told, (name, page.url, told)
    if page.locator(".page > .action-bar").count() and page.viewport_size["width"] >= 768:  # type: ignore[index]
        height = page.evaluate("document.documentElement.scrollHeight")
        assert height <= page.viewport_size["height"], (name, height, "what is above the bar scrolls, not the page")  # type: ignore[index]
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= page.viewport_size["width"], (name, width)  # type: ignore[index]


def looks(page: Page) -> Iterator[tuple[int, int, str, str]]:
    """Show the page in each look in turn; the caller opens it."""
    for width, height, theme, language in LOOKS:
        page.set_viewport_size({"width": width, "height": height})
        page.goto(f"{DESK}/language/{language}")
        page.evaluate("theme => localStorage.setItem('theme', theme)", theme)
        yield width, height, theme, language


def test_every_kind_of_desk_page(desk_page: Callable[[str], Page]) -> None:
    page = desk_page("administrator")
    for look in looks(page):
        for name, path in DESK_PAGES.items():
            answer = page.goto(DESK + path)
            assert answer is not None
            assert answer.status in ((404,) if name == "not-found" else (200,)), (name, answer.status)
            assert page.evaluate("document.documentElement.lang") == look[3]
            assert page.evaluate("document.documentElement.dataset.bsTheme") == look[2]
            check(page, f"{name} {look}")


def test_refused_form_and_confirmations(desk_page: Callable[[str], Page]) -> None:
    page = desk_page("administrator")
    for look in looks(page):
        page.goto(f"{DESK}/contract/new")
        page.locator("#record-form").evaluate("form => form.requestSubmit()")
        page.wait_for_selector("[data-problems]")
        check(page, f"refused form {look}")
        page.goto(f"{DESK}/company/1/delete")  # what refers to it is said at once
        expect(page.locator(".referrers")).to_be_visible()
        check(page, f"refused deletion {look}")


def test_doors_of_staff_and_clients(page: Page) -> None:
    for width, height, theme, _language in LOOKS:
        page.set_viewport_size({"width": width, "height": height})
        for path in (f"{DESK}/login/", "/it/login/", "/en/login/", "/it/nowhere/"):
            page.goto(path)
            page.evaluate("theme => localStorage.setItem('theme', theme)", theme)
            page.reload()
            check(page, f"{path} {width} {theme}")
