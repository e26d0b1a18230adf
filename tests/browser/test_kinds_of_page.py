"""One pass of a real browser over every kind of page: accessible, within its width, no script or policy broken.

The ``page`` fixture fails a test whose scripts break or whose page violates the Content-Security-Policy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page

from backoffice.database import RecordSession
from bench.accessibility import OPEN, find_violations
from models.staff import Staff
from models.ticket import Ticket, TicketState
from tests.clients import DESK, DeskClient
from tests.imports.register import body, csv_bytes
from tests.imports.test_pages import CHOICES, REGISTER, follow, place, send

pytestmark = pytest.mark.databases("sqlite")
#: Width and height, theme, language. Pages take turns: each has the first and third look, or the second and fourth,
#: and so both widths, both themes and both languages.
LOOKS = [(1440, 900, "light", "it"), (1440, 900, "dark", "en"), (390, 844, "dark", "en"), (390, 844, "light", "it")]
#: The narrowest window.
NARROWEST = 360


@dataclass(frozen=True)
class Kind:
    """A kind of page: where it is, how it answers, and what is done to it before it is looked at."""

    path: str
    status: int = 200
    act: Callable[[Page], object] = lambda page: None


def opened(selector: str) -> Callable[[Page], object]:
    """Open the first menu of that kind that this window shows."""
    return lambda page: page.locator(selector).locator("> summary").locator("visible=true").first.click()


def choose_company(page: Page) -> None:
    """Have a relation offer its rows."""
    page.locator("#company").fill("a")
    page.wait_for_selector("[role=option]")


def search(page: Page) -> None:
    """Have the box on top, where this window shows it, offer what it finds."""
    if page.locator(".search").is_visible():
        page.locator(".search input").fill("comune")
        page.wait_for_selector("#search-found [role=option]")


def open_operation(page: Page) -> None:
    """Find some of the API's hundreds of addresses, and open one."""
    page.fill(".api-find", "/contract/")
    page.locator(".api-operation > summary").locator("visible=true").first.click()


def refuse(page: Page) -> None:
    """Send an empty form."""
    page.locator("#record-form").evaluate("form => form.requestSubmit()")
    page.wait_for_selector("[data-problems]")


def refuse_next(page: Page) -> None:
    """Send the next step of a request as it stands."""
    page.locator("#next form").evaluate("form => form.requestSubmit()")
    page.wait_for_selector("#next .field-error")


def refuse_step(page: Page) -> None:
    """Send a step of a ticket as it stands."""
    page.locator("#next form").evaluate("form => form.requestSubmit()")
    page.wait_for_selector("#next .field-error, #next [role=alert]")


def refuse_call(page: Page) -> None:
    """Try to make a ticket of a call of which nothing is said."""
    page.locator("[data-main]").click()
    page.wait_for_selector(".field-error")


def tick_two(page: Page) -> None:
    """Take two tickets of the queue to a step for several."""
    for box in page.locator("[name=key]").all()[:2]:
        box.check()
    page.locator("[formaction*='bulk/close']").click()
    page.wait_for_selector(".several")


def foresee(page: Page) -> None:
    """Have it shown what closing two tickets would do."""
    tick_two(page)
    page.fill("[name=solution]", "Rifatto.")
    page.select_option("[name=closure_reason]", "solved")
    page.locator("[name=step][value=check]").click()
    page.wait_for_selector("[name=step][value=form]")


def report(page: Page) -> None:
    """Close two tickets that are not being worked on: it is said why not."""
    foresee(page)
    page.locator(".several").evaluate(
        "form => form.insertAdjacentHTML('beforeend', '<button type=submit name=step value=do id=do></button>')"
    )
    page.locator("#do").evaluate("button => button.click()")
    page.wait_for_selector("#outcomes")


def clash(page: Page) -> None:
    """Send a form made from a version that others have changed since."""
    page.fill("[name=city]", "Rovereto")
    page.locator("#record-form [name=version]").evaluate("field => { field.value = 0 }")
    page.locator("#record-form").evaluate("form => form.requestSubmit()")
    page.wait_for_selector(".conflict")


def confirm(page: Page) -> None:
    """Say yes to what will be refused."""
    page.locator("main form button[type=submit]").click()
    page.wait_for_selector("main [role=alert], main .field-error")


def tick(page: Page) -> None:
    """Choose a row of the list."""
    page.locator("input[name=row]").first.check()
    page.wait_for_selector(".bulk.is-open")


def ask_many(page: Page) -> None:
    """Choose rows and a field that is to be changed in all of them."""
    tick(page)
    page.locator(".bulk button[value=edit]").click()
    page.locator("[name=field]").first.check()
    page.locator("form[method=get].confirm button").click()
    page.wait_for_selector("form[method=post].confirm")


