"""Which team tickets go to: that of the closest rule of their queue, unless somebody chose one (CC-08)."""

from __future__ import annotations

from typing import Any, cast

import pytest
import sqlalchemy as sa

from backoffice.access import INTERNAL
from backoffice.actors import SYSTEM
from backoffice.database import RecordSession, begin_writing
from backoffice.operations.plain import create_record, update_record
from models.history_entry import HistoryEntry
from models.request_type import RequestType
from models.routing_rule import RoutingRule
from models.support_team import SupportTeam
from models.ticket import Ticket, TicketState, Urgency
from tests.operations.world import World

pytestmark = pytest.mark.databases("sqlite", "postgresql", long=("postgresql",))


@pytest.fixture
def world(session: RecordSession) -> World:
    with begin_writing():
        return World(session)


def team(world: World, name: str) -> SupportTeam:
    return cast("SupportTeam", world.add(SupportTeam(name=name, group_company=world.house)))


def rule(world: World, name: str, **values: Any) -> RoutingRule:
    row = RoutingRule(**{"queue": world.queue, "team": team(world, name), **values})
    return cast("RoutingRule", world.add(row))


def opened(world: World, **values: Any) -> Ticket:
    given = {"queue": world.queue.id, "company": world.company.id, "subject": "Luce", "description": "Spenta", **values}
    return cast("Ticket", create_record(world.session, Ticket, given, actor=SYSTEM))


def test_the_rule_that_names_more_wins_then_the_order(world: World) -> None:
    with begin_writing():
        other = world.add(RequestType(group_id=world.group.id, code="ALTRO", name="Altro"))
        rule(world, "Tutto")
        late = rule(world, "Guasti dopo", request_type=world.type, priority=20)
        rule(world, "Guasti", request_type=world.type)
        rule(world, "Guasti urgenti", request_type=world.type, urgency=Urgency.high, priority=99)
        rule(world, "Non più", request_type=world.type, urgency=Urgency.high, priority=1, active=False)
        fault = {"request_type": world.type.id}
        assert str(opened(world, **fault, requested_urgency="high").team) == "Guasti urgenti"
        # Where the client has not said how urgent it is, what staff say counts.
        assert str(opened(world, **fault, priority="high").team) == "Guasti urgenti"
        assert str(opened(world, **fault, requested_urgency="low", priority="high").team) == "Guasti"
        assert str(opened(world, request_type=other.id).team) == "Tutto"
        assert str(opened(world, **fault).team) == "Guasti"
        late.priority = 5
        world.session.flush()
        assert str(opened(world, **fault).team) == "Guasti dopo"


def test_without_a_rule_it_is_the_team_of_the_queue_and_a_chosen_one_stays(world: World) -> None:
    with begin_writing():
        found = opened(world)
        assert (found.team, found.routing_rule) == (world.first_level, None)
        rule(world, "Tutto")
        found = opened(world, team=world.second_level.id)
        assert (found.team, found.routing_rule) == (world.second_level, None)


def test_sorted_for_the_first_time_it_is_routed_and_the_history_says_by_which_rule(world: World) -> None:
    session = world.session
    with begin_writing():
        faults = rule(world, "Guasti", request_type=world.type)
        urgent = rule(world, "Guasti urgenti", request_type=world.type, urgency=Urgency.emergency)
        found = opened(world)
        update_record(session, found, {"request_type": world.type.id}, version=None, actor=SYSTEM)
        assert (found.team, found.routing_rule) == (faults.team, faults)
        update_record(session, found, {"requested_urgency": "emergency"}, version=None, actor=SYSTEM)
        assert (found.team, found.routing_rule) == (urgent.team, urgent)
        about = sa.and_(HistoryEntry.entity == "ticket", HistoryEntry.record_id == found.id)
        rows = session.scalars(sa.select(HistoryEntry.changes).where(about).order_by(HistoryEntry.id))
        told = [changes["routing_rule"] for changes in rows if "routing_rule" in changes]
        assert told == [[None, faults.id], [faults.id, urgent.id]]
        # Said once more, otherwise: whoever looks after it has it already.
        update_record(session, found, {"requested_urgency": "low"}, version=None, actor=SYSTEM)
        assert found.routing_rule is urgent


def test_nobody_is_overruled_who_chose_a_team_or_works_on_it(world: World) -> None:
    session = world.session
    with begin_writing():
        rule(world, "Guasti", request_type=world.type)
        given = {"request_type": world.type.id}
        chosen, both = opened(world, team=world.second_level.id), opened(world)
        update_record(session, chosen, given, version=None, actor=SYSTEM)
        update_record(session, both, given | {"team": world.second_level.id}, version=None, actor=SYSTEM)
        at_work = world.ticket(TicketState.in_progress, request_type=None, team=world.first_level)
        update_record(session, at_work, given, version=None, actor=SYSTEM)
        assert [row.team for row in (chosen, both)] == [world.second_level] * 2
        assert at_work.team is world.first_level
        stored = session.scalars(sa.select(Ticket.routing_rule_id), execution_options=INTERNAL)
        assert set(stored) == {None}
