"""A million tickets: few statements, no plan that reads a big table from end to end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from backoffice.actors import SYSTEM, Context, Door
from backoffice.app import create_application
from backoffice.database import make_engine, open_session
from backoffice.identity import load_actor
from backoffice.records.cursors import write_cursor
from backoffice.records.pages import Query, conditions, ordering, read_query
from bench.generate import generate
from bench.rows import Sizes
from bench.watching import full_scans, watched
from models.base import ENTITIES
from models.staff import Staff
from models.ticket import Ticket, TicketState
from tests.clients import DESK, DeskClient
from tests.conftest import settings_for
from tests.servers import KINDS, Databases

pytestmark = [pytest.mark.long, pytest.mark.timeout(3_000)]
BIG = {"ticket", "company", "contact", "contract", "call", "history_entry"}
DEEP = 900_000
#: The consultant follows 400 companies of the first group, the busiest among them.
ENTRUSTED = """
    INSERT INTO company_consultant (group_id, company_id, staff_id, created_at, updated_at)
    SELECT c.group_id, c.id, s.id, c.created_at, c.updated_at
      FROM company c JOIN ab_user s ON s.username = 'demo.consultant' AND s.group_id = c.group_id
     WHERE c.id % 250 = (SELECT MIN(id) FROM company WHERE NOT is_demo) % 250 AND NOT c.is_demo
    ON CONFLICT DO NOTHING
"""


class Desk:
    """The desk on the big database, with somebody signed in."""

    def __init__(self, engine: sa.Engine, folder: Path) -> None:
        url = engine.url.render_as_string(hide_password=False)
        application = create_application(settings_for(url, folder, statement_timeout_ms=60_000))
        self.desk = application.mounts[DESK]
        self.engine = self.desk.extensions["engine"]
        with open_session(engine, Context(SYSTEM, Door.job)) as session:
            self.people = {staff.username: staff for staff in session.scalars(sa.select(Staff))}
        self.application = application

    def ask(self, username: str, path: str) -> tuple[Any, list[tuple[str, Any]]]:
        client = DeskClient(self.application, self.desk, self.people[username])
        with watched(self.engine) as seen:
            answer = client.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        return answer, seen


@pytest.fixture(scope="module", params=KINDS)
def big(
    request: pytest.FixtureRequest, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Desk]:
    """A database with the demonstration users and a million tickets."""
    own = Databases(databases.folder, f"{databases.worker}_big", databases._build)
    engine = make_engine(own.fresh(request.param), statement_timeout_ms=0)
    generate(
        engine,
        Sizes(
            companies=100_000, contacts=100_000, contracts=100_000, tickets=1_000_000, calls=100_000, messages=1_000_000
        ),
    )
    with engine.begin() as connection:
        connection.execute(sa.text(ENTRUSTED))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")
    desk = Desk(engine, tmp_path_factory.mktemp("var"))
    yield desk
    desk.engine.dispose()
    own.close()
    engine.dispose()


def deep_cursor(desk: Desk) -> str:
    """Return the cursor of the page that begins 900,000 rows down the list of the first group's tickets."""
    with open_session(desk.engine, Context(SYSTEM, Door.job)) as session:
        statement = sa.select(Ticket).where(Ticket.group_id == 1).order_by(Ticket.created_at.desc(), Ticket.id.desc())
        total = session.scalar(sa.select(sa.func.count()).select_from(Ticket).where(Ticket.group_id == 1))
        row = session.scalars(statement.offset(min(DEEP, (total or 0) - 100)).limit(1)).one()
        return write_cursor(Query(Ticket, sort="-created_at"), row, backward=False, start=None)


BUSIEST = """
    SELECT company_id FROM ticket WHERE group_id = 1 AND company_id IS NOT NULL
     GROUP BY company_id ORDER BY COUNT(*) DESC LIMIT 1
"""

