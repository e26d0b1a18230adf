"""Interventions at the desk: by when, what is left, and closing one with a photo from a telephone (OS-05, OS-06)."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
import sqlalchemy as sa

from backoffice import clock
from backoffice.database import RecordSession, begin_writing
from models.attachment import Attachment
from models.intervention import Intervention, InterventionState
from models.staff import Staff
from models.ticket import TicketState
from tests.attachments.samples import PNG
from tests.clients import DeskClient
from tests.operations.world import World

pytestmark = pytest.mark.databases("postgresql", "sqlite", long=("sqlite",))
Clients = Callable[..., DeskClient]


@pytest.fixture
def visit(session: RecordSession, staff: Callable[[str], Staff]) -> int:
    """The key of an intervention of the first group whose team is there, late, the first of two that were agreed."""
    group_id = staff("operator2").group_id
    session.rollback()
    with begin_writing():
        world = World(session, group_id=group_id)
        row = world.intervention(InterventionState.arrived, entitlement=world.entitlement(max_count=2, used_count=1))
        row.requested_at = row.planned_at = row.arrived_at = clock.now() - timedelta(days=3)
        row.due_at = clock.now() - timedelta(days=1)
        row.ticket.state = TicketState.on_site_planned
        session.commit()
        return row.id


def closing(client: DeskClient, key: int, *files: tuple[bytes, str]) -> Any:
    page = client.get(f"/intervention/{key}/do/complete").text
    version = re.search(r'name="version" value="(\d+)"', page)
    assert version is not None
    now = clock.now().astimezone(clock.ROME)
    values = {"version": version[1], "ended_at": f"{now:%d/%m/%Y %H:%M}", "outcome": "Sostituita la lampada"}
    sent = [(io.BytesIO(content), name) for content, name in files]
    return client.submit(f"/intervention/{key}/do/complete", {**values, "file": sent})


def stored(session: RecordSession, key: int) -> tuple[InterventionState, list[str]]:
    session.rollback()
    names = session.scalars(sa.select(Attachment.name).where(Attachment.intervention_id == key)).all()
    return session.get_one(Intervention, key).state, sorted(names)


def test_one_closes_it_with_a_photo_in_one_step(desk_client: Clients, session: RecordSession, visit: int) -> None:
    client = desk_client("operator2")
    page = client.get(f"/intervention/{visit}/do/complete").text
    photo = next(tag for tag in re.findall(r"<input[^>]*>", page) if "capture" in tag)
    assert 'capture="environment"' in photo
    assert 'accept="image/*"' in photo
    assert 'enctype="multipart/form-data"' in page
    # What is refused changes nothing, and what was typed stays.
    refused = closing(client, visit, (b"MZ" + b"\0" * 100, "foto.png"))
    assert refused.status_code == 415
    assert "Sostituita la lampada" in refused.text
    assert 'role="alert"' in refused.text
    assert stored(session, visit) == (InterventionState.arrived, [])
    assert closing(client, visit, (PNG, "foto.png"), (b"%PDF-1.4\n%%EOF", "rapportino.pdf")).status_code == 303
    assert stored(session, visit) == (InterventionState.done, ["foto.png", "rapportino.pdf"])


def test_a_photo_is_no_duty_and_other_verbs_ask_for_none(
    desk_client: Clients, session: RecordSession, visit: int
) -> None:
    client = desk_client("operator2")
    assert 'type="file"' not in client.get(f"/intervention/{visit}/do/give_up").text
    assert closing(client, visit).status_code == 303
    assert stored(session, visit) == (InterventionState.done, [])


def test_its_day_is_shown_in_list_page_and_queue_and_marked_when_late(
    desk_client: Clients, session: RecordSession, visit: int
) -> None:
    record = session.get_one(Intervention, visit).ticket
    ticket, queue_id = record.id, record.queue_id
    session.rollback()
    client = desk_client("operator2")
    for path in ("/intervention/", f"/intervention/{visit}", f"/support/{ticket}"):
        assert "due-late" in client.get(path).text, path
    queue = client.get(f"/support/?show=all&queue={queue_id}").text
    row = next(line for line in queue.split('<li class="queue-line">') if f'data-key-row="{ticket}"' in line)
    assert "due-late" in row.partition("queue-visit")[2]
    shown = unescape(client.get(f"/support/{ticket}").text)
    assert re.search(r"<span>1 (su|of) 2</span>", shown)
    assert f"/intervention/{visit}/do/complete" in shown
    # Once it is done nobody is told that it is late.
    assert closing(client, visit).status_code == 303
    assert (
        "queue-visit"
        not in client.get(f"/support/?show=all&queue={queue_id}").text.partition(f'data-key-row="{ticket}"')[2][:1500]
    )
