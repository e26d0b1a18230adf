"""Lists, records and the grid in a real browser: what is where, and what the keys and the chips do."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.clients import DESK

pytestmark = pytest.mark.databases("sqlite")
PHONE = {"width": 390, "height": 844}


def box(part: Locator) -> dict[str, float]:
    found = part.bounding_box()
    assert found is not None
    return {"left": found["x"], "top": found["y"], "right": found["x"] + found["width"], "width": found["width"]}


def test_the_subject_has_the_width_and_the_heading_stays(desk_page: Callable[[str], Page]) -> None:
    page = desk_page("administrator")
    page.goto(f"{DESK}/ticket/")
    widths = page.locator("thead th:not(.c-pick)").evaluate_all("all => all.map((one) => one.offsetWidth)")
    assert widths[1] == max(widths), widths
    page.goto(f"{DESK}/ticket/?c=number,subject,company,state,priority,assignee,due_at,created_at,queue,team,contact")
    assert page.locator("thead th:not(.c-pick)").nth(1).evaluate("one => one.offsetWidth") >= 220, (
        "also among many columns"
    )
    page.set_viewport_size({"width": 1440, "height": 600})
    page.goto(f"{DESK}/ticket/")
    foot = page.locator(".list-foot")
    assert box(foot)["top"] < 600, "the foot stays in sight"


def test_cards_on_a_phone(desk_page: Callable[[str], Page]) -> None:
    page = desk_page("administrator")
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.goto(f"{DESK}/ticket/?f=due_at:filled:")
    row = page.locator("tbody tr").first
    number, due, title, party, state = (
        box(row.locator(name)) for name in (".p-ref", ".p-due", ".p-title", ".p-party", ".c-state")
    )
    assert abs(number["top"] - due["top"]) < 8, "number and deadline on one line"
    assert number["left"] < due["left"]
    assert number["top"] < title["top"] < party["top"] < state["top"]
    assert row.locator(".p-title a").count() == 1
    shown = row.locator(".p-party").evaluate("one => getComputedStyle(one, '::before').content")
    assert shown in ("none", "normal"), "a company needs no label"


def test_a_tab_of_a_record_on_a_phone(desk_page: Callable[[str], Page]) -> None:
    page = desk_page("administrator")
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.goto(f"{DESK}/company/1?tab=history")
    tab = box(page.locator(".tabs [aria-current]"))
    assert tab["left"] >= 0
    assert tab["right"] <= PHONE["width"]
    assert box(page.locator("#history-title"))["top"] < box(page.locator(".record-facts"))["top"]


def test_rows_are_ticked_by_keyboard_and_mouse(desk_page: Callable[[str], Page]) -> None:
    page = desk_page("administrator")
    page.goto(f"{DESK}/ticket/?n=10")
    bar, boxes, count = page.locator("[data-bulk]"), page.locator("input[name=row]"), page.locator("[data-bulk-count]")
    expect(bar).to_be_hidden()
    before = box(boxes.nth(2))["top"]
    boxes.nth(2).focus()
    page.keyboard.press("Space")
    expect(count).to_have_text("1 selezionata")
    assert abs(box(boxes.nth(2))["top"] - before) < 2, "the row stays under the pointer"
    boxes.nth(5).click(modifiers=["Shift"])
    expect(count).to_have_text("4 selezionate")
    page.locator("[data-bulk-page]").check()
    expect(count).to_have_text("10 selezionate")
    boxes.nth(0).uncheck()
    assert page.locator("[data-bulk-page]").evaluate("one => one.indeterminate")
    page.get_by_role("button", name="Annulla la selezione").click()
    expect(bar).to_be_hidden()
    expect(boxes.nth(0)).to_be_focused()
    page.locator("[data-bulk-page]").check()
    page.get_by_label("di questo elenco").check()
    page.locator(".bulk .menu summary").click()
    page.get_by_role("button", name="Assegna il ticket").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Assegna il ticket: ")


def test_a_filter_is_changed_where_it_stands(desk_page: Callable[[str], Page]) -> None:
    page = desk_page("administrator")
    page.goto(f"{DESK}/ticket/?f=state:in:assigned,in_progress&f=created_at:last:3650")
    page.locator("[data-edit-filter^='state']").click()
    form = page.locator(".menu-form.filter-form")
    expect(form).to_be_visible()
    expect(form.get_by_label("In lavorazione")).to_be_checked()
    form.get_by_label("In lavorazione").uncheck()
    form.get_by_role("button", name="Cambia il filtro").click()
    page.wait_for_url("**f=state**")
    assert sorted(page.evaluate("new URL(location).searchParams.getAll('f')")) == [
        "created_at:last:3650",
        "state:in:assigned",
    ]
    page.locator("[data-edit-filter^='created_at']").click()
    expect(form.locator("[name=f_value]")).to_have_value("3650")
    page.keyboard.press("Escape")
    page.locator("[data-add-filter] summary").click()
    expect(form.get_by_role("button", name="Aggiungi il filtro")).to_be_visible()


def test_what_is_wrong_in_a_cell_is_said_under_it(desk_page: Callable[[str], Page]) -> None:
    page = desk_page("administrator")
    page.goto(f"{DESK}/grid/company/")
    cell = page.locator("td[data-column=vat_number]").first
    widths = "[...document.querySelectorAll('.sheet th[data-column]')].map((one) => one.offsetWidth)"
    page.wait_for_function("document.querySelector('.sheet').style.tableLayout === 'fixed'")
    before = page.evaluate(widths)
    cell.dblclick()
    assert page.evaluate(widths) == before, "columns stay while one writes"
    cell.locator("input").fill("123")
    page.keyboard.press("Enter")
    message = cell.get_by_role("alert")
    expect(message).to_contain_text("all’estero")
    expect(message.locator("i")).to_have_count(1)
    expect(cell.locator("input")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("[data-grid-status]")).to_have_text("Non salvato")
    assert box(message)["top"] >= box(cell)["top"]
    page.keyboard.press("Escape")
    expect(page.locator(".cell-msg")).to_have_count(0)


def test_the_last_change_is_taken_back_by_a_button(desk_page: Callable[[str], Page]) -> None:
    page = desk_page("administrator")
    page.goto(f"{DESK}/grid/company/")
    undo = page.get_by_role("button", name="Annulla l’ultima")
    expect(undo).to_be_hidden()
    cell = page.locator("td[data-column=city]").first
    stored = cell.text_content() or ""
    cell.dblclick()
    cell.locator("input").fill("Nuova Città")
    page.keyboard.press("Enter")
    expect(cell).to_have_text("Nuova Città")
    undo.click()
    expect(cell).to_have_text(stored)
    expect(undo).to_be_hidden()
