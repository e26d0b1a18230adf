"""Taking a backup while people work."""

from __future__ import annotations

import zipfile
from pathlib import Path

import sqlalchemy as sa

from backoffice import clock, migrate
from backoffice.backups.archive import Content, Manifest, file_name, new_archive, table_name, write_manifest
from backoffice.backups.refusal import Refused
from backoffice.backups.rows import Tally
from backoffice.backups.tables import Table, read_last_keys, read_lines, read_tables, snapshot
from backoffice.files.store import KEY, FileStore, digest
from backoffice.operations.attachments import contents_in_use
from models.base import Model


def back_up(engine: sa.Engine, files: FileStore, path: Path, *, by: str) -> Manifest:
    """Write everything to the new file ``path``, as it is at one moment, while others go on writing.

    What lies in the store is copied after that moment: a row never misses its file for having come in between.

    :raises Refused: the file exists, cannot be written, or the database was never migrated.
    """
    with new_archive(path) as archive, snapshot(engine) as connection:
        revision = migrate.revision_of(connection)
        if revision is None:
            raise Refused("There is nothing to back up: the database was never migrated.")
        taken_at = clock.now().isoformat(timespec="seconds")
        tables = {name: _save_table(archive, connection, table) for name, table in _ours(connection, revision).items()}
        kept = {item.key for item in files.kept()}
        saved = _save_files(archive, files, sorted(key for key in kept if KEY.fullmatch(key)))
        return _finished(
            archive,
            Manifest(
                revision=revision,
                program=str(migrate.head()),
                database=engine.dialect.name,
                taken_at=taken_at,
                taken_by=by,
                tables=_with_last_keys(tables, read_last_keys(connection)),
                files=saved,
                missing=_missing(connection, revision, saved),
            ),
        )


def _ours(connection: sa.Connection, revision: str) -> dict[str, Table]:
    """Return the tables of the product; an older database may have some that the declarations no longer have."""
    found = read_tables(connection)
    if revision != migrate.head():
        return found
    return {name: table for name, table in found.items() if name in Model.metadata.tables}


def _save_table(archive: zipfile.ZipFile, connection: sa.Connection, table: Table) -> Content:
    tally = Tally(table.columns)
    with archive.open(table_name(table.name), "w", force_zip64=True) as member:
        for line in read_lines(connection, table):
            tally.add(line)
            member.write(line)
    return Content(table.columns, tally.rows, tally.sum)


def _with_last_keys(tables: dict[str, Content], keys: dict[str, int]) -> dict[str, Content]:
    return {
        name: Content(content.columns, content.rows, content.sha256, keys.get(name)) for name, content in tables.items()
    }


def _save_files(archive: zipfile.ZipFile, files: FileStore, keys: list[str]) -> dict[str, str]:
    sums = {}
    for key in keys:
        content = files.get(key)
        if content is not None:  # else somebody has just deleted it, and its row before
            sums[key] = digest(content)
            archive.writestr(file_name(key), content, compress_type=zipfile.ZIP_STORED)
    return sums


def _missing(connection: sa.Connection, revision: str, saved: dict[str, str]) -> list[str]:
    """Return what rows speak of and the store has not; of an older database that is not asked."""
    if revision != migrate.head():
        return []
    return sorted(set(connection.scalars(contents_in_use(clock.now()))) - set(saved))


def _finished(archive: zipfile.ZipFile, manifest: Manifest) -> Manifest:
    write_manifest(archive, manifest)
    return manifest
