"""What differs between machines: every setting with its default and its meaning.

Each is read from the environment as ``BACKOFFICE_`` and the name in capitals
(``BACKOFFICE_DATABASE_URL``); ``PORT`` alone is understood too, because hosting platforms set it.
What an administrator changes in the product is not here: that is data.
"""

from __future__ import annotations

import dataclasses
import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

PREFIX = "BACKOFFICE_"
ROOT = Path(__file__).resolve().parent

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"", "0", "false", "no", "off"})
#: Settings that must be at least 1.
_COUNTS = (
    "threads",
    "workers",
    "session_hours",
    "max_upload_mb",
    "max_attachment_mb",
    "statement_timeout_ms",
    "pool_size",
)
_TLS = ("starttls", "tls", "none")
_DRIVERS = {"sqlite": "sqlite", "postgres": "postgresql+psycopg", "postgresql": "postgresql+psycopg"}
#: As much of an address as a mail server insists on; a name may stand before it.
_ADDRESS = re.compile(r"[^<>\r\n]*<[!-;=?-~]+@[^\s@<>]+>|[!-;=?-~]+@[^\s@<>]+")
_BUCKET = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:/.*)?")
_KEYS = ("secret_key", "client_secret_key", "jwt_secret_key")


class BadSetting(Exception):
    """A setting is missing or makes no sense; the text is one sentence for the person who starts the product."""


