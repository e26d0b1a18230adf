"""Emergencies on the call screen: the text is shown, told and noted before the call is kept (CC-19)."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from backoffice import clock
from backoffice.database import RecordSession, begin_writing
from models.company import Company
from models.contract import Contract, ContractState
from models.emergency_script import EmergencyScript
from models.history_entry import HistoryEntry
from models.staff import Staff
from models.support_queue import SupportQueue
from tests.operations.world import World
from tests.views.test_call_desk import Client, Person, count, newest, values

pytestmark = pytest.mark.databases("sqlite")


@pytest.fixture
def client(session: RecordSession, staff: Callable[[str], Staff]) -> Client:
    """A client whose calls come in to a queue."""
    group_id = staff("administrator").group_id
    session.rollback()
    with begin_writing():
        world = World(session, group_id=group_id)
        ticket = world.ticket()
        session.commit()
    return Client(world.company.id, world.contact.id, ticket.id, world.queue.id, world.type.id)


EMERGENCY = "Chiami il 112.\nSegua anche le procedure del suo ente."


@pytest.fixture
def script(session: RecordSession, client: Client) -> int:
    """The key of what callers are told of emergencies in the queue."""
    session.rollback()
    with begin_writing():
        queue = session.get_one(SupportQueue, client.queue)
        row = EmergencyScript(queue=queue, group_id=queue.group_id, text=EMERGENCY, text_en="Call 112.")
        session.add(row)
        session.commit()
        return row.id


def emergency(client: Client, **changes: str) -> dict[str, str]:
    """Return what is typed of a call that is an emergency."""
    kind, queue = str(client.kind), str(client.queue)
    return {"description": "Il palo è caduto.", "request_type": kind, "urgency": "emergency", "queue": queue} | changes


def test_an_emergency_shows_its_text_and_is_kept_once_the_caller_was_told(
    person: Person, client: Client, session: RecordSession, script: int
) -> None:
    visitor, typed = person("contact_centre"), emergency(client)
    shown = visitor.submit("/take-call/", typed | {"then": "look"})
    assert EMERGENCY.splitlines()[1] in html.unescape(shown.text)
    assert "aria-invalid" not in shown.text
    assert EMERGENCY[:14] not in visitor.submit("/take-call/", typed | {"urgency": "high", "then": "look"}).text
    before = count(session)
    for wrong in ({}, {"emergency_read": str(script + 1)}):  # the text of another queue
        refused = visitor.submit("/take-call/", typed | wrong | {"then": "ticket"})
        assert refused.status_code == 422
        assert "Riferisci a chi chiama" in refused.text
        assert re.search(r'name="emergency_read"[^>]*aria-invalid="true"', refused.text)
        assert values(refused.text)["description"] == typed["description"]
    assert count(session) == before
    assert visitor.submit("/take-call/", typed | {"emergency_read": str(script), "then": "ticket"}).status_code == 303
    call = newest(session)
    assert call.emergency_read_at is not None
    about = sa.and_(HistoryEntry.entity == "call", HistoryEntry.record_id == call.id)
    told = list(session.scalars(sa.select(HistoryEntry.changes).where(about)))
    assert sum("emergency_read_at" in changes for changes in told) == 1


def test_the_text_of_the_contract_takes_the_place_of_the_queues(
    person: Person, client: Client, session: RecordSession, script: int
) -> None:
    session.rollback()
    with begin_writing():
        company = session.get_one(Company, client.company)
        house = session.get_one(SupportQueue, client.queue).group_company
        contract = Contract(company=company, group_company=house, number="C/EMERGENZA", starts_on=clock.today())
        contract.state = ContractState.active
        contract.signed_on = clock.today()
        session.add(contract)
        session.flush()
        session.add(EmergencyScript(contract=contract, group_id=company.group_id, text="Vale il contratto."))
        session.commit()
        key = str(contract.id)
    of_contract = {"company": str(client.company), "contract": key, "then": "look"}
    page = person("contact_centre").submit("/take-call/", emergency(client, **of_contract)).text
    assert ("Vale il contratto." in page, EMERGENCY[:14] in page) == (True, False)


def test_a_voicemail_and_a_queue_without_text_ask_for_nothing(
    person: Person, client: Client, session: RecordSession, script: int
) -> None:
    visitor = person("contact_centre")
    assert visitor.submit("/take-call/", emergency(client) | {"then": "voicemail"}).status_code == 303
    session.rollback()
    with begin_writing():
        session.get_one(EmergencyScript, script).active = False
        session.commit()
    assert visitor.submit("/take-call/", emergency(client) | {"then": "ticket"}).status_code == 303
    assert newest(session).emergency_read_at is None
