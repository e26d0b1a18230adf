"""Keys as a person presses them: once the page has come, and its scripts with it."""

from __future__ import annotations

from playwright.sync_api import Page


def press(page: Page, keys: str) -> None:
    """Press ``keys`` on the page the browser shows; on a busy machine its scripts come later than its fields."""
    page.wait_for_load_state()
    page.keyboard.press(keys)
