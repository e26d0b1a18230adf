"""Where the content of files lies: under the SHA-256 of it, so equal files are there once and every one can be proven.

Whoever attaches a file writes the row, then the content, then commits; whoever sweeps keeps such people out while it
looks (``operations/attachments.py``). So content without a row is left over, and a row without content is damage.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from flask_babel import lazy_gettext as _l

from backoffice.errors import DomainError

#: How a finished content is called.
KEY = re.compile("[0-9a-f]{64}")
_KEY_OR_DRAFT = re.compile("[0-9a-f]{32}|[0-9a-f]{64}")
_log = logging.getLogger(__name__)


class FileGone(DomainError):
    """A row speaks of content that is not there, or is not what it was."""

    template = _l("The content of this file is missing or damaged: an administrator finds it in the backup.")
    status = 404


class StoreUnavailable(DomainError):
    template = _l("The file store cannot be reached: try again in a moment.")
    status = 503


@dataclass(frozen=True)
class Kept:
    """One content in a store, and when it was put there last."""

    key: str
    put_at: datetime


class FileStore(Protocol):
    """Contents by their SHA-256. Every method raises ``StoreUnavailable`` where the place cannot be reached."""

    def put(self, key: str, content: bytes) -> None:
        """Keep the content; whole and lasting when this returns. Doing it again changes nothing but its time."""

    def get(self, key: str) -> bytes | None:
        """Return the content as it lies there; None where there is none."""

    def delete(self, key: str) -> None:
        """Let go of the content, if it is there."""

    def kept(self) -> Iterator[Kept]:
        """Yield all there is of ours: what others put into the same place is none of our business."""


def digest(content: bytes) -> str:
    """Return the name of a content: its SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def get_content(store: FileStore, key: str) -> bytes:
    """Return a content, proven to be what was put there.

    :raises FileGone: it is not, or is not there.
    """
    content = store.get(key)
    if content is None or digest(content) != key:
        _log.error("The content of file %s is %s", key, "missing" if content is None else "damaged")
        raise FileGone
    return content


class FolderStore:
    """A folder, with one below it for each two first digits; only its owner may look inside."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, key: str, content: bytes) -> None:
        path = self._path(key)
        try:
            if path.exists():
                os.utime(path)
                return
            for folder in (self._folder, path.parent, self._folder / "drafts"):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._write(path, content)
        except OSError as error:
            _log.error("A file could not be stored: %s", error)  # its trace says no more
            raise StoreUnavailable from error

    def _write(self, path: Path, content: bytes) -> None:
        """Write under another name first, so that nobody ever finds half a file under its own."""
        draft = self._folder / "drafts" / uuid.uuid4().hex
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)

    def get(self, key: str) -> bytes | None:
        try:
            return self._path(key).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            _log.error("A file could not be read: %s", error)  # its trace says no more
            raise StoreUnavailable from error

    def delete(self, key: str) -> None:
        try:
            self._path(key).unlink(missing_ok=True)
        except OSError as error:
            _log.error("A file could not be deleted: %s", error)  # its trace says no more
            raise StoreUnavailable from error

    def kept(self) -> Iterator[Kept]:
        try:
            # Drafts of whoever was killed while writing count too: they are nobody's.
            for path in sorted(self._folder.glob("*/*")):
                if _KEY_OR_DRAFT.fullmatch(path.name):
                    yield Kept(path.name, datetime.fromtimestamp(path.stat().st_mtime, UTC))
        except FileNotFoundError:
            return  # somebody else sweeps too
        except OSError as error:
            _log.error("The file store could not be looked through: %s", error)  # its trace says no more
            raise StoreUnavailable from error

    def _path(self, key: str) -> Path:
        if not _KEY_OR_DRAFT.fullmatch(key):
            raise ValueError("A content is named by its SHA-256, a draft by half as many digits")
        return self._folder / (key[:2] if len(key) == 64 else "drafts") / key
