"""Which passwords are refused and why, and that checking one takes its time for everybody."""

from __future__ import annotations

import unicodedata

import pytest

from backoffice import passwords
from backoffice.passwords import WeakPassword, check_strength, hash_password, is_right, random_password


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("Ab3$xyz", "at least 12"),
        ("x" * 201, "at most 200"),
        ("cavallo\x00batteria!", "can be typed"),
        ("aaaaaaaaaaaaaa", "different characters"),
        ("Trieste-Trieste-Trieste-", "again and again"),
        ("qwertyuiop12", "in a row"),
        ("123456789012", "in a row"),
        ("zyxwvutsrqponm", "in a row"),
        ("Password1234!", "try first"),
        ("P@ssw0rd2026!!", "try first"),
        ("Juventus2026!", "try first"),
        ("Estate2026!Estate", "try first"),
        ("giovedì-Giovedì9", "try first"),
        ("LaMiaPassword99", "try first"),
        ("Backoffice2026!", "try first"),
        ("viva-mario.rossi-99", "your name"),
        ("Ecoopera-forever-7", "name of the company"),
    ],
)
def test_weak_passwords_are_refused_with_the_reason(password: str, reason: str) -> None:
    with pytest.raises(WeakPassword) as refused:
        check_strength(password, own_words=["mario.rossi", "Gruppo Ecoopera"])
    assert reason in str(refused.value)


@pytest.mark.parametrize(
    "password",
    [
        "quattro-gatti-verdi-27",
        "ilgattosuldivano",
        "x7Gk-92mPqLz",
        "correct horse battery",
        "Ünïcødé-wörter-è-ok",
        "x" + "yz12!" * 5 + "w",
    ],
)
def test_long_and_odd_enough_passwords_are_accepted(password: str) -> None:
    check_strength(password, own_words=["mario.rossi", "Gruppo Ecoopera"])


def test_generated_passwords_pass_their_own_rules() -> None:
    for _ in range(200):
        check_strength(random_password())


def test_a_password_is_right_only_against_its_own_hash() -> None:
    stored = hash_password("perché-no-12")
    assert is_right(stored, "perché-no-12")
    assert is_right(stored, unicodedata.normalize("NFD", "perché-no-12")), "the same letters, composed differently"
    assert not is_right(stored, "Perché-no-12")
    assert not is_right(stored, "")
    assert not is_right(None, "perché-no-12")
    assert not is_right(None, "")
    assert not is_right(stored, "x" * 10_000)


def test_nobody_s_hash_costs_as_much_as_somebody_s() -> None:
    assert passwords._NOBODY.split("$")[0] == hash_password("whatever").split("$")[0]
    assert len(passwords._NOBODY.split("$")[2]) == len(hash_password("whatever").split("$")[2])
