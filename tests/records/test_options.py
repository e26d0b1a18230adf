"""What a relation field offers: what was typed as it is typed comes before what only contains its letters."""

from __future__ import annotations

import pytest

from backoffice.actors import SYSTEM
from backoffice.database import RecordSession
from backoffice.records.lookup import OPTIONS, find_options
from backoffice.records.search import MOST_ROWS, find_everywhere
from models.company import Company
from tests.operations.world import World

pytestmark = pytest.mark.databases("sqlite", "postgresql")


@pytest.mark.parametrize("typed", ["cantieri numero 36", "Numero  36", "36 s.p.a."])
def test_whole_words_come_first(session: RecordSession, typed: str) -> None:
    world = World(session)
    names = [f"Cantieri Numero 1{number}36 S.p.A." for number in range(OPTIONS + 5)]
    for name in (*names, "Cantieri Numero 36 S.p.A.", "Cantieri Numero 36"):
        world.add(Company(group_id=world.company.group_id, legal_name=name))
    session.flush()
    found = [str(row) for row in find_options(session, Company, typed, SYSTEM)]
    assert len(found) == len(set(found)) == OPTIONS
    assert "Cantieri Numero 36 S.p.A." in found[:2]
    session.rollback()


def test_the_search_over_everything_shows_them_too(session: RecordSession) -> None:
    world = World(session)
    for name in (*(f"Cantieri Numero 1{number}36" for number in range(OPTIONS)), "Cantieri Numero 36"):
        world.add(Company(group_id=world.company.group_id, legal_name=name))
    session.flush()
    found = next(group for group in find_everywhere(session, "numero 36", SYSTEM) if group.entity is Company)
    assert (str(found.rows[0]), len(found.rows), found.has_more) == ("Cantieri Numero 36", MOST_ROWS, True)
    session.rollback()
