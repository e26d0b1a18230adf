"""How assistance stands: each figure is one of the list behind it, for every role, way and time (issue 5, 8)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask

from backoffice import clock
from backoffice.access import INTERNAL
from backoffice.actors import Action, Actor, Context, Door
from backoffice.database import RecordSession, begin_writing, open_session
from backoffice.identity import load_actor
from backoffice.permissions import ROLES
from backoffice.records.pages import conditions, find_page, in_sight, read_query
from bench.watching import watched
from models.base import ENTITIES
from models.export_entry import ExportEntry
from models.package_movement import MovementKind as Kind
from models.package_movement import PackageMovement
from models.penalty import Penalty, PenaltyState
from models.setting import Setting
from models.staff import Staff
from models.support_package import PackageState
from models.ticket import TicketState
from models.ticket_clock import ClockState, TicketClock
from models.time_entry import TimeEntry
from models.values import Minutes
from tests.access.person import daily
from tests.clients import DeskClient
from tests.operations.world import World, day
from views.desk.support_choices import WAYS

pytestmark = pytest.mark.databases("postgresql", "sqlite", long=("sqlite",))
_LINK = re.compile(r'<a (?:class="panel number[^"]*" )?href="/backoffice/([a-z_]+)/\?([^"]*)"[^>]*>(.*?)</a>')
_COUNT = re.compile(r'class="count-label[^"]*"[^>]*>\s*([0-9.]+)')
_ROW = re.compile(r"<tr><th scope=\"row\">(.*?)</tr>", re.DOTALL)
Clients = Callable[..., DeskClient]


def section(page: str, name: str) -> str:
    """Return what stands between the heading of a part of the page and its end."""
    return page.partition(f'<h2 id="{name}">')[2].partition("</section>")[0]


def figures(page: str) -> Iterator[tuple[str, list[str], str]]:
    """Yield each figure of a page, or of a part of one: whose list it leads to, its filters, and what it says."""
    for name, query, inside in _LINK.findall(page.partition("<main")[2] or page):
        text = re.sub(r"<[^>]*>", "", inside.partition('class="value">')[2] or inside)
        yield name, parse_qs(urlsplit("?" + unescape(query)).query)["f"], unescape(text).strip()


@pytest.fixture
def filled(session: RecordSession, staff: Callable[[str], Staff]) -> None:
    """Some of everything that is counted, for people of the first group."""
    administrator = staff("administrator")
    group_id, person_id = administrator.group_id, administrator.id
    session.rollback()
    with begin_writing():
        world = World(session, group_id=group_id)
        clocks: list[TicketClock] = [world.timed() for _number in range(5)]
        for place, row in enumerate(clocks[:4]):
            row.state, row.met_at, row.taken_minutes = ClockState.met, row.due_at, (50, 10, 90, 40)[place]
            row.policy = clocks[0].policy
        clocks[4].breached_at = clocks[4].due_at
        for state in PenaltyState:
            world.penalty(state).amount = 120
        package = world.package(PackageState.active)
        for kind, minutes in ((Kind.purchase, 600), (Kind.charge, -90), (Kind.charge, -30)):
            world.add(PackageMovement(package=package, kind=kind, minutes=minutes))
        ticket = world.ticket(TicketState.reopened, reopen_count=1, contract=world.contract())
        world.ticket(TicketState.closed_final, closed_at=clock.now(), company=None)
        for minutes in (30, 45):
            entry = TimeEntry(ticket=ticket, category="ordinary", day=day(0), minutes=minutes, outside_minutes=minutes)
            entry.person_id = person_id
            world.add(entry)
        session.commit()


def actor_of(session: RecordSession, staff: Callable[[str], Staff], role: str) -> Actor:
    actor = load_actor(session, staff(role).id)
    session.rollback()
    return actor


def assert_told(engine: sa.Engine, actor: Actor, name: str, filters: list[str], text: str) -> None:
    """Assert that a figure is the number of rows of the list that the role sees behind it."""
    with open_session(engine, Context(actor, Door.desk)) as mine:
        count = find_page(mine, read_query(ENTITIES[name], actor, filters=filters)).count
    assert count <= 1_000, "beyond, lists round, and so do figures"
    assert text == str(count), (name, filters)


@pytest.mark.parametrize("role", [pytest.param(role, marks=daily(role)) for role in ROLES])
def test_each_figure_is_what_its_list_shows(
    desk_client: Clients,
    session: RecordSession,
    engine: sa.Engine,
    staff: Callable[[str], Staff],
    filled: None,
    role: str,
) -> None:
    actor, client = actor_of(session, staff, role), desk_client(role)
    for by, when in [(way, "opened") for way in WAYS] + [("queue", "closed"), ("company", "closed")]:
        page = client.get(f"/support-figures/?by={by}&when={when}").text
        found = list(figures(page))
        measured = list(figures(section(page, "times")))
        assert len(found) >= 6, (by, when)
        for name, filters, text in found:
            if (name, filters, text) not in measured:
                assert_told(engine, actor, name, filters, text)
        if by == "queue":
            assert_measured(engine, actor, section(page, "times"))
    # What the pages of lists say is what find_page says: one of each kind, as people open them.
    for name, filters in {name: filters for name, filters, _text in found}.items():
        listed = client.get(f"/{name}/", query_string={"f": filters})
        counted = _COUNT.search(listed.text)
        text = next(text for other, those, text in found if (other, those) == (name, filters))
        assert (listed.status_code, counted[1] if counted else "0") == (200, text), (name, filters)


def assert_measured(engine: sa.Engine, actor: Actor, part: str) -> None:
    """Assert that median and 90th percentile are those of the rows in the list behind them, as many as said."""
    rows = _ROW.findall(part)
    assert bool(rows) == actor.may(Action.read, ENTITIES["sla_policy"])
    for row in rows:
        median, ninetieth, count = figures(row)
        assert median[:2] == ninetieth[:2] == count[:2]
        with open_session(engine, Context(actor, Door.desk)) as mine:
            query = in_sight(mine, read_query(TicketClock, actor, filters=median[1]))
            wanted = sa.select(TicketClock.taken_minutes).where(*conditions(query))
            taken = sorted(minutes for minutes in mine.scalars(wanted) if minutes is not None)
        assert count[2] == str(len(taken))
        said = [Minutes().show(taken[-(-len(taken) * percent // 100) - 1]) for percent in (50, 90)]
        assert [median[2], ninetieth[2]] == said, row


def test_the_median_is_one_that_occurs(desk_client: Clients, session: RecordSession, filled: None) -> None:
    wanted = sa.select(TicketClock.policy_id).where(TicketClock.taken_minutes == 90).order_by(TicketClock.id.desc())
    key = session.scalars(wanted, execution_options=INTERNAL).first()
    page = desk_client("administrator").get("/support-figures/").text
    rows = _ROW.findall(section(page, "times"))
    row = next(row for row in rows if f"policy:in:{key}" in next(figures(row))[1])
    # Of 10, 40, 50 and 90 minutes against an hour: half took 40 at most, nine in ten 90.
    assert [text for _name, _filters, text in figures(row)] == ["40 min", "1 h 30 min", "4"]
    assert "1 h</td>" in row


def test_sums_are_those_of_their_lists(
    desk_client: Clients, session: RecordSession, staff: Callable[[str], Staff], engine: sa.Engine, filled: None
) -> None:
    actor = actor_of(session, staff, "administrator")
    page = desk_client("administrator").get("/support-figures/").text
    seen = 0
    columns = {"package_movement": "minutes", "support_package": "residual_minutes", "time_entry": "outside_minutes"}
    for part in ("hours", "outside"):
        inside = section(page, part)
        told = [unescape(text) for text in re.findall(r'(?:<td class="num">|<dd>)([^<]+)<', inside)]
        for (name, filters, _count), text in zip(figures(inside), told, strict=True):
            with open_session(engine, Context(actor, Door.desk)) as mine:
                query = read_query(ENTITIES[name], actor, filters=filters)
                column = getattr(ENTITIES[name], columns[name])
                total = mine.scalar(sa.select(sa.func.coalesce(sa.func.sum(column), 0)).where(*conditions(query)))
            assert text in (Minutes().show(total), Minutes().show(-total)), (name, filters)
            seen += 1
    assert seen >= 4
    amounts = session.execute(
        sa.select(Penalty.state, sa.func.sum(Penalty.amount))
        .where(Penalty.group_id == actor.group_id)
        .group_by(Penalty.state)
    ).all()
    for state, total in amounts:
        assert f"{total or 0:.2f}".replace(".", ",") in section(page, "penalties").replace(".", ""), state


def test_somebody_who_sees_their_own_time_only_gets_no_sum_of_it(desk_client: Clients, filled: None) -> None:
    assert 'id="outside"' in desk_client("management").get("/support-figures/").text
    assert 'id="outside"' not in desk_client("operator1").get("/support-figures/").text


def test_a_time_that_cannot_be_is_told_of(desk_client: Clients) -> None:
    client = desk_client("management")
    for query in ("from=2026-02-01&to=2026-01-01", "from=1999-01-01&to=2026-01-01", "from=gestern"):
        answer = client.get(f"/support-figures/?{query}")
        assert (answer.status_code, 'role="alert"' in answer.text) == (200, True), query
        assert f'value="{query.partition("&")[0].removeprefix("from=")}"' in answer.text  # as it was typed
    assert 'role="alert"' not in client.get("/support-figures/?by=assignee&from=2026-01-01&to=2026-06-30").text


def test_no_figure_names_a_person(desk_client: Clients, session: RecordSession) -> None:
    client = desk_client("management")
    people = session.execute(sa.select(Staff.first_name, Staff.last_name).where(Staff.last_name != "")).all()
    for query in ("", "?by=assignee", "?by=person"):
        main = client.get(f"/support-figures/{query}").text.partition("<main")[2]
        assert not [name for first, last in people if (name := f"{first} {last}") in main]


def test_no_list_is_counted_by_whose_work_it_is(desk_client: Clients, staff: Callable[[str], Staff]) -> None:
    client, mine, other = desk_client("administrator"), staff("administrator").id, staff("operator1").id
    assert 'value="queue"' in client.get("/ticket/figures").text
    for name in ("ticket", "time_entry", "call", "on_call_shift", "on_call_alert", "company"):
        page = client.get(f"/{name}/figures").text
        ways = re.findall(r'<option value="([a-z_]+)"', page)
        assert not {"assignee", "person", "operator", "account_manager", "created_by"} & set(ways), name
    assert client.get("/ticket/figures?by=assignee").status_code == 400
    assert client.get(f"/ticket/figures?f=assignee:in:{other}").status_code == 400
    assert client.get(f"/ticket/figures?f=assignee:in:{mine},{other}").status_code == 400
    assert client.get(f"/ticket/figures?f=assignee:in:{mine}").status_code == 200
    assert client.get("/ticket/figures?f=assignee:empty:").status_code == 200


def looks(session: RecordSession) -> int:
    session.rollback()
    wanted = sa.select(sa.func.count()).select_from(ExportEntry).where(ExportEntry.format == "page")
    return session.scalar(wanted) or 0


def test_figures_of_operators_are_closed_until_a_setting_opens_them_and_each_look_is_written_down(
    desk_client: Clients, session: RecordSession, engine: sa.Engine, staff: Callable[[str], Staff], filled: None
) -> None:
    group_id = staff("administrator").group_id
    settings = desk_client("administrator").get("/settings/").text
    assert "art. 4 L. 300/1970" in settings
    for role in ROLES:
        client = desk_client(role)
        assert client.get("/support-figures/operators").status_code == 404, role
        assert "/support-figures/operators" not in client.get("/support-figures/").text
    assert looks(session) == 0
    session.rollback()
    with begin_writing():
        session.add(Setting(group_id=group_id, key="operator_figures", value="1"))
        session.commit()
    opened = []
    for role in ROLES:
        client = desk_client(role)
        answer = client.get("/support-figures/operators")
        if answer.status_code == 200:
            opened.append(role)
            assert "art. 4 L. 300/1970" in answer.text.partition("<h1>")[2].partition("</h1>")[0]
            assert looks(session) == len(opened)
            actor = actor_of(session, staff, role)
            found = list(figures(answer.text))
            assert found
            for name, filters, text in found:
                assert_told(engine, actor, name, filters, text)
        else:
            assert answer.status_code == 404, role
    assert opened == ["administrator", "management"]
    entry = session.scalars(sa.select(ExportEntry).where(ExportEntry.format == "page").limit(1)).one()
    assert (entry.entity, "assignee" in entry.columns, entry.actor_name) == (
        "ticket",
        True,
        str(staff("administrator")),
    )


def test_it_takes_few_statements(desk: Flask, desk_client: Clients, filled: None) -> None:
    client = desk_client("administrator")
    for path in ("/support-figures/", "/support-figures/?by=company&when=closed"):
        with watched(desk.extensions["engine"]) as seen:
            assert client.get(path).status_code == 200
        assert len(seen) <= 13, [text[:200] for text, _values in seen]
