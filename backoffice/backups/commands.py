"""``run.py backup``, ``verify`` and ``restore``."""

from __future__ import annotations

import getpass
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import click
import sqlalchemy as sa

import config
from backoffice.backups.archive import Manifest, verify
from backoffice.backups.refusal import Refused
from backoffice.backups.restoring import count_rows, restore
from backoffice.backups.saving import back_up
from backoffice.clock import ROME
from backoffice.database import UNREACHABLE, opened
from backoffice.files.s3 import file_store

_FILE = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
#: So many tables are named when rows are about to be lost.
_NAMED = 5


@click.command("backup")
@_FILE
@click.pass_obj
def backup_command(settings: config.Settings, file: Path) -> None:
    """Write the database and the attachments to FILE, as they are at one moment, while people work.

    Keys and passwords of the installation are not in it.
    """
    with _refusals(), opened(settings.database_url) as engine:
        manifest = back_up(engine, file_store(settings), file.absolute(), by=_person())
        click.echo(f"Written to {file}: {_size(manifest)}.")
        for key, sum_ in manifest.files.items():
            if key != sum_:
                click.echo(f"File {key} was damaged before: what it held is lost unless an older backup has it.")
        for key in manifest.missing:
            click.echo(f"File {key} is missing, though a row speaks of it: an older backup may have it.")


@click.command("verify")
@_FILE
def verify_command(file: Path) -> None:
    """Read the backup FILE from end to end and say whether it is whole."""
    with _refusals():
        click.echo(f"Whole: {_about(verify(file))}.")


@click.command("restore")
@_FILE
@click.option("--replace", is_flag=True, help="Also into a database that holds something, which is lost.")
@click.option("--yes", is_flag=True, help="With --replace: do not ask.")
@click.pass_obj
def restore_command(settings: config.Settings, file: Path, replace: bool, yes: bool) -> None:
    """Fill the empty database from the backup FILE, of either kind of database, and migrate it.

    Stop everything that serves from the database first.
    """
    with _refusals(), opened(settings.database_url) as engine:
        manifest = verify(file)
        click.echo(f"The backup is whole: {_about(manifest)}.")
        lost = count_rows(engine)
        if lost and not replace:
            raise Refused(f"The database is not empty ({_rows(lost)}): with --replace all of that is lost.")
        if lost:
            click.echo(f"This will be lost, of {engine.url.render_as_string()}: {_rows(lost)}.")
            if not yes:
                click.confirm("Lose it and restore the backup?", abort=True)
        restore(engine, file_store(settings), file, manifest)
    click.echo("Restored, compared with the backup, and migrated.")


COMMANDS = (backup_command, verify_command, restore_command)


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except Refused as refusal:
        raise click.ClickException(str(refusal)) from None
    except (*UNREACHABLE, sa.exc.ProgrammingError) as error:
        reason = str(getattr(error, "orig", None) or error).partition("\n")[0]
        raise click.ClickException(f"The database does not answer: {reason}.") from None


def _person() -> str:
    """Return who sits at which machine."""
    return f"{getpass.getuser()}@{socket.gethostname()}"


def _about(manifest: Manifest) -> str:
    taken = datetime.fromisoformat(manifest.taken_at).astimezone(ROME)
    return f"{_size(manifest)}, taken on {taken:%d/%m/%Y at %H:%M} by {manifest.taken_by} from {manifest.database}"


def _size(manifest: Manifest) -> str:
    return f"{len(manifest.tables)} tables, {manifest.rows} rows, {len(manifest.files)} files"


def _rows(counts: dict[str, int]) -> str:
    named = ", ".join(f"{count} of {name}" for name, count in list(counts.items())[:_NAMED])
    return f"{sum(counts.values())} rows in {len(counts)} tables: {named}" + (" ..." if len(counts) > _NAMED else "")
