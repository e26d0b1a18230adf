"""Columns find their fields by headings in both languages, and by values where headings mislead."""

from __future__ import annotations

from backoffice.spreadsheets.guessing import guess_mapping
from tests.imports.register import HEADINGS, body

COMPANY = {
    "legal_name": {"Legal name", "Denominazione"}, "vat_number": {"VAT number", "Partita IVA"},
    "tax_code": {"Tax code", "Codice fiscale"}, "classification": {"Class", "Classe"}, "state": {"State", "Stato"},
    "street": {"Street", "Via"}, "postal_code": {"Postal code", "CAP"}, "city": {"City", "Comune"},
    "province": {"Province", "Provincia"}, "country": {"Country", "Paese"}, "phone": {"Phone", "Telefono"},
    "email": {"E-mail"}, "certified_email": {"Certified e-mail", "PEC"}, "website": {"Web site", "Sito web"},
    "whole_address": {"Address in one piece"}, "external_code": {"External code", "Codice esterno"},
}  # fmt: skip


def guess(**columns: str) -> dict[str, str]:
    """Return the guess by heading for one row of values."""
    headings = [heading.replace("__", " ") for heading in columns]
    found = guess_mapping(headings, [list(columns.values())], COMPANY)
    return {headings[place]: target for place, target in found.items()}


def test_the_register_of_public_bodies_needs_no_help() -> None:
    rows = [[body(number)[heading] for heading in HEADINGS] for number in range(5)]
    found = guess_mapping(HEADINGS, rows, COMPANY)
    assert {HEADINGS[place]: target for place, target in found.items()} == {
        "id": "external_code", "name": "legal_name", "classification": "classification", "url": "website",
        "jurisdiction_code": "country", "email": "certified_email", "address": "whole_address",
    }  # fmt: skip


def test_italian_headings_and_abbreviations() -> None:
    assert guess(Ditta="x") == {"Ditta": "legal_name"}
    headings = ("Ragione sociale", "P.IVA", "Cod. Fiscale", "Città", "C.A.P.", "Prov.")
    found = guess(**dict.fromkeys(headings, "x"))
    wanted = ("legal_name", "vat_number", "tax_code", "city", "postal_code", "province")
    assert found == dict(zip(headings, wanted, strict=True))


def test_our_own_headings_come_back_in_both_languages() -> None:
    assert guess(Denominazione="A", Stato="Cliente") == {"Denominazione": "legal_name", "Stato": "state"}
    assert guess(**{"Legal name": "A", "State": "Client"}) == {"Legal name": "legal_name", "State": "state"}


def test_an_ordinary_mail_address_stays_one() -> None:
    assert guess(email="info@azienda.example") == {"email": "email"}
    assert guess(email="a@pec.it", PEC="b@pec.it") == {"email": "email", "PEC": "certified_email"}


def test_an_address_is_in_one_piece_only_where_no_column_has_the_rest() -> None:
    whole = "Via Roma 1 - 38100 Trento (TN)"
    assert guess(indirizzo=whole) == {"indirizzo": "whole_address"}
    assert guess(indirizzo=whole, CAP="38100") == {"indirizzo": "street", "CAP": "postal_code"}
    assert guess(indirizzo="Via Roma 1") == {"indirizzo": "street"}


def test_columns_without_values_and_unknown_headings_are_left_out() -> None:
    assert guess(telefono="", colore="blu") == {}


def test_no_field_is_proposed_twice() -> None:
    assert guess(name="A", denominazione="B") == {"denominazione": "legal_name"}
