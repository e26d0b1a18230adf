"""Work around tickets: entitlements are counted, the second level takes and gives back, time has a category."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from backoffice import clock
from backoffice.actors import SYSTEM
from backoffice.database import RecordSession
from backoffice.errors import DomainError, InvalidRecord
from backoffice.operations.interventions import (
    CountedAlready,
    NoneLeft,
    NotAtThisSite,
    NotForInterventions,
    NotValidThen,
    StillCounted,
)
from backoffice.operations.plain import create_record, update_record
from backoffice.operations.verbs import perform
from models.asset import Asset
from models.entitlement import EntitlementKind
from models.escalation import Escalation, EscalationState
from models.intervention import Intervention, InterventionState
from models.site import Site
from models.sla_policy import SlaPolicy
from models.ticket import TicketState
from models.time_entry import TimeEntry
from tests.operations.world import PASSED_ON, World, day


def request(session: RecordSession, world: World, **values: Any) -> Any:
    ticket = values.pop("ticket", None) or world.ticket(TicketState.in_progress)
    return create_record(session, Intervention, {"ticket": ticket, **values}, actor=SYSTEM)


def test_interventions_are_counted_up_to_what_is_agreed(session: RecordSession) -> None:
    world = World(session)
    agreed = world.entitlement(max_count=2)
    first, _second = (request(session, world, entitlement=agreed) for _ in range(2))
    assert (agreed.used_count, "0 di 2" in str(agreed) or "0 of 2" in str(agreed)) == (2, True)
    with pytest.raises(NoneLeft), session.begin_nested():
        request(session, world, entitlement=agreed)
    # Nobody names an entitlement: the one that fits counts, and going beyond it takes a reason (OS-02).
    with pytest.raises(NoneLeft), session.begin_nested():
        request(session, world)
    with pytest.raises(CountedAlready), session.begin_nested():
        request(session, world, entitlement=agreed, beyond_reason="Urgente")
    beyond = request(session, world, beyond_reason="Lo chiede il sindaco, e lo paga")
    assert (beyond.entitlement, agreed.used_count) == (None, 2)
    with pytest.raises(StillCounted):
        perform(session, first, "refuse", {"outcome": "Esauriti"}, actor=SYSTEM)
    perform(session, beyond, "refuse", {"outcome": "Esauriti"}, actor=SYSTEM)
    perform(session, first, "give_up", {"outcome": "Sede chiusa"}, actor=SYSTEM)
    assert agreed.used_count == 1
    assert request(session, world, mode="remote").entitlement is None  # nobody goes anywhere
    assert request(session, world).entitlement is agreed
    assert (agreed.used_count, beyond.state) == (2, InterventionState.refused_cap)


def test_an_entitlement_is_good_for_its_kind_time_and_place(session: RecordSession) -> None:
    world = World(session)
    seat = world.add(Site(company=world.company, name="Sede"))
    refusals: list[tuple[type[DomainError], dict[str, Any], dict[str, Any]]] = [
        (NotForInterventions, {"kind": EntitlementKind.second_level}, {}),
        (NotValidThen, {"valid_from": day(1)}, {}),
        (NotValidThen, {"valid_to": day(-1)}, {}),
        (NotAtThisSite, {"site": seat}, {}),
    ]
    for refusal, terms, values in refusals:
        with pytest.raises(refusal), session.begin_nested():
            request(session, world, entitlement=world.entitlement(**terms), **values)
    request(session, world, entitlement=world.entitlement(site=seat, valid_to=day(0)), site=seat)


def test_nobody_arrives_before_the_request(session: RecordSession) -> None:
    world = World(session)
    intervention = request(session, world)
    perform(session, intervention, "schedule", {"planned_at": clock.now()}, actor=SYSTEM)
    early = intervention.requested_at - timedelta(minutes=1)
    with pytest.raises(InvalidRecord) as refused, session.begin_nested():
        perform(session, intervention, "arrive", {"arrived_at": early}, actor=SYSTEM)
    assert set(refused.value.problems) == {"arrived_at"}


def test_a_ticket_is_passed_on_with_what_was_tried_and_comes_back(session: RecordSession) -> None:
    world = World(session)
    ticket = world.ticket(TicketState.in_progress, team=world.first_level)
    told = {**PASSED_ON, "to_team": world.second_level}
    for missing in ("description", "actions", "workaround"):
        with pytest.raises(InvalidRecord) as refused:
            perform(session, ticket, "escalate", {**told, missing: " "}, actor=SYSTEM)
        assert set(refused.value.problems) == {missing}
    perform(session, ticket, "escalate", told, actor=SYSTEM)
    escalation = session.scalars(sa.select(Escalation).where(Escalation.ticket == ticket)).one()
    assert (ticket.state, ticket.team, escalation.from_team) == (
        TicketState.waiting_l2,
        world.second_level,
        world.first_level,
    )
    perform(session, escalation, "return", {"missing": "Versione"}, actor=SYSTEM)
    assert (ticket.state, ticket.team) == (TicketState.in_progress, world.first_level)
    assert (escalation.state, escalation.ended_at is None) == (EscalationState.returned, False)
    perform(session, ticket, "escalate", told, actor=SYSTEM)
    # The form shows the team that has it now: whoever leaves that as it is means the one it came from.
    perform(session, ticket, "return", {"team": world.second_level}, actor=SYSTEM)
    assert ticket.team is world.first_level
    states = session.scalars(sa.select(Escalation.state).where(Escalation.ticket == ticket).order_by(Escalation.id))
    assert list(states) == [EscalationState.returned, EscalationState.solved]


def test_time_has_a_category_and_a_person(session: RecordSession) -> None:
    world = World(session)
    values = {"ticket": world.ticket(covered_by_quote=True), "day": day(0), "minutes": "0:45"}
    for without in ({}, {"category": "ordinary"}):
        with pytest.raises(InvalidRecord) as refused, session.begin_nested():
            create_record(session, TimeEntry, {**values, **without}, actor=SYSTEM)
        assert set(refused.value.problems) == ({"category"} if not without else {"person"})
    someone = world.session.scalars(sa.select(TimeEntry)).first().person  # type: ignore[union-attr]
    entry: Any = create_record(session, TimeEntry, {**values, "category": "ordinary", "person": someone}, actor=SYSTEM)
    assert (entry.company_id, entry.minutes, entry.billable) == (world.company.id, 45, False)


def test_assets_are_known_by_their_code_within_a_contract(session: RecordSession) -> None:
    world = World(session)
    values = {"contract": world.contract(), "code": "P-1", "latitude": "46,067871", "longitude": "11,121086"}
    one: Any = create_record(session, Asset, values, actor=SYSTEM)
    two: Any = create_record(session, Asset, {**values, "contract": world.contract()}, actor=SYSTEM)
    assert (len(one.qr_token), one.qr_token == two.qr_token, one.company_id) == (22, False, world.company.id)
    for wrong, field in (({}, "code"), ({"code": "P-2", "longitude": ""}, "longitude")):
        with pytest.raises(InvalidRecord) as refused, session.begin_nested():
            create_record(session, Asset, {**values, **wrong}, actor=SYSTEM)
        assert set(refused.value.problems) == {field}


def test_a_service_level_has_one_figure(session: RecordSession) -> None:
    world = World(session)
    level: Any = world.add(SlaPolicy(group_id=world.group.id, name="Prova", kind="answer", target_minutes=120))
    for wrong in ({"target_days": "1"}, {"target_minutes": ""}):
        with pytest.raises(InvalidRecord), session.begin_nested():
            update_record(session, level, wrong, version=None, actor=SYSTEM)
        session.refresh(level)
    with pytest.raises(InvalidRecord) as refused, session.begin_nested():
        update_record(
            session, level, {"target_minutes": "", "target_days": "1", "clock": "wall"}, version=None, actor=SYSTEM
        )
    assert set(refused.value.problems) == {"clock"}
