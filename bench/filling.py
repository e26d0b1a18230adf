"""The databases that are measured, and the places in them that pages are asked for."""

from __future__ import annotations

import math
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa

from backoffice import migrate
from backoffice.actors import SYSTEM, Context, Door
from backoffice.database import begin_writing, make_engine, open_session
from backoffice.files.store import FolderStore
from backoffice.operations.roles import synchronise_roles
from backoffice.operations.staff import ensure_administrator, ensure_demo_users
from backoffice.records.cursors import write_cursor
from backoffice.records.pages import Query
from bench.generate import generate
from bench.rivals.tables import PASSWORD
from bench.rows import Sizes
from bench.running import administration
from models.ticket import Ticket
from seed.demo import load_demo
from seed.reference import load_reference

#: Whoever looks sees the first group, to which nine of ten tickets belong.
_OF_THE_FIRST_GROUP = 0.899


@dataclass(frozen=True)
class Facts:
    """What is asked for in a database, the same of every site."""

    url: sa.URL
    tickets: int
    company: int
    company_tickets: int
    state: str
    ticket: int
    deep: int
    deep_at: str
    deep_id: int
    cursor: str

    @property
    def places(self) -> dict[str, str]:
        """Return what addresses are made of."""
        return {
            "company": str(self.company),
            "state": self.state,
            "ticket": str(self.ticket),
            "page": str(self.deep // 25),
            "before": quote(f"{self.deep_at},{self.deep_id}"),
            "cursor": self.cursor,
            "number": f"-{str(self.ticket)[:-1]}",
        }


def sizes_for(tickets: int) -> Sizes:
    """Return the sizes of a database in which the first group has so many tickets, the rest in proportion."""
    usual = Sizes()
    share = tickets / usual.tickets
    return Sizes(
        companies=max(100, round(usual.companies * share)),
        contacts=max(300, round(usual.contacts * share)),
        contracts=max(200, round(usual.contracts * share)),
        tickets=math.ceil(tickets / _OF_THE_FIRST_GROUP) + 200,
        calls=max(2_000, round(usual.calls * share)),
        messages=max(5_000, round(usual.messages * share)),
    )


def make_database(server: sa.URL | None, folder: Path, tickets: int) -> sa.URL:
    """Create, migrate and fill a database on a server, or an SQLite file in ``folder``; return its address."""
    if server is None:
        url = sa.URL.create("sqlite", database=str(folder / f"bench_{tickets}.sqlite"))
    else:
        name = f"bench_{os.getpid()}_{tickets}"
        with administration(server) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0 ENCODING UTF8')
        url = server.set(database=name)
    engine = make_engine(url, statement_timeout_ms=0)
    migrate.upgrade(engine)
    files = tempfile.TemporaryDirectory(prefix="files-")
    with files, begin_writing(), open_session(engine, Context(SYSTEM, Door.cli)) as session, session.begin():
        synchronise_roles(session)
        load_reference(session)
        ensure_administrator(session, PASSWORD)
        ensure_demo_users(session, PASSWORD)
        load_demo(session, FolderStore(Path(files.name)))
    generate(engine, sizes_for(tickets))
    engine.dispose()
    return url


def drop_database(server: sa.URL, url: sa.URL) -> None:
    """Delete a database that ``make_database`` made on a server."""
    with administration(server) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{url.database}" WITH (FORCE)')


def find_facts(url: sa.URL) -> Facts:
    """Look up what pages are asked for: a company with some 500 tickets and their most frequent state, the newest
    ticket, and the one before which nine tenths of the list lie."""
    engine = make_engine(url, statement_timeout_ms=0)
    with engine.connect() as connection:
        total = connection.scalar(sa.text("SELECT count(*) FROM ticket WHERE group_id = 1"))
        company, count = connection.execute(
            sa.text(
                "SELECT company_id, count(*) FROM ticket WHERE group_id = 1 AND company_id IS NOT NULL"
                " GROUP BY company_id ORDER BY abs(count(*) - 500), company_id LIMIT 1"
            )
        ).one()
        state = connection.scalar(
            sa.text(
                "SELECT state FROM ticket WHERE company_id = :company GROUP BY state ORDER BY count(*) DESC LIMIT 1"
            ),
            {"company": company},
        )
        ticket = connection.scalar(sa.text("SELECT max(id) FROM ticket WHERE group_id = 1"))
    deep = total * 9 // 10
    with open_session(engine, Context(SYSTEM, Door.job)) as session:
        newest_first = (
            sa.select(Ticket).where(Ticket.group_id == 1).order_by(Ticket.created_at.desc(), Ticket.id.desc())
        )
        row = session.scalars(newest_first.offset(deep).limit(1)).one()
        cursor = write_cursor(Query(Ticket, sort="-created_at"), row, backward=False, start=None)
        at = row.created_at.strftime("%Y-%m-%d %H:%M:%S.%f") + ("" if url.get_backend_name() == "sqlite" else "+00")
    engine.dispose()
    return Facts(url, total, company, count, state, ticket, deep, at, row.id, cursor)
