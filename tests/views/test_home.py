"""The start page: what waits, counted within one's rows, each number a way to them."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest
import sqlalchemy as sa

from backoffice import clock
from backoffice.actors import SYSTEM, Actor, ActorKind
from backoffice.database import RecordSession
from backoffice.identity import load_actor
from backoffice.records.flows import courses
from backoffice.records.waiting import worklist_query
from models.staff import Staff
from models.ticket import _AT_WORK, _OVER, Ticket
from tests.clients import DESK, DeskClient
from views.desk.home import MOST_MINE


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


@pytest.mark.parametrize("role", ["administrator", "operator1", "consultant", "management"])
def test_what_comes_and_goes_is_what_its_lists_show(desk_client: Callable[..., DeskClient], role: str) -> None:
    client = desk_client(role)
    page = client.get("/").text
    courses = page.partition('class="courses"')[2].partition('class="halves"')[0]
    numbers = re.findall(rf'class="course-number" href="{DESK}([^"]+)">([^<]+)<', courses)
    weeks = re.findall(rf'<td class="num"><a href="{DESK}([^"]+)">([^<]+)<', courses)
    some = [week for week in weeks if week[1] != "0"]
    assert len(numbers) >= 3
    assert len(weeks) % 8 == 0
    assert some, "some week has something"
    for url, text in [*numbers, *some[::3]]:
        listed = client.get(html.unescape(url)).text
        counted = re.search(r'class="count-label">([^<]+)<', listed)
        assert (counted[1] if counted else "0") == text, url


def test_the_weeks_follow_one_another_from_monday(session: RecordSession, staff: Callable[[str], Staff]) -> None:
    actor = load_actor(session, staff("administrator").id)
    sunday = date(2026, 11, 29)
    opened, _closed = courses(Ticket, actor, sunday)
    assert [span.first.weekday() for span in opened.weeks] == [0] * 8
    assert (opened.weeks[0].first, opened.weeks[-1].last) == (date(2026, 10, 5), sunday)
    following = zip(opened.weeks, opened.weeks[1:], strict=False)
    assert all((after.first - before.last).days == 1 for before, after in following)
    assert (opened.now.first, opened.now.last) == (date(2026, 11, 2), sunday)
    assert (opened.before.first, opened.before.last) == (date(2026, 10, 5), date(2026, 11, 1))
    masked = frozenset({"ticket.first_closed_at"})
    grants = {area: tuple(replace(g, masked=masked) for g in found) for area, found in actor.grants.items()}
    assert [course.flow.day for course in courses(Ticket, replace(actor, grants=grants), sunday)] == ["created_at"]


def test_ones_own_stand_there_by_their_deadline(
    desk_client: Callable[..., DeskClient], session: RecordSession, staff: Callable[[str], Staff]
) -> None:
    operator = staff("operator1")
    mine = sa.select(Ticket).where(Ticket.assignee_id == operator.id, Ticket.state.not_in(_OVER))
    by_deadline = mine.order_by(Ticket.due_at.asc().nulls_last(), Ticket.created_at.desc(), Ticket.id.desc())
    wanted = [f"/ticket/{row.id}" for row in session.scalars(by_deadline.limit(MOST_MINE))]
    panel = desk_client("operator1").get("/").text.partition('class="panel mine"')[2].partition("</section>")[0]
    assert re.findall(rf'href="{DESK}(/ticket/\d+)"', panel) == wanted
    assert len(wanted) == MOST_MINE
    assert "scaduto da" in panel
    assert 'class="panel mine"' not in desk_client("quality").get("/").text
