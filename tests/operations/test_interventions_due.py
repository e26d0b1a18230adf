"""By when interventions are due, and how much work lay outside the hours of a service (SL-16, OS-02, OS-06, TK-29)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from backoffice.actors import SYSTEM, Action
from backoffice.database import RecordSession
from backoffice.operations.interventions import StillToCome
from backoffice.operations.plain import create_record, update_record
from backoffice.operations.verbs import perform
from backoffice.permissions import entities_in
from backoffice.records.filters import condition
from backoffice.records.pages import read_query
from models.intervention import Intervention, InterventionState
from models.setting import Setting
from models.sla_policy import SlaClock, SlaKind
from models.ticket import TicketState
from models.time_entry import TimeEntry
from tests.operations.test_clocks import at, level, opened, opening_hours, rome
from tests.operations.world import World

pytestmark = pytest.mark.databases("postgresql", "sqlite", long=("sqlite",))


def asked(world: World, ticket: Any = None, **values: Any) -> Any:
    ticket = ticket or opened(world)
    return create_record(world.session, Intervention, {"ticket": ticket, **values}, actor=SYSTEM)


@pytest.mark.parametrize(
    ("code", "asked_at", "due"),
    [
        ("CAL-01", "2024-05-03 11:00", "2024-05-06 17:30"),  # from Friday to Monday
        ("CAL-01", "2024-05-04 11:00", "2024-05-06 17:30"),  # asked for on a day that is none
        ("CAL-03", "2024-05-02 23:00", "2024-05-03 13:30"),  # closes at half past one on Fridays
    ],
)
def test_it_is_due_at_the_end_of_service_of_the_next_working_day(
    session: RecordSession, code: str, asked_at: str, due: str
) -> None:
    world = World(session)
    opening_hours(world, code)
    with at(asked_at):
        visit = asked(world)
    assert visit.due_at == rome(due)


def test_settings_and_service_levels_say_otherwise(session: RecordSession) -> None:
    world = World(session)
    calendar = opening_hours(world)
    setting = world.add(Setting(group_id=world.group.id, key="intervention_days", value="3"))
    session.info.pop("settings", None)
    with at("2024-05-03 11:00"):
        visit = asked(world)
    assert visit.due_at == rome("2024-05-08 17:30")
    level(world, SlaKind.on_site, 120, clock=SlaClock.wall)
    with at("2024-05-03 23:10"):
        assert asked(world).due_at == rome("2024-05-04 01:10")
    # Whoever plans it works with the hours of then.
    calendar.intervals[-1].to_time = None
    with at("2024-05-03 23:20"):
        perform(session, visit, "schedule", {"planned_at": rome("2024-05-04 09:00")}, actor=SYSTEM)
    assert visit.due_at == rome("2024-05-03 13:00")
    assert setting.value == "3"


def test_without_agreed_hours_no_day_is_set(session: RecordSession) -> None:
    world = World(session)
    with at("2024-05-03 11:00"):
        assert asked(world).due_at is None


def test_it_is_late_until_it_is_done(session: RecordSession) -> None:
    world = World(session)
    opening_hours(world)
    with at("2024-05-03 11:00"):
        visit = asked(world)
    actor = world.staff("interventions")
    late = next(list_ for list_ in Intervention.__admin__.worklists if list_.tone == "bad")
    query = read_query(Intervention, actor, filters=list(late.filters))

    def is_late() -> bool:
        found = session.query(Intervention.id).filter(*(condition(item) for item in query.filters)).all()
        return (visit.id,) in [tuple(row) for row in found]

    with at("2024-05-06 17:29"):
        assert not is_late()
    with at("2024-05-06 17:31"):
        assert is_late()
        perform(session, visit, "schedule", {"planned_at": rome("2024-05-06 18:00")}, actor=SYSTEM)
        perform(session, visit, "arrive", {"arrived_at": rome("2024-05-06 17:31")}, actor=SYSTEM)
        assert is_late()
        values = {"ended_at": rome("2024-05-06 18:00"), "outcome": "Sostituita"}
        with pytest.raises(StillToCome):
            perform(session, visit, "complete", values, actor=SYSTEM)
    with at("2024-05-06 18:00"):
        perform(session, visit, "complete", values, actor=SYSTEM)
        assert not is_late()
    assert visit.state is InterventionState.done


def test_a_role_that_looks_after_no_calendar_works_within_them(session: RecordSession) -> None:
    world = World(session)
    opening_hours(world)
    ticket = opened(world)
    actor = world.staff("interventions", "tickets", "queues")
    assert not actor.may(Action.read, entities_in("calendars")[0])
    session.flush()
    session.expire_all()
    session.info["context"] = type(session.info["context"])(actor, session.info["context"].door)
    with at("2024-05-03 11:00"):
        visit: Any = create_record(session, Intervention, {"ticket": ticket}, actor=actor)
    assert visit.due_at == rome("2024-05-06 17:30")


@pytest.mark.parametrize(
    ("day", "began_at", "minutes", "outside"),
    [
        (date(2024, 5, 6), "17:00", 60, 30),  # half an hour beyond closing
        (date(2024, 5, 6), "12:00", 120, 60),  # over lunch
        (date(2024, 5, 6), "", 60, 0),  # nobody knows
        (date(2024, 5, 6), "", 500, 20),  # more than the service is open
        (date(2024, 5, 5), "", 45, 45),  # on a Sunday
        (date(2024, 5, 6), "23:30", 60, 60),  # past midnight
    ],
)
def test_work_outside_the_hours_of_the_service(
    session: RecordSession, day: date, began_at: str, minutes: int, outside: int
) -> None:
    world = World(session)
    someone = session.query(TimeEntry).first().person  # type: ignore[union-attr]
    values = {"ticket": world.ticket(TicketState.in_progress), "category": "ordinary", "person": someone}
    values |= {"day": day, "began_at": began_at, "minutes": str(minutes)}
    with at("2024-05-08 12:00"):
        without: Any = create_record(session, TimeEntry, values, actor=SYSTEM)
        opening_hours(world)
        entry: Any = create_record(session, TimeEntry, values, actor=SYSTEM)
        assert (without.outside_minutes, entry.outside_minutes) == (None, outside)
        update_record(session, entry, {"began_at": "09:00", "minutes": "30", "day": day}, version=None, actor=SYSTEM)
        assert entry.outside_minutes == (30 if day.weekday() == 6 else 0)
