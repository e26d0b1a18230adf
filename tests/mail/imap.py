"""A real IMAP server on a port of its own, with mailboxes that are folders."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PASSWORD = "otto-barche-nere-31"  # of a server that lives as long as a test
_CONFIG = """
base_dir = {run}/run
state_dir = {run}/state
log_path = {run}/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
default_login_user = {user}
default_internal_user = {user}
default_internal_group = {group}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
mail_location = maildir:{run}/box/%u
first_valid_uid = 1
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={run}/home/%u
}}
"""


@dataclass
class ImapServer:
    """A running server."""

    port: int
    run: Path
    uid: int
    gid: int
    _count: int = 0

    def deliver(self, user: str, message: bytes) -> None:
        """Put a message into somebody's mailbox, as a mail server does: whole, and then in sight."""
        self._count += 1
        name = f"{1_700_000_000 + self._count}.M{self._count}.test"
        for part in ("", "tmp", "new", "cur"):
            folder = self.run / "box" / user / part
            folder.mkdir(parents=True, exist_ok=True)
            os.chown(folder, self.uid, self.gid)
        hidden, shown = (self.run / "box" / user / part / name for part in ("tmp", "new"))
        hidden.write_bytes(message)
        os.chown(hidden, self.uid, self.gid)
        hidden.rename(shown)

    def forget_numbers(self, user: str) -> None:
        """Let the server number the messages of a mailbox anew, as after a restored backup."""
        for file in (self.run / "box" / user).glob("dovecot*"):
            file.unlink()


@contextmanager
def imap_server() -> Iterator[ImapServer]:
    """Run a server until the block ends."""
    person = pwd.getpwnam("nobody") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
    run = Path(tempfile.mkdtemp(prefix="imap-"))
    port = _free_port()
    group = subprocess.run(["id", "-gn", person.pw_name], capture_output=True, text=True, check=True).stdout.strip()
    values = {"run": run, "user": person.pw_name, "group": group, "port": port, "password": PASSWORD}
    config = run / "dovecot.conf"
    config.write_text(_CONFIG.format(**values, uid=person.pw_uid, gid=person.pw_gid))
    os.chown(run, person.pw_uid, person.pw_gid)
    program = shutil.which("dovecot") or "/usr/sbin/dovecot"
    process = subprocess.Popen([program, "-F", "-c", str(config)], user=person.pw_uid, group=person.pw_gid, cwd="/")
    try:
        _wait(port, process, run)
        yield ImapServer(port, run, person.pw_uid, person.pw_gid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)
        shutil.rmtree(run, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as own:
        own.bind(("127.0.0.1", 0))
        return int(own.getsockname()[1])


def _wait(port: int, process: subprocess.Popen[bytes], run: Path) -> None:
    until = time.monotonic() + 15
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as own:
                own.settimeout(1)
                if own.recv(20).startswith(b"* OK"):
                    return
        except OSError:
            time.sleep(0.05)
    log = run / "dovecot.log"
    raise RuntimeError(f"Dovecot does not answer: {log.read_text() if log.exists() else 'no log'}")
