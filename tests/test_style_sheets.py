"""Browsers drop what follows a brace too many without a word."""

from __future__ import annotations

from itertools import accumulate
from pathlib import Path

import pytest

SHEETS = sorted(Path("views/static/css").glob("*.css"))


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.stem)
def test_every_block_is_closed_once(sheet: Path) -> None:
    depths = list(accumulate({"{": 1, "}": -1}.get(letter, 0) for letter in sheet.read_text()))
    assert min(depths) == 0
    assert depths[-1] == 0
