"""The 25 things that a person does in ``bench.actions``: where each begins, what is clicked, and what is awaited."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

from playwright.sync_api import Locator, Page

from bench.filling import Facts
from bench.installation import DESK
from bench.rows import YEARS
from bench.sites import WORD

ADMINISTRATOR, OPERATOR = "administrator", "operator1"
BOTH, ONE = (ADMINISTRATOR, OPERATOR), (ADMINISTRATOR,)
#: So many tickets are changed at once; on a small database a twentieth of them.
MANY = 1_000
ROWS = ".list tbody tr"


@dataclass
class Visit:
    """Somebody at the desk: the page of their browser, who they are, and what they look at."""

    page: Page
    role: str
    password: str
    facts: Facts
    company_name: str = ""
    #: A ticket of the queue, which they may work on.
    ticket: str = ""

    def go(self, path: str) -> None:
        self.page.goto(DESK + path.format(**self._places()))

    def click(self, selector: str) -> None:
        self.page.locator(selector).locator("visible=true").first.click()

    def sign_in(self) -> None:
        """Sign in and find a ticket to work on."""
        fill_in_sign_in(self)
        press_enter(self)
        self.page.wait_for_selector("header.top")
        self.go("/support/?show=all")
        self.ticket = self.page.locator("[data-key-row]").first.get_attribute("data-key-row") or ""

    def make_key(self) -> str:
        """Make a key of the API at the desk and return it, which is shown once."""
        self.go("/security/api-keys/")
        self.page.fill("#name", f"Misure {uuid4().hex[:12]}")
        self.page.fill("#days", "1")
        self.click("main form [type=submit]")
        return self.page.locator("main input[readonly]").input_value()

    def _places(self) -> dict[str, str]:
        days = math.ceil(many_of(self.facts) / self.facts.tickets * YEARS.days)
        return self.facts.places | {"ticket": self.ticket, "company_name": self.company_name, "days": str(days)}


def many_of(facts: Facts) -> int:
    """Return how many tickets are changed at once."""
    return min(MANY, facts.tickets // 20)


def nothing(_visit: Visit) -> None:
    """Nothing has to be made ready."""


def press(*keys: str) -> Callable[[Visit], None]:
    """Return the deed that presses keys, one after another."""

    def strike(visit: Visit) -> None:
        for key in keys:
            visit.page.keyboard.press(key)

    return strike


press_enter = press("Enter")


def click(selector: str) -> Callable[[Visit], None]:
    """Return the deed that clicks what the selector finds first."""
    return lambda visit: visit.click(selector)


def type_into(selector: str, text: str) -> Callable[[Visit], None]:
    """Return the deed that fills in a field and stays in it."""
    return lambda visit: _typed(visit.page.locator(selector).locator("visible=true").first, text)


def type_number(visit: Visit) -> None:
    """Fill in a part of a ticket's number that only an index by parts of words finds."""
    type_into(".find input", visit.facts.places["number"])(visit)


def _typed(field: Locator, text: str) -> None:
    field.fill(text)
    field.focus()


def fill_in_sign_in(visit: Visit) -> None:
    """Come as a stranger and say who one is."""
    visit.page.goto("about:blank")  # an answer that is still under way would bring the cookie back
    visit.page.context.clear_cookies()
    visit.go(f"/login/?next={DESK}/")
    visit.page.fill("#username", f"demo.{visit.role}")
    _typed(visit.page.locator("#password"), visit.password)


def choose_filter(field: str) -> Callable[[Visit], None]:
    """Return the deed that opens the form of filters at a field."""

    def choose(visit: Visit) -> None:
        visit.click("[data-add-filter] > summary")
        visit.page.select_option("#f-field", field)

    return choose


def choose_state(visit: Visit) -> None:
    """Tick a state in the form of filters."""
    choose_filter("state")(visit)
    visit.page.locator("[data-add-filter] form [name=f_value][value=rejected]").check()


def look_up_company(visit: Visit) -> None:
    """Type the company's name, take what is offered, and filter by it."""
    visit.page.locator("[data-add-filter] form [data-combo-text]").fill(visit.company_name)
    visit.click("[data-add-filter] form [role=option]")
    visit.click("[data-add-filter] form [type=submit]")


def name_view(visit: Visit) -> None:
    """Give the list, as it is filtered, a name."""
    visit.click(".filters details:has(#view-name) > summary")
    _typed(visit.page.locator("#view-name"), f"Misura {uuid4().hex[:12]}")


def search_everything(visit: Visit) -> None:
    """Open the box on top by its keys and type a word."""
    visit.page.keyboard.press("Control+k")
    visit.page.keyboard.type("comune")


def change_subject(visit: Visit) -> None:
    """Change what the ticket is about."""
    visit.page.fill("[name=subject]", f"Accesso non riuscito {uuid4().hex[:6]}")