def tell_of_many(page: Page) -> None:
    """Try to delete what is in use, and look at the report."""
    tick(page)
    page.locator(".bulk button[value=delete]").click()
    page.locator("form[method=post].confirm button[type=submit]").click()
    page.wait_for_selector(".report-title")


def change_view(page: Page) -> None:
    """Keep the list under a name, once, and open the page of that view."""
    if page.locator(".tabs .tab", has_text="Prova").count() == 0:
        page.locator(".filters details:has(#view-name) > summary").click()
        page.fill("#view-name", "Prova")
        page.press("#view-name", "Enter")
    page.locator(".tabs .tab", has_text="Prova").click()
    page.locator(".chip-changed a").last.click()
    page.wait_for_selector("[name=is_default]")


DESK_PAGES = {
    "home": Kind("/"),
    "search": Kind("/search/?q=comune", act=search),
    "search-empty": Kind("/search/?q=nientecosìesiste"),
    "dictionary": Kind("/dictionary/"),
    "dictionary-found": Kind("/dictionary/?q=iva"),
    "dictionary-entity": Kind("/dictionary/company"),
    "api-keys": Kind("/security/api-keys/"),
    "list": Kind("/company/"),
    "list-filtered": Kind("/ticket/?f=state:in:in_progress,assigned&f=created_at:last:90&s=-created_at&n=15"),
    "list-empty": Kind("/company/?q=nientecosìesiste"),
    "list-filter": Kind("/ticket/?n=5", act=opened("[data-add-filter]")),
    "list-columns": Kind("/company/?n=5", act=opened("[data-columns], .only-phone")),
    "list-row": Kind("/contract/?n=5", act=opened(".row-actions")),
    "list-ticked": Kind("/ticket/?n=5", act=tick),
    "list-many": Kind("/ticket/?n=5&f=priority:in:normal", act=lambda page: (tick(page), opened(".bulk .menu")(page))),
    "many-question": Kind("/company/?n=5", act=ask_many),
    "many-report": Kind("/company/?n=5&f=state:in:client", act=tell_of_many),
    "saved-view": Kind("/contact/?n=50", act=change_view),
    "record": Kind("/company/1"),
    "record-lines": Kind("/contract/1"),
    "record-related": Kind("/company/1?tab=contract.company"),
    "record-history": Kind("/contract/1?tab=history"),
    "call": Kind("/take-call/"),
    "call-known": Kind("/take-call/?company=1&number=0461 000006"),
    "call-refused": Kind("/take-call/?company=1", act=refuse_call),
    "form": Kind("/contract/1/edit"),
    "form-new": Kind("/company/new"),
    "form-relation": Kind("/contract/new", act=choose_company),
    "form-refused": Kind("/contract/new", act=refuse),
    "form-conflict": Kind("/company/2/edit", act=clash),
    "verb": Kind("/ticket/{ticket}/do/assign"),
    "verb-refused": Kind("/ticket/{ticket}/do/reject", act=confirm),
    "delete": Kind("/site/1/delete"),
    "delete-refused": Kind("/company/1/delete"),
    "duplicates": Kind("/company/duplicates"),
    "merge-with": Kind("/company/1/merge?q=a"),
    "merge": Kind("/company/merge?keep=1&drop=2"),
    "import": Kind("/company/import/"),
    "import-columns": Kind("{columns}"),
    "import-trial": Kind("{trial}"),
    "import-trial-new": Kind("{trial}?tab=new"),
    "import-done": Kind("{done}"),
    "grid": Kind("/grid/company/?n=10"),
    "figures": Kind("/ticket/figures?by=state"),
    "figures-by-month": Kind("/ticket/figures?by=created_at"),
    "notices": Kind("/notices/"),
    "portal-logo": Kind("/portal-logo/1"),
    "queue": Kind("/activation/"),
    "queue-empty": Kind("/activation/?show=answered&mine=1"),
    "request": Kind("/activation/5?show=evaluate", act=opened(".finding-verbs")),
    "request-refusal": Kind("/activation/5/request/5/refuse"),
    "request-accept": Kind("/activation/7?show=waiting", act=refuse_next),
    "request-answer": Kind("/activation/36?show=finish"),
    "support": Kind("/support/?show=all"),
    "support-figures": Kind("/support-figures/"),
    "support-figures-by-client": Kind("/support-figures/?by=company&when=closed"),
    "support-figures-refused": Kind("/support-figures/?from=2026-02-01&to=2026-01-01"),
    "own-calendar": Kind("/calendar/"),
    "to-sort": Kind("/to-sort/"),
    "support-free": Kind("/support/?show=free"),
    "support-ticket": Kind("/support/{ticket}"),
    "support-step": Kind("/support/{ticket}/do/assign"),
    "support-refused": Kind("/support/{ticket}/do/reject", act=refuse_step),
    "support-follow": Kind("/support/follow/{ticket}"),
    "support-bulk": Kind("/support/?show=free", act=tick_two),
    "support-bulk-check": Kind("/support/?show=free", act=foresee),
    "support-bulk-report": Kind("/support/?show=free", act=report),
    "roles": Kind("/roles/"),
    "user": Kind("/staff/{user}"),
    "user-form": Kind("/staff/{user}/edit"),
    "password": Kind("/security/password/"),
    "password-of-other": Kind("/security/password/{user}"),
    "api": Kind("/swagger/v1", act=open_operation),
    "forbidden": Kind("/history_entry/new", 403),
    "not-found": Kind("/company/999999", 404),
}


