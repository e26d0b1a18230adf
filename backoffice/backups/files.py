"""The attachments of an installation, as far as backups need to know where they lie."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple, Protocol

#: How a content is called; whatever else lies in a store is not finished.
KEY = re.compile("[0-9a-f]{64}")


class Named(Protocol):
    """One content of a store."""

    @property
    def key(self) -> str:
        """The SHA-256 of the content in hexadecimal, which is its name."""


class FileStore(Protocol):
    """Contents by their SHA-256, in a folder or elsewhere."""

    def put(self, key: str, content: bytes) -> None:
        """Keep the content; whole and lasting when this returns."""

    def get(self, key: str) -> bytes | None:
        """Return the content as it lies there; None where there is none."""

    def delete(self, key: str) -> None:
        """Let go of the content, if it is there."""

    def kept(self) -> Iterable[Named]:
        """Yield all there is."""


def digest(content: bytes) -> str:
    """Return the SHA-256 of a content in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


class _Found(NamedTuple):
    key: str


class Folder:
    """A folder as a store: below it one for each two first digits."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, key: str, content: bytes) -> None:
        path = self._path(key)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Under another name first, so that nobody ever finds half a file under its own.
        descriptor, draft = tempfile.mkstemp(prefix=".", dir=path.parent)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)

    def get(self, key: str) -> bytes | None:
        try:
            return self._path(key).read_bytes()
        except FileNotFoundError:
            return None

    def delete(self, key: str) -> None:
        self._path(key).unlink(missing_ok=True)

    def kept(self) -> Iterable[Named]:
        return [_Found(path.name) for path in sorted(self._folder.glob("[0-9a-f][0-9a-f]/*"))]

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / key
