"""Databases without any row: just made, or migrated once and shared by tests that take back what they do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from backoffice import migrate
from backoffice.database import begin_writing, make_engine
from tests.servers import KINDS, Databases

#: What a daily run would spend minutes on: migrations are proven up and free of drift by ``make check`` as well.
MANY_STEPS = pytest.mark.parametrize(
    "empty", [pytest.param("sqlite", marks=pytest.mark.long), "postgresql"], indirect=True
)


@pytest.fixture(params=KINDS)
def empty(request: pytest.FixtureRequest, databases: Databases) -> Iterator[sa.Engine]:
    """An engine on a database without any table."""
    yield from _engine(databases, _wanted(request))


@pytest.fixture(scope="session", params=KINDS)
def migrated(request: pytest.FixtureRequest, databases: Databases) -> Iterator[sa.Engine]:
    """An engine on a migrated database; ask for ``connection`` to use it."""
    # Under a name of its own: ``empty`` starts anew for each test.
    own = Databases(databases.folder, f"{databases.worker}_migrated", databases._build)
    for engine in _engine(own, _wanted(request)):
        migrate.upgrade(engine)
        yield engine


@pytest.fixture
def connection(migrated: sa.Engine) -> Iterator[sa.Connection]:
    """A connection to a migrated database; what happens through it is taken back."""
    with begin_writing(), migrated.connect() as connection:
        yield connection
        connection.rollback()


def _wanted(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    if kind not in (request.config.getoption("--database") or KINDS):
        pytest.skip("another database was asked for")
    return kind


def _engine(databases: Databases, kind: str) -> Iterator[sa.Engine]:
    engine = make_engine(databases.empty(kind))
    try:
        yield engine
    finally:
        engine.dispose()
