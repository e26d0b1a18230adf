"""No page needs more than fifteen statements, whatever the entity (design, chapter 10)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from backoffice import clock
from backoffice.database import RecordSession, begin_writing
from backoffice.operations.clocks import fit
from bench.watching import watched
from models.account import AccountState
from models.asset import Asset, AssetKind
from models.base import ENTITIES, Recorded
from models.call import Call
from models.catalogue import slug
from models.contract import ContractState
from models.escalation import Escalation, EscalationReason, EscalationState
from models.intervention import Intervention, InterventionState
from models.quick_reply import QuickReply
from models.service_calendar import ServiceCalendar
from models.site import Site
from models.sla_policy import SlaKind, SlaPolicy
from models.staff import Staff
from models.support_package import PackageState
from models.ticket import TicketState
from models.ticket_clock import TicketPause
from models.ticket_follower import TicketFollower
from models.ticket_message import TicketMessage, Visibility
from models.time_entry import TimeEntry
from tests.clients import DeskClient
from tests.operations.world import World

MOST = 15
#: A form stays small however large the tables it refers to.
LARGEST_FORM = 100_000


@pytest.mark.databases("sqlite", "postgresql", long=("sqlite",))
def test_every_page_of_every_entity(desk_client: Callable[..., DeskClient], desk: Flask, engine: sa.Engine) -> None:
    client, serving = desk_client("administrator"), desk.extensions["engine"]
    installation = desk_client("admin")  # alone edits what all groups share
    for entity in ENTITIES.values():
        with engine.connect() as connection:
            key = connection.execute(_fullest(entity)).scalar()
        paths = [f"/{slug(entity)}/"]
        closed = entity.__admin__.append_only or entity.__admin__.written_by_verbs
        if key is not None:
            paths += [f"/{slug(entity)}/{key}"]
            # A ledger is a record of what happened itself, and has no history of its own.
            paths += [f"/{slug(entity)}/{key}?tab=history"] if "version" in entity.__table__.c else []
            paths += [] if closed else [f"/{slug(entity)}/{key}/edit"]
        for path in paths:
            with watched(serving) as seen:
                shared = path.endswith("/edit") and entity.__admin__.scope.shared
                answer = (installation if shared else client).get(path)
            assert answer.status_code == 200, path
            assert len(seen) <= MOST, (path, len(seen), [text[:200] for text, _values in seen])
            if path.endswith("/edit"):
                assert len(answer.data) <= LARGEST_FORM, (path, len(answer.data))


@pytest.mark.parametrize(
    "path", ["/", "/search/?q=a", "/search/?q=a&part=1", "/dictionary/ticket", "/security/api-keys/"]
)
def test_pages_of_no_entity(desk_client: Callable[..., DeskClient], desk: Flask, path: str) -> None:
    with watched(desk.extensions["engine"]) as seen:
        assert desk_client("administrator").get(path).status_code == 200
    assert len(seen) <= MOST, [text[:200] for text, _values in seen]


def test_starting_runs_no_statement(settings: object, engine: sa.Engine) -> None:
    from backoffice.app import create_desk

    with watched(engine) as seen:
        create_desk(settings, engine)  # type: ignore[arg-type]
    assert seen == []


@pytest.mark.databases("sqlite", "postgresql")
def test_a_ticket_in_hand_with_everything_around_it(
    desk_client: Callable[..., DeskClient], desk: Flask, session: RecordSession, staff: Callable[[str], Staff]
) -> None:
    person = staff("administrator")
    session.rollback()
    with begin_writing():
        key = _busy_ticket(session, person)
        session.commit()
    client = desk_client("administrator")
    for path in (f"/support/{key}", f"/support/{key}/do/close"):
        with watched(desk.extensions["engine"]) as seen:
            answer = client.get(path)
        assert answer.status_code == 200, path
        assert len(seen) <= MOST, (path, len(seen), [text for text, _values in seen])
    shown = client.get(f"/support/{key}").text
    assert ("Palo 7" in shown, "Sede" in shown, "Ci siamo." in shown) == (True, True, True)


def _busy_ticket(session: RecordSession, person: Staff) -> int:
    """Make a ticket around which there is one of everything that its page in the workspace shows; return its key."""
    world = World(session, group_id=person.group_id)
    world.queue.requires_package = world.queue.requires_consent = True
    world.package(PackageState.active)
    hours = session.scalars(sa.select(ServiceCalendar)).first()
    for kind in (SlaKind.answer, SlaKind.close):
        world.add(
            SlaPolicy(group_id=person.group_id, name=f"Prova {kind}", kind=kind, target_minutes=600, queue=world.queue)
        )
    ticket = world.ticket(TicketState.in_progress, contact=world.contact, assignee_id=person.id, team=world.first_level)
    ticket.account, ticket.service = world.account(AccountState.active), world.tool
    ticket.contract, ticket.service.is_licensed = world.contract(ContractState.active), True
    ticket.queue.calendar = hours
    ticket.asset = world.add(Asset(contract=ticket.contract, code="Palo 7", kind=AssetKind.light_point, qr_token="p7"))
    agreed = world.entitlement(contract=ticket.contract, max_count=2, used_count=1)
    site = world.add(Site(company=world.company, name="Sede", street="Via Roma 1", city="Trento"))
    visit = {"requested_at": clock.now(), "planned_at": clock.now(), "entitlement": agreed, "site": site}
    world.add(Intervention(ticket=ticket, state=InterventionState.scheduled, **visit))
    around = {"ticket": ticket, "company": world.company}
    world.add(Call(**around, group_id=person.group_id, started_at=clock.now(), description="Prova"))
    world.add(TicketFollower(ticket=ticket, staff=person))
    passed = {"from_team": world.first_level, "to_team": world.second_level, "state": EscalationState.solved}
    words = {"description": "Guasto", "actions": "Riavviato", "workaround": "Nessuno", "ended_at": clock.now()}
    world.add(Escalation(ticket=ticket, reason=EscalationReason.technical, **passed, **words))
    world.add(TimeEntry(ticket=ticket, category="ordinary", day=clock.today(), minutes=10, person=person))
    world.add(TicketMessage(ticket=ticket, body="Ci siamo.", visibility=Visibility.public))
    world.add(
        TicketPause(ticket_id=ticket.id, state=TicketState.waiting_customer, since=clock.now(), until=clock.now())
    )
    world.add(QuickReply(name="Presa", group_id=person.group_id, body="Ci penso."))
    fit(session, ticket)
    return ticket.id


def _fullest(entity: type[Recorded]) -> sa.Select[Any]:
    """Select the key of the first group's row that refers to most others, each of which its page reads."""
    table = entity.__table__
    filled = sum((sa.case((column.is_(None), 0), else_=1) for column in table.c if column.foreign_keys), sa.literal(0))
    of_group = [table.c.group_id == 1] if "group_id" in table.c else []
    return sa.select(table.c.id).where(*of_group).order_by(filled.desc(), table.c.id).limit(1)