PAGES = [
    "/",
    "/ticket/",
    "/ticket/?k={deep}",
    "/ticket/?f=state:in:rejected",
    "/ticket/?f=state:in:qualification&s=-created_at",
    "/company/",
    "/company/?s=-created_at",
    "/contract/",
    "/contact/",
    "/call/",
    "/ticket/{ticket}",
    "/ticket/{ticket}/edit",
    "/company/{company}?tab=ticket.company",
    "/company/{company}?tab=history",
    "/search/?q=GP-123",
    "/search/?q=comunita'&part=1",
    "/support/",
    "/support/?show=all",
    "/support/?show=free",
    "/support/?show=closing",
    "/support/{ticket}",
    "/support-figures/",
    "/support-figures/?by=company&when=closed",
]


@pytest.mark.parametrize("path", PAGES)
def test_few_statements_and_no_full_scan(big: Desk, path: str) -> None:
    with big.engine.connect() as connection:
        ticket = connection.execute(sa.text("SELECT MAX(id) FROM ticket WHERE group_id = 1")).scalar()
        company = connection.execute(sa.text(BUSIEST)).scalar()
    asked = path.format(deep=deep_cursor(big) if "{deep}" in path else "", ticket=ticket, company=company)
    answer = quick(big, "demo.administrator", asked)
    if path.endswith("/edit"):
        assert len(answer.data) < 100_000


@pytest.mark.parametrize("state", list(TicketState))
def test_every_state_is_fast_however_rare(big: Desk, state: TicketState) -> None:
    quick(big, "demo.administrator", f"/ticket/?f=state:in:{state.value}")


#: By the teams' companies, by business unit, by companies entrusted to the person, and with masks.
NARROWED = ("demo.operator1", "demo.evaluator", "demo.consultant", "demo.management")
#: A filter, words that occur, and a sort other than the usual.
ASKED = {
    "ticket": ("f=state:in:waiting_change", "q=comunita'", "q=portale+lento", "s=number"),
    "company": ("f=state:in:former", "q=nardo'", "s=-created_at"),
    "contract": ("f=state:in:withdrawn", "q=corso", "s=number"),
}


@pytest.mark.parametrize("username", NARROWED)
@pytest.mark.parametrize("name", ASKED)
def test_a_narrowed_role_is_answered_as_fast(big: Desk, username: str, name: str) -> None:
    cursor, key = deepest(big, username, name)
    for query in ("", f"k={cursor}", "q=nowhere", *ASKED[name]):
        answer = quick(big, username, f"/{name}/?{query}")
        assert ("data-url=" in answer.text) == (query != "q=nowhere"), query
    quick(big, username, f"/{name}/{key}")


@pytest.mark.parametrize("username", ["demo.operator1", "demo.consultant"])
def test_the_workspace_of_a_narrowed_role_is_as_fast(big: Desk, username: str) -> None:
    for path in ("/support/", "/support/?show=all", "/support/?show=free"):
        quick(big, username, path)


def test_a_quiet_poll_is_one_statement_over_two_indexes(big: Desk) -> None:
    page, _seen = big.ask("demo.administrator", "/support/")
    poll = page.text.split('data-poll="')[1].split('"')[0].removeprefix(DESK)
    _answer, seen = big.ask("demo.administrator", f"{poll}?since=nothing")
    assert len([text for text, _values in seen if text != "BEGIN"]) == 1
    assert full_scans(big.engine, seen, BIG) == []


def quick(desk: Desk, username: str, path: str) -> Any:
    """Return somebody's page, which took few statements and no full scan."""
    answer, seen = desk.ask(username, path)
    assert len(seen) <= 15, (path, [text[:150] for text, _values in seen])
    assert full_scans(desk.engine, seen, BIG) == [], path
    return answer


def deepest(desk: Desk, username: str, name: str) -> tuple[str, int]:
    """Return the cursor of the last page but three of somebody's list, and the key of the row before it."""
    with open_session(desk.engine, Context(SYSTEM, Door.job)) as session:
        actor = load_actor(session, desk.people[username].id)
    with open_session(desk.engine, Context(actor, Door.job)) as session:
        entity = ENTITIES[name]
        query = read_query(entity, actor)
        total = session.scalar(sa.select(sa.func.count()).select_from(entity).where(*conditions(query))) or 0
        assert total > 300, (username, name, total)
        statement = sa.select(entity).order_by(*ordering(query)).offset(total - 100)
        row = session.scalars(statement.limit(1)).one()
        return write_cursor(query, row, backward=False, start=None), row.id