def write_note(visit: Visit) -> None:
    """Write something that the client does not see."""
    visit.page.keyboard.press("n")
    visit.page.keyboard.type(f"Sentito il fornitore, {uuid4().hex[:6]}.")


def open_cell(visit: Visit) -> None:
    """Put another text into a cell, and do not leave it yet."""
    visit.page.wait_for_function("document.querySelector('.sheet').style.tableLayout === 'fixed'")
    visit.page.locator("td[data-column=affected_system][data-value]").first.dblclick()
    visit.page.locator("td[data-column=affected_system] input").fill(f"Portale {uuid4().hex[:6]}")


def ask_many(visit: Visit) -> None:
    """Choose all tickets of the list and what becomes of them; the question is answered last."""
    visit.page.locator("[data-bulk-page]").check()
    for box in visit.page.locator("[data-bulk-all]").all():  # only where there are more than one page shows
        box.check()
    visit.click(".bulk button[value=edit]")
    visit.page.locator("[name=field][value=affected_system]").check()
    visit.click("form[method=get].confirm button")
    visit.page.wait_for_selector("form[method=post].confirm")
    visit.page.fill("[name=affected_system]", f"Portale {uuid4().hex[:6]}")


@dataclass(frozen=True)
class Deed:
    """One thing that is done: timed from ``act`` until ``shown`` is visible."""

    name: str
    #: Where it begins.
    start: str
    #: The click or the key, or several.
    act: Callable[[Visit], None]
    #: The element that is awaited, on another page than the one it began on unless ``stays``.
    shown: str
    #: What is done before, untimed.
    ready: Callable[[Visit], None] = nothing
    roles: tuple[str, ...] = BOTH
    stays: bool = False
    #: Whether it is done with, too, as soon as a file comes.
    sends: bool = False


DEEDS = (
    Deed("sign in, as far as the start page", "/login/", press_enter, ".home-title", fill_in_sign_in),
    Deed("open the list of tickets", "/", click(".side-link[href$='/ticket/']"), ROWS),
    Deed("next page", "/ticket/", click(".pager [rel=next]"), ROWS),
    Deed("last page", "/ticket/", click(".pager a:has(.bi-chevron-bar-right)"), ROWS),
    Deed("sort by another column", "/ticket/", click("thead a[href*='s=number']"), ROWS),
    Deed("filter by a state", "/ticket/", click("[data-add-filter] form [type=submit]"), ROWS, choose_state),
    Deed("filter by a company, found by typing", "/ticket/", look_up_company, ROWS, choose_filter("company"), ONE),
    Deed("search a word", "/ticket/", press_enter, ROWS, type_into(".find input", WORD)),
    Deed("search a part of a number", "/ticket/", press_enter, ROWS, type_number),
    Deed("save the list as a view", "/ticket/?f=priority:in:high", press_enter, ".views [aria-current]", name_view),
    Deed("open a ticket", "/ticket/", click("td.c-main a"), ".details"),
    Deed("open its form", "/ticket/{ticket}", press("e"), "#record-form"),
    Deed(
        "save it", "/ticket/{ticket}/edit", press("Control+s"), ".details",
        change_subject,
    ),
    Deed(
        "open a company with {company_tickets} tickets", "/company/?q={company_name}",
        click("td.c-main a"), ".details", roles=ONE,
    ),
    Deed("its tickets", "/company/{company}", click(".tabs a[href*='tab=ticket.company']"), ROWS, roles=ONE),
    Deed("search everything (Ctrl+K)", "/", search_everything, "#search-found [role=option]", stays=True),
    Deed("open the whole ticket queue", "/support/", click("a[href*='show=all']"), "[data-key-row]"),
    Deed("next ticket of the queue (J, Enter)", "/support/?show=all", press("j", "Enter"), ".desk-talk"),
    Deed(
        "write an internal note", "/support/{ticket}", press("Control+Enter"),
        ".said-note", write_note,
    ),
    Deed("open the grid", "/ticket/", click(".page-actions a[href*='/grid/ticket/']"), ".sheet td", roles=ONE),
    Deed(
        "change a cell", "/grid/ticket/", press_enter, "[data-grid-status]:text('Salvato')", open_cell, ONE,
        stays=True,
    ),
    Deed("count all by their state", "/ticket/", click(".page-actions a[href*='figures']"), "table.figures", roles=ONE),
    Deed(
        "change {many} tickets at once, as far as the progress", "/ticket/?f=created_at:last:{days}",
        click("form[method=post].confirm [type=submit]"), "progress, .report-title", ask_many, ONE,
    ),
    Deed(
        "take a filtered list as a workbook", "/ticket/?f=state:in:rejected", click("a[href*='export.xlsx']"),
        "[aria-labelledby=jobs-title] li", click(".page-actions details:has(a[href*='export.xlsx']) > summary"), ONE,
        sends=True,
    ),
    Deed("see how assistance stands", "/", click(".side-link[href$='/support-figures/']"), ".cards .number"),
)  # fmt: skip
