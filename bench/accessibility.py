"""What axe-core finds on a page, by the rules that every page of the product keeps."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
#: None of these rules wants the style sheets read beforehand, which takes as long as many a page.
AXE = {"resultTypes": ["violations"], "runOnly": RULES, "preload": False}
#: What lies over the page while it is open. Then it alone is judged: what it half covers is too small for a finger,
#: and is reached by closing it.
OPEN = "details[open] > .menu-pop, .combo > .suggest:not([hidden]), .search-pop:not([hidden])"
OPEN_WITH_OPENER = (
    "details[open]:has(> .menu-pop), .combo:has(> .suggest:not([hidden])), .search:has(> .search-pop:not([hidden]))"
)


def find_violations(page: Page) -> list[tuple[str, list[list[str]]]]:
    """Return the rules that the page breaks, each with the first places where it does."""
    # What lies half under the foot of a list is scrolled into sight; the rules take it for a target too small.
    page.evaluate("for (const foot of document.querySelectorAll('.list-foot')) foot.style.position = 'static'")
    part = OPEN_WITH_OPENER if page.locator(OPEN).count() else None
    found = Axe().run(page, part, AXE).response["violations"]
    return [(v["id"], [node["target"] for node in v["nodes"]][:3]) for v in found]
