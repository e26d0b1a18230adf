"""An administrator who brings files in by the pages, in whichever way these are served."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from typing import Any, Protocol

from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from models.catalogue import slug
from tests.golive.files import MessyFile


class Browser(Protocol):
    """What a walk needs of a browser; paths count from the desk's own root."""

    def read(self, path: str) -> str:
        """Return the text at a path."""

    def send(self, path: str, values: dict[str, Any]) -> str:
        """Send a form and return the path that it leads to."""


@dataclass
class Brought:
    """A file that has come in."""

    path: str
    #: How many rows the trial said would come in, and how many did.
    promised: int
    new: int
    #: By the number of the row in the file: its line in the file of refused rows.
    refused: dict[int, str]


def form(csrf_token: str, values: dict[str, Any]) -> tuple[bytes, str]:
    """Return the body of a form with perhaps a file in it, and what kind of body it is."""
    boundary, body = encode_multipart({"csrf_token": csrf_token, **values})
    return body, f"multipart/form-data; boundary={boundary}"


def bring_in(browser: Browser, file: MessyFile) -> Brought:
    """Upload a file, match its columns, try it and apply it; read what was refused."""
    root = f"/{slug(file.entity)}/import/"
    columns = browser.send(root, {"file": FileStorage(io.BytesIO(file.content), file.name)})
    page = browser.read(columns)
    headings = re.findall(r'for="column-\d+">(.*?)</label>', page)
    assert set(file.columns) <= set(headings), (file.name, headings)
    chosen = {f"column.{headings.index(heading)}": target for heading, target in file.columns.items()}
    trial = go_on(browser, browser.send(columns, {**chosen, "mode": "create", "matched_by": ""}))
    path = columns.replace("columns", "")
    done = go_on(browser, browser.send(f"{path}apply", {}))
    return Brought(path, _new(trial), _new(done), refused_rows(browser, file, path))


def _new(page: str) -> int:
    """Return how many rows a page says are new: the first of its figures."""
    found = re.search(r"<dd>(.*?)</dd>", page)
    assert found
    return int(found[1].replace(".", ""))


def refused_rows(browser: Browser, file: MessyFile, path: str) -> dict[int, str]:
    """Return the reasons in the file of refused rows, by the number of the row that each line was."""
    text = browser.read(f"{path}refused.csv")
    _headings, *lines = csv.reader(io.StringIO(text.lstrip("\ufeff"), newline=""), delimiter=";")
    assert len(lines) == len(file.refused), (file.name, len(lines), len(file.refused))
    return {row: line[-1] for row, line in zip(sorted(file.refused), lines, strict=True)}


def go_on(browser: Browser, path: str) -> str:
    """Go on as the page's script does, until no step is left; return the page."""
    while True:
        page = browser.read(path)
        found = re.search(r'action="([^"]+)" data-continue', page)
        if found is None and 'http-equiv="refresh"' not in page:
            return page
        if found is not None:
            path = browser.send(found[1].removeprefix("/backoffice"), {})


def undo(browser: Browser, brought: Brought) -> str:
    """Undo an import in one step; return the page it leads to."""
    assert 'role="alert"' not in browser.read(f"{brought.path}undo")
    return go_on(browser, browser.send(f"{brought.path}undo", {}))