@pytest.fixture
def places(
    desk_client: Callable[..., DeskClient], session: RecordSession, staff: Callable[[str], Staff]
) -> dict[str, object]:
    """Where the pages of certain records are: a ticket to be assigned, a user, an import at each of its steps."""
    client = desk_client("administrator")
    waiting = sa.select(Ticket.id).where(Ticket.state == TicketState.qualification, Ticket.group_id == 1)
    found = {"ticket": session.scalars(waiting.limit(1)).one(), "user": staff("operator1").id}
    session.rollback()
    content = csv_bytes(*(body(number) for number in range(40)), body(50, email="manca-la-chiocciola"))
    steps = [place(send(client, content)) for _step in ("columns", "trial", "done")]
    trials = [follow(client, client.submit(path, REGISTER | CHOICES))[0] for path in steps[1:]]
    done, _page = follow(client, client.submit(trials[1].replace("trial", "apply")))
    return found | {"columns": steps[0], "trial": trials[0], "done": done}


def check(page: Page, name: str) -> None:
    """Assert that the page is accessible."""
    told = find_violations(page)
    assert not told, (name, page.url, told)


def fits(page: Page, name: str) -> None:
    """Assert that the page, with what is open on it, is no wider than the window; nor higher where it has a bar."""
    assert page.viewport_size is not None
    width, height = page.viewport_size["width"], page.viewport_size["height"]
    if width >= 768 and page.locator(".page > .action-bar").count():
        scrolled = page.evaluate("document.documentElement.scrollHeight")
        assert scrolled <= height, (name, scrolled, "what is above the bar scrolls, not the page")
    assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, width)
    for box in page.locator(OPEN).evaluate_all("found => found.map(node => node.getBoundingClientRect().toJSON())"):
        assert 0 <= box["left"] < box["right"] <= width, (name, width, box)


def look_at(page: Page, kinds: dict[str, Kind], places: dict[str, object], *, whole: bool = False) -> None:
    """Show each kind of page in one of the looks; ``whole``: in two, and in the narrowest window in the language it has
    not had there.
    """
    turns = 2 if whole else len(LOOKS)
    for turn, look in enumerate(LOOKS):
        width, height, theme, language = look
        page.goto(f"{DESK}/language/{language}")
        page.evaluate("theme => localStorage.setItem('theme', theme)", theme)
        for position, (name, kind) in enumerate(kinds.items()):
            in_turn = position % turns == turn % turns
            if not in_turn and (width > 390 or not whole):
                continue
            page.set_viewport_size({"width": width if in_turn else NARROWEST, "height": height})
            answer = page.goto(kind.path.format_map(places))
            assert answer is not None
            assert answer.status == kind.status, (name, answer.status)
            assert page.evaluate("document.documentElement.dataset.bsTheme") == theme
            if kind.path.startswith(DESK):
                assert page.evaluate("document.documentElement.lang") == language
            kind.act(page)
            fits(page, f"{name} {look}")
            if in_turn:
                check(page, f"{name} {look}")


@pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.long)], ids=["once", "whole"])
def test_every_kind_of_desk_page(desk_page: Callable[[str], Page], places: dict[str, object], whole: bool) -> None:
    at_desk = {name: replace(kind, path=DESK + kind.path) for name, kind in DESK_PAGES.items()}
    look_at(desk_page("administrator"), at_desk, places, whole=whole)


def test_doors_of_staff_and_clients(page: Page) -> None:
    kinds = [Kind(f"{DESK}/login/"), Kind("/it/login/"), Kind("/en/login/"), Kind("/it/nowhere/", 404)]
    look_at(page, {kind.path: kind for kind in kinds}, {}, whole=True)
