"""Addresses in one piece: what is taken apart, what is put right, what stays whole and says why."""

from __future__ import annotations

import pytest

from backoffice.spreadsheets import postal
from backoffice.spreadsheets.postal import split_address
from tests.imports.register import addresses_of_register

GOOD = {
    "Borgo Cavalli  42 - 31100 Treviso (TV) Italy": ("Borgo Cavalli 42", "31100", "Treviso", "TV"),
    "Viale Della Stazione  1 - 05100 Terni (tr) Italy": ("Viale Della Stazione 1", "05100", "Terni", "TR"),
    "Via Roma 12, 38100 Trento TN": ("Via Roma 12", "38100", "Trento", "TN"),
    "Via Roma 12 - I-38100 Trento TN Italia": ("Via Roma 12", "38100", "Trento", "TN"),
    "Via Po, 1 - CAP 10100 Torino (TO)": ("Via Po, 1", "10100", "Torino", "TO"),
    # A numeral before the dash is no country letter.
    "Corso Umberto I - 85100 Potenza (PZ) Italy": ("Corso Umberto I", "85100", "Potenza", "PZ"),
    # Dashes inside the street, and one too many.
    "Via Porzio 4 - Isola G1 - 80143 Napoli (NA) Italy": ("Via Porzio 4 - Isola G1", "80143", "Napoli", "NA"),
    "Piazza Orsini  1 - - 64100 Teramo (TE) Italy": ("Piazza Orsini 1", "64100", "Teramo", "TE"),
    # The last five digits are the CAP.
    "Via Appia 12345 - 00100 Roma RM": ("Via Appia 12345", "00100", "Roma", "RM"),
    # Repetitions, and a street that only looks like one.
    "Via Cjavecis  3 - 33100 Udine - 33100 Udine (UD) Italy": ("Via Cjavecis 3", "33100", "Udine", "UD"),
    "Via Ruggeri 3/N - Ancona - 60131 Ancona (AN) Italy": ("Via Ruggeri 3/N", "60131", "Ancona", "AN"),
    "Piazza Rogati  3 - 86010 Oratino (cb) (CB) Italy": ("Piazza Rogati 3", "86010", "Oratino", "CB"),
    "Piazza Udine - 33100 Udine (UD)": ("Piazza Udine", "33100", "Udine", "UD"),
    "Piazza Garibaldi - 94015 Piazza Armerina (EN) Italy": ("Piazza Garibaldi", "94015", "Piazza Armerina", "EN"),
    # What an export left before an apostrophe.
    "Via Antonio  121 - 71037 Monte Sant\\\\'Angelo (FG)": ("Via Antonio 121", "71037", "Monte Sant'Angelo", "FG"),
}


@pytest.mark.parametrize(("raw", "parts"), GOOD.items())
def test_an_address_is_taken_apart(raw: str, parts: tuple[str, ...]) -> None:
    found = split_address(raw)
    assert (found.street, found.postal_code, found.city, found.province) == parts
    assert found.note is None


@pytest.mark.parametrize(
    ("raw", "note"),
    [
        ("Via Roma 1 - 3810 Trento (TN)", postal.NO_CAP),
        ("Via Roma 1 - 00000 Trento (TN)", postal.NO_CAP),
        ("10 Downing Street London", postal.NO_CAP),
        ("Via Roma 1 - 38100 Trento", postal.NO_PROVINCE),
        ("Via Roma 1 - 38100 (TN)", postal.NO_CITY),
        ("38100 Via Roma 1 (TN)", postal.NO_CITY),
    ],
)
def test_what_cannot_be_taken_apart_stays_whole_and_says_why(raw: str, note: object) -> None:
    found = split_address(raw)
    assert (found.street, found.postal_code, found.city, found.province) == (raw, None, None, None)
    assert found.note is note


def test_street_and_municipality_in_each_others_place_are_exchanged_and_remarked() -> None:
    found = split_address("Tione Di Trento - 38079 Via Padre Gnesotti, 2 (TN) Italy")
    assert (found.street, found.city, found.note) == ("Via Padre Gnesotti, 2", "Tione Di Trento", postal.TURNED)


def test_a_street_without_letters_or_without_anything_is_remarked() -> None:
    assert split_address("621021  29 - 23801 CALOLZIOCORTE (LC) Italy").note is postal.NO_NAME
    assert split_address("38100 Trento (TN)").note is postal.NO_STREET


@pytest.mark.parametrize("raw", ["", " - ", "(TN)", "\\", "12345", "x" * 10_000, "(" * 500, "- " * 2_000])
def test_nothing_makes_it_fail(raw: str) -> None:
    split_address(raw)


def test_the_real_register_is_taken_apart_but_for_two_explained_rows() -> None:
    found = [split_address(raw) for raw in addresses_of_register()]
    assert len(found) == 11_951
    assert all(parts.postal_code and parts.city and parts.province for parts in found)
    assert sorted(str(parts.note) for parts in found if parts.note) == sorted(map(str, (postal.NO_NAME, postal.TURNED)))
