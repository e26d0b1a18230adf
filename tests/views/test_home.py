"""The start page: what waits, counted within one's rows, each number a way to them."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import replace

import sqlalchemy as sa

from backoffice import clock
from backoffice.actors import SYSTEM, Actor, ActorKind
from backoffice.database import RecordSession
from backoffice.identity import load_actor
from backoffice.records.waiting import worklist_query
from models.staff import Staff
from models.ticket import _AT_WORK, _OVER, Ticket
from tests.clients import DESK, DeskClient


def tiles(client: DeskClient) -> dict[str, tuple[str, int]]:
    """Return address and number of each tile by its label."""
    page = client.get("/").text
    found = re.findall(r'number-\w+" href="([^"]+)">.*?</i>([^<]+)</span><span class="value">([^<]+)', page)
    return {html.unescape(label): (html.unescape(url).removeprefix(DESK), int(n)) for url, label, n in found}


def test_numbers_open_the_rows_they_count(
    desk_client: Callable[..., DeskClient], session: RecordSession, staff: Callable[[str], Staff]
) -> None:
    operator = staff("operator1")
    tickets = session.scalars(sa.select(Ticket).where(Ticket.group_id == operator.group_id)).all()
    mine = [row for row in tickets if row.assignee_id == operator.id and row.state not in _OVER]
    late = [row for row in tickets if row.due_at and row.due_at < clock.now() and row.state in _AT_WORK]
    everything = tiles(desk_client("administrator"))
    assert everything["Ticket scaduti"][1] == len(late) > 0
    client = desk_client("operator1")
    shown = tiles(client)
    assert shown["I miei ticket aperti"][1] == len(mine) > 0
    unit = staff("evaluator").business_unit_id
    of_unit = [row for row in late if row.business_unit_id == unit]
    assert tiles(desk_client("evaluator"))["Ticket scaduti"][1] == len(of_unit) < len(late)
    for url, number in shown.values():
        page = client.get(url).text
        assert f'class="count-label">{number}<' in page, url


def test_nobody_counts_by_what_is_masked(session: RecordSession, staff: Callable[[str], Staff]) -> None:
    mine, late, *_rest = Ticket.__admin__.worklists
    actor = load_actor(session, staff("operator2").id)
    assert worklist_query(Ticket, late, actor) is not None
    masked = frozenset({"ticket.due_at"})
    grants = {area: tuple(replace(g, masked=masked) for g in found) for area, found in actor.grants.items()}
    blind = replace(actor, grants=grants)
    assert worklist_query(Ticket, late, blind) is None
    assert worklist_query(Ticket, mine, blind) is not None
    assert worklist_query(Ticket, mine, SYSTEM) is None
    assert worklist_query(Ticket, mine, Actor(ActorKind.anonymous)) is None
