"""The commands of ``run.py``."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any

import click
import sqlalchemy as sa

import config
from backoffice import checks, jobs, migrate, serving
from backoffice import demo_jobs as _demo_jobs  # its kind of job must be known before one is taken
from backoffice.actors import SYSTEM, Context, Door
from backoffice.app import DESK_PREFIX
from backoffice.background import speaking
from backoffice.backups.commands import COMMANDS
from backoffice.capture import Capture
from backoffice.database import RecordSession, begin_writing, open_session, opened
from backoffice.delivery import Roots
from backoffice.errors import StillReferred
from backoffice.files.s3 import file_store
from backoffice.files.store import StoreUnavailable
from backoffice.mail.sending import MailServer
from backoffice.operations.demo_clients import ensure_demo_clients
from backoffice.operations.erasure import erase_personal_history
from backoffice.operations.roles import Difference, all_differences, synchronise_roles
from backoffice.operations.staff import ensure_administrator, ensure_demo_users
from models.base import ENTITIES
from models.outbox_mail import MailLanguage
from seed.demo import load_demo, remove_demo
from seed.reference import load_reference

_ = _demo_jobs


class Commands(click.Group):
    """The commands; where the file store cannot be reached they say so, and why, without a trace."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except StoreUnavailable as error:
            raise click.ClickException(f"The file store does not answer: {error.__cause__ or error}") from None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.pass_context
def main(context: click.Context) -> None:
    """Backoffice: the desk of a service group and its clients' area."""
    if context.invoked_subcommand in ("settings", "check"):
        return  # they tell what is missing, so nothing must be
    try:
        context.obj = config.load()
    except config.BadSetting as error:
        raise click.ClickException(str(error)) from None


for command in COMMANDS:
    main.add_command(command)


@main.command()
@click.pass_obj
def serve(settings: config.Settings) -> None:
    """Bring the database up to date, fill an empty one, and serve."""
    try:
        listening = serving.listen(settings)
    except OSError as error:
        reason = str(error.strerror).partition(" (")[0]
        raise click.ClickException(f"Cannot listen on {settings.host}:{settings.port}: {reason}.") from None
    with _engine(settings) as engine:
        migrate.upgrade(engine)
        # Passwords are printed before anything else can go wrong: they are stored as digests only.
        for line in _fill(engine, settings):
            click.echo(line)
    address = _address(settings)
    with contextlib.suppress(SystemExit), _engine(settings) as engine, _at_work(engine, settings):
        server = serving.make_server(settings, listening)
        click.echo(f"Client area  {address}/\nStaff desk   {address}/backoffice/\nCtrl+C stops it.")
        serving.run(server)
    click.echo("\nStopped.")


@main.command()
@click.pass_obj
def work(settings: config.Settings) -> None:
    """Send mail and do what is due by the calendar, beside the processes that serve; any number may run at once."""
    with contextlib.suppress(SystemExit), _engine(settings) as engine:
        serving.stop_by_signal()
        with jobs.working(engine, _tasks(settings), language=MailLanguage[settings.language]):
            click.echo(f"At work: {', '.join(task.name for task in _tasks(settings))}.\nCtrl+C stops it.")
            serving.wait_for_signal()
    click.echo("\nStopped.")


@main.command("migrate")
@click.option("--to", "revision", metavar="REVISION", help="Go back to this revision (base undoes everything).")
@click.pass_obj
def migrate_command(settings: config.Settings, revision: str | None) -> None:
    """Bring the database to the newest revision."""
    with _engine(settings) as engine:
        if revision is None:
            migrate.upgrade(engine)
        else:
            migrate.downgrade(engine, revision)
    click.echo("The database is up to date." if revision is None else f"The database is at {revision}.")


