"""Open tickets that a new one is probably about: by words and by what they concern, within sight (TK-01)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from backoffice import clock
from backoffice.database import RecordSession
from backoffice.operations.similar_tickets import MOST, Asked, find_similar
from models.asset import Asset
from models.service import ServiceState
from models.ticket import TicketState
from tests.operations.world import World

pytestmark = pytest.mark.databases("postgresql", "sqlite", long=("sqlite",))


@pytest.mark.parametrize(
    ("subject", "place", "is_like"),
    [
        ("Registro trattamenti: non si apre", "", True),
        ("I REGISTRI dei trattamenti", "", True),
        ("Il registro è vuoto", "", False),
        ("Il registro è vuoto", "GoPrivacy", True),
        ("Registro", "", True),
        ("Problema urgente, non funziona", "GoPrivacy", False),
        ("Fattura da correggere", "GoPrivacy", False),
        ("", "GoPrivacy", False),
        ("!!! ???", "", False),
    ],
)
def test_by_the_words_of_the_subject(session: RecordSession, subject: str, place: str, is_like: bool) -> None:
    world = World(session)
    ticket = world.ticket(subject="Non apre più il registro dei trattamenti", affected_system="goprivacy")
    asked = Asked(world.company.id, subject, place=place)
    assert (find_similar(session, asked) == [ticket]) is is_like


def test_by_service_and_asset(session: RecordSession) -> None:
    world = World(session)
    contract = world.contract()
    asset = world.add(Asset(company=world.company, contract=contract, code="PALO-1", qr_token="T" * 22))
    service, other = world.service(ServiceState.offered), world.service(ServiceState.offered)
    of_asset = world.ticket(subject="Lampeggia", asset=asset)
    of_service = world.ticket(subject="Stampa dei certificati", service=service)
    found = find_similar(session, Asked(world.company.id, "Spento di nuovo", asset_id=asset.id))
    assert found == [of_asset]
    assert find_similar(session, Asked(world.company.id, "Certificati sbagliati", service_id=service.id)) == [
        of_service
    ]
    assert find_similar(session, Asked(world.company.id, "Certificati sbagliati", service_id=other.id)) == []


def test_only_open_ones_of_the_same_company_the_likeliest_first(session: RecordSession) -> None:
    world = World(session)
    words = "Stampante reparto verniciatura"
    world.ticket(TicketState.closed_final, subject=words)
    world.ticket(subject=words, company=world.client())
    weaker = world.ticket(subject="Stampante reparto logistica")
    stronger = world.ticket(subject=words, created_at=clock.now() - timedelta(days=3))
    assert find_similar(session, Asked(world.company.id, words)) == [stronger, weaker]
    assert find_similar(session, Asked(None, words)) == []
    for _number in range(MOST + 2):
        world.ticket(subject=words)
    assert len(find_similar(session, Asked(world.company.id, words))) == MOST
