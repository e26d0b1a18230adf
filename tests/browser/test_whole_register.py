"""What issue 2 is done with: the whole register of public bodies, by hand, on PostgreSQL with four workers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect
from python_calamine import CalamineWorkbook

from backoffice.spreadsheets.reading import read_table
from tests.browser.keys import press
from tests.browser.test_working_day import add_contact_and_contract
from tests.clients import DESK
from tests.imports.register import read_register
from tests.serving import GUNICORN, KEYS, environment, free_port, serving

pytestmark = [pytest.mark.long, pytest.mark.timeout(1_200), pytest.mark.databases("postgresql")]
#: A step of the import works on all rows; this is a machine with other things to do.
PATIENCE = 300_000


@pytest.fixture
def live_server(database_url: str, tmp_path: Path) -> Iterator[str]:
    """The address of gunicorn, with four workers that started at once."""
    port = str(free_port())
    env = environment(tmp_path, database_url, PORT=port, BACKOFFICE_WORKERS="4", **KEYS)
    with serving(*GUNICORN, until="Booting worker", times=4, env=env):
        yield f"http://127.0.0.1:{port}"


def test_from_the_register_to_the_history(page: Page, password: str, engine: sa.Engine, tmp_path: Path) -> None:
    register = tmp_path / "public-bodies-it.csv"
    register.write_bytes(read_register())
    page.goto(f"{DESK}/company/")
    page.fill("#username", "demo.administrator")
    page.fill("#password", password)
    page.click("button[type=submit]")
    expect(page.locator("h1")).to_contain_text("Aziende")

    try_file(page, register)
    expect(page.locator(".count-label")).to_contain_text("11.951 righe")
    assert outcome(page) == {"nuove": "11.824", "da modificare": "0", "già uguali": "0", "righe respinte": "127"}
    check_refused_rows(page, tmp_path)
    page.locator(".action-bar .btn-primary").click()
    page.wait_for_url("**/done", timeout=PATIENCE)
    assert outcome(page) == {"aggiunte": "11.824", "modificate": "0", "già uguali": "0", "righe respinte": "127"}

    try_file(page, register)
    assert outcome(page) == {"nuove": "0", "da modificare": "0", "già uguali": "11.824", "righe respinte": "127"}
    expect(page.locator(".action-bar")).to_contain_text("Non c’è nulla da importare")
    expect(page.locator(".action-bar .btn-primary")).to_have_count(0)

    company = find_and_edit(page)
    add_contact_and_contract(page)
    check_export(page, engine, tmp_path)
    check_history(page, company)


def try_file(page: Page, file: Path) -> None:
    """Go through the first steps of an import of companies, up to what would happen."""
    page.goto(f"{DESK}/company/")
    page.get_by_role("link", name="Importa", exact=True).click()
    page.set_input_files("#file", file)
    page.locator("main form button[type=submit]").click()
    page.fill("#source_system", "ipa")
    page.click("button[form=import-form]")
    expect(page.locator(".outcome")).to_be_visible(timeout=PATIENCE)


def outcome(page: Page) -> dict[str, str]:
    """Return the counts that the page shows, by their words."""
    boxes = page.locator(".outcome > div").all()
    return {box.locator("dt").inner_text(): box.locator("dd").inner_text() for box in boxes}


def check_refused_rows(page: Page, folder: Path) -> None:
    """Download the refused rows both ways: as they were, each with its reasons."""
    for name, link in (("refused.xlsx", "Scarica le 127 righe respinte"), ("refused.csv", "come CSV")):
        with page.expect_download() as download:
            page.get_by_role("link", name=link).click()
        download.value.save_as(folder / name)
        table = read_table((folder / name).read_bytes())
        assert table.headings[:2] == ["id", "name"]
        rows = [cells for _number, cells in table.rows]
        assert len(rows) == 127
        assert all(row[0].startswith("it/") and row[-1] for row in rows)


def find_and_edit(page: Page) -> str:
    """Search for a body, see that its address was taken apart, and give it a telephone; return its address here."""
    page.goto(f"{DESK}/company/")
    page.get_by_role("searchbox").fill("comune di rovereto")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Comune di Rovereto", exact=True).click()
    expect(page.locator("h1")).to_have_text("Comune di Rovereto")
    for text in ("Piazza Podesta' 11", "38068", "Rovereto", "TN", "comunerovereto.tn@legalmail.it"):
        expect(page.locator("main")).to_contain_text(text)
    company = page.url
    press(page, "e")
    page.fill("[name=phone]", "0464 555117")
    press(page, "Control+s")
    expect(page.locator("main")).to_contain_text("+39 0464 555117")
    return company


def check_export(page: Page, engine: sa.Engine, folder: Path) -> None:
    """Narrow the list by a filter, as people do, take it as a workbook and open that."""
    page.goto(f"{DESK}/company/")
    page.locator("[data-add-filter] > summary").click()
    page.select_option("#f-field", "province")
    page.select_option("#f-op", "is")
    page.locator("[data-add-filter] [name=f_value]").locator("visible=true").fill("TN")
    page.locator("[data-add-filter] button[type=submit]").click()
    expect(page.locator(".chip-edit b")).to_have_text("TN")
    page.locator(".page-actions details.wide", has_text="Esporta").locator("summary").click()
    with page.expect_download() as download:
        page.locator("a[href*='export.xlsx']").first.click()
    download.value.save_as(folder / "aziende.xlsx")
    headings, *rows = CalamineWorkbook.from_path(str(folder / "aziende.xlsx")).get_sheet_by_index(0).to_python()
    with engine.connect() as connection:
        wanted = "SELECT COUNT(*) FROM company WHERE group_id = 1 AND province = 'TN' AND deleted_at IS NULL"
        assert len(rows) == connection.execute(sa.text(wanted)).scalar()
    names = [row[headings.index("Ragione sociale")] for row in rows]
    assert "Comune di Rovereto" in names
    assert {row[headings.index("Provincia")] for row in rows} == {"TN"}


def check_history(page: Page, company: str) -> None:
    """Read who changed what: the import that made it, and the person who gave it a telephone."""
    page.goto(company)
    page.locator(".tabs a", has_text="Storia").click()
    changed, created = page.locator(".timeline > li").all()
    for text in ("Ada Amministratori ha modificato la scheda", "back office", "+39 0464 555117"):
        expect(changed).to_contain_text(text)
    for text in ("Ada Amministratori ha creato la scheda", "importazione", "comunerovereto.tn@legalmail.it"):
        expect(created).to_contain_text(text)
