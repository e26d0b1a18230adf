"""The grid as a spreadsheet in a real browser: keys, relations by search, blocks copied, pasted and taken back."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from backoffice.database import RecordSession
from models.company import Company
from models.staff import Staff
from tests.clients import DESK
from tests.views.programs import as_stored, make_company

pytestmark = pytest.mark.databases("sqlite")
Sheet = tuple[Page, list[int]]


@pytest.fixture
def sheet(desk_page: Callable[[str], Page], session: RecordSession) -> Sheet:
    """A sheet of fifteen companies, and their keys in its order."""
    rows = [make_company(session, f"Foglio {number:02} srl", city="Ala", province="TN") for number in range(15)]
    page = desk_page("administrator")
    address = urlsplit(page.url)
    rights = ["clipboard-read", "clipboard-write"]
    page.context.grant_permissions(rights, origin=f"{address.scheme}://{address.netloc}")
    page.goto(f"{DESK}/grid/company/?q=foglio&c=legal_name,city,province,state,account_manager,size_class")
    return page, [one.id for one in rows]


def cell(page: Page, key: int, column: str) -> Locator:
    return page.locator(f'tr[data-pk="{key}"] td[data-column="{column}"]')


def paste(page: Page, at: Locator, text: str) -> None:
    page.evaluate("text => navigator.clipboard.writeText(text)", text)
    at.focus()
    page.keyboard.press("Control+v")


def cities(session: RecordSession, keys: list[int]) -> list[str | None]:
    session = as_stored(session)
    return [session.get_one(Company, key).city for key in keys]


def test_one_moves_by_keys_alone(sheet: Sheet) -> None:
    page, keys = sheet
    cell(page, keys[1], "city").click()
    expect(cell(page, keys[1], "city")).to_be_focused()
    steps = {
        "ArrowDown": (2, "city"), "Tab": (2, "province"), "Shift+Tab": (2, "city"), "ArrowUp": (1, "city"),
        "End": (1, "size_class"), "Home": (1, "legal_name"), "Control+End": (14, "size_class"),
        "Control+Home": (0, "legal_name"),
    }  # fmt: skip
    for key, (place, column) in steps.items():
        page.keyboard.press(key)
        expect(cell(page, keys[place], column)).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(page.locator(f'tr[data-pk="{keys[0]}"] th a')).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("End")
    page.keyboard.press("Tab")
    assert page.evaluate("!document.activeElement.closest('table')"), "whoever goes on past a row leaves the sheet"


def test_cells_are_written_by_keys_alone(sheet: Sheet, session: RecordSession) -> None:
    page, keys = sheet
    cell(page, keys[0], "city").focus()
    page.keyboard.type("Arco")
    page.keyboard.press("Tab")
    expect(cell(page, keys[0], "province")).to_be_focused()
    page.keyboard.press("F2")
    page.keyboard.press("Control+a")
    page.keyboard.type("BZ")
    page.keyboard.press("Shift+Tab")
    expect(cell(page, keys[0], "city")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.type("Dropped")
    page.keyboard.press("Escape")
    stored = as_stored(session).get_one(Company, keys[0])
    assert (stored.city, stored.province, stored.version) == ("Arco", "BZ", 3)


def test_a_relation_is_searched_for_in_its_cell(
    sheet: Sheet, session: RecordSession, staff: Callable[[str], Staff]
) -> None:
    page, keys = sheet
    seller, manager = staff("sales"), cell(page, keys[0], "account_manager")
    manager.focus()
    page.keyboard.type(str(seller)[:5])
    expect(manager.get_by_role("option")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(manager).to_have_text(str(seller))
    expect(cell(page, keys[1], "account_manager")).to_be_focused()
    page.keyboard.type("Nessuno Così")
    expect(page.get_by_text("Nessun risultato", exact=True).first).to_be_visible()
    page.keyboard.press("Enter")
    other = cell(page, keys[1], "account_manager")
    expect(other.get_by_role("alert")).to_contain_text("Nessuno Così")
    cell(page, keys[3], "city").click()
    expect(other).to_contain_text("Nessuno Così")
    expect(other).to_have_attribute("aria-invalid", "true")
    assert as_stored(session).get_one(Company, keys[0]).account_manager_id == seller.id


def test_what_is_copied_is_pasted_elsewhere(sheet: Sheet, session: RecordSession) -> None:
    page, keys = sheet
    cell(page, keys[0], "city").focus()
    for key in ("Shift+ArrowRight", "Shift+ArrowDown", "Control+c"):
        page.keyboard.press(key)
    expect(page.locator("td[aria-selected=true]")).to_have_count(4)
    assert page.evaluate("navigator.clipboard.readText()").splitlines() == ["Ala\tTN", "Ala\tTN"]
    paste(page, cell(page, keys[0], "city"), "Una città")
    expect(cell(page, keys[0], "city")).to_have_text("Una città")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Control+v")
    expect(cell(page, keys[2], "city")).to_have_text("Una città")
    assert cities(session, keys[:4]) == ["Una città"] * 3 + ["Ala"], "one value fills what is selected"


def test_a_block_is_pasted_and_taken_back(sheet: Sheet, session: RecordSession) -> None:
    page, keys = sheet
    block = 'Trento\tTN\r\nRovereto\tXX9\r\n"Riva\ndel Garda"\tBZ\r\n'
    paste(page, cell(page, keys[0], "city"), block)
    expect(page.locator("[data-grid-status]")).to_contain_text("Righe salvate: 2. Non salvate: 1")
    wrong = cell(page, keys[1], "province")
    expect(wrong).to_be_focused()
    expect(wrong).to_contain_text("XX9")
    expect(wrong.locator(".cell-msg")).to_contain_text("2 lettere")
    expect(cell(page, keys[1], "city")).to_have_text("Rovereto")
    assert cities(session, keys[:3]) == ["Trento", "Ala", "Riva del Garda"]
    page.keyboard.press("Enter")
    page.keyboard.press("Control+a")
    page.keyboard.type("BZ")
    page.keyboard.press("Enter")
    expect(page.locator(".is-wrong, .is-waiting")).to_have_count(0)
    assert cities(session, keys[:3]) == ["Trento", "Rovereto", "Riva del Garda"], "the row went whole"
    for city in ("Rovereto", "Trento"):
        expect(page.locator(f"td:text-is('{city}')")).to_have_count(1)
        page.keyboard.press("Control+z")
        expect(page.locator(f"td:text-is('{city}')")).to_have_count(0)
    assert cities(session, keys[:3]) == ["Ala"] * 3


def test_many_cells_are_counted_first(sheet: Sheet, session: RecordSession) -> None:
    page, keys = sheet
    make = "\r\n".join(f"Luogo {number}\tBZ" for number in range(17))
    ask = page.get_by_role("dialog")
    paste(page, cell(page, keys[0], "city"), make)
    expect(ask).to_contain_text("Cambieranno 30 celle di 15 righe")
    expect(ask).to_contain_text("oltre l’ultima riga o colonna di questa pagina: 4.")
    page.keyboard.press("Escape")
    expect(ask).to_be_hidden()
    assert cities(session, keys) == ["Ala"] * 15
    page.keyboard.press("Control+v")
    page.keyboard.press("Enter")
    expect(page.locator("[data-grid-status]")).to_have_text("Righe salvate: 15")
    assert cities(session, keys) == [f"Luogo {number}" for number in range(15)]


def test_a_block_over_a_locked_cell_or_a_changed_row_says_so(sheet: Sheet, session: RecordSession) -> None:
    page, keys = sheet
    session.get_one(Company, keys[1]).city = "Arco"
    session.commit()
    paste(page, cell(page, keys[0], "city"), "Trento\tTN\tpotenziale\r\nRiva\tTN\tPotenziale")
    expect(page.locator("[data-grid-status]")).to_contain_text("Non salvate: 1")
    late = cell(page, keys[1], "city")
    expect(late).to_be_focused()
    expect(late.locator(".cell-msg")).to_contain_text("Arco")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(late).to_have_text("Riva")
    paste(page, cell(page, keys[2], "city"), "Trento\tTN\tcliente")
    expect(cell(page, keys[2], "state")).to_be_focused()
    expect(cell(page, keys[2], "state").locator(".cell-msg")).to_contain_text("non si può modificare qui")
    assert cities(session, keys[:3]) == ["Trento", "Riva", "Ala"]
