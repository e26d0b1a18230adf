"""How assistance stands: each number is the number of rows of the list behind it, for every role (RP, item 8)."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import pytest
import sqlalchemy as sa
from flask import Flask

from backoffice.database import RecordSession, begin_writing
from models.staff import Staff
from models.ticket_clock import ClockState, TicketClock
from tests.clients import DeskClient
from tests.operations.world import World
from tests.toolkit.managed import statements

pytestmark = pytest.mark.databases("postgresql", "sqlite", long=("sqlite",))
_NUMBER = re.compile(
    r'<a (?:class="panel number[^"]*" )?href="(/backoffice/[a-z_]+/\?[^"]*)"[^>]*>'
    r'(?:<span class="label">.*?</span><span class="value">)?([0-9.]+)<'
)
_COUNT = re.compile(r'class="count-label[^"]*"[^>]*>\s*([0-9.]+)')


@pytest.mark.parametrize("role", ["administrator", "operator1", "management", "consultant", "evaluator"])
def test_each_number_is_what_its_list_shows(
    desk_client: Callable[..., DeskClient], session: RecordSession, staff: Callable[[str], Staff], role: str
) -> None:
    group_id = staff("administrator").group_id
    session.rollback()
    with begin_writing():
        world = World(session, group_id=group_id)
        clocks: list[TicketClock] = [world.timed() for _number in range(3)]
        clocks[0].state, clocks[0].met_at = ClockState.met, clocks[0].due_at
        clocks[1].breached_at = clocks[1].due_at
        world.penalty()
        session.commit()
    client = desk_client(role)
    page = client.get("/support-figures/").text
    found = {unescape(url): text for url, text in _NUMBER.findall(page)}
    assert len(found) >= 12
    for url, text in found.items():
        listed = client.get(url.removeprefix("/backoffice"))
        assert listed.status_code == 200, url
        counted = _COUNT.search(listed.text)
        assert (counted[1] if counted else "0") == text, url


def test_no_figure_names_a_person(desk_client: Callable[..., DeskClient], session: RecordSession) -> None:
    page = desk_client("management").get("/support-figures/").text
    main = page.partition("<main")[2]
    people = session.execute(sa.select(Staff.first_name, Staff.last_name).where(Staff.last_name != "")).all()
    assert not [name for first, last in people if (name := f"{first} {last}") in main]


def test_it_takes_few_statements(desk: Flask, desk_client: Callable[..., DeskClient]) -> None:
    client = desk_client("administrator")
    with statements(desk.extensions["engine"]) as seen:
        assert client.get("/support-figures/").status_code == 200
    assert len([text for text in seen if text != "BEGIN"]) <= 8
