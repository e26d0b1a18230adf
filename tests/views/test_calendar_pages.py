"""One's own calendar at the desk: what is in it, for whom, and until when (issue 5, section 4)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import icalendar
import pytest
import sqlalchemy as sa

from backoffice import clock
from backoffice.database import RecordSession, begin_writing
from backoffice.identity import RoleRow, UserRole
from models.history_entry import HistoryEntry
from models.intervention import InterventionState
from models.on_call_shift import OnCallShift
from models.role_right import RoleRight
from models.staff import Staff
from models.team_member import TeamMember
from models.ticket import TicketState
from tests.clients import DeskClient
from tests.operations.world import World

pytestmark = pytest.mark.databases("postgresql", "sqlite", long=("sqlite",))
Clients = Callable[..., DeskClient]


def addresses_in(text: str) -> list[str]:
    return re.findall(r'value="http://localhost/backoffice(/calendar/[^"]+[.]ics)"', text)


def keys(client: DeskClient, address: str) -> dict[str, icalendar.cal.Component]:
    answer = client.get(address)
    assert (answer.status_code, answer.content_type) == (200, "text/calendar; charset=utf-8")
    events = icalendar.Calendar.from_ical(answer.get_data()).walk("VEVENT")
    return {str(event["uid"]).partition("@")[0]: event for event in events}


@pytest.fixture
def planned(session: RecordSession, staff: Callable[[str], Staff]) -> dict[str, str]:
    """Shifts and visits of an operator, of their team, and of somebody else's; the keys of their entries."""
    me, other = staff("operator1"), staff("operator2")
    mine, others, group_id = me.id, other.id, me.group_id
    session.rollback()
    now = clock.now()
    with begin_writing():
        world = World(session, group_id=group_id)
        for team in (world.first_level,):
            world.add(TeamMember(team=team, staff_id=mine))
        found: dict[str, str] = {}
        shifts = {
            "my shift": (world.second_level, mine, now),
            "a colleague's shift": (world.first_level, others, now),
            "a stranger's shift": (world.second_level, others, now),
            "an old shift": (world.first_level, mine, now - timedelta(days=90)),
        }
        for name, (team, person, start) in shifts.items():
            shift = OnCallShift(team=team, person_id=person, starts_at=start, ends_at=start + timedelta(hours=8))
            found[name] = f"shift-{world.add(shift).id}"
        visits = {
            "my visit": (mine, world.second_level, InterventionState.scheduled),
            "my team's visit": (others, world.first_level, InterventionState.scheduled),
            "a stranger's visit": (others, world.second_level, InterventionState.scheduled),
            "a visit given up": (mine, world.first_level, InterventionState.not_done),
        }
        for name, (assignee, team, state) in visits.items():
            visit = world.intervention(state, team=team)
            visit.ticket.assignee_id, visit.ticket.state = assignee, TicketState.in_progress
            found[name] = f"intervention-{visit.id}"
        due = world.intervention(InterventionState.requested, team=world.first_level)
        due.planned_at, due.due_at = None, now + timedelta(days=1)
        due.ticket.assignee_id = mine
        found["my visit without a date"] = f"intervention-{due.id}"
        session.commit()
    return found


def test_it_has_what_is_mine_and_my_teams(desk_client: Clients, planned: dict[str, str]) -> None:
    client, program = desk_client("operator1"), desk_client()
    assert 'href="/backoffice/calendar/"' in client.get("/").text
    mine, teams = addresses_in(client.submit("/calendar/", {"make": "1"}).text)
    assert addresses_in(client.get("/calendar/").text) == []  # shown this once
    names = {key: name for name, key in planned.items()}
    own = {names[key] for key in keys(program, mine) if key in names}
    assert own == {"my shift", "my visit", "my visit without a date"}
    assert {names[key] for key in keys(program, teams) if key in names} == own | {
        "a colleague's shift",
        "my team's visit",
    }
    day = keys(program, mine)[planned["my visit without a date"]]["dtstart"].dt
    assert day == (clock.now() + timedelta(days=1)).astimezone(clock.ROME).date()


def test_it_obeys_the_rights_of_now_and_ends_with_them(
    desk_client: Clients, session: RecordSession, staff: Callable[[str], Staff], planned: dict[str, str]
) -> None:
    client, program = desk_client("operator1"), desk_client()
    mine, teams = addresses_in(client.submit("/calendar/", {"make": "1"}).text)
    key = staff("operator1").id
    session.rollback()
    assert planned["my visit"] in keys(program, mine)
    role = sa.select(RoleRow.c.id).join(UserRole, UserRole.c.role_id == RoleRow.c.id).where(UserRole.c.user_id == key)
    with begin_writing():
        gone = sa.delete(RoleRight).where(RoleRight.role_id.in_(role), RoleRight.area == "interventions")
        session.execute(gone)
        session.commit()
    for address in (mine, teams):
        assert [name for name in keys(program, address) if name.startswith("intervention")] == []
    assert planned["my shift"] in keys(program, mine)
    with begin_writing():
        session.get_one(Staff, key).active = False
        session.commit()
    for address in (mine, teams):
        assert program.get(address).status_code == 404


def test_its_address_is_a_secret_that_can_be_revoked(
    desk_client: Clients, session: RecordSession, staff: Callable[[str], Staff]
) -> None:
    client, program = desk_client("secretariat"), desk_client()
    first, _teams = addresses_in(client.submit("/calendar/", {"make": "1"}).text)
    session.rollback()  # to see what the request wrote
    digest = staff("secretariat").feed_digest
    session.rollback()
    assert digest is not None
    assert digest not in first
    second, _teams = addresses_in(client.submit("/calendar/", {"make": "1"}).text)
    assert (program.get(first).status_code, program.get(second).status_code) == (404, 200)
    assert client.submit("/calendar/", {"revoke": "1"}).status_code == 303
    assert program.get(second).status_code == 404
    assert program.get("/calendar/mine.ics").status_code == 404
    assert program.get("/calendar/").status_code == 302
    assert client.post("/calendar/", data={"make": "1"}).status_code == 400  # without the token of our page
    wanted = sa.select(HistoryEntry.event).where(HistoryEntry.entity == "ab_user").order_by(HistoryEntry.id.desc())
    told = session.scalars(wanted.limit(3)).all()
    assert list(told) == ["ab_user.revoke_calendar", "ab_user.make_calendar", "ab_user.make_calendar"]
    shown = desk_client("administrator").get(f"/staff/{staff('secretariat').id}?tab=history")
    assert (shown.status_code, digest in shown.text) == (200, False)
