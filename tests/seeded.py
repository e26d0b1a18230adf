"""What the template database holds: all that a fresh installation with the demonstration set has."""

from __future__ import annotations

import tempfile
from pathlib import Path

import sqlalchemy as sa

from backoffice import migrate
from backoffice.actors import SYSTEM, Context, Door
from backoffice.database import begin_writing, make_engine, open_session
from backoffice.files.store import FolderStore
from backoffice.operations.demo_clients import ensure_demo_clients
from backoffice.operations.roles import synchronise_roles
from backoffice.operations.staff import ensure_administrator, ensure_demo_users
from seed.demo import load_demo
from seed.reference import load_reference

#: Of admin and of every demonstration user.
PASSWORD = "quattro-gatti-verdi-27"


def build(url: sa.URL) -> None:
    """Migrate and fill the empty database at ``url``, in the order of a first start."""
    engine = make_engine(url)
    migrate.upgrade(engine)
    files = tempfile.TemporaryDirectory(prefix="files-")  # no test reads them
    with files, begin_writing(), open_session(engine, Context(SYSTEM, Door.cli)) as session, session.begin():
        synchronise_roles(session)
        load_reference(session)
        ensure_administrator(session, PASSWORD)
        ensure_demo_users(session, PASSWORD)
        load_demo(session, FolderStore(Path(files.name)))
        ensure_demo_clients(session, PASSWORD)
    engine.dispose()
