"""Several tables in one file: a workbook of several sheets, or an archive of CSV files."""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import PurePosixPath

from flask_babel import lazy_gettext as _l

from backoffice.errors import TooLarge
from backoffice.spreadsheets.tables import LIMITS, EmptyFile, FileRefused, Limits, Table
from backoffice.spreadsheets.text import read_text
from backoffice.spreadsheets.workbook import check_size, read_sheets


class NoArchive(FileRefused):
    template = _l("This is neither a workbook (XLSX) nor an archive of CSV files (ZIP).")


def read_tables(content: bytes, limits: Limits = LIMITS) -> list[tuple[str, Table]]:
    """Return the tables of a file by the names of their sheets or files; raise ``FileRefused`` or ``TooLarge``."""
    if len(content) > limits.file_bytes:
        raise TooLarge(limit=_l("%(count)s MB", count=limits.file_bytes // (1024 * 1024)))
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            if any(part.filename == "xl/workbook.xml" for part in parts):
                return read_sheets(content, limits)
            check_size(parts, len(content), limits)
            texts = [(part, PurePosixPath(part.filename)) for part in parts if not part.is_dir()]
            found = [(path.stem, _read(archive, part, limits)) for part, path in texts if path.suffix == ".csv"]
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise NoArchive from error
    if not found:
        raise EmptyFile
    return found


def _read(archive: zipfile.ZipFile, part: zipfile.ZipInfo, limits: Limits) -> Table:
    with archive.open(part) as file:
        # Never more than the directory claims, which has been judged.
        content = file.read(part.file_size + 1)
    if len(content) > part.file_size:
        raise NoArchive
    return read_text(content, limits)
