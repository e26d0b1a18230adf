"""What is measured on is what the product itself could have written."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from stdnum.it import iva

from backoffice import migrate
from backoffice.database import make_engine
from bench.generate import generate
from bench.rows import Sizes
from models.base import ENTITIES
from models.reading import fold
from tests.servers import KINDS, Databases

SIZES = Sizes(companies=300, contacts=700, contracts=500, tickets=4_000, calls=1_000, messages=10_000)


@pytest.fixture(scope="module", params=KINDS)
def engine(request: pytest.FixtureRequest, databases: Databases) -> Iterator[sa.Engine]:
    """An engine on a database with few generated rows."""
    if request.param not in (request.config.getoption("--database") or KINDS):
        pytest.skip("another database was asked for")
    own = Databases(databases.folder, f"{databases.worker}_bench", databases._build)
    engine = make_engine(own.empty(request.param))
    migrate.upgrade(engine)
    generate(engine, SIZES)
    yield engine
    engine.dispose()


@pytest.mark.parametrize("name", ["company", "contact", "contract", "ticket", "call", "ab_user", "support_queue"])
def test_sorting_and_search_copies_are_those_of_the_product(engine: sa.Engine, name: str) -> None:
    entity = ENTITIES[name]
    table = entity.__table__
    with engine.connect() as connection:
        rows = connection.execute(sa.select(table).order_by(table.c.id.desc()).limit(50)).mappings().all()
    assert rows
    for row in rows:
        for column in table.columns:
            if sources := column.info.get("folded"):
                assert row[column.name] == fold(" ".join(row[source] or "" for source in sources))
        if name != "support_queue":
            words = (row[source] for source in entity.__admin__.search_columns)
            assert row["search_key"] == "\n".join(fold(str(word)) for word in words if word)


def test_keys_lead_somewhere(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        for name in ("contact", "contract", "ticket", "call", "ticket_message"):
            table = ENTITIES[name].__table__
            for key in table.foreign_keys:
                orphans = sa.select(sa.func.count()).where(
                    key.parent.is_not(None), ~sa.exists().where(key.column == key.parent)
                )
                assert connection.scalar(orphans.select_from(table)) == 0, key.parent


def test_rows_are_their_companies_groups(engine: sa.Engine) -> None:
    company = ENTITIES["company"].__table__
    with engine.connect() as connection:
        for name in ("contact", "contract", "ticket", "call", "ticket_message"):
            table = ENTITIES[name].__table__
            joined = table.join(company, table.c.company_id == company.c.id)
            strays = sa.select(sa.func.count()).select_from(joined).where(table.c.group_id != company.c.group_id)
            assert connection.scalar(strays) == 0
        assert connection.scalar(sa.select(sa.func.count(company.c.group_id.distinct()))) == 2


def test_indexes_are_back(engine: sa.Engine) -> None:
    assert {index["name"] for index in sa.inspect(engine).get_indexes("ticket")} >= {
        index.name for index in ENTITIES["ticket"].__table__.indexes if index._ddl_if is None
    }


def test_rare_states_lie_on_old_rows_and_one_company_has_many(engine: sa.Engine) -> None:
    ticket = ENTITIES["ticket"].__table__
    rare = sa.select(sa.func.count(), sa.func.max(ticket.c.id)).where(ticket.c.state == "waiting_change")
    most = sa.select(sa.func.count()).where(ticket.c.company_id.is_not(None)).group_by(ticket.c.company_id)
    with engine.connect() as connection:
        count, last = connection.execute(rare).one()
        assert count == 12
        assert last <= SIZES.tickets // 10
        assert max(connection.scalars(most)) >= 500


def test_vat_numbers_are_valid_and_unassignable(engine: sa.Engine) -> None:
    company = ENTITIES["company"].__table__
    with engine.connect() as connection:
        numbers = connection.scalars(sa.select(company.c.vat_number)).all()
    assert len(set(numbers)) == SIZES.companies
    assert all(iva.is_valid(number) and number > "99000000000" for number in numbers)


def test_a_second_run_adds(engine: sa.Engine) -> None:
    generate(engine, Sizes(companies=0, contacts=0, contracts=0, tickets=0, calls=0, messages=0))
    with engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(ENTITIES["ticket"].__table__)) == SIZES.tickets
