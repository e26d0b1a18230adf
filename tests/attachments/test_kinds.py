"""Which files are taken, and what becomes of their names."""

from __future__ import annotations

import pytest

from backoffice.errors import DomainError
from backoffice.files.kinds import LONGEST_NAME, EmptyFile, FileTooLarge, clean_name, recognise
from tests.attachments.samples import PDF, PNG, REFUSED, TAKEN


@pytest.mark.parametrize("name", TAKEN)
def test_harmless_files_are_known_by_their_content(name: str) -> None:
    content, media_type = TAKEN[name]
    assert recognise(name, content, limit_mb=1) == (name, media_type)


@pytest.mark.parametrize("name", REFUSED)
def test_what_may_run_or_pretends_is_refused(name: str) -> None:
    with pytest.raises(DomainError) as refusal:
        recognise(name, REFUSED[name], limit_mb=1)
    assert refusal.value.status == 415
    assert len(str(refusal.value)) > 20


def test_nothing_and_too_much() -> None:
    with pytest.raises(EmptyFile):
        recognise("vuoto.txt", b"", limit_mb=1)
    with pytest.raises(FileTooLarge):
        recognise("grande.txt", b"x" * (1024 * 1024 + 1), limit_mb=1)
    assert recognise("giusto.txt", b"x" * 1024 * 1024, limit_mb=1)[1] == "text/plain"


def test_a_name_without_an_ending_gets_that_of_its_content() -> None:
    assert recognise("schermata", PNG, limit_mb=1) == ("schermata.png", "image/png")
    assert recognise("", PDF, limit_mb=1) == ("file.pdf", "application/pdf")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\Utenti\\Ada\\foto.png", "foto.png"),
        ("gpj\u202eexe.png", "gpjexe.png"),
        ("a\0b\r\nSet-Cookie: x.png", "abSet-Cookie_ x.png"),
        ('<img src=x onerror="alert(1)">.png', "_img src=x onerror=_alert(1)__.png"),
        ("  spazi   in  mezzo .pdf ", "spazi in mezzo.pdf"),
        ("perche\u0301.pdf", "perché.pdf"),
        ("x" * 400 + ".pdf", "x" * (LONGEST_NAME - 4) + ".pdf"),
        ("...", ""),
        ("/", ""),
    ],
)
def test_hostile_names_become_harmless(typed: str, kept: str) -> None:
    assert clean_name(typed) == kept
