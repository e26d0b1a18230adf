"""The file of a backup: a ZIP with a text per table, the attachments, and a manifest that says what must be in it."""

from __future__ import annotations

import dataclasses
import json
import os
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from backoffice import migrate
from backoffice.backups.refusal import Refused
from backoffice.backups.rows import Column, Kind, Tally
from backoffice.files.store import KEY, digest

#: Raised when the file is made in another way.
FORMAT = 1
MANIFEST = "manifest.json"


@dataclasses.dataclass(frozen=True)
class Content:
    """What the manifest says of a table."""

    columns: tuple[Column, ...]
    rows: int
    sha256: str
    #: The last key ever given; None where the database did not say.
    last_key: int | None = None


@dataclasses.dataclass(frozen=True)
class Manifest:
    """What a backup holds, when it was taken and by whom."""

    #: The revision the database was at, and the newest that the program knew which took the backup.
    revision: str
    program: str
    database: str
    taken_at: str
    taken_by: str
    tables: Mapping[str, Content]
    #: SHA-256 by key, which is the same unless the file was damaged before.
    files: Mapping[str, str]
    #: Keys of files that rows speak of, but that were not there.
    missing: Sequence[str] = ()
    format: int = FORMAT

    @property
    def rows(self) -> int:
        return sum(content.rows for content in self.tables.values())

    @property
    def names(self) -> set[str]:
        """The names of everything in the file."""
        return {MANIFEST, *map(table_name, self.tables), *map(file_name, self.files)}

    @classmethod
    def read(cls, text: bytes) -> Self:
        """Return the manifest that ``text`` is; raises ValueError, TypeError or KeyError where it is none."""
        found: dict[str, Any] = json.loads(text)
        tables = {}
        for name, content in found.pop("tables").items():
            columns = (Column(c["name"], Kind(c["kind"]), c["scale"]) for c in content.pop("columns"))
            tables[name] = Content(tuple(columns), **content)
        if not all(KEY.fullmatch(key) for key in found["files"]):
            raise ValueError("A file has another name than its checksum")
        return cls(tables=tables, **found)


def table_name(table: str) -> str:
    return f"tables/{table}.copy"


def file_name(key: str) -> str:
    return f"files/{key}"


@contextmanager
def new_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """Yield an archive to write; it appears under its name, readable by its owner, once the block has ended well.

    :raises Refused: there is a file of this name, or it cannot be written.
    """
    if path.exists():
        raise Refused(f"{path} exists already: nothing is overwritten.")
    try:
        descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".unfinished", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                # Level 1: a third larger than the best, in a tenth of the time.
                with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
                    yield archive
                file.flush()
                os.fsync(file.fileno())
            _publish(Path(draft), path)
        finally:
            Path(draft).unlink(missing_ok=True)
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror or error}.") from error


def _publish(draft: Path, path: Path) -> None:
    try:
        os.link(draft, path)  # unlike a renaming, it never takes the place of another file
    except FileExistsError:
        raise Refused(f"{path} exists already: nothing is overwritten.") from None
    except OSError:  # a disk without links
        draft.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def verify(path: Path) -> Manifest:
    """Read a backup from end to end; return its manifest when everything in it is as it was written.

    :raises Refused: it is not there, no backup, damaged, or of a newer program.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = _read_manifest(archive)
            _compare(archive, manifest)
            return manifest
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror or error}.") from error
    # What the library raises depends on where the damage is.
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise Refused(f"{path} is damaged, or not a backup: {error}.") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Refused(f"{path} is damaged, or not a backup: it cannot be understood.") from error


def _read_manifest(archive: zipfile.ZipFile) -> Manifest:
    text = archive.read(MANIFEST)
    newer = "It comes from a newer version of the program: restore it with that one, or upgrade this one first."
    if json.loads(text)["format"] > FORMAT:
        raise Refused(newer)
    manifest = Manifest.read(text)
    if not migrate.knows(manifest.revision):
        raise Refused(f"The backup is at revision {manifest.revision}, which this program does not know. {newer}")
    return manifest


def _compare(archive: zipfile.ZipFile, manifest: Manifest) -> None:
    damaged = "The backup is damaged:"
    names = archive.namelist()
    if len(names) != len(set(names)) or set(names) != manifest.names:
        raise Refused(f"{damaged} it does not hold what its manifest says.")
    for name, content in manifest.tables.items():
        tally = Tally(content.columns)
        for line in lines_of(archive, name):
            tally.add(line)
        if (tally.rows, tally.sum) != (content.rows, content.sha256):
            raise Refused(f"{damaged} table {name} is not what was written.")
    for key, sum_ in manifest.files.items():
        if digest(archive.read(file_name(key))) != sum_:
            raise Refused(f"{damaged} file {key} is not what was written.")


def lines_of(archive: zipfile.ZipFile, table: str) -> Iterator[bytes]:
    """Yield the lines of a table, some at a time."""
    with archive.open(table_name(table)) as member:
        yield from member


def write_manifest(archive: zipfile.ZipFile, manifest: Manifest) -> None:
    """Write the last part of a backup."""
    archive.writestr(MANIFEST, json.dumps(dataclasses.asdict(manifest), indent=1, default=dict))