@main.command("sync-roles")
@click.option("--show", is_flag=True, help="Show what differs, and change nothing.")
@click.pass_obj
def sync_roles(settings: config.Settings, show: bool) -> None:
    """Make the roles in the database what the permission matrix ships; changes made in the product stay."""
    with _engine(settings) as engine, _system_session(engine) as session:
        for line in _compared(all_differences(session)):
            click.echo(line)
        for line in () if show else synchronise_roles(session):
            click.echo(line)


def _compared(found: list[Difference]) -> list[str]:
    """Return a table of what was shipped before, is in use, and is shipped now, with what becomes of each line."""
    if not found:
        return ["The roles are as shipped."]
    rows: list[tuple[str, ...]] = [("role", "right or mask", "shipped before", "in use", "shipped now", "")]
    rows += [(d.role, d.key, *(_side(side, d.key) for side in (d.before, d.here, d.now)), _outcome(d)) for d in found]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _side(value: str | None, key: str) -> str:
    if value is None:
        return "-"
    return "masked" if key.startswith("mask:") else "nothing" if value.startswith(":") else value


def _outcome(difference: Difference) -> str:
    if difference.is_open:
        return "changed on both sides: kept, to be decided on the page of the role"
    return "changed here: kept" if difference.is_changed_here else "new: taken over"


@main.command()
@click.pass_obj
def reference(settings: config.Settings) -> None:
    """Load the reference data that is missing: services, calendars, holidays, contact-centre types."""
    with _engine(settings) as engine, _system_session(engine) as session:
        count = load_reference(session)
    click.echo(f"{count} rows loaded.")


@main.command()
@click.pass_obj
def administrator(settings: config.Settings) -> None:
    """Create the user admin unless there is an administrator, with the given password or a random one, printed once."""
    with _engine(settings) as engine, _system_session(engine) as session:
        password = ensure_administrator(session, settings.admin_password or None)
    click.echo(_credentials("admin", password, settings.admin_password) if password else "There is an administrator.")


@main.command()
@click.pass_obj
def advance(settings: config.Settings) -> None:
    """Do what is due by the calendar: contracts, packages and licenses that expire, tickets closed for good."""
    with _engine(settings) as engine, speaking(settings.language):
        tickets = jobs.advance_tickets(engine, file_store(settings), settings.root_url)
        click.echo(f"{jobs.advance(engine) + tickets} records moved on.")


@main.command()
@click.argument("entity", type=click.Choice(sorted(ENTITIES)))
@click.argument("key", type=int)
@click.option("--reason", required=True, help="Who asked for it, and on which ground: kept as the proof.")
@click.pass_obj
def erase(settings: config.Settings, entity: str, key: int, reason: str) -> None:
    """Empty the personal part of a record's history; that something happened, when and by whom stays."""
    with _engine(settings) as engine, _system_session(engine) as session:
        record = session.get(ENTITIES[entity], key)
        if record is None:
            raise click.ClickException(f"There is no {entity} {key}.")
        count = erase_personal_history(session, record, reason, actor=SYSTEM)
    click.echo(f"{count} history entries have lost their personal values.")


@main.command()
def check() -> None:
    """Check every declaration and print all problems at once."""
    problems = checks.run_checks()
    for problem in problems:
        click.echo(f"{problem.id}  {problem.text}\n    {problem.hint}")
    click.echo(f"{len(problems)} problems." if problems else "No problems.")
    sys.exit(1 if problems else 0)


@main.group()
def demo() -> None:
    """The invented demonstration set."""


@demo.command("load")
@click.pass_obj
def demo_load(settings: config.Settings) -> None:
    """Load the demonstration set and one user per role."""
    with _engine(settings) as engine, _system_session(engine) as session:
        line = _load_demo(session, settings)
    click.echo(line)


@demo.command("remove")
@click.pass_obj
def demo_remove(settings: config.Settings) -> None:
    """Delete exactly the demonstration rows and users."""
    try:
        with _engine(settings) as engine, _system_session(engine) as session:
            count = remove_demo(session)
    except StillReferred as refusal:
        raise click.ClickException(str(refusal)) from None
    click.echo(f"{count} demonstration rows deleted.")


