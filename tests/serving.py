"""The program in a process of its own, as people start it: by run.py or by gunicorn."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import config

RUN = [sys.executable, str(config.ROOT / "run.py")]
KEYS = {f"BACKOFFICE_{name}": "k" * 48 for name in ("SECRET_KEY", "CLIENT_SECRET_KEY", "JWT_SECRET_KEY")}
GUNICORN = [sys.executable, "-m", "gunicorn"]


def environment(var: Path, url: str, **settings: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(config.PREFIX)}
    return {**clean, "BACKOFFICE_VAR": str(var), "BACKOFFICE_DATABASE_URL": url, **settings}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(*command: str, until: str, env: dict[str, str], times: int = 1) -> Iterator[list[str]]:
    """Run a server until the block ends, then stop it as Ctrl+C does.

    Yield what it has said as soon as ``until`` was among it so many ``times``.
    """
    process = subprocess.Popen(
        command, env=env, cwd=config.ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    said: list[str] = []
    try:
        for line in process.stdout:
            said.append(line.rstrip())
            times -= until in line
            if not times:
                break
        else:
            pytest.fail("\n".join(said))
        yield said
        process.send_signal(signal.SIGINT)
        said += process.stdout.read().splitlines()
        assert process.wait(timeout=20) == 0
    except OSError as error:
        process.terminate()
        error.add_note("\n".join([*said, process.stdout.read()]))
        raise
    finally:
        process.kill()
        process.stdout.close()
        process.wait()
