"""Lists and records on paper: what a printer gets of them."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from backoffice.database import RecordSession
from models.company import Company
from tests.clients import DESK

pytestmark = pytest.mark.databases("sqlite")
#: What A4 leaves between the margins, in CSS pixels, upright and on its side.
UPRIGHT, SIDEWAYS = 703, 1032


def on_paper(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 1000})
    page.emulate_media(media="print")


def sheets(page: Page) -> list[tuple[int, int]]:
    """Print the page; return width and height of each sheet in millimetres."""
    found = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", page.pdf(prefer_css_page_size=True))
    return [(round(float(width) / 72 * 25.4), round(float(height) / 72 * 25.4)) for width, height in found]


def test_a_list_on_paper(desk_page: Callable[[str], Page], session: RecordSession) -> None:
    page = desk_page("administrator")
    page.add_init_script("window.print = () => { window.asked = true; }")
    count = session.scalar(sa.select(sa.func.count(Company.id)).where(Company.group_id == 1, Company.state == "client"))
    page.goto(f"{DESK}/company/?f=state:in:client&q=a")
    page.get_by_role("link", name="Stampa").click()
    expect(page.get_by_role("button", name="Stampa")).to_be_visible()
    expect(page.get_by_role("link", name="Torna all’elenco")).to_be_visible()
    page.goto(f"{DESK}/company/?f=state:in:client&print=1")
    page.wait_for_function("window.asked")
    expect(page.locator("tbody tr")).to_have_count(count or 0)
    assert count is not None
    assert count > 25

    on_paper(page, SIDEWAYS)
    for hidden in (".side", ".top", ".filters", ".page-actions", "tbody .c-menu >> nth=0"):
        expect(page.locator(hidden)).to_be_hidden()
    assert page.locator(":is(button, input, summary):visible").count() == 0
    expect(page.get_by_role("heading", name="Aziende")).to_be_visible()
    expect(page.locator(".print-words")).to_have_text(re.compile(r"Stato è uno tra\s+Cliente"))
    printed = page.locator(".print-head")
    expect(printed).to_contain_text(re.compile(r"Stampato il \d\d/\d\d/\d{4} alle \d\d:\d\d da \w+"))
    expect(printed).to_contain_text(page.evaluate("document.title").rpartition(" · ")[2])
    assert page.evaluate("document.documentElement.scrollWidth") <= SIDEWAYS, "every column fits"
    assert page.locator("thead").evaluate("one => getComputedStyle(one).display") == "table-header-group"
    pages = sheets(page)
    assert len(pages) > 1
    assert set(pages) == {(297, 210)}, "wide lists lie on their side"


def test_a_record_on_paper(desk_page: Callable[[str], Page]) -> None:
    page = desk_page("administrator")
    page.emulate_media(color_scheme="dark")
    page.goto(f"{DESK}/contract/1")
    on_paper(page, UPRIGHT)
    expect(page.locator(".record-head h1")).to_be_visible()
    expect(page.locator(".print-head")).to_contain_text("Stampato il")
    for hidden in (".side", ".top", ".tabs-nav", ".page-actions"):
        expect(page.locator(hidden)).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= UPRIGHT
    state = page.locator(".record-head .state")
    colours = state.evaluate("one => [getComputedStyle(one).color, getComputedStyle(one).borderTopColor]")
    assert colours == ["rgb(0, 0, 0)", "rgb(0, 0, 0)"], "readable in black and white"
    assert set(sheets(page)) == {(210, 297)}
    page.goto(f"{DESK}/contract/1?tab=history")
    expect(page.locator(".timeline")).to_be_visible()
    expect(page.locator(".details")).to_have_count(0)
    # The contract of the demonstration was made today, and paper outlives the day.
    moments = page.locator(".timeline time")
    assert any(words.startswith("oggi alle") for words in moments.all_inner_texts())
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert all(re.fullmatch(r"\d\d/\d\d/\d{4} \d\d:\d\d", words) for words in moments.all_inner_texts())
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert any(words.startswith("oggi alle") for words in moments.all_inner_texts())


def test_figures_on_paper(desk_page: Callable[[str], Page]) -> None:
    page = desk_page("administrator")
    page.goto(f"{DESK}/support-figures/")
    on_paper(page, SIDEWAYS)
    for hidden in (".side", ".top", ".figures-ask"):
        expect(page.locator(hidden)).to_be_hidden()
    expect(page.get_by_text(re.compile(r"Ticket aperti dal \d\d/\d\d/\d{4} al \d\d/\d\d/\d{4}"))).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= SIDEWAYS, "every column fits"
    fits = "all => all.every(one => one.scrollWidth <= one.clientWidth + 1)"
    assert page.locator(".figures-scroll").evaluate_all(fits)
    assert set(sheets(page)) == {(297, 210)}, "wide tables lie on their side"


def test_a_client_s_list_on_paper(page: Page, password: str) -> None:
    page.goto("/it/login/")
    page.fill("[name=username]", "demo.referent")
    page.fill("[name=password]", password)
    page.keyboard.press("Enter")
    page.wait_for_url("**/it/")
    page.goto("/it/contract/?f=state:in:active")
    on_paper(page, UPRIGHT)
    for hidden in (".client-top", ".client-foot a >> nth=0", ".filters", ".page-actions"):
        expect(page.locator(hidden)).to_be_hidden()
    expect(page.locator(".print-words")).to_contain_text("Stato")
    expect(page.locator(".print-head")).to_contain_text(re.compile(r"Stampato il \d\d/\d\d/\d{4}"))
    assert page.evaluate("document.documentElement.scrollWidth") <= UPRIGHT