@main.command()
@click.pass_obj
def routes(settings: config.Settings) -> None:
    """List every address of both applications."""
    for prefix, application in serving.mounted(settings):
        for rule in sorted(application.url_map.iter_rules(), key=str):
            methods = ",".join(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}))
            click.echo(f"{methods:<16} {prefix}{rule}  {rule.endpoint}")


@main.command("settings")
def list_settings() -> None:
    """List every setting with its default and meaning."""
    for name, default, meaning in config.describe():
        click.echo(f"{name:<34} {default or '-':<34} {meaning}")


def _engine(settings: config.Settings) -> contextlib.AbstractContextManager[sa.Engine]:
    return opened(settings.database_url)


def _at_work(engine: sa.Engine, settings: config.Settings) -> contextlib.AbstractContextManager[None]:
    tasks = _tasks(settings) if settings.work else ()
    return jobs.working(engine, tasks, language=MailLanguage[settings.language])


def _tasks(settings: config.Settings) -> tuple[jobs.Task, ...]:
    """Return what the product does by itself on this machine: without a mail server, mails wait."""
    store = file_store(settings)
    always: tuple[jobs.Task, ...] = (
        jobs.calendar_task(),
        jobs.digest_task(),
        jobs.ticket_task(store, settings.root_url),
        jobs.file_task(store),
        jobs.import_task(),
        jobs.bulk_task(),
        jobs.export_task(store),
    )
    if settings.mailbox_passwords:
        capture = Capture(store, settings.max_attachment_mb, settings.passwords_of_mailboxes)
        always = (*always, jobs.capture_task(capture))
    if not settings.mail_server:
        return always
    server = MailServer(
        settings.mail_server,
        settings.mail_port,
        settings.mail_sender,
        settings.mail_username,
        settings.mail_password,
        settings.mail_tls,
        language=settings.language,
    )
    roots = Roots(settings.root_url + DESK_PREFIX, settings.root_url)
    return jobs.mail_task(server, roots), *always


@contextlib.contextmanager
def _system_session(engine: sa.Engine) -> Iterator[RecordSession]:
    """Open a session in which the product itself acts; commit at the end, or nothing at all."""
    with begin_writing(), open_session(engine, Context(SYSTEM, Door.cli)) as session, session.begin():
        yield session


def _fill(engine: sa.Engine, settings: config.Settings) -> list[str]:
    """Give the database what it needs and, the first time, an administrator and the demonstration set.

    All in one transaction, so that an interrupted first start is still a first start the next time.
    Returns what to print about passwords.
    """
    with _system_session(engine) as session:
        synchronise_roles(session)
        load_reference(session)
        password = ensure_administrator(session, settings.admin_password or None)
        if password is None:
            return []
        lines = [_credentials("admin", password, settings.admin_password)]
        if settings.demo:
            lines.append(_load_demo(session, settings))
    return lines


def _load_demo(session: RecordSession, settings: config.Settings) -> str:
    # Users first: the demonstration records are entrusted to them.
    password = ensure_demo_users(session, settings.demo_password or None)
    load_demo(session, file_store(settings))
    if password is None:
        return "The demonstration users exist."
    ensure_demo_clients(session, password)
    return _credentials("demo.<role>, demo.referent and demo.client", password, settings.demo_password)


def _credentials(user: str, password: str, given: str) -> str:
    """Say with what one signs in; a password somebody chose is not repeated on the screen."""
    return f"User {user}, password {'as given in the environment' if given else f'{password} (shown this once)'}"


def _address(settings: config.Settings) -> str:
    host = "localhost" if settings.host in ("127.0.0.1", "0.0.0.0", "::") else settings.host  # noqa: S104  # only shown
    return f"http://{host}:{settings.port}"
