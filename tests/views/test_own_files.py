"""Style sheets and scripts: kept for long at an address that changes with them, and found at an older one."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.clients import DeskClient
from views.routing import Application

pytestmark = pytest.mark.databases("sqlite")

SHEET = re.compile(r'href="(?:/backoffice)?(/static/of-[0-9a-f]{8}/css/lists\.css)"')


def test_a_page_names_the_files_of_its_own_release(desk_client: Callable[..., DeskClient]) -> None:
    client = desk_client("admin")
    found = SHEET.search(client.get("/company/").text)
    assert found
    answer = client.get(found[1], buffered=True)
    assert answer.status_code == 200
    assert (answer.cache_control.max_age, answer.cache_control.immutable) == (31_536_000, True)
    # What a page asks for that was open during an upgrade.
    older = client.get(found[1].replace(found[1].split("/")[2], "of-00000000"), buffered=True)
    assert older.data == answer.data
    assert (older.cache_control.max_age, older.cache_control.immutable) == (3_600, False)


@pytest.mark.parametrize("change", ["text", "name", "more"])
def test_the_address_changes_with_any_file(tmp_path: Path, change: str) -> None:
    (tmp_path / "a.css").write_text("a {}")
    before = _release(tmp_path)
    assert _release(tmp_path) == before
    if change == "text":
        (tmp_path / "a.css").write_text("b {}")
    elif change == "name":
        (tmp_path / "a.css").rename(tmp_path / "b.css")
    else:
        (tmp_path / "b.css").write_text("")
    assert _release(tmp_path) != before


def _release(folder: Path) -> Any:
    return Application("probe", static_folder=str(folder)).release
