"""A morning at the desk, in a real browser: a file comes in, a client is found, changed and given a contract."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from python_calamine import CalamineWorkbook

from tests.browser.keys import press
from tests.clients import DESK
from tests.imports.register import body, csv_bytes

pytestmark = pytest.mark.databases("sqlite")


def test_from_import_to_export(page: Page, password: str, live_server: str, tmp_path: Path) -> None:
    file = tmp_path / "enti.csv"
    rows = [body(n) for n in range(1, 31)]
    file.write_bytes(csv_bytes(*rows, body(31, email="manca-la-chiocciola")))

    page.goto(f"{DESK}/company/")
    page.fill("#username", "demo.administrator")
    page.fill("#password", password)
    page.click("button[type=submit]")
    expect(page.locator("h1")).to_contain_text("Aziende")

    page.goto(f"{DESK}/company/import/")
    page.set_input_files("#file", file)
    page.locator("main form button[type=submit]").click()
    page.fill("#source_system", "ipa")
    page.click("button[form=import-form]")
    expect(page.locator("main")).to_contain_text("manca-la-chiocciola", timeout=30_000)
    page.locator(".action-bar .btn-primary").click()
    expect(page.locator("main")).to_contain_text("30", timeout=30_000)

    page.goto(f"{DESK}/company/?q=prova+17")
    page.locator("tbody tr a").first.click()
    expect(page.locator("h1")).to_have_text("Comune di Prova 17")
    press(page, "e")
    page.fill("[name=phone]", "0461 555117")
    press(page, "Control+s")
    expect(page.locator("main")).to_contain_text("+39 0461 555117")

    add_contact_and_contract(page)

    page.goto(f"{DESK}/company/?q=comune+di+prova")
    page.locator(".page-actions details.wide", has_text="Esporta").locator("summary").click()
    with page.expect_download() as download:
        page.locator("a[href*='export.xlsx']").first.click()
    path = tmp_path / "aziende.xlsx"
    download.value.save_as(path)
    table = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
    assert table[0][0] == "Ragione sociale"
    assert len(table) == 31


def add_contact_and_contract(page: Page) -> None:
    """From the page of a company, add a person and a contract with a line, and read who did it."""
    company = page.url
    page.locator(".tabs").get_by_role("link", name="Contatti").click()
    page.locator("section.list .panel-head a.btn").last.click()
    page.fill("[name=first_name]", "Elena")
    page.fill("[name=last_name]", "Bresciani")
    page.fill("[name=email]", "elena.bresciani@comune17.example")
    press(page, "Control+s")
    expect(page.locator("h1")).to_have_text("Elena Bresciani")

    page.goto(f"{company}?tab=contract.company")
    page.locator("section.list .panel-head a.btn").last.click()
    page.locator("#group_company").fill("SEA")
    page.locator("[role=option]").first.click()
    page.fill("[name=number]", "C-2026-PROVA")
    page.fill("[name=starts_on]", "01/01/2026")
    page.locator("[data-line-add]").click()
    page.locator("[name='lines-0-service-text'], [id='lines-0-service']").first.fill("EDUPLAN")
    page.locator("[role=option]:visible").first.click()
    page.fill("[name='lines-0-yearly_fee']", "480,00")
    press(page, "Control+s")
    expect(page.locator("h1")).to_have_text("C-2026-PROVA")
    expect(page.locator("main")).to_contain_text("480,00")
    page.locator(".tabs a", has_text="Storia").click()
    expect(page.locator(".timeline")).to_contain_text("ha creato")


def test_two_people_save_the_same_record(desk_page: Callable[[str], Page], new_context: Callable[..., object]) -> None:
    page = desk_page("administrator")
    page.goto(f"{DESK}/company/2/edit")
    other = page.context.new_page()
    other.goto(f"{DESK}/company/2/edit")
    other.fill("[name=city]", "Rovereto")
    press(other, "Control+s")
    other.wait_for_url(f"**{DESK}/company/2")
    page.fill("[name=city]", "Trento")
    press(page, "Control+s")
    expect(page.locator(".conflict")).to_contain_text("Rovereto")
    expect(page.locator("[name=city]")).to_have_value("Trento")
    press(page, "Control+s")
    page.wait_for_url(f"**{DESK}/company/2")
    expect(page.locator("main")).to_contain_text("Trento")
