"""XLSX files: looked over as an archive first, then read by a process that may run out of memory alone."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

from backoffice.errors import TooLarge
from backoffice.spreadsheets import worksheet
from backoffice.spreadsheets.headings import Knows
from backoffice.spreadsheets.tables import (
    LIMITS,
    BrokenWorkbook,
    EmptyFile,
    Limits,
    NotASpreadsheet,
    Table,
    TooManyCells,
    UnpacksTooLarge,
    make_table,
)


def read_workbook(content: bytes, limits: Limits = LIMITS, *, knows: Knows | None = None) -> Table:
    """Return the table on the first visible sheet; raise ``FileRefused`` or ``TooLarge`` with the reason."""
    check_archive(content, limits)
    ((name, records),) = _sheets(content, limits, every=False)
    return make_table(records, f"XLSX, {name}", limits, knows=knows)


def read_sheets(content: bytes, limits: Limits = LIMITS) -> list[tuple[str, Table]]:
    """Return the tables on all visible sheets by their names; blank sheets are left out."""
    check_archive(content, limits)
    found = _sheets(content, limits, every=True)
    return [(name, make_table(records, f"XLSX, {name}", limits)) for name, records in found if any(map(any, records))]


def check_archive(content: bytes, limits: Limits = LIMITS) -> None:
    """Refuse an archive that is no workbook, is damaged, or would unpack to more than it should.

    The directory is judged before anything is unpacked; then each part is unpacked once, to nowhere and
    never beyond the size its directory entry claims, so that the claims are known to be true.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            _check_parts(parts, len(content), limits)
            if archive.testzip() is not None:
                raise BrokenWorkbook
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError) as error:
        raise BrokenWorkbook from error


def _check_parts(parts: list[zipfile.ZipInfo], packed: int, limits: Limits) -> None:
    check_size(parts, packed, limits)
    if "xl/workbook.xml" not in {part.filename for part in parts}:
        raise NotASpreadsheet


def check_size(parts: list[zipfile.ZipInfo], packed: int, limits: Limits) -> None:
    """Raise ``UnpacksTooLarge`` for an archive whose directory promises more than any of ours would hold."""
    unpacked = sum(part.file_size for part in parts)
    suspicious = unpacked > 5_000_000 and unpacked > limits.unpacked_ratio * packed
    if len(parts) > 5_000 or unpacked > limits.unpacked_bytes or suspicious:
        raise UnpacksTooLarge


def _sheets(content: bytes, limits: Limits, *, every: bool) -> list[tuple[str, list[list[str]]]]:
    arguments = (limits.memory_bytes, limits.seconds, limits.rows * 2, limits.columns, int(every))
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(Path(worksheet.__file__)), *map(str, arguments)],
            input=content,
            capture_output=True,
            timeout=limits.seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise TooManyCells from error
    if done.returncode == worksheet.TOO_FAR:
        raise TooLarge(limit=f"{limits.rows} × {limits.columns}")
    if done.returncode == worksheet.NO_SHEET:
        raise EmptyFile
    if done.returncode == worksheet.BROKEN:
        raise BrokenWorkbook
    if done.returncode != 0:
        # Out of memory or time, or the reader gave up in a way of its own: either way not our file.
        raise TooManyCells if done.returncode < 0 or b"MemoryError" in done.stderr else BrokenWorkbook
    return [(sheet["name"], sheet["records"]) for sheet in json.loads(done.stdout)]