def setting(default: Any, meaning: str, *, secret: bool = False) -> Any:
    """Declare a setting: ``secret`` values appear in no listing and in no ``repr``."""
    return dataclasses.field(default=default, repr=not secret, metadata={"meaning": meaning, "secret": secret})


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """Every setting, checked and ready to use."""

    database_url: str = setting(
        "",
        "Where the data is: sqlite:///file (from the project's folder) or postgresql://user:password@host/database; "
        "empty for the file backoffice.sqlite in BACKOFFICE_VAR.",
        secret=True,
    )
    var: Path = setting(
        Path("var"),
        "Folder for the SQLite database, the files and the generated keys, where no other setting places them.",
    )
    host: str = setting("127.0.0.1", "Address to listen on; 0.0.0.0 for every network of the machine.")
    port: int = setting(8000, "Port to listen on.")
    threads: int = setting(16, "Requests that each process answers at the same time.")
    workers: int = setting(4, "Processes, under gunicorn; the built-in server is one process.")
    proxies: int = setting(0, "How many proxies stand in front: so many X-Forwarded-* entries count, 0 for none.")
    https: bool = setting(False, "Whether browsers reach it over HTTPS: cookies are then sent over nothing else.")

    secret_key: str = setting("", "Signs the cookies of the staff desk.", secret=True)
    client_secret_key: str = setting("", "Signs the cookies of the client area.", secret=True)
    jwt_secret_key: str = setting("", "Signs the tokens of the REST API.", secret=True)
    admin_password: str = setting("", "First password of the user admin; empty for a random one.", secret=True)
    demo_password: str = setting("", "Password of the demonstration users; empty for a random one.", secret=True)
    demo: bool = setting(True, "Whether run.py serve loads the demonstration set into an empty database.")

    mail_server: str = setting("", "Host that takes outgoing mail (SMTP); empty: mails wait in the outbox.")
    mail_port: int = setting(587, "Its port: 587 as a rule, 465 with BACKOFFICE_MAIL_TLS=tls.")
    mail_username: str = setting("", "What to sign in with at the mail server; empty for no sign-in.")
    mail_password: str = setting("", "Password for the mail server.", secret=True)
    mail_tls: str = setting("starttls", "Encryption of mail: starttls, tls (from the first byte) or none.")
    mail_sender: str = setting("", "Address that mails come from; required with a mail server.")
    mailbox_passwords: str = setting(
        "", "Passwords of the mailboxes that are read, each as CODE:password, with spaces between.", secret=True
    )
    public_url: str = setting("", "Where people reach it, for links in mails; empty for http://localhost and the port.")
    work: bool = setting(True, "Whether run.py serve also sends mail and does what is due; 0 leaves it to run.py work.")

    files: str = setting(
        "", "Where attachments lie: a folder, or s3://bucket/prefix; empty for the folder files in BACKOFFICE_VAR."
    )
    max_attachment_mb: int = setting(10, "Largest attachment, in megabytes; not more than BACKOFFICE_MAX_UPLOAD_MB.")
    s3_endpoint: str = setting("", "Address of the S3 server; empty for Amazon's.")
    s3_region: str = setting("", "Region of the bucket, where the server wants one.")
    s3_access_key: str = setting("", "Name to sign in with at the S3 server; empty to leave it to the machine's role.")
    s3_secret_key: str = setting("", "Secret that goes with it.", secret=True)

    language: str = setting("it", "Language for people who have not chosen one: it or en.")
    session_hours: int = setting(12, "Hours without a request after which a person must sign in again.")
    max_upload_mb: int = setting(20, "Largest request, files included, in megabytes.")
    statement_timeout_ms: int = setting(5000, "Longest time a page may wait for the database, in milliseconds.")
    pool_size: int = setting(16, "Database connections kept open by each process.")

    @property
    def root_url(self) -> str:
        """The address of the host, without a slash at the end, as links in mails begin."""
        return (self.public_url or f"http://localhost:{self.port}").rstrip("/")

    @property
    def file_place(self) -> str:
        """Where attachments lie: a whole path, or ``s3://bucket/prefix``."""
        return self.files if self.files.startswith("s3://") else str(ROOT / (self.files or self.var / "files"))

    @property
    def passwords_of_mailboxes(self) -> dict[str, str]:
        """The passwords of the mailboxes that are read, by the code of the mailbox.

        Raises BadSetting when they are not written as they should be.
        """
        parts = self.mailbox_passwords.split()
        if not all(":" in part[1:] for part in parts):
            raise BadSetting(f"{PREFIX}MAILBOX_PASSWORDS must be CODE:password, with spaces between one and the next.")
        return dict(part.split(":", 1) for part in parts)

    @property
    def is_sqlite(self) -> bool:
        """Whether the data lies in an SQLite file."""
        return self.database_url.startswith("sqlite")


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of this machine, with the keys an SQLite installation generates for itself.

    Raises BadSetting with one sentence when a value makes no sense, or when a key is missing on
    PostgreSQL: there several processes must share it, so none may invent its own.
    """
    environment = os.environ if environment is None else environment
    values: dict[str, Any] = {}
    for declared in dataclasses.fields(Settings):
        raw = environment.get(PREFIX + declared.name.upper())
        if raw is None and declared.name == "port":
            raw = environment.get("PORT")
        if raw is not None:
            values[declared.name] = _parse(declared.name, raw.strip(), declared.default)
    settings = Settings(**values)
    settings = dataclasses.replace(settings, var=ROOT / settings.var)
    url = settings.database_url or f"sqlite:///{settings.var / 'backoffice.sqlite'}"
    settings = dataclasses.replace(settings, database_url=_database_url(url))
    _check(settings)
    return _with_keys(settings)


def describe() -> list[tuple[str, str, str]]:
    """Return ``(variable, default, meaning)`` of every setting, for the README and ``run.py settings``."""
    rows = []
    for declared in dataclasses.fields(Settings):
        default = int(declared.default) if isinstance(declared.default, bool) else declared.default
        rows.append((PREFIX + declared.name.upper(), str(default), declared.metadata["meaning"]))
    return rows


def _parse(name: str, raw: str, default: Any) -> Any:
    if isinstance(default, bool):
        if raw.lower() not in _TRUE | _FALSE:
            raise BadSetting(f"{PREFIX}{name.upper()} must be 1 or 0, not {raw!r}.")
        return raw.lower() in _TRUE
    if isinstance(default, int):
        if not raw.isascii() or not raw.isdigit():
            raise BadSetting(f"{PREFIX}{name.upper()} must be a whole number, not {raw!r}.")
        return int(raw)
    return Path(raw) if isinstance(default, Path) else raw


def _database_url(raw: str) -> str:
    """Return the address with the driver we use, and an SQLite file as a full path."""
    try:
        url = make_url(raw)
    except ArgumentError:
        # The address may hold a password, so it is not repeated.
        raise BadSetting(f"{PREFIX}DATABASE_URL is not a database address such as sqlite:///var/a.sqlite.") from None
    driver = _DRIVERS.get(url.drivername.partition("+")[0])
    if driver is None:
        raise BadSetting(f"{PREFIX}DATABASE_URL must begin with sqlite:// or postgresql://, not {url.drivername}://.")
    if driver == "sqlite":
        url = _absolute(url)
    return url.set(drivername=driver).render_as_string(hide_password=False)


def _absolute(url: URL) -> URL:
    if not url.database or url.database == ":memory:":
        raise BadSetting(f"{PREFIX}DATABASE_URL must name a file: a database in memory forgets everything.")
    return url.set(database=str(ROOT / url.database))


def _check_files(settings: Settings) -> None:
    if "://" in settings.files and not _BUCKET.fullmatch(settings.files):
        raise BadSetting(f"{PREFIX}FILES must be a folder or s3://bucket/prefix, not {settings.files!r}.")
    if settings.s3_endpoint and not settings.s3_endpoint.startswith(("http://", "https://")):
        raise BadSetting(f"{PREFIX}S3_ENDPOINT must begin with http:// or https://, not {settings.s3_endpoint!r}.")
    if bool(settings.s3_access_key) is not bool(settings.s3_secret_key):
        raise BadSetting(f"{PREFIX}S3_ACCESS_KEY and {PREFIX}S3_SECRET_KEY are given both or not at all.")


def _check(settings: Settings) -> None:
    if not 0 < settings.port < 65536:
        raise BadSetting(f"{PREFIX}PORT must lie between 1 and 65535, not {settings.port}.")
    if settings.language not in ("it", "en"):
        raise BadSetting(f"{PREFIX}LANGUAGE must be it or en, not {settings.language!r}.")
    if not 0 < settings.mail_port < 65536:
        raise BadSetting(f"{PREFIX}MAIL_PORT must lie between 1 and 65535, not {settings.mail_port}.")
    if settings.mail_tls not in _TLS:
        raise BadSetting(f"{PREFIX}MAIL_TLS must be starttls, tls or none, not {settings.mail_tls!r}.")
    if settings.mail_server and not _ADDRESS.fullmatch(settings.mail_sender):
        raise BadSetting(f"With a mail server {PREFIX}MAIL_SENDER must be the address that mails come from.")
    _check_files(settings)
    if settings.max_attachment_mb > settings.max_upload_mb:
        raise BadSetting(f"{PREFIX}MAX_ATTACHMENT_MB must not be more than {PREFIX}MAX_UPLOAD_MB.")
    for name in _COUNTS:
        if getattr(settings, name) < 1:
            raise BadSetting(f"{PREFIX}{name.upper()} must be at least 1.")


def _with_keys(settings: Settings) -> Settings:
    missing = [name for name in _KEYS if not getattr(settings, name)]
    if missing and not settings.is_sqlite:
        names = ", ".join(PREFIX + name.upper() for name in missing)
        raise BadSetting(f"On PostgreSQL the signing keys must be given: set {names}.")
    generated: dict[str, Any] = {name: _kept_key(settings.var / name.replace("_", "-")) for name in missing}
    return dataclasses.replace(settings, **generated)


def _kept_key(path: Path) -> str:
    """Return the key in ``path``, which only its owner may read; generate it the first time."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        # Written whole under another name first: two processes that start at once agree on one key.
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink(missing_ok=True)
    return path.read_text().strip()
