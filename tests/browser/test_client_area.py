"""The client area in a real browser: every kind of page in its looks, and a client's way through it without scripts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.test_kinds_of_page import LOOKS, check, fits
from tests.seeded import PASSWORD

pytestmark = pytest.mark.databases("sqlite")
#: A window of 1280 pixels enlarged to 400 %.
NARROWEST = 320
#: Addresses after the language, by name: what a visitor sees, and what a referent does.
VISITOR = {
    "login": "/login/",
    "login-other": "/login/?portal=SUPPORTO",
    "register": "/register/",
    "login-first": "/login/?portal=ECOOPERA",
    "request": "/request/",
    "forgotten": "/forgotten/",
    "conditions": "/conditions/",
    "notice": "/privacy-notice/",
    "link-no-good": "/link/nessuno",
    "accessibility": "/accessibility/",
}
CLIENT = {
    "dashboard": "/",
    "list": "/ticket/",
    "list-empty": "/contract/?q=nientecosìesiste",
    "record": "/ticket/{ticket}",
    "record-parts": "/support_package/{package}",
    "profile": "/profile/",
    "privacy": "/privacy/",
    "calendar": "/calendar/",
    "figures": "/ticket/figures?by=state",
    "figures-by-month": "/ticket/figures?by=created_at",
    "notices": "/notices/",
    "ticket-new": "/tickets/new/",
    "ticket-answer": "/tickets/{ticket}/answer/",
    "account-change": "/account/{account}/change/",
    "not-found": "/contract/999999",
}


def sign_in(page: Page, username: str, lang: str = "it") -> None:
    page.goto(f"/{lang}/login/")
    page.fill("[name=username]", username)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url(f"**/{lang}/")


def look_at(page: Page, paths: dict[str, str]) -> None:
    """Show each page in its two looks and in the narrowest window, as for the desk."""
    for turn, (width, height, theme, language) in enumerate(LOOKS):
        for position, (name, path) in enumerate(paths.items()):
            in_turn = position % 2 == turn % 2
            if not in_turn and width > 390:
                continue
            page.set_viewport_size({"width": width if in_turn else NARROWEST, "height": height})
            page.goto(f"/{language}{path}")
            page.evaluate("theme => localStorage.setItem('theme', theme)", theme)
            page.reload()
            assert page.evaluate("document.documentElement.lang") == language
            fits(page, f"{name} {width}")
            if in_turn:
                check(page, f"{name} {width} {theme} {language}")


def test_every_kind_of_page_for_visitors(page: Page) -> None:
    look_at(page, VISITOR)


def test_every_kind_of_page_for_clients(page: Page) -> None:
    sign_in(page, "demo.referent")
    places = {}
    for name, path in (("ticket", "/it/ticket/"), ("package", "/it/support_package/"), ("account", "/it/account/")):
        page.goto(path)
        row: Any = page.locator("tr[data-url]").first.get_attribute("data-url")
        places[name] = row.rpartition("/")[2]
    look_at(page, {name: path.format_map(places) for name, path in CLIENT.items()})


@pytest.fixture
def plain_page(
    new_context: Callable[..., BrowserContext], live_server: str, application: Any, browser: Browser
) -> Page:
    """A page of a browser that runs no scripts."""
    assert browser.is_connected()
    application.app.config["LEAST_FORM_SECONDS"] = 0
    return new_context(base_url=live_server, locale="it-IT", java_script_enabled=False).new_page()


def test_a_visitor_asks_and_a_client_looks_without_scripts(plain_page: Page) -> None:
    page = plain_page
    page.goto("/it/login/")
    page.get_by_label("ANALISI").check()
    page.get_by_role("button", name="Continua").click()
    expect(page.get_by_label("ANALISI")).to_be_checked()
    page.get_by_label("Azienda").fill("Vetreria Prova S.r.l.")
    page.get_by_label("Partita IVA o codice fiscale").fill("99000000226")
    page.get_by_label("Il tuo nome e cognome").fill("Paola Prova")
    page.get_by_label("La tua e-mail").fill("paola@prova.example")
    page.get_by_role("button", name="Invia la richiesta").click()
    expect(page.get_by_text("Senza il tuo consenso")).to_be_visible()
    expect(page.get_by_label("Il tuo nome e cognome")).to_have_value("Paola Prova")
    page.get_by_role("checkbox", name="Ho letto").check()
    page.get_by_role("button", name="Invia la richiesta").click()
    expect(page.get_by_role("heading", name="Abbiamo ricevuto la tua richiesta")).to_be_visible()
    expect(page.locator(".reference")).to_contain_text("RA-")
    sign_in(page, "demo.referent")
    page.get_by_role("link", name="Contratti").first.click()
    with page.expect_download() as download:
        page.locator("summary", has_text="Esporta").click()
        page.get_by_role("link", name="CSV, le colonne mostrate").click()
    assert download.value.suggested_filename.endswith(".csv")
    page.locator("td a").first.click()
    expect(page.get_by_role("heading", name="Dettagli")).to_be_visible()
    page.locator("summary", has_text="Il tuo account").click()
    page.get_by_role("button", name="Esci").click()
    expect(page.get_by_role("heading", name="Accedi")).to_be_visible()


def reach(page: Page, label: str, *, role: str = "") -> None:
    """Press Tab until what is called so has the focus, as whoever has no mouse does."""
    for _press in range(120):
        page.keyboard.press("Tab")
        focus = page.evaluate(
            """() => {
                const node = document.activeElement;
                const labels = node.labels ? [...node.labels].map(label => label.innerText) : [];
                const names = [node.getAttribute("aria-label"), ...labels, node.innerText, node.value];
                return {tag: node.tagName.toLowerCase(), names: names.filter(Boolean).map(text => text.trim())};
            }"""
        )
        if any(name.startswith(label) for name in focus["names"]) and role in ("", focus["tag"]):
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            shadow = page.evaluate("getComputedStyle(document.activeElement).boxShadow")
            assert outline != "none" or shadow != "none", f"nobody sees that {label} has the focus"
            return
    raise AssertionError(f"Tab never comes to {label}")


def test_every_task_of_a_client_can_be_done_by_keyboard_alone(page: Page, application: Any) -> None:
    application.app.config["LEAST_FORM_SECONDS"] = 0
    keyboard = page.keyboard
    page.goto("/it/request/")
    reach(page, "ANALISI")
    keyboard.press("Space")
    for label, text in (
        ("Azienda", "Vetreria Prova S.r.l."),
        ("Partita IVA", "99000000226"),
        ("Il tuo nome e cognome", "Paola Prova"),
        ("La tua e-mail", "paola@prova.example"),
    ):
        reach(page, label)
        keyboard.type(text)
    reach(page, "Ho letto")
    keyboard.press("Space")
    reach(page, "Invia la richiesta")
    keyboard.press("Enter")
    expect(page.locator(".reference")).to_contain_text("RA-")

    page.goto("/it/login/")
    reach(page, "Nome utente")
    keyboard.type("demo.referent")
    reach(page, "Password")
    keyboard.type(PASSWORD)
    keyboard.press("Enter")
    page.wait_for_url("**/it/")
    reach(page, "Contratti", role="a")
    keyboard.press("Enter")
    page.wait_for_url("**/it/contract/")
    reach(page, "Esporta", role="summary")
    keyboard.press("Enter")
    reach(page, "CSV")
    with page.expect_download() as download:
        keyboard.press("Enter")
    assert download.value.suggested_filename.endswith(".csv")

    page.goto("/it/ask/account/")
    reach(page, "Nome e cognome")
    keyboard.type("Nuovo Collega")
    reach(page, "E-mail")
    keyboard.type("nuovo@prova.example")
    page.goto("/it/calendar/")
    reach(page, "Crea un indirizzo")
    keyboard.press("Enter")
    expect(page.get_by_label("Indirizzo del calendario")).to_be_visible()

    page.goto("/it/tickets/new/")
    for label, text in (
        ("Di che si tratta", "Info"),
        ("In poche parole", "Non si apre"),
        ("Programma, impianto", "Registro"),
        ("Che cosa succede", "Compare un errore."),
        ("Quanto è urgente", "Alta"),
    ):
        reach(page, label)
        keyboard.type(text)
    reach(page, "Invia la richiesta")
    keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("-")  # its number
    reach(page, "Rispondi", role="a")
    keyboard.press("Enter")
    page.wait_for_url("**/answer/")
    reach(page, "Il tuo messaggio")
    keyboard.type("Succede ogni volta.")
    reach(page, "Invia il messaggio")
    keyboard.press("Enter")
    expect(page.locator(".talk")).to_contain_text("Succede ogni volta.")

    page.goto("/it/privacy/")
    reach(page, "La tua password")
    keyboard.type(PASSWORD)
    reach(page, "Chiedi la cancellazione")
    keyboard.press("Enter")
    expect(page.get_by_role("button", name="Tieni il mio account")).to_be_visible()
    reach(page, "Tieni il mio account")
    keyboard.press("Enter")
    expect(page.get_by_text("Il tuo account resta com’era.")).to_be_visible()


def test_a_file_too_large_is_told_of_before_anything_typed_is_lost(page: Page) -> None:
    sign_in(page, "demo.referent")
    page.goto("/it/tickets/new/")
    page.fill("[name=subject]", "Foto del guasto")
    page.set_input_files("[name=file]", {"name": "foto.txt", "mimeType": "text/plain", "buffer": b"x" * 21_000_000})
    page.get_by_role("button", name="Invia la richiesta").click()
    told = page.locator("[name=file]").evaluate("field => field.validationMessage")
    assert told.startswith("Troppo grande: ")
    page.set_input_files("[name=file]", {"name": "foto.txt", "mimeType": "text/plain", "buffer": b"x" * 1_000})
    page.get_by_role("button", name="Invia la richiesta").click()
    # The server has seen it, and says what else is missing.
    expect(page.locator(".field-error").first).to_be_visible()
    expect(page.locator("[name=subject]")).to_have_value("Foto del guasto")
