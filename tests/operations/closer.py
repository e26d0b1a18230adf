"""A closing worker as a process of its own, which dies at a statement that was chosen beforehand."""

from __future__ import annotations

import itertools
import os
import signal
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import configure_mappers

from backoffice.background import speaking
from backoffice.database import make_engine
from backoffice.files.store import FolderStore
from backoffice.jobs import advance_tickets

configure_mappers()  # once, before processes are made of this one


def close(url: str, files: Path, dies_at: int) -> None:
    """Do what a worker does every five minutes; kill this process before its statement or commit number ``dies_at``.

    A transaction that was only begun is none: what counts is what is asked of the database, and what makes it last.
    """
    engine, steps = make_engine(url), itertools.count(1)

    def step(*_what: Any) -> None:
        if next(steps) == dies_at:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(engine, "before_cursor_execute", step)
    event.listen(engine, "commit", step)
    with speaking("it"):
        advance_tickets(engine, FolderStore(files), "http://prova.example")
    engine.dispose()
